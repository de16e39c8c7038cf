"""Every fixture payload against its reviewed mapped output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from syncd.mapping import mapper_for
from syncd.mapping.base import Mapper, MapperOptions
from syncd.model import RawRecord, Stream

FIXTURES = Path(__file__).parents[2] / "fixtures"
GOLDEN = Path(__file__).parent
PREFIXES = {("bigcommerce", "carts"): "order:", ("woocommerce", "carts"): "order:"}
PAYLOADS = sorted(path.relative_to(FIXTURES) for path in FIXTURES.glob("*/*/*.json"))


@pytest.mark.parametrize("path", PAYLOADS, ids=str)
def test_fixture_maps_to_what_was_reviewed(path: Path, golden: Callable[[Path, object], None]) -> None:
    """A vendor-shaped payload becomes exactly the unified record that somebody looked at."""
    record = raw_record(path)

    mapped = mapper(path).to_unified(Stream(path.parts[1]), record)

    golden(GOLDEN / path, mapped)


def test_no_reviewed_output_lost_its_payload() -> None:
    """Golden files without a fixture would never be compared with anything."""
    reviewed = sorted(path.relative_to(GOLDEN) for path in GOLDEN.glob("*/*/*.json"))

    assert reviewed == PAYLOADS


def mapper(path: Path) -> Mapper:
    return mapper_for(path.parts[0], MapperOptions(consent_meta_key="newsletter"))


def raw_record(path: Path) -> RawRecord:
    payload = orjson.loads((FIXTURES / path).read_bytes())
    prefix = PREFIXES.get((path.parts[0], path.parts[1]), "")
    number = str(payload["id"]).rpartition("/")[2]
    return RawRecord(external_id=f"{prefix}{number}", payload=payload)
