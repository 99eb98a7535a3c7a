"""The life of an order: files that sell, correct and refund it, and what must come out.

A model says what an API that keeps to Google's documents holds after each file, and the outcome of
its row. It knows nothing of the function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sandbox.up import Sandbox
from tests.rows import core_row, csv_bytes

Step = Literal["sold", "corrected", "refunded"]
STEPS: tuple[Step, ...] = ("sold", "corrected", "refunded")
SOLD, CORRECTED = 100.0, 80.0
AGE_DAYS = {"sold": 6, "corrected": 4, "refunded": 2}
"""When each step happened, whenever its file arrives."""

COUNTED = frozenset({"uploaded", "duplicate"})
"""After a crash, what was sent is sent again and may be a duplicate of itself."""

_TYPES = {"corrected": "RESTATE", "refunded": "RETRACT"}
_TEMPLATE = (
    "Order ID", "Conversion Name", "Adjustment Time", "Adjustment Type", "Adjusted Value",
    "Adjusted Value Currency",
)  # fmt: skip
_STATUS = {"sold": "paid", "corrected": "corrected", "refunded": "refunded"}
SALES_COLUMNS = (
    "gclid", "email", "conversion_date_time", "conversion_value", "order_id", "status",
    "adjusted_value", "adjustment_date_time",
)  # fmt: skip

SHOP = {
    "customer_id": "1234567890",
    "conversion_action": "1001",
    "currency_code": "USD",
    "ad_user_data": "GRANTED",
}
REFUNDS = {"refunds": {"status": ["refunded", "corrected"]}}
"""In a sales file, these rows adjust: with a new value they restate, without one they retract."""
PROFILES: dict[str, dict[str, Any]] = {
    "default": {"destination": "google_ads", **SHOP},
    "sales": {"destination": "google_ads", **SHOP, **REFUNDS},
    "later": {"destination": "data_manager", **SHOP, **REFUNDS},
    "template": {"destination": "data_manager", **SHOP},
    "both": {"destination": "data_manager", "adjustments_via": "google_ads", **SHOP, **REFUNDS},
}
"""The last three send to the Data Manager API, "both" its adjustments to the Google Ads API."""


def moment(step: Step, **earlier: float) -> datetime:
    """When a step happened, or some time before."""
    now = datetime.now(UTC).replace(microsecond=0)
    return now - timedelta(days=AGE_DAYS[step]) - timedelta(**earlier)


@dataclass(slots=True)
class Order:
    """One order. Its times are fixed when it is made, so that every export repeats them."""

    order_id: str
    number: int = 1
    times: dict[Step, datetime] = field(default_factory=lambda: {s: moment(s) for s in STEPS})

    @property
    def gclid(self) -> str:
        return f"Life_{self.order_id.replace('.', '_')}_click"

    def sale(self) -> bytes:
        """The file that sells the order."""
        row = core_row(
            self.number,
            order_id=self.order_id,
            gclid=self.gclid,
            conversion_value=f"{SOLD:.2f}",
            conversion_date_time=_utc(self.times["sold"]),
        )
        return csv_bytes([row])

    def template(self, step: Step, action: str = "Phone sale") -> bytes:
        """Google's template with one adjustment of the order, in UTC."""
        restates = step == "corrected"
        cells = (
            self.order_id,
            action,
            f"{self.times[step]:%Y-%m-%d %H:%M:%S}",
            _TYPES[step],
            f"{CORRECTED:.2f}" if restates else "",
            "USD" if restates else "",
        )
        row = dict(zip(_TEMPLATE, cells, strict=True))
        return b"Parameters:TimeZone=Etc/UTC\r\n" + csv_bytes([row], _TEMPLATE)

    def sales_row(self, step: Step) -> dict[str, str]:
        """A row of a CRM's export, with its status and the data of the sale."""
        return {
            "gclid": self.gclid,
            "email": f"{self.order_id}@example.com",
            "conversion_date_time": _utc(self.times["sold"]),
            "conversion_value": f"{SOLD:.2f}",
            "order_id": self.order_id,
            "status": _STATUS[step],
            "adjusted_value": f"{CORRECTED:.2f}" if step == "corrected" else "",
            "adjustment_date_time": "" if step == "sold" else _utc(self.times[step]),
        }

    def export(self, *steps: Step) -> bytes:
        """A CRM's export with a row for each step."""
        return csv_bytes([self.sales_row(step) for step in steps], SALES_COLUMNS)


def _utc(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}+00:00"


class AdsModel:
    """What the Google Ads API does with the steps of an order, by its documents."""

    def __init__(self) -> None:
        self.worth: float | str | None = "unknown"

    def take(self, step: Step) -> tuple[frozenset[str], str]:
        """Carry out a step. Return the possible outcomes of its row, and the code of an error."""
        if step == "sold":
            if self.worth != "unknown":
                return frozenset({"duplicate"}), ""
            self.worth = SOLD
            return COUNTED, ""
        if self.worth == "unknown":
            return frozenset({"deferred"}), "CONVERSION_NOT_FOUND"
        if self.worth is None:
            return frozenset({"duplicate"}), "CONVERSION_ALREADY_RETRACTED"
        if step == "corrected":
            repeated = self.worth == CORRECTED
            self.worth = CORRECTED
            return (frozenset({"duplicate"}) if repeated else COUNTED), ""
        self.worth = None
        return COUNTED, ""


class DataManagerModel:
    """What happens to them in the Data Manager API alone: a correction is a whole conversion, so
    its sale is not needed any more, and nothing is retracted."""

    def __init__(self) -> None:
        self.worth: float | str | None = "unknown"

    def take(self, step: Step) -> tuple[frozenset[str], str]:
        """Carry out a step. Return the possible outcomes of its row, and the code of an error."""
        if step == "refunded":
            return frozenset({"rejected"}), "RETRACTION_NOT_SENT"
        if step == "sold" and self.worth == CORRECTED:
            return frozenset({"skipped"}), "SUPERSEDED_SALE"
        self.worth = SOLD if step == "sold" else CORRECTED
        return COUNTED, ""


Model = AdsModel | DataManagerModel


def drop(google: Sandbox, content: bytes, name: str, folder: str | None = None) -> dict[str, Any]:
    """Drop a file and return its document after all deliveries."""
    dropped, generation = google.drop(content, name, folder)
    assert google.delivery.wait_until_idle()
    return google.results(dropped, generation)


def pass_hours(google: Sandbox, *hours: float) -> None:
    """Let hours pass, and sweep after each of them: what was sent becomes final."""
    for each in hours:
        google.clock.advance(each)
        google.run_sweep()


def outcomes(document: dict[str, Any]) -> list[str]:
    """The outcome of every row of a file, in the file's order. The counts must agree."""
    assert document["file_error"] is None, document["file_error"]
    counts = document["counts"]
    listed = {row["record"]: row["outcome"] for row in document["rows"]}
    found = [listed.get(record, "uploaded") for record in range(1, counts["rows"] + 1)]
    for outcome in set(found):
        assert counts[outcome] == found.count(outcome), counts
    return found


def codes(document: dict[str, Any]) -> set[str]:
    """The codes of all errors of rows."""
    return {error["code"] for row in document["rows"] for error in row["errors"]}


def worth(google: Sandbox, order: Order) -> float | str | None:
    """What the order is worth at Google: "unknown" if it has none, None if it was retracted."""
    try:
        return google.state.worth(order.order_id)
    except KeyError:
        return "unknown"
