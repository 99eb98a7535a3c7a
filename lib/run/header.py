"""The header line → which column holds which field, and the notes on the columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lib.config.profile import Profile
from lib.destinations.registry import capabilities_of
from lib.model.outcomes import Problem
from lib.rules.fields import FIELDS
from lib.rules.fields.kinds import OTHER_KINDS
from lib.rules.row_rules import RULES_VERSION
from lib.run.filtering import filter_columns
from lib.run.notes import notes_on_columns
from lib.source.columns import (
    identifying_columns,
    map_columns,
    refuse_unidentified,
    shown,
)
from lib.source.kinds import refuse_other_kind
from lib.source.table import Table
from lib.source.vocabulary import Tier


@dataclass(frozen=True, slots=True)
class Header:
    """Which column holds which field, the file's own names for them, and the notes on them.

    `units` contains what the names of columns say about their cells: the currency of
    `conversion_value`, the time zone of `conversion_date_time`.
    """

    fields: Mapping[str, int]
    names: Mapping[str, str]
    notes: tuple[Problem, ...]
    units: Mapping[str, str]


_TIERS_OF_VERSION_2: Final = (Tier.ALIAS, Tier.FALLBACK)


def read_header(table: Table, profile: Profile, version: int = RULES_VERSION) -> Header:
    """The header line → a `Header`. `version` is the `RULES_VERSION` of the file's claim.

    Raises `SourceError` if the header cannot be understood, if the file contains other records than
    click conversions, or if no column identifies a click or a person.
    """
    filtered_by = filter_columns(table.header, profile)
    tiers = _TIERS_OF_VERSION_2 if version < 3 else tuple(Tier)
    columns = map_columns(table.header, profile.headers, FIELDS, filtered_by, tiers)
    fields = columns.fields
    # A row filter can exclude adjustments by a column, so that column is known too.
    known, identifying = filtered_by.union(fields.values()), identifying_columns(fields, FIELDS)
    for kind in OTHER_KINDS:
        refuse_other_kind(table.header, table.first_rows(), known, identifying, kind)
    refuse_unidentified(table.header, columns, FIELDS)
    names = {field: shown(table.header[at], at) for field, at in fields.items()}
    notes = notes_on_columns(columns, profile, capabilities_of(profile.destination))
    return Header(fields, names, tuple(notes), columns.units)
