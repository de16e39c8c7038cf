"""The segments file: what it may say, and how faults in it are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.condition import AllOf, IsTrue, Term
from syncd.errors import ConfigInvalid
from syncd.model import Stream
from syncd.segments import FACTS, FUNCTIONS, Segment, load_segments

STORES = ("eu-woo", "us-woo")
EXAMPLE = Path(__file__).parents[3] / "config" / "segments.yaml"


def load(text: str) -> dict[str, Segment]:
    return {segment.name: segment for segment in load_segments(text, STORES)}


def fault(text: str) -> str:
    with pytest.raises(ConfigInvalid) as caught:
        load(text)
    return str(caught.value)


def test_the_least_a_segment_needs_is_a_condition() -> None:
    """Everything but `when` has a default: all stores, no tag, staff's word counts."""
    segment = load("segments: {vip: {when: 'spent >= 500'}}")["vip"]

    assert (segment.tag, segment.stores, segment.if_staff_removes_tag) == ("", STORES, "leave")
    assert segment.label == "vip"


def test_all_that_can_be_said_is_kept() -> None:
    """Every key of the file reaches the segment."""
    text = """
    segments:
      vip:
        when: "spent >= 500"
        tag: VIP
        stores: [us-woo]
        if_staff_removes_tag: restore
        needs_consent: sms
        label: Best
        description: Why
    """

    segment = load(text)["vip"]

    assert (segment.when, segment.tag, segment.stores) == ("spent >= 500", "VIP", ("us-woo",))
    assert (segment.if_staff_removes_tag, segment.needs_consent) == ("restore", "sms")
    assert (segment.label, segment.description) == ("Best", "Why")


def test_needed_consent_is_part_of_the_condition() -> None:
    """A person who takes consent back is no member any more, and so loses the tag."""
    segment = load("segments: {vip: {when: is_staff, needs_consent: email}}")["vip"]

    is_staff, can_email = (IsTrue(term=Term(name=name)) for name in ("is_staff", "can_email"))
    assert segment.condition == AllOf(items=(is_staff, can_email))


def test_segments_come_after_those_they_build_on() -> None:
    """The order of evaluation follows in_segment, whatever the order in the file."""
    text = """
    segments:
      a: {when: "in_segment('b') and not in_segment('c')"}
      b: {when: "in_segment('c')"}
      c: {when: "spent > 1"}
    """

    names = list(load(text))

    assert names == ["c", "b", "a"]


def test_needed_streams_come_from_facts_and_from_segments_below() -> None:
    """A segment needs what its own facts need, and what the segments it builds on need."""
    text = """
    segments:
      carts: {when: "open_carts_count > 0"}
      mixed: {when: "in_segment('carts') and can_email"}
      plain: {when: "can_email"}
    """

    segments = load(text)

    assert segments["mixed"].streams == frozenset(Stream)
    assert segments["plain"].streams == {Stream.CUSTOMERS}


@pytest.mark.parametrize(
    ("when", "is_lasting"),
    [
        ("spent >= 500", True),
        ("500 < spent and (bought('x') or on_store('eu-woo'))", True),
        ("in_segment('grown')", True),
        ("in_segment('passing')", False),
        ("spent < 500", False),
        ("not bought('x')", False),
        ("spent is null", False),
        ("can_email", False),
        ("average_order > 5", False),
        ("orders_in_last(90) > 3", False),
        ("days_since_last_order > 90", False),
        ("spent > 5 or open_carts_count > 0", False),
    ],
)
def test_only_what_cannot_pass_or_be_undone_by_more_records_is_lasting(when: str, is_lasting: bool) -> None:
    """Old data can be trusted for a segment that time and more orders do not take anybody out of."""
    text = f"""
    segments:
      grown: {{when: "orders_count > 2"}}
      passing: {{when: "days_since_last_order < 30"}}
      tried: {{when: "{when}"}}
    """

    assert load(text)["tried"].is_lasting is is_lasting


