"""Runs: what is saved of the processing of one generation of one object.

    runs/<run>.json     one document for each generation, for ever

    none → working ⇄ waiting → done

A working run is due when its lease ends: then its attempt has died. A waiting run is due when there
is something to do again. A run that is done never runs again: a file that is dropped again is a new
generation, and so another run.

Only the owner of a lease changes a run, by compare-and-swap. The object's metadata repeat what a
sweep needs to know (`RunEntry`), so that a listing shows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec

from lib.errors import LeaseLost
from lib.model.outcomes import Problem, SavedTime
from lib.state.documents import Documents
from lib.state.store import Label, StoredObject

RunState = Literal["working", "waiting", "done"]

_FOLDER: Final = "runs/"
_ENTRY_KEY: Final = "run"
"""The key of the object's metadata that has the `RunEntry`."""
_LONGEST_ENTRY: Final = 6_000
"""Characters. Cloud Storage allows 8 KiB of metadata for an object."""


class Cut(NamedTuple):
    """The number of data rows or characters at which a chunk ends, whichever comes first.

    Each cell counts as `cell_chars` characters more: in memory, short cells need more than their
    text.
    """

    rows: int
    chars: int
    cell_chars: int


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the first complete pass has found out about the file.

    `columns` maps fields to the file's own column names. `empty_columns` are columns that the
    profile names and that have no cell. `chunks` is the number of chunks of the file.
    """

    customer_id: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()
    empty_columns: tuple[str, ...] = ()
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class Followed:
    """What an API has reported later about the requests of a run, and how often it was asked.

    `polls` and `diagnosed` count the questions since `sent_at`, when the newest requests were
    answered: with newer ones, the schedule begins again. `diagnostics` is that part of the results.
    """

    sent_at: SavedTime | None = None
    polls: int = 0
    polled_at: SavedTime | None = None
    diagnosed: int = 0
    diagnostics: Mapping[str, Any] | None = None


class RunTotals(NamedTuple):
    """What the results of a run say in all, for listings.

    `outcomes` counts the rows by outcome, `money` has the micros by outcome and currency. Of the
    uploaded rows, `uncounted` will never count although their API has not named them. `code` is the
    most frequent reason why rows are lost. `corrections` are the rows by outcome that correct an
    earlier conversion.
    """

    outcomes: Mapping[str, int] = {}
    money: Mapping[str, Mapping[str, int]] = {}
    uncounted: int = 0
    code: str = ""
    corrections: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Run:
    """What is saved of a run.

    `now`, the profile and the `cut` are those of the first attempt, so that each attempt makes the
    same decisions. `arrived` is when the object came. `owner` is the random token of the attempt
    that works on it, or worked last. `due` is when the lease ends, or when there is something to
    do; None: never again.

    `tries` are the attempts in a row that died, or achieved nothing for a reason that only the file
    can have. `marked` is the number of markers when the last attempt began. `died`: an attempt has
    died, so any row without a marker may have been sent. `stop` is why the rest of the file is not
    sent, `blocked` the code of what a person must correct before a follow-up can go on, `cause` why
    the last attempt failed. The `totals` of the results have changed last at `changed_at`.
    """

    source: StoredObject
    arrived: SavedTime
    now: SavedTime
    profile_name: str
    profile: Any  # a mapping or None, but another version may have written it
    cut: Cut
    state: RunState
    owner: str
    due: SavedTime | None
    attempts: int = 1
    tries: int = 0
    marked: int = 0
    died: bool = False
    stop: Problem | None = None
    superseded_by: int = 0
    blocked: str = ""
    cause: str = ""
    facts: FileFacts | None = None
    followed: Followed = field(default_factory=Followed)
    totals: RunTotals = field(default_factory=RunTotals)
    changed_at: SavedTime | None = None

    @property
    def key(self) -> str:
        """The name of the run in the state."""
        return run_key(self.source)

    @property
    def job_id(self) -> int:
        """One job ID for all requests of the file, in [1, 2^31) (otherwise INVALID_JOB_ID)."""
        return max(1, int(self.key[:8], 16) & 0x7FFF_FFFF)

    def is_due(self, now: datetime) -> bool:
        """Return whether there is something to do: the lease has ended, or a row is due."""
        return self.due is not None and self.due <= now


def run_id(source: StoredObject) -> str:
    """Return the identity of a run, readable for people: bucket, name and generation."""
    return f"{source.bucket}/{source.name}#{source.generation}"


def run_key(source: StoredObject) -> str:
    """Return the same as a name of fixed length (object names can have 1,024 bytes)."""
    return hashlib.sha256(run_id(source).encode()).hexdigest()[:32]


_LOST: Final = ("rejected", "failed")
_MEANT: Final = ("uploaded", "duplicate", "rejected", "failed", "deferred")


def _sum_money(money: Mapping[str, Mapping[str, int]], outcomes: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for outcome in outcomes:
        for currency, micros in money.get(outcome, {}).items():
            found[currency] = found.get(currency, 0) + micros
    return found


class RunEntry(msgspec.Struct, frozen=True):
    """What a listing shows of a run."""

    key: str
    state: RunState
    due: SavedTime | None
    tries: int
    attempts: int
    name: str
    generation: int
    content: str
    arrived: SavedTime
    profile: str
    destination: str
    validate_only: bool
    is_read: bool
    """The first pass is complete: each row has an outcome."""
    stop: str
    stop_detail: str
    superseded: bool
    blocked: str
    cause: str
    empty_columns: tuple[str, ...]
    totals: RunTotals
    changed_at: SavedTime | None

    def run_id(self, bucket: str) -> str:
        """Return the identity of the run of an object in this bucket, readable for people."""
        return f"{bucket}/{self.name}#{self.generation}"

    @property
    def meant(self) -> int:
        """Number of rows that were meant to be sent, and could be: the file was not stopped."""
        outcomes = self.totals.outcomes
        return (
            sum(outcomes.values()) - outcomes.get("skipped", 0) - outcomes.get("not_attempted", 0)
        )

    @property
    def lost(self) -> int:
        """Number of rows that do not count although they were meant to."""
        return sum(self.totals.outcomes.get(each, 0) for each in _LOST) + self.totals.uncounted

    def lost_money(self) -> Mapping[str, int]:
        """The micros of the lost rows by currency."""
        return _sum_money(self.totals.money, _LOST)

    def meant_money(self) -> Mapping[str, int]:
        """The micros of the rows that were meant to be sent by currency."""
        return _sum_money(self.totals.money, _MEANT)


def entry_of(run: Run) -> RunEntry:
    """Return what a listing shows of a run."""
    profile = run.profile if isinstance(run.profile, dict) else {}
    return RunEntry(
        key=run.key,
        state=run.state,
        due=run.due,
        tries=run.tries,
        attempts=run.attempts,
        name=run.source.name,
        generation=run.source.generation,
        content=f"{run.source.size}-{run.source.md5 or run.source.crc32c}",
        arrived=run.arrived,
        profile=run.profile_name,
        destination=str(profile.get("destination") or ""),
        validate_only=bool(profile.get("validate_only")),
        is_read=run.facts is not None,
        stop=run.stop.code if run.stop is not None else "",
        stop_detail=run.stop.detail if run.stop is not None else "",
        superseded=bool(run.superseded_by),
        blocked=run.blocked,
        cause=run.cause,
        empty_columns=run.facts.empty_columns if run.facts is not None else (),
        totals=run.totals,
        changed_at=run.changed_at,
    )


def label_of(run: Run) -> Label:
    """Return how the object of a run describes itself in listings."""
    entry = entry_of(run)
    text = msgspec.json.encode(entry).decode()
    if len(text) > _LONGEST_ENTRY:  # many columns or currencies, or long texts
        short = {"stop_detail": "", "empty_columns": (), "name": entry.name[:500]}
        text = msgspec.json.encode(msgspec.structs.replace(entry, **short)).decode()
    return Label(metadata={_ENTRY_KEY: text})


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A run, and the generation of its document."""

    run: Run
    generation: int


