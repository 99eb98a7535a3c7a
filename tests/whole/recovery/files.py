"""Files with every kind of row, and what must be true of them whatever happened on the way."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.state import Accepted, State
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes

KINDS = (
    "click",  # a click id and an order id
    "identifiers",  # neither: a derived order id
    "warned",  # a click id, and a phone number that can't be used
    "repeated",  # the order id of an earlier line
    "known",  # an order id that Google has counted before
    "rejected",  # a date that is none
    "failed",  # a click after the conversion
    "deferred",  # a click younger than 6 hours
)
COUNTED = frozenset({"click", "identifiers", "warned"})
"""Kinds whose rows must end up at Google, each of them once."""

OUTCOME = {
    "click": "counted",
    "identifiers": "counted",
    "warned": "counted",
    "repeated": "counted",
    "known": "counted",
    "rejected": "rejected",
    "failed": "failed",
    "deferred": "deferred",
}
"""What becomes of a kind of row; "counted" is `uploaded` or, after a resend, `duplicate`."""

TWICE = frozenset(
    {
        "REPEATED_WITH_OTHER_VALUE",
        "ORDER_ID_ALREADY_IN_USE",
        "CLICK_CONVERSION_ALREADY_EXISTS",
    }
)
"""What a duplicate is told: which of them depends on what was sent before, and by whom."""


@dataclass(slots=True)
class File:
    """A made-up file: its bytes, and the kind of each data row (the first is line 2)."""

    name: str
    content: bytes
    kinds: list[str]
    clicks: dict[str, datetime] = field(default_factory=dict)
    known_orders: set[str] = field(default_factory=set)
    generation: int = 0

    def tell(self, state: State) -> None:
        """Let Google know of the clicks and orders that the file relies on."""
        state.register_clicks(self.clicks)
        with state.lock:
            state.order_keys.update((order, 1001) for order in self.known_orders)

    def drop(self, google: Sandbox) -> File:
        """Put it into the input bucket."""
        self.tell(google.state)
        _, self.generation = google.drop(self.content, self.name)
        return self


def make_file(
    name: str, rows: int, seed: int, kinds: tuple[str, ...] = KINDS, order_length: int = 0
) -> File:
    """`rows` rows of random kinds, at least one of each if they fit.

    The seed alone decides the kinds. The conversion value is the number of
    the row, so that a conversion at Google can be led back to it.
    """
    rng = random.Random(seed)
    chosen = [*kinds[:rows], *rng.choices(kinds, k=max(0, rows - len(kinds)))]
    rng.shuffle(chosen)
    # The first row must be one that the repeated ones can repeat.
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
    """The file's document, once every delivery is over."""
    google.results(file.name, file.generation, timeout_seconds=30)
    assert google.delivery.wait_until_idle(30), [r.attempts[-3:] for r in google.delivery.records()]
    return google.results(file.name, file.generation)


def normal(file: File, document: dict[str, Any]) -> dict[str, Any]:
    """A results document without what may differ between two runs of the same rows.

    That is: ids of run, job and requests, the object, times and attempts. And `uploaded` and
    `duplicate` are one, since a resent row is a duplicate of itself: of such a row only the
    warnings count, and what its errors add to `codes` doesn't. `file` is what the document is of:
    its name stands in the order ids.
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
        "codes": {code: entry for code, entry in codes.items() if entry["count"]},
        "rows": rows,
    }


def check(file: File, document: dict[str, Any], google: Sandbox) -> None:
    """Every line has one outcome and it is the right one; Google holds each conversion once."""
    check_document(file, document)
    job_id = document["job_id"]
    check_counted_once(file, [each for each in google.state.accepted if each.job_id == job_id])


def check_document(file: File, document: dict[str, Any]) -> None:
    """Every line of the file has one outcome, the right one, and the counts add up."""
    assert document["file_error"] is None
    counts = document["counts"]
    assert counts["rows"] == len(file.kinds)
    by_outcome = {k: v for k, v in counts.items() if k not in ("rows", "warnings")}
    assert sum(by_outcome.values()) == len(file.kinds)
    expected = Counter(OUTCOME[kind] for kind in file.kinds)
    assert expected["counted"] == counts["uploaded"] + counts["duplicate"]
    for outcome in ("rejected", "failed", "deferred", "not_attempted"):
        assert counts[outcome] == expected[outcome], outcome
    lines = [row["line"] for row in document["rows"]]
    assert lines == sorted(set(lines))
    for row in document["rows"]:
        kind = file.kinds[row["line"] - 2]
        outcome = row["outcome"].replace("uploaded", "counted").replace("duplicate", "counted")
        assert outcome == OUTCOME[kind], row
        if row["outcome"] == "duplicate":
            assert {error["code"] for error in row["errors"]} <= TWICE, row


def check_counted_once(file: File, accepted: Iterable[Accepted]) -> None:
    """Google holds every row of the file that counts, once, and none of the others.

    `accepted` are the conversions that came with the file's job id.
    """
    counted = Counter(int(each.as_json()["conversion"]["conversion_value"]) for each in accepted)
    assert not {row for row, times in counted.items() if times > 1}, "counted twice"
    must = {number for number, kind in enumerate(file.kinds, start=1) if kind in COUNTED}
    # Of rows with the same order id, any one may have been the first to arrive.
    same = {number for number, kind in enumerate(file.kinds, start=1) if kind == "repeated"} | {1}
    assert set(counted) - same == must - {1}
    assert len(set(counted) & same) == 1


def all_documents(google: Sandbox) -> dict[str, dict[str, Any]]:
    """Every results document by its name, held against the schema."""
    bucket = google.storage_client().bucket(OUTPUT_BUCKET)
    return {
        blob.name: check_results(json.loads(blob.download_as_bytes()))
        for blob in bucket.list_blobs()
        if blob.name.endswith(".results.json")
    }


def log_lines(google: Sandbox) -> list[dict[str, Any]]:
    """The function's own log lines, all instances."""
    lines = google.function_output().splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"severity"')]


def clicks_grow_old(google: Sandbox, file: File) -> None:
    """Ten days go by for the clicks that were too recent: their rows are as good as any now."""
    now = datetime.now(UTC)
    google.state.register_clicks(
        {
            click: now - timedelta(days=10)
            for click, moment in file.clicks.items()
            if now - moment < timedelta(hours=6)
        }
    )
    file.kinds = ["click" if kind == "deferred" else kind for kind in file.kinds]
