"""The testing kit, as somebody meets it who installed syncd and pytest and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("tests", "hypothesis", "xdist", "coverage", "syncd.sandbox", "sqlmodel", "starlette")


def test_the_kit_needs_only_pytest(tmp_path: Path) -> None:
    """Loading it brings neither syncd's own tests nor what only they need, nor database and sandbox."""
    probe = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import syncd.testing; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=True)

    loaded = done.stdout.split()
    assert "pytest" in loaded
    assert [name for name in OURS if name in loaded] == []
