"""Every document that is sent to Shopify is valid where it is sent to."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLSchema, NoDeprecatedCustomRule, build_schema, parse, validate

from syncd.connectors.shopify.documents import VERSIONS, all_documents, tag_document
from syncd.sandbox.shopify.engine import schema_of

SENT = [(version, name) for version in VERSIONS for name in all_documents(version)]
NOT_YET_OTHERWISE = "CustomerPhoneNumber.marketing"  # in 2026-07 what replaces it is not there


def published(shared: Path, version: str) -> GraphQLSchema:
    """What Shopify publishes of one version."""
    text = (shared / "specs" / "shopify" / f"admin_schema_pruned_{version}.graphql").read_text()
    return build_schema(text, assume_valid=True)


@pytest.mark.parametrize(("version", "name"), SENT)
def test_documents_are_valid_for_the_sandbox(version: str, name: str) -> None:
    """The sandbox knows every field that is asked for, in the version that it is asked in."""
    assert validate(schema_of(version), parse(all_documents(version)[name])) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_documents_are_valid_for_shopify(version: str, shared: Path) -> None:
    """Shopify's own schema of the version has every field that is asked for, with these arguments."""
    schema = published(shared, version)

    assert [name for name, text in all_documents(version).items() if validate(schema, parse(text))] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_no_deprecated_field_is_asked_for(version: str, shared: Path) -> None:
    """Nothing is asked for that a later version takes away, where the version has what replaces it."""
    schema = published(shared, version)

    warned = [
        error.message
        for text in all_documents(version).values()
        for error in validate(schema, parse(text), [NoDeprecatedCustomRule])
    ]

    assert [message for message in warned if NOT_YET_OTHERWISE not in message or version != "2026-07"] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_that_needs_the_right_to_write_is_read(version: str) -> None:
    """Links to unsubscribe and to track are shown to writers only, and would refuse a reading token everything."""
    asked = " ".join(text for name, text in all_documents(version).items() if name != "tags").lower()

    assert "unsubscribe" not in asked
    assert "tracking" not in asked


def test_a_full_batch_of_tags_is_one_document() -> None:
    """Fifty fields, each under its own name, are valid together."""
    document = tag_document(("tagsAdd", "tagsRemove") * 25)

    assert validate(schema_of("2026-10"), parse(document)) == []
    assert document.count("userErrors") == 50
