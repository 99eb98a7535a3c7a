"""What a file costs on Google Cloud, at list prices of tier 1 regions, without free amounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

# What terraform/function.tf gives an instance
# (https://cloud.google.com/run/pricing: request-based billing).
VCPUS = 1.0
GIBIBYTES = 0.5
PER_VCPU_SECOND = 0.000024
PER_GIBIBYTE_SECOND = 0.0000025

# https://cloud.google.com/storage/pricing: operations on Standard storage in a region.
PER_WRITE = 0.005 / 1_000
PER_READ = 0.0004 / 1_000
_READS = ("storage.objects.get",)
_FREE = ("storage.objects.delete",)

PER_LOG_BYTE = 0.5 / (1 << 30)
"""https://cloud.google.com/stackdriver/pricing: Cloud Logging, storage."""


class Cost(NamedTuple):
    """What a file costs in dollars, and of what."""

    dollars: float
    parts: str


def cost_of(wall_seconds: float, methods: Iterable[str], log_bytes: int) -> Cost:
    """The cost of a run: its instance, the calls of storage (`methods`), and its log lines."""
    instance = wall_seconds * (VCPUS * PER_VCPU_SECOND + GIBIBYTES * PER_GIBIBYTE_SECOND)
    calls = Counter(each for each in methods if each.startswith("storage."))
    reads = sum(calls[each] for each in _READS)
    writes = calls.total() - reads - sum(calls[each] for each in _FREE)
    storage = writes * PER_WRITE + reads * PER_READ
    logs = log_bytes * PER_LOG_BYTE
    return Cost(
        instance + storage + logs,
        f"instance ${instance:.5f} ({wall_seconds:.1f} s of {VCPUS:g} vCPU and {GIBIBYTES:g} GiB), "
        f"storage ${storage:.5f} ({writes} calls that write or list, {reads} that read), "
        f"logs ${logs:.5f} ({log_bytes / 1024:.0f} KiB)",
    )
