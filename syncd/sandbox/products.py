"""What the sandbox's shops sell: one catalogue for all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """A product; the price in hundredths."""

    id: int
    name: str
    sku: str
    price: int


_NAMES = ("Mug", "Teapot", "Kettle", "Scarf", "Rucksack", "Lantern", "Notebook", "Candle", "Blanket", "Cutting board")
_KINDS = ("small", "large", "édition spéciale")

PRODUCTS = {
    number: Product(
        id=number,
        name=f"{name} – {kind}",
        sku="" if number % 7 == 0 else f"SKU-{number:03d}",
        price=890 + (number * 2347) % 16000,
    )
    for number, (kind, name) in enumerate(((kind, name) for kind in _KINDS for name in _NAMES), start=10)
}
