"""Runs that the sweep must look at again: for deferred rows, or for an API that works requests off
later. One small object for each, beside the ledger's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.errors import RetryableError
from lib.state.store import Store


@dataclass(frozen=True, slots=True)
class PendingRun:
    """A run that the sweep must look at again. `run_id` is for its log lines.

    `since` is when its results document was first written, `metadata` what a new document needs beside
    the rows (`lib.results.document.DocumentMetadata.to_json`). At `resend_at` rows are sent again, at `ask_at` the API
    is asked what became of the requests. `requests` is how many there are, `sent_at` when the
    newest were sent (None: by `since`), and `asked` how often was asked since then.
    """

    key: str
    run_id: str
    since: datetime
    metadata: Mapping[str, Any]
    resend_at: datetime | None = None
    ask_at: datetime | None = None
    asked: int = 0
    requests: int = 0
    sent_at: datetime | None = None

    @property
    def due(self) -> datetime | None:
        """When to look at the run again; None: never, nothing of it is open."""
        return min((at for at in (self.resend_at, self.ask_at) if at is not None), default=None)


class PendingRuns:
    """Those entries in one bucket, below one prefix."""

    def __init__(self, store: Store, bucket: str, prefix: str) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = f"{prefix}waiting/"

    def put(self, pending: PendingRun) -> None:
        """Tell the sweep when to look at this run again, and with what knowledge.

        Raises `RetryableError` if that isn't written down: its deferred rows would be forgotten.
        """
        name = self._name(pending.key)
        body = json.dumps(
            {
                "run_id": pending.run_id,
                "since": pending.since.isoformat(),
                "metadata": pending.metadata,
                "resend_at": _written(pending.resend_at),
                "ask_at": _written(pending.ask_at),
                "asked": pending.asked,
                "requests": pending.requests,
                "sent_at": _written(pending.sent_at),
            },
            separators=(",", ":"),
        ).encode()
        found = self._store.read(self._bucket, name)
        generation = found[1] if found else 0
        written = self._store.write(self._bucket, name, body, if_generation_match=generation)
        if written is None:
            found = self._store.read(self._bucket, name)
            if found is None or found[0] != body:
                raise RetryableError(
                    "STORAGE_UNAVAILABLE", "the waiting entry could not be written"
                )

    def get(self, key: str) -> PendingRun | None:
        """What `put` wrote for a run, or None."""
        found = self._store.read(self._bucket, self._name(key))
        if found is None:
            return None
        entry = json.loads(found[0])
        return PendingRun(
            key,
            entry["run_id"],
            datetime.fromisoformat(entry["since"]),
            entry["metadata"],
            _read(entry["resend_at"]),
            _read(entry["ask_at"]),
            entry["asked"],
            # An entry that an older version wrote has neither.
            entry.get("requests", 0),
            _read(entry.get("sent_at")),
        )

    def clear(self, key: str) -> None:
        """Nothing of this run is open any more."""
        self._store.delete(self._bucket, self._name(key))

    def list_keys(self) -> Iterator[str]:
        """The keys of all waiting runs; what else lies there is nothing of ours."""
        for found in self._store.list(self._bucket, self._prefix):
            key = found.name[len(self._prefix) : -len(".json")]
            if len(key) == 32 and found.name.endswith(".json"):
                yield key

    def _name(self, key: str) -> str:
        return f"{self._prefix}{key}.json"


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
