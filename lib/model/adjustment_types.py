"""The types of adjustments, each with what it is called and what its rows have.

A type is one name in `AdjustmentType` and one row in `ADJUSTMENT_TYPES`. A destination that can
send it says so in its `capabilities.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

AdjustmentType = Literal["retraction", "restatement"]
"""The name of a type, as in `send` of a profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentRules:
    """What the adjustments of one type have in common."""

    word: str
    """A cell of the column `adjustment_type` says this, or the name of the type."""
    meaning: str
    """What it says about the conversion, after "if"."""
    is_final: bool
    """No other adjustment of the conversion counts beside it."""
    has_value: bool
    """The row needs a new value. A row of a type without one is rejected if it has one."""


ADJUSTMENT_TYPES: Final[Mapping[AdjustmentType, AdjustmentRules]] = {
    "retraction": AdjustmentRules(
        word="RETRACT",
        meaning="the conversion no longer counts",
        is_final=True,
        has_value=False,
    ),
    "restatement": AdjustmentRules(
        word="RESTATE",
        meaning="the conversion has another value",
        is_final=False,
        has_value=True,
    ),
}

TYPE_OF_WORD: Final[Mapping[str, AdjustmentType]] = {
    word: name for name, rules in ADJUSTMENT_TYPES.items() for word in (rules.word, name.upper())
}
"""What a cell of the column `adjustment_type` says, in capitals → the type."""


def stated_type(send: str) -> AdjustmentType | None:
    """Return the type of all rows that are sent as `send` (in a profile), or None if it states no
    type: `retraction` does, `adjustment` and `call` do not."""
    return next((name for name in ADJUSTMENT_TYPES if name == send), None)


def possible_types(send: str) -> frozenset[AdjustmentType]:
    """Return the types that rows may have that are sent as `send`: of `adjustment`, all types."""
    if send == "adjustment":
        return frozenset(ADJUSTMENT_TYPES)
    stated = stated_type(send)
    return frozenset() if stated is None else frozenset({stated})
