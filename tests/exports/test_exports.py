"""Twenty exports that examples/ does not have, each with its profile and its truth.

A folder has the export, `profile.json`, and `truth.json`, which was written by somebody who had
read the file and not this program: the conversions and retractions that must reach Google, and why
no other row may. Rows are counted from the first one below the header.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from lib.config.profile import Profile
from lib.destinations.base import UploadResult
from lib.destinations.registry import capabilities_of
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.records import Adjustment, Conversion, Record, is_derived_order_id
from tests.fakes import START, FakeApi, FakeBatch, World, deliver, world

FOLDER: Final = Path(__file__).parent
SYSTEMS: Final = sorted(path.parent.name for path in FOLDER.glob("*/truth.json"))
APIS: Final = ("google_ads", "data_manager")

_ACTIONS: Final = ("1001", "1002", "1003")


class _Sale(NamedTuple):
    """What arrives of a sale. `order_id` and `gclid` are empty if the export has none."""

    time: datetime
    value: Decimal | None
    currency_code: str | None
    action_id: str
    order_id: str
    gclid: str
    hashed_emails: tuple[str, ...]
    hashed_phones: tuple[str, ...]


class _Api(FakeApi):
    """The fake API with three actions. It keeps the records that it got in `got`."""

    got: list[Record]

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        account = super().account(customer_id, fresh=fresh)
        (action,) = account.actions.values()
        actions = {each: replace(action, id=each, name=each) for each in _ACTIONS}
        return replace(account, actions=actions)

    def send(self, batch: FakeBatch, deadline: Deadline) -> UploadResult:
        self.got.extend(batch.records)
        return super().send(batch, deadline)


@dataclass(slots=True)
class _World(World):
    """A world with both APIs: corrections may go to another one than conversions."""

    apis: dict[str, _Api] = field(default_factory=dict)

    def connect(self, profile: Profile, log: Log) -> FakeApi:
        return self.apis[profile.destination]


def _play(system: str, api: str, truth: Mapping[str, Any]) -> tuple[list[Record], dict[str, Any]]:
    """Drop an export, and let the sweep finish it. Return the records and the results."""
    profile = json.loads((FOLDER / system / "profile.json").read_text("utf-8"))
    profile |= {"destination": api}
    if any(each.get("send") == "retraction" for each in profile.get("conversions", ())):
        profile |= {"adjustments_via": "google_ads"}
    got: list[Record] = []
    apis = {name: _Api(capabilities=capabilities_of(name)) for name in APIS}
    for each in apis.values():
        each.got = got
    base = world()
    there = _World(base.store, apis[api], base.clock, base.settings, apis=apis)
    there.clock.seconds = (datetime.fromisoformat(truth["today"]) - START).total_seconds()
    there.profiles["default"] = profile
    path = FOLDER / system / truth["file"]
    deliver(there, path.name, path.read_bytes())
    (name,) = (each for each in there.store.names("out-bucket") if each.endswith(".results.json"))
    return got, json.loads(there.store.objects["out-bucket", name][0])


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_google_gets_the_sales_of_an_export_and_nothing_else(system: str, api: str) -> None:
    """Each sale arrives once, with its time, value, currency, action, order, click and person; no
    other row does, and the profile has an entry for each row."""
    truth = json.loads((FOLDER / system / "truth.json").read_text("utf-8"))
    got, results = _play(system, api, truth)
    assert results["file_error"] is None
    assert "NO_ENTRY_FITS" not in results["codes"]
    sales = [each for each in got if isinstance(each, Conversion)]
    assert _wrong(sales, truth["conversions"]) == {}
    # The Data Manager API reports later what became of the sales, and corrections wait for that.
    retracted = [each.order_id for each in got if isinstance(each, Adjustment)]
    waits = api == "data_manager"
    assert retracted == ([] if waits else [each["order_id"] for each in truth["adjustments"]])


def _wrong(
    sales: Sequence[Conversion], truth: Sequence[Mapping[str, Any]]
) -> Mapping[str, list[_Sale]]:
    """Return the sales that only one of the two has. Users are hashed."""
    got = Counter(map(_sent, sales))
    true = Counter(map(_true, truth))
    differences = {"not in the truth": got - true, "not sent": true - got}
    return {what: [*these.elements()] for what, these in differences.items() if these}


def _sent(record: Conversion) -> _Sale:
    own_order_id = "" if is_derived_order_id(record.order_id or "") else record.order_id or ""
    return _Sale(
        datetime.fromisoformat(record.time),
        None if record.value is None else Decimal(str(record.value)),
        None if record.value is None else record.currency_code,
        record.action_id,
        own_order_id,
        record.gclid,
        *(record.hashed_emails, record.hashed_phones),
    )


def _true(sale: Mapping[str, Any]) -> _Sale:
    return _Sale(
        datetime.fromisoformat(sale["time"]),
        None if sale["value"] is None else Decimal(sale["value"]),
        None if sale["value"] is None else sale["currency"],
        sale["action"],
        sale["order_id"] or "",
        sale["gclid"] or "",
        *(_hashed(sale["email"]), _hashed(sale["phone"])),
    )


def _hashed(identifier: str | None) -> tuple[str, ...]:
    return (sha256(identifier.encode()).hexdigest(),) if identifier else ()
