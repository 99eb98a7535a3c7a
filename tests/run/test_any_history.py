"""Any history of files, deliveries, sweeps, crashes, freezes, lost answers and outages.

What happens is compared with the files, with what Google has, with what the results say, and with
what is told (`tests.histories`). Histories that somebody has thought of have names
(`test_long_life`, `test_named_histories`); these are for what nobody has.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.every_call import EVERY_CALL
from tests.histories.files import (
    AGAIN,
    NAMES,
    REDUCED,
    REFUNDED,
    SOLD,
    TWIN,
    WITHOUT_VALUE,
    SalesRow,
    sales,
)
from tests.histories.history import (
    ACCOUNT,
    DEADLY,
    SENDING,
    STATUSES,
    UNWRITABLE,
    VERDICTS,
    WAITS,
    Fault,
    Step,
)
from tests.histories.oracle import Oracle
from tests.histories.platform import DAY, HOUR
from tests.histories.playing import APIS, played

STRIDE = 6
"""Without EVERY_CALL, less important interruptions come at every sixth call."""
SHRINK = bool(os.environ.get("SHRINK"))
"""Look for the shortest history that fails: it takes minutes."""


def play(
    apis: str, chunk_rows: int, steps: Sequence[Step], *, keeps_versions: bool = True
) -> Oracle:
    """Play a history to its end, and judge it."""
    try:
        with played(apis, chunk_rows, keeps_versions=keeps_versions) as history:
            history.play(steps)
    except AssertionError as error:
        told = "\n  ".join(str(step) for step in steps)
        kept = "versions are kept" if keeps_versions else "versions are not kept"
        raise AssertionError(f"{error}\nin ({chunk_rows}, {kept})\n  {told}") from None
    return history


def upload(*rows: SalesRow, name: int = 0) -> Step:
    return Step("upload", name, rows=rows)


def deliver(number: int = 0, fault: Fault | None = None) -> Step:
    return Step("deliver", number, fault)


def wait(seconds: float) -> Step:
    return Step("wait", WAITS.index(seconds))


def judge(verdict: str, *rows: SalesRow) -> Step:
    return Step("judge", VERDICTS.index(verdict), rows=rows)


SWEEP, PROCESS = Step("sweep"), Step("process")
OVERTAKEN = (wait(601), deliver(), wait(7 * HOUR), PROCESS, wait(2 * HOUR))
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
    "Google names only the click": Story(
        "google_ads", (Step("clicks", 1), upload(*sales(0, 1, 3))), deliver()
    ),
    "requests are refused for a while": Story(
        "google_ads",
        (upload(*sales(0, 1, 2, 3)), Step("account", 1)),
        deliver(),
        (Step("account", 0), wait(601), deliver()),
    ),
    "the account is refused for a while": Story(
        "google_ads",
        (upload(*sales(0, 1, 2, 3)), Step("account", 2)),
        deliver(),
        (Step("account", 0), wait(601), deliver()),
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
            upload(*(SalesRow(sale, step) for step in (AGAIN, REDUCED) for sale in (0, 3)), name=2),
        ),
        deliver(1),
    ),
    "a correction, and then the nightly export": Story(
        "data_manager",
        (upload(*sales(6, 9)), wait(DAY), upload(SalesRow(6, REDUCED), name=2)),
        deliver(1),
        (wait(DAY), upload(*sales(6, 9), name=1)),
    ),
    "the nightly export after a correction": Story(
        "data_manager",
        (
            *(upload(*sales(0, 3)), wait(DAY), upload(SalesRow(0, REDUCED), name=2), wait(DAY)),
            upload(*sales(6, 0), name=1),
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
        (upload(*sales(0, 1, 2)), judge("too recent", *sales(1, 2)), deliver(), wait(2 * HOUR)),
        SWEEP,
        (wait(7 * HOUR), judge("", *sales(1, 2))),
    ),
    "a row was too recent": Story(
        "google_ads",
        (
            *(upload(*sales(0, 1, 2)), judge("too recent", *sales(1, 2)), deliver()),
            *(Step("sending", 1), wait(7 * HOUR), Step("sending", 0), judge("", *sales(1, 2))),
        ),
        SWEEP,
    ),
    "rows fail later": Story(
        "data_manager",
        (
            *(upload(*sales(0, 1, 2)), judge("refused", *sales(1, 2)), deliver(), PROCESS),
            *(judge("", *sales(1, 2)), Step("statuses", 1), wait(2 * HOUR), Step("statuses", 0)),
            wait(601),
        ),
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
    "slow": Fault(0, "slow"),
    "SIGTERM": Fault(0, "SIGTERM"),
}
"""To be killed or frozen after a call is nearly the same as before the next one."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", STORIES)
def test_every_call(name: str, kind: str) -> None:
    """Wherever a process is interrupted, and whatever happens meanwhile."""
    story, stride = STORIES[name], 1 if EVERY_CALL or kind == "killed" else STRIDE
    with played(story.apis) as before:
        before.play(story.before)
        number = len(before.platform.processes)
        before.play([story.victim, *story.after])
    for call in itertools.count(1, stride):
        history = play(story.apis, 2, story.steps(KINDS[kind]._replace(call=call)))
        if not history.platform.processes[number].interrupted_at:
            break


