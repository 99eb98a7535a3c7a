"""Before the first row: header, destination and account → the plan for all rows of a file.

A plan has a part for each kind of record: its list of rules, and its destination. Most files have
one. Adjustments may have another API as their destination (`adjustments_via`).

An error that would affect every row is found here and reported once, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from lib.catalogue.codes import ABOUT_THE_ACTION
from lib.catalogue.texts import number_of_rows
from lib.config.profile import Profile
from lib.destinations.base import Destination
from lib.errors import AttemptError, PermanentError, RetryableError, RuleError
from lib.model.account import Account
from lib.model.adjustment_types import stated_type
from lib.model.capabilities import Capabilities
from lib.model.fields import CUSTOM_VARIABLE, NumberFormat, RecordKind, base_name
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.records import Row, line_of
from lib.model.totals import Totals
from lib.results.sentences import NEARLY_ALL, superseded_rows
from lib.rules.actions import NAME_NOT_RESOLVABLE, resolve_action
from lib.rules.assembly import ValidatedChunk
from lib.rules.engine import Engine
from lib.rules.fields import BY_NAME
from lib.rules.row_rules import EntryRules, RowRules
from lib.rules.selection import RowSelection, Selected
from lib.rules.values.phones import load_library
from lib.rules.values.time_zones import USUALLY_MEANT, UnknownZone, load_zone
from lib.run.context import Connect
from lib.run.reading import EntryColumns, Header, as_used, sender_capabilities, with_sender
from lib.source.end import Hold
from lib.source.table import Table

_ORDER: Final[Sequence[RecordKind]] = ("conversion", "call", "adjustment")
"""The order of the parts: an adjustment is sent after the conversion that it is about."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a file that one list of rules reads, and the destination that gets them.

    `entries`: the number of an entry of the profile → its place among those of the part.
    """

    kind: RecordKind
    engine: Engine
    destination: Destination[Any]
    entries: Mapping[int, int]

    def rows_of(self, selected: Selected) -> tuple[Sequence[Row], Sequence[int]]:
        """Return its rows, in the order of the file, and the entry of each."""
        if not selected.entries:  # all rows are of entry 0 (`Selected`)
            return (selected.rows, ()) if 0 in self.entries else ((), ())
        of_part = [
            (row, self.entries[entry])
            for row, entry in zip(selected.rows, selected.entries, strict=True)
            if entry in self.entries
        ]
        rows, entries = zip(*of_part, strict=True) if of_part else ((), ())
        return rows, entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What header, profile and account decide for all rows of a file.

    `selection` decides which rows are of which entry. `places` says which cell of a row a column is
    (`Table.places`). `empty_columns` are the columns that should have cells and have had none so
    far, with their places in a row.

    `sales` is what the destination of conversions can do, even if this file has none.
    `carries_corrections`: rows are sent to an API for which the last value counts, so each has the
    newest one of its order (`lib.run.corrections`).
    """

    table: Table
    header: Header
    selection: RowSelection
    parts: tuple[Part, ...]
    sales: Capabilities
    carries_corrections: bool
    account: Account
    validate_only: bool
    notes: tuple[Problem, ...]
    places: Mapping[int, int]
    empty_columns: dict[str, tuple[int, ...]]

    def records(self, hold: Hold = "never") -> Iterator[Row]:
        """Return the rows of the file, with the cells that this plan reads (`places`)."""
        return self.table.records(self.header.used_columns, hold)

    def validate(self, rows: Sequence[Row]) -> tuple[Selected, list[tuple[Part, ValidatedChunk]]]:
        """Validate the rows of a chunk that are sent, part by part. The rows that no entry fits are
        among those that the first part refuses.

        Raises `AttemptError` if a row needs an account that was not read.
        """
        selected = self.selection.select(rows)
        self._forget_filled_columns(selected.rows)
        validated = [(part, part.engine.validate(*part.rows_of(selected))) for part in self.parts]
        unread = _error_of_unread_account(self.account)
        if unread is not None and any(
            row.has_error(NAME_NOT_RESOLVABLE) for _, each in validated for row in each.refused
        ):
            raise unread
        if selected.refused:
            part, first = validated[0]
            refused = sorted((*first.refused, *selected.refused), key=lambda row: row.line)
            validated[0] = part, first._replace(refused=refused)
        return selected, validated

    def look_at_cells(self, rows: Sequence[Row]) -> None:
        """Look which columns have a cell in a chunk that an earlier attempt has sent."""
        if self.empty_columns:
            self._forget_filled_columns(self.selection.select(rows).rows)

    def _forget_filled_columns(self, rows: Sequence[Row]) -> None:
        """Remove the columns from `empty_columns` that have a cell in one of these rows."""
        for name, places in [*self.empty_columns.items()]:
            if any(
                cells[place] for _, cells, problem, _ in rows if not problem for place in places
            ):
                del self.empty_columns[name]

    @property
    def adjusts_own_conversions(self) -> bool:
        """Whether the file has adjustments beside conversions, for an API that must know these
        before."""
        adjusts_later = any(
            part.kind == "adjustment" and not part.destination.capabilities.last_value_counts
            for part in self.parts
        )
        has_conversions = any(part.kind == "conversion" for part in self.parts)
        return adjusts_later and has_conversions and not self.validate_only

    def stops_at(self, problem: Problem) -> bool:
        """Whether the API's problem with a whole chunk affects the rest of the file too.

        It does not if it concerns the conversion action, and rows may have other ones.
        """
        header = self.header
        has_others = "conversion_action" in header.names or len(header.entries) > 1
        return not (has_others and problem.code in ABOUT_THE_ACTION)

    def when_to_hold(self) -> Hold:
        """Return when the row in an unterminated last line must wait, on the first pass.

        A complete row need not wait if its last column is not used: a cut there costs nothing.
        """
        return "always" if self.table.last_column in self.header.used_columns else "broken"


