"""v3/customers and v3/customers/addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncd.sandbox.bigcommerce import render
from syncd.sandbox.bigcommerce.query import is_within
from syncd.sandbox.bigcommerce.refusal import bad_body
from syncd.sandbox.bigcommerce.request import Place, Request, cursor_answer, page_answer
from syncd.sandbox.bigcommerce.state import ADDRESS_FIELDS, Account, Address, BigState
from syncd.sandbox.exchange import Answer, json_answer

_AT_ONCE = 10
_WRITABLE: Mapping[str, tuple[str, type]] = {
    "email": ("email", str),
    "first_name": ("first_name", str),
    "last_name": ("last_name", str),
    "company": ("company", str),
    "phone": ("phone", str),
    "notes": ("notes", str),
    "customer_group_id": ("group_id", int),
    "accepts_product_review_abandoned_cart_emails": ("wants_reminders", bool),
}
_PLACES: Mapping[str, Callable[[Account], str]] = {
    "id": lambda account: "",
    "date_created": lambda account: render.zulu(account.created_at),
    "date_modified": lambda account: render.zulu(account.modified_at),
    "last_name": lambda account: account.last_name.lower(),
}


def listing(request: Request) -> Answer:
    """GET customers."""
    name, _, order = (request.params["sort"] or "id:asc").partition(":")

    def place(account: Account) -> Place:
        return _PLACES[name](account), account.id

    asked = [account for account in request.state.accounts.values() if _is_asked(account, request.params)]
    asked.sort(key=place, reverse=order == "desc")
    include = request.params["include"]
    return cursor_answer(request, asked, lambda account: render.account(request.state, account, include), place=place)


def _is_asked(account: Account, params: Mapping[str, Any]) -> bool:
    name = f"{account.first_name} {account.last_name}".lower()
    return (
        _is_in(account.id, params["id:in"])
        and _is_in(account.email.lower(), _lowered(params["email:in"]))
        and _is_in(name, _lowered(params["name:in"]))
        and _is_in(account.phone, params["phone:in"])
        and _is_in(account.company.lower(), _lowered(params["company:in"]))
        and _is_in(account.group_id, params["customer_group_id:in"])
        and _is_in("", params["registration_ip_address:in"])
        and (params["name:like"] is None or any(part in name for part in _lowered(params["name:like"]) or ()))
        and is_within(account.created_at, params, "date_created")
        and is_within(account.modified_at, params, "date_modified")
    )


def _is_in(value: object, wanted: tuple[object, ...] | None) -> bool:
    return wanted is None or value in wanted


def _lowered(texts: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if texts is None else tuple(text.lower() for text in texts)


def update(request: Request) -> Answer:
    """PUT customers: all of them or none."""
    items = request.items(limit=_AT_ONCE)
    errors = {f"{row}.{name}": words for row, item in enumerate(items) for name, words in _faults(request, item)}
    if errors:
        raise bad_body(errors)
    changed = [_write(request.state, item) for item in items]
    shown = [render.account(request.state, account, ()) for account in changed]
    return json_answer(200, {"data": shown, "meta": {}})


def _faults(request: Request, item: Mapping[str, Any]) -> list[tuple[str, str]]:
    number = item.get("id")
    account = request.state.accounts.get(number) if isinstance(number, int) else None
    if account is None:
        return [("id", "is required and must be a customer's")]
    faults = [
        (name, f"must be {kind.__name__}")
        for name, (_, kind) in _WRITABLE.items()
        if name in item and not isinstance(item[name], kind)
    ]
    owner = request.state.email_owner(str(item.get("email", account.email)), account.channel_id)
    if owner is not None and owner is not account:
        faults.append(("email", f"email {item['email']} already in use"))
    return faults


def _write(state: BigState, item: Mapping[str, Any]) -> Account:
    account = state.accounts[item["id"]]
    for name, (field, _) in _WRITABLE.items():
        if name in item:
            setattr(account, field, item[name])
    state.touch(account)
    return account


def addresses(request: Request) -> Answer:
    """GET customers/addresses."""
    params = request.params
    asked = [
        address
        for address in request.state.addresses()
        if _is_in(address.id, params["id:in"])
        and _is_in(address.customer_id, params["customer_id:in"])
        and _is_in(_full_name(address), _lowered(params["name:in"]))
        and _is_in(address.fields["company"].lower(), _lowered(params["company:in"]))
    ]
    return page_answer(request, asked, lambda address: render.address(address, params["include"]))


def _full_name(address: Address) -> str:
    return f"{address.fields['first_name']} {address.fields['last_name']}".lower()


def new_account(state: BigState, email: str, *, person_id: str | None = None, channel_id: int = 1) -> Account:
    """Register an account now; without a person id it is somebody new."""
    now, number = state.clock.second(), state.next_id("account")
    account = Account(
        id=number,
        email=email,
        channel_id=channel_id,
        created_at=now,
        modified_at=now,
        person_id=person_id or f"{state.site.store}:account:{number}",
    )
    state.accounts[number] = account
    return account


def new_address(state: BigState, account: Account, fields: Mapping[str, str]) -> Address:
    """Put an entry into an address book; the account does not count as modified by it."""
    names = {"first_name": account.first_name, "last_name": account.last_name}
    address = Address(
        id=state.next_id("address"),
        customer_id=account.id,
        fields={**dict.fromkeys(ADDRESS_FIELDS, ""), **names, "country": state.site.country, **fields},
        is_residential=not fields.get("company"),
    )
    account.addresses.append(address)
    return address
