"""Reads a file as its profile says: bytes → table → header.

The header says, for each entry of the profile, which column holds which field. A profile that names
no columns has the fields' own names and those of Google's templates; then the names also say of
what kind the records are, if no entry does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from lib.config.profile import (
    KIND_OF_SEND,
    Entry,
    Profile,
    Send,
    identifies,
    names_original,
    needed_fields,
)
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError, SourceError
from lib.model.adjustment_types import ADJUSTMENT_TYPES, possible_types, stated_type
from lib.model.capabilities import Capabilities
from lib.model.fields import ADDRESS_FIELDS, RecordKind
from lib.model.outcomes import Problem
from lib.model.spelling import comparable
from lib.rules.columns import is_sent
from lib.rules.fields import BY_NAME, ONLY_OF_ADJUSTMENTS, field_named, kind_of
from lib.source.header import (
    Match,
    Names,
    Wanted,
    column_of,
    columns_named,
    match_names,
    quoted,
    shown,
    shown_title,
)
from lib.source.table import MAX_LINES, SourceOptions, Table, no_time_check, open_table
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
    """Bytes → a table, read as the profile says, or else by its content. Raises `PermanentError`
    if it cannot be read.

    `on_block` is called whenever a block of bytes has been read, and may raise.
    """
    options = SourceOptions(
        max_bytes=max_bytes, max_lines=max_lines, on_block=on_block, read_sheet=read_sheet
    )
    if profile is not None:
        options = replace(
            options,
            wanted=wanted_names(profile),
            encoding=profile.encoding,
            delimiter=profile.delimiter,
            sheet=profile.sheet,
            decimal_sign=profile.decimal_sign or ".",
        )
    return open_table(stream, options)


def wanted_names(profile: Profile) -> Wanted:
    """Return what compares a line with the names that the header of the profile's files has."""
    others = [(column,) for column in _columns_of_values(profile)]
    if not profile.names_columns:
        sends = [entry.send for entry in profile.entries if entry.send is not None]
        needed = {name for send in sends for name in needed_fields(send)}
        return partial(_match_known_names, others, needed)
    required = [
        names
        for entry in profile.entries
        for field, names in entry.columns.items()
        if field not in profile.optional
    ]
    by_name = {tuple(map(comparable, names)): names for names in (*required, *others)}
    return partial(match_names, by_name.values())


def _columns_of_values(profile: Profile) -> list[str]:
    """Return the columns of `skip` and `rows`."""
    listed = [profile.skip, *(entry.rows for entry in profile.entries)]
    return [*dict.fromkeys(column for columns in listed for column in columns)]


def _match_known_names(
    others: Collection[Names], needed: Collection[str], names: Sequence[str]
) -> Match:
    """Compare the names of a line with those of fields and of Google's templates, and with `others`
    that must be there too.

    `needed` are the fields that the entries of the profile need. Empty: the kind of the file
    decides.
    """
    fields = [field for name in names if (field := field_named(name))]
    required = needed or needed_fields(kind_of(fields))
    missing = [_known_names_of(field) for field in required if field not in fields]
    missing += [wanted for wanted in others if not columns_named(wanted, names)]
    return Match(missing, len({*fields}))


def _known_names_of(field: str) -> Names:
    """Return the names that the column of a field can have: those of Google's templates first."""
    return (*BY_NAME[field].template_names, field)


# ── which destination gets which kind of record ──────────────────────────────────────────────


def sender_capabilities(profile: Profile, kind: RecordKind) -> Capabilities:
    """Return the capabilities of the destination that gets the records of this kind."""
    return as_used(capabilities_of(profile.sender(kind)), profile)


def as_used(capabilities: Capabilities, profile: Profile) -> Capabilities:
    """Return what the API of a destination can do for the conversions of this profile."""
    is_for_tags = profile.source == "web" and capabilities.supplements_tags
    return capabilities.for_tags() if is_for_tags else capabilities


