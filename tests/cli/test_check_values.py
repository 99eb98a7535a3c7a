"""What a check shows on a terminal, and its output for other programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lib.cli import check_command
from lib.cli.commands import main
from lib.cli.terminal import is_own_screen
from tests.cli.validating import NOW, csv_of, row, with_profiles
from tests.results.test_report import report


def priced(number: int, **cells: str) -> dict[str, str]:
    return row(gclid=f"Cj0KCQiAexample{number:04}", **{"conversion_value": "9", **cells})


CURRENCIES = csv_of(
    *[priced(n, currency_code="Dollars (old)") for n in range(9)],
    *[priced(n, currency_code="Taler") for n in range(9, 12)],
    row(gclid="organic", email="nobody at home", phone="12345"),
    priced(13, currency_code="ada@example.com"),
    priced(14, currency_code="+1 212-555-0100"),
)


def run(path: Path, *options: str) -> Result:
    command = ["check", "--now", NOW.isoformat(), *options, str(path)]
    return CliRunner().invoke(main, with_profiles(command, path.parent))


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(content: bytes) -> Path:
        path = tmp_path / "export.csv"
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the output go to the screen of the person who has the file."""
    monkeypatch.setattr(check_command, "is_own_screen", lambda: True)


def test_a_screen_is_a_terminal_outside_of_a_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some pipelines give their jobs a terminal, whose output they keep."""
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True))
    monkeypatch.delenv("CI", raising=False)
    assert is_own_screen()
    monkeypatch.setenv("CI", "true")
    assert not is_own_screen()
    monkeypatch.delenv("CI")
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: False))
    assert not is_own_screen()


def flat(text: str) -> str:
    """A text without the line breaks of the terminal."""
    return " ".join(text.split())


@pytest.mark.usefixtures("screen")
def test_a_cell_is_shown_with_its_line_and_column(file: Any) -> None:
    """One line says where, which cell, and what to do, also of a personal column."""
    cells = {"conversion_value": "12x", "currency_code": "USD", "email": "eve.example.com"}
    output = flat(run(file(csv_of(priced(1, currency_code="USD"), priced(2, **cells)))).stdout)
    assert "rejected line 3, conversion_value: 12x → " in output
    assert "line 3, email: eve.example.com → Write one email address in the cell" in output


@pytest.mark.usefixtures("screen")
def test_wrong_values_are_counted_on_a_screen(file: Any) -> None:
    """Each wrong value is shown with the number of its rows and its first line."""
    output = flat(run(file(CURRENCIES)).stdout)
    assert '"Dollars (old)" ×9 (line 2), "Taler" ×3 (line 11), "ada@example.com" ×1' in output


@pytest.mark.usefixtures("screen")
def test_a_cell_is_shortened_and_obeyed_by_no_terminal(file: Any) -> None:
    """Escape sequences and direction marks are written out, and an empty cell is called so."""
    cell = "\x1b]0;title\x07\u202eabc" + "x" * 100
    output = run(file(csv_of(priced(1, currency_code=cell), priced(2, conversion_date_time=""))))
    assert r"currency_code: \x1b]0;title\x07\u202eabc" in flat(output.stdout)
    assert "conversion_date_time: (empty) →" in flat(output.stdout)
    assert not {"\x1b", "\x07", "\u202e"} & {*output.output}
    assert "x" * 41 not in output.stdout


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_no_value_is_written_anywhere_else(file: Any, options: tuple[str, ...]) -> None:
    """A file or a pipe may be kept or sent on, so it gets no value of the file."""
    output = run(file(CURRENCIES), *options).stdout
    assert "INVALID_CURRENCY" in output
    assert "Taler" not in output


def test_as_many_lines_are_listed_as_somebody_asks_for(file: Any) -> None:
    """`--max-lines` lists more than the first five lines of a problem."""
    path = file(CURRENCIES)
    assert "14 rows: lines 2, 3, 4, 5, 6, ..." in run(path).stdout
    assert "lines 2, 3, ..." in run(path, "--max-lines", "2").stdout
    every = flat(run(path, "--max-lines", "99").stdout)
    assert f"14 rows: lines {', '.join(map(str, [*range(2, 14), 15, 16]))}, currency" in every


def test_records_are_named_where_lines_are_not_rows(file: Any) -> None:
    """A line break in a cell above shifts the lines, but not the rows of a spreadsheet."""
    content = csv_of(row(Note="a\nb"), row(conversion_date_time="soon"))
    assert "rejected  line 4 (record 2), conv" in run(file(content)).stdout
    assert "(record" not in run(file(csv_of(row(), row(conversion_date_time="soon")))).stdout


def test_a_page_can_be_written(file: Any, tmp_path: Path) -> None:
    """`--html` writes the report of the results that the check prints, without a value."""
    page = tmp_path / "report.html"
    done = run(file(CURRENCIES), "--json", "--html", str(page))
    assert page.read_text("utf-8") == report(json.loads(done.stdout))
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
