"""State documents are read by several threads at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

FIRST_READS = """
import os, sys, threading
from lib.model.outcomes import RecordLines, Tally, chunk_outcomes
from lib.state.documents import Documents
from lib.state.ledger import Ledger
from lib.state.run import ChunkLimits, Terms, first_claim
from lib.state.store import StoredObject
from tests.fakes import START, MemoryStore

sys.setswitchinterval(1e-6)
ledger = Ledger(Documents(MemoryStore(), "state", "_state/", 1))
terms = Terms("", None, ChunkLimits(2_000, 1 << 20, 0), 1, "")
run = first_claim(StoredObject("in", "a.csv", 1, 1), "a", START, 60, terms)
for number in range(8):
    records = RecordLines(1, ((2, 2),))
    ledger.write_chunk(run, chunk_outcomes(number, [], Tally(1, {"uploaded": 1}), records))
ready = threading.Barrier(8)

def read(number):
    ready.wait()
    assert ledger.read_chunk(run, number).number == number

for _ in range(10):
    child = os.fork()
    if child == 0:
        threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_the_first_documents_are_read_by_threads_at_once() -> None:
    """A process in which nothing was read before survives it, ten times in a row."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_READS], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