def with_sender(profile: Profile, kind: RecordKind) -> Profile:
    """Return the profile with the API as its destination that gets the records of this kind."""
    name = profile.sender(kind)
    if name == profile.destination:
        return profile
    return profile.model_copy(update={"destination": name})


# ── the header ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class EntryColumns:
    """An entry of the profile, what its rows are sent as, and the column of each of its fields."""

    entry: Entry
    send: Send
    fields: Mapping[str, int]

    @property
    def kind(self) -> RecordKind:
        """The kind of its records."""
        return KIND_OF_SEND[self.send]


@dataclass(frozen=True, slots=True)
class Header:
    """Which column holds which field, and the file's own names for them.

    `of_values` are the columns of `skip` and `rows`, by the name in the profile. `names` has the
    file's name of each field: of several, if its entries differ.
    """

    entries: tuple[EntryColumns, ...]
    of_values: Mapping[str, int]
    names: Mapping[str, str]
    notes: tuple[Problem, ...]

    def columns_of(self, field: str) -> list[int]:
        """Return the columns that hold a field: several, if the entries differ."""
        found = (each.fields[field] for each in self.entries if field in each.fields)
        return [*dict.fromkeys(found)]

    @property
    def used_columns(self) -> set[int]:
        """The columns that hold a field, or decide which rows are sent."""
        fields = (column for each in self.entries for column in each.fields.values())
        return {*fields, *self.of_values.values()}


def read_header(table: Table, profile: Profile) -> Header:
    """The header line → a `Header`.

    Raises `PermanentError` if no line is the header, two columns have one name, or the file lacks
    what its records need, or contradicts the profile.
    """
    if table.header_error is not None:
        raise table.header_error
    header = table.header
    of_values = {}
    for name in _columns_of_values(profile):
        column = column_of((name,), header, "rows")
        assert column is not None  # the line is the header because it has this name
        of_values[name] = column
    if profile.names_columns:
        entries = [_columns_by_given_names(header, entry) for entry in profile.entries]
    else:
        known = _known_columns(header)
        if "conversion_value" in known and isinstance(profile.value, (int, float)):
            detail = (
                f"value: {profile.value}, but the file has a column of values too. Remove value, "
                'or name the columns that count: "columns": {...}.'
            )
            raise PermanentError("INVALID_PROFILE", detail)
        kind = kind_of(known)
        if all(entry.kind not in (None, kind) for entry in profile.entries):
            detail = f'the columns are those of {kind}s, but no entry says so. Write "send" in one.'
            raise PermanentError("INVALID_PROFILE", detail)
        entries = [_columns_by_known_names(profile, entry, known) for entry in profile.entries]
    # The names of each field's columns, each once, in the order of the entries.
    names: dict[str, dict[str, None]] = {}
    for each in entries:
        for field, column in each.fields.items():
            names.setdefault(field, {})[shown(header[column], column)] = None
    notes = _notes_on_columns(names, profile, _sendable(profile, entries))
    if table.unread_sheets:
        others = ", ".join(map(shown_title, table.unread_sheets))
        notes.insert(0, Problem("SHEETS_NOT_READ", "", others))
    found = Header(
        tuple(entries),
        of_values,
        {field: " or ".join(each) for field, each in names.items()},
        tuple(notes),
    )
    times = {*found.columns_of("conversion_date_time")}
    if line := table.find_row_above(found.used_columns, times):
        where = f"line {table.header_line}, below a row in line {line}"
        raise SourceError("CORRUPT_FILE", f"the column names stand in {where}")
    return found


def _columns_by_given_names(header: Sequence[str], entry: Entry) -> EntryColumns:
    """Return the columns that an entry names. Those that the file lacks are optional."""
    assert entry.send is not None
    columns = {field: column_of(names, header, field) for field, names in entry.columns.items()}
    fields = {field: column for field, column in columns.items() if column is not None}
    return EntryColumns(entry, entry.send, _fields_read_for(entry.send, fields))


