"""The conversion action of each row, and the rules of that action."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, get_args

from lib.model.account import ConversionAction, action_id_in
from lib.model.fields import RecordKind
from lib.model.outcomes import Problem
from lib.rules.columns import ChunkColumns
from lib.rules.row_rules import RowRules
from lib.rules.values.time_reader import MAX_AGE_DAYS

_EVERY_KIND: Final = frozenset(get_args(RecordKind))

NO_ACTION: Final = ConversionAction("", "", False, frozenset(), False, MAX_AGE_DAYS)
"""Placeholder for a row that is rejected for its action: its other cells are still checked."""

NAME_NOT_RESOLVABLE: Final = "ACTION_NAME_NOT_RESOLVABLE"
"""An action that is given by its name, in an account that was not read. No row can be sent without
the ID, so the file stops or is tried again."""


def read_actions(chunk: ChunkColumns) -> list[ConversionAction]:
    """Return the conversion action of each row: the one in its cell, else that of its entry."""
    resolved = chunk.file.memo(resolve_action, "conversion_action")
    of_entries = chunk.values_of_entries([entry.action or "" for entry in chunk.file.rules.entries])
    cells = zip(chunk.cells("conversion_action"), of_entries, strict=True)
    actions = list(map(resolved.__getitem__, cells))
    return chunk.problems.reject_problems(actions, NO_ACTION)


def resolve_action(
    in_cell: str | None, of_entry: str, rules: RowRules
) -> ConversionAction | Problem:
    """Return the action that the row, otherwise the profile gives by ID, resource name or name, if
    rows can be sent for it. Its look-back window is at most `MAX_AGE_DAYS`.

    Only the last part of a resource name matters, as Google reads it. In an account that was not
    read, each action is taken for one that can do everything.
    """
    wanted = in_cell or of_entry
    if not wanted:
        return Problem("ACTION_MISSING", "conversion_action")
    account = rules.account
    action = account.action_of(wanted)
    if action is None:
        action_id = action_id_in(wanted)
        if account.verified:
            return Problem("UNKNOWN_ACTION", "conversion_action")
        if action_id is None and account.unread is not None:
            return Problem(NAME_NOT_RESOLVABLE, "conversion_action")
        known_as = action_id or wanted
        return ConversionAction(
            id=known_as,
            name=known_as,
            enabled=True,
            accepts=_EVERY_KIND,
            one_per_click=False,
            lookback_days=MAX_AGE_DAYS,
        )
    if account.verified and (wrong := _wrong_type(action, rules)):
        return Problem(wrong, "conversion_action")
    if not action.enabled:
        return Problem("ACTION_NOT_ENABLED", "conversion_action")
    return replace(action, lookback_days=min(action.lookback_days, MAX_AGE_DAYS))


def _wrong_type(action: ConversionAction, rules: RowRules) -> str | None:
    """Return the code of an action that does not accept these records, or None."""
    kind = rules.kind
    if kind == "conversion" or rules.capabilities.kinds[kind].restates_with_original:
        # A record that adds to no conversion creates one, so only a file that adds to conversions
        # of a website's tag goes to the action of a tag.
        if rules.is_of_tag:
            return None if action.is_of_tag else "ACTION_WRONG_TYPE"
        if action.is_of_tag:
            return "ACTION_OF_TAG"
    return None if kind in action.accepts else "ACTION_WRONG_TYPE"
