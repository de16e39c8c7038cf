"""Records as the Admin API shows them; what the shop's plan withholds is null."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from operator import attrgetter

from syncd.sandbox.products import PRODUCTS
from syncd.sandbox.shopify.listing import Rows, connection
from syncd.sandbox.shopify.shapes import Shown, amount, full_name, gid, ids, mailbox, stamp, street, telephone
from syncd.sandbox.shopify.state import Account, Checkout, Line, Order, Piece, Place, Refund, ShopifyState

_COUNTRIES = {"US": "United States", "GB": "United Kingdom", "DE": "Germany", "FR": "France", "PL": "Poland"}
_RATES = {"EUR": Decimal("0.92"), "GBP": Decimal("0.79"), "JPY": Decimal(150)}
_VENDOR = "Acme"


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How one asker sees the shop's records.

    Args:
        orders: The connection of a customer's orders, as far as the asker may see them.
        is_shown: Whether the asker may see an order at all.
    """

    state: ShopifyState
    orders: Callable[..., Shown]
    is_shown: Callable[[Order], bool]

    @property
    def _is_bare(self) -> bool:
        return self.state.withholds_personal_data

    def account(self, account: Account) -> Shown:
        """A customer."""
        return {
            "__typename": "Customer",
            **ids("Customer", account.id),
            **self._person(account),
            **self._trade(account),
            "createdAt": stamp(account.created_at),
            "updatedAt": stamp(account.updated_at),
            "canDelete": False,
            "dataSaleOptOut": False,
            "locale": account.locale,
            "note": account.note,
            "state": account.state,
            "tags": list(account.tags),
            "taxExempt": False,
            "verifiedEmail": account.verified_email,
        }

    def _person(self, account: Account) -> Shown:
        places = account.addresses
        shown = Rows(records=places, value=attrgetter("id"), show=self.place)
        if self._is_bare:
            withheld = ("firstName", "lastName", "email", "phone", "defaultEmailAddress", "defaultPhoneNumber")
            bare = {"displayName": "", "defaultAddress": self.place(places[0]) if places else None}
            return {**dict.fromkeys(withheld), **bare, "addressesV2": _nested(shown)}
        return {
            "firstName": account.first_name,
            "lastName": account.last_name,
            "displayName": full_name(account) or account.email or "",
            "email": account.email,
            "phone": account.phone,
            "defaultEmailAddress": mailbox(account),
            "defaultPhoneNumber": telephone(account),
            "defaultAddress": self.place(places[0]) if places else None,
            "addressesV2": _nested(shown),
        }

    def _trade(self, account: Account) -> Shown:
        return {
            "amountSpent": lambda info: self._money(sum(each.total - each.refunded for each in self._own(account))),
            "numberOfOrders": lambda info: str(len(self._own(account))),
            "lastOrder": lambda info: self._last_order(account),
            "orders": partial(self.orders, account),
        }

    def _own(self, account: Account) -> list[Order]:
        return self.state.orders_of(account)

    def _last_order(self, account: Account) -> Shown | None:
        shown = [order for order in self._own(account) if self.is_shown(order)]
        return self.order(shown[-1]) if shown else None

    def place(self, place: Place) -> Shown:
        """An address."""
        country = _COUNTRIES.get(place.country, place.country)
        return {
            "__typename": "MailingAddress",
            "id": gid("MailingAddress", place.id) + "?model_name=CustomerAddress",
            "city": place.city,
            "province": place.province_code,
            "provinceCode": place.province_code,
            "country": country,
            "countryCodeV2": place.country,
            "formattedArea": ", ".join(filter(None, (place.city, place.province_code, country))),
            **({} if self._is_bare else street(place)),
        }

    def _money(self, hundredths: int, currency: str | None = None) -> Shown:
        home = self.state.site.currency
        if currency in (None, home):
            return {"amount": amount(hundredths), "currencyCode": home}
        return {"amount": amount(round(hundredths * _RATES[currency])), "currencyCode": currency}

    def bag(self, hundredths: int, currency: str | None = None) -> Shown:
        """An amount in the shop's money and in the shopper's."""
        return {"shopMoney": self._money(hundredths), "presentmentMoney": self._money(hundredths, currency)}

    def order(self, order: Order) -> Shown:
        """An order."""
        lines = Rows(records=order.lines, value=attrgetter("id"), show=partial(self._order_line, order))
        return {
            "__typename": "Order",
            **ids("Order", order.id),
            **self._order_state(order),
            **self._order_money(order),
            **self._order_people(order),
            "name": f"#{order.number}",
            "number": order.number,
            "lineItems": _nested(lines),
            "refunds": lambda info, **args: [self.refund(order, each) for each in order.refunds][: args.get("first")],
            "taxLines": [self._tax(sum(line.tax for line in order.lines), order.presentment)],
            "customAttributes": [],
            "note": order.note,
            "tags": list(order.tags),
            "sourceName": order.source,
            "test": order.test,
            "paymentGatewayNames": ["shopify_payments"],
        }

    def _order_state(self, order: Order) -> Shown:
        return {
            "createdAt": stamp(order.created_at),
            "processedAt": stamp(order.created_at),
            "updatedAt": stamp(order.updated_at),
            "cancelledAt": stamp(order.cancelled_at),
            "cancelReason": order.cancel_reason,
            "closed": order.closed_at is not None,
            "closedAt": stamp(order.closed_at),
            "confirmed": True,
            "edited": False,
            "displayFinancialStatus": order.financial,
            "displayFulfillmentStatus": order.fulfillment,
            "fullyPaid": order.financial not in ("PENDING", "AUTHORIZED", "VOIDED"),
            "unpaid": order.financial in ("PENDING", "AUTHORIZED"),
            "cartToken": None,
            "checkoutToken": None,
            "poNumber": None,
        }

    def _order_money(self, order: Order) -> Shown:
        lines, paid = order.lines, 0 if order.financial in ("PENDING", "AUTHORIZED", "VOIDED") else order.total
        net, tax = sum(line.net for line in lines), sum(line.tax for line in lines)
        off = sum(line.discount for line in lines)
        amounts = {
            "subtotalPriceSet": net,
            "totalDiscountsSet": off,
            "totalShippingPriceSet": order.shipping_fee,
            "totalTaxSet": tax,
            "totalPriceSet": order.total,
            "originalTotalPriceSet": order.total,
            "totalReceivedSet": paid,
            "netPaymentSet": paid - order.refunded,
            "totalRefundedSet": order.refunded,
            "totalRefundedShippingSet": 0,
            "totalOutstandingSet": order.total - paid if order.cancelled_at is None else 0,
            "totalTipReceivedSet": 0,
            "currentSubtotalPriceSet": max(0, net - order.refunded),
            "currentTotalDiscountsSet": off,
            "currentTotalPriceSet": order.total - order.refunded,
            "currentTotalTaxSet": tax,
        }
        currency = order.presentment or self.state.site.currency
        return {
            **{name: self.bag(value, currency) for name, value in amounts.items()},
            "currencyCode": self.state.site.currency,
            "presentmentCurrencyCode": currency,
            "discountCode": order.discount_code,
            "discountCodes": [order.discount_code] if order.discount_code else [],
            "taxesIncluded": False,
        }

    def _order_people(self, order: Order) -> Shown:
        account = self.state.accounts.get(order.customer_id or 0)
        return {
            "customer": (lambda info: self.account(account)) if account else None,
            "customerAcceptsMarketing": bool(account and account.email_consent.state == "SUBSCRIBED"),
            "customerLocale": account.locale if account else None,
            "email": None if self._is_bare else order.email,
            "phone": None if self._is_bare else order.phone,
            "billingAddress": order.billing and self.place(order.billing),
            "shippingAddress": order.shipping and self.place(order.shipping),
        }

    def _tax(self, hundredths: int, currency: str) -> Shown:
        bag = self.bag(hundredths, currency or None)
        return {"title": "Sales tax", "rate": 0.08, "channelLiable": False, "priceSet": bag}

    def _line(self, line: Line) -> Shown:
        """What lines of orders and of checkouts have in common."""
        product = PRODUCTS[line.product]
        name, _, variant = product.name.partition(" – ")
        sold = {"__typename": "Product", **ids("Product", 8_000 + line.product), "title": name, "vendor": _VENDOR}
        version = {"title": variant, "sku": product.sku or None, "product": sold}
        return {
            "title": name,
            "sku": product.sku or None,
            "quantity": line.quantity,
            "variantTitle": variant,
            "product": sold,
            "variant": {"__typename": "ProductVariant", **ids("ProductVariant", 40_000 + line.product), **version},
            "customAttributes": [],
        }

    def _order_line(self, order: Order, line: Line) -> Shown:
        bag = partial(self.bag, currency=order.presentment or None)
        left = line.quantity - line.refunded_quantity
        return {
            "__typename": "LineItem",
            "id": gid("LineItem", line.id),
            **self._line(line),
            "name": PRODUCTS[line.product].name,
            "vendor": _VENDOR,
            "currentQuantity": left,
            "refundableQuantity": left,
            "isGiftCard": False,
            "requiresShipping": True,
            "taxable": True,
            "taxLines": [self._tax(line.tax, order.presentment)],
            "originalUnitPriceSet": bag(line.price),
            "originalTotalSet": bag(line.gross),
            "totalDiscountSet": bag(line.discount),
            # discounts here come from codes, which are spread over the lines only when asked for
            "discountedTotalSet": lambda info, **args: bag(line.net if args.get("withCodeDiscounts") else line.gross),
            "discountedUnitPriceSet": bag(line.price),
            "discountedUnitPriceAfterAllDiscountsSet": bag(line.net // line.quantity),
        }

    def refund(self, order: Order, refund: Refund) -> Shown:
        """A refund of an order."""
        bag = partial(self.bag, currency=order.presentment or None)
        lines = {line.id: line for line in order.lines}

        def shown(piece: Piece) -> Shown:
            line, quantity = lines[piece.id], piece.quantity
            return {
                "id": gid("RefundLineItem", refund.id + quantity),
                "lineItem": self._order_line(order, line),
                "quantity": quantity,
                "priceSet": bag(line.price),
                "restockType": "RETURN",
                "restocked": True,
                "subtotalSet": bag(line.net * quantity // line.quantity),
                "totalTaxSet": bag(line.tax * quantity // line.quantity),
            }

        return {
            "__typename": "Refund",
            **ids("Refund", refund.id),
            "createdAt": stamp(refund.created_at),
            "processedAt": stamp(refund.created_at),
            "updatedAt": stamp(refund.created_at),
            "note": refund.note,
            "order": lambda info: self.order(order),
            "totalRefundedSet": bag(refund.amount),
            "refundLineItems": _nested(Rows(records=refund.pieces, value=attrgetter("id"), show=shown)),
        }

    def checkout(self, checkout: Checkout) -> Shown:
        """An abandoned checkout: no mailbox, no telephone and no token of its own."""
        account = self.state.accounts.get(checkout.customer_id or 0)
        lines = Rows(records=checkout.lines, value=attrgetter("id"), show=self._checkout_line)
        net, tax = (sum(getattr(line, name) for line in checkout.lines) for name in ("net", "tax"))
        return {
            "__typename": "AbandonedCheckout",
            "id": gid("AbandonedCheckout", checkout.id),
            "name": f"#{checkout.id}",
            "abandonedCheckoutUrl": f"https://{self.state.site.domain}/checkouts/{checkout.id}/recover",
            "createdAt": stamp(checkout.created_at),
            "updatedAt": stamp(checkout.updated_at),
            "completedAt": stamp(checkout.completed_at),
            "customer": (lambda info: self.account(account)) if account else None,
            "billingAddress": checkout.billing and self.place(checkout.billing),
            "shippingAddress": checkout.shipping and self.place(checkout.shipping),
            "defaultCursor": str(checkout.id),
            "discountCodes": [checkout.discount_code] if checkout.discount_code else [],
            "customAttributes": [],
            "note": checkout.note,
            "lineItems": _nested(lines),
            "subtotalPriceSet": self.bag(net),
            "totalDiscountSet": self.bag(sum(line.discount for line in checkout.lines)),
            "totalDutiesSet": None,
            "totalLineItemsPriceSet": self.bag(sum(line.gross for line in checkout.lines)),
            "totalPriceSet": self.bag(net + tax),
            "totalTaxSet": self.bag(tax),
            "taxLines": [self._tax(tax, "")],
            "taxesIncluded": False,
        }

    def _checkout_line(self, line: Line) -> Shown:
        return {
            "__typename": "AbandonedCheckoutLineItem",
            "id": gid("AbandonedCheckoutLineItem", line.id),
            **self._line(line),
            "originalUnitPriceSet": self.bag(line.price),
            "originalTotalPriceSet": self.bag(line.gross),
            "discountedUnitPriceSet": self.bag(line.price),
            "discountedTotalPriceSet": self.bag(line.gross),
            "discountedTotalPriceWithCodeDiscount": self.bag(line.net),
        }


def _nested(rows: Rows) -> Callable[..., Shown]:
    return lambda info, **args: connection(rows, args)
