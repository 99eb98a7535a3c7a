"""Cells of which a file has few values, judged together, once per combination.

Most files have one account, some actions, a currency or two and two words for consent: what a row
has of them is one look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, NamedTuple

from lib.model.outcomes import Problem
from lib.rules.conversion_actions import MAX_AGE_DAYS, resolve_action
from lib.rules.values.dates import ConversionClock, load_zone
from lib.rules.values.enums import parse_consent
from lib.rules.values.errors import RuleError
from lib.rules.values.money import parse_currency
from lib.rules.values.time_zones import UnknownZone

if TYPE_CHECKING:
    from lib.rules.engine import RowRules

UNREADABLE = ""
COMMON_FIELDS = ("customer_id", "conversion_action", "time_zone", "currency_code", "ad_user_data")


_UNKNOWN_ZONE = UnknownZone("time_zone")


class Common(NamedTuple):
    """Where a row goes, how its time is read, and what the profile or its own words say.

    `read_time(cell, zone)` is `ConversionClock.read` with the greatest age of the action. `zone` is
    an `UnknownZone`, and `currency_code` is `UNREADABLE`, where the row's own can't be read: it
    matters only beside a time without a zone, or a value.
    """

    customer_id: str
    action_id: str
    one_per_click: bool
    read_time: Callable[[str, tzinfo | None], tuple[str, int, str | None]]
    zone: tzinfo | None
    currency_code: str | None
    ad_user_data: str | None
    errors: tuple[Problem, ...]


def read_common(cells: Sequence[str], rules: RowRules, clock: ConversionClock) -> Common:
    """The cells of `COMMON_FIELDS`; an empty one is what the profile says."""
    customer_cell, action_cell, zone_cell, currency_cell, consent_cell = cells
    errors: list[Problem] = []
    customer_id = action_id = ""
    one_per_click = False
    action = resolve_action(customer_cell, action_cell, rules)
    if isinstance(action, Problem):
        errors.append(action)
    else:
        customer_id, action_id, one_per_click, days = action
        if days < MAX_AGE_DAYS:
            clock = clock.within(days)
    zone: tzinfo | None = None
    currency = rules.currency_code
    consent = rules.ad_user_data
    try:
        if zone_cell.strip():
            zone = load_zone(zone_cell)
    except RuleError:
        zone = _UNKNOWN_ZONE
    try:
        if currency_cell.strip():
            currency = parse_currency(currency_cell)
    except RuleError:
        currency = UNREADABLE
    try:
        if consent_cell.strip():
            # A word for "not stated" says that too: then the profile's doesn't count.
            consent = parse_consent(consent_cell)
    except RuleError as error:
        # Not left out with a warning: a denial that is misread would be a grant.
        errors.append(Problem(error.code, "ad_user_data"))
    return Common(
        customer_id,
        action_id,
        one_per_click,
        clock.read,
        zone,
        currency,
        consent,
        tuple(errors),
    )
