"""The end of `init`: the first conversions as Google will get them, and what is not sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of_rows
from lib.cli.check import CheckResult, OfflineDestination, check
from lib.cli.check_output import show
from lib.cli.init.proposal import Proposal
from lib.config.profile import Profile
from lib.destinations.base import Destination, UploadResult
from lib.destinations.registry import capabilities_of
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.records import Adjustment, Call, Record, is_derived_order_id
from lib.state.store import StoredObject

_SHOWN: Final = 3
_LETTERS: Final = 6
"""Of a click ID, at each end."""


class _First:
    """A batch that keeps the first records, and counts all."""

    def __init__(self, kept: list[Record]) -> None:
        self._kept = kept
        self._size = 0

    def add(self, record: Record, /) -> None:
        self._size += 1
        if len(self._kept) < _SHOWN:
            self._kept.append(record)

    add_adjustment = add_call = add

    def __len__(self) -> int:
        return self._size

    def close(self) -> int:
        return 0


@dataclass(slots=True)
class _Preview(OfflineDestination):
    """The offline destination, except that it keeps the first records."""

    kept: list[Record] = field(default_factory=list)

    def batch(self, job_id: int, *, maybe_sent: bool, after: Any = None) -> Any:
        return _First(self.kept)

    def send(self, batch: Any, deadline: Deadline) -> UploadResult:
        return UploadResult({}, ())


def show_ending(file: Path, name: str, proposal: Proposal, now: datetime, console: Console) -> bool:
    """Show what would happen to a file with the profile. Return whether a row would be sent."""
    profile = Profile.model_validate(proposal.values())
    source = StoredObject("", str(file), 0, file.stat().st_size)
    kept: list[Record] = []

    def connect(profile: Profile, log: Log) -> Destination[Any]:
        return _Preview(capabilities_of(profile.destination), kept=kept)

    with file.open("rb") as stream:
        checked = check(stream, source, name, profile, now, connect=connect, with_values=True)
    show(checked, console)
    sent = checked.summary.tally.outcomes.get("ok", 0)
    if not sent:
        console.print(f"Nothing would be sent. {_likely_cause(checked)}", soft_wrap=True)
        return False
    how_many = f"The first {len(kept)} of {number_of_rows(sent)}" if sent > len(kept) else "All"
    title = capabilities_of(profile.destination).title
    console.print(f"{how_many}, as the {title} will get them:", soft_wrap=True)
    for record in kept:
        console.print(f"  {_as_text(record)}", soft_wrap=True, markup=False, highlight=False)
    return True


def _as_text(record: Record) -> str:
    """Return what a person needs to recognize a record. It contains no personal data."""
    parts = [record.time]
    if isinstance(record, Adjustment):
        parts.append(record.adjustment_type)
    if record.value is not None:
        parts.append(
            f"{record.value:,.2f} {record.currency_code or '(the currency of the action)'}"
        )
    elif not isinstance(record, Adjustment):
        parts.append("no value: that of the action")
    parts.append(f"action {record.action_id}")
    if record.order_id:
        is_derived = is_derived_order_id(record.order_id)
        parts.append("derived order ID" if is_derived else f"order {record.order_id}")
    return " · ".join([*parts, *_identifiers(record)])


def _identifiers(record: Record) -> list[str]:
    """Return by what Google finds the click or the person: a shortened click ID, kinds of data."""
    if isinstance(record, Call):
        return ["caller"]
    if isinstance(record, Adjustment):
        return []
    found = [
        f"{name} {_shortened(value)}"
        for name, value in (
            *(("gclid", record.gclid), ("gbraid", record.gbraid), ("wbraid", record.wbraid)),
        )
        if value
    ]
    found += ["email"] * bool(record.hashed_emails) + ["phone"] * bool(record.hashed_phones)
    more = record.optional_fields
    return [*found, "address"] if more is not None and more.address else found


def _shortened(click_id: str) -> str:
    if len(click_id) <= 2 * _LETTERS:
        return click_id
    return f"{click_id[:_LETTERS]}...{click_id[-_LETTERS:]}"


def _likely_cause(checked: CheckResult) -> str:
    """Return why no row would be sent, and what to do."""
    summary = checked.summary
    skipped = summary.tally.outcomes.get("skipped", 0)
    problem = summary.metadata.file_error
    if problem is not None:
        code, rows = problem.code, 0
    elif skipped == summary.tally.rows or not summary.tally.codes:
        code, rows = "FILTER_KEEPS_NO_ROW", skipped
    else:
        refusing = {
            code: count
            for code, count in summary.tally.codes.items()
            if lookup(code).outcome is not None
        }
        code, rows = max(refusing.items(), key=lambda each: each[1])
    entry = lookup(code)
    where = f" ({number_of_rows(rows)})" if rows else ""
    return f"The likely cause is {code}{where}: {entry.meaning} {entry.action}"