class Runs:
    """The saved runs of all files. Every method raises `RetryableError` if storage is not there."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def create(self, run: Run) -> SavedRun | None:
        """Save a first attempt. Return None if another attempt was faster.

        If only the answer to this write got lost, the document is ours.
        """
        name = _name(run.key)
        generation = self._documents.write(name, run, if_generation_match=0, label=label_of(run))
        if generation is not None:
            return SavedRun(run, generation)
        saved = self.read(run.key)
        return saved if saved is not None and saved.run.owner == run.owner else None

    def read(self, key: str) -> SavedRun | None:
        """Return a saved run, or None if there is none."""
        saved = self._documents.read(_name(key), Run)
        return SavedRun(*saved) if saved is not None else None

    def save(self, saved: SavedRun, **changes: Any) -> SavedRun:
        """Change a run that this attempt has read, or owns.

        Raises `LeaseLost` if another attempt has changed it meanwhile. If only the answer to this
        write got lost, the document has our changes.
        """
        run = replace(saved.run, **changes)
        name = _name(run.key)
        generation = self._documents.write(
            name, run, if_generation_match=saved.generation, label=label_of(run)
        )
        if generation is not None:
            return SavedRun(run, generation)
        current = self.read(run.key)
        if current is None or current.run != run:
            raise LeaseLost("another attempt has saved the run")
        return current

    def entries(self) -> Iterator[RunEntry | str]:
        """Yield what a listing shows of each run: its entry, or its key if that cannot be read."""
        for listed in self._documents.list_labelled(_FOLDER):
            key = listed.name.removeprefix(_FOLDER).removesuffix(".json")
            try:
                yield msgspec.json.decode(listed.metadata[_ENTRY_KEY], type=RunEntry)
            except (KeyError, msgspec.DecodeError):
                yield key


def _name(key: str) -> str:
    return f"{_FOLDER}{key}.json"
