"""Money as integer minor units: how many decimals a currency has, and the way to and from decimal text.

Amounts never pass through float. An amount with more decimals than its currency has is rounded half-even, and
`to_minor` tells that it was.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

_LARGEST_MINOR = 2**63 - 1  # what a BIGINT column holds
_CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)

# Every active ISO 4217 code whose exponent is not 2 (list one of 2024-06-25).
_EXPONENTS: dict[str, int] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def exponent(currency: str) -> int:
    """How many decimals a currency has; 2 for a code that is unknown or empty.

    Source: ISO 4217 list one.
    """
    return _EXPONENTS.get(currency.upper(), 2)


def to_minor(amount: Decimal | str, currency: str) -> tuple[int, bool]:
    """The amount in minor units, and whether it had to be rounded (half-even).

    Raises:
        ValueError: Not a number, not finite, or larger than the database can hold.
    """
    scaled = _finite(amount).scaleb(exponent(currency), _CONTEXT)
    minor = round_minor(scaled)
    return minor, minor != scaled


def round_minor(value: Decimal) -> int:
    """A figure in minor units made whole, half-even.

    Raises:
        ValueError: Larger than the database can hold.
    """
    _refuse_too_large(value)
    return int(value.to_integral_value(ROUND_HALF_EVEN))


def convert(minor: int, source: str, target: str, rate: Decimal | None) -> int | None:
    """An amount in another currency's minor units, half-even; None where there is no rate.

    Args:
        rate: Units of the target currency for one unit of the source.

    Raises:
        ValueError: Larger than the database can hold.
    """
    if rate is None:
        return None
    shift = exponent(target) - exponent(source)
    return round_minor(_CONTEXT.multiply(Decimal(minor), rate).scaleb(shift, _CONTEXT))


def to_text(minor: int, currency: str) -> str:
    """The amount as decimal text with exactly the currency's decimals, such as `-12.30`."""
    digits = exponent(currency)
    sign = "-" if minor < 0 else ""
    whole, part = divmod(abs(minor), 10**digits)
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"


def _finite(amount: Decimal | str) -> Decimal:
    try:
        value = Decimal(amount)
    except InvalidOperation:
        raise ValueError("amount is not a number") from None
    if not value.is_finite():
        raise ValueError("amount is not a number")
    _refuse_too_large(value)
    return value


def _refuse_too_large(value: Decimal) -> None:
    if value.copy_abs() > _LARGEST_MINOR:
        raise ValueError("amount is too large")
