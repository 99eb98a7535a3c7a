"""Concerns: the table of what somebody must know, and when each is told. Pure.

    holds now, not known          ──▶ told as new
    holds now, told a day ago     ──▶ told as still there
    known, and holds no more      ──▶ told as over

`lib.followup.watch` decides which hold. A policy of Cloud Monitoring sends at most 20 notifications
a day, so a day has ten lines of a severity; all other concerns share a line every three hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, get_args

from lib.state.concerns import KnownConcern, ToldToday, WatchState

ConcernSeverity = Literal["CRITICAL", "ERROR", "WARNING"]
Told = Literal["new", "still", "over"]

REMIND_AFTER: Final = timedelta(hours=23)
MOST_LINES: Final = 10
"""Lines of a severity a day. Cloud Monitoring sends at most 20 notifications for each policy."""
MORE_EVERY: Final = timedelta(hours=3)


class Kind(NamedTuple):
    """A kind of concern: a row of the table in docs/operate.md, but for `action`.

    `when` are the thresholds. `action` is in each notification, `over` in the last one.
    `told_by_run`: the run has told it at once, so the first line of the sweep is the reminder.
    """

    title: str
    severity: ConcernSeverity
    when: str
    action: str
    told_by_run: bool = False
    over: str = "No action needed."


_ENGINEER: Final = "Ask the engineer who deployed the function to"
_EXPECT: Final = (
    "If no file is expected then, say when one is: expect in the profile, or NO_FILE_WEEKDAYS and "
    "NO_FILE_HOLIDAYS."
)
_NOT_SENT: Final = (
    "Nobody is reminded any more. If a file has rows that later files lack, upload it again, "
    "corrected: nothing counts twice."
)
"""What ends some concerns does not prove that all rows were sent."""

KINDS: Final[Mapping[str, Kind]] = {
    "rows_lost": Kind(
        "Rows do not count",
        "ERROR",
        "Rows are rejected, fail, are not attempted, or Google accepts and does not count them: "
        "all rows of a file (4 or more); all rows of a profile, if they are too many for chance, "
        "or for 20 hours after its first file or 5 days without one; or more than "
        "FAILING_ROWS_RATIO of a file, of a profile's last 3 days, or of the rows that waited to "
        "be sent again, if they are at least FAILING_ROWS_LEAST and too many for chance. For 3 "
        "days.",
        "Open the report: it says what is wrong and what to do. Correct the rows, and upload "
        "them in the file that `offline-conversions fix` writes, or in one of the same name: then "
        "this is over. Otherwise, it is after 3 days.",
        over=_NOT_SENT,
    ),
    "file_stopped": Kind(
        "A stopped file was not replaced",
        "ERROR",
        "No later file of its name was completed. Daily for 7 days, after `run_stopped`.",
        "Fix the cause, then upload the file again.",
        told_by_run=True,
        over=_NOT_SENT,
    ),
    "no_file": Kind(
        "No file has come",
        "ERROR",
        "NO_FILE_GRACE_MINUTES after the time in `expect` of the profile, or after NO_FILE_HOURS.",
        f"Check that the export ran, and that it may write to the input bucket. {_EXPECT}",
    ),
    "no_file_as_usual": Kind(
        "No file has come for unusually long",
        "WARNING",
        "Nobody has said when files are expected, and none has come for 1.5 times the longest gap "
        "of the last 8 weeks (twice, from 5 days on) and a day, at least 36 hours. Needs 5 files "
        "in 2 weeks or more.",
        f'Check that the export ran. {_EXPECT} Write expect = "never" if no file comes any more.',
    ),
    "volume_fell": Kind(
        "A file is unusually small",
        "WARNING",
        "A file has less than a tenth of the median of its last 8 predecessors, which is over 50 "
        "rows. For 3 days.",
        "Check that the export is complete: its filter, its dates, its permissions.",
    ),
    "nothing_new": Kind(
        "Files bring nothing new",
        "WARNING",
        "All rows of the last 3 days are duplicates, in at least 3 files, and in more than twice "
        "as many in a row as ever in the last 8 weeks.",
        "Check that the export still runs: perhaps it sends the same file again and again.",
    ),
    "test_mode": Kind(
        "Test mode is still on",
        "WARNING",
        "A profile has had `validate_only` for more than 7 days, and files arrive.",
        "Remove validate_only from the profile, then upload the files again.",
        over=_NOT_SENT,
    ),
    "filter_mismatch": Kind(
        "A row filter does not fit",
        "WARNING",
        "`include`, `exclude` or `actions` lists a value that no row of the last file has, or "
        "skips all its refunds, or has skipped all rows of the last files, at least 20. For 3 "
        "days.",
        "Open the report: its notes name the value. Compare it with the file, and correct the "
        "profile. If the file is right, no action is needed.",
    ),
    "file_unfinished": Kind(
        "A file has no results",
        "ERROR",
        "An hour after the upload, unless the file waits for the daily quota.",
        "Look at the log lines of the file. If there are none, check that the function runs: its "
        "dashboard, and its revisions in Cloud Run. A large file may need this long.",
    ),
    "events_missing": Kind(
        "No events arrive",
        "ERROR",
        "No event has started a file for 10 minutes, and no other file was finished since; or for "
        "30 minutes, and no instance works on a file as old.",
        f"{_ENGINEER} restore its trigger and the permissions of the trigger (pubsub.publisher for "
        "the storage agent, eventarc.eventReceiver, run.invoker), for example with terraform "
        "apply. Meanwhile the sweep processes the files.",
    ),
    "file_ignored": Kind(
        "A file is not processed",
        "WARNING",
        "For an hour, a file has a name that says that it is incomplete or hidden. For 7 days.",
        "If the file is complete, rename it, without the mark of an incomplete file. If its upload "
        "was interrupted, upload it again. Delete this one.",
        over=_NOT_SENT,
    ),
    "follow_up_blocked": Kind(
        "A follow-up cannot go on",
        "CRITICAL",
        "Rows cannot be sent again, or Google cannot be asked what it has counted, until a person "
        "acts. Rows fail after MAX_DEFER_HOURS.",
        "Fix the cause that the code names.",
    ),
    "watch_unclear": Kind(
        "It is unclear when files are expected",
        "WARNING",
        "A NO_FILE_... setting, or `expect` in a profile, is not understood. It counts as unset.",
        "Correct it. Until then, a missing file may go unnoticed.",
    ),
    "drill": Kind(
        "This is a drill",
        "WARNING",
        "The object `drill` is in the folder of the ledger.",
        "No action needed, except to delete the object. You see that notifications arrive.",
    ),
}


class Concern(NamedTuple):
    """Something that somebody must know. `about` tells concerns of one kind apart.

    `action` and `link` are those of the kind, and the overview, unless given.
    """

    kind: str
    about: str
    since: datetime
    what: str
    action: str = ""
    link: str = ""

    @property
    def key(self) -> str:
        """The identity of the concern over time."""
        return f"{self.kind}:{self.about}"


class Line(NamedTuple):
    """What is told of a concern, or of several that have no line of their own."""

    severity: ConcernSeverity
    told: Told
    fields: Mapping[str, str]


class Telling(NamedTuple):
    """What is told now, and what is known then: concerns by key, and lines by severity."""

    lines: list[Line]
    concerns: dict[str, KnownConcern]
    told: dict[str, ToldToday]


def tell(found: Mapping[str, Concern], state: WatchState, overview: str, now: datetime) -> Telling:
    """Return the lines for what is new, what lasts (daily) and what is over.

    `found` are the concerns that hold now, by key. `overview` is its address.
    """
    known: dict[str, KnownConcern] = {}
    due: list[tuple[str, Line]] = []
    for key, concern in found.items():
        old = state.concerns.get(key)
        since = old.since if old is not None else concern.since
        told_at = old.told_at if old is not None else None
        if old is None and KINDS[concern.kind].told_by_run:
            told_at = since
        known[key] = KnownConcern(since, told_at, concern.what)
        if told_at is None or now - told_at >= REMIND_AFTER:
            due.append((key, _line(concern, "still" if told_at else "new", since, overview)))
    for key, old in state.concerns.items():
        kind, _, about = key.partition(":")
        if key not in found and kind in KINDS and old.told_at is not None:
            over = Concern(kind, about, old.since, old.what, action=KINDS[kind].over)
            due.append((key, _line(over, "over", old.since, overview)))
    due.sort(key=lambda each: get_args(Told).index(each[1].told))
    lines: list[Line] = []
    counters: dict[str, ToldToday] = {}
    for severity in get_args(ConcernSeverity):
        group = [each for each in due if each[1].severity == severity]
        counter = state.told.get(severity)
        shown, is_told, counters[severity] = _within_limit(severity, group, counter, overview, now)
        lines += shown
        for key in is_told & known.keys():
            known[key] = replace(known[key], told_at=now)
    return Telling(lines, known, {name: each for name, each in counters.items() if each.lines})


def _line(concern: Concern, told: Told, since: datetime, overview: str) -> Line:
    kind = KINDS[concern.kind]
    fields = {
        "key": concern.key,
        "kind": concern.kind,
        "title": kind.title if told != "over" else f"Over: {kind.title}",
        "told": told,
        "since": since.isoformat(timespec="seconds"),
        "detail": concern.what,
        "action": concern.action or kind.action,
        "link": concern.link or overview,
    }
    return Line(kind.severity, told, fields)


def _within_limit(
    severity: ConcernSeverity,
    due: Sequence[tuple[str, Line]],
    counter: ToldToday | None,
    overview: str,
    now: datetime,
) -> tuple[list[Line], set[str], ToldToday]:
    """Return as many lines as a day may have, one for all others, and the keys that are told.

    What is not told now is told by the next line "and more", in three hours at the latest.
    """
    today = f"{now:%Y-%m-%d}"
    counter = counter or ToldToday(today)
    if counter.day != today:
        counter = ToldToday(today, more_at=counter.more_at)
    alone = max(0, MOST_LINES - counter.lines)
    lines = [line for _, line in due[:alone]]
    is_told = {key for key, _ in due[:alone]}
    counter = replace(counter, lines=counter.lines + len(lines))
    others = due[alone:]
    is_time = counter.more_at is None or now - counter.more_at >= MORE_EVERY
    if others and is_time:
        titles = Counter(line.fields["title"] for _, line in others)
        fields = {
            "key": "more",
            "kind": "more",
            "title": f"{len(others)} more",
            "told": "new",
            "since": now.isoformat(timespec="seconds"),
            "detail": "; ".join(f"{title}: {count}" for title, count in titles.most_common()),
            "action": "Open the overview: it lists the files.",
            "link": overview,
        }
        lines.append(Line(severity, "new", fields))
        is_told |= {key for key, _ in others}
        counter = replace(counter, more_at=now)
    return lines, is_told, counter
