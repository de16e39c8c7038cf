"""wc/v3/customers."""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from syncd.sandbox.exchange import Answer, json_answer
from syncd.sandbox.woocommerce import render
from syncd.sandbox.woocommerce.access import ApiKey
from syncd.sandbox.woocommerce.meta import write_meta
from syncd.sandbox.woocommerce.params import is_email
from syncd.sandbox.woocommerce.refusal import Refused, invalid
from syncd.sandbox.woocommerce.request import Request, check_types, list_answer, one_answer, page_bounds
from syncd.sandbox.woocommerce.state import BILLING_FIELDS, SHIPPING_FIELDS, Account, WooState

_TYPES = {
    "email": "string",
    "first_name": "string",
    "last_name": "string",
    "billing": "object",
    "shipping": "object",
    "meta_data": "array",
}
_BATCH_LIMIT = 100
_TAGS = re.compile(r"<[^>]*>")


def allowed(key: ApiKey | None, account: Account | None) -> tuple[str, ...]:
    """The methods a key may use on an account; None for an account that does not exist."""
    if key is None or key.role == "customer":
        return ()
    if key.role == "shop_manager":
        editable = account is None or account.role == "customer" or account.id == key.user_id
        return ("GET", "POST", "PUT", "PATCH") if editable else ("GET",)
    is_self = account is not None and account.id == key.user_id
    return ("GET", "POST", "PUT", "PATCH") if is_self else ("GET", "POST", "PUT", "PATCH", "DELETE")


def listing(request: Request) -> Answer:
    """GET customers."""
    params = request.params
    rows = [account for account in request.state.accounts.values() if _is_asked(account, params)]
    start, end = page_bounds(params)
    rows = _sorted(rows, params, start)
    return list_answer(request, (_show(request, row) for row in rows[start:end]), total=len(rows))


def _is_asked(account: Account, params: Mapping[str, Any]) -> bool:
    return (
        (params["role"] in ("all", account.role))
        and (not params["include"] or account.id in params["include"])
        and account.id not in params["exclude"]
        and (params["email"] is None or account.email.lower() == params["email"].lower())
        and (not params["search"] or _is_found(account, params["search"].strip("*").lower()))
    )


def _is_found(account: Account, text: str) -> bool:
    return any(text in value.lower() for value in (account.username, account.email, account.display_name))


def _sorted(rows: list[Account], params: Mapping[str, Any], start: int) -> list[Account]:
    """Rows in the asked order; where the sort column is not unique, ties fall otherwise on every page."""
    keys: dict[str, Callable[[Account], Any]] = {
        "id": lambda account: account.id,
        "include": lambda account: params["include"].index(account.id) if params["include"] else account.id,
        "name": lambda account: (account.display_name.lower(), tie(account.id, start)),
        "registered_date": lambda account: (account.created_at, tie(account.id, start)),
    }
    return sorted(rows, key=keys[params["orderby"]], reverse=params["order"] == "desc")


def tie(number: int, start: int) -> int:
    """How a row falls among equals on the page that begins at `start`: not as on the other pages."""
    return zlib.crc32(b"%d:%d" % (number, start))


def _show(request: Request, account: Account) -> dict[str, Any]:
    return render.account(request.view, account, allowed(request.key, account))


def one(request: Request) -> Answer:
    """GET customers/<id>."""
    return one_answer(request, _show(request, request.account()))


def create(request: Request) -> Answer:
    """POST customers."""
    check_types(request.body, _TYPES)
    if "email" not in request.body:
        data = {"params": ["email"]}
        raise Refused(400, "rest_missing_callback_param", "Missing parameter(s): email", data)
    return one_answer(request, _create(request, request.body), status=201)


def update(request: Request) -> Answer:
    """PUT customers/<id>."""
    check_types(request.body, _TYPES)
    email = request.body.get("email")
    if email is not None and not is_email(email):
        raise invalid({"email": ("rest_invalid_email", "Invalid email address.")})
    return one_answer(request, _update(request, request.account(status=400), request.body))


def delete(request: Request) -> Answer:
    """DELETE customers/<id>: for good or not at all."""
    if not request.force():
        raise Refused(501, "woocommerce_rest_trash_not_supported", "Customers do not support trashing.")
    return json_answer(200, _delete(request, request.ids[0]))


