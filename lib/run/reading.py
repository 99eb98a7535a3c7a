"""Reads a file as its profile says: bytes → table → header.

The header says which column holds which field, of what kind the records are, and what people should
know about the columns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from lib.catalogue.texts import EMPTY
from lib.config.profile import Profile
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError
from lib.model.capabilities import Capabilities
from lib.model.fields import Field, FileKind, RecordKind, base_name
from lib.model.outcomes import Problem
from lib.model.records import Row
from lib.rules.fields import FIELDS, OF_CONVERSIONS, OF_SALES_AND_REFUNDS
from lib.rules.fields.other_kinds import ADJUSTMENT_FIELDS, OTHER_KINDS
from lib.rules.fields.units import time_zone_in_header
from lib.rules.identity import CLICK_IDS
from lib.rules.roles import (
    ROLES,
    Candidate,
    Reading,
    Role,
    RoleReading,
    fields_of,
    read_roles,
)
from lib.rules.row_filter import TIME_FIELD, RowFilter, kind_columns
from lib.rules.values.cells import unwrap
from lib.run.column_content import contains_dates, date_columns, notes_on_content
from lib.run.notes import notes_on_calls, notes_on_columns, notes_on_consent, notes_on_sheets
from lib.source.errors import SourceError
from lib.source.header import (
    ColumnMap,
    columns_named,
    columns_of_kind,
    correction_columns,
    identifying_columns,
    known_and_unknown,
    map_columns,
    quoted,
    recognize,
    shown,
    shown_title,
)
from lib.source.table import MAX_LINES, SourceOptions, Table, no_time_check, open_table
from lib.source.vocabulary import Tier, header_parts, vocabulary_of
from lib.source.workbook import ReadSheet, read_sheet
from lib.state.store import Readable


def read_table(
    stream: Readable,
    profile: Profile | None,
    max_bytes: int,
    max_lines: int = MAX_LINES,
    on_block: Callable[[], None] = no_time_check,
    read_sheet: ReadSheet = read_sheet,
) -> Table:
    """Bytes → a table. Raises `SourceError`, or `PermanentError` if the object no longer exists.

    `on_block` is called whenever a block of bytes has been read, and may raise.
    """
    options = source_options(profile, max_bytes)
    options = replace(options, max_lines=max_lines, on_block=on_block, read_sheet=read_sheet)
    return open_table(stream, options)


def source_options(profile: Profile | None, max_bytes: int) -> SourceOptions:
    """Return how a file is read: as its profile says, or by its content."""
    if profile is None:
        known = partial(recognize, own_headers={}, others=(), declared=FIELDS)
        return SourceOptions(recognize=known, max_bytes=max_bytes)
    names = _filter_names(profile)
    return SourceOptions(
        header_row=profile.header_row,
        recognize=partial(recognize, own_headers=profile.headers, others=names, declared=FIELDS),
        encoding=profile.encoding,
        delimiter=profile.delimiter,
        sheet=profile.sheet,
        decimal_comma=profile.decimal_comma,
        max_bytes=max_bytes,
    )


# ── which destination gets which kind of record ──────────────────────────────────────────────


def sender_name(profile: Profile, kind: RecordKind) -> str:
    """Return the name of the destination that gets the records of this kind."""
    elsewhere = profile.adjustments_via if kind == "adjustment" else None
    return elsewhere or profile.destination


def sender_of(profile: Profile, kind: RecordKind) -> Capabilities:
    """Return the capabilities of the destination that gets the records of this kind."""
    return as_used(capabilities_of(sender_name(profile, kind)), profile)


def as_used(can: Capabilities, profile: Profile) -> Capabilities:
    """Return what the API of a destination can do for the conversions of this profile."""
    return can.for_tags() if profile.source == "web" and can.supplements_tags else can


def sendable_fields(profile: Profile, kind: RecordKind) -> Collection[str]:
    """Return the fields that are sent from a file of this kind."""
    kinds: list[RecordKind] = [kind]
    if kind == "conversion" and profile.refunds:
        kinds.append("adjustment")
    fields = set[str]()
    for each in kinds:
        if (can := sender_of(profile, each).of_kind(each)) is not None:
            fields.update(can.fields)
    if "adjustment" in kinds:
        fields.update(ADJUSTMENT_FIELDS)  # also if they only decide which value is sent
    return fields


def sending_profile(profile: Profile, kind: RecordKind) -> Profile:
    """Return the profile for the destination that gets the records of this kind."""
    name = sender_name(profile, kind)
    return (
        profile if name == profile.destination else profile.model_copy(update={"destination": name})
    )


# ── the header ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Header:
    """Which column holds which field, the file's own names for them, and the notes on them.

    `units` contains what the names of columns say about their cells: the currency of
    `conversion_value`, the time zone of `conversion_date_time`. `visible` is the header without the
    names that may not be shown. If no column holds the conversion time, `date_columns` names the
    ones that contain dates. `kind_columns` are those that may name the kind of a row. `stop` is the
    reason why no row can be sent; the notes may say how to correct it. `kind` is the kind of the
    file's records; a file of conversions may also contain refunds.
    """

    fields: Mapping[str, int]
    names: Mapping[str, str]
    notes: tuple[Problem, ...]
    units: Mapping[str, str]
    visible: tuple[str, ...]
    date_columns: tuple[str, ...] = ()
    kind_columns: tuple[int, ...] = ()
    stop: Problem | None = None
    kind: RecordKind = "conversion"


def read_header(table: Table, profile: Profile) -> Header:
    """The header line → a `Header`.

    Raises `SourceError` if two columns are for the same field, if the rows are of several kinds, or
    if no destination of the profile can send their kind.
    """
    rows = table.first_rows()
    declared = OF_SALES_AND_REFUNDS if profile.refunds else OF_CONVERSIONS
    try:
        columns = _map(table, profile, declared, _time_of_stages(profile))
    except SourceError as error:
        if error.code != "NO_HEADER":
            raise
        notes = notes_on_sheets(table)
        switched_off = _switched_off(profile)
        hidden = ("",) * len(table.header)
        notes += notes_on_content(hidden, rows, (), switched_off)
        detail = (
            f'in the sheet "{shown_title(table.sheet)}"'
            if table.sheet is not None
            else error.detail
        )
        if profile.header_row:
            detail = f"header_row in the profile is {profile.header_row}; {detail}"
        detail += _where_probably(table)
        return Header(
            {}, {}, tuple(notes), {}, visible=hidden, stop=Problem(error.code, "", detail)
        )
    if kind := _kind_of(table, profile, columns):
        columns = _map(table, profile, FIELDS)
        return _header(table, profile, columns, kind.kind, _missing(kind, columns))
    stop = None
    if not identifying_columns(columns.fields, FIELDS):
        detail = known_and_unknown(table.header, columns) + _where_probably(table)
        stop = Problem("NO_USABLE_COLUMN", "", detail)
    if profile.actions:
        columns, contradiction = _with_stages(table, profile, columns)
        stop = stop or contradiction
    return _header(table, profile, columns, "conversion", stop)


def _where_probably(table: Table) -> str:
    line = table.likely_header_line
    if line is None:
        return ""
    return f'; if the column names are in line {line}, add "header_row": {line} to the profile'


def _map(
    table: Table,
    profile: Profile,
    declared: tuple[Field, ...],
    own: Mapping[str, tuple[str, ...]] | None = None,
) -> ColumnMap:
    """Find the declared fields in the header. `own` are names that apply before the profile's."""
    names = {base_name(field.name) for field in declared}
    headers = {**profile.headers, **(own or {})}
    own = {field: each for field, each in headers.items() if base_name(field) in names}
    filtered_by = _known_anyway(table.header, profile)
    has_dates = partial(contains_dates, table.first_rows())
    return map_columns(table.header, own, declared, filtered_by, has_dates)


