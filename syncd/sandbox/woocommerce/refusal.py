"""How WooCommerce says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """A request that is answered with an error.

    Args:
        status: HTTP status.
        code: WooCommerce's word for the error.
        data: What the body's `data` holds beside the status.
    """

    def __init__(self, status: int, code: str, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, "data": {"status": status, **(data or {})}}


def invalid(faults: Mapping[str, tuple[str, str]]) -> Refused:
    """The refusal of parameters.

    Args:
        faults: (error code, message) by parameter.
    """
    details = {
        name: {"code": code, "message": message, "data": {"param": name} if code == "rest_invalid_type" else None}
        for name, (code, message) in faults.items()
    }
    params = {name: message for name, (_, message) in faults.items()}
    data = {"params": params, "details": details}
    return Refused(400, "rest_invalid_param", f"Invalid parameter(s): {', '.join(faults)}", data)
