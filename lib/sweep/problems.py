"""Open problems: what does not come, and what does not count. One table has each kind and its rule.

A sweep logs one line for each problem while it holds. Nothing is remembered here: Cloud Monitoring
knows since when a problem is open, tells people once a day, and says when it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pydantic import ValidationError

from lib.catalogue.texts import number_of, number_of_rows
from lib.config.expect import Expectation
from lib.config.profile import Profile, profile_name
from lib.model.money import ACCOUNT_CURRENCY, Sum, add_sums, amount
from lib.results.names import has_corrected_rows, uncorrected
from lib.state.runs import RunEntry
from lib.state.store import StoredObject

UNFINISHED_AFTER: Final = timedelta(hours=2)
NOT_STARTED_AFTER: Final = timedelta(minutes=30)
FORGOTTEN_AFTER: Final = timedelta(days=7)
"""A stopped file, a lost row or a file that was never started is told for so long."""
NOTHING_NEW_AFTER: Final = timedelta(days=3)
ONLY_CHECKED_AFTER: Final = timedelta(days=7)
LARGEST_SHARE_LOST: Final = 0.2
"""Of the rows or the money of a file, or of a profile's files of seven days."""
_MOST_FILES_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class View:
    """What a sweep sees: the runs, the live input files by run key, and the profiles.

    `unreadable` are the keys of runs that cannot be read. `without_run` are the files that no
    attempt has begun with.
    """

    now: datetime
    entries: Sequence[RunEntry]
    unreadable: set[str]
    files: Mapping[str, StoredObject]
    without_run: Sequence[StoredObject]
    profiles: Mapping[str, Any]

    def is_recent(self, entry: RunEntry) -> bool:
        """Return whether a problem of this file is still told."""
        return self.now - entry.arrived <= FORGOTTEN_AFTER

    def is_replaced(self, entry: RunEntry) -> bool:
        """Return whether a later file has the rows of this one, or somebody has deleted it."""
        return entry.key not in self.files or entry.superseded

    def by_profile(self) -> dict[str, list[RunEntry]]:
        """Return the runs of each profile, oldest file first."""
        entries: dict[str, list[RunEntry]] = {}
        for entry in sorted(self.entries, key=lambda each: (each.arrived, each.generation)):
            if not entry.superseded:
                entries.setdefault(entry.profile, []).append(entry)
        return entries


