"""Files of adjustments and of calls with every kind of row, for faults and the soak test.

They have no `Parameters` line, so that the first row is in line 2, as in other files.
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.conversions import Accepted
from sandbox.state import State
from tests.rows import csv_bytes
from tests.whole.recovery.files import File

ADJUSTED = frozenset({"click", "warned"})
"""Kinds of rows whose conversions can be adjusted: Google has counted them with an order ID."""

_TEMPLATE = (
    "Order ID", "Conversion Name", "Adjustment Time", "Adjustment Type", "Adjusted Value",
    "Adjusted Value Currency",
)  # fmt: skip
_CALLS = (
    "Caller's Phone Number", "Call Start Time", "Conversion Name", "Conversion Time",
    "Conversion Value", "Conversion Currency",
)  # fmt: skip
_CALL_ACTION = 1012


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}+0000"


@dataclass(slots=True)
class AdjustmentFile(File):
    """Adjusts orders of a file that Google has counted. `worth` is what each must be worth."""

    worth: dict[str, float | None] = field(default_factory=dict)

    def check_accepted(self, state: State, accepted: Iterable[Accepted]) -> None:
        """Assert that each order has the value of its row."""
        assert not list(accepted), "an adjustment has become a conversion"
        for order_id, value in self.worth.items():
            assert state.worth(order_id) == value, order_id


def make_adjustments(name: str, sold: File, seed: int) -> AdjustmentFile:
    """Restate or retract the orders of a file that were counted; some rows are wrong."""
    rng = random.Random(seed)
    now = datetime.now(UTC).replace(microsecond=0)
    file = AdjustmentFile(name, b"", [])
    table = []
    for number, row in enumerate(csv.DictReader(io.StringIO(sold.content.decode())), start=1):
        # Line 2 has the same order ID as other lines, so nobody knows which one was counted.
        if number == 1 or sold.kinds[number - 1] not in ADJUSTED:
            continue
        kind = rng.choice(("restated", "restated", "retracted", "unknown", "rejected"))
        order_id = row["order_id"] + ("-unknown" if kind == "unknown" else "")
        adjusted = _text(now - timedelta(days=1, seconds=number))
        table.append(
            {
                "Order ID": order_id,
                "Conversion Name": "Phone sale",
                "Adjustment Time": "some day" if kind == "rejected" else adjusted,
                "Adjustment Type": "RETRACT" if kind == "retracted" else "RESTATE",
                "Adjusted Value": "" if kind == "retracted" else f"{number}.75",
                "Adjusted Value Currency": "" if kind == "retracted" else "USD",
            }
        )
        file.kinds.append(kind)
        if kind in ("restated", "retracted"):
            file.worth[order_id] = number + 0.75 if kind == "restated" else None
    file.content = csv_bytes(table, _TEMPLATE)
    return file


@dataclass(slots=True)
class CallFile(File):
    """Calls of one caller. `starts` are those of the calls that count."""

    caller_id: str = ""
    starts: set[float] = field(default_factory=set)

    def check_accepted(self, state: State, accepted: Iterable[Accepted]) -> None:
        """Assert that Google has each call that counts once. Calls have no job ID."""
        digest = hashlib.sha256(self.caller_id.encode()).hexdigest()
        with state.lock:
            keys = [key for key in state.call_keys if key[0] in (self.caller_id, digest)]
        counted = Counter(start for _, start, _, _ in keys)
        assert counted == Counter(self.starts)


def make_calls(name: str, rows: int, seed: int, caller: int) -> CallFile:
    """Make a file of calls by one caller (0 to 9999), some of them wrong."""
    rng = random.Random(seed)
    now = datetime.now(UTC).replace(microsecond=0)
    file = CallFile(name, b"", [], caller_id=f"+1{200 + caller // 100}55501{caller % 100:02d}")
    table = []
    for number in range(1, rows + 1):
        kind = rng.choice(("call", "call", "call", "rejected", "failed"))
        # Google refuses a call of last year: the conversion is in time, the call is not.
        start = now - timedelta(days=70 if kind == "failed" else 5, seconds=number)
        table.append(
            {
                "Caller's Phone Number": "12" if kind == "rejected" else file.caller_id,
                "Call Start Time": _text(start),
                "Conversion Name": str(_CALL_ACTION),
                "Conversion Time": _text(now - timedelta(days=2, seconds=number)),
                "Conversion Value": f"{number}.25",
                "Conversion Currency": "USD",
            }
        )
        file.kinds.append(kind)
        if kind == "call":
            file.starts.add(start.timestamp())
    file.content = csv_bytes(table, _CALLS)
    return file
