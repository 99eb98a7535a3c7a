"""The figures of the benchmarks, and their targets."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a figure: `value sign bound` must be true. Without a sign: only reported."""

    sign: str
    bound: float
    unit: str
    what: str

    def holds(self, value: float) -> bool:
        """Whether `value` meets the target."""
        compare: dict[str, Callable[[float, float], bool]] = {
            ">=": operator.ge,
            "<=": operator.le,
            "<": operator.lt,
        }
        return self.sign not in compare or compare[self.sign](value, self.bound)

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}" if self.sign else "reported"


TARGETS = {
    "prepare_vs_loop": Target(
        ">=", 0.65, "ratio", "rows per CPU-second, ours (8 µs a row) / the bare loop"
    ),
    "prepare_vs_loop_dm": Target(">=", 0.6, "ratio", "the same on the Data Manager API (9 µs)"),
    "prepare_vs_sample": Target(
        ">=", 6, "ratio", "rows per CPU-second, ours / Google's sample code"
    ),
    "wide_vs_narrow": Target("<=", 1.35, "ratio", "CPU a row, with 49 columns that nobody uses"),
    "phones_national": Target("<=", 0.25, "ratio", "CPU per national phone, ours / libphonenumber"),
    "resume_cost": Target("<=", 0.3, "ratio", "CPU to skip finished rows / to prepare them"),
    "burst": Target("<=", 1.2, "ratio", "wall time of 200 small files / of their calls"),
    "whole_vs_loop": Target(
        "<=", 2.9, "ratio", "CPU a row of the function (16 µs) / the bare loop"
    ),
    "whole_vs_loop_dm": Target("<=", 3.3, "ratio", "the same on the Data Manager API (20 µs)"),
    "overlap": Target("<=", 1.25, "ratio", "wall time of 200,000 rows / of full windows of 1 s"),
    "memory_growth": Target("<=", 20, "MiB", "peak RSS at 1,000,000 rows minus at 20,000"),
    "memory_growth_dm": Target("<=", 20, "MiB", "the same on the Data Manager API"),
    "memory_peak": Target("<", 150, "MiB", "peak RSS at 1,000,000 rows"),
    "memory_peak_dm": Target("<", 150, "MiB", "the same on the Data Manager API"),
    "memory_hostile": Target("<", 400, "MiB", "peak RSS of an instance for the worst files"),
    "cpu_scaling": Target("<=", 1.1, "ratio", "CPU per row at 1,000,000 rows / at 10,000"),
    "cold_start": Target("<=", 0.7, "ratio", "start to first upload (0.5 s) / bare imports"),
    "cold_start_far": Target("", 0, "ms", "start to first upload, at 100 ms a call"),
    "cold_start_waits": Target("<=", 4.5, "calls", "calls in a row until the first upload"),
    "cold_start_dm": Target("<=", 1.4, "ratio", "the same on the Data Manager API"),
    "cold_start_dm_far": Target("", 0, "ms", "the same at 100 ms a call"),
    "cold_start_dm_waits": Target("<=", 5.5, "calls", "the same on the Data Manager API"),
    "calls_small_file": Target("<=", 9, "calls", "remote calls for a file of one chunk, warm"),
    "quota_share": Target(">=", 0.85, "ratio", "part of one quota that 2, 4, 8 instances use"),
    "quota_refused": Target("<", 0.3, "ratio", "requests that are refused meanwhile"),
    "quota_fairness": Target(">=", 0.5, "ratio", "smallest share of an instance / an equal share"),
    "quota_recovery": Target("<=", 60, "seconds", "back at speed after 7 of 8 instances left"),
    "report_cost": Target("<=", 0.05, "ratio", "CPU of report and overview / of preparing rows"),
    "results_refused": Target("", 0, "MiB", "results document of a million refused rows"),
    "cost_per_million": Target("", 0, "USD", "a million rows at 200 ms, with storage and logs"),
}

MEASURED: Mapping[str, tuple[float, ...]] = {
    "prepare_vs_loop": (0.70, 0.69),
    "prepare_vs_loop_dm": (0.82, 0.78),
    "prepare_vs_sample": (27, 23),
    "wide_vs_narrow": (1.28, 1.20),
    "phones_national": (0.10, 0.10),
    "resume_cost": (0.14, 0.14),
    "burst": (1.10, 1.08),
    "whole_vs_loop": (2.55, 2.64),
    "whole_vs_loop_dm": (1.69, 2.08),
    "overlap": (1.17, 1.15),
    "memory_growth": (15, 18),
    "memory_growth_dm": (15, 14),
    "memory_peak": (121, 124),
    "memory_peak_dm": (118, 118),
    "memory_hostile": (186,),
    "cpu_scaling": (0.70, 0.71),
    "cold_start": (0.64, 0.66),
    "cold_start_far": (986, 875),
    "cold_start_waits": (3.9, 4.0),
    "cold_start_dm": (1.29, 1.29),
    "cold_start_dm_far": (1052, 982),
    "cold_start_dm_waits": (4.8, 4.9),
    "calls_small_file": (9,),
    "quota_share": (0.96,),
    "quota_refused": (0.29,),
    "quota_fairness": (0.86,),
    "quota_recovery": (17,),
    "report_cost": (0.05, 0.04),
    "results_refused": (187,),
    "cost_per_million": (0.0034,),
}
"""The values of the last full runs, which docs/performance.md shows."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; `notes` are the numbers behind it."""

    name: str
    value: float
    notes: str = ""

    @property
    def target(self) -> Target:
        """The target of this figure."""
        return TARGETS[self.name]

    @property
    def ok(self) -> bool:
        """Whether the target is met."""
        return self.target.holds(self.value)

    def as_json(self) -> dict[str, Any]:
        """The figure as one line of the output."""
        return {
            "figure": self.name,
            "value": float(f"{self.value:.4g}"),
            "unit": self.target.unit,
            "target": str(self.target),
            "ok": self.ok,
            "notes": self.notes,
        }
