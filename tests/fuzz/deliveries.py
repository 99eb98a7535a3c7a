"""Delivers files whose names and shapes are hostile, and looks at whatever somebody gets of them.

A name is that of the object, of a column or of a sheet, or a value of the profile. Nothing of it is
obeyed: not by the terminal, a shell, GitHub or a spreadsheet. No address of the file gets out of
it, every line of the log is one that the platform takes, and memory does not grow with the file.

`python -m tests.fuzz.deliveries --minutes 2 --seed 0` runs it alone.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import csv
import io
import itertools
import json
import random
import re
import shlex
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from click.testing import CliRunner, Result
from google.ads import datamanager_v1 as dm

from lib.cli.commands import main as program
from lib.destinations.redaction import without_values
from lib.errors import AttemptError, SourceError
from lib.source.table import SourceOptions, open_table
from tests.cli.validating import CUSTOMER, NOW
from tests.fakes import deliver, world
from tests.workbooks import workbook

ADDRESS: Final = "planted@example.com"
FORGED: Final = "::error title=FORGED::"
LONG: Final = "x" * 300_000
PIECES: Final = (
    *("a", "Deal", " ", "'", '"', "`", "$(id)", ";", "&", "%", ":", ",", "=1+1", "@SUM(1)", "é😀"),
    *("\n", "\r", "\t", "\x1b[31m", "\x07", "\x9b", "\u202e", "\u2028", f"\n{FORGED}", ",line=7"),
    *("x" * 70, "x" * 300, LONG),
)
LONGEST_LINE: Final = 256 << 10
"""Of Cloud Logging, in bytes."""
MAX_BYTES: Final = 160 << 20
"""Of a reader, whatever the file: ten wide rows are held back, because they may be a footer."""
LARGEST: Final = 96 << 20
OTHERS: Final = (ADDRESS, "planted%40example.com", "SO-1001", "SO%2D1001")

_Event: Any = dm.Event.pb()


def name(rng: random.Random, longest: int = 1 << 30) -> str:
    """Return a text that some program would obey, or that is long."""
    return "".join(rng.choices(PIECES, k=rng.randint(1, 5)))[:longest]


def _file(rng: random.Random) -> tuple[str, bytes, dict[str, Any]]:
    """Return the name and the content of a file, and its profile."""
    title = rng.choice((ADDRESS, name(rng, 31)))
    rows = [
        ["gclid", "conversion_date_time", name(rng)],
        ["a", "yesterday", rng.choice((ADDRESS, name(rng, 30_000)))],
    ]
    if rng.random() < 0.4:
        content = workbook(rows, name=title, others={ADDRESS: rows} if rng.random() < 0.5 else None)
    else:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        content = text.getvalue().encode()
    profile: dict[str, Any] = {
        "destination": "google_ads",
        "customer_id": CUSTOMER,
        "action": "1001",
        "value": "action_default",
    }
    if rng.random() < 0.3:
        profile["skip"] = {rows[0][2] if rng.random() < 0.5 else name(rng): [name(rng)]}
    if rng.random() < 0.3:
        profile["sheet"] = name(rng)
    file = name(rng, 40).replace("/", "_") + rng.choice((".csv", ".xlsx", ".txt"))
    return file, content, profile


def check_deliveries(rng: random.Random) -> None:
    """Deliver files with hostile names."""
    for _ in range(10):
        file, content, profile = _file(rng)
        folder = name(rng) + "/" if rng.random() < 0.3 else ""
        others = {name(rng) + rng.choice(("", LONG)): {}}
        _check_delivery(folder + file, content, {**others, "default": profile})


def check_commands(rng: random.Random) -> None:
    """Check a file with hostile names, and write its rows to fix."""
    _check_commands(*_file(rng))


def _check_delivery(file: str, content: bytes, profiles: dict[str, Any]) -> None:
    made = world()
    made.profiles = {**profiles, "default": made.profiles["default"] | profiles["default"]}
    log = io.StringIO()
    with contextlib.redirect_stdout(log), contextlib.suppress(AttemptError):
        # The names of objects have no line ends (https://cloud.google.com/storage/docs/objects).
        deliver(made, re.sub(r"[\r\n]", "", file), content)
    for line in log.getvalue().splitlines():
        assert len(line.encode()) <= LONGEST_LINE, "the platform cuts this line of the log"
        json.loads(line)
        assert ADDRESS not in line, "an address is in the log"
    for bucket, each in made.store.objects:
        if bucket == "out-bucket" and not each.startswith("_state/"):
            assert ADDRESS.encode() not in made.store.objects[bucket, each][0], each


def _check_commands(file: str, content: bytes, profile: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as created:
        folder = Path(created)
        path, profiles, results = folder / file, folder / "profiles.json", folder / "results.json"
        path.write_bytes(content)
        profiles.write_text(json.dumps({"default": profile}))
        check: list[str | Path] = ["check", "--profiles", profiles, "--now", NOW.isoformat()]
        _check_screen(_run(*check, path))
        results.write_bytes(_run(*check, "--json", path).stdout_bytes)
        document = json.loads(results.read_text()) if results.stat().st_size else None
        if document is None:
            return
        output = folder / "rows.csv"
        _check_screen(_run("fix", path, results, "-o", output))
        if output.exists():
            stream = io.StringIO(output.read_bytes().decode("utf-8-sig"), newline="")
            with contextlib.suppress(csv.Error):  # a cell that is longer than the module reads
                for cell in itertools.chain(*csv.reader(stream)):
                    assert not re.match(r' *[=@](?!"[^"]*"$)', cell), "a formula is alive"
        # The results of another object, which a command for the shell names.
        document["source"] |= {"bucket": "b", "name": file, "generation": "7", "crc32c": "AAAAAA=="}
        results.write_text(json.dumps(document))
        said = _run("fix", path, results, "-o", folder / "other.csv")
        _check_screen(said)
        if hint := re.search(r"gcloud storage cp (.*) \.$", said.stderr, re.MULTILINE):
            assert len(shlex.split(hint[1])) == 1, "the shell takes the name for a command"


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(program, [*map(str, arguments)], catch_exceptions=False)


def _check_screen(result: Result) -> None:
    for line in (result.stdout + result.stderr).split("\n"):
        assert line.isprintable(), "the terminal obeys a name"


def check_messages(rng: random.Random) -> None:
    """Let Google quote what it was sent, in some form."""
    for _ in range(100):
        digest = rng.randbytes(32)
        sent = _Event(transaction_id="SO-1001")
        sent.user_data.user_identifiers.add(email_address=digest.hex())
        form = rng.choice([digest.hex(), digest.hex().upper(), base64.b64encode(digest).decode()])
        form = rng.choice([form, form.translate(str.maketrans("+/", "-_"))])
        start = rng.randrange(len(form) - 16)
        part = rng.choice([form, form[start : start + 16], *OTHERS])
        said = without_values(f"The value {part} is wrong.", sent)
        assert part not in said, "a message quotes what was sent"


def check_shape(rng: random.Random) -> None:
    """Read a file of some shape, and see how much memory that takes."""
    columns = int(10 ** rng.uniform(0, 3))
    length = int(10 ** rng.uniform(4, 6)) // columns
    cell = rng.choice("x😀") + "x" * length
    line = ",".join([cell] * columns)
    header = ",".join(["gclid", *"c" * (columns - 1)])
    if rng.random() < 0.4:
        header = f'gclid,"{"".join([line + chr(10)] * rng.randint(1, 60))}"'
    block = f"{line}\n".encode()
    pieces = itertools.chain([f"{header}\n".encode()], [block] * (LARGEST // len(block)))
    tracemalloc.start()
    try:
        with contextlib.suppress(SourceError):
            table = open_table(_Pieces(pieces), SourceOptions())
            for number, _ in enumerate(table.records()):
                if number > 60:
                    break
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= MAX_BYTES, f"{columns} columns of {length} take {peak >> 20} MiB"


class _Pieces:
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, size: int, /) -> bytes:
        piece = self._rest or next(self._pieces, b"")
        self._rest = piece[size:]
        return piece[:size]


CHECKS: Final[tuple[Callable[[random.Random], None], ...]] = (
    *(check_deliveries, check_commands, check_messages, check_shape),
)


def fuzz(seconds: float, seed: int) -> int:
    """Try deliveries until the time is over, and return how many. Raises at a broken promise."""
    ends, tried = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        check = CHECKS[tried % len(CHECKS)]
        try:
            check(random.Random(f"{seed} {tried}"))
        except BaseException:
            print(f"FAILED with number {tried} of seed {seed} ({check.__name__})")
            raise
        tried += 1
    return tried


def main() -> None:
    """Read the command line, and try deliveries until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.deliveries")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(f"{fuzz(60 * given.minutes, given.seed):,} deliveries")


if __name__ == "__main__":
    main()
