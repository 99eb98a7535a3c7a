"""Any history of files, deliveries, sweeps, crashes, freezes and lost answers, on fakes.

It knows nothing of the code but `tests.fakes`, so that it outlives what it tests: what happens is
compared with the rows of the files, with what Google counted, and with what the results say.

A delivery or a sweep can be interrupted at any of its calls to storage or to an API: the process is
killed before or after the call, the call fails, its answer gets lost, or the process freezes there,
and continues after other steps, as if nothing had happened. At the end, what is left gets the time
that it needs.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.every_call import EVERY_CALL
from tests.fakes import (
    STEPS,
    Interruption,
    Platform,
    Request,
    SalesRow,
    Sent,
    Verdict,
    platform,
    sales_file,
)

STRIDE = 3
"""Without EVERY_CALL, less important interruptions come at every third call."""
SHRINK = bool(os.environ.get("SHRINK"))
"""Look for the shortest history that fails: it takes minutes."""
HOUR = 3600
LEASE_SECONDS = 60
WAITS = (5, 61, 601, 3 * HOUR, 7 * HOUR, 24 * HOUR)
MOST_SWEEPS = 12
PROCESSED_AFTER = 12 * HOUR
"""The Data Manager API has processed a request after this time at the latest."""
NAMES = ("export.csv", "refunds.csv")
SOLD, REDUCED, AGAIN, REFUNDED = range(len(STEPS))
SETTLED = {"uploaded", "duplicate", "failed", "skipped"}
"""Answers after which a row is never sent again."""

APIS: Mapping[str, Mapping[str, str]] = {
    "google_ads": {"destination": "google_ads"},
    "data_manager": {"destination": "data_manager"},
    "both": {"destination": "data_manager", "adjustments_via": "google_ads"},
}


class Fault(NamedTuple):
    """An `Interruption`, with the steps that happen while the process is frozen."""

    call: int
    kind: Literal["killed", "frozen", "lost answer", "unavailable"]
    takes_place: bool = True
    meanwhile: tuple[Step, ...] = ()


class Step(NamedTuple):
    """Something that happens.

    upload    a file of these `rows` comes under the name with this number. It is cut if `is_cut`
    copy      the newest file of this name comes again
    deliver   the event of a file comes, also one that came before
    sweep
    wait      for the time with this number
    judge     Google refuses (1), or finds too recent (2), the sales that are in `rows`
    account   Google refuses requests (1), or the account before that (2), or no longer (0)
    process   the Data Manager API processes all requests (0), or the oldest (1)
    """

    kind: Literal["upload", "copy", "deliver", "sweep", "wait", "judge", "account", "process"]
    number: int = 0
    fault: Fault | None = None
    rows: tuple[SalesRow, ...] = ()
    is_cut: bool = False


class File(NamedTuple):
    """A generation in the input bucket, and its rows, the first of which is in line 2."""

    source: Any
    rows: tuple[SalesRow, ...]
    is_cut: bool

    def __str__(self) -> str:
        return f"{self.source.name}#{self.source.generation} with {[*map(tuple, self.rows)]}"


@dataclass
class History:
    """What happens to the files of two names, and what must hold while it happens."""

    platform: Platform
    files: list[File] = field(default_factory=list)
    events: set[int] = field(default_factory=set)
    judged: dict[int, Verdict] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    has_frozen: bool = False
    depth: int = 0

    def __post_init__(self) -> None:
        google = self.platform.google
        google.check = self.check
        google.judge = lambda sent: next(
            (verdict for sale, verdict in self.judged.items() if is_of(SalesRow(sale), sent)), ""
        )

    def play(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.happen(step)
            if not self.depth:
                self.expect_what_is_due()

    def happen(self, step: Step) -> None:
        if step.kind == "upload":
            self.upload(NAMES[step.number % 2], step.rows, step.is_cut)
        elif step.kind == "copy":
            name = NAMES[step.number % 2]
            newest = next((f for f in reversed(self.files) if f.source.name == name), None)
            if newest is not None:
                self.upload(name, newest.rows, newest.is_cut)
        elif step.kind == "wait":
            self.wait(WAITS[step.number])
        elif step.kind == "judge":
            verdict: Verdict = ("", "refused", "too recent")[step.number]
            self.judged.update({row.sale: verdict for row in step.rows})
        elif step.kind == "account":
            self.platform.google.refused = ("", "requests", "account")[step.number]
        elif step.kind == "process":
            held = [each for each in self.platform.google.requests if each.is_held]
            self.platform.google.process(held[: step.number or None])
        elif step.kind == "sweep":
            self.platform.sweep(self.interruption(step.fault))
        elif self.files:
            number = step.number % len(self.files)
            if self.platform.deliver(self.files[number].source, self.interruption(step.fault)):
                self.events.discard(number)

    def upload(self, name: str, rows: Sequence[SalesRow], is_cut: bool = False) -> None:
        self.events.add(len(self.files))
        source = self.platform.upload(name, sales_file(rows, is_cut=is_cut))
        self.files.append(File(source, tuple(rows), is_cut))

    def wait(self, seconds: float) -> None:
        clock = self.platform.world.clock
        clock.seconds += seconds
        old = clock.seconds - PROCESSED_AFTER
        requests = self.platform.google.requests
        self.platform.google.process([r for r in requests if r.process.began <= old])

    def interruption(self, fault: Fault | None) -> Interruption | None:
        if fault is None:
            return None

        def meanwhile() -> None:
            self.depth += 1
            self.has_frozen = True
            self.play(fault.meanwhile)
            self.depth -= 1

        return Interruption(fault.call, fault.kind, fault.takes_place, meanwhile)

    # ── while it happens ─────────────────────────────────────────────────────────────────────

    def expect(self, holds: object, what: str) -> None:
        """Keep what is broken: the code may survive an exception."""
        if not holds:
            self.broken.append(what)

    def check(self, request: Request) -> None:
        """Look at a request before Google does."""
        earlier = [each for each in self.platform.google.requests if each.run == request.run]
        file = self.file_of(request.run)
        for other in self.platform.processes:
            is_alive = other is not request.process and not other.has_ended
            age = self.platform.world.clock.seconds - other.began
            if is_alive and request.run in other.runs:
                self.expect(age >= LEASE_SECONDS, "a run is taken over while its lease is young")
        for sent in request.records:
            self.check_repeats(sent, request, earlier)
            if sent.changed_at is not None:
                self.check_order(sent, file, earlier)
            else:
                self.check_corrections(sent, request)

    def check_repeats(self, sent: Sent, request: Request, earlier: Sequence[Request]) -> None:
        """A row whose outcome is final is not sent again, unless its answer could not be saved."""
        answers = answers_about(sent, earlier)
        if answers and answers[-1][0].is_saved:
            answer = answers[-1][1]
            self.expect(answer not in SETTLED, f"{sent} is sent again, after {answer}")

    def check_order(self, sent: Sent, file: File, earlier: Sequence[Request]) -> None:
        """A correction follows the answer about its sale, and no newer correction of its file."""
        rows = [row for row in file.rows if row.order_id == sent.order_id]
        of_sale = [
            request
            for request in earlier
            if any(s.order_id == sent.order_id and s.changed_at is None for s in request.records)
        ]
        # The Google Ads API compares the times itself: it may get an older correction that was
        # deferred before.
        was_deferred = any(answer == "deferred" for _, answer in answers_about(sent, earlier))
        is_resent = was_deferred or any(
            each.process.interrupted_at and each is each.process.requests[-1] for each in of_sale
        )
        for request in earlier:
            for at, other in enumerate(request.records):
                if other.order_id != sent.order_id or not request.is_saved:
                    continue
                is_newer = other.changed_at is not None and other.changed_at > sent.changed_at
                is_newer = is_newer and request.answers[at] == "uploaded"
                self.expect(not is_newer or is_resent, f"{sent} is sent after {other}")
        if not any(row.step == SOLD for row in rows):
            return
        if of_sale:
            age = self.platform.world.clock.seconds - of_sale[-1].process.began
            is_unknown = of_sale[-1].is_accepted and not of_sale[-1].is_reported
            # Google has not found its sale before: it may look again.
            is_unknown = is_unknown and not was_deferred
            self.expect(
                not is_unknown or age >= 24 * HOUR, f"{sent} is sent while its sale is open"
            )
        else:
            # A sale that a correction of another file has replaced is never sent.
            is_replaced = any(
                other.key == sent.key and other.changed_at is not None
                for request in self.platform.google.requests
                for other in request.records
            )
            # Of a line that was cut, and that a newer file replaces, nothing is sent.
            last = file.rows[-1]
            is_cut = file.is_cut and last.step == SOLD and last.order_id == sent.order_id
            self.expect(is_replaced or is_cut, f"{sent} is sent before its sale")

    def check_corrections(self, sent: Sent, request: Request) -> None:
        """The Data Manager API does not get a sale whose correction was accepted."""
        if request.api != "data_manager":
            return
        frozen_at = request.process.interrupted_at or request.began_at
        for other in self.platform.google.requests:
            if other.run == request.run or not 0 < other.answered_at < frozen_at:
                continue
            for at, correction in enumerate(other.records):
                is_same = correction.key == sent.key and correction.changed_at is not None
                if is_same and other.is_saved and other.answers[at] == "uploaded":
                    self.expect(False, f"{sent} is sent after {correction}")

    def expect_what_is_due(self) -> None:
        """Nothing waits without a time at which it goes on."""
        for number, file in enumerate(self.files):
            found = self.platform.results(file.source)
            waits = number not in self.events if found is None else is_open(found)
            if waits:
                self.expect(self.platform.due(file.source), f"file {number} waits for nothing")

    def file_of(self, run: int) -> File:
        return next(each for each in self.files if self.platform.run_of(each.source) == run)

    # ── at the end ───────────────────────────────────────────────────────────────────────────

    def end(self) -> None:
        """Let everything come to rest, without faults. What Google lacks is uploaded once more."""
        self.judged.clear()
        self.platform.google.refused = ""
        is_at_rest = self.comes_to_rest()
        sales = sorted({row.sale for file in self.files for row in file.rows})
        missing = [SalesRow(sale) for sale in sales if not self.is_counted(SalesRow(sale))]
        if missing:
            # Until now, their corrections were waiting for them.
            self.upload("missing.csv", missing)
            is_at_rest = self.comes_to_rest()
        self.expect(not self.events, "an event is never acknowledged")
        self.expect(is_at_rest, "the sweeps find no rest")

    def comes_to_rest(self) -> bool:
        """Deliver the events that are left, and sweep. Return whether nothing is due then."""
        for _ in range(10):
            self.wait(61)
            for number in sorted(self.events):
                self.happen(Step("deliver", number))
        for _ in range(MOST_SWEEPS):
            self.wait(7 * HOUR)
            self.platform.google.process()
            is_calm = self.platform.sweep()
            if is_calm and not any(self.platform.due(each.source) for each in self.files):
                return True
        return False

    def is_counted(self, row: SalesRow) -> bool:
        return row.sold_at in self.platform.google.counted

    def verify(self) -> None:
        """Compare the files, what Google counted, and what the results say."""
        google = self.platform.google
        self.expect(not self.platform.errors, f"software errors: {self.platform.errors}")
        self.expect(len(google.counted) == len({*google.counted}), "a sale counts twice")
        self.expect(not any(each.is_held for each in google.requests), "a request is still held")
        outcomes = [*map(self.outcomes_of, self.files)]
        for file, found in zip(self.files, outcomes, strict=True):
            self.verify_rows(file, found)
            self.expect(not self.platform.due(file.source), f"{file} is still due")
        said = [
            (row, outcome)
            for file, found in zip(self.files, outcomes, strict=True)
            for row, outcome in zip(file.rows, found, strict=True)
        ]
        for sold_at in google.counted:
            of_sale = {outcome for row, outcome in said if row.sold_at == sold_at}
            # What a killed process has sent of a file that was stopped then, nobody knows.
            known = {"uploaded", "duplicate", "skipped", "not_attempted"}
            self.expect(of_sale & known, f"the sale of {sold_at} counts, and no results say so")
        if not self.has_frozen:
            self.verify_values(said)

    def outcomes_of(self, file: File) -> list[str]:
        """Return the outcome of each row in the results, after comparing them with the counts."""
        found = self.platform.results(file.source)
        self.expect(found, f"{file} has no results")
        if found is None:
            return [""] * len(file.rows)
        by_line = {row["line"]: row["outcome"] for row in found["rows"]}
        counts = found["counts"]
        self.expect(len(by_line) == len(found["rows"]) == counts["rows"], f"{counts} in {file}")
        for outcome in {*by_line.values(), *SETTLED, "deferred", "not_attempted", "rejected"}:
            number = [*by_line.values()].count(outcome)
            self.expect(counts[outcome] == number, f"{outcome}: {counts} in {file}")
        self.expect(not is_open(found), f"{file} is still open")
        other = found.get("other_generation")
        if other is None:
            self.expect(len(by_line) == len(file.rows), f"{len(by_line)} rows in {file}")
        else:
            twin = next((f for f in self.files if str(f.source.generation) == other), None)
            self.expect(twin is not None and twin.rows == file.rows, f"{file} is not {other}")
        lines = range(2, 2 + len(file.rows))
        outcomes = [by_line.get(line, "") for line in lines]
        if "not_attempted" in outcomes:
            newer = [f for f in self.files if f.source.generation > file.source.generation]
            is_replaced = file.is_cut and any(f.source.name == file.source.name for f in newer)
            is_replaced = is_replaced and outcomes.index("not_attempted") == len(outcomes) - 1
            is_explained = found["file_error"] or other is not None or is_replaced
            self.expect(is_explained, f"{outcomes} of {file}, for no reason")
        return outcomes

    def verify_rows(self, file: File, outcomes: Sequence[str]) -> None:
        """Compare the outcome of each row with what Google has."""
        google, run = self.platform.google, self.platform.run_of(file.source)
        for row, outcome in zip(file.rows, outcomes, strict=True):
            what = f"{row} is {outcome}, in {file}"
            answers = [
                request.answers[at] if request.answers else ""
                for request in google.requests
                if request.run == run
                for at, sent in enumerate(request.records)
                if is_of(row, sent)
            ]
            is_refused = [*filter(None, answers)][-1:] == ["failed"]
            self.expect((outcome == "failed") == is_refused, what)
            if outcome in ("uploaded", "duplicate"):
                self.expect(self.is_counted(row), what)
            if outcome == "uploaded" and row.step:
                self.expect(any(is_of(row, sent) for sent in google.applied), what)
            if outcome == "skipped":
                newer = [s for s in google.applied if s.order_id == row.order_id]
                is_old = any(s.changed_at > row.changed_at for s in newer)
                # A newer correction of its file replaces it, also if the file stops before that.
                is_old = is_old or (
                    row.step != SOLD
                    and (row.sale, row.step)
                    < max((other.sale, other.step) for other in file.rows if other.sale == row.sale)
                )
                self.expect(is_old, what)
            self.expect(outcome not in ("rejected", "deferred"), what)

    def verify_values(self, said: Sequence[tuple[SalesRow, str]]) -> None:
        """The newest correction that was accepted counts."""
        newest: dict[int, int] = {}
        for row, outcome in said:
            if outcome in ("uploaded", "duplicate") and row.order_id:
                newest[row.sale] = max(row.step, newest.get(row.sale, SOLD))
        for sale, step in newest.items():
            if self.is_overtaken(SalesRow(sale).order_id):
                continue
            worth = (100.0, 60.0, 40.0, None)[step]
            found = self.platform.google.values.get(SalesRow(sale).order_id)
            self.expect(found == worth, f"sale {sale} is worth {found}, not {worth}")

    def is_overtaken(self, order_id: str) -> bool:
        """Return whether a sale of one file was in process when another file corrected it.

        The sale was sent before any correction was known, and Google processes it after the
        correction. Only files that sell the same order do this, within hours, through both APIs.
        """
        of_order = [
            (request, sent)
            for request in self.platform.google.requests
            for sent in request.records
            if sent.order_id == order_id
        ]
        return any(
            sale.run != correction.run
            and sale.began_at < correction.answered_at < sale.processed_at
            for sale, sold in of_order
            for correction, changed in of_order
            if sold.changed_at is None and changed.changed_at is not None
        )


def answers_about(sent: Sent, requests: Sequence[Request]) -> list[tuple[Request, str]]:
    """Return what the processes of these requests were told about a record, oldest first."""
    return [
        (request, answer)
        for request in requests
        for record, answer in zip(request.records, request.answers, strict=False)
        if record == sent
    ]


def is_of(row: SalesRow, sent: Sent) -> bool:
    """Return whether a record is that of this row."""
    if not row.step:
        return sent.changed_at is None and sent.sold_at == row.sold_at
    return sent.changed_at == row.changed_at and sent.order_id == row.order_id


def is_open(results: Mapping[str, Any]) -> bool:
    """Return whether these results say that something is still to come."""
    counts = results["counts"]
    return bool(counts["deferred"] or counts.get("awaiting") or results["status"] == "waiting")


def play(apis: str, chunk_rows: int, steps: Sequence[Step]) -> History:
    """Play a history to its end, and verify it."""
    with platform(**APIS[apis], chunk_rows=chunk_rows) as made:
        history = History(made)
        history.play(steps)
        history.end()
        history.verify()
    if history.broken:
        told = "\n  ".join(str(step) for step in steps)
        raise AssertionError("\n".join([*history.broken, "in", f"  {told}"]))
    return history


def sales(*numbers: int) -> tuple[SalesRow, ...]:
    return tuple(map(SalesRow, numbers))


def upload(*rows: SalesRow, name: int = 0) -> Step:
    return Step("upload", name, rows=rows)


def deliver(number: int = 0, fault: Fault | None = None) -> Step:
    return Step("deliver", number, fault)


def wait(seconds: int) -> Step:
    return Step("wait", WAITS.index(seconds))


SWEEP, PROCESS, ACCEPTED = Step("sweep"), Step("process"), Step("account", 0)
OVERTAKEN = (wait(61), deliver(), wait(7 * HOUR), SWEEP, PROCESS, wait(3 * HOUR), SWEEP)
"""While a process is frozen, others do everything."""


class Story(NamedTuple):
    """A history in which the process of `victim` is interrupted."""

    apis: str
    before: tuple[Step, ...]
    victim: Step
    after: tuple[Step, ...] = ()

    def steps(self, fault: Fault | None) -> list[Step]:
        return [*self.before, self.victim._replace(fault=fault), *self.after]


STORIES = {
    "sales": Story("google_ads", (upload(*sales(0, 1, 2)),), deliver()),
    "sales, processed later": Story("data_manager", (upload(*sales(0, 1, 2)),), deliver()),
    "requests are refused for a while": Story(
        "google_ads",
        (upload(*sales(0, 1, 2, 3)), Step("account", 1)),
        deliver(),
        (ACCEPTED, wait(61), deliver()),
    ),
    "the account is refused for a while": Story(
        "google_ads",
        (upload(*sales(0, 1, 2, 3)), Step("account", 2)),
        deliver(),
        (ACCEPTED, wait(61), deliver()),
    ),
    "corrections in the order of their times, and not": Story(
        "google_ads",
        (upload(SalesRow(0), SalesRow(0, AGAIN), SalesRow(0, REDUCED), SalesRow(1)),),
        deliver(),
    ),
    "corrections that are older come in a later chunk": Story(
        "google_ads",
        (
            *(upload(*sales(0, 3)), deliver()),
            upload(*(SalesRow(sale, step) for step in (AGAIN, REDUCED) for sale in (0, 3)), name=1),
        ),
        deliver(1),
    ),
    "a sale comes again after its correction": Story(
        "data_manager",
        (
            upload(*sales(0, 3)),
            *(deliver(), PROCESS, wait(3 * HOUR), SWEEP),
            upload(SalesRow(0, REDUCED), name=1),
            *(deliver(1), PROCESS, wait(3 * HOUR), SWEEP),
            upload(*sales(4, 0)),
        ),
        deliver(2),
    ),
    "a row moves to another line": Story(
        "google_ads",
        (upload(*sales(2, 5)), deliver(), upload(*sales(0, 2, 5))),
        deliver(1),
    ),
    "a row is too recent": Story(
        "google_ads",
        (upload(*sales(0, 1, 2)), Step("judge", 2, rows=sales(1, 2)), deliver(), wait(7 * HOUR)),
        SWEEP,
        (Step("judge", 0, rows=sales(1, 2)), wait(61), wait(7 * HOUR), SWEEP),
    ),
    "a row was too recent": Story(
        "google_ads",
        (
            *(upload(*sales(0, 1, 2)), Step("judge", 2, rows=sales(1, 2)), deliver()),
            *(wait(7 * HOUR), Step("judge", 0, rows=sales(1, 2))),
        ),
        SWEEP,
    ),
    "rows fail later": Story(
        "data_manager",
        (
            *(upload(*sales(0, 1, 2)), Step("judge", 1, rows=sales(1, 2)), deliver()),
            *(PROCESS, Step("judge", 0, rows=sales(1, 2)), wait(3 * HOUR)),
        ),
        SWEEP,
    ),
    "rows fail after a sweep has asked": Story(
        "data_manager",
        (upload(*sales(0, 1, 2)), Step("judge", 1, rows=sales(1, 2)), deliver(), wait(3 * HOUR)),
        SWEEP,
    ),
}
"""Histories that are short enough to be interrupted at every call."""


KINDS = {
    "killed": Fault(0, "killed"),
    "frozen": Fault(0, "frozen", False, OVERTAKEN),
    "frozen for a moment": Fault(0, "frozen", False, (deliver(), SWEEP)),
    "lost answer": Fault(0, "lost answer"),
    "unavailable": Fault(0, "unavailable"),
}
"""To be killed or frozen after a call is nearly the same as before the next one."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", STORIES)
def test_every_call(name: str, kind: str) -> None:
    """Wherever a process is interrupted, and whatever happens meanwhile."""
    story, stride = STORIES[name], 1 if EVERY_CALL or kind in ("killed", "frozen") else STRIDE
    number = sum(step.kind in ("deliver", "sweep") for step in story.before)
    for call in itertools.count(1, stride):
        history = play(story.apis, 2, story.steps(KINDS[kind]._replace(call=call)))
        if not history.platform.processes[number].interrupted_at:
            break


