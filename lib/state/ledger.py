"""Claim, lease, chunk markers, completion: what survives a crash.

Layout, below `<state bucket>/<state prefix>`:

    runs/<run key>/run.json            the claim: who works on it until when, and what was fixed
    runs/<run key>/chunks/000042.json  the outcomes of data rows [42 × 2000, 43 × 2000)
    waiting/<run key>.json             an index for the sweep: look at this run again, when and why

The timeline of a lease (L = lease_seconds; it is renewed every L / 3):

    claim ──renew──renew──renew──╳ dies                     ┌── taken over: attempts + 1
      │←───────── L ─────────→│   │←────────── L ──────────→│
      │ other deliveries: LeaseHeld (not a 2xx: if we die, │ one of them wins the compare-and-swap,
      │ one of them is what saves the file)                │ the others get LeaseHeld
      │                                                     │ finished chunks are skipped
      └─ results document written ── run.json "finished": deliveries from now on: 2xx, nothing done

The results document is the commit point. A run that dies between it and "finished" is found
finished by the next delivery, which looks for the document before it takes over.

What is guaranteed: by `if_generation_match` alone, at most one attempt holds a lease that it
believes live; a marker is written once and never changed by another attempt of the same delivery.
What isn't: a process that was frozen past its lease and thawed may still send a chunk that its
successor sends too. It learns of its loss at its next write. Google's own dedupe (click id + time
+ action; order id + action) is what keeps those conversions single, and why rows without either
get a derived order id.

A write that storage carried out although its answer got lost is sent again by the client and then
fails its precondition. So after every failed precondition we look whose content is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lib.errors import LeaseHeld, LeaseLost, RetryableError
from lib.model.outcomes import Problem
from lib.state.run import Run, run_id, run_key
from lib.state.store import Store, StoredObject

SCHEMA = 1


class Ledger:
    """The ledger in one bucket, below one prefix."""

    def __init__(self, store: Store, bucket: str, prefix: str, lease_seconds: float) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix
        self._lease = timedelta(seconds=lease_seconds)

    # ── the claim ────────────────────────────────────────────────────────────────────────────

    def claim(
        self,
        source: StoredObject,
        now: datetime,
        owner: str,
        profile_name: str,
        profile: Mapping[str, Any] | None,
    ) -> Run:
        """Start the run, or take it over.

        Returns the run with our lease on it, or the finished (or waiting) run as it is: look at
        `status`. Raises `LeaseHeld` while another attempt's lease is live.
        """
        fresh = Run(source, owner, 1, now + self._lease, "running", now, profile_name, profile)
        generation = self._write(fresh, 0)
        if generation is not None:
            return replace(fresh, object_generation=generation)
        run = self.load(run_key(source))
        if run is None:
            raise RetryableError("STORAGE_UNAVAILABLE", "the claim was refused, yet there is none")
        if run.owner == owner or run.status != "running":
            return run
        return self._take_over(run, now, owner)

    def reopen(self, run: Run, now: datetime, owner: str) -> Run:
        """Take a waiting run up again, to send its deferred rows. Raises `LeaseHeld` if beaten."""
        return self._take_over(run, now, owner)

    def _take_over(self, run: Run, now: datetime, owner: str) -> Run:
        if run.status == "running" and run.expires > now:
            raise LeaseHeld(f"until {run.expires.isoformat()}")
        taken = replace(
            run,
            owner=owner,
            attempts=run.attempts + 1,
            expires=now + self._lease,
            status="running",
        )
        generation = self._write(taken, run.object_generation)
        if generation is None:
            current = self.load(run.key)
            if current is None or current.owner != owner:
                raise LeaseHeld("another delivery took it over first")
            return current
        return replace(taken, object_generation=generation)

    def renew(self, run: Run, now: datetime) -> Run:
        """Extend our lease. Raises `LeaseLost` when it isn't ours any more."""
        return self._update(run, expires=now + self._lease)

    def release(self, run: Run, now: datetime, cause: str) -> Run:
        """Give the lease back unfinished, so that the next delivery can go on at once."""
        return self._update(run, expires=now, cause=cause)

    def stop(self, run: Run, problem: Problem) -> Run:
        """Write down that the rest of the file must not be sent, before the rest says so."""
        return self._update(run, stop=(problem.code, problem.detail))

    def finish(self, run: Run, status: str) -> Run:
        """Write down that the results document is complete ("finished") or still "waiting"."""
        return self._update(run, status=status)

    def _update(self, run: Run, **changes: Any) -> Run:
        updated = replace(run, **changes)
        generation = self._write(updated, run.object_generation)
        if generation is None:
            current = self.load(run.key)
            if current is None or current.owner != run.owner:
                raise LeaseLost()
            if replace(updated, object_generation=current.object_generation) != current:
                # Ours, but an older write of ours whose answer was lost: write over it.
                generation = self._write(updated, current.object_generation)
                if generation is None:
                    raise LeaseLost()
                return replace(updated, object_generation=generation)
            return current
        return replace(updated, object_generation=generation)

    def load(self, key: str) -> Run | None:
        """The run of that key as it is now, or None."""
        found = self._store.read(self._bucket, self._run_name(key))
        if found is None:
            return None
        content, generation = found
        return replace(_run_from_json(content), object_generation=generation)

    def _write(self, run: Run, if_generation_match: int) -> int | None:
        return self._store.write(
            self._bucket,
            self._run_name(run.key),
            _run_to_json(run),
            if_generation_match=if_generation_match,
        )

    def _run_name(self, key: str) -> str:
        return f"{self._prefix}runs/{key}/run.json"

    # ── chunk markers ────────────────────────────────────────────────────────────────────────

    def finished_chunks(self, run: Run) -> set[int]:
        """Indexes of the chunks whose outcomes are written down."""
        prefix = f"{self._prefix}runs/{run.key}/chunks/"
        return {
            int(found.name[len(prefix) : -5]) for found in self._store.list(self._bucket, prefix)
        }

    def read_chunk(self, run: Run, index: int) -> dict[str, Any]:
        """The marker of a finished chunk."""
        return self.load_chunk(run, index)[0]

    def load_chunk(self, run: Run, index: int) -> tuple[dict[str, Any], int]:
        """The marker of a finished chunk and its generation, for `replace_chunk`."""
        found = self._store.read(self._bucket, self._chunk_name(run, index))
        if found is None:
            raise RetryableError(
                "STORAGE_UNAVAILABLE", f"the marker of chunk {index} has disappeared"
            )
        return json.loads(found[0]), found[1]

    def write_chunk(self, run: Run, index: int, marker: Mapping[str, Any]) -> None:
        """Write the outcomes of a chunk down. Raises `LeaseLost` if another attempt has done so."""
        body = json.dumps({**marker, "owner": run.owner}, separators=(",", ":")).encode()
        name = self._chunk_name(run, index)
        written = self._store.write(self._bucket, name, body, if_generation_match=0)
        if written is None and self.read_chunk(run, index).get("owner") != run.owner:
            raise LeaseLost(f"chunk {index} was finished by another attempt")

    def replace_chunk(
        self, run: Run, index: int, marker: Mapping[str, Any], generation: int
    ) -> int:
        """Write new outcomes of a finished chunk in the place of those of that `generation`.

        Returns the new one. Raises `LeaseLost` if another sweep has written since they were read:
        one that was frozen meanwhile must not put old outcomes over new ones.
        """
        name = self._chunk_name(run, index)
        body = json.dumps({**marker, "owner": run.owner}, separators=(",", ":")).encode()
        written = self._store.write(self._bucket, name, body, if_generation_match=generation)
        if written is not None:
            return written
        current, its_generation = self.load_chunk(run, index)
        if current.get("owner") != run.owner:
            raise LeaseLost(f"chunk {index} was changed by another attempt")
        return its_generation

    def _chunk_name(self, run: Run, index: int) -> str:
        return f"{self._prefix}runs/{run.key}/chunks/{index:06d}.json"


def _run_to_json(run: Run) -> bytes:
    source = run.source
    return json.dumps(
        {
            "schema": SCHEMA,
            "run_id": run_id(source),
            "source": {
                "bucket": source.bucket,
                "name": source.name,
                "generation": source.generation,
                "size": source.size,
                "md5": source.md5,
            },
            "owner": run.owner,
            "attempts": run.attempts,
            "expires": run.expires.isoformat(),
            "status": run.status,
            "now": run.now.isoformat(),
            "profile_name": run.profile_name,
            "profile": run.profile,
            "stop": run.stop,
            "cause": run.cause,
        },
        separators=(",", ":"),
    ).encode()


def _run_from_json(content: bytes) -> Run:
    body = json.loads(content)
    return Run(
        source=StoredObject(**body["source"]),
        owner=body["owner"],
        attempts=body["attempts"],
        expires=datetime.fromisoformat(body["expires"]),
        status=body["status"],
        now=datetime.fromisoformat(body["now"]),
        profile_name=body["profile_name"],
        profile=body["profile"],
        stop=tuple(body["stop"]) if body["stop"] else None,
        cause=body["cause"],
    )
