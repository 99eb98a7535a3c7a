"""Open problems: what does not come, what does not finish, and what does not count.

    kind                begins                                  ends
    no_file             no file belongs to a due time           a file comes
    file_unfinished     no results for UNFINISHED_AFTER, or     its work is done
                        its work is so late; if a quota is
                        used up, QUOTA_UNFINISHED_AFTER
    file_not_started    no run for NOT_STARTED_AFTER            a run
    file_stopped        at once                                 a newer file of its name is well
    rows_lost           a share above LARGEST_SHARE_LOST        Google takes the rows from the
                                                                file that `fix` wrote, but not
                                                                before LOSS_TOLD_FOR_AT_LEAST
    nothing_sent        NOTHING_NEW_FILES bring nothing for     a file brings something
                        NOTHING_NEW_AFTER
    column_empty        in the newest file with selected rows   a file in which it is not
    google_silent       Google's later word is missing          it comes
    profile_unreadable  a profile, or the whole document,       mended
                        cannot be read
    deployment          only checked for ONLY_CHECKED_AFTER; a  mended
                        version ends soon

Any problem of a file ends when the file is deleted, and after TOLD_FOR; Google's silence too,
because nobody asks about a request for longer. (Of a run that cannot be read, nobody knows whether
its file was deleted.) A sweep logs one line for each problem while it holds. Nothing is remembered
here: Cloud Monitoring knows since when a problem is open, tells people, and says when it is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

from lib.catalogue.codes import lookup
from lib.catalogue.open_problems import (
    ALL_PROFILES,
    COLUMN_EMPTY,
    DEPLOYMENT,
    FILE_NOT_STARTED,
    FILE_STOPPED,
    FILE_UNFINISHED,
    GOOGLE_SILENT,
    NO_FILE,
    NO_PROFILE,
    NOTHING_SENT,
    PROBLEM_KINDS,
    PROFILE_UNREADABLE,
    ROWS_LOST,
    TOLD_FOR,
    Found,
    Money,
    OpenProblem,
    ProblemKind,
    action_in,
)
from lib.catalogue.texts import dated, number_of, number_of_rows
from lib.config.profile import Profile, choose_profile, profile_name
from lib.destinations import registry
from lib.errors import PermanentError
from lib.model.money import micros_by_currency
from lib.model.outcomes import Problem
from lib.model.totals import Totals
from lib.results.fix_files import fix_files_by_run, is_written_by_fix, rows_to_fix
from lib.results.sentences import noun_of, why_none_is_meant
from lib.run.deliver import stopped_file
from lib.run.statuses import STATUS_UNKNOWN
from lib.run.take import STALE_AFTER
from lib.source.names import without_suffix
from lib.state.runs import RunEntry, UnreadableRun, content_key, newest_sent, run_key
from lib.state.store import StoredObject

UNFINISHED_AFTER: Final = timedelta(hours=2)
QUOTA_UNFINISHED_AFTER: Final = timedelta(hours=26)
"""A quota comes back at midnight in California, and nobody can do anything before. A file that
waits for a second night shows that the quota is too small."""
NOT_STARTED_AFTER: Final = timedelta(minutes=30)
LOSS_TOLD_FOR_AT_LEAST: Final = timedelta(days=1)
NOTHING_NEW_AFTER: Final = timedelta(days=3)
NOTHING_NEW_FILES: Final = 3
ONLY_CHECKED_AFTER: Final = timedelta(days=7)
LARGEST_SHARE_LOST: Final = 0.2
"""Of the rows or the money of a file."""
VERSION_TOLD_BEFORE: Final = timedelta(days=60)
"""How long before a version ends it is told."""

RUNTIME_END: Final = date(2029, 10, 10)
"""The day on which python313, the runtime in `terraform/`, is deprecated: patches end.

