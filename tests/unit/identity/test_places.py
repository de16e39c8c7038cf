"""Addresses: ways of writing that are one, and what is too little to be one."""

from __future__ import annotations

import pytest

from syncd.identity.places import place
from syncd.model import Address


def short(line: str, postcode: str, country: str = "") -> str | None:
    return place(Address(kind="billing", line1=line, postcode=postcode, country=country), "DE")


@pytest.mark.parametrize(
    ("lines", "postcodes", "country"),
    [
        (("Hauptstr. 12", "Hauptstraße 12", "HAUPTSTRASSE 12a", "Haupt Str. 12 B"), ("80331",), "DE"),
        (("Hövelallee 110", "Hoevelallee 110", "Hovelallee 110"), ("57378",), "DE"),
        (("7, pl. Lebrun", "7 place Lebrun", "7, Place LEBRUN"), ("51981",), "FR"),
        (("ul. Nowak 168", "Nowak 168", "ul Nowak 168/4"), ("12-522", "12522"), "PL"),
        (("233 Miler St. Unit 7A", "233 Miler Street #7A", "Apt 7A, 233 Miler St"), ("14755", "14755-5461"), "US"),
        (("12 N Main St", "12 North Main Street"), ("02108", "2108", "021085461"), "US"),
        (("8003 116th Ave", "8003 116th Avenue"), ("69693",), "US"),
        (("12 St. John's Rd", "12 St Johns Road"), ("SW1A 1AA", "sw1a1aa"), "GB"),
        (("12 The Avenue",), ("LS1 4AP", "LS14AP"), "GB"),
    ],
)
def test_one_address_has_one_form(lines: tuple[str, ...], postcodes: tuple[str, ...], country: str) -> None:
    """Kinds of street, apartments, accents, lost zeros and long postcodes make no difference."""
    forms = {short(line, postcode, country) for line in lines for postcode in postcodes}

    assert len(forms) == 1
    assert None not in forms


@pytest.mark.parametrize(
    ("line", "postcode"), [("", "80331"), ("Hauptstr. 12", ""), ("Hauptstr.", "80331"), ("12", "80331"), ("-", "-")]
)
def test_too_little_is_no_address(line: str, postcode: str) -> None:
    """Without postcode, street and house number there is nothing to compare."""
    assert short(line, postcode) is None


def test_neighbours_have_different_forms() -> None:
    """Another number, street, postcode or country is another place."""
    forms = [
        short("Hauptstr. 12", "80331"),
        short("Hauptstr. 13", "80331"),
        short("Mühlweg 12", "80331"),
        short("Hauptstr. 12", "80333"),
        short("Hauptstr. 12", "80331", "AT"),
    ]

    assert len(set(forms)) == len(forms)


def test_a_street_in_the_second_line_counts() -> None:
    """Some write the company or the building first."""
    address = Address(kind="billing", line1="Lee & Sons", line2="Hauptstr. 12", postcode="80331", country="DE")

    assert place(address, "") == "DE 80331 12 haup"
