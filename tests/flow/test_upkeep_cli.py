"""The verbs of upkeep as they are typed: what they print, what they ask for, and how they leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd import cli
from syncd.sandbox import Sandbox, SandboxOptions
from tests.flow.woo import config

ALL = "segments:\n  all: {when: 'orders_count >= 0', tag: Everybody}\n"


@pytest.fixture
def places(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Configs over one database: of both shops, and of one of them."""
    with Sandbox(SandboxOptions(seed=3, scale=0.03)) as sandbox:
        url = f"sqlite:///{tmp_path}/syncd.db"
        options = ", push: {brake: {max_percent: 100}}"
        both = config(tmp_path / "both", sandbox, url, options=options, segments=ALL)
        one = config(tmp_path / "one", sandbox, url, stores=("eu-woo",), options=options, segments=ALL)
        assert cli.run(["--config", str(both), "backfill", "--json"]) == 0
        yield str(both), str(one)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """One command's exit code and standard output."""
    capsys.readouterr()
    code = cli.run(["--config", *words])
    return code, capsys.readouterr().out


def test_orphaned_store_is_told_with_the_command(places: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """`status` names it apart from the streams that are pulled, for people and for programs."""
    _, one = places

    code, words = run(capsys, one, "status")
    _, document = run(capsys, one, "status", "--json")

    told = json.loads(document)
    assert code == 0
    assert "us-woo is orphaned" in words
    assert "syncd store remove us-woo --purge" in words
    assert {line["store"] for line in told["streams"]} == {"eu-woo"}
    assert [orphan["store"] for orphan in told["orphaned"]] == ["us-woo"]


def test_removal_asks_unless_told_not_to(places: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal it needs `--yes`: exit code 5 and nothing done; a dry run needs nobody."""
    _, one = places

    refused, _ = run(capsys, one, "store", "remove", "us-woo", "--purge")
    dry, would = run(capsys, one, "store", "remove", "us-woo", "--purge", "--dry-run", "--json")
    done, did = run(capsys, one, "store", "remove", "us-woo", "--purge", "--yes", "--json")
    _, after = run(capsys, one, "status", "--json")

    assert (refused, dry, done) == (5, 0, 0)
    assert json.loads(would)["deleted"] == json.loads(did)["deleted"]
    assert (json.loads(would)["is_removed"], json.loads(did)["is_removed"]) == (False, True)
    assert json.loads(after)["orphaned"] == []


def test_receipt_reads_as_words(places: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """What went from which table, who is left, and that the config still names the store."""
    both, _ = places
    assert run(capsys, both, "apply", "--yes")[0] == 0

    code, words = run(capsys, both, "store", "remove", "us-woo", "--untag", "--purge", "--yes")

    assert code == 0
    for part in ("Written", "Deleted of us-woo", "raw_records", "people were known from here alone", "take it out"):
        assert part in words
    assert "tags of ours" not in words


def test_removal_without_purge_says_what_stays(places: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Only the schedule is forgotten, and the receipt says so."""
    _, one = places

    code, words = run(capsys, one, "store", "remove", "us-woo", "--yes")

    assert code == 0
    assert "Its records and its people stay in the database" in words


def test_remap_counts(places: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Read, changed, unchanged and rejected, stream by stream."""
    both, _ = places

    code, words = run(capsys, both, "remap", "--store", "us-woo")
    _, document = run(capsys, both, "remap", "--stream", "orders", "--dry-run", "--json")

    streams = json.loads(document)["streams"]
    assert code == 0
    assert "Read anew" in words
    assert [(line["store"], line["stream"]) for line in streams] == [("us-woo", "orders"), ("eu-woo", "orders")]
    assert all(line["read"] == line["unchanged"] > 0 for line in streams)


def test_estimate_prints_figures(places: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Records and requests of each stream, and that the time is unknown where the platform has no limit."""
    both, _ = places

    code, words = run(capsys, both, "backfill", "--estimate")
    _, document = run(capsys, both, "backfill", "--estimate", "--json")

    assert code == 0
    assert "A backfill would be" in words
    assert "unknown" in words
    assert {line["seconds"] for line in json.loads(document)["estimates"]} == {None}


def test_stop_at_needs_a_time(places: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is no time of day is wrong usage."""
    both, _ = places

    assert run(capsys, both, "backfill", "--stop-at", "six")[0] == 2
