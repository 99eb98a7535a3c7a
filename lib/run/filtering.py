"""The row filter of a profile, for one file: its columns in the header, and whether it fits.

A filter that skips every row, or lists a value that never occurs, may be right: a file can consist
of lost deals. But it looks the same when a stage was renamed or misspelled, and then conversions
are missing. So it is noted, and an alert is logged if a mistake is likely.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of_rows
from lib.config.profile import Profile
from lib.errors import PermanentError
from lib.model.log import Log
from lib.model.outcomes import Problem, Selection
from lib.rules.row_filter import Condition, FilterValue, RowFilter
from lib.rules.stages import is_stage_column, stage_of
from lib.rules.values.order_ids import looks_personal
from lib.source.columns import columns_named
from lib.source.suggestions import closest
from lib.source.visible_names import shown

ENOUGH_ROWS: Final = 20
"""In a file of this many rows, at least one value of each column should occur."""

ENOUGH_REFUNDS: Final = 5
"""If a filter skips all refunds of a file, and they are this many, it is probably a mistake."""


def filter_columns(header: Sequence[str], profile: Profile) -> set[int]:
    """Return the columns that the filter of the profile reads."""
    names = (*profile.include, *profile.exclude, *profile.refunds)
    return {column for name in names for column in columns_named(name, header)}


def row_filter_of(
    header: Sequence[str],
    visible: Sequence[str],
    profile: Profile,
    fields: Mapping[str, int],
    kind_columns: Sequence[int] = (),
    *,
    has_refunds: bool = True,
) -> RowFilter:
    """Return the filter. It counts stages in columns that hold no field, except those that the
    profile lists under `include`: there, it says itself which stages count. `kind_columns` may name
    the kind of a row. Not `has_refunds`: the rows of this file say themselves what they are, so the
    profile's `refunds` are not about them. `visible` is the header without the names that may not
    be shown.

    Raises `PermanentError` if one of its columns is not in the file."""
    refunds = [
        Condition(name, _column_of("refunds", name, header, visible), True, values)
        for name, values in (profile.refunds if has_refunds else {}).items()
    ]
    conditions = [*_conditions(header, visible, profile, refunds)]
    stated = {*fields.values(), *(each.column for each in conditions if each.includes)}
    stages = {
        column: shown(visible[column], column)
        for column, name in enumerate(header)
        if column not in stated and is_stage_column(name)
    }
    return RowFilter(conditions, stages, kind_columns, refunds)


def _conditions(
    header: Sequence[str],
    visible: Sequence[str],
    profile: Profile,
    refunds: Sequence[Condition],
) -> Iterator[Condition]:
    """Yield the conditions. A column that lists conversions under `include` need not list its
    refunds there too."""
    for name, values in profile.include.items():
        column = _column_of("include", name, header, visible)
        also = [value for each in refunds if each.column == column for value in each.values]
        yield Condition(name, column, True, values, tuple(also))
    for name, values in profile.exclude.items():
        yield Condition(name, _column_of("exclude", name, header, visible), False, values)


def _column_of(key: str, name: str, header: Sequence[str], visible: Sequence[str]) -> int:
    columns = columns_named(name, header)
    if not columns:
        raise PermanentError("FILTER_COLUMN_MISSING", _missing(key, name, visible))
    if len(columns) > 1:
        where = " and ".join(str(column + 1) for column in columns)
        raise PermanentError(
            "FILTER_COLUMN_MISSING",
            f'{key} "{name}": columns {where} have this name, so none is certain',
        )
    return columns[0]


def _missing(key: str, name: str, visible: Sequence[str]) -> str:
    names = {each.casefold(): each for each in visible if each}
    near = closest(name.casefold(), list(names))
    return f'{key} "{name}"' + (f'; did you mean "{names[near]}"?' if near else "")


def notes_on_selection(
    row_filter: RowFilter, selection: Selection, is_complete: bool, log: Log
) -> list[Problem]:
    """Return the notes on what the filter kept and skipped, and log alerts.

    `is_complete`: the filter has read all rows of the file.
    """
    notes = notes_on_fit(row_filter, selection, log) if is_complete else []
    if selection.skipped_refunds:
        notes.append(_note_on_refunds(row_filter, selection, log))
    return notes + notes_on_stages(row_filter, selection)


def _note_on_refunds(row_filter: RowFilter, selection: Selection, log: Log) -> Problem:
    """Return the note on refunds that the filter skips.

    The refunds of some sales may be meant, such as those of another channel. But if all are
    skipped, the filter probably was there before `refunds`.
    """
    conditions = dict.fromkeys(each.condition for each in row_filter.values)
    others = [each for each in conditions if each.column not in row_filter.refund_columns]
    names = ", ".join(
        f'{"include" if each.includes else "exclude"} "{each.name}"'
        for each in others or conditions
    )
    detail = f"{number_of_rows(selection.skipped_refunds)}; {names}"
    note = Problem("REFUNDS_SKIPPED", "", detail)
    if not selection.refunds and selection.skipped_refunds >= ENOUGH_REFUNDS:
        _alert(note, log)
    return note


def notes_on_fit(row_filter: RowFilter, selection: Selection, log: Log) -> list[Problem]:
    """Compare a filter with what it found in all rows of a file. Return notes, and log alerts.

    The alerts come before the document is written: one may come twice, but is never lost.
    """
    rows = selection.kept + selection.skipped
    if not rows:
        return []
    notes = []
    if not selection.kept:
        notes.append(Problem("FILTER_KEEPS_NO_ROW", "", number_of_rows(rows)))
        _alert(notes[0], log)
    values = list(enumerate(row_filter.values))
    missing = [(at, value) for at, value in values if not selection.found.get(at)]
    if missing:
        occurring = {value.condition for at, value in values if selection.found.get(at)}
        expected = rows >= ENOUGH_ROWS and any(v.condition not in occurring for _, v in missing)
        is_misspelled = any(selection.near.get(at) for at, _ in missing)
        detail = "; ".join(_not_found(v, selection.near.get(at, 0)) for at, v in missing)
        notes.append(Problem("FILTER_VALUE_NOT_FOUND", "", detail))
        if expected or is_misspelled:
            _alert(notes[-1], log)
    return notes


def _alert(note: Problem, log: Log) -> None:
    action = lookup(note.code).action
    log.alert("filter_mismatch", code=note.code, detail=note.detail, action=action)


def notes_on_stages(row_filter: RowFilter, selection: Selection) -> list[Problem]:
    """Return a note on each column with stages that are probably no conversions but are kept.

    It has the line for the profile. That is `include` if the file shows what a conversion is, so
    that stages of other files are skipped too.
    """
    notes = []
    for column, counts in sorted(selection.stages.items()):
        stages = [(value, stage_of(value) if value else "not_won") for value in sorted(counts)]
        rows = sum(counts[value] for value, stage in stages if stage == "not_won")
        if not rows:
            continue
        won = [value for value, stage in stages if stage == "won"]
        lost = [value for value, stage in stages if stage == "not_won" and value]
        lost += [
            each.value
            for each in row_filter.values
            if each.condition.column == column and each.value not in lost
        ]
        name = row_filter.stage_columns[column]
        key = "the name of this column" if name == shown("", column) else name
        line = {"include" if won or not lost else "exclude": {key: won or lost or ["..."]}}
        text = json.dumps(line, ensure_ascii=False)[1:-1]
        notes.append(
            Problem("STAGES_NOT_FILTERED", "", f'"{name}": {number_of_rows(rows)}; {text}')
        )
    return notes


def _not_found(value: FilterValue, near: int) -> str:
    key = "include" if value.condition.includes else "exclude"
    text = f'{key} "{value.condition.name}": {_shown_value(value.value)}'
    return f"{text}, but a similar value in {number_of_rows(near)}" if near else text


def _shown_value(value: str) -> str:
    """Return a value of the filter as it may be shown: `exclude` can list testers by address."""
    return "an email address or phone number" if looks_personal(value) else f'"{value}"'
