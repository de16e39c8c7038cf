"""Mailboxes and phones as they are compared: one form for all the ways of typing the same thing.

For matching only: what a person typed is kept beside it, unchanged. Normalising a normalised value changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

from syncd.identity.words import DOMAIN_TYPOS, NOBODY, NOBODY_AT_HOME, NOBODY_DOMAINS, NOBODY_ENDINGS

_SHAPE = re.compile(r"[^\s@<>\"]{1,64}@[\w-]+(\.[\w-]+)+")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_YAHOO = re.compile(r"(yahoo|ymail|rocketmail)\.[a-z.]+")
_ENDING_TYPOS = re.compile(r"\.(con|comm|cmo|vom|xom|ocm|coom)$")

_RUNS = ("01234567890123456789", "98765432109876543210")


@lru_cache(maxsize=65_536)
def mailbox(text: str) -> str | None:
    """The mailbox that an address as typed delivers to; None for none, for nonsense and for placeholders."""
    folded = _folded(text)
    if len(folded) > 254 or not _SHAPE.fullmatch(folded):
        return None
    local, _, domain = folded.rpartition("@")
    domain = _mended_domain(domain)
    local = _plain_local(local, domain)
    return f"{local}@{domain}" if local and not _is_placeholder(local, domain) else None


@lru_cache(maxsize=65_536)
def phone(text: str, region: str) -> str | None:
    """The number in E.164; None for none, for impossible ones and for placeholders.

    Args:
        text: As typed.
        region: ISO country of numbers written without one; "" where unknown.
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    digits = re.sub(r"\D", "", typed)
    if not 7 <= len(digits) <= 20 or _is_made_up(digits):
        return None
    number = _number(typed, digits, region)
    return None if number is None or _is_made_up(str(number.national_number)) else _stable(number)


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text[:400]).casefold())
    folded = re.sub(r"\s+", "", folded).removeprefix("mailto:").strip("<>.,;:'\"")
    return _one_at(folded)


def _one_at(address: str) -> str:
    # "ann@@shop.example" and "ann@shop.example@shop.example" are slips; other doubles are nonsense.
    parts = [part for part in address.split("@") if part]
    return "@".join(parts[:2]) if len(set(parts[1:])) == 1 else ""


def _mended_domain(domain: str) -> str:
    domain = _ENDING_TYPOS.sub(".com", domain)
    domain = DOMAIN_TYPOS.get(domain, domain)
    return "gmail.com" if domain in _GMAIL else domain


def _plain_local(local: str, domain: str) -> str:
    if _YAHOO.fullmatch(domain):
        return local.partition("-")[0] or local
    local = local.partition("+")[0] or local
    return local.replace(".", "") if domain in _GMAIL else local


def _is_placeholder(local: str, domain: str) -> bool:
    if local in NOBODY or domain.endswith(NOBODY_ENDINGS):
        return True
    return local in NOBODY_AT_HOME and (domain in NOBODY_DOMAINS or domain.startswith(f"{local}."))


def _is_made_up(digits: str) -> bool:
    core = digits.lstrip("0") or digits
    return len(set(core[1:])) <= 1 or any(core in run for run in _RUNS)


def _number(typed: str, digits: str, region: str) -> phonenumbers.PhoneNumber | None:
    local = _possible(typed, region)
    if typed.startswith("+"):
        return local
    # Perhaps written with 00 where that is not the prefix, or with the country's code and no sign at all.
    abroad = _possible("+" + digits.removeprefix("00"), "")
    if abroad is None or not phonenumbers.is_valid_number(abroad):
        return local
    is_own_code = local is not None and abroad.country_code == local.country_code and digits[0] != "0"
    return local if local is not None and phonenumbers.is_valid_number(local) and not is_own_code else abroad


def _possible(typed: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(typed, region or None)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    return number if reason == phonenumbers.ValidationResult.IS_POSSIBLE else None


def _stable(number: phonenumbers.PhoneNumber) -> str | None:
    """The number's E.164 form; None where it would be read differently again, as stray zeros are."""
    text = _e164(number)
    if len(text) > 8 and not number.italian_leading_zero:
        return text
    again = _possible(text, "")
    return text if len(text) > 7 and again is not None and _e164(again) == text else None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
