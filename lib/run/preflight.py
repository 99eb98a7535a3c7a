"""Before the first row: the file, its header, the destination and the account → an `UploadJob`.

An error that would affect every row is found here and reported once, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.catalogue.codes import ABOUT_THE_ACTION
from lib.config.profile import Profile
from lib.destinations.base import Batch, Capabilities, Destination
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError
from lib.model.account import Account
from lib.model.fields import ADDRESS_FIELDS, CUSTOM_VARIABLE, base_name
from lib.model.log import Log
from lib.model.outcomes import Problem, RowOutcome, Tally
from lib.model.records import Record, Row
from lib.rules.actions import resolve_action
from lib.rules.engine import Engine
from lib.rules.fields import BY_NAME, FIELDS
from lib.rules.row_filter import RowFilter
from lib.rules.row_rules import RowRules
from lib.rules.values.time_zones import UnknownZone
from lib.run.accounts import Accounts
from lib.run.chunks import Chunk, PreparedChunk, prepare, validate
from lib.run.context import Connect
from lib.run.engines import (
    ColumnZones,
    engine_of,
    row_rules,
    with_refunds,
)
from lib.run.filtering import row_filter_of
from lib.run.header import Header
from lib.run.kinds import sending_profile
from lib.run.newer_values import NewestTimes, OrderName, superseded_rows
from lib.run.notes import notes_on_account, notes_on_reading, notes_on_sunset
from lib.source.columns import identifying_columns
from lib.source.table import Table
from lib.state.run import Run


@dataclass(frozen=True, slots=True)
class UploadJob:
    """A file after its preflight: the settings from header, profile and account for all rows.

    `refuses_user_data` is the reason why the account refuses every row with hashed user data. The
    file stops only at the first row that has user data, because the columns may be empty, as in
    Google's own template. `sales`: what the destination of conversions can do, even if this file
    has none. `refunds` validates the rows that the profile calls refunds.
    """

    table: Table
    row_filter: RowFilter
    engine: Engine
    destination: Destination[Any]
    sales: Capabilities
    customer_id: str
    validate_only: bool
    header: Header
    notes: tuple[Problem, ...]
    refuses_user_data: Problem | None = None
    refunds: Engine | None = None

    @property
    def used_columns(self) -> set[int]:
        """The columns that are sent, that help to read others, or that the row filter reads."""
        refunds = self.refunds.columns.values() if self.refunds is not None else ()
        return {*self.engine.columns.values(), *self.row_filter.columns, *refunds}

    def decides_integer_order_ids(self, chunk: Chunk) -> bool:
        """Return whether this is the first chunk, and has now decided it (`OrderIdForm.decide`)."""
        return chunk.number == 0 and self.engine.order_id_form.decide(chunk.rows)

    def prepare(
        self, chunk: Chunk, batch: Batch, is_sent: Callable[[int, Record], bool] | None = None
    ) -> PreparedChunk | Problem:
        """Validate and serialize a chunk (`lib.run.chunks.prepare`)."""
        return prepare(
            chunk,
            self.row_filter,
            self.engine,
            batch,
            self.refuses_user_data,
            is_sent,
            self.refunds,
            self.order_name,
        )

    def prepare_again(
        self, chunk: Chunk, batch: Batch, newest: NewestTimes
    ) -> PreparedChunk | Problem:
        """Prepare a chunk that an earlier attempt may have sent, without its superseded rows."""
        try:
            superseded = self.superseded(chunk, newest)
        except PermanentError as error:
            return Problem(error.code, "", error.detail)
        if not superseded:
            return self.prepare(chunk, batch)
        prepared = self.prepare(chunk, batch, lambda line, _: line not in superseded)
        if isinstance(prepared, Problem):
            return prepared
        refused = [superseded.get(each.line, each) for each in prepared.refused]
        return prepared._replace(refused=refused)

    def superseded(self, chunk: Chunk, newest: NewestTimes) -> Mapping[int, RowOutcome]:
        """Return the outcomes of rows whose orders have got a newer value, by line."""
        name = self.order_name
        if name is None:
            return {}
        validated = validate(chunk, self.row_filter, self.engine, self.refunds)[1]
        return superseded_rows(validated, name, newest)

    @property
    def order_name(self) -> OrderName | None:
        """How conversions name their orders. None: no older value could undo an adjustment."""
        can = self.sales.of_kind("adjustment")
        undoes = can is not None and can.restates_with_original
        return self.sales.sent_order_id if undoes else None

    def replay(self, rows: Sequence[Row]) -> None:
        """Look at the rows of a chunk that an earlier attempt has sent: others depend on them."""
        self.engine.order_id_form.replay(rows)
        self.engine.replay(rows)
        if self.refunds is not None:
            self.refunds.replay(self.row_filter.select(rows).refunds)

    def stops_at(self, problem: Problem | None) -> bool:
        """Whether the API's problem with a whole chunk affects the rest of the file too.

        It does not if the rows name their own accounts, or if it concerns the conversion action and
        the rows name their own conversion actions.
        """
        if problem is None or "customer_id" in self.header.fields:
            return False
        return problem.code not in ABOUT_THE_ACTION or "conversion_action" not in self.header.fields


def notes_of(header: Header | None, job: UploadJob | None, tally: Tally) -> list[Problem]:
    """Return the notes on a file after its rows have been read, as far as the preflight got."""
    if job is not None:
        notes = [*job.notes, *job.engine.order_id_form.notes()]
        return [*notes, *notes_on_reading(job.table, tally, job.header.names)]
    return list(header.notes) if header is not None else []


def prepare_job(
    table: Table, header: Header, profile: Profile, run: Run, connect: Connect, log: Log
) -> UploadJob:
    """Header, destination and account → a job. `run`: the claim, which fixes time and rules.

    Raises `PermanentError` for an error that would affect every row, and `RetryableError` if the
    destination cannot be reached now.
    """
    if header.stop is not None:
        raise PermanentError(header.stop.code, header.stop.detail)
    fields = header.fields
    customer_id = profile.customer_id or ""
    if not customer_id and "customer_id" not in fields:
        raise PermanentError(
            "CUSTOMER_ID_MISSING", "no customer_id in the profile, and no customer_id column"
        )
    are_sales, kinds = header.kind == "conversion", header.kind_columns
    row_filter = row_filter_of(
        table.header, header.visible, profile, fields, kinds, has_refunds=are_sales
    )
    table.expect_footer(_key_columns(fields))
    destination = connect(sending_profile(profile, header.kind), log)
    accounts = Accounts(destination, wants_variables=_has_custom_variables(fields))
    zones = ColumnZones(header.units, table.time_zone, profile.time_zone)
    rules = row_rules(profile, header, run, zones, accounts, destination)
    if are_sales:
        _refuse_useless_columns(header, destination.capabilities)
    engine = engine_of(header, profile, rules)
    notes = [*header.notes, *notes_on_sunset(destination, run.now)]
    if isinstance(rules.zone, UnknownZone):
        notes.append(Problem("UNKNOWN_ZONE_OF_FILE"))
    refuses_user_data = None
    if "customer_id" not in fields:
        account = _checked_account(customer_id, fields, rules, accounts)
        if reason := account.refuses_user_data():
            detail = f"customer {account.conversion_customer_id}"
            refuses_user_data = Problem(reason, "", detail)
        customer_id = account.conversion_customer_id
        zone_name = zones.name_of("conversion_date_time")
        notes += notes_on_account(account, zone_name, rules.zone, destination.capabilities)
    refunds = None
    if profile.refunds and are_sales:
        destination, refunds = with_refunds(
            engine, profile, destination, rules, fields, row_filter.refund_columns, connect, log
        )
    return UploadJob(
        table,
        row_filter,
        engine,
        destination,
        capabilities_of(profile.destination),
        customer_id,
        profile.validate_only,
        header,
        tuple(notes),
        refuses_user_data,
        refunds,
    )


def _key_columns(fields: Mapping[str, int]) -> set[int]:
    """Return the columns without which a record is no row: click IDs, identifiers, times."""
    times = {at for name, at in fields.items() if name == "conversion_date_time"}
    return times.union(identifying_columns(fields, FIELDS))


def _has_custom_variables(fields: Mapping[str, int]) -> bool:
    return any(name.startswith(CUSTOM_VARIABLE) for name in fields)


def _refuse_useless_columns(header: Header, capabilities: Capabilities) -> None:
    """Raise `PermanentError` if no row can be sent with these columns."""
    fields = header.fields
    if "conversion_date_time" not in fields:
        dates = ", ".join(header.date_columns)
        raise PermanentError("NO_TIME_COLUMN", f"columns with dates: {dates}" if dates else "")
    bases = {base_name(column) for column in fields} & capabilities.fields.keys()
    if not bases.issuperset(ADDRESS_FIELDS):
        bases.difference_update(ADDRESS_FIELDS)
    if capabilities.identifying.isdisjoint(BY_NAME[base].target for base in bases):
        raise PermanentError("NO_USABLE_COLUMN", f"the {capabilities.title} needs one")


def _checked_account(
    customer_id: str, fields: Mapping[str, int], rules: RowRules, accounts: Accounts
) -> Account:
    """Return the account of all rows. Raises `PermanentError` if their common action is wrong."""

    def wrong_action() -> Problem | None:
        if "conversion_action" in fields:
            return None
        action = resolve_action("", "", rules, set())
        return action if isinstance(action, Problem) else None

    account = accounts.ask(customer_id)
    if account.refuses_user_data() or wrong_action():
        # The cached account may be out of date: somebody may have corrected it since then.
        account = accounts.ask(customer_id, fresh=True)
    if wrong := wrong_action():
        detail = (
            "conversion_action in the profile" if rules.action else "no conversion_action column"
        )
        raise PermanentError(wrong.code, wrong.detail or detail)
    return account