@dataclass(frozen=True, slots=True)
class Found:
    """An open problem of a profile, and the micros that are at stake by currency."""

    profile: str
    detail: str
    money: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of open problem. Its name is that of its section in docs/alerts.md."""

    name: str
    severity: Literal["ERROR", "WARNING"]
    title: str
    action: str
    find: Callable[[View], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class OpenProblem:
    """A problem that holds now."""

    kind: Kind
    profile: str
    detail: str
    money: Mapping[str, int]

    @property
    def at_stake(self) -> str:
        """What the rows are worth, for people; empty if nothing says so."""
        return " and ".join(
            f"{amount(micros)} {currency or ACCOUNT_CURRENCY}"
            for currency, micros in sorted(self.money.items(), key=lambda each: -each[1])
            if micros
        )


def open_problems(view: View) -> list[OpenProblem]:
    """Return all problems that hold now: the dearest first, then in the order of the table."""
    problems = [
        OpenProblem(kind, found.profile, found.detail, found.money)
        for kind in KINDS
        for found in kind.find(view)
    ]
    return sorted(problems, key=lambda each: -max(each.money.values(), default=0))


# ── what does not come ───────────────────────────────────────────────────────────────────────────


def _no_file(view: View) -> Iterator[Found]:
    """A profile expects a file, and none has come since the last one was due."""
    arrivals: dict[str, list[datetime]] = {}
    for entry in view.entries:
        arrivals.setdefault(entry.profile, []).append(entry.arrived)
    for file in view.without_run:
        if file.created is not None:
            arrivals.setdefault(profile_name(file.name), []).append(file.created)
    for name, written in view.profiles.items():
        try:
            expectation = Profile.model_validate(written).expectation
        except ValidationError:
            continue  # a file of this profile is stopped, and that is told
        if expectation is None:
            continue
        due = expectation.latest_due(view.now)
        came = _counts_for(due.after, due.by, sorted(arrivals.get(name, [])), expectation)
        if not came:
            last = max(arrivals.get(name, []), default=None)
            since = "none has ever come"
            if last is not None:
                since = f"the last one came {last.astimezone(due.by.tzinfo):%Y-%m-%d %H:%M}"
            yield Found(name, f"due by {due.by:%Y-%m-%d %H:%M %Z}; {since}", {})


def _counts_for(
    after: datetime, by: datetime, arrivals: Sequence[datetime], expectation: Expectation
) -> bool:
    """Return whether a file came for the last due time, or after it.

    A file that comes late is the one of the time before: it does not count for the next one, unless
    another one follows. With "every weekday by 06:30", a file that comes on Friday at 09:00 is
    Friday's. If no other one follows, Monday's is missing on Monday at 06:30.
    """
    if arrivals and arrivals[-1] > by:
        return True
    came = [arrival for arrival in arrivals if after < arrival <= by]
    if not came:
        return False
    before = expectation.latest_due(after)
    is_missing_before = not any(before.after < arrival <= before.by for arrival in arrivals)
    had_files = any(arrival <= after for arrival in arrivals)
    return len(came) > 1 or not (is_missing_before and had_files)


def _unfinished(view: View) -> Iterator[Found]:
    """Two hours after a file came, it has no results, or work of it is two hours late."""
    lines: list[tuple[str, str]] = []
    for entry in view.entries:
        since = entry.arrived if not entry.is_published else entry.due or view.now
        is_late = view.now - since >= UNFINISHED_AFTER
        ended_at = entry.stopped_at if entry.is_settled else None
        is_recent = ended_at is None or view.now - ended_at <= FORGOTTEN_AFTER
        if is_late and is_recent and not view.is_replaced(entry):
            why = f" ({entry.cause}, {entry.tries} tries)" if entry.cause or entry.tries else ""
            lines.append((entry.profile, f"{entry.name}{why}"))
    for key in view.unreadable & view.files.keys():
        name = view.files[key].name
        lines.append((profile_name(name), f"{name} (STATE_UNREADABLE)"))
    return _one_a_profile(lines)


def _not_started(view: View) -> Iterator[Found]:
    """A file came, and no event has started it."""
    ages = [(file, view.now - (file.created or view.now)) for file in view.without_run]
    return _one_a_profile(
        (profile_name(file.name), file.name)
        for file, age in ages
        if NOT_STARTED_AFTER <= age <= FORGOTTEN_AFTER
    )


def _stopped(view: View) -> Iterator[Found]:
    """A file was stopped, and nobody has replaced or deleted it."""
    lines: list[tuple[str, str]] = []
    for entry in view.entries:
        stopped_at = entry.stopped_at or entry.arrived
        is_recent = view.now - stopped_at <= FORGOTTEN_AFTER
        if entry.stop and entry.is_published and is_recent and not view.is_replaced(entry):
            detail = f": {entry.stop_detail}" if entry.stop_detail else ""
            lines.append((entry.profile, f"{entry.name} ({entry.stop}{detail})"))
    return _one_a_profile(lines)


def _nothing_new(view: View) -> Iterator[Found]:
    """Files come, and nothing of them is meant to be sent, or they are the same for three days."""
    for profile, entries in view.by_profile().items():
        read = [entry for entry in entries if entry.is_published and not entry.stop]
        if not read or not view.is_recent(read[-1]):
            continue
        newest = read[-1]
        if newest.totals.rows and not newest.totals.meant:
            rows = newest.totals.all_rows
            yield Found(profile, f"{newest.name}: all {number_of_rows(rows)} are skipped", {})
            continue
        same = []
        for entry in reversed(read):
            if entry.content != newest.content:
                break
            same.append(entry)
        if len(same) > 1 and newest.arrived - same[-1].arrived >= NOTHING_NEW_AFTER:
            yield Found(profile, f"{len(same)} files with the same content", {})


def _empty_columns(view: View) -> Iterator[Found]:
    """A column that the profile names has no cell in the newest file, but for rows of `fix`."""
    for profile, entries in view.by_profile().items():
        read = [
            entry for entry in entries if entry.is_published and not has_corrected_rows(entry.name)
        ]
        if read and read[-1].empty_columns and view.is_recent(read[-1]):
            columns = number_of(read[-1].empty_columns, "column")
            yield Found(profile, f"{read[-1].name}: {columns}", {})


# ── what does not count ──────────────────────────────────────────────────────────────────────────


def _rows_lost(view: View) -> Iterator[Found]:
    """Too large a share of the rows or the money of a profile does not count."""
    for profile, entries in view.by_profile().items():
        recent = [entry for entry in entries if view.is_recent(entry) and entry.is_published]
        recent = [
            entry
            for entry in uncorrected(reversed(recent))
            if entry.totals.meant and not entry.stop
        ][::-1]
        if not recent:
            continue
        changed = view.now - timedelta(days=1)
        alone = [
            entry
            for entry in recent
            if entry is recent[-1] or (entry.changed_at or entry.arrived) >= changed
        ]
        files = [entry for entry in alone if _is_too_much([entry])]
        if not files and _is_too_much(recent):
            files = [entry for entry in recent if entry.totals.lost]
        if files:
            money: dict[str, int] = {}
            for entry in files:
                for currency, (_, micros) in entry.totals.lost_money().items():
                    money[currency] = money.get(currency, 0) + micros
            yield Found(profile, _named(map(_loss, files)), money)


def _is_too_much(entries: Sequence[RunEntry]) -> bool:
    lost, meant = sum(e.totals.lost for e in entries), sum(e.totals.meant for e in entries)
    if lost > LARGEST_SHARE_LOST * meant:
        return True
    lost_money, meant_money = dict[str, Sum](), dict[str, Sum]()
    for entry in entries:
        add_sums(lost_money, entry.totals.lost_money())
        add_sums(meant_money, entry.totals.meant_money())
    return any(
        each.micros > LARGEST_SHARE_LOST * meant_money[currency].micros
        for currency, each in lost_money.items()
    )


def _loss(entry: RunEntry) -> str:
    code = f", mostly {entry.totals.code}" if entry.totals.code else ""
    return f"{entry.name}: {entry.totals.lost} of {number_of_rows(entry.totals.meant)}{code}"


def _only_checked(view: View) -> Iterator[Found]:
    """For a week, files were only checked: nothing of them counts."""
    for profile, entries in view.by_profile().items():
        checked: list[RunEntry] = []
        for entry in reversed(entries):
            if not entry.validate_only:
                break
            checked.append(entry)
        is_long = bool(checked) and view.now - checked[-1].arrived >= ONLY_CHECKED_AFTER
        if is_long and view.is_recent(checked[0]):
            yield Found(profile, f"{len(checked)} files", {})


def _silent(view: View) -> Iterator[Found]:
    """What Google says later of uploaded rows cannot be read, or did not come."""
    lines: list[tuple[str, str]] = []
    for entry in view.entries:
        is_recent = view.now - (entry.changed_at or entry.arrived) <= FORGOTTEN_AFTER
        if entry.blocked:
            lines.append((entry.profile, f"{entry.name} ({entry.blocked})"))
        elif entry.totals.unknown and is_recent:
            rows = number_of_rows(entry.totals.unknown)
            lines.append((entry.profile, f"{entry.name} (STATUS_UNKNOWN: {rows})"))
    return _one_a_profile(lines)


def _one_a_profile(lines: Iterable[tuple[str, str]]) -> Iterator[Found]:
    """Yield one problem for each profile, from profiles and what is to be said of their files."""
    by_profile: dict[str, list[str]] = {}
    for profile, of_file in lines:
        by_profile.setdefault(profile, []).append(of_file)
    for profile, files in by_profile.items():
        yield Found(profile, _named(files), {})


def _named(files: Iterable[str]) -> str:
    """Return the names of files for one line."""
    names = list(files)
    more = len(names) - _MOST_FILES_NAMED
    shown = "; ".join(names[:_MOST_FILES_NAMED])
    return f"{shown}; and {more} more" if more > 0 else shown


KINDS: Final = (
    Kind(
        "rows_lost",
        "ERROR",
        "Rows do not count",
        "Open the report of the file, and do its next step.",
        _rows_lost,
    ),
    Kind(
        "file_stopped",
        "ERROR",
        "A file was stopped",
        "Do what the report of the file says, and upload the file again.",
        _stopped,
    ),
    Kind(
        "no_file",
        "ERROR",
        "An expected file has not come",
        "Ask the owner of the export whether it ran.",
        _no_file,
    ),
    Kind(
        "file_unfinished",
        "ERROR",
        "A file is not finished",
        "Read the log of the function for this file.",
        _unfinished,
    ),
    Kind(
        "file_not_started",
        "ERROR",
        "No event has started a file",
        "Check the trigger of the function and its permissions.",
        _not_started,
    ),
    Kind(
        "google_silent",
        "ERROR",
        "Google's final answer cannot be read, or did not come",
        "Correct the credentials or the permission that the code names. If it names none, look in "
        "Google Ads whether the conversions have arrived.",
        _silent,
    ),
    Kind(
        "nothing_sent",
        "WARNING",
        "Files come, and nothing new is sent",
        "Check the export and the `skip` and `rows` of the profile.",
        _nothing_new,
    ),
    Kind(
        "column_empty",
        "WARNING",
        "A column is empty",
        "Check the export, or correct `columns` or `optional` of the profile.",
        _empty_columns,
    ),
    Kind(
        "only_checked",
        "WARNING",
        "Files have only been checked for a week",
        "Remove `validate_only` from the profile, or stop the export.",
        _only_checked,
    ),
)
"""Every kind of open problem."""
