"""Which conversion action a row means, and what that action asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lib.model.account import Account, Action
from lib.model.outcomes import Problem

if TYPE_CHECKING:
    from lib.rules.engine import RowRules

MAX_AGE_DAYS = 90
"""Google's longest click look-back: nothing older can be attributed."""


class ActionRule(NamedTuple):
    """Where a row goes, and the rules of its action."""

    customer_id: str
    action_id: str
    one_per_click: bool
    lookback_days: int


def resolve_action(customer_cell: str, action_cell: str, rules: RowRules) -> ActionRule | Problem:
    """The action that a row (or else the profile) names: by id, resource name or name.

    Only the last part of a resource name counts, as at Google's. Asked once per pair of cells.
    """
    customer_id = customer_cell.replace("-", "").strip() or rules.customer_id or ""
    if not customer_id:
        return Problem("ROW_CUSTOMER_ID_MISSING", "customer_id")
    if not (customer_id.isascii() and customer_id.isdigit() and len(customer_id) == 10):
        return Problem("ROW_CUSTOMER_ID_INVALID", "customer_id")
    wanted = action_cell.strip() or rules.action or ""
    if not wanted:
        return Problem("ACTION_MISSING", "conversion_action")
    account = rules.account(customer_id)
    if isinstance(account, Problem):
        return account
    action = _find(wanted, account, rules.route)
    if isinstance(action, Problem):
        return action
    return ActionRule(
        account.conversion_customer_id,
        action.id,
        action.one_per_click,
        min(action.lookback_days, MAX_AGE_DAYS),
    )


def _find(wanted: str, account: Account, route: str) -> Action | Problem:
    prefix, _, last = wanted.rpartition("/")
    is_id = last.isascii() and last.isdigit() and (not prefix or "conversionActions" in prefix)
    action = account.actions.get(last) if is_id else None
    if action is None:
        # A name may consist of digits or hold slashes too.
        action = account.by_name().get(wanted.casefold())
    if action is None:
        if account.verified:
            return Problem("UNKNOWN_ACTION", "conversion_action")
        if not is_id and (route == "data_manager" or not account.names_on_trust):
            # The API knows no queries, or may not be asked: nobody knows the id.
            return Problem("ACTION_NAME_NOT_RESOLVABLE", "conversion_action")
        known_as = last if is_id else wanted
        return Action(known_as, known_as, True, True, False, MAX_AGE_DAYS)
    if not action.uploads_clicks:
        return Problem("ACTION_WRONG_TYPE", "conversion_action")
    if not action.enabled:
        return Problem("ACTION_NOT_ENABLED", "conversion_action")
    return action