def _time_of_stages(profile: Profile) -> dict[str, tuple[str, ...]]:
    """Return the first column with times, if every stage in `actions` names its own: the file needs
    no other one."""
    names = [each.time for values in profile.actions.values() for each in values.values()]
    return {TIME_FIELD: (names[0],)} if names and names[0] and all(names) else {}


def _with_stages(
    table: Table, profile: Profile, columns: ColumnMap
) -> tuple[ColumnMap, Problem | None]:
    """Return the columns with those of `actions`, and why the file contradicts it, if it does.

    The stage takes the place of the conversion action, and the times are `conversion_date_time`,
    `conversion_date_time_2`, ... `lib.run.plan` reports columns that are missing.
    """
    header, fields, units, problem = table.header, dict(columns.fields), dict(columns.units), ""
    ((stage, values),) = profile.actions.items()
    of_stages, by_row = columns_named(stage, header), fields.get("conversion_action")
    if by_row is not None and by_row not in of_stages:
        problem = (
            f"the column {quoted(header, by_row)} names the conversion action of each row. Remove "
            'actions, or set "conversion_action": [] under headers.'
        )
    elif "order_id" not in fields:
        problem = (
            "the file has no column of order IDs. Without them, Google does not recognize a "
            "conversion that a later file repeats. Name yours as order_id under headers."
        )
    times = {fields[TIME_FIELD]: TIME_FIELD} if TIME_FIELD in fields else {}
    for name in filter(None, (each.time for each in values.values())):
        for at in columns_named(name, header):
            times.setdefault(at, f"{TIME_FIELD}_{len(times) + 1}")
    zones = {_zone_in(header[at]) for at in times}
    if len({zone or table.time_zone or profile.time_zone for zone in zones}) > 1:
        problem = problem or "the columns of the times have different time zones in their names."
    fields |= {field: at for at, field in times.items()}
    if of_stages:
        fields["conversion_action"] = of_stages[0]
    if zone := max(zones, default=""):
        units[TIME_FIELD] = zone
    stop = Problem("INVALID_PROFILE", "", f"actions: {problem}") if problem else None
    return columns._replace(fields=fields, units=units), stop