# ── how a plan is made ───────────────────────────────────────────────────────────────────────────


def plan_file(
    table: Table,
    header: Header,
    profile: Profile,
    now: datetime,
    connect: Connect,
    log: Log,
) -> Plan:
    """Header, destination and account → a plan. `now` is the time of the first attempt.

    Raises `PermanentError` for an error that would affect every row, and `RetryableError` if the
    destination cannot be reached now.
    """
    # A consent that the file has a column for is stated by its cells alone: an empty one states
    # nothing.
    of_rows = header.names.keys() & {"ad_user_data", "ad_personalization"}
    profile = profile.model_copy(update=dict.fromkeys(of_rows))
    places = table.places(header.used_columns)
    selection = RowSelection(
        profile.skip,
        [each.entry.rows for each in header.entries],
        {name: places[column] for name, column in header.of_values.items()},
    )
    zone_name = table.time_zone or profile.time_zone
    zone = _zone_named(zone_name)
    if header.names.keys() & {"phone", "caller_id"}:
        load_library()  # a new instance waits for its access token anyway
    parts, account = _parts_and_account(header, profile, now, connect, log, zone, places)
    sales = sender_capabilities(profile, "conversion")
    last_value_counts = any(part.destination.capabilities.last_value_counts for part in parts)
    notes = [
        *header.notes,
        *_notes_on_zone_and_account(zone_name, zone, account),
    ]
    return Plan(
        table=table,
        header=header,
        selection=selection,
        parts=tuple(parts),
        sales=sales,
        carries_corrections=last_value_counts and not profile.validate_only,
        account=account,
        validate_only=profile.validate_only,
        notes=tuple(notes),
        places=places,
        empty_columns=_columns_that_should_have_cells(header, profile, places),
    )


def _parts_and_account(
    header: Header,
    profile: Profile,
    now: datetime,
    connect: Connect,
    log: Log,
    zone: tzinfo | None,
    places: Mapping[int, int],
) -> tuple[list[Part], Account]:
    """Return a part for each kind of record that the file has, and the account as its first
    destination sees it."""
    parts: list[Part] = []
    connected: dict[str, tuple[Destination[Any], Account]] = {}
    custom_variables = any(name.startswith(CUSTOM_VARIABLE) for name in header.names)
    for kind in _ORDER:
        entries = [each for each in header.entries if each.kind == kind]
        if not entries:
            continue
        name = profile.sender(kind)
        if name not in connected:
            destination = connect(with_sender(profile, kind), log)
            account = destination.account(profile.customer_id, custom_variables=custom_variables)
            connected[name] = destination, account
        destination, account = connected[name]
        rules = _rules(profile, now, header, entries, destination, account, zone)
        _check_actions(rules)
        places_of_fields = [
            {name: places[column] for name, column in each.fields.items()} for each in entries
        ]
        engine = _engine(header, profile, rules, places_of_fields)
        numbers = {each.entry.number: place for place, each in enumerate(entries)}
        parts.append(Part(kind, engine, destination, numbers))
    _, account = next(iter(connected.values()))
    return parts, account


