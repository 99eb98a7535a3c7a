"""What a check shows on a terminal, and its output for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lib.cli.commands import main
from lib.results.report import report_of
from lib.rules.fields import BY_NAME, FIELDS
from tests.cli.validating import NOW, csv_of, row


def priced(number: int, **cells: str) -> dict[str, str]:
    return row(gclid=f"Cj0KCQiAexample{number:04}", conversion_value="9", **cells)


CURRENCIES = csv_of(
    *[priced(n, currency_code="Dollars (old)") for n in range(9)],
    *[priced(n, currency_code="Taler") for n in range(9, 12)],
    row(gclid="organic", email="nobody at home", phone="12345"),
    priced(13, currency_code="ada@example.com"),
    priced(14, currency_code="+1 212-555-0100"),
)


def run(path: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["check", "--now", NOW.isoformat(), *options, str(path)])


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(content: bytes) -> Path:
        path = tmp_path / "export.csv"
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rich take the output for a terminal without colors."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")


@pytest.mark.usefixtures("terminal")
def test_wrong_values_are_counted_on_a_terminal(file: Any) -> None:
    """Each wrong value is shown with the number of its rows and its first line."""
    output = run(file(CURRENCIES)).stdout
    assert '"Dollars (old)" ×9 (line 2), "Taler" ×3 (line 11)' in output


@pytest.mark.usefixtures("terminal")
def test_no_personal_value_is_shown(file: Any) -> None:
    """Values of personal columns are never shown, nor those that slipped into another column."""
    output = run(file(CURRENCIES)).stdout
    assert "INVALID_EMAIL" in output
    for value in ("nobody", "organic", "12345", "ada@example.com", "555-0100"):
        assert value not in output


@pytest.mark.parametrize(
    "options", [(), ("--json",), ("--format", "jsonl"), ("--format", "github")]
)
def test_no_value_is_written_anywhere_else(file: Any, options: tuple[str, ...]) -> None:
    """A file or a pipe may be kept or sent on, so it gets no value of the file."""
    output = run(file(CURRENCIES), *options).stdout
    assert "INVALID_CURRENCY" in output
    assert "Taler" not in output


def test_fields_that_identify_are_never_impersonal() -> None:
    """What a person could be found by is not shown."""
    personal = {"first_name", "last_name", "street", "city", "postal_code", "order_id", "items"}
    personal |= {"caller_id", "customer_id"}
    shown = {field.name for field in FIELDS if field.impersonal}
    assert not shown & {field.name for field in FIELDS if field.identifies}
    assert not shown & personal
    assert personal <= BY_NAME.keys()


def test_as_many_lines_are_listed_as_somebody_asks_for(file: Any) -> None:
    """`--max-lines` lists more than the first five lines of a problem."""
    path = file(CURRENCIES)
    assert "14 rows: lines 2, 3, 4, 5, 6, ..." in run(path).stdout
    assert "lines 2, 3, ..." in run(path, "--max-lines", "2").stdout
    every = " ".join(run(path, "--max-lines", "99").stdout.split())
    assert f"14 rows: lines {', '.join(map(str, [*range(2, 14), 15, 16]))} The currency" in every


def test_records_are_named_where_lines_are_not_rows(file: Any) -> None:
    """A line break in a cell above shifts the lines, but not the rows of a spreadsheet."""
    content = csv_of(row(Note="a\nb"), row(conversion_date_time="soon"))
    assert "1 row: line 4 (record 2)" in run(file(content)).stdout
    assert "(record" not in run(file(csv_of(row(), row(conversion_date_time="soon")))).stdout


def test_json_lines_have_one_object_for_each_problem(file: Any) -> None:
    """Each line says where, what and what to do."""
    path = file(csv_of(row(), row(conversion_date_time="soon")))
    found = [json.loads(line) for line in run(path, "--format", "jsonl").stdout.splitlines()]
    (problem,) = [each for each in found if each["line"] is not None]
    assert (problem["file"], problem["line"], problem["record"]) == (path.as_posix(), 3, 2)
    assert (problem["outcome"], problem["severity"]) == ("rejected", "error")
    assert (problem["code"], problem["column"]) == ("INVALID_DATE", "conversion_date_time")
    assert problem["message"]
    assert problem["action"]


def test_github_shows_annotations(file: Any) -> None:
    """Workflow commands name file and line, and say how many rows they left out."""
    path = file(CURRENCIES)
    lines = run(path, "--format", "github", "--max-lines", "2").stdout.splitlines()
    errors = [line for line in lines if "title=INVALID_CURRENCY" in line and "line=" in line]
    assert len(errors) == 2
    assert errors[0].startswith(f"::error file={path.as_posix()},line=2,title=INVALID_CURRENCY::")
    assert "::notice title=INVALID_CURRENCY::14 rows in all" in lines
    assert all(line.startswith("::") for line in lines)


def test_a_page_can_be_written(file: Any, tmp_path: Path) -> None:
    """`--html` writes the report of the results that the check prints, without a value."""
    page = tmp_path / "report.html"
    done = run(file(CURRENCIES), "--json", "--html", str(page))
    assert page.read_text("utf-8") == report_of(json.loads(done.stdout))
    assert done.stderr.splitlines()[0] == f"Wrote {page}"
    assert "INVALID_CURRENCY" in page.read_text("utf-8")
    for value in ("Taler", "nobody", "organic", "12345", "ada@example.com", "555-0100"):
        assert value not in page.read_text("utf-8")


def test_a_page_is_written_beside_the_text(file: Any, tmp_path: Path) -> None:
    """Text and page say the same, and the text is as without a page."""
    page = tmp_path / "report.html"
    path = file(CURRENCIES)
    assert run(path, "--html", str(page)).stdout == run(path).stdout
    assert "INVALID_CURRENCY" in page.read_text("utf-8")


def test_a_page_replaces_no_export_and_is_about_one_file(file: Any, tmp_path: Path) -> None:
    """A slip in the order of the names is an error (exit code 2), and nothing is written."""
    path = file(CURRENCIES)
    page = tmp_path / "report.html"
    for options in (["--html", str(path)], ["--html", str(page), str(path)]):
        assert run(path, *options).exit_code == 2
    assert run(tmp_path, "--html", str(page)).exit_code == 2
    assert path.read_bytes() == CURRENCIES
    assert not page.exists()
