"""Broken exports: what `fix` writes, corrected by a script and dropped again, is all at Google."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from click.testing import CliRunner

from lib.cli.commands import main
from sandbox.up import Sandbox
from tests.workbooks import workbook

Cells = dict[str, str]
Table = list[list[str]]

NOW = datetime.now(UTC).replace(microsecond=0)
YESTERDAY = "Click_of_yesterday_1"


def time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}+00:00"


class Planted(NamedTuple):
    """What is wrong with a row, the code that must say so, and the cells that correct it.

    Without a correction, nobody can save the row.
    """

    code: str
    wrong: Cells
    correct: Cells | None


GOOD_TIME = {"time": time(NOW - timedelta(days=3))}
PLANTED = (
    Planted("INVALID_DATE", {"time": "last week"}, GOOD_TIME),
    Planted("FUTURE_DATE", {"time": time(NOW + timedelta(days=9))}, GOOD_TIME),
    Planted("TOO_OLD", {"time": "2024-02-01 10:00:00+00:00"}, None),
    Planted("INVALID_CURRENCY", {"currency": "Gulden"}, {"currency": "EUR"}),
    Planted("INVALID_EMAIL", {"gclid": "", "email": "eva"}, {"email": "eva@example.com"}),
    Planted("NO_CLICK_ID_OR_IDENTIFIER", {"gclid": "", "email": ""}, None),
    # Google refuses this one: the click was later.
    Planted(
        "CONVERSION_PRECEDES_EVENT",
        {"gclid": YESTERDAY},
        {"time": time(NOW - timedelta(hours=10))},
    ),
)
TORN = (
    Planted("UNCLOSED_QUOTE", {"note": "torn, quote"}, {"note": "whole"}),
    Planted("TOO_FEW_CELLS", {"note": "torn"}, {"note": "whole"}),
)
"""Only text can have these: see `tear`."""


class Export(NamedTuple):
    """A kind of file: how its rows become bytes and are read again, and its own column names."""

    name: str
    output: str
    columns: Mapping[str, str]
    profile: Mapping[str, Any]
    write: Callable[[Table], bytes]
    read: Callable[[bytes], Table]
    planted: tuple[Planted, ...] = PLANTED


def text(encoding: str, delimiter: str) -> Any:
    """Return how rows are written and read in this dialect."""

    def write(rows: Table) -> bytes:
        written = io.StringIO()
        csv.writer(written, delimiter=delimiter).writerows(rows)
        return written.getvalue().encode(encoding)

    def read(content: bytes) -> Table:
        return list(csv.reader(io.StringIO(content.decode(encoding)), delimiter=delimiter))

    return write, read


def tear(content: bytes) -> bytes:
    """Leave out a quotation mark, and a cell."""
    return content.replace(b'"torn, quote"', b'"torn, quote').replace(b",torn,", b",")


def read_workbook(content: bytes) -> Table:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    return [[str(cell or "") for cell in cells] for cells in sheet.iter_rows(values_only=True)]


ENGLISH = {
    "order": "Order ID",
    "gclid": "Google Click ID",
    "email": "Email",
    "note": "Deal Name",
    "action": "Conversion Name",
    "time": "Conversion Time",
    "value": "Conversion Value",
    "currency": "Conversion Currency",
}
GERMAN = {**ENGLISH, "order": "Bestellnr.", "note": "Größe", "currency": "Währung"}
GERMAN_PROFILE = {
    "decimal_comma": True,
    "headers": {"order_id": GERMAN["order"], "currency_code": GERMAN["currency"]},
}
_WRITE, _READ = text("utf-8", ",")
EXPORTS = (
    Export(
        *("deals.csv", "rows-to-fix.csv", ENGLISH, {}),
        lambda rows: tear(_WRITE(rows)),
        _READ,
        (*PLANTED, *TORN),
    ),
    Export("verkauf.csv", "korrektur.csv", GERMAN, GERMAN_PROFILE, *text("cp1252", ";")),
    Export("orders.xlsx", "rows-to-fix.xlsx", ENGLISH, {}, workbook, read_workbook),
)


def good(export: Export, number: int) -> Cells:
    return {
        "order": f"{export.name}-{number}",
        "gclid": f"Click_{export.name[:5]}_{number:06}",
        "email": f"buyer.{number}@example.com",
        "note": "Straße" if export.columns is GERMAN else "plain",
        "action": "1001",
        "time": time(NOW - timedelta(days=2, seconds=number)),
        "value": "12,50" if "decimal_comma" in export.profile else "12.50",
        "currency": "EUR",
    }


def corrected(output: bytes, export: Export, rows: Mapping[str, Cells]) -> bytes:
    """Correct the rows that `fix` wrote, as a person would: those that are not known stay."""
    header, *found = export.read(output)
    new = [header]
    for cells in found:
        order = next(cell for cell in cells if cell in rows)
        own = [rows[order][name] for name in export.columns]
        new.append([*cells[:3], *own])
    return workbook(new) if export.output.endswith(".xlsx") else export.write(new)


def unknown_columns(document: Mapping[str, Any]) -> list[str]:
    return [each["detail"] for each in document["notes"] if each["code"] == "UNKNOWN_COLUMNS"]


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_what_is_corrected_is_at_google_once(
    google: Sandbox, tmp_path: Path, export: Export
) -> None:
    """Every planted problem is in the results, and every row that can be saved arrives once."""
    profile = {
        "destination": "google_ads",
        "customer_id": "1234567890",
        "ad_user_data": "GRANTED",
        **export.profile,
    }
    google.set_profiles({"default": profile})
    google.state.register_clicks({YESTERDAY: NOW - timedelta(hours=20)})
    rows, wrong, savable, planted = [], {}, set(), Counter[tuple[str, int]]()
    for number in range(40):
        row = good(export, number)
        right = dict(row)
        if number % 4 == 1 and number // 4 < len(export.planted):
            problem = export.planted[number // 4]
            planted[problem.code, number + 2] += 1
            row |= problem.wrong
            right = row | (problem.correct or {})
            wrong[row["order"]] = right
            if problem.correct is not None:
                savable.add(row["order"])
        else:
            savable.add(row["order"])
        rows.append(row)
    header = list(export.columns.values())
    content = export.write([header, *([row[name] for name in export.columns] for row in rows)])

    document = google.results(*google.drop(content, export.name))
    found = Counter(
        (problem["code"], row["line"])
        for row in document["rows"]
        for problem in row["errors"] + row["warnings"]
    )
    assert planted <= found
    assert {code for code, _ in planted} <= document["codes"].keys()
    assert document["counts"]["uploaded"] == len(rows) - len(export.planted)

    file, results, output = (tmp_path / n for n in (export.name, "results.json", export.output))
    file.write_bytes(content)
    results.write_text(json.dumps(document))
    profiles = tmp_path / "profiles.json"
    profiles.write_text(json.dumps({"default": profile}))
    arguments = ["fix", file, results, "-o", output, "--profiles", profiles]
    done = CliRunner().invoke(main, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    again = corrected(output.read_bytes(), export, wrong)
    assert [cells[2] for cells in export.read(output.read_bytes())[1:]] == [
        str(line) for _, line in sorted(planted, key=lambda each: each[1])
    ]

    second = google.results(*google.drop(again, export.output))
    assert unknown_columns(second) == unknown_columns(document)
    sent = Counter(each.as_json()["conversion"]["order_id"] for each in google.state.accepted)
    assert sent == Counter(savable)
    assert second["counts"]["rejected"] == len(export.planted) - len(savable & wrong.keys())
