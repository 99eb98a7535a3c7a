"""What programs of others have written is read as they meant it, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.oracles import Oracle, amounts, dates, files, people, phones

ORACLES: Final = (
    amounts.ORACLE,
    *dates.ORACLES,
    *people.ORACLES,
    phones.ORACLE,
    files.ORACLE,
)
SLOW: Final = {files.ORACLE.name: 30, **{each.name: 80 for each in people.ORACLES}}
EXAMPLES: Final = 300


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda each: each.name)
def test_no_cell_is_read_as_another_value(oracle: Oracle) -> None:
    """A difference is a refusal, or one that the facts explain."""
    verdicts = oracle.compare(SLOW.get(oracle.name, EXAMPLES))
    assert verdicts["read"], "the oracle compares something"


WRONG: Final[list[tuple[Any, str, Callable[..., Any], Oracle]]] = [
    (amounts, "parse_amount", lambda *_: 125.0, amounts.ORACLE),
    (people, "normalize_email", lambda text: "jane@example.com", people.ORACLES[0]),
    (people, "normalize_name", lambda text: "jane", people.ORACLES[1]),
    (phones, "normalize_phone", lambda *_: "+12125550100", phones.ORACLE),
    (dates.TimeReader, "read", lambda *_: ("", 0, ()), dates.ORACLES[0]),
    (dates.TimeReader, "read", lambda *_: ("", 0, ()), dates.ORACLES[1]),
    (files, "ours", lambda content: ([["a", "b"]], 0), files.ORACLE),
]


@pytest.mark.parametrize(
    ("module", "rule", "wrong", "oracle"), WRONG, ids=lambda each: str(each)[:9]
)
def test_a_wrong_value_is_noticed(
    module: Any,
    rule: str,
    wrong: Callable[..., Any],
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rule that reads another value is found by its oracle."""
    monkeypatch.setattr(module, rule, wrong)
    with pytest.raises(AssertionError):
        oracle.compare(50, 0)
