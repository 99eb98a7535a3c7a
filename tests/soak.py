"""A long run of random faults and crashes: `python -m tests.soak --minutes 30 --seed 0`.

Each round drops files under a random mixture of faults, kills, deleted chunk markers, and duplicate
and lost deliveries, with sweeps in between. Some files are copied onto themselves, some overwritten
with other content. One of two instances has other settings and chunks. Then the faults end, time
passes, and every file of the round must be finished and right.

A failure says the file, the line and the cause, and how to repeat the run. It keeps the log lines
of all instances, the documents and the deliveries in a folder. The exit code is 1.

If MEMORY_GROUP names a cgroup that exists, the two instances run in it, and share its limit. The
same seed produces the same rounds (only their timing depends on the machine); `--round 7
--minutes 0` runs only the seventh round.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.up import INPUT_BUCKET, OUTPUT_BUCKET, NoResults, Sandbox
from tests.results_schema import check_results
from tests.whole.recovery.conftest import leases_end, running_function
from tests.whole.recovery.files import (
    FOLDERS,
    File,
    check,
    clicks_grow_old,
    log_lines,
    make_file,
)
from tests.whole.recovery.test_faults import mixture

SHORT_WAITS: Final = {"REQUEST_TIMEOUT_SECONDS": "1", "STORAGE_TIMEOUT_OF_CODE": "2"}
"""A busy machine meets ends of requests, too."""
OTHER_SETTINGS: Final = {"CHUNK_ROWS_OF_CODE": "150", "LIST_ALL_ROWS": "true", "WINDOW": "2"}
"""What the second instance has."""
SIZES: Final = (1, 8, 30, 200, 201, 410, 1_000)
SWEEPS: Final = 12
"""After so many sweeps without faults, each seven hours later, a round has failed."""
LAST_LINES: Final = 12
"""So many log lines of an unfinished file are shown."""
RESTART_SECONDS: Final = 60.0
IDLE_SECONDS: Final = 600.0
"""Deliveries end much earlier, except if one hangs."""


class Broken(Exception):
    """An invariant does not hold."""


@dataclass(slots=True)
class Done:
    """What a run has done so far."""

    files: int = 0
    rows: int = 0
    copied: int = 0
    overwritten: int = 0
    markers_deleted: int = 0

    def text(self, google: Sandbox) -> str:
        """Say it, with the faults."""
        return (
            f"{self.files} files ({self.copied} copied onto themselves, {self.overwritten} "
            f"overwritten), {self.rows} rows, {google.faults.injected} faults, "
            f"{google.faults.kills} kills, {self.markers_deleted} markers deleted"
        )


@dataclass(slots=True)
class Round:
    """The files of a round, and the random decisions about them."""

    google: Sandbox
    rng: random.Random
    number: int
    route: str
    done: Done
    files: list[File] = field(default_factory=list)
    copies: list[File] = field(default_factory=list)

    def begin(self) -> None:
        """Drop the files while the faults are active."""
        google, rng = self.google, self.rng
        google.state.data_manager.repeats_adjust = rng.random() < 0.5
        google.faults.set(mixture(rng, self.route))
        google.delivery.set(
            backoff_seconds=0.05,
            max_backoff_seconds=0.5,
            duplicate=rng.choice((1, 1, 2, 8)),
            concurrency=rng.choice((1, 2, 8)),
        )
        for place in range(rng.randint(1, 8)):
            is_lost = rng.random() < 0.1
            google.delivery.set(drop=is_lost)
            self._drop(f"{FOLDERS[self.route]}r{self.number}-{place}.csv", is_lost=is_lost)
            if rng.random() < 0.1:
                google.faults.kill()
            if rng.random() < 0.3:
                time.sleep(rng.random())
            if rng.random() < 0.2:
                google.run_sweep()
            if rng.random() < 0.2:
                self.done.markers_deleted += delete_markers(google, rng)
        google.delivery.set(drop=False)

    def _drop(self, name: str, *, is_lost: bool) -> None:
        rng = self.rng
        file = make_file(name, rng.choice(SIZES), rng.getrandbits(30)).drop(self.google)
        self.files.append(file)
        # Nobody knows of a file whose event was lost and that is not there any more.
        choice = 1.0 if is_lost else rng.random()
        if choice < 0.4:
            time.sleep(rng.random())
        if choice < 0.2:
            # As a gateway does that sets the time of a file.
            blob = self.google.storage_client().bucket(INPUT_BUCKET).blob(name)
            blob.metadata = {"mtime": "2026-11-21T00:00:00Z"}
            blob.rewrite(blob)
            copy = File(name, file.content, file.kinds, file.first_value, file.clicks)
            copy.generation = int(blob.generation)
            self.copies.append(copy)
            self.done.copied += 1
        elif choice < 0.4:
            other = make_file(name, rng.choice(SIZES), rng.getrandbits(30))
            self.files.append(other.drop(self.google))
            self.done.overwritten += 1

    def end(self) -> None:
        """End the faults, let time pass until every file is finished, and check the results."""
        google = self.google
        google.delivery.wait_until_idle(IDLE_SECONDS)
        google.faults.clear()
        for file in self.files:
            clicks_grow_old(google, file)
        answers = []
        for _ in range(SWEEPS):
            leases_end(google)
            google.clock.advance(7)
            answers.append(answered_sweep(google))
            google.delivery.wait_until_idle(IDLE_SECONDS)
            left = [file.name for file in (*self.files, *self.copies) if not is_done(google, file)]
            if not left:
                break
        else:
            error = Broken(f"not finished: {left}")
            error.add_note(f"The sweeps answered (0: they died) {answers}")
            for file in self.files:
                if file.name in left:
                    for line in log_lines(google, file)[-LAST_LINES:]:
                        error.add_note(f"{line}"[:500])
            raise error
        for file in self.files:
            self._check(file)
        self.done.files += len(self.files)
        self.done.rows += sum(len(file.kinds) for file in self.files)

    def _check(self, file: File) -> None:
        """Check a file, or of a file that was copied onto itself, a generation that was sent."""
        twins = [file, *(copy for copy in self.copies if copy.first_value == file.first_value)]
        found = [document_of(self.google, twin) for twin in twins]
        complete = [each for each in found if each["status"] != "superseded"]
        if not complete:
            raise Broken(f"{file.name}: each generation leaves its rows to another one")
        for document in complete:
            try:
                check(file, document, self.google)
            except AssertionError as error:
                error.add_note(f"{document['run_id']}: {document['counts']} {document['codes']}")
                error.add_note(f"The file: {Counter(file.kinds)}")
                raise


def answered_sweep(google: Sandbox) -> tuple[int, str]:
    """Sweep, and return the answer. After a kill, the process of the sweep may be starting again:
    a sweep that did not reach it is none."""
    ends = time.monotonic() + RESTART_SECONDS
    while not (answer := google.run_sweep())[0] and time.monotonic() < ends:
        time.sleep(0.5)
    return answer


def keep(failed: Round) -> Path:
    """Write all that is known of a failed round into a folder, and return it."""
    folder, google = Path(tempfile.mkdtemp(prefix="soak-failure-")), failed.google
    (folder / "function.log").write_text(google.function_output())
    deliveries = "\n".join(map(repr, google.delivery.records()))
    (folder / "deliveries.txt").write_text(deliveries)
    for blob in google.storage_client().list_blobs(OUTPUT_BUCKET):
        path = folder / blob.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blob.download_as_bytes())
    return folder


def document_of(google: Sandbox, file: File) -> dict[str, Any]:
    return check_results(google.results(file.name, file.generation, timeout_seconds=0))


def is_done(google: Sandbox, file: File) -> bool:
    """Return whether the file has results, and no row that will be sent again."""
    try:
        document = document_of(google, file)
    except NoResults:
        return False
    is_open = document.get("processing", {}).get("status") == "processing"
    return not document["counts"]["deferred"] and not is_open


def delete_markers(google: Sandbox, rng: random.Random) -> int:
    """Kill the attempts at work, and delete some of the chunk markers. Return their number.

    The chunks of unfinished files are sent again, and Google recognizes the rows. The results of
    finished files, which are made of the markers, are there.
    """
    while not _unread_markers(google) and not google.delivery.idle:
        time.sleep(0.02)
    google.delivery.set(paused=True)
    google.faults.kill()
    while any(google.delivery.in_flight()):
        time.sleep(0.05)
    chosen = [blob for blob in _unread_markers(google) if rng.random() < 0.5]
    for blob in chosen:
        blob.delete()
    google.delivery.set(paused=False)
    return len(chosen)


def _unread_markers(google: Sandbox) -> list[Any]:
    """Return the markers of files of which some rows have no outcome yet."""
    bucket = google.storage_client().bucket(OUTPUT_BUCKET)
    found = []
    for blob in bucket.list_blobs(prefix="_state/chunks/"):
        run = blob.name.removeprefix("_state/chunks/").partition("/")[0]
        if b'"facts":null' in bucket.blob(f"_state/runs/{run}.json").download_as_bytes():
            found.append(blob)
    return found


def soak(google: Sandbox, minutes: float, seed: int, first: int, route: str) -> None:
    """Run rounds until the time is up; at least one."""
    ends = time.monotonic() + 60 * minutes
    done = Done()
    for number in itertools.count(first):
        now = Round(google, random.Random(f"{seed} {number}"), number, route, done)
        try:
            now.begin()
            now.end()
        except Exception as error:
            error.add_note(f"To run only this round: {command(0, seed, number, route)}")
            error.add_note(f"The logs and the documents are in {keep(now)}")
            raise
        # Every sweep lists all objects, so those of the finished round are deleted.
        for bucket in (INPUT_BUCKET, OUTPUT_BUCKET):
            google.storage.empty(bucket)
        google.clock.reset()
        if number % 10 == 0:
            print(f"round {number}, {done.text(google)}", flush=True)
        if time.monotonic() > ends:
            break
    bugs = [line for line in log_lines(google) if line["event"] == "unexpected_error"]
    if bugs:
        error = Broken(f"{len(bugs)} unexpected errors, the first: {bugs[0]}")
        error.add_note(f"The logs are in {keep(now)}")
        raise error
    print(
        f"{number - first + 1} rounds, {done.text(google)}: every line has one outcome, every "
        f"conversion counts once (seed {seed})"
    )


def memory_group() -> Path | None:
    """Return the cgroup for the function, if there is one, and say so."""
    group = Path(os.environ.get("MEMORY_GROUP", ""))
    if not os.access(group / "cgroup.procs", os.W_OK):
        print("the memory of the function is not limited: MEMORY_GROUP names no cgroup")
        return None
    for limit in ("memory.limit_in_bytes", "memory.max"):
        if (group / limit).is_file():
            print(f"the function runs in {group}, {limit} {(group / limit).read_text().strip()}")
    return group


def command(minutes: float, seed: int, first: int, route: str) -> str:
    """Return the command that repeats the run."""
    options = f"--minutes {minutes:g} --seed {seed} --round {first} --route {route}"
    return f"python -m tests.soak {options}"


def main() -> None:
    """Read the command line and run the soak test."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--round", type=int, default=1, help="number of the first round")
    parser.add_argument("--route", choices=sorted(FOLDERS), default="google_ads")
    given = parser.parse_args()
    options = {"instances": 2, "env_of_last": OTHER_SETTINGS, "memory_group": memory_group()}
    try:
        with running_function(SHORT_WAITS, **options) as google:
            soak(google, given.minutes, given.seed, given.round, given.route)
    except BaseException:
        # This includes unexpected errors and Ctrl-C.
        traceback.print_exc()
        again = command(given.minutes, given.seed, given.round, given.route)
        print(f"FAILED with seed {given.seed}. To repeat: {again}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