https://cloud.google.com/run/docs/runtime-support
"""


@dataclass(frozen=True)
class View:
    """What a sweep sees: the runs, the live input files by run key, and the profiles.

    `unreadable` are the runs that cannot be read, and `without_run` the files that no attempt has
    begun with. `waiting_since` has the names of such files, perhaps of older generations, and when
    a sweep saw them first. `profiles` has each profile, or why it is invalid. `profiles_problem` is
    why the profiles document cannot be read, and `profiles_changed_at` when it was written, if that
    is known.
    """

    now: datetime
    entries: Sequence[RunEntry]
    unreadable: Sequence[UnreadableRun] = ()
    files: Mapping[str, StoredObject] = field(default_factory=dict)
    without_run: Sequence[StoredObject] = ()
    profiles: Mapping[str, Profile | PermanentError] = field(default_factory=dict)
    profiles_changed_at: datetime | None = None
    profiles_problem: Problem | None = None
    waiting_since: Mapping[str, datetime] = field(default_factory=dict)

    def waits_since(self, file: StoredObject) -> datetime:
        """Return since when no run has started for a file of this name.

        A file that is overwritten every few minutes is never old itself, so the time at which a
        sweep first saw its name counts.
        """
        came = file.created or self.now
        return min(came, self.waiting_since.get(file.name, came))

    def can_start(self, file: StoredObject) -> bool:
        """Return whether a file without a run is young enough to be sent.

        Its own age counts, not that of its name: somebody may replace a file of last month today.
        """
        return self.now - (file.created or self.now) <= STALE_AFTER

    def is_still_told(self, since: datetime) -> bool:
        """Return whether a problem of a file that began then is still told."""
        return self.now - since <= TOLD_FOR

    @cached_property
    def newest_sent(self) -> Mapping[str, int]:
        """The newest generation of each name that was sent."""
        return newest_sent(self.entries)

    @cached_property
    def live_names(self) -> frozenset[str]:
        """The names of all input files."""
        return frozenset(file.name for file in self.files.values())

    def is_deleted(self, entry: RunEntry) -> bool:
        """Return whether somebody has deleted the file. One that was overwritten is not."""
        # A long name is cut in the entry (`metadata_of`), but the key of its run is whole.
        return entry.name not in self.live_names and entry.key not in self.files

    def file_name_of(self, run: UnreadableRun) -> str:
        """Return the name of the live file of a run that cannot be read. If its file was deleted or
        overwritten, only its document has a name."""
        file = self.files.get(run.key)
        return file.name if file is not None else run.document

    def waits_for_results_since(self, entry: RunEntry) -> datetime:
        """Return when a file came, or the oldest equal one that it has replaced, directly or not,
        if nothing of them was sent. A file that is copied every hour is never old itself."""
        return min(entry.arrived, self._replaced_since.get(entry.name, entry.arrived))

    @cached_property
    def _replaced_since(self) -> Mapping[str, datetime]:
        """When the oldest file of each name came that an equal one replaced, since a file of this
        name was published."""
        since: dict[str, datetime] = {}
        for entry in sorted(self.entries, key=lambda each: each.generation):
            if entry.superseded:
                since.setdefault(entry.name, entry.arrived)
            elif entry.is_published:
                since.pop(entry.name, None)
        return since

    @cached_property
    def known_names(self) -> frozenset[str]:
        """The names of profiles: those of the document, and those of files that had one (without a
        profile, a run has no destination)."""
        of_files = (entry.profile for entry in self.entries if entry.destination)
        return frozenset({ALL_PROFILES, *self.profiles, *of_files})

    def shown_profile(self, name: str) -> str:
        """Return the name under which problems of a profile, or of a folder, are told.

        All folders that no profile names are one problem, however many there are. While nobody can
        read which ones they are, each keeps its name, as in the line of a file that stops.
        """
        is_known = name in self.known_names or self.profiles_problem is not None
        return name if is_known else NO_PROFILE

    @cached_property
    def by_profile(self) -> Mapping[str, Sequence[RunEntry]]:
        """The runs of each profile, oldest file first, without those that an equal one replaced."""
        entries: dict[str, list[RunEntry]] = {}
        for entry in sorted(self.entries, key=lambda each: (each.arrived, each.generation)):
            if not entry.superseded:
                entries.setdefault(entry.profile, []).append(entry)
        return entries


def parsed_profiles(profiles: Mapping[str, Any]) -> Mapping[str, Profile | PermanentError]:
    """Return each profile of a document, or why it is invalid."""
    result: dict[str, Profile | PermanentError] = {}
    for name in profiles:
        try:
            result[name] = choose_profile(profiles, f"{name}/")
        except PermanentError as error:
            result[name] = error
    return result


def open_problems(view: View) -> list[OpenProblem]:
    """Return all problems that hold now: the dearest first, then in the order of their kinds."""
    groups: dict[tuple[ProblemKind, str, str, str], list[Found]] = {}
    for kind in PROBLEM_KINDS:
        for found in _FINDERS[kind](view):
            action = found.action or kind.action_for(found.code)
            profile = view.profiles.get(found.profile)
            if isinstance(profile, Profile):
                action = action_in(found.profile, profile.customer_id, action)
            group = kind, view.shown_profile(found.profile), found.code, action
            groups.setdefault(group, []).append(found)
    problems = [
        OpenProblem(*group, sorted(found, key=lambda each: -max(each.money.values(), default=0)))
        for group, found in groups.items()
    ]
    return sorted(problems, key=lambda each: -each.dearest)


# ── what does not come ───────────────────────────────────────────────────────────────────────────


def _no_file(view: View) -> Iterator[Found]:
    """A profile expects a file, and none belongs to a due time."""
    for name, missing in _missing(view).items():
        yield Found(name, "", missing)


def _missing(view: View) -> Mapping[str, str]:
    """Return what is said of each profile that misses a file, by its name:
    `due by 2026-11-24 06:30 CET; the last one came 2026-11-23 06:12`."""
    came = _files_by_profile(view)
    missing = {}
    for name, profile in view.profiles.items():
        if isinstance(profile, PermanentError) or profile.expectation is None:
            continue
        files = came.get(name, [])
        newest = max((file.came for file in files if file.is_new), default=None)
        due = profile.expectation.missed(newest, view.now, view.profiles_changed_at)
        if due is None:
            continue
        # Older runs than `SEEN_FOR` (`lib.sweep.sweep`) are not among the entries.
        since = "no file has come yet, or none for weeks"
        if newest is not None:
            since = f"the last one came {newest.astimezone(due.tzinfo):%Y-%m-%d %H:%M}"
        if any(newest is None or file.came > newest for file in files):
            since += "; then only the same bytes again, or rows of fix"
        missing[name] = f"due by {due:%Y-%m-%d %H:%M %Z}; {since}"
    return missing


class _Arrival(NamedTuple):
    """When a file came, and whether it is a new one."""

    came: datetime
    is_new: bool


def _files_by_profile(view: View) -> Mapping[str, Sequence[_Arrival]]:
    """Return the files of each profile, oldest first.

    A file that `fix` wrote is not a new one, nor are the same bytes again if they have a row: an
    export without a row looks the same every day, and has come all the same.
    """
    came = [(e.arrived, e.name, e.profile, e.content) for e in view.entries]
    came += [
        (file.created, file.name, profile_name(file.name), content_key(file))
        for file in view.without_run
        if file.created is not None
    ]
    with_rows = {(entry.profile, entry.content) for entry in view.entries if entry.totals.all_rows}
    arrivals: dict[str, list[_Arrival]] = {}
    seen = set[tuple[str, str]]()
    for moment, name, profile, content in sorted(came):
        is_again = (profile, content) in seen and (profile, content) in with_rows
        is_new = not is_again and not is_written_by_fix(name)
        seen.add((profile, content))
        arrivals.setdefault(profile, []).append(_Arrival(moment, is_new))
    return arrivals


def _not_started(view: View) -> Iterator[Found]:
    """A file came, and no event has started it."""
    for file in view.without_run:
        came = view.waits_since(file)
        if view.now - came >= NOT_STARTED_AFTER and view.can_start(file):
            text = dated(file.name, came)
            yield Found(profile_name(file.name), "", text, run=run_key(file))


def _nothing_sent(view: View) -> Iterator[Found]:
    """Files come, and for some time nothing in them is new and meant to be sent."""
    missing = _missing(view)
    for profile, entries in view.by_profile.items():
        read = _read_files(entries)
        nothing_new = _newest_without_news(read)
        if len(nothing_new) < NOTHING_NEW_FILES:
            continue
        oldest, newest = nothing_new[0], nothing_new[-1]
        is_again = newest.content in {each.content for each in read[:-1]}
        if is_again and profile in missing:
            continue  # that the export is stuck is told already
        if view.now - oldest.arrived >= NOTHING_NEW_AFTER and view.is_still_told(newest.arrived):
            why = "the same bytes again" if is_again else _nothing_new_in(newest)
            why += f"; {number_of(len(nothing_new), 'file')} in all"
            text = dated(newest.name, newest.arrived, why)
            yield Found(profile, "", text, run=newest.key)


def _read_files(entries: Iterable[RunEntry]) -> list[RunEntry]:
    """Return the files that were read to their end, without those that `fix` wrote."""
    read = (entry for entry in entries if entry.is_published and not entry.stop)
    return [entry for entry in read if not is_written_by_fix(entry.name)]


def _newest_without_news(read: Iterable[RunEntry]) -> Sequence[RunEntry]:
    """Return the files that came after the last one that brought something, oldest first.

    The same bytes bring nothing again, except if nothing of them was taken before: the profile may
    have been wrong, or it was a check.
    """
    seen: set[str] = set()
    nothing_new: list[RunEntry] = []
    for entry in read:
        if _has_new_rows(entry.totals) and entry.content not in seen:
            nothing_new = []
        else:
            nothing_new.append(entry)
        if entry.totals.taken or entry.totals.waiting:
            seen.add(entry.content)
    return nothing_new


def _nothing_new_in(entry: RunEntry) -> str:
    """Return why a file brought nothing new."""
    if entry.totals.meant:
        return f"Google has all {number_of_rows(entry.totals.meant)} already"
    return why_none_is_meant(entry.totals)


def _column_empty(view: View) -> Iterator[Found]:
    """A column that the profile names has no cell in the newest file with selected rows."""
    for profile, entries in view.by_profile.items():
        read = [entry for entry in _read_files(entries) if entry.totals.meant]
        if not read or not read[-1].empty_columns or not view.is_still_told(read[-1].arrived):
            continue
        newest = read[-1]
        # If the empty column costs the rows, `rows_lost` says so.
        is_told = _is_too_much(_lost(newest), _meant(newest))
        if not is_told and not view.is_deleted(newest):
            text = dated(newest.name, newest.arrived, number_of(newest.empty_columns, "column"))
            yield Found(profile, "", text, run=newest.key)


# ── what does not finish ─────────────────────────────────────────────────────────────────────────


def _is_unfinished(view: View, entry: RunEntry) -> bool:
    """Return whether a file has had no results for too long, or its work is late for too long.

    What waits for a permission (`blocked`) is told as Google's silence.
    """
    if entry.superseded or view.is_deleted(entry):
        return False
    if entry.cause == "DIED" and entry.generation < view.newest_sent.get(entry.name, 0):
        return False  # it was split, and its first part has the name
    waits_for_quota = entry.cause == "DAILY_QUOTA"
    patience = QUOTA_UNFINISHED_AFTER if waits_for_quota else UNFINISHED_AFTER
    if entry.is_published:
        # Each attempt moves the due time, and the work is late since the first one.
        late_since = entry.late_since or entry.due
        return late_since is not None and not entry.blocked and view.now - late_since >= patience
    if entry.is_settled and not view.is_still_told(entry.stopped_at or entry.arrived):
        # It ended without results long ago. As with any other problem, that is not told for ever.
        return False
    return view.now - view.waits_for_results_since(entry) >= patience


def _unfinished(view: View) -> Iterator[Found]:
    """A file has no results, or work of it is late."""
    for entry in view.entries:
        if _is_unfinished(view, entry):
            code = entry.cause or entry.stop
            came = view.waits_for_results_since(entry)
            text = dated(entry.name, came, number_of(entry.attempts, "attempt"))
            money = micros_by_currency(entry.totals.waiting_money())
            yield Found(entry.profile, code, text, money, entry.key)
    for run in view.unreadable:
        # State that somebody has changed must be mended, however old it is.
        is_told = run.code == "STATE_UNREADABLE" or view.is_still_told(run.saved_at)
        if is_told and view.now - run.saved_at >= UNFINISHED_AFTER:
            file, name = view.files.get(run.key), view.file_name_of(run)
            profile = profile_name(name) if file is not None else ALL_PROFILES
            came = (file and file.created) or run.saved_at
            yield Found(profile, run.code, dated(name, came), run=run.key)


def _stopped(view: View) -> Iterator[Found]:
    """A file was stopped, and no newer one of its name is well."""
    yield from map(stopped_file, _stopped_entries(view))


def _stopped_entries(view: View) -> Sequence[RunEntry]:
    """Return the stopped files that are told as such, and not as unfinished."""
    return [
        entry
        for entry in view.entries
        if entry.stop
        and entry.generation > view.newest_sent.get(entry.name, 0)
        and view.is_still_told(entry.stopped_at or entry.arrived)
        and not view.is_deleted(entry)
        and not _is_unfinished(view, entry)
    ]


# ── what does not count ──────────────────────────────────────────────────────────────────────────


class _Loss(NamedTuple):
    """What a file has lost, of what was meant to be sent: its rows, and its micros by currency.

    `known_at` is when the loss became known. `lost` shrinks when Google takes rows from the file
    that `fix` wrote.
    """

    entry: RunEntry
    known_at: datetime
    lost: Counter[str]
    meant: Counter[str]


_ROWS: Final = "rows"
"""Beside the currencies in the numbers of a `_Loss`."""


def _numbers(rows: int, money: Money) -> Counter[str]:
    """Return a number of rows beside sums of money: `{"rows": 3, "USD": 60000000}`."""
    return Counter({**money, _ROWS: rows})


def _meant(entry: RunEntry) -> Counter[str]:
    return _numbers(entry.totals.meant, micros_by_currency(entry.totals.meant_money()))


def _lost(entry: RunEntry) -> Counter[str]:
    """Return what does not count of a file that was not stopped. A check sends nothing, so it loses
    nothing.

    Only a last line that was held back is not attempted in such a file: a newer file has it.
    """
    if entry.validate_only:
        return Counter()
    totals = entry.totals
    rows = totals.lost - totals.count("not_attempted")
    return _numbers(rows, micros_by_currency(totals.money_of("rejected", "failed")))


def _has_new_rows(totals: Totals) -> bool:
    """Return whether rows were meant to be sent that Google did not have before."""
    return totals.meant > totals.count("duplicate")


def _is_too_much(lost: Mapping[str, int], meant: Mapping[str, int]) -> bool:
    """Return whether too large a share of the rows, or of the money of a currency, is lost."""
    return any(number > LARGEST_SHARE_LOST * meant[each] for each, number in lost.items())


def _rows_lost(view: View) -> Iterator[Found]:
    """Too large a share of the rows or the money of a file is lost."""
    for profile, entries in view.by_profile.items():
        for loss in _losses(view, entries):
            # A corrected value may be lower: if Google has all rows, no money is lost.
            if loss.lost[_ROWS] > 0 and _is_too_much(loss.lost, loss.meant):
                totals = loss.entry.totals
                left = +loss.lost  # without what `fix` has mended: numbers of 0 and below
                code, meant, rows = totals.reason, totals.meant, left.pop(_ROWS)
                action = ""
                if code:  # the report gives the same advice, for the same numbers
                    action = lookup(code).advice_with_upload(totals.number_with(code), meant)
                lost = f"{rows:,} of {number_of(meant, noun_of(totals))}"
                text = dated(loss.entry.name, loss.entry.arrived, lost)
                yield Found(profile, code, text, left, loss.entry.key, action)


def _losses(view: View, entries: Sequence[RunEntry]) -> Sequence[_Loss]:
    """Return what each file of a profile has lost. `entries` begin with the oldest file.

    A loss is told for some time, whatever happens. After that, the rows that Google took from the
    file that `fix` wrote are not lost any more, and a deleted file has no loss. The file of `fix`
    has no loss of its own, because its rows are those of the other file.
    """
    read = [each for each in entries if each.is_published and not each.stop]
    fixed = fix_files_by_run(entries)
    losses: list[_Loss] = []
    # By the name that `fix` gives to the rows of a file, without a suffix.
    loss_of_fixed: dict[str, _Loss] = {}
    for entry in read:
        known_at = entry.changed_at or entry.arrived
        loss = loss_of_fixed.get(without_suffix(entry.name))
        if loss is None and view.is_still_told(known_at):
            is_new = view.now - known_at < LOSS_TOLD_FOR_AT_LEAST
            if is_new or not view.is_deleted(entry):
                loss = _Loss(entry, known_at, _lost(entry), _meant(entry))
                losses.append(loss)
        if loss is None:
            continue
        # The rows of a file of `fix` may be fixed once more: that file is named after this one.
        loss_of_fixed[rows_to_fix(entry.name, entry.generation)] = loss
        if view.now - loss.known_at >= LOSS_TOLD_FOR_AT_LEAST:
            for part in fixed.get(entry.key, ()):
                money = micros_by_currency(part.totals.taken_money())
                loss.lost.subtract(_numbers(part.totals.taken, money))
    return losses


def _google_silent(view: View) -> Iterator[Found]:
    """What Google says later of uploaded rows cannot be read, or did not come."""
    for entry in view.entries:
        if view.is_deleted(entry):
            continue
        if entry.blocked:
            # No limit of seven days is needed here: a request is given up a week after it was sent,
            # and a run without an open request is not blocked any more (`ask_for_statuses`).
            text = dated(entry.name, entry.arrived, number_of_rows(entry.totals.awaiting))
            money = micros_by_currency(entry.totals.awaiting_money)
            yield Found(entry.profile, entry.blocked, text, money, entry.key)
        elif entry.totals.unknown and view.is_still_told(entry.changed_at or entry.arrived):
            text = dated(entry.name, entry.arrived, number_of_rows(entry.totals.unknown))
            yield Found(entry.profile, STATUS_UNKNOWN, text, run=entry.key)


# ── what an engineer must change ─────────────────────────────────────────────────────────────────


def _profile_unreadable(view: View) -> Iterator[Found]:
    """A profile is invalid, or the document with all of them cannot be read."""
    told = {entry.stop_detail for entry in _stopped_entries(view)}
    unread = [(ALL_PROFILES, view.profiles_problem)] if view.profiles_problem is not None else []
    for name, profile in view.profiles.items():
        if isinstance(profile, PermanentError):
            unread.append((name, Problem(profile.code, "", profile.detail)))
    for name, problem in unread:
        if problem.detail not in told:  # a stopped file says the same
            yield Found(name, problem.code, problem.detail)


def _deployment(view: View) -> Iterator[Found]:
    """Files are only checked, or a version that we use ends soon."""
    apis = map(registry.capabilities_of, registry.names())
    ends = [(api.title, api.sunset) for api in apis] + [("Python", RUNTIME_END)]
    for version, ends_on in ends:
        if ends_on is not None and ends_on - view.now.date() < VERSION_TOLD_BEFORE:
            text = f"the {version} version, on {ends_on}"
            yield Found(ALL_PROFILES, "SUPPORT_ENDS_SOON", text)
    for name, entries in view.by_profile.items():
        checked: list[RunEntry] = []
        for entry in reversed(entries):
            if not entry.validate_only:
                break
            checked.append(entry)
        if checked and view.is_still_told(checked[0].arrived):
            since = checked[-1].arrived
            if view.now - since >= ONLY_CHECKED_AFTER:
                text = f"{number_of(len(checked), 'file')} since {since:%Y-%m-%d}"
                yield Found(name, "ONLY_CHECKED", text)


_FINDERS: Final[Mapping[ProblemKind, Callable[[View], Iterator[Found]]]] = {
    ROWS_LOST: _rows_lost,
    FILE_STOPPED: _stopped,
    NO_FILE: _no_file,
    FILE_UNFINISHED: _unfinished,
    FILE_NOT_STARTED: _not_started,
    GOOGLE_SILENT: _google_silent,
    NOTHING_SENT: _nothing_sent,
    COLUMN_EMPTY: _column_empty,
    PROFILE_UNREADABLE: _profile_unreadable,
    DEPLOYMENT: _deployment,
}
