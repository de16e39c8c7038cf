"""Which records make a contact, and what it carries."""

from __future__ import annotations

from syncd.identity import contact_of
from syncd.model import Address, Cart, ContactKey, ContactKind, Customer, Identifier, IdentifierKind, Order

ORDER_7 = Identifier(kind=IdentifierKind.ORDER, value="eu:7")


def test_an_account_is_always_a_contact() -> None:
    """Even an account that tells nothing is somebody."""
    contact = contact_of("eu", Customer(external_id="1"), "DE")

    assert contact is not None
    assert contact.key == ContactKey(store_id="eu", kind=ContactKind.ACCOUNT, external_id="1")
    assert contact.identifiers == ()


def test_identifiers_are_normalised_and_names_are_not() -> None:
    """What is compared is in one form; what is shown stays as typed."""
    customer = Customer(
        external_id="1", email="Ann@Shop.example", phone="030 901820", first_name=" ANN", last_name="lee"
    )

    contact = contact_of("eu", customer, "DE")

    assert contact is not None
    assert [item.value for item in contact.identifiers] == ["ann@shop.example", "+4930901820"]
    assert (contact.first_name, contact.last_name) == (" ANN", "lee")


def test_a_phone_is_read_in_the_addresss_country_before_the_stores() -> None:
    """A customer abroad types the number as at home, or as the shop's neighbours do."""
    british = (Address(kind="billing", country="GB"),)
    american = (Address(kind="billing", country="US"),)
    at_home = contact_of("eu", Customer(external_id="1", phone="020 7115 8380", addresses=british), "DE")
    abroad = contact_of("eu", Customer(external_id="2", phone="07402 142382", addresses=american), "GB")

    assert at_home is not None
    assert abroad is not None
    assert [item.value for item in (*at_home.identifiers, *abroad.identifiers)] == ["+442071158380", "+447402142382"]


def test_an_account_without_a_name_takes_its_addresss() -> None:
    """Checkouts often fill in the address and leave the account's own name empty."""
    contact = contact_of("eu", Customer(external_id="1", addresses=(Address(kind="billing", first_name="Ann"),)), "DE")

    assert contact is not None
    assert contact.first_name == "Ann"


def test_withheld_values_are_no_identifiers() -> None:
    """What the platform hides proves nothing."""
    contact = contact_of("eu", Customer(external_id="1", email=None, phone=None, first_name=None, last_name=None), "")

    assert contact is not None
    assert (contact.identifiers, contact.first_name) == ((), "")


def test_a_guest_order_and_the_cart_it_was_share_the_order() -> None:
    """A draft that becomes an order stays one person, whatever was typed into it."""
    order = contact_of("eu", Order(external_id="7"), "DE")
    cart = contact_of("eu", Cart(external_id="order:7", first_name="Ann"), "DE")

    assert order is not None
    assert cart is not None
    assert order.identifiers == cart.identifiers == (ORDER_7,)


def test_an_accounts_orders_and_carts_are_no_contacts() -> None:
    """They belong to the account."""
    order = Order(external_id="7", customer_id="1", email="ann@shop.example")
    cart = Cart(external_id="order:7", customer_id="1", email="ann@shop.example")

    assert contact_of("eu", order, "DE") is None
    assert contact_of("eu", cart, "DE") is None


def test_a_cart_without_any_trace_of_a_person_is_no_contact() -> None:
    """An empty draft is nobody; one with a mailbox, a phone or a name is."""
    assert contact_of("eu", Cart(external_id="order:7"), "DE") is None
    assert contact_of("eu", Cart(external_id="order:7", email="ann@shop.example"), "DE") is not None
    assert contact_of("eu", Cart(external_id="order:7", last_name="Lee"), "DE") is not None


def test_a_cart_of_its_own_carries_no_order() -> None:
    """Only carts made from orders can become one by their id."""
    contact = contact_of("eu", Cart(external_id="c1", email="ann@shop.example"), "DE")

    assert contact is not None
    assert [item.kind for item in contact.identifiers] == [IdentifierKind.MAILBOX]


def test_the_first_whole_address_is_an_identifier() -> None:
    """One without a street or a postcode tells nothing; the store's country is meant where none is named."""
    addresses = (
        Address(kind="billing", postcode="80331"),
        Address(kind="shipping", postcode="80331", line1="Hauptstr. 12"),
        Address(kind="other", postcode="10115", line1="Mühlweg 3"),
    )

    contact = contact_of("eu", Order(external_id="7", addresses=addresses), "DE")

    assert contact is not None
    assert contact.identifiers == (ORDER_7, Identifier(kind=IdentifierKind.ADDRESS, value="DE 80331 12 haup"))


def test_an_address_alone_is_no_trace_of_a_person() -> None:
    """A cart that only asked for the shipping price is nobody."""
    cart = Cart(external_id="c1", addresses=(Address(kind="shipping", postcode="80331", line1="Hauptstr. 12"),))

    assert contact_of("eu", cart, "DE") is None
