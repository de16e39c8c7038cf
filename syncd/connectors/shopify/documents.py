"""Every GraphQL document that is sent to Shopify, each valid for the version it is sent to.

Variables are named alike everywhere: `first` and `after` place a page, `query` filters it, `counted` asks for the
count of the same filter, `personal` is false where the shop withholds personal data, so that withheld is absent and
never null.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from syncd.model import Stream

VERSIONS = ("2026-10", "2026-07")
LINES = 20  # nested rows that come with their record; the rest is drained
ADDRESSES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamDocuments:
    """What is asked of one stream.

    Args:
        type_name: The GraphQL type of a record, as its global id names it.
        root: The connection's field.
        count: The field that counts the same filter.
        page: Document of one page.
        by_id: Document of the records with given global ids.
        nested: The connection inside a record that may be longer than what comes with it.
        rest: Document of the further rows of that connection.
    """

    type_name: str
    root: str
    count: str
    page: str
    by_id: str
    nested: str
    rest: str


_PAGE_INFO = "pageInfo { hasNextPage endCursor }"
_ADDRESS = """
fragment AddressFields on MailingAddress {
  id firstName lastName company address1 address2 city provinceCode zip countryCodeV2 phone
}"""
_MONEY = """
fragment MoneyFields on MoneyBag { shopMoney { amount currencyCode } }"""

_SMS = {
    "2026-10": "smsMarketingConsent { state optInLevel updatedAt }",
    "2026-07": "marketingState marketingOptInLevel marketingUpdatedAt",
}

_PERSON = """
  firstName @include(if: $personal)
  lastName @include(if: $personal)
  defaultEmailAddress @include(if: $personal) { emailAddress marketingState marketingOptInLevel marketingUpdatedAt }"""

_CUSTOMER = (
    """
fragment CustomerFields on Customer {
  id createdAt updatedAt state locale tags"""
    + _PERSON
    + """
  defaultPhoneNumber @include(if: $personal) { phoneNumber %(sms)s }
  defaultAddress @include(if: $personal) { ...AddressFields }
  addressesV2(first: %(addresses)d) @include(if: $personal) { nodes { ...AddressFields } %(page_info)s }
}"""
)

_BUYER = """
fragment BuyerFields on Customer {
  id
  firstName @include(if: $personal)
  lastName @include(if: $personal)
  defaultEmailAddress @include(if: $personal) { emailAddress }
  defaultPhoneNumber @include(if: $personal) { phoneNumber }
}"""

_ORDER_LINE = """
fragment OrderLineFields on LineItem {
  id name sku quantity
  product { id }
  variant { id }
  originalTotalSet { ...MoneyFields }
  discountedTotalSet(withCodeDiscounts: true) { ...MoneyFields }
  taxLines { priceSet { ...MoneyFields } }
}"""

_ORDER = """
fragment OrderFields on Order {
  id name createdAt updatedAt processedAt closedAt cancelledAt
  displayFinancialStatus displayFulfillmentStatus
  currencyCode test sourceName discountCodes
  email @include(if: $personal)
  phone @include(if: $personal)
  customer { ...BuyerFields }
  billingAddress @include(if: $personal) { ...AddressFields }
  shippingAddress @include(if: $personal) { ...AddressFields }
  totalPriceSet { ...MoneyFields }
  totalTaxSet { ...MoneyFields }
  totalShippingPriceSet { ...MoneyFields }
  totalDiscountsSet { ...MoneyFields }
  totalRefundedSet { ...MoneyFields }
  refunds { id createdAt note totalRefundedSet { ...MoneyFields } }
  lineItems(first: %(lines)d) { nodes { ...OrderLineFields } %(page_info)s }
}"""

_CART_LINE = """
fragment CartLineFields on AbandonedCheckoutLineItem {
  id title sku quantity
  product { id }
  variant { id }
  originalTotalPriceSet { ...MoneyFields }
  discountedTotalPriceWithCodeDiscount { ...MoneyFields }
}"""

_CART = """
fragment CartFields on AbandonedCheckout {
  id name createdAt updatedAt completedAt abandonedCheckoutUrl
  customer { ...BuyerFields }
  billingAddress @include(if: $personal) { ...AddressFields }
  shippingAddress @include(if: $personal) { ...AddressFields }
  totalPriceSet { ...MoneyFields }
  lineItems(first: %(lines)d) { nodes { ...CartLineFields } %(page_info)s }
}"""

_PAGE = """
query %(name)s($first: Int!, $after: String, $query: String, $counted: Boolean!, $personal: Boolean!) {
  %(root)s(first: $first, after: $after, query: $query, sortKey: %(sort_key)s) { nodes { ...%(fields)s } %(page_info)s }
  %(count)s(query: $query, limit: null) @include(if: $counted) { count precision }
}"""

_BY_ID = """
query %(name)sById($ids: [ID!]!, $personal: Boolean!) {
  nodes(ids: $ids) { ...%(fields)s }
}"""

_REST = """
query %(name)sRest($id: ID!, $first: Int!, $after: String) {
  node(id: $id) {
    ... on %(type_name)s { %(nested)s(first: $first, after: $after) { nodes { ...%(rows)s } %(page_info)s } }
  }
}"""

CHECK = """
query Check {
  shop {
    myshopifyDomain name ianaTimezone currencyCode
    shopAddress { countryCodeV2 }
    plan { publicDisplayName }
  }
  currentAppInstallation { accessScopes { handle } }
}"""

PROBE = (
    """
