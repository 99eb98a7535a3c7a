"""Files with every kind of row, and the invariants that hold for them after any fault."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.conversions import Accepted
from sandbox.state import State
from sandbox.up import INPUT_BUCKET, OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes

KINDS = (
    "click",  # a click ID and an order ID
    "identifiers",  # neither: a derived order ID
    "warned",  # a click ID and an unusable phone number
    "repeated",  # the order ID of an earlier line
    "known",  # an order ID that Google has already counted
    "rejected",  # an invalid date
    "failed",  # a click after the conversion
    "deferred",  # a click younger than 6 hours
)
COUNTED = frozenset({"click", "identifiers", "warned"})
"""Kinds of rows that Google must have, each exactly once."""

OUTCOME = {
    "click": "counted",
    "identifiers": "counted",
    "warned": "counted",
    "repeated": "counted",
    "known": "counted",
    "rejected": "rejected",
    "failed": "failed",
    "deferred": "deferred",
    # Adjustments and calls (`other_kinds`).
    "restated": "counted",
    "retracted": "counted",
    "unknown": "unknown",
    "call": "counted",
}
"""The outcome of each kind of row; "counted" is `uploaded` or, after a resend, `duplicate`.
"unknown" is `deferred`, and after two days `failed`: an adjustment of an unknown conversion."""

TWICE = frozenset(
    {
        "REPEATED_WITH_OTHER_VALUE",
        "ORDER_ID_ALREADY_IN_USE",
        "CLICK_CONVERSION_ALREADY_EXISTS",
        "CALL_CONVERSION_ALREADY_EXISTS",
        "RESTATEMENT_ALREADY_EXISTS",
        "CONVERSION_ALREADY_RETRACTED",
    }
)
"""The codes of a duplicate; the code depends on which row was sent before, and by which file."""


@dataclass(slots=True)
class File:
    """A generated file: its bytes, and the kind of each data row (the first is line 2)."""

    name: str
    content: bytes
    kinds: list[str]
    clicks: dict[str, datetime] = field(default_factory=dict)
    known_orders: set[str] = field(default_factory=set)
    generation: int = 0
    generations: list[int] = field(default_factory=list)

    def tell(self, state: State) -> None:
        """Register the clicks and order IDs that the file needs with Google."""
        state.register_clicks(self.clicks)
        with state.lock:
            state.order_keys.update((order, 1001) for order in self.known_orders)

    def drop(self, google: Sandbox) -> File:
        """Upload the file to the input bucket."""
        self.tell(google.state)
        _, self.generation = google.drop(self.content, self.name)
        self.generations.append(self.generation)
        return self

    def check_accepted(self, state: State, accepted: Iterable[Accepted]) -> None:
        """Assert that Google has what the file says. `accepted` are the conversions of its jobs."""
        check_counted_once(self, accepted)

    def copy_onto_itself(self, google: Sandbox) -> int:
        """Copy the object as a gateway does that sets its time. Return the new generation."""
        blob = google.storage_client().bucket(INPUT_BUCKET).blob(self.name)
        blob.metadata = {"mtime": "2026-11-21T00:00:00Z"}
        blob.rewrite(blob)
        self.generations.append(int(blob.generation))
        return self.generations[-1]


def make_file(
    name: str, rows: int, seed: int, kinds: tuple[str, ...] = KINDS, order_length: int = 0
) -> File:
    """Make a file of rows of random kinds, with at least one of each kind if they fit.

    Only the seed decides the kinds. The conversion value contains the number of the row, so that a
    conversion at Google can be traced to its row.
    """
    rng = random.Random(seed)
    chosen = [*kinds[:rows], *rng.choices(kinds, k=max(0, rows - len(kinds)))]
    rng.shuffle(chosen)
    # The repeated rows repeat the first row, so it must be valid.
    chosen[0] = "click"
    now = datetime.now(UTC)
    file = File(name, b"", chosen)
    cells = []
    for number, kind in enumerate(chosen, start=1):
        order = f"{name}-{seed}-{number}".ljust(order_length, "-")
        row = core_row(number, order_id=order, conversion_value=f"{number}.25")
        row["gclid"] = f"Click_{seed}_{name.replace('.', '_').replace('/', '_')}_{number:06d}"
        match kind:
            case "identifiers":
                row |= {"gclid": "", "order_id": "", "email": f"{name}.{seed}.{number}@example.com"}
            case "warned":
                row |= {"email": "", "phone": "12"}
            case "repeated":
                row |= {"order_id": f"{name}-{seed}-1".ljust(order_length, "-")}
            case "known":
                row |= {"order_id": f"known-{name}-{seed}-{number}"}
                file.known_orders.add(row["order_id"])
            case "rejected":
                row |= {"conversion_date_time": "the day before yesterday"}
            case "failed":
                file.clicks[row["gclid"]] = now - timedelta(hours=20)
            case "deferred":
                file.clicks[row["gclid"]] = now - timedelta(hours=1)
            case _:
                pass
        cells.append(row)
    file.content = csv_bytes(cells)
    return file


def finish(google: Sandbox, file: File) -> dict[str, Any]:
    """Return the file's document after all deliveries have ended."""
    assert google.delivery.wait_until_idle(), [r.attempts[-3:] for r in google.delivery.records()]
    return google.results(file.name, file.generation)


