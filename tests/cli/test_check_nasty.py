"""Large files for the check: it needs bounded memory (`test_source_nasty.py` has hostile ones).

The real command checks each file in a separate process, which is observed from outside.
"""

from __future__ import annotations

import gzip
import json
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.every_call import EVERY_CALL
from tests.results_schema import check_results

ROOT = Path(__file__).parents[2]
MAX_MIB = 128
HEADER = b"gclid,conversion_action,conversion_date_time,email\n"
GOOD = b"Cj0KCQiAexample%07d,1001,2026-11-20 10:00:00+00:00,buyer.%d@example.com\n"
PROFILES = {
    "default": {
        "destination": "google_ads",
        "customer_id": "1234567890",
        "expect": "any time",
        "value": "action_default",
        "time_zone": "UTC",
    }
}
PROGRAM = """
import sys
from lib.cli.commands import main
try:
    main(sys.argv[1:], prog_name="check")
finally:
    # Not getrusage, because it includes the memory of the parent process.
    with open("/proc/self/status") as status:
        print(*[line.split()[1] for line in status if line.startswith("VmHWM")], file=sys.stderr)
"""
needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures by /proc")


WIDE = b"".join(b"%b,1001,2026-11-20,%b\n" % (b"C" * 30_000, b"e" * 30_000) for _ in range(16))


def _check(path: Path, *options: str) -> list[str]:
    """Return the command that checks a file by `PROFILES`."""
    profiles = path.with_name("profiles.json")
    profiles.write_text(json.dumps(PROFILES))
    fixed = ["--profiles", str(profiles), "--now", "2026-11-24T12:00:00Z"]
    return ["check", *fixed, *options, str(path)]


def _run(path: Path, *options: str) -> tuple[int, bytes, float]:
    """Check a file in a separate process: exit code, output, peak memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, *_check(path, *options)],
        cwd=ROOT,
        capture_output=True,
        timeout=600,
        check=False,
    )
    *errors, peak = done.stderr.decode().split("\n")[:-1]
    assert errors == [], errors
    return done.returncode, done.stdout, int(peak) / 1024


@needs_proc
def test_memory_does_not_grow_with_the_width_of_rows(tmp_path: Path) -> None:
    """A check of rows as wide as can be has their codes, and needs less than 128 MiB. 2,400 rows of
    four cells: one complete chunk of them would need 120 MB more."""
    path = tmp_path / "nasty.csv.gz"
    path.write_bytes(gzip.compress(HEADER) + gzip.compress(WIDE, 1) * 150)
    code, output, peak = _run(path, "--json")
    document = check_results(json.loads(output))
    assert (code, document["file_error"]) == (1, None)
    met = {each["code"] for row in document["rows"] for each in row["errors"] + row["warnings"]}
    assert met == {
        *("INVALID_CLICK_ID", "INVALID_EMAIL", "DATE_WITHOUT_TIME", "NO_CLICK_ID_OR_IDENTIFIER")
    }
    assert peak < MAX_MIB


ROWS = 1_000_000 if EVERY_CALL else 300_000


def _write_rows(path: Path) -> None:
    with path.open("wb") as file:
        file.write(HEADER)
        for number in range(ROWS):
            file.write(GOOD % (number, number))


@needs_proc
def test_many_rows_in_bounded_memory_with_a_moving_bar(tmp_path: Path) -> None:
    """A million rows, or a sample, move the bar on a terminal and need less than 128 MiB."""
    path = tmp_path / "many.csv"
    _write_rows(path)
    main, terminal = pty.openpty()
    shown = bytearray()

    def read() -> None:
        try:
            while piece := os.read(main, 4096):
                shown.extend(piece)
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *_check(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(terminal)
    output, _ = process.communicate(timeout=600)
    reader.join()
    os.close(main)
    assert process.returncode == 0, shown.decode()
    assert f"{ROWS:,} rows: {ROWS:,} would be sent.".encode() in output
    text = shown.decode(errors="replace")
    percents = [int(number) for number in re.findall(r"(\d+)%", text)]
    assert percents == sorted(percents)
    assert len(set(percents)) > 5, "the bar moves"
    peak = int(re.findall(r"(\d+)\s*$", text)[0]) / 1024
    assert peak < MAX_MIB
