"""A run: one generation of one object, its claim and its identity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.state.store import StoredObject


@dataclass(frozen=True, slots=True)
class Run:
    """The claim as written in run.json.

    `now` and `profile` are those of the first attempt: a resumed run judges as it did.
    `owner` is a random token of the attempt that holds the lease; `expires` its end.
    """

    source: StoredObject
    owner: str
    attempts: int
    expires: datetime
    status: str  # "running" | "finished" | "waiting" (for the sweep: lib.state.pending_runs)
    now: datetime
    profile_name: str
    profile: Mapping[str, Any] | None
    stop: tuple[str, str] | None = None  # code and detail, once the file was stopped
    cause: str = ""  # code of why the last attempt gave up, if it could say so
    object_generation: int = 0

    @property
    def key(self) -> str:
        """Name of the run's folder."""
        return run_key(self.source)

    @property
    def job_id(self) -> int:
        """One job id for every request of the file, in [1, 2^31) (INVALID_JOB_ID)."""
        return max(1, int(run_key(self.source)[:8], 16) & 0x7FFF_FFFF)


def run_id(source: StoredObject) -> str:
    """Identity of a run, for people: bucket, name and generation."""
    return f"{source.bucket}/{source.name}#{source.generation}"


def run_key(source: StoredObject) -> str:
    """The same, as a folder name of fixed length (object names may have 1,024 bytes already)."""
    return hashlib.sha256(run_id(source).encode()).hexdigest()[:32]
