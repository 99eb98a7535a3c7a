"""A long run of random trouble: `python -m tests.soak --minutes 30 --seed 0`.

Each round drops some files under a random mixture of faults, kills, duplicate and lost deliveries,
with sweeps in between; then the faults end, and every file of the round must be finished. At the
end the invariants are checked over everything once more. Exit 1, with the seed and the round, when
one is broken: the same seed makes the same rounds (their timing is the machine's).
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import defaultdict
from typing import Any

from sandbox.state import Accepted
from sandbox.up import Sandbox
from tests.recovery.conftest import FUNCTION, SETTINGS
from tests.recovery.files import (
    File,
    all_documents,
    check_counted_once,
    check_document,
    clicks_grow_old,
    log_lines,
    make_file,
)
from tests.recovery.test_faults import mixture

DEFER_SECONDS = 1.0
ROUND_SECONDS = 120.0


class Broken(Exception):
    """An invariant doesn't hold."""


def begin_round(google: Sandbox, rng: random.Random, number: int) -> list[File]:
    """Drop the files of a round into the middle of its trouble."""
    google.faults.set(mixture(rng))
    google.delivery.set(
        backoff_seconds=0.05,
        max_backoff_seconds=0.5,
        duplicate=rng.choice((1, 1, 2, 8)),
        concurrency=rng.choice((1, 2, 8)),
    )
    files = []
    for place in range(rng.randint(1, 8)):
        google.delivery.set(drop=rng.random() < 0.1)
        rows = rng.choice((1, 8, 30, 200, 201, 410, 1_000))
        files.append(make_file(f"r{number}-{place}.csv", rows, rng.getrandbits(30)).drop(google))
        if rng.random() < 0.1:
            google.kill_working()
        if rng.random() < 0.3:
            time.sleep(rng.random())
    google.delivery.set(drop=False)
    if rng.random() < 0.3:
        google.run_sweep()
    return files


def end_round(google: Sandbox, files: list[File], grow_old: bool) -> None:
    """No more faults: everything must come to its end, with the help of sweeps."""
    deadline = time.monotonic() + ROUND_SECONDS
    google.delivery.wait_until_idle(ROUND_SECONDS)
    google.faults.clear()
    if grow_old:
        for file in files:
            clicks_grow_old(google, file)
    while left := unfinished(google, files, grow_old):
        if time.monotonic() > deadline:
            raise Broken(f"not finished: {left}")
        time.sleep(0.2)
        google.run_sweep()
    documents = all_documents(google)
    for file in files:
        check_document(file, documents[document_name(file)])


def unfinished(google: Sandbox, files: list[File], grow_old: bool) -> list[str]:
    documents = all_documents(google)
    left = []
    for file in files:
        document = documents.get(document_name(file))
        if document is None or (grow_old and document["status"] == "waiting"):
            left.append(file.name)
    return left


def document_name(file: File) -> str:
    return f"{file.name}.{file.generation}.results.json"


def check_all(google: Sandbox, files: list[File], documents: dict[str, dict[str, Any]]) -> None:
    """Every file once more, and every conversion that Google has counted."""
    by_job: dict[int, list[Accepted]] = defaultdict(list)
    for each in google.state.accepted:
        by_job[each.job_id].append(each)
    for file in files:
        document = documents[document_name(file)]
        check_document(file, document)
        check_counted_once(file, by_job.pop(document["job_id"]))
    if by_job:
        raise Broken(f"conversions of {len(by_job)} jobs that are no file's")
    places = {
        f"{line['kind']} at {', '.join(line['at'])}"
        for line in log_lines(google)
        if line["event"] == "unexpected_error"
    }
    if places:
        raise Broken(f"unexpected_error: {'; '.join(sorted(places))}")


def soak(minutes: float, seed: int) -> int:
    """Rounds until the time is up; the exit status."""
    ends = time.monotonic() + 60 * minutes
    env = {**SETTINGS, "DEFER_HOURS": str(DEFER_SECONDS / 3600)}
    files: list[File] = []
    documents: dict[str, dict[str, Any]] = {}
    number = 0
    with Sandbox(source=FUNCTION, env=env, instances=2) as google:
        try:
            while number == 0 or time.monotonic() < ends:
                number += 1
                rng = random.Random(f"{seed} {number}")
                round_files = begin_round(google, rng, number)
                files += round_files
                end_round(google, round_files, grow_old=rng.random() < 0.5)
                # The sweep looks at every object there is: those of this round are done with.
                documents |= all_documents(google)
                google.storage.empty("sandbox-input")
                google.storage.empty("sandbox-output")
                if number % 10 == 0:
                    print(f"{number} rounds, {len(files)} files, {google.faults.kills} kills")
            check_all(google, files, documents)
        except (AssertionError, Broken, KeyError) as error:
            print(f"BROKEN with --seed {seed} in round {number}: {error!r}", file=sys.stderr)
            traceback.print_exc()
            return 1
        rows = sum(len(file.kinds) for file in files)
        print(
            f"{number} rounds, {len(files)} files, {rows} rows, {google.faults.kills} kills: "
            f"every line has one outcome, every conversion counts once (seed {seed})"
        )
    return 0


def main() -> None:
    """Read the command line and soak."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    sys.exit(soak(arguments.minutes, arguments.seed))


if __name__ == "__main__":
    main()