def _known_columns(header: Sequence[str]) -> dict[str, int]:
    """Return the columns with names of fields. Raises `SourceError` if a field is there twice."""
    fields: dict[str, int] = {}
    for column, name in enumerate(header):
        field = field_named(name)
        if field and fields.setdefault(field, column) != column:
            where = f"{quoted(header, fields[field])} and {quoted(header, column)}"
            raise SourceError("DUPLICATE_COLUMN", f"{field}: {where}")
    return fields


def _columns_by_known_names(
    profile: Profile, entry: Entry, known: Mapping[str, int]
) -> EntryColumns:
    """Return the columns of an entry, if the names of fields and templates count.

    Raises `PermanentError` if the file lacks what its records need.
    """
    send: Send = entry.send or kind_of(known)
    counting = {field: column for field, column in known.items() if field not in entry.replaced}
    fields = _fields_read_for(send, counting)
    kind = KIND_OF_SEND[send]
    can = sender_capabilities(profile, kind).kinds.get(kind)
    if can is None or not possible_types(send) <= can.adjustment_types:
        raise PermanentError("KIND_NOT_SENT", f"its columns are those of {kind}s")
    missing = [field for field in needed_fields(send) if field not in fields]
    if entry.action is None and "conversion_action" not in fields:
        raise PermanentError("ACTION_MISSING", 'no "action" in the profile, and no column')
    if kind != "adjustment" and entry.value is None and "conversion_value" not in fields:
        missing.append("conversion_value")
    if profile.source == "web" and "order_id" not in fields:
        raise PermanentError("TAG_ORDER_ID_MISSING", "no order_id column")
    if missing:
        names = ", ".join(f'"{_known_names_of(field)[0]}"' for field in missing)
        raise PermanentError("COLUMN_MISSING", f"missing: {names}")
    is_identified = identifies(fields, can)
    if not is_identified and not (kind == "adjustment" and names_original(profile, fields)):
        title = sender_capabilities(profile, kind).title
        raise PermanentError("NO_USABLE_COLUMN", f"the {title} needs one")
    return EntryColumns(entry, send, fields)


def _fields_read_for(send: Send, fields: Mapping[str, int]) -> dict[str, int]:
    """Return the fields that are read of rows that are sent as this: a retraction has no value."""
    unread: set[str] = set()
    if stated := stated_type(send):
        unread.add("adjustment_type")
        if not ADJUSTMENT_TYPES[stated].has_value:
            unread |= {"adjusted_value", "adjusted_value_currency"}
    return {field: column for field, column in fields.items() if field not in unread}


def _sendable(profile: Profile, entries: Sequence[EntryColumns]) -> set[str]:
    """Return the fields that the destinations of these entries can send or use."""
    fields: set[str] = set()
    for kind in {each.kind for each in entries}:
        fields.update(sender_capabilities(profile, kind).kinds[kind].fields)
        if kind == "adjustment":
            # An API that gets the whole sale again has no field for these, but uses them.
            fields.update(ONLY_OF_ADJUSTMENTS)
    return fields


def _notes_on_columns(
    fields: Collection[str], profile: Profile, sendable: Collection[str]
) -> list[Problem]:
    """Return notes on columns that are not sent, or missing.

    `sendable` are the fields that the profile's destinations can send with these records.
    """
    unsent = ", ".join(column for column in fields if not is_sent(column, sendable))
    notes = [Problem("COLUMN_NOT_SENT", "", unsent)] if unsent else []
    missing = [name for name in ADDRESS_FIELDS if name not in fields]
    sent = [name for name in ADDRESS_FIELDS if name in sendable]
    # A country column alone is for phone numbers.
    if missing and any(name in fields for name in sent if name != "country_code"):
        notes.append(Problem("ADDRESS_COLUMNS_MISSING", "", f"missing: {', '.join(missing)}"))
    is_consent_sent = "ad_user_data" in sendable
    if is_consent_sent and "ad_user_data" not in fields and profile.ad_user_data is None:
        notes.append(Problem("CONSENT_NOT_STATED"))
    return notes