rows_of_a_file = st.lists(
    st.builds(SalesRow, sale=st.integers(0, 5), step=st.integers(SOLD, REFUNDED)),
    min_size=1,
    max_size=6,
    unique=True,
)


def possible(apis: str, rows: Sequence[SalesRow]) -> tuple[SalesRow, ...]:
    """Return rows that can be sent: only sales with an order ID are corrected, and the Data Manager
    API retracts nothing."""
    steps = (SOLD, REDUCED, AGAIN) if apis == "data_manager" else range(len(STEPS))
    sent = [row for row in rows if row.step in steps and (row.order_id or not row.step)]
    return tuple(sent) or (SalesRow(rows[0].sale),)


def steps(apis: str, depth: int) -> st.SearchStrategy[Step]:
    """Steps in which processes freeze, while others freeze, down to this depth."""
    kinds = st.sampled_from(["killed", "lost answer", "unavailable"])
    faults = st.builds(Fault, st.integers(1, 30), kinds, st.booleans(), st.just(()))
    if depth:
        meanwhile = st.lists(steps(apis, depth - 1), min_size=1, max_size=4).map(tuple)
        frozen = st.just("frozen")
        faults |= st.builds(Fault, st.integers(1, 30), frozen, st.booleans(), meanwhile)
    none, no_rows, whole = st.none(), st.just(()), st.just(False)
    fault, rows = none | faults, rows_of_a_file.map(partial(possible, apis))

    def step(
        kind: str, most: int = 0, *, fault: Any = none, rows: Any = no_rows, is_cut: Any = whole
    ) -> st.SearchStrategy[Step]:
        return st.builds(Step, st.just(kind), st.integers(0, most), fault, rows, is_cut)

    return st.one_of(
        step("upload", 1, rows=rows, is_cut=st.booleans()),
        step("copy", 1),
        step("deliver", 5, fault=fault),
        step("sweep", fault=fault),
        step("wait", len(WAITS) - 1),
        step("judge", 2, rows=rows),
        step("account", 2),
        step("process", 1),
    )


@pytest.mark.parametrize("apis", APIS)
@settings(
    max_examples=1000 if EVERY_CALL else 20,
    phases=list(Phase) if SHRINK else [Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
@given(data=st.data())
def test_any_history(apis: str, data: st.DataObject) -> None:
    """Every row gets one outcome, counts once, is sent until that is saved; no run is lost."""
    first = data.draw(rows_of_a_file.map(partial(possible, apis)))
    then = data.draw(st.lists(steps(apis, 2), max_size=12))
    play(apis, data.draw(st.sampled_from([2, 2000])), [Step("upload", 0, None, first), *then])
