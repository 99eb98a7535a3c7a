"""The inputs that `make fuzz` starts from keep all promises, so each finding stays fixed."""

from __future__ import annotations

import pkgutil
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import deliver, world
from tests.fuzz import deliveries, oracle
from tests.fuzz.corpora import examples, seeds, valid_rows
from tests.fuzz.inputs import CONVERSIONS, HEADERS, decode, encode
from tests.fuzz.planted import PLANTED
from tests.fuzz.workbook_fuzzer import check_workbook, fuzz, valid
from tests.fuzz.workbooks import UNREADABLE
from tests.workbooks import workbook

KNOWN = [*seeds(), *examples(), *valid_rows()]


@pytest.mark.parametrize("data", [data for _, data in KNOWN], ids=[name for name, _ in KNOWN])
def test_known_inputs_keep_the_promises(data: bytes) -> None:
    """Each file is read, each row has one outcome, and each message can be parsed."""
    given = decode(data)
    oracle.check_rows(given)
    oracle.check_source(given.content)


def test_workbooks_keep_the_promises(tmp_path: Path) -> None:
    """The fuzzer of workbooks runs, and finds nothing at once."""
    assert fuzz(0.01, 0, tmp_path) == 1


@pytest.mark.parametrize("check", deliveries.CHECKS[:3])
def test_hostile_names_keep_the_promises(check: Callable[[random.Random], None]) -> None:
    """The fuzzer of deliveries runs, and finds nothing at once."""
    check(random.Random(0))


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85"])
def test_the_schema_allows_every_name_of_an_object(sign: str) -> None:
    """In other languages than Python, a dot of a pattern is none of the separators of lines."""
    assert deliver(world(), f"{sign}{sign}.csv", b"gclid,email\na,b\n") == "stopped"


def test_all_protections_that_are_taken_away_exist() -> None:
    """A defect that is planted in nothing would not be found."""
    for each in PLANTED:
        assert each.change(pkgutil.resolve_name(f"lib.{each.target}")) is not None


def test_a_valid_workbook_that_is_refused_is_noticed() -> None:
    """The fuzzer would find a cell that stops the file."""
    content, rows = valid(random.Random(0))
    check_workbook(content, rows)
    with pytest.raises(AssertionError, match="a valid workbook ends with CORRUPT_FILE"):
        check_workbook(workbook([[*"abcdef"], *rows, [UNREADABLE]]), [*rows, [UNREADABLE]])


@pytest.mark.parametrize("data", [b"", b"\0", bytes(2), b"\xff" * 40])
def test_any_bytes_are_an_input(data: bytes) -> None:
    """The fuzzer needs no knowledge of the form of an input."""
    oracle.check_rows(decode(data))


def test_an_input_has_the_chosen_header() -> None:
    """The first byte of an input chooses the columns of its file."""
    given = decode(encode(b"A,B\n", HEADERS.index(CONVERSIONS), data_manager=True))
    assert given.content.splitlines() == [",".join(CONVERSIONS).encode(), b"A,B"]
    assert given.profile["destination"] == "data_manager"


def test_a_lost_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzzer would find a row without an outcome."""
    (_, data), *_ = (each for each in valid_rows() if each[0] == "header 1")
    monkeypatch.setattr("lib.cli.dry_run.chunks_of", lambda records, limits, width: iter(()))
    with pytest.raises(AssertionError, match="every row has one outcome"):
        oracle.check_rows(decode(data))


def test_a_wrong_value_in_a_message_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzzer would find an email address that is sent without being hashed."""
    (_, data), *_ = (each for each in valid_rows() if each[0] == "header 2")
    monkeypatch.setattr(
        "lib.rules.identity._hash_emails",
        lambda cells, name, problems: [cell and cell.ljust(64) for cell in cells],
    )
    with pytest.raises(AssertionError, match="hashed_email"):
        oracle.check_rows(decode(data))
