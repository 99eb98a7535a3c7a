"""A broken export: what `fix` writes, corrected by a script and dropped again, is all at Google."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner

from lib.cli.commands import main
from sandbox.up import Sandbox
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

NOW = datetime.now(UTC).replace(microsecond=0)
YESTERDAY = "Click_of_yesterday_1"
TIME = {"conversion_date_time": f"{NOW - timedelta(days=3):%Y-%m-%d %H:%M:%S}+00:00"}
COLUMNS = (*CORE_COLUMNS, "note")

Cells = dict[str, str]


class Planted(NamedTuple):
    """What is wrong with a row, the code that must say so, and the cells that correct it.

    Without a correction, nobody can save the row.
    """

    code: str
    wrong: Cells
    correct: Cells | None


PLANTED = (
    Planted("INVALID_DATE", {"conversion_date_time": "last week"}, TIME),
    Planted("TOO_OLD", {"conversion_date_time": "2024-02-01 10:00:00+00:00"}, None),
    Planted("INVALID_CURRENCY", {"currency_code": "Gulden"}, {"currency_code": "USD"}),
    Planted(
        *("INVALID_EMAIL", {"gclid": "", "phone": "", "email": "eva"}),
        {"email": "eva@example.com"},
    ),
    # Google refuses this one: the click was later.
    Planted("CONVERSION_PRECEDES_EVENT", {"gclid": YESTERDAY}, {"gclid": "Click_of_last_week_1"}),
    Planted("UNCLOSED_QUOTE", {"note": "torn, quote"}, {"note": "whole"}),
    Planted("WRONG_NUMBER_OF_CELLS", {"note": "torn"}, {"note": "whole"}),
)


def test_what_is_corrected_is_at_google_once(google: Sandbox, tmp_path: Path) -> None:
    """Every planted problem is in the results, and every row that can be saved arrives once."""
    google.state.register_clicks({YESTERDAY: NOW - timedelta(hours=20)})
    rows = [core_row(n, note="plain") for n in range(30)]
    right = {row["order_id"]: dict(row) for row in rows}
    savable = set(right)
    planted: Counter[tuple[str, int]] = Counter()
    for number, problem in enumerate(PLANTED):
        row = rows[4 * number + 1]
        planted[problem.code, 4 * number + 3] += 1
        row |= problem.wrong
        right[row["order_id"]] = row | (problem.correct or {})
        if problem.correct is None:
            savable.remove(row["order_id"])
    content = csv_bytes(rows, COLUMNS)
    # A quotation mark is missing, and a cell.
    content = content.replace(b'"torn, quote"', b'"torn, quote').replace(b",torn\r\n", b"\r\n")

    document = google.results(*google.drop(content, "deals.csv"))
    found = Counter(
        (problem["code"], row["line"])
        for row in document["rows"]
        for problem in row["errors"] + row["warnings"]
    )
    assert planted <= found
    assert document["counts"]["uploaded"] == len(rows) - len(PLANTED)

    file, results, output = (tmp_path / n for n in ("deals.csv", "results.json", "to-fix.csv"))
    file.write_bytes(content)
    results.write_text(json.dumps(document))
    arguments = ["fix", file, results, "-o", output]
    done = CliRunner().invoke(main, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    header, *to_fix = csv.reader(io.StringIO(output.read_text("utf-8-sig")))
    assert [cells[2] for cells in to_fix] == [str(line) for _, line in sorted(planted, key=_line)]
    corrected = []
    for cells in to_fix:
        order = next(cell for cell in cells if cell in right)
        corrected.append([*cells[:3], *(right[order][name] for name in COLUMNS)])
    text = io.StringIO()
    csv.writer(text).writerows([header, *corrected])

    second = google.results(*google.drop(text.getvalue().encode(), "to-fix.csv"))
    sent = Counter(each.as_json()["conversion"]["order_id"] for each in google.state.accepted)
    assert sent == Counter(savable)
    assert second["counts"]["rejected"] == len(right) - len(savable)


def _line(planted: tuple[str, int]) -> int:
    return planted[1]
