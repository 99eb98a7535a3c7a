"""A row before and after the rules: its cells (`Row`), and the record that they become.

A record is a conversion, an adjustment or a call. It uses no API's terms: `lib.destinations`
serializes it. It contains no raw user data, only digests, with one exception: the number of a
caller (`Call.caller_id`).

The records, `Problem` and `RowOutcome` are NamedTuples, not dataclasses: they are created for
every row, and creating a frozen dataclass of this width takes six times as long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from lib.model.adjustment_types import ADJUSTMENT_TYPES, AdjustmentType
from lib.model.outcomes import Problem

RowProblem = Literal[
    "WRONG_NUMBER_OF_CELLS",
    "UNCLOSED_QUOTE",  # it closes too late, in the wrong position, or never
    "INSIDE_QUOTES",  # a line that may belong to a quoted cell of a refused row
    "BROKEN_QUOTING",  # text after a closing quote: "a"b
    "UNDECODABLE",  # or a NUL byte, or a formula without a result
    "RECORD_TOO_LONG",
    "UNTERMINATED_LAST_LINE",  # the file may be cut in this line
    "REPORT_FOOTER",  # not a row: a total, or a line about the report
]
ROW_PROBLEMS: tuple[RowProblem, ...] = get_args(RowProblem)

Row: TypeAlias = tuple[int, Sequence[str], str | None, int]
"""(first line, cells, code of its problem, length in characters). A row has the cells that
`Table.records` keeps, or a problem and no cells. A plain tuple: one is created for every row of a
file."""
line_of: Final = itemgetter(0)
problem_of: Final = itemgetter(2)


@dataclass(frozen=True, slots=True)
class Address:
    """A postal identity: hashed names, the rest plain (Data Manager accepts all four or none)."""

    hashed_given_name: str
    hashed_family_name: str
    region_code: str
    postal_code: str


class CartItem(NamedTuple):
    """One product in a cart. `unit_price` is in the currency of the conversion."""

    product_id: str
    quantity: int
    unit_price: float


OptionalFields: TypeAlias = Mapping[str, Any]
"""The fields that few files have: the target of each field (`lib.rules.fields.table`) → its value,
if the row has one. Those of a cart are in one of their own:

    {"customer_type": "NEW", "cart": {"merchant_id": 5551234, "items": (CartItem("A-1", 2, 9.5),)}}
"""


_FINAL: Final = 1 << 62
"""Later than every time."""

_DERIVED: Final = re.compile("auto-[a-p]{32}")


def is_derived_order_id(order_id: str) -> bool:
    """Return whether the rules derived the order ID (`lib.rules.values.order_ids`). Such an ID does
    not distinguish conversions of one click, as an order ID of the row's own does."""
    return _DERIVED.fullmatch(order_id) is not None


class Conversion(NamedTuple):
    """One conversion, validated and free of raw user data.

    `action_id` is the numeric ID of the conversion action. `time` has the format
    `yyyy-mm-dd HH:mm:ss+HH:mm`. `ad_user_data` is GRANTED, DENIED or None. `optional_fields` is
    None if the row has none of them.
    """

    action_id: str
    time: str
    gclid: str
    gbraid: str
    wbraid: str
    hashed_emails: tuple[str, ...]
    hashed_phones: tuple[str, ...]
    value: float | None
    currency_code: str | None
    order_id: str | None
    ad_user_data: str | None
    optional_fields: OptionalFields | None
    warnings: tuple[Problem, ...]

    @property
    def has_click_id(self) -> bool:
        """Whether the conversion names an ad click."""
        return bool(self.gclid or self.gbraid or self.wbraid)

    @property
    def is_recognizable(self) -> bool:
        """Whether Google certainly recognizes the conversion if it has counted it."""
        return self.order_id is not None or self.gclid != ""


def rank_of(adjustment_type: AdjustmentType, time: int) -> int:
    """Return the rank of an adjustment at `time`, in Unix seconds: a later one counts, but a final
    one counts more than all others."""
    return _FINAL if ADJUSTMENT_TYPES[adjustment_type].is_final else time


class Adjustment(NamedTuple):
    """A correction of a conversion that was sent before: a new value, or a retraction.

    The conversion is named by its `order_id`, or else by `gclid` and `conversion_time`. `time` is
    when it was adjusted, according to the file. `value` is its new total value (None: a
    retraction). `original` is the conversion as it was sent, if the row has its data.
    """

    action_id: str
    adjustment_type: AdjustmentType
    time: str
    order_id: str | None
    gclid: str
    conversion_time: str
    value: float | None
    currency_code: str | None
    original: Conversion | None
    warnings: tuple[Problem, ...]

    @property
    def rank(self) -> int:
        """Of two adjustments of a conversion, the one with the higher rank counts."""
        return rank_of(self.adjustment_type, int(datetime.fromisoformat(self.time).timestamp()))

    @property
    def has_click_id(self) -> bool:
        """Whether the adjusted conversion belongs to an ad click, as far as this is known."""
        return self.original is None or self.original.has_click_id


class Call(NamedTuple):
    """A conversion after a phone call to a number of an ad.

    `caller_id` is the caller's plain number, such as +12125550101, because one API identifies a
    call by nothing else. Only the request to this API may contain it. `call_time` is when the call
    started, and `time` when it became a conversion.
    """

    action_id: str
    caller_id: str
    call_time: str
    time: str
    value: float | None
    currency_code: str | None
    ad_user_data: str | None
    optional_fields: OptionalFields | None
    warnings: tuple[Problem, ...]

    @property
    def order_id(self) -> None:
        """A call has no order ID."""
        return None

    @property
    def has_click_id(self) -> bool:
        """A call belongs to an ad, by the number that was called."""
        return True

    def __repr__(self) -> str:
        """Return a text without the number: it may end up in a log or a test report."""
        return f"Call(action_id={self.action_id!r}, ...)"


Record = Conversion | Adjustment | Call
