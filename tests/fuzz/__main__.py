"""Tries inputs that nobody thought of: `python -m tests.fuzz --minutes 10 --seed 0`.

1. The known inputs: seeds, examples, csv-spectrum, and every naughty string in every column.
2. Well-formed files, compared with DuckDB's reader, and cells, compared with the programs of
   others that have written them.
3. Workbooks of which parts are changed, damaged documents of the state, and files with hostile
   names and shapes.
4. Two coverage-guided fuzzers (atheris) at the same time, for the rest of the minutes.

`python -m tests.fuzz.planted` shows that 3 still finds what it has to. The exit code is 1 if a
promise broke. `--replay FILE` tries an input again, as a fuzzer wrote it.
What is found is kept in `tests/fuzz/seeds/` once it is fixed.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from lib.source.table import SourceOptions, open_table
from tests.fuzz import corpora, deliveries, oracle, state_documents, values, workbook_fuzzer
from tests.fuzz.differential import compare
from tests.fuzz.inputs import decode

FOLDER = corpora.ROOT / ".fuzz"
TARGETS = ("rows", "source")
WRONG_IN_CSV_SPECTRUM = {"location_coordinates.csv"}
"""The phone number in its JSON is not the one in its CSV."""
DIFFERENTIAL_SHARE = 0.13
WORKBOOK_SHARE = 0.25
SECONDS_LEFT_AT_LEAST = 15


def known_inputs() -> Iterator[tuple[str, bytes]]:
    """Return everything that is tried first, by name."""
    yield from corpora.seeds()
    yield from corpora.examples()
    yield from corpora.valid_rows()
    yield from corpora.naughty_files()


def try_known() -> int:
    """Try the known inputs, and return how many."""
    count = 0
    for name, data in known_inputs():
        try:
            given = decode(data)
            oracle.check_rows(given)
            oracle.check_source(given.content)
        except Exception:
            print(f"FAILED with {name}")
            raise
        count += 1
    return count


def try_csv_spectrum() -> int:
    """Read the files of csv-spectrum, and return how many."""
    count = 0
    for name, content, expected in corpora.csv_spectrum():
        table = open_table(io.BytesIO(content), SourceOptions(delimiter=","))
        found = [dict(zip(table.header, cells, strict=True)) for _, cells, *_ in table.records()]
        assert found == expected or name in WRONG_IN_CSV_SPECTRUM, name
        count += 1
    return count


def fuzz(seconds: int, seed: int) -> tuple[int, bool]:
    """Run the fuzzers, and return how many inputs they tried, and whether all promises held."""
    running = []
    for name in TARGETS:
        folder = FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        log = (folder / "log").open("w+", encoding="utf-8", errors="replace")
        module = [sys.executable, "-m", "tests.fuzz.target"]
        command = [*module, name, str(folder), str(seconds), str(seed)]
        running.append((name, log, subprocess.Popen(command, stdout=log, stderr=log)))
    tried, all_held = 0, True
    for name, log, process in running:
        code = process.wait()
        log.seek(0)
        text = log.read()
        log.close()
        found = re.search(r"number_of_executed_units: (\d+)", text)
        number = int(found[1]) if found else 0
        tried += number
        print(f"{name}: {number:,} inputs")
        if code:
            all_held = False
            print("\n".join(text.splitlines()[-40:]))
            print(f"FAILED. To repeat: python -m tests.fuzz --replay {FOLDER / name}/crash-...")
    return tried, all_held


def replay(path: Path) -> int:
    """Try one input again."""
    if path.suffix == ".xlsx":
        workbook_fuzzer.check_workbook(path.read_bytes())
        print("all promises hold")
        return 0
    given = decode(path.read_bytes())
    oracle.check_source(given.content)
    oracle.check_rows(given)
    print("all promises hold")
    return 0


def _step(name: str, run: Callable[[], int]) -> int:
    print(f"{name}: ", end="", flush=True)
    count = run()
    print(f"{count:,}", flush=True)
    return count


def main() -> int:
    """Read the command line, and try inputs until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--replay", type=Path, metavar="FILE")
    given = parser.parse_args()
    if given.replay is not None:
        return replay(given.replay)
    ends = time.monotonic() + 60 * given.minutes
    tried = _step("known inputs", try_known)
    if corpora.naughty_strings():
        tried += _step("csv-spectrum", try_csv_spectrum)
    else:
        print("npm is not installed: csv-spectrum and the big list of naughty strings are skipped")
    seconds = 60 * given.minutes * DIFFERENTIAL_SHARE
    tried += _step("files compared with DuckDB", lambda: compare(seconds, given.seed))
    tried += _step("values of others", lambda: values.compare(seconds, given.seed))
    tried += _step("damaged documents", lambda: state_documents.fuzz(seconds, given.seed))
    tried += _step("deliveries", lambda: deliveries.fuzz(seconds, given.seed))
    seconds = 60 * given.minutes * WORKBOOK_SHARE
    tried += _step("workbooks", lambda: workbook_fuzzer.fuzz(seconds, given.seed))
    all_held = True
    if find_spec("atheris"):
        left = max(SECONDS_LEFT_AT_LEAST, int(ends - time.monotonic()))
        number, all_held = fuzz(left, given.seed)
        tried += number
    else:
        print("atheris has no wheel for this platform or Python: its part is skipped")
    print(f"inputs tried: {tried:,}")
    return 0 if all_held else 1


if __name__ == "__main__":
    sys.exit(main())
