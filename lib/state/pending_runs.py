"""Runs that the sweep must revisit: they have deferred rows, or their API processes requests later.

Each of them has one small object, next to the objects of the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from lib.errors import LeaseLost, RetryableError
from lib.state.documents import Documents
from lib.state.run import Run
from lib.state.store import SavedTime

_FOLDER: Final = "waiting/"


@dataclass(frozen=True, slots=True)
class PendingRun:
    """A run that the sweep revisits.

    `since` is when its results document was first written. `metadata` is what a new document needs
    in addition to the rows (`lib.results.document.DocumentMetadata`, as plain values). Rows are
    sent again at `resend_at`. The API is polled for the final status of the requests at `poll_at`.
    `requests` is the number of requests, `sent_at` when the newest were sent (None: at `since`),
    and `polls` how often the API was polled since then. The API's diagnostics of the file's job are
    read at `diagnose_at`, and have been `diagnosed` times.

    `run` is the claim of the attempt that saved this. `all_counted`: no row needs another run.
    `chunks` is the number of chunks of the results. `blocked` is the code of what a person must fix
    before the follow-up can go on.
    """

    run: Run
    since: SavedTime
    metadata: Mapping[str, Any]
    chunks: int
    resend_at: SavedTime | None = None
    poll_at: SavedTime | None = None
    polls: int = 0
    requests: int = 0
    sent_at: SavedTime | None = None
    diagnose_at: SavedTime | None = None
    diagnosed: int = 0
    all_counted: bool = False
    blocked: str = ""

    @property
    def due(self) -> datetime | None:
        """When to revisit the run; None: it needs no follow-up."""
        return _earliest(self.resend_at, self.poll_at, self.diagnose_at)

    @property
    def rows_due(self) -> datetime | None:
        """When the outcome of a row can change next; None: all outcomes are final."""
        return _earliest(self.resend_at, self.poll_at)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((at for at in moments if at is not None), default=None)


class PendingRuns:
    """The pending runs of all files."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def put(self, pending: PendingRun) -> None:
        """Record when the sweep must revisit this run, and the data that it needs.

        Raises `RetryableError` if that cannot be saved: its deferred rows would be forgotten, and
        `LeaseLost` if a later attempt has saved it.
        """
        name = pending_name(pending.run.key)
        # Most runs have no object yet, so this takes a single call.
        generation = 0
        for _ in range(2):
            if self._documents.write(name, pending, if_generation_match=generation) is not None:
                return
            found = self._documents.read(name, PendingRun)
            if found is None:
                break
            current, generation = found
            if msgspec.json.encode(current) == msgspec.json.encode(pending):
                return
            if current.run.attempts > pending.run.attempts:
                raise LeaseLost("a later attempt has saved the follow-up")
        raise RetryableError("STORAGE_UNAVAILABLE", "the follow-up of the run could not be saved")

    def get(self, key: str) -> PendingRun | None:
        """Return what `put` saved for a run, or None."""
        found = self._documents.read(pending_name(key), PendingRun)
        if found is not None and found[0].run.key != key:
            raise self._documents.damaged(pending_name(key), ValueError("the run of another file"))
        return found[0] if found is not None else None

    def clear(self, key: str) -> None:
        """Remove a run that needs no more follow-up."""
        self._documents.delete(pending_name(key))

    def list(self) -> Iterator[tuple[str, datetime | None]]:
        """Return the keys of all pending runs, and when each was saved. Skips other names."""
        for name, stored in self._documents.list(_FOLDER):
            key = name.removeprefix(_FOLDER).removesuffix(".json")
            if len(key) == 32 and name.endswith(".json"):
                yield key, stored.updated


def pending_name(key: str) -> str:
    """Return the name of the document of a pending run."""
    return f"{_FOLDER}{key}.json"
