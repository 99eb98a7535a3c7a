"""Compares cells and files with the programs of others (`tests.oracles`), with new inputs."""

from __future__ import annotations

import time
from collections import Counter
from itertools import count

from tests.oracles.test_oracles import ORACLES

EXAMPLES = 50
"""So many inputs of an oracle are compared before the time is looked at."""


def compare(seconds: float, seed: int) -> int:
    """Compare inputs until the time is over, print the verdicts of each oracle, and return how many
    inputs there were. Raises `AssertionError` if we read another value."""
    ends = time.monotonic() + seconds
    verdicts: dict[str, Counter[str]] = {each.name: Counter() for each in ORACLES}
    for number in count(seed * 1_000_000):
        for oracle in ORACLES:
            verdicts[oracle.name] += oracle.compare(EXAMPLES, number)
        if time.monotonic() > ends:
            break
    for name, found in verdicts.items():
        told = ", ".join(f"{number:,} {verdict}" for verdict, number in sorted(found.items()))
        print(f"\n  {name}: {told}", end="")
    print("\n  together: ", end="")
    return sum(found.total() for found in verdicts.values())
