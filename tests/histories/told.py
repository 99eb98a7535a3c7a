"""What somebody must hear of at the end of each day, and of what nobody may.

Each kind of open problem has a rule. It is asked about each file, and it answers from what has
happened to the file, not from what the code has saved. "may" is where the design leaves a choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

from lib.model.retries import MAX_TRIES
from lib.sweep import problems
from tests.histories.google import Request
from tests.histories.history import File, History, is_open
from tests.histories.platform import DAY, HOUR, Line

Level = Literal["must", "may", "never"]
_LEVELS: Final[tuple[Level, ...]] = ("never", "may", "must")

TOLD_FOR: Final = problems.TOLD_FOR.total_seconds()
UNFINISHED_AFTER: Final = problems.UNFINISHED_AFTER.total_seconds()
QUOTA_UNFINISHED_AFTER: Final = problems.QUOTA_UNFINISHED_AFTER.total_seconds()
NOT_STARTED_AFTER: Final = problems.NOT_STARTED_AFTER.total_seconds()
ASKED_FOR: Final = 7 * DAY
"""Final statuses are asked for so long after a request was sent."""
MAX_DEATHS: Final = MAX_TRIES + 1
"""After so many attempts in a row that died, a run ends without results, or with older ones."""
LEEWAY: Final = 7 * HOUR
"""A run is due at most so long after its time: statuses are asked for every six hours."""


def file_stopped(history: History, file: File) -> Level:
    """From the stop until a newer file of its name is published and not stopped."""
    now, found = history.platform.clock.seconds, history.platform.results(file.source)
    if file.was_deleted:
        return "never"
    if found is None:
        # The reason may be saved already, although the results are not written.
        return "may" if now - file.came <= 3 * TOLD_FOR else "never"
    if not found["file_error"] or file.stopped is None:
        # The reason is saved already, although the results cannot say it yet.
        is_unwritten = file.account_was_refused and history.platform.surroundings.unwritable
        return "may" if is_unwritten or has_given_up(history, file) else "never"
    newer = file.replaced_by
    while newer is not None:
        published = history.platform.results(newer.source)
        if published is not None and not published["file_error"]:
            return "never"
        newer = newer.replaced_by
    if now - file.stopped > TOLD_FOR + HOUR:
        return "never"
    if file.replaced_by is not None:
        return "may"  # a newer file of its name has come, and is not published
    is_stale = found["file_error"]["code"] == "STALE"
    since = file.stopped if is_stale else file.came
    if found["file_error"]["code"] == "NO_PROGRESS":
        return "must" if now - file.came < TOLD_FOR - HOUR else "may"
    return "must" if now - since < TOLD_FOR - HOUR else "may"


def has_given_up(history: History, file: File) -> bool:
    """Return whether the run of a file has ended, because each attempt dies, although its results
    say that something is to come."""
    found = history.platform.results(file.source)
    is_over = file.deaths >= MAX_DEATHS and history.platform.due(file.source) is None
    return is_over and found is not None and is_open(found)


def file_unfinished(history: History, file: File) -> Level:
    """From some time after it came, until its results are written, and while its work is late."""
    platform = history.platform
    age = platform.clock.seconds - file.came
    if file.was_deleted or age < UNFINISHED_AFTER - HOUR or not platform.has_run(file.source):
        return "never"
    if has_given_up(history, file):
        return "must" if age < TOLD_FOR - HOUR and file.gone is None else "may"
    if platform.results(file.source) is not None:
        return _late_work(history, file)
    if file.gone is not None or age > 2 * TOLD_FOR:
        return "may"
    is_certain = _patience(history, file.came) <= age < TOLD_FOR - HOUR
    return "must" if is_certain else "may"


def _late_work(history: History, file: File) -> Level:
    """A file has results, and what was due since is not done, however often it was tried."""
    platform = history.platform
    # An attempt that had lost its run may have written them: then they must be written again.
    may = "may" if platform.surroundings.unwritable else "never"
    if file.work_due is None or platform.has_ended_regularly(file.source):
        return may
    late = (platform.clock.utc() - file.work_due).total_seconds()
    since = platform.clock.seconds - late
    is_certain = late >= _patience(history, since) + HOUR
    return "must" if is_certain else "may"


def _patience(history: History, since: float) -> float:
    """Return for how long a file may be late, because of a quota if one is used up since then."""
    refusals = history.platform.google.refusals
    waits_for_quota = any(why == "quota" and moment >= since for moment, why in refusals)
    return QUOTA_UNFINISHED_AFTER if waits_for_quota else UNFINISHED_AFTER


def file_not_started(history: History, file: File) -> Level:
    """From some time after it came, while it has no run."""
    platform = history.platform
    age = platform.clock.seconds - file.came
    if file.gone is not None or platform.has_run(file.source):
        return "never"
    if NOT_STARTED_AFTER <= age <= TOLD_FOR - HOUR:
        return "must"
    return "may" if age <= TOLD_FOR + HOUR else "never"


def google_silent(history: History, file: File) -> Level:
    """While the API refuses to say what became of rows, and for a week once it is too late."""
    google, now = history.platform.google, history.platform.clock.seconds
    asked = [each for each in google.requests if each.run == file.run and each.was_asked]
    silent = [each for each in asked if not each.is_reported]
    if not silent or file.was_deleted:
        return "never"
    return max((_silence(each, history, now) for each in silent), key=_LEVELS.index)


def _silence(request: Request, history: History, now: float) -> Level:
    age = now - request.sent
    is_refused = request.was_refused and history.platform.google.statuses == "refused"
    if is_refused and age < ASKED_FOR - HOUR:
        return "must"
    if ASKED_FOR + LEEWAY <= age <= ASKED_FOR + TOLD_FOR - DAY:
        return "must"
    is_over = age > ASKED_FOR + TOLD_FOR + DAY
    return "never" if is_over else "may"


Rule = Callable[[History, File], Level]

TABLE: Final[Mapping[str, Rule]] = {
    "file_stopped": file_stopped,
    "file_unfinished": file_unfinished,
    "file_not_started": file_not_started,
    "google_silent": google_silent,
}
"""The kinds of open problems that are judged. A kind that is missing here is not."""

BESIDE: Final[Mapping[str, Sequence[str]]] = {
    "file_unfinished": ("file_stopped", "google_silent"),
    "google_silent": ("file_unfinished",),
}
"""One mistake is one problem: a file that is told as one of these kinds need not be told as the
first."""


def files_told(lines: Iterable[Line], names: Iterable[str]) -> dict[str, set[str]]:
    """Return the names of the files that these lines tell of, by kind."""
    told: dict[str, set[str]] = {}
    for line in lines:
        text = str(line.fields.get("detail", ""))
        found = {name for name in names if re.search(rf"(^|[ ;]){re.escape(name)}\b", text)}
        told.setdefault(line.fields["kind"], set()).update(found)
    return told


def expected(history: History) -> dict[str, dict[str, Level]]:
    """Return how certainly each name of a file is told, by kind.

    Lines name files, not generations: of those of one name, the most certain one counts.
    """
    return {
        kind: {
            name: max(
                (rule(history, file) for file in history.files if file.name == name),
                key=_LEVELS.index,
            )
            for name in {file.name for file in history.files}
        }
        for kind, rule in TABLE.items()
    }


def verify_told(
    history: History, lines: Iterable[Line], levels: Mapping[str, Mapping[str, Level]]
) -> None:
    """Compare what was told with what had to be."""
    told = files_told(lines, {file.name for file in history.files})
    for kind, of_names in levels.items():
        for name, level in of_names.items():
            is_told = name in told.get(kind, set())
            is_told_beside = any(name in told.get(other, ()) for other in BESIDE.get(kind, ()))
            if level == "must":
                history.expect(is_told or is_told_beside, f"{name} is not told as {kind}")
            elif level == "never":
                history.expect(not is_told, f"{name} is told as {kind}, for no reason")