def _zone_in(name: str) -> str:
    """Return the time zone in the name of a column: `Qualified on (America/New_York)`."""
    parts = header_parts(name)
    return (parts and time_zone_in_header(parts.part, parts.in_brackets)) or ""


def _kind_of(table: Table, profile: Profile, columns: ColumnMap) -> FileKind | None:
    """Return the kind of a file that contains other records than click conversions.

    Raises `SourceError` if no destination of the profile can send this kind.
    """
    identifying = identifying_columns(columns.fields, FIELDS)
    clicks = [columns.fields[each] for each in CLICK_IDS if each in columns.fields]
    filtered_by = _known_anyway(table.header, profile)
    rows = [[unwrap(cell, "text") for cell in row] for row in table.first_rows()]
    for kind in OTHER_KINDS:
        own = [name for field in kind.fields for name in profile.headers.get(field.name, ())]
        found = columns_of_kind(
            table.header, columns, rows, kind, own, filtered_by, identifying, clicks
        )
        if found and kind.kind not in sender_of(profile, kind.kind).record_kinds:
            raise SourceError(kind.code, f"columns: {found}")
        if found:
            return kind
    return None


def _missing(kind: FileKind, columns: ColumnMap) -> Problem | None:
    """Return why a file of this kind cannot be sent, if it lacks a column."""
    missing = [
        " or ".join(each) for each in kind.required if columns.fields.keys().isdisjoint(each)
    ]
    return Problem("COLUMN_OF_KIND_MISSING", "", ", ".join(missing)) if missing else None


