"""A service does not grow: two thousand cycles with faults, and memory, descriptors, threads and write-ahead log flat.

After the faults stop the shops are the truth within two cycles, on both databases.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.promises.soak import EVERY, come_to_rest, differences, growth, soaking, table, written_tags

CYCLES = 2000


@pytest.mark.soak
def test_nothing_grows(
    database_url: str, tmp_path: Path, rng: random.Random, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last five hundred cycles hold no more than the second five hundred, and everything comes to rest."""
    with soaking(tmp_path, database_url, rng.randrange(2**32)) as soak:
        samples = []
        for cycle in range(1, CYCLES + 1):
            soak.cycle()
            if cycle % EVERY == 0:
                samples.append(soak.sample(cycle))

        with capsys.disabled():
            print(f"\n{table(samples)}\n{dict(sorted(soak.done.items()))}\n{written_tags(soak)}")
        come_to_rest(soak)

        assert growth(samples) == []
        assert differences(soak, tmp_path / "fresh") == []


def test_a_few_cycles_come_to_rest(database_url: str, tmp_path: Path, rng: random.Random) -> None:
    """Faults in a few cycles leave nothing behind that two cycles without any do not mend."""
    with soaking(tmp_path, database_url, rng.randrange(2**32)) as soak:
        for _ in range(6):
            soak.cycle()
        come_to_rest(soak)

        assert differences(soak, tmp_path / "fresh") == []
