"""The header line → which column holds which field, and the notes on the columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from lib.config.profile import Profile
from lib.destinations.registry import capabilities_of
from lib.model.outcomes import Problem
from lib.rules.adjustment_rows import kind_columns
from lib.rules.fields import FIELDS
from lib.rules.fields.kinds import OTHER_KINDS
from lib.rules.row_rules import RULES_VERSION
from lib.rules.values.wrapping import unwrap
from lib.run.column_content import contains_dates, date_columns, notes_on_content
from lib.run.filtering import filter_columns
from lib.run.notes import notes_on_columns, notes_on_consent, notes_on_sheets
from lib.source.columns import identifying_columns, known_and_unknown, map_columns, shown
from lib.source.errors import SourceError
from lib.source.kinds import refuse_other_kind
from lib.source.table import Table
from lib.source.vocabulary import Tier


@dataclass(frozen=True, slots=True)
class Header:
    """Which column holds which field, the file's own names for them, and the notes on them.

    `units` contains what the names of columns say about their cells: the currency of
    `conversion_value`, the time zone of `conversion_date_time`. If no column holds the conversion
    time, `date_columns` names the ones that contain dates. `kind_columns` are those that may name
    the kind of a row. `stop` is the reason why no row can be sent; the notes may say how to correct
    it.
    """

    fields: Mapping[str, int]
    names: Mapping[str, str]
    notes: tuple[Problem, ...]
    units: Mapping[str, str]
    date_columns: tuple[str, ...] = ()
    kind_columns: tuple[int, ...] = ()
    stop: Problem | None = None


_TIERS_OF_VERSION_2: Final = (Tier.ALIAS, Tier.FALLBACK)


def read_header(table: Table, profile: Profile, version: int = RULES_VERSION) -> Header:
    """The header line → a `Header`. `version` is the `RULES_VERSION` of the file's claim.

    Raises `SourceError` if two columns are for the same field, or if the file contains other
    records than click conversions.
    """
    header, rows = table.header, table.first_rows()
    filtered_by = filter_columns(header, profile)
    tiers = _TIERS_OF_VERSION_2 if version < 3 else tuple(Tier)
    switched_off = {field for field, names in profile.headers.items() if not names}
    has_dates = partial(contains_dates, rows)
    try:
        columns = map_columns(header, profile.headers, FIELDS, filtered_by, tiers, has_dates)
    except SourceError as error:
        if error.code != "NO_HEADER":
            raise
        notes = notes_on_sheets(table)
        notes += notes_on_content(header, rows, (), switched_off, is_header=False)
        detail = f'in the sheet "{table.sheet}"' if table.sheet is not None else error.detail
        return Header({}, {}, tuple(notes), {}, stop=Problem(error.code, "", detail))
    fields = columns.fields
    identifying = identifying_columns(fields, FIELDS)
    # A row filter can exclude adjustments by a column, so that column is known too.
    known = filtered_by.union(fields.values())
    unwrapped = [[unwrap(cell, "text") for cell in row] for row in rows]
    for kind in OTHER_KINDS:
        refuse_other_kind(header, unwrapped, known, identifying, kind)
    notes = notes_on_sheets(table)
    notes += notes_on_columns(columns, profile, capabilities_of(profile.destination))
    notes += notes_on_consent(header, known, fields, profile)
    notes += notes_on_content(header, rows, known, switched_off.union(fields), is_header=True)
    stop = None
    if not identifying:
        stop = Problem("NO_USABLE_COLUMN", "", known_and_unknown(header, columns))
    return Header(
        fields,
        {field: shown(header[at], at) for field, at in fields.items()},
        tuple(notes),
        columns.units,
        () if "conversion_date_time" in fields else date_columns(header, rows, known),
        kind_columns(header, rows, known),
        stop,
    )
