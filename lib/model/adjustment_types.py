"""The types of adjustments, each with what it is called and what its rows have.

A type is one name in `AdjustmentType` and one row in `ADJUSTMENT_TYPES`. A destination that can
send it says so in its `capabilities.py`, and how in its `messages.py`.
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
    common_name: str
    """What `init` calls such a row, as people do."""
    meaning: str
    """What it says about the conversion, after "if"."""
    is_final: bool
    """No other adjustment of the conversion counts beside it."""
    value_refused: str | None
    """The code of a row with a new value, which rejects it. None: the row needs a new value."""

    @property
    def has_value(self) -> bool:
        """Whether such an adjustment has a new value."""
        return self.value_refused is None


ADJUSTMENT_TYPES: Final[Mapping[AdjustmentType, AdjustmentRules]] = {
    "retraction": AdjustmentRules(
        word="RETRACT",
        common_name="refund",
        meaning="the conversion no longer counts",
        is_final=True,
        value_refused="RETRACTION_WITH_VALUE",
    ),
    "restatement": AdjustmentRules(
        word="RESTATE",
        common_name="new value",
        meaning="it has another value",
        is_final=False,
        value_refused=None,
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
