"""Mailboxes and phones: ways of typing that are one, and values that are nobody's."""

from __future__ import annotations

import pytest

from syncd.identity.normalise import mailbox, phone


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        (" Ann.Lee@Example.COM\t", "ann.lee@example.com"),
        ("mailto:ann@shop.example", "ann@shop.example"),
        ("ann@@shop.example", "ann@shop.example"),
        ("ann@shop.example@shop.example", "ann@shop.example"),
        ("ann+news@shop.example", "ann@shop.example"),
        ("a.n.n+x@gmail.com", "ann@gmail.com"),
        ("a.n.n@googlemail.com", "ann@gmail.com"),
        ("john.smith@yahoo.com", "john.smith@yahoo.com"),
        ("john-shop@yahoo.co.uk", "john@yahoo.co.uk"),
        ("john+x@yahoo.com", "john+x@yahoo.com"),
        ("mary-ann@gmx.de", "mary-ann@gmx.de"),
        ("ann@gmial.com", "ann@gmail.com"),
        ("ann@hotmail.con", "ann@hotmail.com"),
        ("ａｎｎ@shop.example", "ann@shop.example"),
        ("ann.lee@t-online.de", "ann.lee@t-online.de"),
    ],
)
def test_one_mailbox_has_one_form(typed: str, normal: str) -> None:
    """Case, blanks, tags, dots where they mean nothing, and plain slips are taken away."""
    assert mailbox(typed) == normal


@pytest.mark.parametrize(
    "typed",
    ["", "ann", "ann@", "@shop.example", "ann@shop", "a@b.example@c.example", "ann lee", "...@gmail.com", "x" * 400],
)
def test_what_is_no_mailbox_is_none(typed: str) -> None:
    """Nonsense matches nobody."""
    assert mailbox(typed) is None


@pytest.mark.parametrize(
    "typed", ["noreply@shop.example", "No-Reply@x.example", "test@test.com", "none@none.com", "customer@pos.local"]
)
def test_placeholders_are_nobody(typed: str) -> None:
    """What tills and staff type when there is no address joins nobody."""
    assert mailbox(typed) is None


@pytest.mark.parametrize(
    ("typed", "region", "normal"),
    [
        ("(212) 311-8276", "US", "+12123118276"),
        ("1-212-311-8276", "US", "+12123118276"),
        ("+44 (0)20 7115 8380", "IE", "+442071158380"),
        ("00447402142382", "US", "+447402142382"),
        ("4915145611480", "DE", "+4915145611480"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("2126297811 ext. 12", "US", "+12126297811"),
        ("０３０ ９０１８２０", "DE", "+4930901820"),
        ("+1 212 311 8276", "", "+12123118276"),
    ],
)
def test_one_phone_has_one_form(typed: str, region: str, normal: str) -> None:
    """Every way of writing a number gives its E.164 form, leading zeros of Italy kept."""
    assert phone(typed, region) == normal


@pytest.mark.parametrize(
    "typed", ["", "none", "123", "000-000-0000", "1111111111", "5555555555", "1234567890", "123456", "+10000000000"]
)
def test_made_up_phones_are_none(typed: str) -> None:
    """Runs and repeats are typed to get past a form."""
    assert phone(typed, "US") is None


def test_a_national_number_without_a_region_is_none() -> None:
    """Without a country the same digits are many people's."""
    assert phone("020 7115 8380", "") is None
