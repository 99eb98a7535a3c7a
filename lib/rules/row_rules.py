"""What the rules know besides the rows: the time, the profile's settings, accounts and actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from lib.model.account import Account
from lib.model.capabilities import Capabilities
from lib.model.fields import RecordKind
from lib.model.outcomes import Problem
from lib.rules.row_filter import StageActions
from lib.rules.values.conversion_clock import MAX_AGE_DAYS
from lib.rules.values.order_ids import OrderIds

RULES_VERSION: Final = 1
"""The version of the rules, which the claim of a file fixes. Code that meets a newer one touches
nothing.

A rule that changes which rows are sent, or their order IDs, makes a new version, and keeps its
older form until no file of the older version can be in progress. A row that comes back with another
order ID counts twice at Google."""


@dataclass(frozen=True, slots=True)
class Refunds:
    """How the profile recognizes the refunds in a file of sales: by the cells at `places` of a
    row.

    `names_value`: it names the column of their new values.
    """

    places: Sequence[int] = ()
    names_value: bool = False


@dataclass(frozen=True, slots=True)
class RowRules:
    """Values that are the same for every row of a file.

    `now` is the start of the file's first attempt. `kind` is the kind of the records.
    `account` returns the account of a customer ID, or the problem that prevents its use. The other
    values come from the profile, except that the time zone of the file takes precedence for `zone`.

    `column_currency` is the currency that the header of the value column names, `column_signs` are
    those that a sign in it may mean. `column_zones` has the time zones of the times other than the
    conversion time.

    `stages` are the profile's `actions`, if it has any and the file is one of conversions.

    `look_up` returns the account as it is now, for an action that is not found in it, or None.

    `is_of_tag`: a website's tag counts the conversions, and the file adds data to them.

    `integer_order_ids` is True if an earlier attempt has decided it (`OrderIdForm`).

    For adjustments: `refunds` is None if the rows say themselves what they are. `sent_order_id` is
    how the destination of the conversions writes an order ID, if adjustments go to another one.
    """

    now: datetime
    account: Callable[[], Account | Problem]
    capabilities: Capabilities
    action: str | None = None
    stages: StageActions | None = None
    zone: tzinfo | None = None
    currency_code: str | None = None
    column_currency: str | None = None
    column_signs: frozenset[str] = frozenset()
    phone_region: str | None = None
    ad_user_data: str | None = None
    day_first: bool = False
    decimal_comma: bool = False
    derive_order_id: bool = True
    omit_session_and_ip: bool = False
    is_of_tag: bool = False
    look_up: Callable[[], Account | None] = lambda: None
    order_ids: OrderIds | None = None
    integer_order_ids: bool = False
    column_zones: Mapping[str, tzinfo | None] = field(default_factory=dict)
    kind: RecordKind = "conversion"
    refunds: Refunds | None = None
    sent_order_id: Callable[[str], str] = str


class ActionRule(NamedTuple):
    """The account and conversion action of a row, and the rules of that action.

    `currency` is that of the account: "" if it is not known, None if it may be any (an offline
    check, which cannot ask the account).
    """

    customer_id: str
    action_id: str
    one_per_click: bool
    lookback_days: int
    needs_order_id: bool = False
    always_uses_default_value: bool = False
    currency: str | None = None


NO_ACTION: Final = ActionRule("", "", False, MAX_AGE_DAYS)
"""Placeholder for a row that is rejected for its action: its other cells are still checked."""
