"""The examples never become too old: on any day, `drop` uploads them with dates of that day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sandbox.__main__ import main as sandbox
from sandbox.examples import EXAMPLES, WRITTEN_ON, is_example, moved_to
from tests.cli.validating import NOW, validate
from tests.examples.test_examples import PROFILE_OF, profile_of

LATER = timedelta(days=371)  # also another day of the week, month and year


def outcomes(content: bytes, name: str, now: Any) -> dict[str, Any]:
    """The counts and the codes of an example."""
    document = validate(content, profile_of(name), now=now)
    return {
        "counts": document["counts"],
        "codes": {*document["codes"]},
    }


@pytest.mark.parametrize("name", PROFILE_OF)
def test_a_moved_example_is_validated_as_on_its_own_day(name: str) -> None:
    """A year later, each row has the outcome that it had, in whatever format its dates are."""
    path = EXAMPLES / name
    moved = moved_to(path, WRITTEN_ON + LATER)
    assert outcomes(moved, name, NOW + LATER) == outcomes(path.read_bytes(), name, NOW)
    assert outcomes(path.read_bytes(), name, NOW + LATER)["counts"]["rejected"] > 0


def test_on_its_own_day_nothing_changes(tmp_path: Path) -> None:
    """An example is uploaded as it is, and other files are never examples."""
    path = EXAMPLES / "crm_export.csv"
    assert moved_to(path, WRITTEN_ON) == path.read_bytes()
    assert is_example(path)
    assert not is_example(EXAMPLES / "keep_click_ids.js")
    assert not is_example(tmp_path / "crm_export.csv")


def test_an_example_is_written_with_the_dates_of_today(tmp_path: Path) -> None:
    """`example` writes what `drop` would upload, and writes no other file."""
    path, written = EXAMPLES / "crm_export.csv", tmp_path / "export.csv"
    done = CliRunner().invoke(sandbox, ["example", str(path), "-o", str(written)])
    assert done.exit_code == 0, done.output
    # Midnight may pass meanwhile.
    today = datetime.now(UTC).date()
    assert written.read_bytes() in {moved_to(path, today - timedelta(days=n)) for n in (0, 1)}
    refused = CliRunner().invoke(sandbox, ["example", str(written), "-o", str(tmp_path / "b")])
    assert refused.exit_code == 2
    assert "is no export in examples/" in refused.output