query Probe($personal: Boolean!) {
  customers(first: 10, sortKey: UPDATED_AT, reverse: true) { nodes { ...BuyerFields } }
}"""
    + _BUYER
)

SCOPES = """
query Scopes {
  currentAppInstallation { accessScopes { handle } }
}"""


_OPERATION = "id status errorCode createdAt objectCount rootObjectCount url partialDataUrl"

BULK_RUN = (
    """
mutation BulkRun($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { """
    + _OPERATION
    + """ }
    userErrors { field message code }
  }
}"""
)

BULK_LOOK = (
    """
query BulkLook($id: ID!) {
  bulkOperation(id: $id) { """
    + _OPERATION
    + """ }
}"""
)

BULK_CANCEL = """
mutation BulkCancel($id: ID!) {
  bulkOperationCancel(id: $id) { bulkOperation { id status } userErrors { field message } }
}"""

_FRAGMENT = re.compile(r"fragment (\w+) on \w+ (\{.*?\})(?=\s*(?:fragment |\Z))", re.DOTALL)
_NESTED = re.compile(r"(\w+)\(first: \d+\)([^{]*)\{ nodes (\{[^{}]*\}) pageInfo \{[^{}]*\} \}")


def stream_documents(stream: Stream, version: str) -> StreamDocuments:
    """What to ask of a stream in one version of the API."""
    return _STREAMS[version][stream]


def tag_document(fields: tuple[str, ...]) -> str:
    """One mutation that calls some fields (tagsAdd, tagsRemove) in turn, the answer's c0, c1, ... being their results.

    Its variables are id0, tags0, id1, tags1, ...
    """
    variables = ", ".join(f"$id{number}: ID!, $tags{number}: [String!]!" for number in range(len(fields)))
    calls = "\n".join(_tag_call(number, field) for number, field in enumerate(fields))
    return f"mutation Tags({variables}) {{\n{calls}\n}}"


def bulk_query(asked: StreamDocuments, *, personal: bool, behind: int = 0) -> str:
    """The query of a bulk operation that finds what the pages of a stream hold, by id.

    It takes neither variables nor `nodes`, and is kept free of fragments. Connections come whole.

    Args:
        behind: Find the records with greater numbers in their ids only; 0 finds all.
    """
    bodies = {name: _NESTED.sub(r"\1\2{ edges { node \3 } }", body) for name, body in _FRAGMENT.findall(asked.page)}
    root_name = _FRAGMENT.findall(asked.page)[0][0]
    filtered = f', query: "id:>{behind}"' if behind else ""
    text = f"{{ {asked.root}(sortKey: ID{filtered}) {{ edges {{ node {{ ...{root_name} }} }} }} }}"
    while "..." in text:
        text = re.sub(r"\{ \.\.\.(\w+) \}", lambda found: bodies[found[1]], text)
    return text.replace(" @include(if: $personal)", "" if personal else " @include(if: false)")


def bulk_holds_nested(asked: StreamDocuments, *, personal: bool) -> bool:
    """Whether a bulk operation asks for the rows inside records, where personal data is shown or not."""
    return personal or f"{asked.nested}(first: {ADDRESSES}) @include(if: $personal)" not in asked.page


def all_documents(version: str) -> dict[str, str]:
    """Every document that may be sent in one version, by a name for it."""
    documents = {"check": CHECK, "scopes": SCOPES, "probe": PROBE, "tags": tag_document(("tagsAdd", "tagsRemove"))}
    documents |= {"bulk run": BULK_RUN, "bulk look": BULK_LOOK, "bulk cancel": BULK_CANCEL}
    for stream, asked in _STREAMS[version].items():
        documents |= {f"{stream} page": asked.page, f"{stream} by id": asked.by_id, f"{stream} rest": asked.rest}
        for personal in (True, False):
            documents[f"{stream} in bulk, personal {personal}"] = bulk_query(asked, personal=personal, behind=7)
    return documents


def _tag_call(number: int, field: str) -> str:
    return (
        f"  c{number}: {field}(id: $id{number}, tags: $tags{number})"
        " { node { ... on Customer { id tags } } userErrors { field message } }"
    )


def _customers(version: str) -> StreamDocuments:
    return _documents(
        words={"name": "Customers", "root": "customers", "count": "customersCount", "sort_key": "UPDATED_AT"},
        record={"type_name": "Customer", "fields": "CustomerFields", "nested": "addressesV2", "rows": "AddressFields"},
        fragments=(_CUSTOMER, _ADDRESS),
        row_fragments=(_ADDRESS,),
        sms=_SMS[version],
    )


def _orders() -> StreamDocuments:
    return _documents(
        words={"name": "Orders", "root": "orders", "count": "ordersCount", "sort_key": "UPDATED_AT"},
        record={"type_name": "Order", "fields": "OrderFields", "nested": "lineItems", "rows": "OrderLineFields"},
        fragments=(_ORDER, _ORDER_LINE, _BUYER, _ADDRESS, _MONEY),
        row_fragments=(_ORDER_LINE, _MONEY),
    )


def _carts() -> StreamDocuments:
    return _documents(
        # there is no sort by update time: a walk by id holds the whole window, in another order
        words={"name": "Carts", "root": "abandonedCheckouts", "count": "abandonedCheckoutsCount", "sort_key": "ID"},
        record={
            "type_name": "AbandonedCheckout",
            "fields": "CartFields",
            "nested": "lineItems",
            "rows": "CartLineFields",
        },
        fragments=(_CART, _CART_LINE, _BUYER, _ADDRESS, _MONEY),
        row_fragments=(_CART_LINE, _MONEY),
    )


def _documents(
    *,
    words: dict[str, str],
    record: dict[str, str],
    fragments: tuple[str, ...],
    row_fragments: tuple[str, ...],
    sms: str = "",
) -> StreamDocuments:
    values = {**words, **record, "page_info": _PAGE_INFO, "lines": LINES, "addresses": ADDRESSES, "sms": sms}
    return StreamDocuments(
        type_name=record["type_name"],
        root=words["root"],
        count=words["count"],
        page="".join((_PAGE, *fragments)) % values,
        by_id="".join((_BY_ID, *fragments)) % values,
        nested=record["nested"],
        rest="".join((_REST, *row_fragments)) % values,
    )


_STREAMS = {
    version: {Stream.CUSTOMERS: _customers(version), Stream.ORDERS: _orders(), Stream.CARTS: _carts()}
    for version in VERSIONS
}
