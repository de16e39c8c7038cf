"""Postal addresses as they are compared: a short form that the many ways of writing one address share.

Short on purpose: apartments, house letters and the ends of street names are written too freely to count. What the
short form leaves open, the full name beside it has to settle.
"""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

from syncd.identity.words import STREET_WORDS
from syncd.model import Address

_UNIT = re.compile(r"(\b(unit|apt|apartment|flat|suite|ste|room|appt|app|apto|piso|lok|whg|lgh)\b\.?|#)[\s#]*\w+")
_STREET_LETTERS = 4
_FIVE, _FOUR = 5, 4  # digits of a postcode, by country
_FIVE_DIGITS = frozenset(
    ("US", "DE", "FR", "ES", "IT", "PL", "SE", "FI", "EE", "CZ", "SK", "GR", "HR", "RS", "UA", "MX", "TR")
)
_ZIP_EXTRA = 4  # digits behind the dash of a United States postcode, seldom written


def place(address: Address, region: str) -> str | None:
    """The short form of an address, such as `DE 80331 12 haup`; None without a postcode and a house number.

    Args:
        region: ISO country of addresses that name none; "" where unknown.
    """
    country = address.country.upper() or region
    postcode, street = _postcode(address.postcode, country), _street(address.line1) or _street(address.line2)
    return f"{country} {postcode} {street}".strip() if postcode and street else None


def _postcode(text: str, country: str) -> str:
    code = re.sub(r"[^A-Z0-9]+", "", unicodedata.normalize("NFKC", text[:40]).upper())
    if not code.isdigit():
        return code
    if country == "US" and len(code) > _FIVE:
        code = code[:-_ZIP_EXTRA]
    # Spreadsheets lose zeros in front.
    return code.zfill(_FIVE if country in _FIVE_DIGITS else _FOUR) if int(code) else ""


def _street(line: str) -> str:
    words = re.findall(r"[a-z0-9]+", _UNIT.sub(" ", _folded(line)))
    number = next((word for word in words if word[0].isdigit()), "")
    others = [word for word in words if word != number]
    telling = [word for word in others if word not in STREET_WORDS and len(word) > 1] or others
    digits = re.match(r"\d+", number)
    return f"{int(digits[0])} {telling[0][:_STREET_LETTERS]}" if digits and telling else ""


def _folded(text: str) -> str:
    plain = anyascii(unicodedata.normalize("NFKC", text[:200])).lower().replace("'", "")
    return re.sub(r"([aou])e", r"\1", plain)  # Hoevelallee, Hövelallee
