"""Promise 22: configuration, health, backup and migration tell the truth."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from syncd import cli
from syncd.errors import ExitCode
from tests.configs import BROKEN, CANARY, ENVIRON, GOOD, WRONG_VARIABLES, Folder

# -- configuration ----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A folder for a config file, and the environment that a good one needs."""
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    return Folder(tmp_path)


def _refusal(folder: Folder, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command line says to a broken configuration, having touched nothing."""
    file = folder.write("syncd.yaml", text)

    code = cli.run(["--config", str(file), "config", "check", "--json"])

    said = capsys.readouterr()
    document = json.loads(said.out)
    assert code == document["exit_code"] == ExitCode.CONFIGURATION
    assert said.err == f"syncd: {document['message']}\n"
    assert [path.name for path in folder.path.iterdir()] == ["syncd.yaml"]
    return str(document["message"])


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_configuration_is_refused_in_plain_words(
    folder: Folder, text: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the place and the remedy, and holds neither a secret nor a library's jargon."""
    message = _refusal(folder, text, capsys)

    assert [word for word in words if word not in message] == []
    assert CANARY not in message
    assert not re.search(r"pydantic|Input should|type=|\\x|Traceback", message)


@pytest.mark.parametrize(("environ", "words"), WRONG_VARIABLES.values(), ids=WRONG_VARIABLES)
def test_a_wrong_variable_is_refused_by_its_name(
    folder: Folder,
    environ: dict[str, str],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A variable that is no setting, or holds a wrong value, is named, with the nearest that exists."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    message = _refusal(folder, GOOD, capsys)

    assert [word for word in words if word not in message] == []
    assert message.startswith("one fault")
    assert CANARY not in message


SEGMENTS = {
    "unknown fact": (
        "segments:\n  vip: {when: 'orders_cont > 3'}\n",
        ["line 2", "segments.vip.when", "'orders_count'?"],
    ),
    "half a condition": ("segments:\n  vip: {when: 'spent >'}\n", ["line 2", "segments.vip.when at character 7"]),
    "unknown key": ("segments:\n  vip: {whem: 'spent > 3'}\n", ["2 faults", "when is missing", "did you mean 'when'?"]),
    "unknown store": (
        "segments:\n  vip: {when: 'spent > 3', stores: [us-wo]}\n",
        ["line 2", "segments.vip.stores names the unknown store 'us-wo'; did you mean 'us-woo'?"],
    ),
    "not YAML": ("segments:\n\tvip: 1\n", ["line 2", "not YAML"]),
    "another file": ("version: 1\n", ["line 1", "version is unknown"]),
    "half written": ("", ["segments.yaml holds nothing. Write `segments: {}` if there are to be none"]),
}


@pytest.mark.parametrize(("text", "words"), SEGMENTS.values(), ids=SEGMENTS)
def test_a_broken_segments_file_is_refused_in_plain_words(
    folder: Folder, text: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is part of the configuration: told with its line, before any tag is planned."""
    folder.write("segments.yaml", text)
    file = folder.write("syncd.yaml", GOOD)

    code = cli.run(["--config", str(file), "config", "check"])

    said = capsys.readouterr()
    assert (code, said.out) == (ExitCode.CONFIGURATION, "")
    assert [word for word in words if word not in said.err] == []
