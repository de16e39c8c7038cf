"""The WooCommerce mapping, field by field where the golden files do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.errors import ConfigInvalid, MappingFailed
from syncd.mapping import content_hash, mapper_for
from syncd.mapping.base import MapperOptions
from syncd.model import Cart, Customer, Json, Order, OrderState, RawRecord, Stream, TagAction, TagChange

ORDER: dict[str, Any] = {"id": 7, "status": "completed", "currency": "EUR", "total": "12.30", "customer_id": 0}
MAPPER = mapper_for("woocommerce", MapperOptions(consent_meta_key="newsletter"))


def customer(**fields: Json) -> Customer:
    mapped = MAPPER.to_unified(Stream.CUSTOMERS, RawRecord(external_id="1", payload={"id": 1, **fields}))
    assert isinstance(mapped, Customer)
    return mapped


def order(**fields: Json) -> Order:
    mapped = MAPPER.to_unified(Stream.ORDERS, RawRecord(external_id="7", payload=ORDER | fields))
    assert isinstance(mapped, Order)
    return mapped


def cart(**fields: Json) -> Cart:
    mapped = MAPPER.to_unified(Stream.CARTS, RawRecord(external_id="order:7", payload=ORDER | fields))
    assert isinstance(mapped, Cart)
    return mapped


def meta(key: str, value: Json) -> dict[str, Json]:
    return {"id": 1, "key": key, "value": value}


@pytest.mark.parametrize("role", ["administrator", "shop_manager", "editor", "author", "contributor"])
def test_staff_are_known_by_their_role(role: str) -> None:
    """Accounts of people who work in the shop are marked."""
    assert customer(role=role).is_staff


@pytest.mark.parametrize("role", ["customer", "subscriber", "wholesale_buyer", ""])
def test_shoppers_are_no_staff(role: str) -> None:
    """Buyers of any role, a plugin's included, are shoppers."""
    assert not customer(role=role).is_staff


def test_names_of_accounts_are_unescaped_once() -> None:
    """Profile forms encode names; a name that was meant to hold an entity keeps it."""
    assert customer(last_name="Smith &amp;amp; Sons").last_name == "Smith &amp; Sons"


def test_address_of_an_account_falls_back_to_billing() -> None:
    """An account without an address of its own is reached at its billing address."""
    assert customer(email="", billing={"email": "a@shop.example"}).email == "a@shop.example"


def test_withheld_tags_are_not_no_tags() -> None:
    """A key that may not see meta data learns nothing of tags, so known tags stay known."""
    assert customer().tags is None
    assert customer(meta_data=[]).tags == ()


def test_tags_are_read_from_our_keys_only() -> None:
    """Other keys, deleted values and values that are no text are no tags."""
    entries = [meta("syncd_tag_vip", "VIP"), meta("tag_vip", "x"), meta("syncd_tag_a", None), meta("syncd_tag_b", {})]

    assert customer(meta_data=entries).tags == ("VIP",)


@pytest.mark.parametrize("value", ["yes", "YES", " 1", True, 1, "true", "subscribed"])
def test_consent_is_read_from_the_configured_key(value: Json) -> None:
    """Any of the ways in which plugins say yes is a yes."""
    (consent,) = customer(meta_data=[meta("newsletter", value)]).consents

    assert (consent.channel, consent.state) == ("email", "yes")


@pytest.mark.parametrize("value", ["no", "", "0", 0, False, None, "unsubscribed", {"optin": True}])
def test_anything_but_a_clear_yes_is_no(value: Json) -> None:
    """A value that is there and is not a yes is a no."""
    (consent,) = customer(meta_data=[meta("newsletter", value)]).consents

    assert consent.state == "no"


def test_a_key_written_twice_counts_its_stricter_value() -> None:
    """Two values of one key are both undated: a no among them wins."""
    (consent,) = customer(meta_data=[meta("newsletter", "yes"), meta("newsletter", "no")]).consents

    assert consent.state == "no"


def test_without_the_configured_key_consent_is_unknown() -> None:
    """No statement is neither yes nor no."""
    assert customer(meta_data=[meta("other", "yes")]).consents == ()