def _check_actions(rules: RowRules) -> None:
    """Look up the actions that the profile names; those that a column names are looked up by row.

    Raises `PermanentError` if an action of the profile is wrong, and `RetryableError` if it is
    given by its name and Google could not be reached."""
    for action in {entry.action: None for entry in rules.entries if entry.action is not None}:
        resolved = resolve_action(None, action, rules)
        if isinstance(resolved, Problem):
            if resolved.code == NAME_NOT_RESOLVABLE and (
                unread := _error_of_unread_account(rules.account)
            ):
                raise unread
            raise PermanentError(resolved.code, f'action in the profile: "{action}"')


def _error_of_unread_account(account: Account) -> AttemptError | None:
    """Return the error of a file that gives an action by its name, if the account was not read: a
    person must write the ID, or another attempt may read the account."""
    if account.unread is None:
        return None
    if account.is_unreachable:
        return RetryableError(account.unread.code, "an action is given by its name")
    detail = f"the account cannot be read: {account.unread.code}"
    return PermanentError(NAME_NOT_RESOLVABLE, detail)


def _columns_that_should_have_cells(
    header: Header, profile: Profile, places: Mapping[int, int]
) -> dict[str, tuple[int, ...]]:
    """Return the columns that should have a cell in some row: their names in the file, and their
    places in a row.

    A file may have no refund, or no sale of one stage. So only a column that the entries of all
    sales use should have one, and only if the profile names it and does not call it optional.
    """
    sales = [each for each in header.entries if each.kind == "conversion"] or header.entries
    return {
        name: tuple(places[column] for column in header.columns_of(field))
        for field, name in header.names.items()
        if profile.names_columns
        and field not in profile.optional
        and sales[0].kind in BY_NAME[base_name(field)].record_kinds
        and all(field in each.fields for each in sales)
    }


def _zone_named(name: str | None) -> tzinfo | None:
    """Return the time zone for times that state none.

    If the file's own cannot be read, the profile's does not replace it: the rows that need it are
    rejected, and a note reports it.
    """
    try:
        return load_zone(name) if name else None
    except RuleError:
        return UnknownZone()


def _rules(
    profile: Profile,
    now: datetime,
    header: Header,
    entries: Sequence[EntryColumns],
    destination: Destination[Any],
    account: Account,
    zone: tzinfo | None,
) -> RowRules:
    """Return what is the same for every row of one kind."""
    return RowRules(
        now=now,
        account=account,
        capabilities=as_used(destination.capabilities, profile),
        entries=[
            EntryRules(
                each.entry.action,
                each.entry.value,
                stated_type(each.send),
                each.entry.currency_code,
            )
            for each in entries
        ],
        zone=zone,
        phone_region=profile.phone_region,
        ad_user_data=profile.ad_user_data,
        date_order=profile.date_order,
        number_format=NumberFormat(profile.decimal_sign, profile.value_scale),
        integer_order_ids=profile.order_ids == "integer",
        derive_order_id=profile.derive_order_id,
        omit_session_and_ip=profile.omit_session_and_ip,
        is_of_tag=profile.source == "web",
        kind=entries[0].kind,
        sent_order_id=sender_capabilities(profile, "conversion").sent_order_id,
    )


