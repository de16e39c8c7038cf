"""syncd: every shop's customers, orders and carts in one profile database the merchant owns."""

__version__ = "0.1.0"
