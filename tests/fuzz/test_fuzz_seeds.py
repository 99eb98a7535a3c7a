"""The inputs that `make fuzz` starts from keep all promises, so each finding stays fixed."""

from __future__ import annotations

import pytest

from tests.fuzz import oracle
from tests.fuzz.corpora import examples, seeds, valid_rows
from tests.fuzz.inputs import CONVERSIONS, HEADERS, decode, encode

KNOWN = [*seeds(), *examples(), *valid_rows()]


@pytest.mark.parametrize("data", [data for _, data in KNOWN], ids=[name for name, _ in KNOWN])
def test_known_inputs_keep_the_promises(data: bytes) -> None:
    """Each file is read, each row has one outcome, and each message can be parsed."""
    given = decode(data)
    oracle.check_rows(given)
    oracle.check_source(given.content)


@pytest.mark.parametrize("data", [b"", b"\0", bytes(2), b"\xff" * 40])
def test_any_bytes_are_an_input(data: bytes) -> None:
    """The fuzzer needs no knowledge of the form of an input."""
    oracle.check_rows(decode(data))


def test_an_input_has_the_chosen_header() -> None:
    """The first byte of an input chooses the columns of its file."""
    given = decode(encode(b"A,B\n", HEADERS.index(CONVERSIONS), data_manager=True))
    assert given.content.splitlines() == [",".join(CONVERSIONS).encode(), b"A,B"]
    assert given.profile["destination"] == "data_manager"
