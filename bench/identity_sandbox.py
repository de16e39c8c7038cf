"""How well people are found in the sandbox's shops, seed by seed.

    python bench/identity_sandbox.py [FIRST LAST]

Each seed is a whole demo: shops served on loopback, pulled, resolved and held against the sandbox's truth.
"""

from __future__ import annotations

import sys

from syncd import demo, logs


def main(first: int, last: int) -> None:
    """One line per seed, and the worst of all."""
    scores = []
    for seed in range(first, last + 1):
        scores.append(demo.run(seed, keep=False).identity)
        found = scores[-1]
        print(
            f"seed {seed:3}: precision {found.precision:.4f} recall {found.recall:.4f} of {found.true} pairs",
            flush=True,
        )
    worst = min(score.precision for score in scores), min(score.recall for score in scores)
    print(f"worst: precision {worst[0]:.4f} recall {worst[1]:.4f}")


if __name__ == "__main__":
    logs.configure(level="error")
    main(*map(int, sys.argv[1:3] or ("1", "12")))
