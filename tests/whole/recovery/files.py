"""Files with every kind of row, and the invariants that hold for them after any fault."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.state import State
from sandbox.up import Sandbox
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes

FOLDERS: Final = {"google_ads": "", "data_manager": "data_manager/"}
"""The folder of the files for each API."""

UPLOADS: Final = {
    "google_ads": "google_ads.UploadClickConversions",
    "data_manager": "data_manager.IngestEvents",
}
"""The method of each API that takes conversions."""

OUTCOME: Final = {
    "click": "counted",  # a click ID and an order ID
    "identifiers": "counted",  # neither: a derived order ID
    "warned": "counted",  # a click ID and an unusable phone number
    "rejected": "rejected",  # an invalid date
    "refused": "failed",  # an action that the account does not have
    # What the Data Manager API says only later:
    "repeated": "counted",  # the order ID of an earlier line
    "known": "counted",  # an order ID that Google has already counted
    "failed": "failed",  # a click after the conversion
    "deferred": "deferred",  # a click younger than 6 hours
}
"""The outcome of each kind of row; "counted" is `uploaded` or, after a resend, `duplicate`."""

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "google_ads": tuple(kind for kind in OUTCOME if kind != "refused"),
    "data_manager": ("click", "identifiers", "warned", "rejected", "refused"),
}
COUNTED: Final = frozenset({"click", "identifiers", "warned"})
"""Kinds of rows that Google must have, each exactly once."""

MAX_ROWS: Final = 10_000
_numbers = itertools.count(1)


@dataclass(slots=True)
class File:
    """A generated file: its bytes, and the kind of each data row (the first is line 2).

    The value of its n-th row is `first_value + n` and a quarter, so that a conversion at Google can
    be traced to its row.
    """

    name: str
    content: bytes
    kinds: list[str]
    first_value: int = 0
    clicks: dict[str, datetime] = field(default_factory=dict)
    known_orders: set[str] = field(default_factory=set)
    generation: int = 0

    def drop(self, google: Sandbox) -> File:
        """Tell Google the clicks and orders that the file needs, and upload it."""
        google.state.register_clicks(self.clicks)
        with google.state.lock:
            google.state.order_keys.update((order, 1001) for order in self.known_orders)
        _, self.generation = google.drop(self.content, self.name)
        return self

    @property
    def results_name(self) -> str:
        """The name of the results document of the generation that was dropped last."""
        return f"{self.name}.{self.generation}.results.json"


def make_file(name: str, rows: int, seed: int, kinds: tuple[str, ...] = ()) -> File:
    """Make a file of rows of random kinds, with at least one of each kind if they fit.

    Only the seed decides the kinds; by default, they are those of the API of its folder.
    """
    rng = random.Random(seed)
    route = "data_manager" if name.startswith(FOLDERS["data_manager"]) else "google_ads"
    kinds = kinds or KINDS[route]
    chosen = [*kinds[:rows], *rng.choices(kinds, k=max(0, rows - len(kinds)))]
    rng.shuffle(chosen)
    chosen[0] = "click"  # The repeated rows repeat it.
    file = File(name, b"", chosen, next(_numbers) * MAX_ROWS)
    file.content = csv_bytes(_row(file, number, kind) for number, kind in enumerate(chosen, 1))
    return file


def _row(file: File, number: int, kind: str) -> dict[str, str]:
    unique = f"{file.first_value}-{number}"
    row = core_row(
        number,
        gclid=_click(file, number),
        order_id=f"order-{unique}",
        conversion_value=f"{file.first_value + number}.25",
    )
    now = datetime.fromisoformat(row["conversion_date_time"]) + timedelta(days=3)
    match kind:
        case "identifiers":
            row |= {"gclid": "", "order_id": "", "email": f"buyer.{unique}@example.com"}
        case "warned":
            row |= {"email": "", "phone": "12"}
        case "repeated":
            row |= {"order_id": f"order-{file.first_value}-1"}
        case "known":
            file.known_orders.add(row["order_id"])
        case "rejected":
            row |= {"conversion_date_time": "the day before yesterday"}
        case "refused":
            row |= {"conversion_action": "987654"}
        case "failed":
            file.clicks[row["gclid"]] = now - timedelta(hours=20)
        case "deferred":
            file.clicks[row["gclid"]] = now - timedelta(hours=1)
        case _:
            pass
    return row


def finish(google: Sandbox, file: File) -> dict[str, Any]:
    """Return the file's document after all deliveries have ended.

    A lease that nobody could give back ends after a while.
    """
    for seconds in (10, 20, 40, 80, 160):
        if google.delivery.wait_until_idle(seconds):
            return google.results(file.name, file.generation, timeout_seconds=1)
        google.clock.advance(0.1)
    raise AssertionError([record.attempts[-3:] for record in google.delivery.records()])


def check(file: File, document: dict[str, Any], google: Sandbox) -> None:
    """Assert that every line has the right outcome, and that Google has each conversion once."""
    check_document(file, document)
    check_counted_once(file, google.state)


def check_document(file: File, document: dict[str, Any]) -> None:
    """Assert that every line of the file has its outcome. The schema's check adds them up."""
    check_results(document)
    assert document["file_error"] is None, f"{file.name}: {document['file_error']}"
    rows = {row["line"]: row for row in document["rows"]}
    for line, kind in enumerate(file.kinds, start=2):
        row = rows.get(line, {"outcome": "uploaded"})
        is_counted = row["outcome"] in ("uploaded", "duplicate")
        assert ("counted" if is_counted else row["outcome"]) == OUTCOME[kind], (
            f"{file.name}:{line} is a row of the kind {kind}, and its outcome is {row}"
        )
    assert document["counts"]["rows"] == len(file.kinds), f"{file.name}: {document['counts']}"
    others = rows.keys() - set(range(2, len(file.kinds) + 2))
    assert not others, f"{file.name} has no lines {sorted(others)}"


