"""What the sandbox's BigCommerce shops sell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """A product; the price in hundredths."""

    id: int
    name: str
    sku: str
    price: int
    is_digital: bool = False


_NAMES = ("Pallet of mugs", "Case of teapots", "Kettle", "Scarf bale", "Rucksack", "Lantern set", "Notebook carton")
_KINDS = ("10 pieces", "50 pieces", "Großpackung")

PRODUCTS = {
    number: Product(
        id=number,
        name=f"{name} – {kind}",
        sku="" if number % 8 == 0 else f"B2B-{number:03d}",
        price=1990 + (number * 3571) % 42000,
        is_digital=number % 11 == 0,
    )
    for number, (kind, name) in enumerate(((kind, name) for kind in _KINDS for name in _NAMES), start=77)
}
