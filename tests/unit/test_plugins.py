"""Platforms from installed packages: they join by name, load when asked for, and are refused in words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from syncd.errors import ConfigInvalid
from syncd.plugins import Plugged

GROUP = "syncd.tests"


def _install(folder: Path, package: str, entries: str) -> None:
    """A package of one module without code, by the folder that an installer would have left."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entries}\n")


def _fault(part: object) -> str | None:
    return None if isinstance(part, str) else "it is no text"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose packages count as installed."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return tmp_path


def test_without_packages_there_is_what_is_built_in() -> None:
    """Nothing installed leaves the table as it is written."""
    parts = Plugged(GROUP, {"near": "here"}, _fault)

    assert dict(parts) == {"near": "here"}
    assert "far" not in parts


def test_a_package_brings_its_platform(site: Path) -> None:
    """An entry's name is the platform, its value the part."""
    _install(site, "far-shop", "far = string:digits")

    parts = Plugged(GROUP, {"near": "here"}, _fault)

    assert dict(parts) == {"near": "here", "far": "0123456789"}
    assert len(parts) == 2


def test_a_broken_package_harms_only_who_asks_for_it(site: Path) -> None:
    """The other platforms are there, and the broken one is refused with the package's name."""
    _install(site, "far-shop", "far = nowhere.at_all:Far\nodd = string:Formatter")
    parts = Plugged(GROUP, {"near": "here"}, _fault)

    with pytest.raises(ConfigInvalid, match=r"far-shop does not work as the platform far: .* cannot be loaded"):
        parts["far"]
    with pytest.raises(ConfigInvalid, match="it is no text"):
        parts["odd"]

    assert parts["near"] == "here"
    assert "far" in parts


@pytest.mark.parametrize("name", ["near", "far"])
def test_one_platform_comes_from_one_place(site: Path, name: str) -> None:
    """A name that syncd or another package has already is refused, with who brings it."""
    _install(site, "far-shop", f"{name} = string:digits")
    _install(site, "farther-shop", f"{name} = string:digits")

    with pytest.raises(ConfigInvalid, match="far-shop, farther-shop"):
        Plugged(GROUP, {"near": "here"}, _fault)[name]
