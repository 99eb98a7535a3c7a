"""A run: the processing of one generation of one object, with its claim and its identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from lib.model.outcomes import Problem
from lib.state.store import SavedTime, StoredObject


class ChunkLimits(NamedTuple):
    """The number of data rows or characters at which a chunk ends, whichever comes first.

    Each cell counts as `cell_chars` characters more: in memory, short cells need more than their
    text.
    """

    rows: int
    chars: int
    cell_chars: int


class Terms(NamedTuple):
    """What decides about the rows of a file, apart from the file: fixed by the first attempt."""

    profile_name: str
    profile: Any  # a mapping or None, but another version may have written it
    chunk_limits: ChunkLimits
    rules_version: int
    settings: str  # a digest of the settings


RunStatus = Literal["running", "finished", "waiting"]
"""`waiting`: the document is written, and the sweep revisits the run (`lib.state.pending_runs`)."""


@dataclass(frozen=True, slots=True)
class Run:
    """The claim, as it is saved.

    `now`, `profile`, `chunk_limits` and `rules_version` are those of the first attempt, so a
    resumed run makes the same decisions. `owner` is a random token of the attempt that holds the
    lease, which ends at `expires`.
    """

    source: StoredObject
    owner: str
    attempts: int
    expires: SavedTime
    status: RunStatus
    now: SavedTime
    profile_name: str
    profile: Any  # a mapping or None, but another version may have written it
    chunk_limits: ChunkLimits
    rules_version: int
    settings: str
    stop: Problem | None = None  # why the file was stopped, if it was
    cause: str = ""  # code of the error that ended the last attempt, if it is known
    object_generation: int = 0
    same_as: int = 0  # the generation whose run has sent the rows; 0: this run sends them
    all_counted: bool = False  # every row counts or need not, so the file needs no other run
    released: bool = False  # the last attempt gave its lease back; otherwise it works, or it died
    chunks_done: int = 0  # number of markers when the last attempt began
    without_progress: int = (
        0  # ended attempts since the last progress that only the file can explain
    )
    died: int = 0  # the last attempt that ended without a word: it may have sent rows unrecorded
    place: str = ""  # the name of the object that has the claim

    @property
    def terms(self) -> Terms:
        return Terms(
            self.profile_name, self.profile, self.chunk_limits, self.rules_version, self.settings
        )

    @property
    def key(self) -> str:
        """The name of the run's folder."""
        return run_key(self.source)

    @property
    def job_id(self) -> int:
        """One job ID for all requests of the file, in [1, 2^31) (otherwise INVALID_JOB_ID)."""
        return max(1, int(run_key(self.source)[:8], 16) & 0x7FFF_FFFF)


def first_claim(
    source: StoredObject, owner: str, now: datetime, lease_seconds: float, terms: Terms
) -> Run:
    """Return the claim of a first attempt."""
    return Run(source, owner, 1, now + timedelta(seconds=lease_seconds), "running", now, *terms)


def run_id(source: StoredObject) -> str:
    """Return the identity of a run, readable for people: bucket, name and generation."""
    return f"{source.bucket}/{source.name}#{source.generation}"


def name_key(source: StoredObject) -> str:
    """Return a folder name that all generations of an object have in common."""
    return hashlib.sha256(f"{source.bucket}/{source.name}".encode()).hexdigest()[:32]


def run_key(source: StoredObject) -> str:
    """Return the same as a folder name of fixed length (object names can have 1,024 bytes)."""
    return hashlib.sha256(run_id(source).encode()).hexdigest()[:32]
