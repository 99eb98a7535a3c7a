"""`explain`: what a code means, from the catalogue, without a folder of documentation."""

from __future__ import annotations

from click.testing import CliRunner, Result

from lib.catalogue.codes import CATALOGUE, TABLES, lookup
from lib.catalogue.open_problems import PROBLEM_KINDS
from lib.cli.commands import main
from tests.cli.validating import flat


def explain(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(main, ["explain", *arguments])


def test_a_code_is_explained_in_whatever_case() -> None:
    """Its meaning, what to do, and what to do if most rows have it."""
    entry = lookup("DATE_ORDER_MISMATCH")
    done = explain("Date_order_mismatch")
    assert done.exit_code == 0
    text = flat(done.output)
    assert "DATE_ORDER_MISMATCH error: the row is rejected (This function)" in text
    for part in (entry.meaning, f"→ {entry.action}", f"If most rows have it: {entry.if_most}"):
        assert part in text
    assert max(map(len, done.output.splitlines())) <= 80


def test_googles_codes_are_known_without_their_prefix() -> None:
    """As messages write them."""
    assert "PROCESSING_ERROR_REASON_UNKNOWN_CONSENT error" in flat(
        explain("UNKNOWN_CONSENT").output
    )


def test_a_kind_of_alert_is_explained() -> None:
    """As the notification names it, from the one table of these kinds."""
    (kind,) = (kind for kind in PROBLEM_KINDS if kind.name == "column_empty")
    text = flat(explain("COLUMN_EMPTY").output)
    assert f"column_empty warning (This function) {kind.title}. → {kind.action}" in text


def test_a_misspelled_code_is_corrected() -> None:
    """The exit code is 1, and nothing else is explained."""
    done = explain("INVALID_DATE", "date_order_mismach")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "Did you mean DATE_ORDER_MISMATCH?" in flat(done.stderr)


def test_all_codes_are_listed_by_origin() -> None:
    """Below the names of their origins."""
    listed = explain().output
    assert all(f"{origin}: " in listed for origin in TABLES)
    assert {*CATALOGUE, "column_empty"} <= {word.strip(",") for word in listed.split()}