@pytest.mark.parametrize("text", ["segments:", "segments: {}", "# nothing yet"])
def test_no_segments_are_no_fault(text: str) -> None:
    """A shop may start without segments."""
    assert load(text) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("segments: 5", "segments must be a mapping"),
        ("[1]", "the file must be a mapping"),
        ("a: b: c", "not YAML"),
        ("segments: {vip: {}}", "segments.vip.when is missing"),
        ("segments: {vip: {when: 5}}", "segments.vip.when must be a text"),
        ("segments: {vip: {whn: 'spent > 5', when: 'spent > 5'}}", "did you mean 'when'"),
        ("segmnts: {}", "did you mean 'segments'"),
        ("segments: {VIP: {when: 'spent > 5'}}", "lower-case letters"),
        ("segments: {vip: {when: 'spent > 5', tag: yes}}", "segments.vip.tag must be a text"),
        ("segments: {vip: {when: 'spent > 5', tag: ' VIP'}}", "without spaces"),
        ("segments: {vip: {when: 'spent > 5', tag: ''}}", "1 to 255"),
        ("segments: {vip: {when: 'spent > 5', stores: eu-woo}}", "must be a list"),
        ("segments: {vip: {when: 'spent > 5', stores: []}}", "names no store"),
        ("segments: {vip: {when: 'spent > 5', stores: [eu-wo]}}", "'eu-wo'; did you mean 'eu-woo'"),
        ("segments: {vip: {when: 'spent > 5', if_staff_removes_tag: keep}}", "'leave' or 'restore'"),
        ("segments: {vip: {when: 'spent > 5', needs_consent: post}}", "'email' or 'sms'"),
        ("segments: {vip: {when: 'spnt > 5'}}", "segments.vip.when at character 1: unknown fact"),
        ("segments: {vip: {when: \"in_segment('vop')\"}}", "unknown segment 'vop'; did you mean 'vip'"),
        ("segments: &all {vip: *all}", "is missing"),
        ("segments: !!python/object:os.system {}", "not YAML that can be used"),
    ],
)
def test_a_fault_is_told_in_words(text: str, words: str) -> None:
    """Each way to get the file wrong has its own sentence."""
    assert words in fault(text)


def test_all_faults_are_told_at_once_each_with_its_line() -> None:
    """Wrong shapes, repeated names, unknown stores and wrong conditions stand in one message, by line."""
    text = """segments:
  a:
    when: "spnt > 5"
  b:
    whn: "spent > 5"
  c:
    when: "spent > 5"
    stores: [eu]
  a:
    when: "spnt > 5 and bougth('x')"
"""

    message = fault(text)

    assert "6 faults" in message
    assert [line.strip().split(":")[0] for line in message.splitlines()[1:]] == [
        "line 4",
        "line 5",
        "line 8",
        "line 9",
        "line 10",
        "line 10",
    ]


def test_a_circle_is_a_fault() -> None:
    """Segments that ask for each other can never be evaluated."""
    text = """
    segments:
      a: {when: "in_segment('b')"}
      b: {when: "in_segment('a')"}
    """

    assert "goes in a circle: a -> b -> a" in fault(text)


def test_two_segments_cannot_share_a_tag_on_one_store() -> None:
    """They would take turns adding and removing it; platforms do not tell tags apart by case."""
    shared = """
    segments:
      a: {when: "spent > 1", tag: VIP}
      b: {when: "spent > 2", tag: vip, stores: [us-woo]}
    """

    parted = shared.replace("tag: VIP", "tag: VIP, stores: [eu-woo]")

    assert "'vip' is already the tag of a on us-woo" in fault(shared)
    assert set(load(parted)) == {"a", "b"}


def test_a_file_that_is_not_there_is_a_configuration_fault(tmp_path: Path) -> None:
    """The message names the file and the setting."""
    with pytest.raises(ConfigInvalid, match=r"nowhere\.yaml cannot be read") as caught:
        load_segments(tmp_path / "nowhere.yaml", STORES)

    assert "`segments`" in str(caught.value)


def test_a_file_in_another_encoding_is_a_configuration_fault(tmp_path: Path) -> None:
    """Half-read names would be worse."""
    path = tmp_path / "segments.yaml"
    path.write_bytes("segments: {vip: {when: 'spent > 5', tag: 'Stammgäste'}}".encode("latin-1"))

    with pytest.raises(ConfigInvalid, match="UTF-8"):
        load_segments(path, STORES)


def test_the_example_loads_and_names_every_fact() -> None:
    """The shipped example is right as it stands, and its comments are the whole catalogue."""
    text = EXAMPLE.read_text(encoding="utf-8")

    segments = load_segments(EXAMPLE, STORES)

    assert {segment.name for segment in segments} >= {"vip", "lapsing", "open-cart", "new-customer"}
    assert [name for name in {*FACTS, *FUNCTIONS} if name not in text.split("segments:\n")[0]] == []