def batch(request: Request) -> Answer:
    """POST customers/batch: each item on its own, none of them validated."""
    items = {verb: request.body.get(verb) or [] for verb in ("create", "update", "delete")}
    if sum(map(len, items.values())) > _BATCH_LIMIT:
        words = f"Unable to accept more than {_BATCH_LIMIT} items for this request."
        raise Refused(413, "woocommerce_rest_request_entity_too_large", words)
    workers: dict[str, Callable[[Request, Any], dict[str, Any]]] = {
        "create": _create,
        "update": _update_item,
        "delete": _delete,
    }
    results = {
        verb: [_item(workers[verb], request, verb, item) for item in items[verb]] for verb in items if items[verb]
    }
    return json_answer(200, results or [])


def _item(work: Callable[[Request, Any], dict[str, Any]], request: Request, verb: str, item: Any) -> dict[str, Any]:
    try:
        return work(request, item)
    except Refused as refused:
        named = {"create": 0, "update": item.get("id") if isinstance(item, dict) else None, "delete": item}[verb]
        return {"id": named, "error": refused.body}


def _create(request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
    email = str(body.get("email", ""))
    if not is_email(email):
        raise Refused(400, "registration-error-invalid-email", "Please provide a valid email address.")
    if request.state.email_owner(email):
        words = f"An account is already registered with {email}. Please log in or use a different email address."
        raise Refused(400, "registration-error-email-exists", words)
    account = new_account(request.state, email)
    _apply(request.state, account, body)
    return _show(request, account)


def new_account(state: WooState, email: str, *, person_id: str | None = None) -> Account:
    """Register an account now; without a person id it is somebody new."""
    now, number = state.clock.second(), state.next_id("account")
    account = Account(
        id=number,
        email=email,
        username=email.partition("@")[0].lower(),
        created_at=now,
        modified_at=now,
        person_id=person_id or f"{state.site.store}:account:{number}",
    )
    state.accounts[number] = account
    return account


def _update_item(request: Request, item: Any) -> dict[str, Any]:
    number = item.get("id") if isinstance(item, dict) else None
    account = request.state.accounts.get(number) if isinstance(number, int) else None
    if account is None:
        raise Refused(400, "woocommerce_rest_invalid_id", "Invalid resource ID.")
    return _update(request, account, item)


def _update(request: Request, account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    email = body.get("email")
    owner = request.state.email_owner(email) if isinstance(email, str) and email else None
    if owner is not None and owner is not account:
        raise Refused(400, "woocommerce_rest_customer_invalid_email", "Email address is invalid.")
    _apply(request.state, account, body)
    return _show(request, _as_typed(account, body))


def _as_typed(account: Account, body: Mapping[str, Any]) -> Account:
    """The account as the answer to its own update shows it: names not yet encoded."""
    shown = replace(account)
    for name in ("first_name", "last_name"):
        if isinstance(body.get(name), str):
            setattr(shown, name, _plain(body[name]))
    return shown


def _apply(state: WooState, account: Account, body: Mapping[str, Any]) -> None:
    if isinstance(body.get("email"), str):
        account.email = body["email"] if is_email(body["email"]) else ""
    for name in ("first_name", "last_name"):
        if isinstance(body.get(name), str):
            setattr(account, name, encoded(_plain(body[name])))
    for fields, address, sent in (
        (BILLING_FIELDS, account.billing, body.get("billing")),
        (SHIPPING_FIELDS, account.shipping, body.get("shipping")),
    ):
        fill_address(address, sent, fields)
    write_meta(account.meta, body.get("meta_data"), next_id=lambda: state.next_id("meta"), protected=True)
    state.touch(account)


def fill_address(address: dict[str, str], sent: object, fields: tuple[str, ...]) -> None:
    """Put the fields sent into an address, in place."""
    if isinstance(sent, dict):
        address.update({name: str(sent[name] or "") for name in fields if name in sent})


def _plain(text: str) -> str:
    return _TAGS.sub("", text)


def encoded(text: str) -> str:
    """A name as WordPress keeps it."""
    return html.unescape(text).replace("&", "&amp;")


def _delete(request: Request, number: Any) -> dict[str, Any]:
    account = request.state.accounts.get(number) if isinstance(number, int) else None
    if account is None:
        raise Refused(400, "woocommerce_rest_invalid_id", "Invalid resource id.")
    shown = _show(request, account)
    request.state.remove_account(account)
    return shown