def _engine(
    header: Header, profile: Profile, rules: RowRules, columns: Sequence[Mapping[str, int]]
) -> Engine:
    """Return the engine of a part. `columns`: the places of the fields, for each entry.

    The rows of adjustments are also read as the sales that they are about: one API gets the sale
    again, with its new value, and a sale without an order ID is known by the ID that was derived
    from its cells.
    """
    if rules.kind != "adjustment":
        return Engine(columns, rules)
    sales = sender_capabilities(profile, "conversion")
    # A row of a correction may lack the value of its sale, and None would refuse it for that.
    default = "action_default" if profile.value is None else profile.value
    # The entry of a correction does not know what its sales are worth: theirs does.
    constants = {
        each.entry.action: each.entry.value
        for each in reversed(header.entries)
        if each.kind == "conversion" and "conversion_value" not in each.fields
    }
    values = [constants.get(entry.action, default) for entry in rules.entries]
    rules_of_sale = replace(
        rules,
        capabilities=sales,
        kind="conversion",
        entries=[
            EntryRules(entry.action, value, currency_code=entry.currency_code)
            for entry, value in zip(rules.entries, values, strict=True)
        ],
    )
    columns_of_sale = [
        {name: place for name, place in fields.items() if name != "conversion_value"}
        if entry.action in constants
        else fields
        for entry, fields in zip(rules.entries, columns, strict=True)
    ]
    return Engine(columns, rules, Engine(columns_of_sale, rules_of_sale))


# ── notes: remarks in the results about the file as a whole, which never stop it ─────────────────


def _notes_on_zone_and_account(
    zone_name: str | None, zone: tzinfo | None, account: Account
) -> Iterator[Problem]:
    """Yield notes on the zone of the file's times, on an account that was not read, and on
    differences between account and file."""
    if isinstance(zone, UnknownZone):
        yield Problem("UNKNOWN_ZONE_OF_FILE")
    if meant := USUALLY_MEANT.get((zone_name or "").upper()):
        yield Problem("ZONE_WITHOUT_SUMMER_TIME", "", f"write {meant}")
    if account.unread is not None:
        yield Problem("ACCOUNT_NOT_LOOKED_UP", "", account.unread.code)
        return
    if account.conversion_customer_id != account.customer_id:
        detail = f"{account.customer_id} → {account.conversion_customer_id}"
        yield Problem("CONVERSION_CUSTOMER_DIFFERS", "", detail)
    # A file may write America/Chicago in small letters.
    same = (zone_name or "").casefold() == account.time_zone.casefold()
    if zone_name and account.time_zone and not same and not isinstance(zone, UnknownZone):
        yield Problem("ZONE_DIFFERS", "", f"file {zone_name}, account {account.time_zone}")


def notes_of(header: Header | None, plan: Plan | None, totals: Totals) -> list[Problem]:
    """Return the notes on a file after its rows have been read.

    `header` or `plan` is None if the file was stopped before it was made.
    """
    if plan is not None:
        notes = [*plan.notes, *_notes_on_rows(plan, totals)]
        if any(part.engine.loses_most_phones for part in plan.parts):
            notes.append(Problem("MOST_PHONES_LEFT_OUT"))
        return notes
    return list(header.notes) if header is not None else []


def _notes_on_rows(plan: Plan, totals: Totals) -> Iterator[Problem]:
    """Yield the notes that are only known after the rows have been read."""
    table, names = plan.table, plan.header.names
    for column, count in totals.placeholders.items():
        note = BY_NAME[base_name(column)].placeholder_note
        detail = f'column "{names.get(column, column)}", {number_of_rows(count)}: {note}'
        yield Problem("PLACEHOLDERS", "", detail)
    if table.footer:
        first, last = table.footer[0], table.footer[-1]
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        yield Problem("REPORT_FOOTER", "", where)
    with_answer = totals.denied + totals.consenting
    # If nearly everybody seems to refuse, it is rather the wrong column or answer that is read.
    if totals.denied and totals.denied >= NEARLY_ALL * with_answer:
        yield Problem("NEARLY_ALL_DENIED", "", f"{totals.denied:,} of {with_answer:,}")
    total_line = totals.line_of_sum
    if table.total is not None and plan.selection.select([table.total]).rows:
        total_line = line_of(table.total)
    if total_line:
        yield Problem("LOOKS_LIKE_A_TOTAL", "", f"line {total_line}")
    if table.text.encoding_guessed:
        yield Problem("ENCODING_GUESSED")
    if not totals.meant and totals.all_rows > superseded_rows(totals):
        # A value that was renamed in the system of the export looks the same.
        yield Problem("FILTER_KEEPS_NO_ROW", "", number_of_rows(totals.all_rows))