rows_of_a_file = st.lists(
    st.builds(
        SalesRow,
        sale=st.sampled_from([0, 0, 0, 3, 3, 1, 2, 5, *WITHOUT_VALUE, TWIN, TWIN + 1]),
        step=st.integers(SOLD, REFUNDED),
    ),
    min_size=1,
    max_size=6,
    unique=True,
)


def possible(apis: str, name: int, rows: Sequence[SalesRow]) -> tuple[SalesRow, ...]:
    """Return rows that a file of this name can have: its profile reads sales, corrections, or both.

    The Data Manager API retracts nothing, and adjusts only sales with an order ID of their own, or
    one that is derived.
    """
    steps = {0: range(4), 1: [SOLD], 2: [REDUCED, AGAIN, REFUNDED], 3: [SOLD]}[name]
    kept = [row for row in rows if row.step in steps]
    if apis == "data_manager":
        has_order = [row for row in kept if row.order_id or not row.click_id or not row.step]
        kept = [row for row in has_order if row.step != REFUNDED]
    return tuple(kept) or (SalesRow(0, steps[0]),)


def steps(apis: str, depth: int) -> st.SearchStrategy[Step]:
    """Steps in which processes freeze, while others freeze, down to this depth."""
    kinds = st.sampled_from(["killed", "lost answer", "unavailable", "slow", "SIGTERM"])
    faults = st.builds(Fault, st.integers(1, 30), kinds, st.booleans(), st.just(()))
    if depth:
        meanwhile = st.lists(steps(apis, depth - 1), min_size=1, max_size=4).map(tuple)
        frozen = st.just("frozen")
        faults |= st.builds(Fault, st.integers(1, 30), frozen, st.booleans(), meanwhile)
    none, no_rows, whole = st.none(), st.just(()), st.just(False)
    fault = none | faults

    def step(
        kind: str, most: int = 0, *, fault: Any = none, rows: Any = no_rows, is_cut: Any = whole
    ) -> st.SearchStrategy[Step]:
        return st.builds(Step, st.just(kind), st.integers(0, most), fault, rows, is_cut)

    def uploads(name: int) -> st.SearchStrategy[Step]:
        rows = rows_of_a_file.map(partial(possible, apis, name))
        return st.builds(Step, st.just("upload"), st.just(name), none, rows, st.booleans())

    judged = rows_of_a_file.map(tuple)
    weighted = {
        6: [st.sampled_from([0, 0, 1, 1, 2, 2, 2, 3]).flatmap(uploads)],
        5: [step("wait", len(WAITS) - 1)],
        2: [
            step("deliver", 5, fault=fault),
            step("sweep", fault=fault),
            step("judge", len(VERDICTS) - 1, rows=judged),
            step("sending", len(SENDING) - 1),
            step("statuses", len(STATUSES) - 1),
            step("process", 2),
        ],
        1: [
            step("copy", len(NAMES) - 1),
            step("lose"),
            step("delete", len(NAMES) - 1),
            step("account", len(ACCOUNT) - 1),
            step("unwritable", len(UNWRITABLE) - 1),
            step("deadly", len(DEADLY) - 2),
            step("revision"),
            step("clicks", 1),
        ],
    }
    drawn = [each for weight, of_kind in weighted.items() for each in of_kind * weight]
    return st.sampled_from(drawn).flatmap(lambda each: each)


@pytest.mark.parametrize("apis", APIS)
@settings(
    max_examples=1000 if EVERY_CALL else 8,
    phases=list(Phase) if SHRINK else [Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
@given(data=st.data())
def test_any_history(apis: str, data: st.DataObject) -> None:
    """Every row gets one outcome, counts once, with its newest value; what is open is told."""
    first = data.draw(rows_of_a_file.map(partial(possible, apis, 0)))
    then = data.draw(st.lists(steps(apis, 2), max_size=12))
    chunk_rows, keeps_versions = data.draw(st.sampled_from([2, 2000])), data.draw(st.booleans())
    play(apis, chunk_rows, [upload(*first), *then], keeps_versions=keeps_versions)