def normal(file: File, document: dict[str, Any]) -> dict[str, Any]:
    """Return a results document without the parts that differ between two runs of the same rows.

    These are the IDs of run, job and requests, the object, times and attempts. `uploaded` and
    `duplicate` become one outcome, because a resent row is a duplicate of itself. For these rows,
    only the warnings are kept, and their errors are subtracted from `codes`. `file` is the file of
    the document; its name is part of the order IDs.
    """
    counts = document["counts"]
    codes = {code: dict(entry) for code, entry in document["codes"].items()}
    rows = {}
    for row in document["rows"]:
        order_id = row["order_id"] and row["order_id"].replace(file.name, "NAME")
        if row["outcome"] not in ("uploaded", "duplicate"):
            rows[row["line"]] = {**row, "order_id": order_id}
            continue
        for error in row["errors"]:
            codes[error["code"]]["count"] -= 1
        if row["warnings"]:
            warnings = row["warnings"]
            rows[row["line"]] = {"order_id": order_id, "warnings": warnings, "outcome": "counted"}
    differs = {"run_id", "source", "job_id", "request_ids", "started_at", "finished_at", "attempts"}
    return {
        **{key: value for key, value in document.items() if key not in differs},
        "counted": counts["uploaded"] + counts["duplicate"],
        "counts": {k: v for k, v in counts.items() if k not in ("uploaded", "duplicate")},
        "money": _money_by_outcome(document["money"]),
        "codes": {code: entry for code, entry in codes.items() if entry["count"]},
        "rows": rows,
    }


def _money_by_outcome(money: dict[str, Any]) -> dict[str, Any]:
    """Return the sums of rows and money, with `uploaded` and `duplicate` as one outcome."""
    found: dict[str, Counter[str]] = {}
    for outcome, of_outcome in money.items():
        name = "counted" if outcome in ("uploaded", "duplicate") else outcome
        sums = found.setdefault(name, Counter(without_value=of_outcome["without_value"]))
        for currency, each in of_outcome["sums"].items():
            sums.update({f"{currency} {key}": number for key, number in each.items()})
    return {name: dict(sums) for name, sums in found.items()}


def check(file: File, document: dict[str, Any], google: Sandbox) -> None:
    """Assert that every line has the right outcome, and that Google has each conversion once."""
    check_document(file, document)
    job_id = document["job_id"]
    accepted = [each for each in google.state.accepted if each.job_id == job_id]
    file.check_accepted(google.state, accepted)


def check_document(file: File, document: dict[str, Any]) -> None:
    """Assert that every line of the file has one right outcome, and that the counts add up."""
    assert document["file_error"] is None
    counts = document["counts"]
    assert counts["rows"] == len(file.kinds)
    by_outcome = {k: v for k, v in counts.items() if k not in ("rows", "warnings")}
    assert sum(by_outcome.values()) == len(file.kinds)
    expected = Counter(OUTCOME[kind] for kind in file.kinds)
    assert expected["counted"] == counts["uploaded"] + counts["duplicate"]
    unknown = Counter(
        row["outcome"] for row in document["rows"] if file.kinds[row["line"] - 2] == "unknown"
    )
    assert unknown["deferred"] + unknown["failed"] == expected["unknown"]
    for outcome in ("rejected", "failed", "deferred", "skipped", "not_attempted"):
        assert counts[outcome] == expected[outcome] + unknown[outcome], outcome
    lines = [row["line"] for row in document["rows"]]
    assert lines == sorted(set(lines))
    for row in document["rows"]:
        kind = file.kinds[row["line"] - 2]
        outcome = row["outcome"].replace("uploaded", "counted").replace("duplicate", "counted")
        assert outcome == OUTCOME[kind] or kind == "unknown", row
        if row["outcome"] == "duplicate":
            assert {error["code"] for error in row["errors"]} <= TWICE, row


def check_counted_once(file: File, accepted: Iterable[Accepted]) -> None:
    """Assert that Google has every row of the file that counts, once, and none of the others.

    `accepted` are the conversions with the file's job ID.
    """
    counted = Counter(int(each.as_json()["conversion"]["conversion_value"]) for each in accepted)
    assert not {row for row, times in counted.items() if times > 1}, "counted twice"
    must = {number for number, kind in enumerate(file.kinds, start=1) if kind in COUNTED}
    # Any of the rows with the same order ID may have been the first to arrive.
    same = {number for number, kind in enumerate(file.kinds, start=1) if kind == "repeated"} | {1}
    assert set(counted) - same == must - {1}
    assert len(set(counted) & same) == 1


def all_documents(google: Sandbox) -> dict[str, dict[str, Any]]:
    """Return every results document by its name, checked against the schema."""
    bucket = google.storage_client().bucket(OUTPUT_BUCKET)
    return {
        blob.name: check_results(json.loads(blob.download_as_bytes()))
        for blob in bucket.list_blobs()
        if blob.name.endswith(".results.json")
    }


def log_lines(google: Sandbox) -> list[dict[str, Any]]:
    """Return the log lines of the function, from all instances."""
    lines = google.function_output().splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"severity"')]


def clicks_grow_old(google: Sandbox, file: File) -> None:
    """Make the clicks that were too recent ten days old, so that their rows are accepted."""
    now = datetime.now(UTC)
    google.state.register_clicks(
        {
            click: now - timedelta(days=10)
            for click, moment in file.clicks.items()
            if now - moment < timedelta(hours=6)
        }
    )
    file.kinds = ["click" if kind == "deferred" else kind for kind in file.kinds]


def until(condition: Callable[[], object]) -> None:
    """Wait until the condition is met."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < 180, "it did not happen in time"
        time.sleep(0.02)
