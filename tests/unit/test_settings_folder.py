"""Several merchants in one folder: each by itself, a fault in one is no fault of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.errors import ConfigInvalid
from syncd.settings import load_folder
from tests.configs import CANARY, ENVIRON, GOOD


def _merchant(folder: Path, name: str, text: str = GOOD, merchant: str = "") -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "syncd.yaml").write_text(text.replace("acme", merchant or name))


def test_every_merchant_has_files_of_its_own(tmp_path: Path) -> None:
    """Databases, segments and secret files begin at the merchant's own folder."""
    for name in ("acme", "bolt"):
        _merchant(tmp_path, name, GOOD.replace("consumer_secret: ${SECRET}", "consumer_secret_file: secret"))
        (tmp_path / name / "secret").write_text(f"{CANARY}-{name}")
        (tmp_path / name / "secret").chmod(0o600)

    loaded, refused = load_folder(tmp_path, ENVIRON)

    assert refused == {}
    assert list(loaded) == ["acme", "bolt"]
    for name, settings in loaded.items():
        assert settings.merchant == name
        assert settings.database.url == f"sqlite:///{tmp_path}/{name}/data/syncd.db"
        assert settings.segments == tmp_path / name / "segments.yaml"
        assert f"{CANARY}-{name}" in settings.secrets()


def test_a_fault_of_one_leaves_the_others(tmp_path: Path) -> None:
    """A merchant whose file is broken or missing is told by name; the others are loaded."""
    _merchant(tmp_path, "acme")
    _merchant(tmp_path, "bolt", GOOD + "curency: EUR\n")
    (tmp_path / "core").mkdir()
    (tmp_path / ".git").mkdir()

    loaded, refused = load_folder(tmp_path, ENVIRON)

    assert list(loaded) == ["acme"]
    assert 'did you mean "currency"?' in str(refused["bolt"])
    assert f"there is no config file {tmp_path}/core/syncd.yaml" in str(refused["core"])
    assert set(refused) == {"bolt", "core"}


def test_one_name_for_two_merchants_is_refused(tmp_path: Path) -> None:
    """Neither of the two is served, a third one is."""
    _merchant(tmp_path, "acme")
    _merchant(tmp_path, "bolt", merchant="acme")
    _merchant(tmp_path, "core")

    loaded, refused = load_folder(tmp_path, ENVIRON)

    assert list(loaded) == ["core"]
    assert str(refused["bolt"]) == "bolt and acme name the same merchant. Give each merchant a merchant of its own"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sqlite:///{folder}/one.db", "sqlite:///../one.db"),
        ("postgresql://a@db/x", "postgres://b:${{SECRET}}@db:5432/x?sslmode=require"),
        ("postgresql:///x", "postgresql+psycopg://localhost/x"),
    ],
)
def test_one_database_for_two_merchants_is_refused(tmp_path: Path, one: str, other: str) -> None:
    """However the two write its address."""
    for name, url in {"acme": one, "bolt": other}.items():
        _merchant(tmp_path, name, GOOD + f"database: {{url: '{url.format(folder=tmp_path)}'}}\n")

    loaded, refused = load_folder(tmp_path, ENVIRON)

    assert loaded == {}
    assert "bolt and acme name the same database" in str(refused["bolt"])


def test_databases_of_one_server_are_told_apart(tmp_path: Path) -> None:
    """Another name, another port or another schema is another database."""
    ends = ("db/x", "db/y", "db:6543/x", "db/x?options=-csearch_path%3Da", "db/x?options=-csearch_path%3Db")
    for number, end in enumerate(ends):
        _merchant(tmp_path, f"m{number}", GOOD + f"database: {{url: 'postgresql://u@{end}'}}\n")

    loaded, _ = load_folder(tmp_path, ENVIRON)

    assert len(loaded) == len(ends)


def test_a_variable_that_would_hold_for_all_is_refused(tmp_path: Path) -> None:
    """An override would put one merchant's database or key into every other's; the switch for pushes may stay."""
    _merchant(tmp_path, "acme")

    with pytest.raises(ConfigInvalid, match="SYNCD_DATABASE__URL, which would hold for every merchant") as caught:
        load_folder(tmp_path, {**ENVIRON, "SYNCD_DATABASE__URL": CANARY})

    loaded, _ = load_folder(tmp_path, {**ENVIRON, "SYNCD_PUSH": "off", "SYNCD_MERCHANT": ""})
    assert CANARY not in str(caught.value)
    assert loaded["acme"].store("us-woo").push.mode == "off"


def test_a_folder_without_merchants_says_where_they_go(tmp_path: Path) -> None:
    """An empty folder, and one that is not there."""
    with pytest.raises(ConfigInvalid, match=r"<merchant>/syncd\.yaml"):
        load_folder(tmp_path, {})
    with pytest.raises(ConfigInvalid, match="none cannot be read: No such file"):
        load_folder(tmp_path / "none", {})
