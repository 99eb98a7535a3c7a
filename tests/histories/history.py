"""What happens to files, step by step, and what is known of it.

A delivery or a sweep can be interrupted at any of its calls to storage or to an API. In the end
everything that was wrong is mended, and what is left gets the time that it needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, get_args

from lib.state.store import StoredObject
from tests.histories.files import NAMES, SalesRow, sales_file
from tests.histories.google import AccountState, Request, Sending, Statuses, Verdict
from tests.histories.platform import DAY, HOUR, Platform
from tests.histories.processes import Deadly, FaultKind, Interruption, Process

WAITS: Final = (5, 61, 601, 2 * HOUR, 7 * HOUR, DAY, 80 * HOUR)
AT_REST_AFTER: Final = 35 * DAY
"""Every run must have ended so long after the last step: a week unsent, and then three days of
deferral, and a week of statuses, both twice."""
# A known order ID is no verdict of its own: Google says it of what it has counted.
VERDICTS: Final = tuple(each for each in get_args(Verdict) if each != "known")
SENDING: Final = get_args(Sending)
STATUSES: Final = get_args(Statuses)
ACCOUNT: Final = get_args(AccountState)
UNWRITABLE: Final = ("", ".results.", "_state/chunks/")
DEADLY: Final = get_args(Deadly)

Kind = Literal[
    *("upload", "copy", "lose", "delete", "deliver", "sweep", "wait", "judge"),
    *("account", "sending", "statuses", "process", "unwritable", "deadly", "revision", "clicks"),
]


class Fault(NamedTuple):
    """An `Interruption`, with the steps that happen while the process is frozen."""

    call: int
    kind: FaultKind
    takes_place: bool = True
    meanwhile: tuple[Step, ...] = ()


class Step(NamedTuple):
    """Something that happens. `number` says which one of the names or values above.

    upload      a file of these `rows` comes under a name of `NAMES`. It is cut if `is_cut`
    copy        the newest file of this name comes again
    lose        the event of the newest file is lost
    delete      somebody deletes the file of this name
    deliver     the event of a file comes, also one that came before
    sweep
    wait        for one of `WAITS`
    judge       Google thinks this of the `rows` from now on
    account     Google refuses requests, or the account before that, or no longer
    sending     what becomes of requests that send rows
    statuses    what becomes of requests for statuses
    process     the Data Manager API processes all requests (0), the oldest (1) or the newest (2)
    unwritable  what cannot be written
    deadly      what kills each process
    revision    a new revision of the function is deployed: nothing is deadly any more
    clicks      Google names only the click of a known order (1), or its order ID (0)
    """

    kind: Kind
    number: int = 0
    fault: Fault | None = None
    rows: tuple[SalesRow, ...] = ()
    is_cut: bool = False


@dataclass(slots=True, eq=False)
class File:
    """A generation in the input bucket. Times are in seconds of the clock; None: never.

    The first of its `rows` is in line 2. It is not live any more since `gone`: it `was_deleted`, or
    `replaced_by` another one; the store `is_kept` its version nevertheless. It has `lost_its_name`
    if there was no object of this name for a while. `stopped` is when its results first said so,
    and `deaths` counts the processes that died, or ran out of time, while they had its run.
    `work_due` is when something of it is due, as the last attempt said that ended regularly.
    """

    source: StoredObject
    name: str
    rows: tuple[SalesRow, ...]
    is_cut: bool
    came: float
    run: int
    gone: float | None = None
    was_deleted: bool = False
    lost_its_name: bool = False
    replaced_by: File | None = None
    is_kept: bool = True
    stopped: float | None = None
    deaths: int = 0
    account_was_refused: bool = False
    work_due: datetime | None = None

    @property
    def profile(self) -> str:
        folder, slash, _ = self.name.partition("/")
        return folder if slash else "default"

    def __str__(self) -> str:
        return f"{self.name}#{self.source.generation} {[*map(tuple, self.rows)]}"


@dataclass
class History:
    """What happens to files, and what of it is `broken`."""

    platform: Platform
    files: list[File] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    depth: int = 0

    def __post_init__(self) -> None:
        self.platform.google.check = self.check
        self.platform.after_process = self.after_process
        self.platform.on_day = self.on_day

    # ── what the oracle looks at (`tests.histories.oracle`) ──────────────────────────────────

    def check(self, request: Request) -> None:
        """Look at a request before Google does."""

    def on_day(self) -> None:
        """Look at what is told, at each full day."""

    def look(self) -> None:
        """Look at everything after each step."""

    def expect(self, holds: object, what: str) -> None:
        """Keep what is broken: the code may survive an exception."""
        if not holds and what not in self.broken:
            days = self.platform.clock.seconds / DAY
            self.broken.append(f"day {days:.2f}: {what}")

    # ── what happens ─────────────────────────────────────────────────────────────────────────

    def play(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.happen(step)
            if not self.depth:
                self.look()

    def happen(self, step: Step) -> None:
        match step.kind:
            case "upload" | "copy" | "lose" | "delete":
                self._change_files(step)
            case "deliver" | "sweep" | "wait":
                self._let_run(step)
            case "unwritable" | "deadly" | "revision":
                self._change_platform(step)
            case _:
                self._change_google(step)

    def _change_files(self, step: Step) -> None:
        name = NAMES[step.number]
        newest = self.newest(name)
        if step.kind == "upload":
            self.upload(name, step.rows, step.is_cut)
        elif step.kind == "copy" and newest is not None:
            self.upload(name, newest.rows, newest.is_cut)
        elif step.kind == "lose":
            self.platform.events[-1:] = []
        elif step.kind == "delete":
            self.delete(name)

    def _let_run(self, step: Step) -> None:
        platform = self.platform
        if step.kind == "wait":
            platform.wait(WAITS[step.number])
        elif step.kind == "sweep":
            platform.sweep(self.interruption(step.fault))
        elif self.files:
            source = self.files[step.number % len(self.files)].source
            platform.deliver(source, self.interruption(step.fault))

    def _change_platform(self, step: Step) -> None:
        surroundings = self.platform.surroundings
        if step.kind == "unwritable":
            surroundings.unwritable = UNWRITABLE[step.number]
        elif step.kind == "deadly":
            surroundings.deadly = DEADLY[step.number]
        else:
            self.platform.revision += 1
            surroundings.deadly = ""

    def _change_google(self, step: Step) -> None:
        google, number = self.platform.google, step.number
        match step.kind:
            case "judge":
                self.judge(VERDICTS[number], *step.rows)
            case "account":
                google.account = ACCOUNT[number]
            case "sending":
                google.sending = SENDING[number]
            case "statuses":
                google.statuses = STATUSES[number]
            case "process":
                held = [each for each in google.requests if each.is_held]
                google.process((held, held[:1], held[-1:])[number])
            case "clicks":
                google.names_only_clicks = bool(number)

    def upload(self, name: str, rows: Sequence[SalesRow], is_cut: bool = False) -> File:
        """Let a file come. One that has this name is not live any more."""
        before = self.newest(name)
        source = self.platform.drop(name, sales_file(rows, is_cut=is_cut))
        run = self.platform.run_of(source)
        file = File(source, name, tuple(rows), is_cut, self.platform.clock.seconds, run)
        self.files.append(file)
        if before is not None:
            self._lose(before)
            before.replaced_by = file
        return file

    def delete(self, name: str) -> None:
        newest = self.newest(name)
        if newest is not None and newest.gone is None:
            self.platform.delete(name)
            self._lose(newest)
            newest.was_deleted = True
            for file in self.files:
                file.lost_its_name |= file.name == name

    def _lose(self, file: File) -> None:
        if file.gone is None:
            file.gone = self.platform.clock.seconds
            file.is_kept = self.platform.world.store.versioned

    def judge(self, verdict: Verdict, *rows: SalesRow) -> None:
        """Let Google think this of the rows from now on."""
        self.platform.google.judged.update(dict.fromkeys(rows, verdict))

    def newest(self, name: str) -> File | None:
        return next((each for each in reversed(self.files) if each.name == name), None)

    def interruption(self, fault: Fault | None) -> Interruption | None:
        if fault is None:
            return None

        def meanwhile() -> None:
            self.depth += 1
            self.play(fault.meanwhile)
            self.depth -= 1

        return Interruption(fault.call, fault.kind, fault.takes_place, meanwhile)

    # ── what is known of it ──────────────────────────────────────────────────────────────────

    def after_process(self, process: Process) -> None:
        """Note what this process has done to its files."""
        process.leave()
        for file in self.files:
            found = self.platform.results(file.source)
            if found is not None and found["file_error"] and file.stopped is None:
                file.stopped = self.platform.clock.seconds
            key = self.platform.key_of(file.source)
            has_died = process.is_dead and process.works_on == key
            if has_died or key in process.took_long:
                file.deaths += 1
            if self.platform.has_ended_regularly(file.source):
                due, now = self.platform.due(file.source), self.platform.clock.utc()
                # What blocks Google's answer is asked about by each sweep, so it is due at once.
                file.work_due = max(due, now) if due is not None else None
            if self.platform.google.account and key in process.taken:
                file.account_was_refused = True

    def results(self, file: File) -> dict[str, Any]:
        """Return the results of a file, as they are now."""
        found = self.platform.results(file.source)
        assert found is not None
        return found

    def outcomes(self, file: File) -> list[str]:
        """Return the outcomes of the rows of a file, as its results say now."""
        return [row["outcome"] for row in self.results(file)["rows"]]

    def file_of(self, run: int) -> File:
        return next(each for each in self.files if each.run == run)

    # ── at the end ───────────────────────────────────────────────────────────────────────────

    def end(self) -> None:
        """Mend everything, and let it come to rest, and a week after that."""
        platform, google = self.platform, self.platform.google
        google.judged.clear()
        google.account, google.sending, google.statuses = "", "", ""
        platform.surroundings.deadly = platform.surroundings.unwritable = ""
        platform.surroundings.reading_seconds = 0.0
        platform.revision += 1
        ends = platform.clock.seconds + AT_REST_AFTER
        while not self.is_at_rest() and platform.clock.seconds < ends:
            platform.wait_for_work(ends - platform.clock.seconds)
        self.expect(self.is_at_rest(), "a run never ends")
        platform.wait(DAY)

    def is_at_rest(self) -> bool:
        platform = self.platform
        if platform.events or any(each.is_held for each in platform.google.requests):
            return False
        if any(platform.due(each.source) for each in self.files):
            return False
        return all(file.gone is not None or platform.has_run(file.source) for file in self.files)


def is_open(results: Mapping[str, Any]) -> bool:
    """Return whether these results say that something is still to come."""
    counts = results["counts"]
    return bool(counts["deferred"] or counts.get("awaiting") or results["status"] == "waiting")
