"""v3/orders/payment_actions/refunds: the only place that tells how much was given back."""

from __future__ import annotations

from syncd.sandbox.bigcommerce import render
from syncd.sandbox.bigcommerce.orders import find
from syncd.sandbox.bigcommerce.request import Request, page_answer
from syncd.sandbox.exchange import Answer, json_answer


def listing(request: Request) -> Answer:
    """GET orders/payment_actions/refunds."""
    params = request.params
    low, high = params["created:min"], params["created:max"]
    asked = [
        refund
        for refund in request.state.refunds()
        if (params["id:in"] is None or refund.id in params["id:in"])
        and (params["order_id:in"] is None or refund.order_id in params["order_id:in"])
        and (low is None or refund.created_at >= low)
        and (high is None or refund.created_at <= high)
    ]
    return page_answer(request, asked, render.refund)


def of_order(request: Request) -> Answer:
    """GET orders/<id>/payment_actions/refunds."""
    order = find(request)
    return json_answer(200, {"data": [render.refund(refund) for refund in order.refunds], "meta": {}})
