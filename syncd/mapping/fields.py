"""Payload fields read one by one: text, ids, counts, times, money.

In comes a decoded JSON object, out come typed values. An absent or null field is tolerated; a field of another
type, or one that no database could hold, fails the record with the field's name and never with its value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import NoReturn

from syncd import money
from syncd.errors import MappingFailed, SkipRecord
from syncd.model import Address, Json, RawRecord, Stream, Unified

LONGEST_TEXT = 10_000
LONGEST_ID = 255

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_LARGEST_COUNT = 2**31 - 1
_ID_CEILING = 2**63


class Fields:
    """One JSON object of a payload.

    Args:
        payload: The decoded object; anything else fails the record.
        path: Where the object stands in its record, such as `billing`; "" for the record itself.
    """

    def __init__(self, payload: Json, path: str = "") -> None:
        self._path = path
        self._values: Mapping[str, Json] = payload if isinstance(payload, Mapping) else self._fail("", "is no object")

    def holds(self, name: str) -> bool:
        """Whether the field is there at all, be it null or empty; where not, the platform withholds it."""
        return name in self._values

    def text(self, name: str, limit: int = LONGEST_TEXT) -> str:
        """The field's text without outer blanks; "" when absent or null."""
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._fail(name, "is no text")
        if len(value) > limit:
            self._fail(name, f"is longer than {limit} characters")
        if _UNSTORABLE.search(value):
            self._fail(name, "holds characters that cannot be stored")
        return value.strip()

    def known_text(self, name: str) -> str | None:
        """The field's text, or None when the platform withholds the field."""
        return self.text(name) if self.holds(name) else None

    def external_id(self, name: str) -> str:
        """An id as text; "" when absent, null or the platform's 0 for none."""
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._number_id(name, value)
        text = self.text(name, LONGEST_ID)
        return "" if text == "0" else text

    def count(self, name: str) -> int:
        """A whole number; fractions are rounded half-even, absent is 0."""
        value = self._values.get(name)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._fail(name, "is no number")
        if abs(value) > _LARGEST_COUNT:
            self._fail(name, "is too large")
        return round(value)

    def currency(self, *names: str) -> str:
        """The ISO 4217 code of the first of these fields that is not empty."""
        code = next(filter(None, map(self.text, names)), "").upper()
        if len(code) != 3 or not code.isalpha():
            self._fail(names[0], "is no currency code" if code else "is missing")
        return code

    def time(self, name: str) -> datetime | None:
        """A time in UTC, whose suffix the platform may leave out; None when absent, null or empty."""
        text = self.text(name)
        return self._utc(name, text) if text else None

    def mail_time(self, name: str) -> datetime | None:
        """A time in UTC, written as mail headers write it (RFC 2822); None when absent, null or empty."""
        text = self.text(name)
        return self._utc(name, text, parsedate_to_datetime) if text else None

    def texts(self, name: str, limit: int = LONGEST_TEXT) -> tuple[str, ...]:
        """The texts of a list in their order, without outer blanks; none when absent or null."""
        items = enumerate(self._items(name))
        return tuple(Fields({"": item}, f"{self._at(name)}[{index}]").text("", limit) for index, item in items)

    def object(self, name: str) -> Fields:
        """The nested object; one without fields when absent, null or the empty list that PHP makes of it."""
        value = self._values.get(name)
        return Fields({} if value is None or value == [] else value, self._at(name))

    def objects(self, name: str) -> Iterator[Fields]:
        """The objects of a list in their order; none when absent or null."""
        for index, value in enumerate(self._items(name)):
            yield Fields(value, f"{self._at(name)}[{index}]")

    def value(self, name: str) -> Json:
        """The field as it stands, of any type; None when absent."""
        return self._values.get(name)

    def fail(self, name: str, reason: str) -> NoReturn:
        """Set the record aside because of this field; `reason` must not repeat the value.

        Raises:
            MappingFailed: Always.
        """
        self._fail(name, reason)

    def _items(self, name: str) -> Sequence[Json]:
        values = self._values.get(name)
        if values is None:
            return ()
        if not isinstance(values, list | tuple):
            self._fail(name, "is no list")
        return values

    def _number_id(self, name: str, value: int) -> str:
        if not 0 <= value < _ID_CEILING:
            self._fail(name, "is no id")
        return str(value) if value else ""

    def _utc(self, name: str, text: str, parse: Callable[[str], datetime] = datetime.fromisoformat) -> datetime:
        try:
            parsed = parse(text)
            return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self._fail(name, "is no time")

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}".strip(".")

    def _fail(self, name: str, reason: str) -> NoReturn:
        where = self._at(name) or "record"
        raise MappingFailed(f"{where} {reason}")


class Amounts:
    """Reads the amounts of one record in its currency, counting those that had to be rounded.

    Args:
        takes_numbers: Whether the platform sends amounts as JSON numbers too; else they are texts.
    """

    def __init__(self, currency: str, *, takes_numbers: bool = False) -> None:
        self._currency = currency
        self._takes_numbers = takes_numbers
        self.rounded_count = 0

    def required(self, fields: Fields, name: str) -> int:
        """An amount in minor units that must be there.

        Raises:
            MappingFailed: It is absent, null, empty or no amount.
        """
        text = self._text(fields, name)
        return self._minor(fields, name, text) if text else fields.fail(name, "is missing")

    def charged(self, fields: Fields, name: str) -> int:
        """An amount that must be there and may not be negative, such as an order's total.

        Raises:
            MappingFailed: It is not there, or negative.
        """
        minor = self.required(fields, name)
        return minor if minor >= 0 else fields.fail(name, "is negative")

    def optional(self, fields: Fields, name: str) -> int:
        """An amount in minor units; 0 when absent, null or empty."""
        text = self._text(fields, name)
        return self._minor(fields, name, text) if text else 0

    def _text(self, fields: Fields, name: str) -> str:
        value = fields.value(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # the shortest decimal that is this number
        return f"{Decimal(repr(value)):f}" if is_number and self._takes_numbers else fields.text(name)

    def _minor(self, fields: Fields, name: str, text: str) -> int:
        if not _AMOUNT.fullmatch(text):
            fields.fail(name, "is no amount")
        try:
            minor, was_rounded = money.to_minor(text, self._currency)
        except ValueError:
            fields.fail(name, "is no amount")
        self.rounded_count += was_rounded
        return minor


def address(kind: str, fields: Fields, names: Mapping[str, str], external_id: str = "") -> Address:
    """A postal address, read under the platform's names for our fields."""
    texts = {ours: fields.text(theirs) for ours, theirs in names.items()}
    return Address(kind=kind, external_id=external_id, **{**texts, "country": texts["country"].upper()})


Readers = Mapping[Stream, Callable[[str, Fields], Unified]]


def read(readers: Readers, stream: Stream, raw: RawRecord) -> Unified:
    """One raw record as its stream's reader has it, which is given the record's id and fields.

    Raises:
        MappingFailed: The payload cannot be read; the error names the record and the field, never its value.
    """
    try:
        return readers[stream](raw.external_id, Fields(raw.payload))
    except SkipRecord as error:
        error.external_id = raw.external_id
        raise
