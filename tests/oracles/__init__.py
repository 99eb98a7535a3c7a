"""Cells that programs of others have written: what we read is what they meant, or is refused.

Each oracle is a module here. Hypothesis decides the inputs, in the tests and, with more of them, in
`make fuzz`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

Verdict = Literal["read", "refused", "explained"]
"""We read what was meant, or refused the cell, or differ as the facts say. Anything else is an
`AssertionError`: a wrong value that is sent without a word."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """A comparison with somebody else's program. `check` gets one example of each of `inputs`."""

    name: str
    inputs: Mapping[str, SearchStrategy[Any]]
    check: Callable[..., Verdict]

    def compare(self, examples: int, first_seed: int | None = None) -> Counter[str]:
        """Compare so many inputs, and return the number of each verdict."""
        verdicts: Counter[str] = Counter()

        def compare_one(**inputs: Any) -> None:
            verdicts[self.check(**inputs)] += 1

        compare = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )(given(**self.inputs)(compare_one))
        if first_seed is not None:
            compare = seed(first_seed)(compare)
        compare()
        return verdicts
