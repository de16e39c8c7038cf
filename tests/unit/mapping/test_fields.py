"""Reading payload fields: what is tolerated, and what sets a record aside."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.errors import MappingFailed
from syncd.mapping.fields import Amounts, Fields, Readers, read
from syncd.model import Customer, Json, RawRecord, Stream


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (17, "is no text"),
        (["a"], "is no text"),
        (True, "is no text"),
        ("a\x00b", "holds characters that cannot be stored"),
        ("a\ud800b", "holds characters that cannot be stored"),
        ("x" * 1_000_000, "is longer than 10000 characters"),
    ],
)
def test_unreadable_text_names_the_field_and_never_the_value(value: Json, reason: str) -> None:
    """What no database could hold, or is no text at all, fails the record with the field's full name."""
    fields = Fields({"billing": {"city": value}}).object("billing")

    with pytest.raises(MappingFailed) as failure:
        fields.text("city")

    assert failure.value.message == f"billing.city {reason}"


@pytest.mark.parametrize("payload", [{}, {"city": None}])
def test_absent_and_null_text_are_empty(payload: dict[str, Json]) -> None:
    """A field that is missing or null fails nothing."""
    assert Fields(payload).text("city") == ""


def test_only_an_absent_field_is_withheld() -> None:
    """Absent means that the platform hides it, null and empty mean that it is empty."""
    fields = Fields({"null": None, "empty": ""})

    assert (fields.known_text("absent"), fields.known_text("null"), fields.known_text("empty")) == (None, "", "")


@pytest.mark.parametrize(("value", "text"), [(17, "17"), ("17", "17"), (0, ""), ("0", ""), (None, ""), ("a-1", "a-1")])
def test_ids_are_text_and_zero_is_none(value: Json, text: str) -> None:
    """Ids of both JSON types become the same text."""
    assert Fields({"id": value}).external_id("id") == text


@pytest.mark.parametrize("value", [-1, 2**63, 1.5, True, {}])
def test_what_is_no_id_is_refused(value: Json) -> None:
    """An id of another type or range fails the record."""
    with pytest.raises(MappingFailed, match="id "):
        Fields({"id": value}).external_id("id")


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05", "2026-01-02T03:04:05Z", "2026-01-01T22:04:05-05:00"])
def test_times_are_utc(text: str) -> None:
    """A time without a suffix is UTC already; one with a suffix is moved there."""
    assert Fields({"at": text}).time("at") == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["0000-00-00T00:00:00", "0000-00-00 00:00:00", "soon", "0001-01-01T00:00:00+14:00", 1]
)
def test_what_is_no_time_is_refused(value: Json) -> None:
    """Zero dates and other nonsense fail the record."""
    with pytest.raises(MappingFailed, match="at is no"):
        Fields({"at": value}).time("at")


@pytest.mark.parametrize(
    "value", ["1e400", "NaN", "Infinity", "12,50", "٣", "9" * 18, 12.5, float("inf"), True, [], "- 1"]
)
def test_what_is_no_amount_is_refused(value: Json) -> None:
    """Money is plain decimal text that fits the database; anything else fails the record."""
    with pytest.raises(MappingFailed, match="total is no"):
        Amounts("USD").required(Fields({"total": value}), "total")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_missing_money_is_only_refused_where_it_is_required(value: Json) -> None:
    """A record without its total cannot be read; one without its tax has none."""
    fields = Fields({"total": value})

    assert Amounts("USD").optional(fields, "total") == 0
    with pytest.raises(MappingFailed, match="total is missing"):
        Amounts("USD").required(fields, "total")


def test_amounts_round_half_even_and_are_counted() -> None:
    """A yen order with decimals is kept, rounded, and says so."""
    amounts = Amounts("JPY")
    fields = Fields({"a": "817.73", "b": "2.5", "c": "3.00"})

    minor = [amounts.required(fields, name) for name in "abc"]

    assert (minor, amounts.rounded_count) == ([818, 2, 3], 2)


@pytest.mark.parametrize(("value", "count"), [(3, 3), (2.0, 2), (2.5, 2), (None, 0)])
def test_counts_are_whole(value: Json, count: int) -> None:
    """A plugin's fraction of a piece is rounded."""
    assert Fields({"quantity": value}).count("quantity") == count


@pytest.mark.parametrize("value", [float("inf"), 2**31, "3", False])
def test_what_is_no_count_is_refused(value: Json) -> None:
    """Numbers that no column holds, and no numbers, fail the record."""
    with pytest.raises(MappingFailed, match="quantity "):
        Fields({"quantity": value}).count("quantity")


def test_an_empty_php_array_is_an_empty_object() -> None:
    """PHP writes an object without fields as a list without items."""
    assert Fields({"billing": []}).object("billing").text("city") == ""


@pytest.mark.parametrize("value", ["x", 1, ["x"], {"a": 1}])
def test_a_list_of_something_else_is_refused(value: Json) -> None:
    """A list that is none, or holds no objects, fails the record with the place."""
    with pytest.raises(MappingFailed, match="lines"):
        list(Fields({"lines": value}).objects("lines"))


def test_a_list_of_texts_is_read_in_order() -> None:
    """Texts lose their outer blanks, and one of another kind is named by its place."""
    fields = Fields({"buyer": {"tags": ["VIP ", "old"], "codes": ["A", 7], "none": None}}).object("buyer")

    assert (fields.texts("tags"), fields.texts("none"), fields.texts("absent")) == (("VIP", "old"), (), ())
    with pytest.raises(MappingFailed) as failure:
        fields.texts("codes")
    assert failure.value.message == "buyer.codes[1] is no text"


def test_the_first_currency_that_is_given_counts() -> None:
    """Of several fields the first one with a code is read; none at all is told under the first name."""
    assert Fields({"paid_in": "", "shown_in": "eur"}).currency("paid_in", "shown_in") == "EUR"
    with pytest.raises(MappingFailed, match="paid_in is missing"):
        Fields({}).currency("paid_in", "shown_in")
    with pytest.raises(MappingFailed, match="paid_in is no currency code"):
        Fields({"paid_in": "euro"}).currency("paid_in")


def test_nobody_is_charged_less_than_nothing() -> None:
    """A negative total fails the record; nothing to pay is a total."""
    fields = Fields({"total": "-1.00", "free": "0.00"})

    assert Amounts("EUR").charged(fields, "free") == 0
    with pytest.raises(MappingFailed, match="total is negative"):
        Amounts("EUR").charged(fields, "total")


def test_a_record_is_read_by_its_streams_reader() -> None:
    """The reader is given id and fields, and what it cannot read is told with the record's id."""
    readers: Readers = {Stream.CUSTOMERS: lambda key, fields: Customer(external_id=key, email=fields.text("mail"))}

    good = read(readers, Stream.CUSTOMERS, RawRecord(external_id="7", payload={"mail": "a@example.com"}))

    assert good == Customer(external_id="7", email="a@example.com")
    with pytest.raises(MappingFailed) as failure:
        read(readers, Stream.CUSTOMERS, RawRecord(external_id="8", payload={"mail": 1}))
    assert failure.value.external_id == "8"
