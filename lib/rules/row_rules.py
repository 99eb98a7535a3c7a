"""The input of the rules apart from the row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from lib.model.account import Account
from lib.model.capabilities import Capabilities
from lib.model.outcomes import Problem


@dataclass(frozen=True, slots=True)
class RowRules:
    """Values that are the same for every row of a file.

    `now` is the start of the file's first attempt. `account` returns the account of a customer ID,
    or the problem that prevents its use. The other values come from the profile, except that
    `Parameters:TimeZone` in the file takes precedence for `zone`.
    """

    now: datetime
    account: Callable[[str], Account | Problem]
    customer_id: str | None
    capabilities: Capabilities
    action: str | None = None
    zone: tzinfo | None = None
    currency_code: str | None = None
    phone_region: str | None = None
    ad_user_data: str | None = None
    day_first: bool = False
    decimal_comma: bool = False
    derive_order_id: bool = True
    omit_session_and_ip: bool = False
