"""Plays the owner of an export: answers the questions of `init`, drops the file, and compares what
Google got with the truth.

`truth.json` next to an export was written by somebody who read the file and not this program. The
owner knows the columns and values of the file, the account and the business, and nothing of a
profile: an answer is one of those that the question offers, or a word about the business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from click.testing import CliRunner, Result
from lib.cli.init.proposal import Question
from lib.cli.init.sample import read_likely

from lib.cli.commands import main
from lib.cli.init import command
from lib.config.profile import read_profiles
from lib.destinations.base import MaybeSent, UploadResult
from lib.errors import UploadError
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.records import Adjustment, Conversion, Record, is_derived_order_id
from tests.fakes import START, FakeApi, FakeRequest, World, deliver, world

FOLDER: Final = Path(__file__).parent
SYSTEMS: Final = sorted(path.parent.name for path in FOLDER.glob("*/truth.json"))
OPEN_TO_ALL: Final = "data_manager"
"""What `init` chooses unless its answer matters."""
ROUTES: Final = ("google_ads", OPEN_TO_ALL)

_ACCOUNT: Final = "123-456-7890"
_ACTION: Final = "1001"
_ACTIONS: Final = ("1001", "1002", "1003", "1004")
_ROLE_OF_FIELD: Final = {
    "conversion_value": "value",
    "conversion_date_time": "time",
    "time_of_day": "time of day",
    "order_id": "order id",
    "currency_code": "currency",
    "gclid": "click",
    "email": "email",
    "phone": "phone",
    "ad_user_data": "consent",
}
_MOST_REJECTED: Final = 0.01
"""Share of the sales that may be rejected for a cell: they are named, and can be corrected."""


class Stuck(Exception):
    """A question offers no answer that the owner could give."""


@dataclass(frozen=True)
class Export:
    """An export and its truth."""

    system: str
    truth: Mapping[str, Any]

    @classmethod
    def of(cls, system: str) -> Export:
        """Read the truth of a system."""
        return cls(system, json.loads((FOLDER / system / "truth.json").read_text("utf-8")))

    @property
    def path(self) -> Path:
        return FOLDER / self.system / str(self.truth["file"])

    @property
    def owner(self) -> Mapping[str, Any]:
        owner: Mapping[str, Any] = self.truth["owner"]
        return owner

    @property
    def today(self) -> datetime:
        return datetime.fromisoformat(self.truth["today"])

    @cached_property
    def _rows(self) -> list[dict[str, str]]:
        values = {"header_row": self.truth["header_line"]}
        with self.path.open("rb") as stream:
            sample = read_likely(stream, values, 1 << 30)
        return [dict(zip(sample.names, row.cells, strict=False)) for row in sample.rows]

    def order_ids(self, truth: Mapping[str, Any]) -> set[str | None]:
        """Return the IDs that a sale may have: that of the truth, and that of another column that
        the truth allows."""
        found = {truth["order_id"]}
        if other := self.truth.get("other_order_id"):
            found.add(self._rows[truth["row"] - 1][other["column"]])
        return found

    def answer(self, question: Question, route: str) -> str:
        """Answer a question as the owner does."""
        if question.problem:
            raise Stuck(f"{question.key} {question.where}: {question.problem}")
        plain = {
            "destination": "yes" if route == "google_ads" else "no",
            "customer_id": _ACCOUNT,
            "conversion_action": _ACTION,
            "time_zone": self.owner["time_zone"],
            "currency_code": self.owner["account_currency"],
            "phone_region": self.owner["country"],
            "day_first": "yes" if self.owner.get("dates") == "day first" else "no",
            "decimal_comma": "yes" if self.owner.get("decimals") == "comma" else "no",
        }
        if question.key in plain:
            return str(plain[question.key])
        if question.key == "headers":
            return self._columns(question)
        if question.key == "actions":
            return "; ".join(
                f"{stage} = {each['action']}, {each['value'] or ''}, {each['time'] or ''}"
                for stage, each in self.owner["actions"].items()
            )
        if question.where:
            # Some rows that count: have they been sold?
            (cells,) = (each.value for each in question.choices if each.name == "no")
            rows = [self._rows[each["row"] - 1] for each in self.truth["conversions"]]
            return "yes" if any(row[question.where] in cells for row in rows) else "no"
        return self._values(question)

    def _columns(self, question: Question) -> str:
        """Choose the column of each field that is asked about."""
        chosen = []
        labels = list(zip(question.labels, question.choices, strict=True))
        for held in dict.fromkeys(each.column for each in question.choices):
            wanted = self.owner["columns"].get(_ROLE_OF_FIELD[held])
            offered = {each.value: label for label, each in labels if each.column == held}
            if wanted not in offered:
                raise Stuck(f"{held}: {[*offered]} has no {wanted}")
            chosen.append(offered[wanted])
        return ", ".join(chosen)

    def _values(self, question: Question) -> str:
        """Choose the values that count, in each column that decides. What is not offered here is
        asked about alone, or shows as something wrong that is uploaded."""
        owner = self.owner
        counts = {owner["columns"].get("counts"): owner["sales"], **(owner.get("also") or {})}
        chosen = [
            label
            for label, each in zip(question.labels, question.choices, strict=True)
            if each.column in counts
            and str(each.value).casefold() in map(str.casefold, counts[each.column])
        ]
        return ", ".join(chosen) or question.labels[-1]


class _Google(FakeApi):
    """The fake API, except that it keeps the records, and has more actions."""

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        account = super().account(customer_id, custom_variables=custom_variables)
        actions = {each: replace(account.actions["1001"], id=each, name=each) for each in _ACTIONS}
        return replace(account, actions=actions)

    @cached_property
    def got(self) -> list[Record]:
        return []

    def send(
        self, requests: Sequence[FakeRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        for request in requests:
            self.got.extend(request.records)
        return super().send(requests, deadline, maybe_sent)


@dataclass(slots=True)
class Played:
    """What happened to an export: the questions, the profile, and what Google got."""

    asked: list[str] = field(default_factory=list)
    stuck: str = ""
    init: Result | None = None
    profile: Mapping[str, Any] = field(default_factory=dict)
    status: str = ""
    got: Sequence[Record] = ()
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """WRONG: something was uploaded that is not in the truth. arrived: all of it was, and
        nothing else. asked: `init` had no answer for the owner. stopped: nothing wrong was sent."""
        if self.wrong:
            return "WRONG"
        if self.stuck:
            return "asked"
        return "stopped" if len(self.missing) > _MOST_REJECTED * len(self.got) else "arrived"


def with_init(export: Export, route: str, folder: Path) -> Played:
    """Run `init` as the owner, and drop the file with the profile that it writes."""
    played = Played()

    def ask(question: Question) -> str:
        played.asked.append(".".join(filter(None, (question.key, question.where))))
        return export.answer(question, route)

    output = folder / f"{export.system}.{route}.json"
    words = ["init", "--now", export.truth["today"], "-o", str(output), str(export.path)]
    if route != OPEN_TO_ALL:
        words += ["--destination", route]
    with (
        patch.object(command, "is_interactive", lambda: True),
        patch.object(command, "local_zone", lambda: export.owner["time_zone"]),
        patch.object(command, "_ask", ask),
    ):
        played.init = CliRunner().invoke(main, words)
    failed = played.init.exception
    if isinstance(failed, Stuck):
        played.stuck = str(failed)
        return played
    if failed is not None and not isinstance(failed, SystemExit):
        raise failed
    if not output.exists():
        assert played.init.exit_code == 1, played.init.output
        played.stuck = played.init.output
        return played
    played.profile = read_profiles(output.read_text("utf-8"))["default"]
    drop(export, route, played)
    return played


def without_init(export: Export, route: str) -> Played:
    """Drop the file with the profile of a person who knows only the account."""
    owner = export.owner
    profile = {
        "destination": route,
        "customer_id": _ACCOUNT,
        "conversion_action": _ACTION,
        "time_zone": owner["time_zone"],
        "currency_code": owner["account_currency"],
    }
    played = Played(profile=profile)
    drop(export, route, played)
    return played


def drop(export: Export, route: str, played: Played) -> None:
    """Deliver the file to the fake world, and compare what Google got with the truth."""
    google = _Google()
    base = world()
    there = World(base.store, google, base.clock, base.settings)
    there.clock.seconds = (export.today - START).total_seconds()
    there.profiles["default"] = dict(played.profile)
    there.use_destination(route)
    try:
        played.status = deliver(there, export.path.name, export.path.read_bytes())
    except UploadError as error:
        played.status = f"{type(error).__name__}: {error.code}"
    played.got = google.got
    compare(export, played)


# ── what Google got, and the truth ───────────────────────────────────────────────────────────


def compare(export: Export, played: Played) -> None:
    """Compare each record with the truth. No message contains personal data."""
    expected = list(export.truth["conversions"])
    for record in played.got:
        if isinstance(record, Adjustment):
            played.wrong += _about_adjustment(record, export)
            continue
        assert isinstance(record, Conversion)
        found = [each for each in expected if _is_about(record, each)]
        if not found and _has_only_an_address(record) and "only_an_address" in export.truth:
            continue
        if not found:
            played.wrong.append(f"not a sale: {record.order_id} {record.time} {record.value}")
            continue
        near = min(found, key=lambda each: len(_differences(record, each, export)))
        expected.remove(near)
        played.wrong += [
            f"row {near['row']}: {each}" for each in _differences(record, near, export)
        ]
    played.missing += [f"row {each['row']}" for each in expected]


def _is_about(record: Conversion, truth: Mapping[str, Any]) -> bool:
    """Return whether a record is about the click or the person of a sale, or has its order ID."""
    if truth["order_id"] and record.order_id == truth["order_id"]:
        return True
    if truth["gclid"]:
        return bool(record.gclid == truth["gclid"])
    return _hash(truth["email"]) in record.hashed_emails or (
        _hash(truth["phone"]) in record.hashed_phones
    )


def _has_only_an_address(record: Conversion) -> bool:
    more = record.optional_fields
    others = record.gclid or record.hashed_emails or record.hashed_phones
    return bool(more and (more.address or more.user_ip_address) and not others)


@cache
def _hash(text: str | None) -> str:
    return sha256(text.encode()).hexdigest() if text else "-"


def _differences(record: Conversion, truth: Mapping[str, Any], export: Export) -> list[str]:
    """Return what is wrong with a record that is about a sale."""
    found = []
    phones = {truth["phone"], *truth.get("other_phones", ())}
    times = [truth["time"], truth.get("time_date_only") or truth["time"]]
    if datetime.fromisoformat(record.time) not in map(datetime.fromisoformat, times):
        found.append(f"time {record.time} is {truth['time']}")
    value = None if truth["value"] is None else Decimal(truth["value"])
    if (None if record.value is None else Decimal(str(record.value))) != value:
        found.append(f"value {record.value} is {value}")
    currency = record.currency_code or export.owner["account_currency"]
    if value is not None and currency != truth["currency"]:
        found.append(f"currency {currency} is {truth['currency']}")
    if record.action_id != str(truth["action"]):
        found.append(f"action {record.action_id} is {truth['action']}")
    own = record.order_id and not is_derived_order_id(record.order_id)
    if (record.order_id if own else None) not in export.order_ids(truth):
        found.append(f"order ID {record.order_id} is {truth['order_id']}")
    if record.gclid != (truth["gclid"] or ""):
        found.append("another click ID")
    if not {*record.hashed_emails} <= {_hash(truth["email"])}:
        found.append("another email address")
    if not {*record.hashed_phones} <= set(map(_hash, phones)):
        found.append("another phone number")
    return found


def _about_adjustment(record: Adjustment, export: Export) -> list[str]:
    for each in export.truth["adjustments"]:
        if each["order_id"] == record.order_id and each["kind"] == record.adjustment_type:
            new = each.get("new_value")
            if new is None or Decimal(new) == Decimal(str(record.value)):
                return []
    return [f"adjustment of {record.order_id}: {record.adjustment_type} {record.value}"]
