"""The input of the rules apart from the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final, Literal

from lib.model.account import Account
from lib.model.capabilities import Capabilities
from lib.model.fields import RecordKind
from lib.model.outcomes import Problem

OrderIds = Literal["keep", "integer"]
"""How order IDs such as 1001.0 are sent. None: the first chunk of each file decides
(`OrderIdForm`)."""

RULES_VERSION: Final = 1
"""The version of the rules, which the claim of a file fixes. Code that meets a newer one touches
nothing.

A rule that changes which rows are sent, or their order IDs, makes a new version, and keeps its
older form until no file of the older version can be in progress. A row that comes back with another
order ID counts twice at Google."""


@dataclass(frozen=True, slots=True)
class RowRules:
    """Values that are the same for every row of a file.

    `now` is the start of the file's first attempt.
    `integer_order_ids` is True if an earlier attempt has decided it (`OrderIdForm`).
    `account` returns the account of a customer ID, or the problem that prevents its use. The other
    values come from the profile, except that the time zone of the file takes precedence for `zone`.
    `column_currency` is the currency that the header of the value column names. `column_zones` has
    the time zone that applies to the times of another column than the conversion time, if it is
    another one. `kind` is the kind of the records. `sent_order_id` is how
    the destination of the conversions writes an order ID, if adjustments go to another one.
    """

    now: datetime
    account: Callable[[str], Account | Problem]
    customer_id: str | None
    capabilities: Capabilities
    action: str | None = None
    zone: tzinfo | None = None
    currency_code: str | None = None
    column_currency: str | None = None
    phone_region: str | None = None
    ad_user_data: str | None = None
    day_first: bool = False
    decimal_comma: bool = False
    derive_order_id: bool = True
    omit_session_and_ip: bool = False
    order_ids: OrderIds | None = None
    integer_order_ids: bool = False
    column_zones: Mapping[str, tzinfo | None] = field(default_factory=dict)
    kind: RecordKind = "conversion"
    sent_order_id: Callable[[str], str] = str
