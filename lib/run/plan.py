"""Before the first row: header, destination and account → the plan for all rows of a file.

A plan has parts: which rows, which list of rules, which destination. A file of conversions,
adjustments or calls has one part. If the profile says which rows of a file of sales are refunds,
these are the second part, perhaps with another API as their destination (`adjustments_via`).

An error that would affect every row is found here and reported once, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

from lib.catalogue.codes import ABOUT_THE_ACTION
from lib.config.profile import Profile
from lib.destinations.base import Destination
from lib.errors import PermanentError
from lib.model.capabilities import Capabilities
from lib.model.fields import ADDRESS_FIELDS, CUSTOM_VARIABLE, RecordKind, base_name
from lib.model.log import Log
from lib.model.outcomes import Problem, Tally
from lib.model.records import Record, Row
from lib.rules.engine import Engine
from lib.rules.fields import BY_NAME, FIELDS
from lib.rules.fields.units import currencies_in_header
from lib.rules.roles import Reading
from lib.rules.row_filter import (
    TIME_FIELD,
    Condition,
    RowFilter,
    StageAction,
    StageActions,
    comparable,
)
from lib.rules.row_rules import Refunds, RowRules
from lib.rules.stages import is_stage_column
from lib.rules.values.cells import RuleError
from lib.rules.values.time_zones import UnknownZone, load_zone
from lib.run.context import Connect
from lib.run.newer_values import PartValues, values_of
from lib.run.notes import notes_on_account, notes_on_reading, notes_on_sunset
from lib.run.reading import (
    Header,
    as_used,
    explained,
    read_roles_of,
    refuse_undecided,
    sender_name,
    sender_of,
    sending_profile,
)
from lib.run.run_account import ConnectLookup, RunAccount
from lib.source.delimited import Hold
from lib.source.header import columns_named, identifying_columns, shown
from lib.source.table import Table
from lib.source.vocabulary import closest
from lib.state.run import Run

_OTHER_TIMES: Final = ("adjustment_date_time", "call_start_date_time")


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a file that one list of rules reads, and the destination that gets them."""

    kind: RecordKind
    engine: Engine
    destination: Destination[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What header, profile and account decide for all rows of a file.

    The first of the `parts` has the rows that the `row_filter` keeps, the second one the refunds
    among them. `places` says which cell of a row a column is (`Table.keep_only`), and `reading`
    which column has which role (`explained`). `sales` is what the destination of conversions can
    do, even if this file has none; `adjusts`: the profile also sends adjustments.
    `refuses_user_data` is the reason why the account refuses every row with hashed user data. The
    file stops only at the first row that has user data, because the columns may be empty, as in
    Google's own template.
    """

    table: Table
    header: Header
    row_filter: RowFilter
    parts: tuple[Part, ...]
    sales: Capabilities
    adjusts: bool
    customer_id: str
    validate_only: bool
    notes: tuple[Problem, ...]
    places: Mapping[int, int]
    reading: Mapping[str, Any] = field(default_factory=dict)
    refuses_user_data: Problem | None = None

    @property
    def used_columns(self) -> set[int]:
        """The columns that are sent, that help to read others, or that the row filter reads."""
        fields = set[str]().union(*(part.engine.columns for part in self.parts))
        return self.row_filter.columns.union(self.header.fields[name] for name in fields)

    def values_of(self, part: Part, records: Sequence[Record]) -> PartValues | None:
        """Return the values of the orders in these records of a part, if their order matters."""
        if self.validate_only:
            return None
        can, name = part.destination.capabilities, self.sales.sent_order_id
        return values_of(part.kind, records, can, name, adjusts=self.adjusts)

    def decides_integer_order_ids(self, first_rows: Sequence[Row]) -> bool:
        """Return whether the first chunk has now decided it (`OrderIdForm.decide`)."""
        return self.parts[0].engine.order_id_form.decide(first_rows)

    def replay(self, rows: Sequence[Row]) -> None:
        """Read the rows of a chunk that an earlier attempt has sent: others depend on them."""
        first, *others = self.parts
        first.engine.order_id_form.replay(rows)
        first.engine.replay(rows)
        for part in others:
            part.engine.replay(self.row_filter.select(rows).refunds)

    def stops_at(self, problem: Problem | None) -> bool:
        """Whether the API's problem with a whole chunk affects the rest of the file too.

        It does not if it concerns the conversion action and the rows name their own ones.
        """
        if problem is None:
            return False
        return problem.code not in ABOUT_THE_ACTION or "conversion_action" not in self.header.fields

    def hold(self, profile: Profile) -> Hold:
        """Return when the row in an unterminated last line must wait.

        A complete row needs not wait if its last column is neither sent nor in the row filter.
        """
        if not profile.hold_open_last_line:
            return "never"
        return "always" if self.table.last_column in self.used_columns else "broken"


def plan_file(
    table: Table,
    header: Header,
    profile: Profile,
    run: Run,
    connect: Connect,
    log: Log,
    lookup: ConnectLookup | None = None,
) -> Plan:
    """Header, destination and account → a plan. `run`: the claim, which fixes time and rules.

    Raises `PermanentError` for an error that would affect every row, and `RetryableError` if the
    destination cannot be reached now.
    """
    if header.stop is not None:
        raise PermanentError(header.stop.code, header.stop.detail)
    return _Planning(table, header, profile, run, connect, log, lookup).plan()


@dataclass(frozen=True, slots=True)
class _Planning:
    """The planning of one file."""

    table: Table
    header: Header
    profile: Profile
    run: Run
    connect: Connect
    log: Log
    lookup: ConnectLookup | None

    def plan(self) -> Plan:
        header, profile, fields = self.header, self.profile, self.header.fields
        customer_id = profile.customer_id or ""
        if not customer_id:
            raise PermanentError("CUSTOMER_ID_MISSING", "no customer_id in the profile")
        row_filter = row_filter_of(self.table.header, header, profile)
        reading = self._roles(row_filter)
        places = self.table.keep_only(row_filter.read_columns.union(fields.values()))
        row_filter = row_filter_of(self.table.header, header, profile, places)
        stages = _stage_actions(self.table.header, header, profile, places)
        self.table.expect_footer(key_columns(fields))
        destination = self.connect(sending_profile(profile, header.kind), self.log)
        run_account = RunAccount(
            destination,
            customer_id,
            profile.login_customer_id,
            self.lookup,
            wants_variables=any(name.startswith(CUSTOM_VARIABLE) for name in fields),
        )
        rules = self._rules(run_account, destination, stages)
        if header.kind == "conversion":
            _refuse_useless_columns(header, rules)
        field_places = {name: places[column] for name, column in fields.items()}
        parts = [Part(header.kind, self._engine(rules, field_places), destination)]
        notes = [*header.notes, *notes_on_sunset(destination, self.run.now)]
        if isinstance(rules.zone, UnknownZone):
            notes.append(Problem("UNKNOWN_ZONE_OF_FILE"))
        refuses_user_data = None
        account = run_account.checked(fields, rules)
        notes += run_account.notes()
        if reason := account.refuses_user_data():
            refuses_user_data = Problem(reason, "", f"customer {account.conversion_customer_id}")
        zone_name = self._zone_name("conversion_date_time")
        notes += notes_on_account(account, zone_name, rules.zone, destination.capabilities)
        if profile.refunds and header.kind == "conversion":
            refund_places = [places[column] for column in row_filter.refund_columns]
            parts.append(self._refunds(parts[0], rules, refund_places, field_places))
        return Plan(
            table=self.table,
            header=header,
            row_filter=row_filter,
            parts=tuple(parts),
            sales=sender_of(profile, "conversion"),
            adjusts=bool(profile.refunds or profile.adjustments_via),
            customer_id=account.conversion_customer_id,
            validate_only=profile.validate_only,
            notes=tuple(notes),
            places=places,
            reading=explained(reading, header, profile),
            refuses_user_data=refuses_user_data,
        )

    def _roles(self, row_filter: RowFilter) -> Reading:
        """Return which column has which role. Raises `PermanentError` if nobody has decided it."""
        header = self.header
        reading = read_roles_of(self.table, header, self.profile, row_filter)
        if header.kind == "conversion" and "conversion_date_time" in header.fields:
            refuse_undecided(reading, header)
        return reading

    def _rules(
        self, run_account: RunAccount, destination: Destination[Any], stages: StageActions | None
    ) -> RowRules:
        """Return what is the same for every row of the file."""
        header, profile, run = self.header, self.profile, self.run
        value = "conversion_value" if header.kind != "adjustment" else "adjusted_value"
        return RowRules(
            now=run.now,
            account=run_account.of_rows,
            look_up=run_account.look_up,
            capabilities=as_used(destination.capabilities, profile),
            is_of_tag=profile.source == "web",
            action=profile.conversion_action,
            stages=stages,
            zone=self._zone("conversion_date_time"),
            currency_code=profile.currency_code,
            column_currency=header.units.get(value),
            column_signs=currencies_in_header(header.names.get(value, "")),
            phone_region=profile.phone_region,
            ad_user_data=profile.ad_user_data,
            day_first=profile.day_first,
            decimal_comma=profile.decimal_comma,
            derive_order_id=profile.derive_order_id,
            omit_session_and_ip=profile.omit_session_and_ip,
            order_ids=profile.order_ids,
            integer_order_ids=run.integer_order_ids,
            column_zones={each: self._zone(each) for each in _OTHER_TIMES},
            kind=header.kind,
        )

    def _zone_name(self, column: str) -> str | None:
        """Return the name of the time zone for times that state none: that of the column's header,
        of the Parameters line of the file, or of the profile."""
        return self.header.units.get(column) or self.table.time_zone or self.profile.time_zone

    def _zone(self, column: str) -> tzinfo | None:
        """Return the time zone of a column.

        If the file's time zone cannot be read, the profile's does not replace it: the rows that
        need it are rejected, and a note reports it.
        """
        name = self._zone_name(column)
        if not name:
            return None
        try:
            return load_zone(name)
        except RuleError:
            return UnknownZone()

    def _engine(self, rules: RowRules, field_places: Mapping[str, int]) -> Engine:
        """Return the engine for the records of this file, whose rows have the fields there."""
        if self.header.kind != "adjustment":
            return Engine(field_places, rules)
        main = sender_of(self.profile, "conversion")
        # Conversions are read as they were sent: with the capabilities of their own destination.
        sales = Engine(field_places, replace(rules, capabilities=main, kind="conversion"))
        if rules.capabilities.name != main.name:
            rules = replace(rules, sent_order_id=main.sent_order_id)
        return Engine(field_places, rules, sales)

    def _refunds(
        self,
        sales: Part,
        rules: RowRules,
        refund_places: Sequence[int],
        field_places: Mapping[str, int],
    ) -> Part:
        """Return the part of a file of sales that has its refunds, recognized by the cells at
        `refund_places`.

        Raises `PermanentError` if the destination cannot send adjustments.
        """
        profile, destination = self.profile, sales.destination
        names_value = bool(profile.headers.get("adjusted_value"))
        rules = replace(rules, kind="adjustment", refunds=Refunds(refund_places, names_value))
        if sender_name(profile, "adjustment") != profile.destination:
            destination = self.connect(sending_profile(profile, "adjustment"), self.log)
            run_account = RunAccount(
                destination, profile.customer_id or "", None, None, wants_variables=False
            )
            rules = replace(
                rules,
                capabilities=destination.capabilities,
                account=run_account.of_rows,
                sent_order_id=rules.capabilities.sent_order_id,
            )
        if "adjustment" not in rules.capabilities.record_kinds:
            raise PermanentError("ADJUSTMENT_FILE", "refunds in the profile")
        return Part("adjustment", Engine(field_places, rules, sales.engine), destination)


def key_columns(fields: Mapping[str, int]) -> set[int]:
    """Return the columns without which a record is no row: click IDs, identifiers, times."""
    times = {at for name, at in fields.items() if base_name(name) == TIME_FIELD}
    return times.union(identifying_columns(fields, FIELDS))


def _refuse_useless_columns(header: Header, rules: RowRules) -> None:
    """Raise `PermanentError` if no row can be sent with these columns."""
    fields, capabilities = header.fields, rules.capabilities
    if rules.is_of_tag and "order_id" not in fields:
        raise PermanentError("TAG_ORDER_ID_MISSING", "no order_id column")
    if "conversion_date_time" not in fields:
        dates = ", ".join(header.date_columns)
        raise PermanentError("NO_TIME_COLUMN", f"columns with dates: {dates}" if dates else "")
    bases = {base_name(column) for column in fields} & capabilities.fields.keys()
    if not bases.issuperset(ADDRESS_FIELDS):
        bases.difference_update(ADDRESS_FIELDS)
    if capabilities.identifying.isdisjoint(BY_NAME[base].target for base in bases):
        raise PermanentError("NO_USABLE_COLUMN", f"the {capabilities.title} needs one")


# ── the row filter ───────────────────────────────────────────────────────────────────────────


def row_filter_of(
    names: Sequence[str],
    header: Header,
    profile: Profile,
    places: Mapping[int, int] | None = None,
) -> RowFilter:
    """Return the filter of the profile for this file. `names` is the header line.

    It counts stages in columns that hold no field, except those that the profile lists under
    `include`, `actions`, or without values under `exclude`: there, it says itself which stages
    count. `refunds` and `actions` apply to a file of conversions only: rows of other kinds say
    themselves what they are.

    Raises `PermanentError` if one of its columns is not in the file.
    """
    visible = header.visible
    refunds = [
        Condition(name, _column_of("refunds", name, names, visible), "refunds", values)
        for name, values in (profile.refunds if header.kind == "conversion" else {}).items()
    ]
    conditions = [*_conditions(names, header, profile, refunds)]
    stated = {
        *header.fields.values(),
        *(each.column for each in conditions if each.includes or not each.values),
    }
    stages = {
        column: shown(visible[column], column)
        for column, name in enumerate(names)
        if column not in stated and is_stage_column(name)
    }
    return RowFilter(conditions, stages, header.kind_columns, refunds, places)


def _conditions(
    names: Sequence[str],
    header: Header,
    profile: Profile,
    refunds: Sequence[Condition],
) -> Iterator[Condition]:
    """Yield the conditions. A column that lists conversions under `include` need not list its
    refunds there too, and a file need not have those that it lists under `actions`."""
    visible = header.visible
    for name, values in profile.include.items():
        column = _column_of("include", name, names, visible)
        yield Condition(name, column, "include", values, _refunded(column, refunds))
    for name, stages in (profile.actions if header.kind == "conversion" else {}).items():
        column = _column_of("actions", name, names, visible)
        also = _refunded(column, refunds)
        others = set(map(comparable, also))
        sold = tuple(value for value in stages if comparable(value) not in others)
        yield Condition(name, column, "actions", sold, also)
    for name, values in profile.exclude.items():
        yield Condition(name, _column_of("exclude", name, names, visible), "exclude", values)


def _refunded(column: int, refunds: Sequence[Condition]) -> tuple[str, ...]:
    return tuple(value for each in refunds if each.column == column for value in each.values)


def _stage_actions(
    names: Sequence[str], header: Header, profile: Profile, places: Mapping[int, int]
) -> StageActions | None:
    """Return which conversion action each stage is, if the profile says so for this file.

    Raises `PermanentError` if the column of a time is not in the file.
    """
    if header.kind != "conversion" or not profile.actions:
        return None
    ((stage, values),) = profile.actions.items()
    fields = {at: name for name, at in header.fields.items() if base_name(name) == TIME_FIELD}
    actions = {}
    for value, each in values.items():
        time = TIME_FIELD
        if each.time is not None:
            time = fields[_column_of("actions", each.time, names, header.visible)]
        actions[value] = StageAction(each.action, _amount(each.value, profile), time)
    return StageActions(
        places[_column_of("actions", stage, names, header.visible)],
        actions,
        pairs_time_of_day=len(fields) == 1 or any(each.time is None for each in values.values()),
    )


def _amount(value: float | None, profile: Profile) -> str | None:
    """Return an amount of the profile as it would be in a cell of the file.

    A 0 follows the decimals, because 1.234 could also mean thousands.
    """
    if value is None:
        return None
    whole, point, decimals = format(Decimal(str(value)), "f").partition(".")
    return f"{whole}{',' if profile.decimal_comma else '.'}{decimals}0" if point else whole


def _column_of(key: str, name: str, names: Sequence[str], visible: Sequence[str]) -> int:
    columns = columns_named(name, names)
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
    shown_names = {each.casefold(): each for each in visible if each}
    near = closest(name.casefold(), list(shown_names))
    return f'{key} "{name}"' + (f'; did you mean "{shown_names[near]}"?' if near else "")


def notes_of(header: Header | None, plan: Plan | None, tally: Tally) -> list[Problem]:
    """Return the notes on a file after its rows have been read, as far as the planning got."""
    if plan is not None:
        notes = [*plan.notes]
        notes += plan.parts[0].engine.order_id_form.notes()
        return [*notes, *notes_on_reading(plan.table, tally, plan.header.names)]
    return list(header.notes) if header is not None else []
