"""The rules of conversions: what a row must be to become a `Conversion`.

An invalid cell rejects the row only if the row can't be sent without it. Otherwise the cell is left
out with a warning (Google: send all conversion data, regardless of completeness).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lib.rules.actions import read_actions
from lib.rules.amounts import read_conversion_values
from lib.rules.assembly import derive_order_ids, drop_repeats, match, refuse_exclusive_values
from lib.rules.columns import Rule
from lib.rules.identity import choose_click_ids, hash_user_identifiers, read_order_ids
from lib.rules.optional_fields import read_consents, read_optional_fields
from lib.rules.times import read_conversion_times

_READ: Final[Sequence[Rule]] = (
    read_actions,
    read_consents,
    hash_user_identifiers,
    choose_click_ids,
    read_conversion_times,
    read_conversion_values,
    read_order_ids,
    read_optional_fields,
)
_COMPLETE: Final[Sequence[Rule]] = (refuse_exclusive_values, match, derive_order_ids)

CONVERSIONS: Final[Sequence[Rule]] = (*_READ, *_COMPLETE, drop_repeats)

ORIGINALS: Final[Sequence[Rule]] = (*_READ, *_COMPLETE)
"""The rules of conversions that were sent before: they may repeat each other."""
