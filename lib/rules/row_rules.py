"""What the rules know besides the rows: the time, the profile's settings, and the account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal, NamedTuple

from lib.model.account import Account
from lib.model.adjustment_types import AdjustmentType
from lib.model.capabilities import Capabilities
from lib.model.fields import NumberFormat, RecordKind
from lib.rules.values.dates import DateOrder


class EntryRules(NamedTuple):
    """What the rows of one entry of the profile have in common.

    `action` is their conversion action (None: a column names it). `value` is their value;
    "action_default": an empty cell means that of the conversion action; None: an empty cell rejects
    the row. `adjustment_type`: None if a column names it. `currency_code`: the currency of a value
    that does not state one; None: that of the account.
    """

    action: str | None = None
    value: float | Literal["action_default"] | None = "action_default"
    adjustment_type: AdjustmentType | None = None
    currency_code: str | None = None


@dataclass(frozen=True, slots=True)
class RowRules:
    """Values that are the same for every row of a file.

    `now` is the start of the file's first attempt. `kind` is the kind of the records, and `entries`
    are those of the profile that send records of this kind.

    The others are constants of the profile: what a cell means that does not say it. None: the
    profile has no such constant. `zone` is the time zone of the file, if it states one, or else the
    profile's.

    `is_of_tag`: a website's tag counts the conversions, and the file adds data to them.

    `sent_order_id` is how the destination of the conversions writes an order ID. Adjustments of
    them must name it like this, whoever sends them.
    """

    now: datetime
    account: Account
    capabilities: Capabilities
    entries: Sequence[EntryRules]
    zone: tzinfo | None
    phone_region: str | None
    ad_user_data: str | None
    date_order: DateOrder | None
    number_format: NumberFormat
    integer_order_ids: bool
    derive_order_id: bool
    omit_session_and_ip: bool
    is_of_tag: bool
    kind: RecordKind
    sent_order_id: Callable[[str], str]