def _header(
    table: Table, profile: Profile, columns: ColumnMap, kind: RecordKind, stop: Problem | None
) -> Header:
    header, rows, fields = table.header, table.first_rows(), columns.fields
    known = _known_anyway(header, profile).union(fields.values())
    notes = notes_on_sheets(table)
    notes += notes_on_columns(columns, profile, sendable_fields(profile, kind))
    if kind == "conversion":
        notes += notes_on_consent(header, columns, known, profile)
        if fields.keys().isdisjoint(CLICK_IDS):
            notes += notes_on_calls(header, known)
        decided = _switched_off(profile).union(fields)
        notes += notes_on_content(columns.visible, rows, known, decided)
    return Header(
        fields,
        {field: shown(header[at], at) for field, at in fields.items()},
        tuple(notes),
        columns.units,
        columns.visible,
        () if "conversion_date_time" in fields else date_columns(columns.visible, rows, known),
        kind_columns(header, rows, known) if kind == "conversion" else (),
        stop,
        kind,
    )


def _switched_off(profile: Profile) -> set[str]:
    return {field for field, names in profile.headers.items() if not names}


def _known_anyway(header: Sequence[str], profile: Profile) -> frozenset[int]:
    """Return the columns that hold no field, but are known: the filter's, and those of `fix`."""
    return correction_columns(header).union(_filter_columns(header, profile))


def _filter_columns(header: Sequence[str], profile: Profile) -> set[int]:
    """Return the columns that the filter of the profile reads."""
    return {column for name in _filter_names(profile) for column in columns_named(name, header)}


def _filter_names(profile: Profile) -> list[str]:
    names = [*profile.include, *profile.exclude, *profile.refunds]
    for stage, values in profile.actions.items():
        names += [stage, *(each.time for each in values.values() if each.time)]
    return names


# ── the roles ────────────────────────────────────────────────────────────────────────────────


def read_roles_of(table: Table, header: Header, profile: Profile, row_filter: RowFilter) -> Reading:
    """Return which columns decide about money, time, identity, and which rows count."""
    rows = table.first_rows()
    counted = {at for at, *_ in row_filter.select(_numbered(rows)).rows}
    decided = {
        role
        for role in ROLES
        if any(_is_decided(field.name, table.header, profile) for field in fields_of(role))
    }
    stages = [each for values in profile.actions.values() for each in values.values()]
    if stages and all(each.value is not None for each in stages):
        decided.add("value")
    if stages and all(each.time for each in stages):
        decided.add("time")
    return read_roles(
        table.header,
        [row for at, row in enumerate(rows) if at in counted],
        header.fields,
        decided=decided,
        others=[row for at, row in enumerate(rows) if at not in counted],
        known=correction_columns(table.header),
        answered=_filter_columns(table.header, profile),
        last_resorts=[f for f, at in header.fields.items() if _is_last_resort(table.header[at])],
        currency=header.units.get("conversion_value") or profile.currency_code or "",
    )


def _numbered(rows: Sequence[Sequence[str]]) -> list[Row]:
    return [(at, list(cells), None, 0) for at, cells in enumerate(rows)]


def _is_decided(field: str, header: Sequence[str], profile: Profile) -> bool:
    """Return whether the profile answers which column holds a field: it names one that the file
    has, or says that there is none."""
    names = profile.headers.get(field)
    return names is not None and (not names or any(columns_named(each, header) for each in names))


def _is_last_resort(name: str) -> bool:
    meaning = vocabulary_of(FIELDS).meaning(name)
    return meaning is not None and meaning.tier is Tier.LAST_RESORT


_QUESTIONS: Final[Mapping[Role, str]] = {
    "value": "Which column has the value?",
    "currency": "Which column has the currency?",
    "time": "Which column says when the sale happened?",
    "identity": "Which column has the order ID?",
    "counts": "Which rows are sales?",
}


def refuse_undecided(reading: Reading, header: Header) -> None:
    """Raise `PermanentError` if columns object to the reading, with the lines for the profile."""
    texts = [
        f"{_QUESTIONS[role]} {_lines_of(found, header.visible)}."
        for role, found in reading.items()
        if found.rivals
    ]
    if texts:
        raise PermanentError("ROLE_UNDECIDED", " ".join(texts))


