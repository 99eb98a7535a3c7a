"""Plays an export: drops it with its profile, and says which sales Google got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from lib.config.profile import Profile
from lib.destinations.base import MaybeSent, UploadResult
from lib.destinations.registry import capabilities_of
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.records import Adjustment, Conversion, Record, is_derived_order_id
from tests.fakes import START, FakeApi, FakeRequest, World, deliver, results, world

APIS: Final = ("google_ads", "data_manager")

_ACTIONS: Final = ("1001", "1002", "1003")


class Sale(NamedTuple):
    """What arrives of a sale. `order_id` and `gclid` are empty if the export has none."""

    time: datetime
    value: Decimal | None
    currency_code: str | None
    action_id: str
    order_id: str
    gclid: str
    hashed_emails: tuple[str, ...]
    hashed_phones: tuple[str, ...]


@dataclass(slots=True)
class Played:
    """What Google got of an export, and the results document."""

    sales: list[Sale]
    adjusted: list[tuple[str, str | None]]
    """The type and the order ID of each adjustment."""
    results: Mapping[str, Any]


class _Api(FakeApi):
    """The fake API with three actions. It keeps the records that it got in `got`."""

    got: list[Record]

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        account = super().account(customer_id, custom_variables=custom_variables)
        actions = {each: replace(account.actions["1001"], id=each, name=each) for each in _ACTIONS}
        return replace(account, actions=actions)

    def send(
        self, requests: Sequence[FakeRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        for request in requests:
            self.got.extend(request.records)
        return super().send(requests, deadline, maybe_sent)


@dataclass(slots=True)
class _World(World):
    """A world with both APIs: corrections may go to another one than conversions."""

    apis: dict[str, _Api] = field(default_factory=dict)

    def connect(self, profile: Profile, log: Log) -> FakeApi:
        return self.apis[profile.destination]


def play(path: Path, profile: Mapping[str, Any], api: str, today: datetime = START) -> Played:
    """Drop an export. What the API cannot correct, the Google Ads API gets."""
    entries = profile.get("conversions", ())
    retracts = any(each.get("send", "conversion") != "conversion" for each in entries)
    via = {"adjustments_via": "google_ads"} if retracts and api != "google_ads" else {}
    got: list[Record] = []
    apis = {name: _Api(capabilities=capabilities_of(name)) for name in APIS}
    for each in apis.values():
        each.got = got
    base = world()
    there = _World(base.store, apis[api], base.clock, base.settings, apis=apis)
    there.clock.seconds = (today - START).total_seconds()
    there.profiles["default"] = {**profile, "destination": api, **via}
    deliver(there, path.name, path.read_bytes())
    return Played(
        sales=[_sale(each) for each in got if isinstance(each, Conversion)],
        adjusted=[
            (each.adjustment_type, each.order_id) for each in got if isinstance(each, Adjustment)
        ],
        results=results(there, path.name),
    )


def _sale(record: Conversion) -> Sale:
    own_order_id = "" if is_derived_order_id(record.order_id or "") else record.order_id or ""
    return Sale(
        datetime.fromisoformat(record.time),
        None if record.value is None else Decimal(str(record.value)),
        None if record.value is None else record.currency_code,
        record.action_id,
        own_order_id,
        record.gclid,
        *(record.hashed_emails, record.hashed_phones),
    )


def true_sale(truth: Mapping[str, Any]) -> Sale:
    """Return a sale that must arrive, as a person wrote it down: with plain identifiers."""
    return Sale(
        datetime.fromisoformat(truth["time"]),
        Decimal(truth["value"]) if truth["value"] else None,
        truth["currency"] if truth["value"] else None,
        truth["action"],
        truth["order_id"] or "",
        truth["gclid"] or "",
        *(_hashed(truth["email"]), _hashed(truth["phone"])),
    )


def _hashed(identifier: str | None) -> tuple[str, ...]:
    return (sha256(identifier.encode()).hexdigest(),) if identifier else ()


def differences(got: Iterable[Sale], true: Iterable[Sale]) -> Mapping[str, list[Sale]]:
    """Return the sales that only one of the two has. Users are hashed."""
    sent, expected = Counter(got), Counter(true)
    found = {"not in the truth": sent - expected, "not sent": expected - sent}
    return {what: [*sales.elements()] for what, sales in found.items() if sales}
