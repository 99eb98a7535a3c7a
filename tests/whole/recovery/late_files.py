"""The invariants of a file for an API that counts later, after any fault and any number of sweeps.

An event has no job ID, so it is traced to its row by its click ID or its hashed email address.
"""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

from sandbox.conversions import Accepted
from sandbox.demo import identity_of_event, identity_of_row
from sandbox.state import RecordIndices
from sandbox.time_passes import hours_go_by
from sandbox.up import Sandbox
from tests.whole.recovery.files import COUNTED, File

INGEST = "data_manager.IngestEvents"
STATUS = "data_manager.RetrieveRequestStatus"

_COUNTED = {"uploaded", "duplicate"}
OUTCOMES = {
    "click": _COUNTED,
    "identifiers": _COUNTED,
    "warned": _COUNTED,
    "repeated": _COUNTED,
    "known": _COUNTED,
    "rejected": {"rejected"},
    "failed": {"failed"},
}
"""The possible outcomes of each kind of row. After a resend, a row can be a duplicate of itself."""


def ask_later(google: Sandbox, hours: float = 0.6) -> None:
    """Let some time pass, and run a sweep."""
    hours_go_by(google, hours)
    google.run_sweep()


def is_settled(document: dict[str, Any]) -> bool:
    """Whether Google has had its last word on every row."""
    return document["status"] != "waiting" and not document["counts"].get("awaiting", 0)


def check_late(
    file: File,
    document: dict[str, Any],
    accepted: Iterable[Accepted],
    record_indices: RecordIndices,
) -> None:
    """Assert that every row has one right outcome, and that Google has each conversion once.

    `accepted` may also have events of other files. No click of the file may be too recent any more.
    """
    assert document["file_error"] is None
    assert is_settled(document)
    counts = document["counts"]
    not_outcomes = ("rows", "warnings", "awaiting", "unmatched")
    assert sum(n for key, n in counts.items() if key not in not_outcomes) == counts["rows"]
    assert counts["rows"] == len(file.kinds)
    outcomes = {row["line"]: row["outcome"] for row in document["rows"]}
    for line, kind in enumerate(file.kinds, start=2):
        allowed = set(OUTCOMES[kind])
        if kind == "failed" and record_indices != "all":
            # Google counts the row, but may not name it.
            allowed.add("uploaded")
        assert outcomes.get(line, "uploaded") in allowed, (line, kind, outcomes.get(line))
    if record_indices != "all":
        unnamed = "failed" in file.kinds and counts["failed"] < file.kinds.count("failed")
        assert any(note["code"] == "NOT_COUNTED" for note in document["notes"]) == unnamed
    rows = csv.DictReader(io.StringIO(file.content.decode()))
    numbers = {identity_of_row(row): number for number, row in enumerate(rows, start=1)}
    found = (numbers.get(identity_of_event(each.as_json()["conversion"])) for each in accepted)
    counted = Counter(number for number in found if number is not None)
    assert not {row for row, times in counted.items() if times > 1}, "counted twice"
    must = {number for number, kind in enumerate(file.kinds, start=1) if kind in COUNTED}
    # Any of the rows with the same order ID may have been the first to arrive.
    same = {number for number, kind in enumerate(file.kinds, start=1) if kind == "repeated"} | {1}
    assert set(counted) - same == must - {1}
    assert len(set(counted) & same) == 1


API_RULES: list[dict[str, Any]] = [
    {"kind": "unavailable"},
    {"kind": "resource_temporarily_exhausted", "retry_delay_seconds": 0.1},
    {"kind": "internal_before_commit"},
    {"kind": "internal_after_commit"},
    {"kind": "deadline_after_commit"},
    {"kind": "drop_connection", "committed": True},
    {"kind": "drop_connection", "committed": False},
    {"kind": "latency_ms", "latency_ms": 100},
    {"kind": "kill_before"},
    {"kind": "kill_after"},
]
STORAGE_RULES: list[dict[str, Any]] = [
    {"kind": "status_503"},
    {"kind": "status_429"},
    {"kind": "cut_read_after_bytes", "cut_read_after_bytes": 200},
    {"kind": "latency_ms", "latency_ms": 100},
    {"kind": "kill_before"},
    {"kind": "kill_after"},
]


def late_mixture(rng: random.Random) -> list[dict[str, Any]]:
    """Return one to four random rules, each of which ends automatically."""
    rules = []
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.5:
            rule = {"method": rng.choice((INGEST, STATUS)), **rng.choice(API_RULES)}
        else:
            methods = ("storage.objects.get", "storage.objects.insert", "storage.objects.list")
            rule = {"method": rng.choice(methods), **rng.choice(STORAGE_RULES)}
        rules.append(rule | {"nth": rng.randint(1, 12)})
    return rules