@pytest.mark.parametrize(
    ("status", "state", "is_cart"),
    [
        ("checkout-draft", OrderState.PENDING, True),
        ("pending", OrderState.PENDING, True),
        ("failed", OrderState.FAILED, True),
        ("on-hold", OrderState.OPEN, False),
        ("processing", OrderState.OPEN, False),
        ("completed", OrderState.COMPLETED, False),
        ("cancelled", OrderState.CANCELLED, False),
        ("refunded", OrderState.REFUNDED, False),
        ("made-by-a-plugin", OrderState.OPEN, False),
    ],
)
def test_status_tells_revenue_state_and_whether_a_cart_was_left(status: str, state: OrderState, is_cart: bool) -> None:
    """An order that is still a cart has left none; every other one ended the cart it was."""
    mapped = order(status=status)

    assert (mapped.status, mapped.state) == (status, state)
    assert mapped.left_cart == (None if is_cart else "order:7")
    assert cart(status=status).is_open is is_cart


def test_an_order_without_an_account_is_a_guests() -> None:
    """Customer id 0 is nobody's account."""
    assert order(customer_id=0).is_guest
    assert order(customer_id=12).customer_id == "12"


def test_optional_fields_may_be_missing() -> None:
    """Only status-free essentials are needed: a total and its currency."""
    mapped = order(status=None, customer_id=None)

    assert (mapped.total_minor, mapped.currency, mapped.lines, mapped.placed_at) == (1230, "EUR", (), None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("total", None),
        ("total", "-1.00"),
        ("total", 12.3),
        ("currency", None),
        ("currency", "EURO"),
        ("date_modified_gmt", "0000-00-00T00:00:00"),
        ("billing", "x"),
        ("line_items", [{"id": 1}]),
        ("refunds", [{"id": 1, "total": "1e400"}]),
        ("customer_id", "a\x00"),
    ],
)
def test_unreadable_orders_are_set_aside_by_name(field: str, value: Json) -> None:
    """A record that cannot be read says which field and which record."""
    with pytest.raises(MappingFailed, match=field) as failure:
        order(**{field: value})

    assert failure.value.external_id == "7"


def test_tag_change_becomes_a_key_and_its_text() -> None:
    """Adding sets the tag's own key to its text."""
    change = TagChange(external_id="1", action=TagAction.ADD, tag="Win back")

    body = MAPPER.to_platform(change).body

    assert str(body["key"]).startswith("syncd_tag_win_back_")
    assert body["value"] == "Win back"


def test_tag_removal_is_a_null_under_the_same_key() -> None:
    """Removing names the key that adding would have set."""
    added = MAPPER.to_platform(TagChange(external_id="1", action=TagAction.ADD, tag="Win back"))
    removed = MAPPER.to_platform(TagChange(external_id="1", action=TagAction.REMOVE, tag="Win back"))

    assert removed.body == {"key": added.body["key"], "value": None}


def test_pushed_tags_read_back_as_they_were_meant() -> None:
    """What we write is what we later read."""
    body = MAPPER.to_platform(TagChange(external_id="1", action=TagAction.ADD, tag="Große Kunden")).body

    assert customer(meta_data=[dict(body)]).tags == ("Große Kunden",)


def test_our_own_push_is_no_change() -> None:
    """Update time and our own tags leave the content hash alone."""
    before = customer(email="a@b.example", date_modified_gmt="2026-01-01T00:00:00", meta_data=[])
    tag = meta("syncd_tag_vip", "VIP")
    after = customer(email="a@b.example", date_modified_gmt="2026-01-02T00:00:00", meta_data=[tag])

    assert content_hash(before, frozenset({"VIP"})) == content_hash(after, frozenset({"VIP"}))
    assert content_hash(before, frozenset()) != content_hash(after, frozenset())


def test_every_other_value_is_a_change() -> None:
    """A new address, a new refund or newly withheld tags move the hash."""
    hashes = {
        content_hash(record, frozenset())
        for record in (
            customer(),
            customer(email="x@y.example"),
            customer(meta_data=[]),
            order(),
            order(total="1"),
            cart(),
        )
    }

    assert len(hashes) == 6


def test_hash_does_not_depend_on_the_process() -> None:
    """A stored hash is compared years later: it is written down here."""
    assert content_hash(customer(email="a@b.example"), frozenset()).hex() == "09989e18e3006b239031cd01c49a1e16"


def test_unknown_platform_names_the_known_ones() -> None:
    """A platform without a mapping is a configuration error that helps."""
    with pytest.raises(ConfigInvalid, match="woocommerce"):
        mapper_for("magento", MapperOptions())
