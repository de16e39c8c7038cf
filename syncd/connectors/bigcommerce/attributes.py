"""The store's customer attributes: which there are, and making those that a tag needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncd.connectors.bigcommerce.api import Api, data, number_of
from syncd.connectors.exchange import Request
from syncd.connectors.idwalk import Row
from syncd.errors import WriteRejected
from syncd.model import Json

ATTRIBUTES = "v3/customers/attributes"
MOST = 50  # customer attributes that a store may have


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """One customer attribute; `kind` is string, number or date, for good."""

    id: int
    name: str
    kind: str


class Attributes:
    """The attributes of one store, read when first needed and again when something is not among them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, Attribute] | None = None

    def all(self) -> Sequence[Attribute]:
        """Every attribute as the store lists them now."""
        found = [_attribute(row) for row in self._api.listed(ATTRIBUTES, {})]
        self._known = {attribute.name: attribute for attribute in found}
        return found

    def find(self, names: Iterable[str]) -> dict[str, Attribute]:
        """Those of the names that exist."""
        wanted = set(names)
        if self._known is None or wanted - self._known.keys():
            self.all()
        return {name: attribute for name, attribute in (self._known or {}).items() if name in wanted}

    def make(self, names: Iterable[str]) -> dict[str, str]:
        """Make attributes for texts, as many as the store still takes.

        Returns:
            The names that could not be made, each with the reason.
        """
        missing = sorted(set(names) - self.find(names).keys())
        room = MOST - len(self._known or {})
        full = f"the store has {MOST} customer attributes, the most BigCommerce allows; delete one that is not needed"
        refused = self._post(missing[: max(0, room)])
        return refused | dict.fromkeys(missing[max(0, room) :], full)

    def forget(self) -> None:
        """Read the list anew when it is needed next."""
        self._known = None

    def named(self, values: Sequence[Json]) -> list[Json]:
        """Attribute values, each with the name of its attribute."""
        names = self._names()
        if any(isinstance(value, dict) and number_of(value, "attribute_id") not in names for value in values):
            self.all()  # made since the list was read, perhaps by ourselves in another process
            names = self._names()
        return [_with_name(value, names) if isinstance(value, dict) else value for value in values]

    def _names(self) -> dict[int | None, str]:
        return {attribute.id: attribute.name for attribute in (self._known or {}).values()}

    def _post(self, names: Sequence[str]) -> dict[str, str]:
        if not names:
            return {}
        body = [{"name": name, "type": "string"} for name in names]
        try:
            answer = self._api.send(Request(method="POST", path=ATTRIBUTES, body=body))
        except WriteRejected as error:
            self.forget()  # perhaps somebody else made them at the same time
            return dict.fromkeys(set(names) - self.find(names).keys(), error.message)
        self._known = {**(self._known or {}), **{made.name: made for made in map(_attribute, data(answer))}}
        return {}


def _attribute(row: Row) -> Attribute:
    return Attribute(id=number_of(row, "id") or 0, name=str(row.get("name") or ""), kind=str(row.get("type") or ""))


def _with_name(value: Row, names: dict[int | None, str]) -> Row:
    return {**value, "name": names.get(number_of(value, "attribute_id"), "")}