def _lines_of(found: RoleReading, visible: Sequence[str]) -> str:
    """Return the profile's lines that answer a question: each with all columns to choose from."""

    def name(each: Candidate) -> str:
        return visible[each.column] or f"the name of {shown('', each.column)}"

    if found.role == "counts":
        return "; ".join(
            f"{_line(each.key, name(each), each.values)}, or {_line('exclude', name(each), ())} if "
            "all of them are"
            for each in found.rivals
        )
    chosen = () if found.chosen is None else (found.chosen,)
    # The date that objects is probably better: the one that was chosen is often that of creation.
    columns = (*found.rivals, *chosen) if found.role == "time" else (*chosen, *found.rivals)
    first, *others = map(name, columns)
    alternatives = [json.dumps([each], ensure_ascii=False) for each in others]
    line = _line("headers", fields_of(found.role)[0].name, [first])
    if found.role != "time":
        alternatives.append("[] if none has")
    return ", or ".join([line, *alternatives])


def _line(key: str, name: str, values: Sequence[str]) -> str:
    return json.dumps({key: {name: values}}, ensure_ascii=False)[1:-1]


_MOST_NOT_USED: Final = 5


def explained(reading: Reading, header: Header, profile: Profile) -> dict[str, dict[str, Any]]:
    """Return for each role its columns, why, and the runners-up, as results show them: with the
    file's names, and without a cell."""
    if header.kind != "conversion":
        return {}
    return {
        role: {
            "columns": _shown_names(_columns_of(found, header, profile), header),
            "why": _why(found, header, profile),
            "not_used": _shown_names(found.others, header)[:_MOST_NOT_USED],
        }
        for role, found in reading.items()
    }


def _columns_of(found: RoleReading, header: Header, profile: Profile) -> list[Candidate]:
    """Return the columns of a role, without those that decide nothing, as the profile says."""
    columns = [found.chosen, *found.also] if found.chosen else []
    filters = (profile.include, profile.exclude, profile.refunds)
    idle = {name for key in filters for name, values in key.items() if not values}
    if found.role != "counts" or not idle:
        return columns
    deciding = [*profile.actions, *(name for key in filters for name in key if key[name])]
    used = {column for name in deciding for column in columns_named(name, header.visible)}
    return [each for each in columns if each.column in used]


def _why(found: RoleReading, header: Header, profile: Profile) -> str:
    if found.chosen is None:
        return _without_column(found.role, header, profile)
    if found.also and found.chosen.by == "name":
        return "their names say so"
    conditions = "; ".join(_conditions(profile)) if found.role == "counts" else ""
    if found.role == "counts" and not (conditions or _columns_of(found, header, profile)):
        return "no column decides, as the profile says"
    return f"{found.chosen.why}: {conditions}" if conditions else found.chosen.why


def _conditions(profile: Profile) -> Iterator[str]:
    """Yield which values decide which rows count, in the words of the profile."""
    for verb, key in (
        ("is", profile.include),
        ("is", profile.actions),
        ("is not", profile.exclude),
    ):
        for column, values in key.items():
            if values:
                shown_values = " or ".join(value or EMPTY for value in values)
                yield f'"{column}" {verb} {shown_values}'


def _shown_names(columns: Sequence[Candidate], header: Header) -> list[str]:
    return [shown(header.visible[each.column], each.column) for each in columns]


def _without_column(role: Role, header: Header, profile: Profile) -> str:
    """Return what applies if no column of the file has a role."""
    if role == "currency":
        currency = header.units.get("conversion_value")
        if currency:
            return f"{currency}, as the name of the value's column says"
        own = profile.currency_code
        return f"{own}, from the profile" if own else "that of the conversion action"
    if role == "consent":
        stated = profile.ad_user_data
        return f"{stated} for every row, from the profile" if stated else "not stated"
    if any(profile.headers.get(each.name) == () for each in fields_of(role)):
        return "the profile says that there is none"
    return _IF_NONE.get(role, "no column")


_IF_NONE: Final[Mapping[Role, str]] = {
    "value": "no column: the value of the conversion action",
    "identity": "no column: derived where Google could not recognize a row again",
    "counts": "every row counts",
}