def check_counted_once(file: File, state: State) -> None:
    """Assert that Google has every row of the file that counts, once, and none of the others."""
    with state.lock:
        values = [int(each.as_json()["conversion"]["conversion_value"]) for each in state.accepted]
    counted = Counter(value - file.first_value for value in values)
    counted = Counter({row: counted[row] for row in counted if 1 <= row <= len(file.kinds)})
    twice = sorted(row + 1 for row, times in counted.items() if times > 1)
    assert not twice, f"{file.name}: Google counts the lines {twice} twice"
    must = {number for number, kind in enumerate(file.kinds, start=1) if kind in COUNTED}
    # Any of the rows with the same order ID may have been the first to arrive.
    same = {number for number, kind in enumerate(file.kinds, start=1) if kind == "repeated"} | {1}
    for found, what in (
        (must - {1} - set(counted), "does not have"),
        (set(counted) - same - must, "has, but must not have,"),
    ):
        lines = [f"{row + 1} ({file.kinds[row - 1]})" for row in sorted(found)]
        assert not lines, f"{file.name}: Google {what} the lines {lines}"
    once = sorted(row + 1 for row in set(counted) & same)
    assert len(once) == 1, f"{file.name}: of the lines with one order ID, Google has {once}"


def log_lines(google: Sandbox, file: File | None = None) -> list[dict[str, Any]]:
    """Return the log lines of all instances, or only those about a file."""
    lines = google.function_output().splitlines()
    found = [json.loads(line) for line in lines if line.startswith('{"severity"')]
    return [each for each in found if file is None or file.name in each.get("run_id", "")]


def clicks_grow_old(google: Sandbox, file: File) -> None:
    """Make the clicks that were too recent ten days old, so that their rows are accepted."""
    clicks = [
        _click(file, number) for number, kind in enumerate(file.kinds, 1) if kind == "deferred"
    ]
    google.state.register_clicks(dict.fromkeys(clicks, google.clock.now() - timedelta(days=10)))
    file.kinds = ["click" if kind == "deferred" else kind for kind in file.kinds]


def _click(file: File, number: int) -> str:
    return f"Click_{file.first_value}-{number}_of_the_file"


def until(condition: Callable[[], object]) -> None:
    """Wait until the condition is met."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < 180, "it did not happen in time"
        time.sleep(0.02)
