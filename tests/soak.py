"""A long run of random faults and crashes: `python -m tests.soak --minutes 30 --seed 0`.

Each round drops files under a random mixture of faults, kills, wrong clocks, deleted chunk markers,
and duplicate and lost deliveries, with sweeps in between: sales, calls, and adjustments of sales.
Some files are overwritten with other content. One of two instances, and the sweep, are of a newer
version, with newer numbers in all that they save. The other instance has other settings and chunks,
and must leave alone what it cannot read. Then the faults end, and every file of the round must be
finished. After the last round, the invariants are checked again over all files. After any failure,
the exit code is 1 and the command to repeat the run is printed.

If MEMORY_GROUP names a cgroup that exists, the two instances run in it, and share its limit.
The same seed produces the same rounds (only their timing depends on the machine);
`--round 7 --minutes 0` runs only the seventh round.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import random
import sys
import time
import traceback
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.whole.recovery.late_files import ask_later, check_late, is_settled, late_mixture
from tests.whole.recovery.other_kinds import AdjustmentFile, make_adjustments, make_calls

from sandbox.conversions import Accepted
from sandbox.profiles import DEFAULT_PROFILES
from sandbox.state import RecordIndices
from sandbox.up import INPUT_BUCKET, OUTPUT_BUCKET, Sandbox
from tests.whole.recovery.conftest import FUNCTION, SETTINGS
from tests.whole.recovery.files import (
    File,
    all_documents,
    check_document,
    clicks_grow_old,
    finish,
    log_lines,
    make_file,
)
from tests.whole.recovery.test_faults import API_RULES, KILLS, mixture

CLOCKS_ARE_OFF = (0, 0, -3600, -90, 90, 3600)
"""By how many seconds the clock of an instance may be wrong."""
DEFER_SECONDS = 1.0
SHORT_WAITS = {
    "LEASE_SECONDS": "0.5",
    "REQUEST_TIMEOUT_SECONDS": "1",
    "STORAGE_TIMEOUT_OF_CODE": "2",
}
"""No round waits for the clock, and a busy machine meets ends of leases and of requests, too."""
NEWER_VERSION = {"FORMAT_OF_CODE": "2"}
"""What the first instance has, and the sweep, which must finish all files."""

OLDER_VERSION = {
    "CHUNK_ROWS_OF_CODE": "150",
    "FORMAT_OF_CODE": "1",
    "LIST_ALL_ROWS": "true",
    "WINDOW": "2",
    "LEASE_SECONDS": "1",
}
"""What the second instance has."""

SWEEPS = 300
"""After so many sweeps without faults, a round has failed: a number, as machines can be slow."""

IDLE_SECONDS = 600.0
"""Deliveries end much earlier, except if one hangs."""


class Broken(Exception):
    """An invariant does not hold."""


class Route:
    """What is particular to a destination: here the Google Ads API."""

    name = "google_ads"
    copies_files = True
    """Whether some files are copied onto themselves, as gateways do."""
    profile = DEFAULT_PROFILES["default"]

    def begin_round(self, google: Sandbox, rng: random.Random) -> None:
        """Set the profiles of the round."""
        google.set_profiles(
            {"default": self.profile, "calls": self.profile | {"conversion_action": "1012"}}
        )

    def mixture(self, rng: random.Random) -> list[dict[str, Any]]:
        """Return random rules for the conversions of a round."""
        return mixture(rng)

    def end_round(self, google: Sandbox, files: list[File], grow_old: bool) -> None:
        """Run sweeps until every file of the round is finished, and check the documents."""
        sweeps = itertools.count()
        while left := unfinished(google, files):
            if next(sweeps) == SWEEPS:
                raise Broken(f"not finished: {left}")
            time.sleep(0.2)
            google.run_sweep()
        documents = all_documents(google)
        for file in files:
            check_documents(file, documents)

    def check_all(
        self, google: Sandbox, files: list[File], documents: dict[str, dict[str, Any]]
    ) -> None:
        """Check every file again, and every conversion that Google has counted."""
        by_job: dict[int, list[Accepted]] = defaultdict(list)
        for each in google.state.accepted:
            by_job[each.job_id].append(each)
        for file in files:
            jobs = check_documents(file, documents)
            accepted = [each for job in jobs for each in by_job.pop(job, ())]
            file.check_accepted(google.state, accepted)
        by_job.pop(0, None)  # calls
        if by_job:
            raise Broken(f"conversions of {len(by_job)} jobs that belong to no file")


class LaterRoute(Route):
    """The Data Manager API, which counts later. Each round, Google names other rows."""

    name = "data_manager"
    copies_files = False
    profile = DEFAULT_PROFILES["data_manager"] | {"adjustments_via": "google_ads"}

    def begin_round(self, google: Sandbox, rng: random.Random) -> None:
        super().begin_round(google, rng)
        limits = google.state.data_manager
        limits.requests_per_minute = 1_000_000
        limits.record_indices = rng.choice(("all", "none", "some"))
        limits.repeats_adjust = rng.random() < 0.5

    def mixture(self, rng: random.Random) -> list[dict[str, Any]]:
        return late_mixture(rng)

    def end_round(self, google: Sandbox, files: list[File], grow_old: bool) -> None:
        # Some rounds see rows that are too recent, and send them again until they count.
        sweeps = itertools.count()
        for _ in range(0 if grow_old else 3):
            ask_later(google, 2)
        for file in files:
            clicks_grow_old(google, file)
        while left := self._unsettled(google, files):
            if next(sweeps) == SWEEPS:
                raise Broken(f"not settled: {left}")
            time.sleep(0.2)
            ask_later(google, 2)
        documents = all_documents(google)
        accepted = list(google.state.accepted)
        mode = google.state.data_manager.record_indices
        for file in files:
            if type(file) is File:
                check_late(file, documents[document_names(file)[0]], accepted, mode)
            else:
                check_other_kind(file, documents[document_names(file)[0]], google, mode)

    def check_all(
        self, google: Sandbox, files: list[File], documents: dict[str, dict[str, Any]]
    ) -> None:
        """Check nothing more: each round has compared its files with all that Google counted."""

    @staticmethod
    def _unsettled(google: Sandbox, files: list[File]) -> list[str]:
        documents = all_documents(google)
        found = [(file, documents.get(document_names(file)[0])) for file in files]
        return [
            file.name
            for file, document in found
            if document is None
            or is_waiting(file, document)
            or not (isinstance(file, AdjustmentFile) or is_settled(document))
        ]


ROUTES = {route.name: route for route in (Route(), LaterRoute())}


def fault_of_other_kinds(rng: random.Random) -> dict[str, Any]:
    """Return a random rule for the requests with adjustments or calls."""
    method = rng.choice(("UploadConversionAdjustments", "UploadCallConversions"))
    return {"method": method, **rng.choice(API_RULES + KILLS), "nth": rng.randint(1, 2)}


def other_files(rng: random.Random, number: int, sold: File) -> list[File]:
    """Make files of other kinds: adjustments of sales, and calls."""
    files: list[File] = []
    if rng.random() < 0.7:
        files.append(make_adjustments(f"r{number}-adjusted.csv", sold, rng.getrandbits(30)))
    if rng.random() < 0.5:
        rows, seed = rng.choice((1, 8, 30, 410)), rng.getrandbits(30)
        files.append(make_calls(f"calls/r{number}.csv", rows, seed, number % 10_000))
    return files


def check_other_kind(
    file: File, document: dict[str, Any], google: Sandbox, record_indices: RecordIndices
) -> None:
    """Check a file of adjustments or calls, whose destination may count later.

    If Google only counts the calls that it has refused, nobody knows which ones they are.
    """
    if record_indices == "all" or isinstance(file, AdjustmentFile):
        check_document(file, document)
    file.check_accepted(google.state, ())


def set_clocks(google: Sandbox, rng: random.Random) -> None:
    """Make the clocks of some instances wrong."""
    assert google.function is not None
    for instance in google.function.instances:
        place = google.directory / f"run-{instance.port}" / "clock_is_off"
        place.write_text(str(rng.choice(CLOCKS_ARE_OFF)), encoding="utf-8")


@dataclass(slots=True)
class Done:
    """What a run has done so far."""

    files: list[File] = field(default_factory=list)
    overwritten: int = 0
    markers_deleted: int = 0

    def text(self, google: Sandbox) -> str:
        """Say it, with the faults."""
        rows = sum(len(file.kinds) for file in self.files)
        return (
            f"{len(self.files)} files ({self.overwritten} overwritten), {rows} rows, "
            f"{google.faults.injected} faults, {google.faults.kills} kills, "
            f"{self.markers_deleted} markers deleted"
        )


def markers_of_unfinished(google: Sandbox) -> list[str]:
    """Return the names of the chunk markers of files without follow-up and results."""
    bucket = google.storage_client().bucket(OUTPUT_BUCKET)
    names = [blob.name for blob in bucket.list_blobs()]
    stay = {Path(name).stem for name in names if name.startswith("_state/waiting/")}
    for name in names:
        if name.endswith(".results.json"):
            source, generation = name.removesuffix(".results.json").rsplit(".", 1)
            run_id = f"{INPUT_BUCKET}/{source}#{generation}"
            stay.add(hashlib.sha256(run_id.encode()).hexdigest()[:32])
    return [name for name in names if "/chunks/" in name and name.split("/")[2] not in stay]


def delete_markers(google: Sandbox, rng: random.Random) -> int:
    """Kill the attempts at work, and delete some of their chunk markers. Return their number.

    The chunks are sent again, and Google recognizes the rows. Once the follow-up is saved, the
    results are made of the markers, so those of such files stay.
    """
    while not markers_of_unfinished(google) and not google.delivery.idle:
        time.sleep(0.05)
    google.delivery.set(paused=True)
    google.faults.kill()
    while any(google.delivery.in_flight()):
        time.sleep(0.05)
    bucket = google.storage_client().bucket(OUTPUT_BUCKET)
    chosen = [name for name in markers_of_unfinished(google) if rng.random() < 0.5]
    for name in chosen:
        bucket.blob(name).delete()
    google.delivery.set(paused=False)
    return len(chosen)


def begin_round(
    google: Sandbox, rng: random.Random, number: int, route: Route, done: Done
) -> list[File]:
    """Drop the files of a round while its faults are active, after one for the adjustments."""
    route.begin_round(google, rng)
    rows = rng.choice((2, 30, 410))
    sold = make_file(f"r{number}-sold.csv", rows, rng.getrandbits(30), ("click", "warned"))
    sold.drop(google)
    finish(google, sold)
    set_clocks(google, rng)
    google.faults.set([*route.mixture(rng), fault_of_other_kinds(rng)])
    google.delivery.set(
        backoff_seconds=0.05,
        max_backoff_seconds=0.5,
        duplicate=rng.choice((1, 1, 2, 8)),
        concurrency=rng.choice((1, 2, 8)),
    )
    files = [sold]
    for place in range(rng.randint(1, 8)):
        files += drop_some(google, rng, f"r{number}-{place}.csv", route)
        if rng.random() < 0.1:
            google.faults.kill()
        if rng.random() < 0.3:
            time.sleep(rng.random())
        if rng.random() < 0.3:
            done.markers_deleted += delete_markers(google, rng)
    google.delivery.set(drop=False)
    files += [file.drop(google) for file in other_files(rng, number, sold)]
    if rng.random() < 0.3:
        google.run_sweep()
    done.overwritten += len(files) - len({file.name for file in files})
    return files


def drop_some(google: Sandbox, rng: random.Random, name: str, route: Route) -> list[File]:
    """Drop a file. Some are copied onto themselves, some are overwritten with other rows."""
    sizes = (1, 8, 30, 200, 201, 410, 1_000)
    google.delivery.set(drop=rng.random() < 0.1)
    files = [make_file(name, rng.choice(sizes), rng.getrandbits(30)).drop(google)]
    if route.copies_files and rng.random() < 0.2:
        time.sleep(0.2 * rng.random())
        files[0].copy_onto_itself(google)
    elif rng.random() < 0.2:
        time.sleep(rng.random())
        files.append(make_file(name, rng.choice(sizes), rng.getrandbits(30)).drop(google))
    return files


def end_round(google: Sandbox, files: list[File], grow_old: bool, route: Route) -> None:
    """End the faults, then run sweeps until every file of the round is finished."""
    google.delivery.wait_until_idle(IDLE_SECONDS)
    google.faults.clear()
    if grow_old:
        for file in files:
            clicks_grow_old(google, file)
    route.end_round(google, files, grow_old)


def is_waiting(file: File, document: dict[str, Any]) -> bool:
    """Return whether rows are still to be sent, apart from those that have to wait: adjustments of
    unknown conversions, and clicks that are too recent. A fault between two requests for a row that
    was refused once defers others, too."""
    waiting: int = document["counts"]["deferred"]
    return waiting > file.kinds.count("unknown") + file.kinds.count("deferred")


def unfinished(google: Sandbox, files: list[File]) -> list[str]:
    documents = all_documents(google)
    left = []
    for file in files:
        found = [documents.get(name) for name in document_names(file)]
        if not all(each and not is_waiting(file, each) for each in found):
            left.append(file.name)
    return left


def check_documents(file: File, documents: dict[str, dict[str, Any]]) -> set[int]:
    """Check the documents of all generations. Return the job IDs of the file.

    A generation that ended as `same_as` names one whose document has all rows.
    """
    found = [documents[name] for name in document_names(file)]
    complete = [each for each in found if each["status"] != "same_as"]
    for document in complete:
        try:
            check_document(file, document)
        except AssertionError as error:
            error.add_note(f"{document['run_id']}: {document['counts']} {document['codes']}")
            error.add_note(f"The file: {Counter(file.kinds)}")
            raise
    generations = {each["source"]["generation"] for each in complete}
    for document in found:
        if document not in complete and document["other_generation"] not in generations:
            raise Broken(f"{document['run_id']} names a generation without rows")
    return {each["job_id"] for each in found}


def document_names(file: File) -> list[str]:
    """Return the names of the documents of all generations, oldest first."""
    return [f"{file.name}.{generation}.results.json" for generation in file.generations]


def check_log(google: Sandbox) -> int:
    """Check that the function met no software error. Return how often it met a newer version."""
    lines = log_lines(google)
    places = {
        f"{line['kind']} at {', '.join(line['at'])}"
        for line in lines
        if line["event"] == "unexpected_error"
    }
    if places:
        raise Broken(f"unexpected_error: {'; '.join(sorted(places))}")
    return sum(line["event"] == "newer_version" for line in lines)


def soak(google: Sandbox, minutes: float, seed: int, first: int, route: Route) -> None:
    """Run rounds, beginning with number `first`, until the time is up; at least one."""
    ends = time.monotonic() + 60 * minutes
    done = Done()
    documents: dict[str, dict[str, Any]] = {}
    for number in itertools.count(first):
        rng = random.Random(f"{seed} {number}")
        try:
            files = begin_round(google, rng, number, route, done)
            done.files += files
            end_round(google, files, rng.random() < 0.5, route)
        except Exception as error:
            error.add_note(
                f"In round {number}. To run only this round: {command(0, seed, number, route)}"
            )
            raise
        # Every sweep lists all objects, so those of the finished round are deleted.
        documents |= all_documents(google)
        google.storage.empty("sandbox-input")
        google.storage.empty("sandbox-output")
        if number % 10 == 0:
            print(f"round {number}, {done.text(google)}", flush=True)
        if time.monotonic() > ends:
            break
    route.check_all(google, done.files, documents)
    newer = check_log(google)
    print(
        f"{number - first + 1} rounds, {done.text(google)}, {newer} times left to a newer version: "
        f"every line has one outcome, every conversion counts once (seed {seed})"
    )


def memory_group() -> Path | None:
    """Return the cgroup for the function, if there is one, and say so."""
    group = Path(os.environ.get("MEMORY_GROUP", ""))
    if not os.access(group / "cgroup.procs", os.W_OK):
        print("the memory of the function is not limited: MEMORY_GROUP names no cgroup")
        return None
    print(f"the function runs in the cgroup {group}, {limit_of(group)}")
    return group


def limit_of(group: Path) -> str:
    """Return the limit of a cgroup of version 1 or 2."""
    for name in ("memory.limit_in_bytes", "memory.max"):
        if (group / name).is_file():
            return f"{name} {(group / name).read_text().strip()}"
    return "without a limit of memory"


def command(minutes: float, seed: int, first: int, route: Route) -> str:
    """Return the command that repeats the run."""
    options = f"--minutes {minutes:g} --seed {seed} --round {first} --route {route.name}"
    return f"python -m tests.soak {options}"


def main() -> None:
    """Read the command line and run the soak test."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--round", type=int, default=1, help="number of the first round")
    parser.add_argument("--route", choices=sorted(ROUTES), default="google_ads")
    given = parser.parse_args()
    route = ROUTES[given.route]
    env = {**SETTINGS, **SHORT_WAITS, **NEWER_VERSION, "DEFER_HOURS": str(DEFER_SECONDS / 3600)}
    try:
        with Sandbox(
            source=FUNCTION,
            env=env,
            instances=2,
            env_of_last=OLDER_VERSION,
            memory_group=memory_group(),
        ) as google:
            soak(google, given.minutes, given.seed, given.round, route)
    except BaseException:
        # This includes unexpected errors and Ctrl-C.
        traceback.print_exc()
        again = command(given.minutes, given.seed, given.round, route)
        print(f"FAILED with seed {given.seed}. To repeat: {again}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
