"""The columns of a file that the destination can use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lib.model.capabilities import Capabilities, Exclusion
from lib.model.fields import base_name
from lib.rules.fields import BY_NAME
from lib.rules.row_rules import RowRules


def used_columns(columns: Mapping[str, int], rules: RowRules) -> dict[str, int]:
    """Return the columns that the destination can send, or that help to read other columns."""
    return {
        column: at
        for column, at in columns.items()
        if is_sent(column, rules.capabilities.fields)
        and not (rules.omit_session_and_ip and BY_NAME[base_name(column)].only_for_some)
    }


def is_sent(column: str, sendable: Iterable[str]) -> bool:
    """Return whether a column's field is in `sendable`, or helps to read other columns."""
    field = base_name(column)
    return field in sendable or not BY_NAME[field].target


def exclusions_of(
    columns: Iterable[str], capabilities: Capabilities
) -> Iterator[tuple[Exclusion, str]]:
    """Yield the exclusions that can apply to these columns, each with the column to report."""
    targets = {BY_NAME[base_name(column)].target.partition(".")[0] for column in columns}
    for exclusion in capabilities.exclusions:
        if not targets.isdisjoint(exclusion.values):
            shown = (column for column in columns if column.startswith(exclusion.column))
            yield exclusion, next(shown, exclusion.column)
