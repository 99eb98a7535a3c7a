"""What a check shows on a terminal, and its output for other programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib.cli import check_command
from lib.cli.terminal import is_own_screen
from tests.cli.validating import BASE, csv_of, flat, row, run_check


def priced(number: int, **cells: str) -> dict[str, str]:
    return row(gclid=f"Cj0KCQiAexample{number:04}", **{"conversion_value": "9", **cells})


CURRENCIES = csv_of(
    *[priced(n, currency_code="Dollars (old)") for n in range(9)],
    *[priced(n, currency_code="Taler") for n in range(9, 12)],
    row(gclid="organic", email="nobody at home", phone="12345"),
    priced(13, currency_code="ada@example.com"),
    priced(14, currency_code="+1 212-555-0100"),
)


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


@pytest.mark.usefixtures("screen")
def test_a_cell_is_shown_with_its_line_and_column(file: Any) -> None:
    """One line says where, which cell, and what to do, also of a personal column."""
    cells = {"conversion_value": "12x", "currency_code": "USD", "email": "eve.example.com"}
    output = flat(
        run_check(file(csv_of(priced(1, currency_code="USD"), priced(2, **cells)))).stdout
    )
    assert "rejected line 3, conversion_value: 12x " in output
    assert "line 3, email: eve.example.com " in output


@pytest.mark.usefixtures("screen")
def test_wrong_values_are_counted_on_a_screen(file: Any) -> None:
    """Each wrong value is shown with the number of its rows."""
    output = flat(run_check(file(CURRENCIES)).stdout)
    assert '"Dollars (old)" ×9, "Taler" ×3, "ada@example.com" ×1' in output


@pytest.mark.usefixtures("screen")
def test_a_cell_is_shortened_and_obeyed_by_no_terminal(file: Any) -> None:
    """Escape sequences and direction marks are written out, and an empty cell is called so."""
    cell = "\x1b]0;title\x07\u202eabc" + "x" * 100
    output = run_check(
        file(csv_of(priced(1, currency_code=cell), priced(2, conversion_date_time="")))
    )
    assert r"currency_code: \x1b]0;title\x07\u202eabc" in flat(output.stdout)
    assert "conversion_date_time: (empty) " in flat(output.stdout)
    assert not {"\x1b", "\x07", "\u202e"} & {*output.output}
    assert "x" * 41 not in output.stdout


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_no_value_is_written_anywhere_else(file: Any, options: tuple[str, ...]) -> None:
    """A file or a pipe may be kept or sent on, so it gets no value of the file."""
    output = run_check(file(CURRENCIES), *options).stdout
    assert "INVALID_CURRENCY" in output
    assert "Taler" not in output


def test_the_first_five_lines_of_a_problem_are_listed(file: Any) -> None:
    """All of them are in the results document."""
    assert "14 rows: lines 2, 3, 4, 5, 6, ..." in run_check(file(CURRENCIES)).stdout


def test_rows_of_a_spreadsheet_are_named_where_lines_are_not_rows(file: Any) -> None:
    """A line break in a cell above shifts the lines, but not the rows of a spreadsheet."""
    content = csv_of(row(Note="a\nb"), row(conversion_date_time="soon"))
    assert "rejected  line 4 (row 3 of a spreadsheet), conv" in run_check(file(content)).stdout
    assert (
        "of a spreadsheet"
        not in run_check(file(csv_of(row(), row(conversion_date_time="soon")))).stdout
    )


@pytest.mark.usefixtures("screen")
def test_a_new_value_and_a_renamed_column_lead_to_init(file: Any, tmp_path: Path) -> None:
    """The screen names the value, and what the column is called now, and the command to run."""
    profile = {
        **BASE,
        "action": "1001",
        "columns": {"gclid": "Click", "conversion_date_time": "Closed", "order_id": "Order"},
        "conversions": [{"rows": {"Stage": ["Won"]}}],
        "skip": {"Stage": ["Lost"]},
    }
    profiles = tmp_path / "p.json"
    profiles.write_text(json.dumps({"crm": profile}))
    content = "Click,Closed,Order,Stage\nCj0KCQiAexample0001,2026-11-20 10:00Z,1,Won (self-serve)\n"
    options = ["--profiles", str(profiles), "--profile", "crm"]
    path = file(content.encode())
    shown = flat(run_check(path, *options).stdout)
    assert "NO_ENTRY_FITS rejected line 2: Stage: Won (self-serve)" in shown
    assert f"init {path} --profile crm, and to choose that" in shown
    path = file(content.replace("Closed", "Close date").encode())
    shown = flat(run_check(path, *options).stdout)
    assert '"Closed" may be "Close date" now.' in shown
    assert f"init {path} --profile crm. If it was not" in shown


def _with_profile(folder: Path, **keys: Any) -> list[str]:
    """Return the options of a check by this profile."""
    path = folder / "p.json"
    path.write_text(json.dumps({"crm": {**BASE, "action": "1001", **keys}}))
    return ["--profiles", str(path), "--profile", "crm"]


@pytest.mark.usefixtures("screen")
def test_only_a_value_that_no_entry_lists_is_called_new(file: Any, tmp_path: Path) -> None:
    """A star lists any value, and where the profile only skips some, all others are fine."""
    options = _with_profile(
        tmp_path,
        columns={"gclid": "Click", "conversion_date_time": "Closed"},
        conversions=[{"rows": {"Stage": ["Won"], "Paid": ["*"]}}],
        skip={"Type": ["Test"], "Cancelled": ["*"]},
    )
    sale = "Cj0KCQiAexample0001,2026-11-20 10:00Z,{},Real,yes,\n"
    content = "Click,Closed,Stage,Type,Paid,Cancelled\n" + sale.format("Signed")
    shown = flat(run_check(file(content.encode()), *options).stdout)
    assert "line 2: Stage: Signed (columns" in shown


@pytest.mark.usefixtures("screen")
def test_a_row_with_two_wrong_dates_is_one_row(file: Any, tmp_path: Path) -> None:
    """It has one code twice."""
    names = ["caller_id", "call_start_date_time", "conversion_date_time"]
    options = _with_profile(
        tmp_path,
        columns={name: name for name in names},
        conversions=[{"send": "call"}],
    )
    content = f"{','.join(names)}\n+12125550100,soon,later\n"
    shown = flat(run_check(file(content.encode()), *options).stdout)
    assert "INVALID_DATE rejected line 2, call_start" in shown
    assert '"soon" ×1, "later" ×1' in shown


def test_click_ids_of_another_network_do_not_matter_in_skipped_rows(
    file: Any, tmp_path: Path
) -> None:
    """A profile that skips the sales of other networks is right."""
    options = _with_profile(
        tmp_path,
        columns={"gclid": "gclid", "conversion_date_time": "conversion_date_time"},
        skip={"Source": ["Facebook"]},
    )
    rows = [row(Source="Google"), row(gclid="IwAR2xExampleOfMeta00fbclid1", Source="Facebook")]
    assert "FOREIGN_CLICK_IDS" not in run_check(file(csv_of(*rows)), *options).stdout
    rows[1]["Source"] = "Newsletter"
    assert "FOREIGN_CLICK_IDS" in run_check(file(csv_of(*rows)), *options).stdout


def test_a_value_of_zero_that_the_profile_states_is_no_mistake(file: Any, tmp_path: Path) -> None:
    """A lead may be worth nothing, while the sales of the same file have a column of values."""
    options = _with_profile(
        tmp_path,
        columns={"gclid": "Click", "conversion_date_time": "Closed"},
        value=None,
        currency_code="USD",
        conversions=[
            {"rows": {"Stage": ["Lead"]}, "value": 0},
            {"rows": {"Stage": ["Won"]}, "columns": {"conversion_value": "Amount"}},
        ],
    )
    content = (
        "Click,Closed,Stage,Amount\n"
        "Cj0KCQiAexample0001,2026-11-20 10:00Z,Lead,\n"
        "Cj0KCQiAexample0002,2026-11-20 10:00Z,Won,9\n"
    )
    assert "ZERO_VALUES" not in run_check(file(content.encode()), *options).stdout
    assert "ZERO_VALUES" in run_check(file(content.replace(",9", ",0").encode()), *options).stdout
