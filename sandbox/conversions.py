"""The conversions that both APIs accepted, and what each has been worth since.

The book has the first value of every conversion, and each adjustment of it. It reads the accepted
conversions when somebody asks, so uploads don't wait for it. A conversion is found by order ID and
action or, if it has no order ID, by gclid, action and time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

CLICK_ID = re.compile(r"[A-Za-z0-9_-]{10,512}").fullmatch
TOO_RECENT = timedelta(hours=6)
"""A click, a call or a conversion action that is not yet this old cannot have conversions."""
CURRENCY = re.compile(r"[A-Z]{3}").fullmatch
"""Google knows which codes are in use. Here, any three capital letters are one."""

# What both APIs recognize a repeat by.
ClickKey = tuple[str, int, float]
"""Click ID, conversion action, time of the conversion."""
OrderKey = tuple[str, int]
"""Order ID, conversion action."""
CallKey = tuple[str, float, int, float]
"""Caller ID or its digest, start of the call, conversion action, time of the conversion."""

Route = Literal["google_ads", "data_manager"]


class Accepted(NamedTuple):
    """One accepted conversion. `message` is the wire format; `as_json` decodes it."""

    customer_id: str
    action_id: int
    job_id: int
    request_id: str
    arrived_at: datetime
    route: Route
    message: bytes
    decode: Callable[[bytes], dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return {
            "customer_id": self.customer_id,
            "conversion_action_id": self.action_id,
            "job_id": self.job_id,
            "request_id": self.request_id,
            "arrived_at": self.arrived_at.isoformat(),
            "route": self.route,
            "conversion": self.decode(self.message),
        }


class NotCounted(NamedTuple):
    """An event that the Data Manager API accepted and did not count. `message` is its JSON."""

    request_id: str
    reason: str
    message: dict[str, Any]


class Change(NamedTuple):
    """One entry of a history.

    `kind` is `conversion`, the type of an adjustment in lower case, or `ignored` for an adjustment
    that was accepted and changed nothing.
    """

    kind: str
    at: datetime
    """When the conversion or the adjustment happened, as the caller says."""
    value: float | None
    """The value from then on; None: the conversion doesn't count."""
    currency_code: str
    route: str
    request_id: str = ""
    arrived_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "at": self.at.isoformat(),
            "value": self.value,
            "currency_code": self.currency_code,
            "route": self.route,
            "request_id": self.request_id,
            "arrived_at": self.arrived_at.isoformat() if self.arrived_at else None,
        }


@dataclass(slots=True)
class Conversion:
    """One conversion and its history, which is never empty. Its first entry is the conversion."""

    customer_id: str
    action_id: int
    order_id: str
    gclid: str
    adjustable: bool = True
    """False: matched by a WBRAID only, which Google doesn't adjust."""
    history: list[Change] = field(default_factory=list)

    @property
    def occurred_at(self) -> datetime:
        return self.history[0].at

    @property
    def arrived_at(self) -> datetime | None:
        return self.history[0].arrived_at

    @property
    def changes(self) -> list[Change]:
        """The history without what was ignored."""
        return [one for one in self.history if one.kind != "ignored"]

    @property
    def value(self) -> float | None:
        """What the conversion is worth now; None: it was retracted."""
        return self.changes[-1].value

    @property
    def currency_code(self) -> str:
        return self.changes[-1].currency_code

    @property
    def retracted(self) -> bool:
        return self.value is None

    @property
    def restatements(self) -> list[Change]:
        """The accepted adjustments that have a value."""
        return [one for one in self.changes[1:] if one.value is not None]

    @property
    def restated_to_zero(self) -> bool:
        return bool(self.restatements) and self.value == 0

    def as_json(self) -> dict[str, Any]:
        return {
            "customer_id": self.customer_id,
            "conversion_action_id": self.action_id,
            "order_id": self.order_id,
            "gclid": self.gclid,
            "value": self.value,
            "currency_code": self.currency_code,
            "history": [one.as_json() for one in self.history],
        }


class ConversionBook:
    """All conversions with their histories. Hold the state's lock while you use it."""

    def __init__(self, accepted: list[Accepted]) -> None:
        self._accepted = accepted
        self._read = 0
        self._all: list[Conversion] = []
        self._by_order: dict[tuple[str, int], Conversion] = {}
        self._by_click: dict[tuple[str, int, float], Conversion] = {}

    def clear(self) -> None:
        self._read = 0
        for known in (self._all, self._by_order, self._by_click):
            known.clear()

    def add(self, conversion: Conversion) -> None:
        """Enter a conversion, also one that wasn't uploaded (a website's), with its history."""
        self._all.append(conversion)
        if conversion.order_id:
            self._by_order[conversion.order_id, conversion.action_id] = conversion
        elif conversion.gclid:
            moment = conversion.occurred_at.timestamp()
            self._by_click[conversion.gclid, conversion.action_id, moment] = conversion

    def conversions(self) -> Iterator[Conversion]:
        self.catch_up()
        yield from self._all

    def by_order(self, order_id: str, action_id: int) -> Conversion | None:
        self.catch_up()
        return self._by_order.get((order_id, action_id))

    def by_click(self, gclid: str, action_id: int, moment: datetime) -> Conversion | None:
        self.catch_up()
        return self._by_click.get((gclid, action_id, moment.timestamp()))

    def catch_up(self) -> None:
        """Read what was accepted since the last time."""
        while self._read < len(self._accepted):
            conversion = _read(self._accepted[self._read])
            if conversion is not None:
                self.add(conversion)
            self._read += 1


def _read(accepted: Accepted) -> Conversion | None:
    """The conversion of an upload; None for a call, which can't be adjusted."""
    sent = accepted.as_json()["conversion"]
    if "caller_id" in sent or "call_info" in sent:
        return None
    clicks = sent if accepted.route == "google_ads" else sent.get("ad_identifiers", {})
    when = sent.get("conversion_date_time") or sent["event_timestamp"]
    first = Change(
        "conversion",
        datetime.fromisoformat(when),
        float(sent.get("conversion_value", 0.0)),
        sent.get("currency_code") or sent.get("currency", ""),
        accepted.route,
        accepted.request_id,
        accepted.arrived_at,
    )
    return Conversion(
        accepted.customer_id,
        accepted.action_id,
        sent.get("order_id") or sent.get("transaction_id", ""),
        clicks.get("gclid", ""),
        not clicks.get("wbraid"),
        [first],
    )
