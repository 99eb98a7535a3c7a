"""Before the first row: the file, its header, the destination and the account → an `UploadJob`.

An error that would affect every row is found here and reported once, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from pydantic import ValidationError

from lib.catalogue.codes import ABOUT_THE_ACTION
from lib.config.profile import Profile
from lib.config.settings import CHUNK_ROWS
from lib.destinations.base import Capabilities, Destination
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError
from lib.model.account import Account
from lib.model.chunk_report import Tally
from lib.model.fields import ADDRESS_FIELDS, CUSTOM_VARIABLE, base_name
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.rules.conversion_actions import resolve_action
from lib.rules.engine import Engine
from lib.rules.fields import BY_NAME, FIELDS
from lib.rules.row_filter import RowFilter
from lib.rules.row_rules import RowRules
from lib.rules.values.errors import RuleError
from lib.rules.values.time_zones import UnknownZone, load_zone
from lib.run.context import Connect
from lib.run.filtering import row_filter_of
from lib.run.header import Header
from lib.run.notes import notes_on_account, notes_on_reading, notes_on_sunset
from lib.source.columns import identifying_columns
from lib.source.table import Table
from lib.state.run import ChunkLimits, Run

CHUNK_CHARS = 8 << 20
"""Twenty times the size of 2,000 rows of an ordinary file. Wider rows make smaller chunks."""

MOST_ACCOUNTS = 100
"""Maximum number of accounts in one file. With more, the column probably has the CRM's own customer
numbers, and each of them would cost a query of the daily quota."""


@dataclass(frozen=True, slots=True)
class UploadJob:
    """A file after its preflight: the settings from header, profile and account for all rows.

    `refuses_user_data` is the reason why the account refuses every row with hashed user data. The
    file stops only at the first row that has user data, because the columns may be empty, as in
    Google's own template.
    """

    table: Table
    row_filter: RowFilter
    engine: Engine
    destination: Destination[Any]
    customer_id: str
    validate_only: bool
    header: Header
    notes: tuple[Problem, ...]
    refuses_user_data: Problem | None = None

    def stops_at(self, problem: Problem | None) -> bool:
        """Whether the API's problem with a whole chunk affects the rest of the file too.

        It does not if the rows name their own accounts, or if it concerns the conversion action and
        the rows name their own conversion actions.
        """
        if problem is None or "customer_id" in self.header.fields:
            return False
        return problem.code not in ABOUT_THE_ACTION or "conversion_action" not in self.header.fields


def claimed_profile(run: Run) -> Profile:
    """Return the profile that the first attempt fixed.

    Raises `PermanentError` if the first attempt found no usable profile, or if this version of the
    function cannot read the saved one.
    """
    if run.profile is None:
        raise PermanentError(
            "INVALID_PROFILE",
            "it was not valid when the file arrived; if it is valid now, upload the file again",
        )
    try:
        return Profile.model_validate(run.profile)
    except ValidationError:
        raise PermanentError(
            "INVALID_PROFILE",
            "this version cannot read the profile saved for this file; upload the file again",
        ) from None


def chunk_limits_of(profile: Profile | None) -> ChunkLimits:
    """Return the size of a chunk: at most the rows of one request, and limited in memory."""
    rows = CHUNK_ROWS
    if profile is not None:
        rows = min(rows, capabilities_of(profile.destination).max_request_rows)
    return ChunkLimits(rows, CHUNK_CHARS)


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
    row_filter = row_filter_of(table.header, profile, fields, header.kind_columns)
    table.expect_footer(_key_columns(fields))
    destination = connect(profile, log)
    capabilities = destination.capabilities
    # The header of the time column is about these times, the Parameters line about the file.
    zone_name = header.units.get("conversion_date_time") or table.time_zone or profile.time_zone
    zone = _zone(zone_name)
    accounts = _Accounts(destination, wants_variables=_has_custom_variables(fields))
    rules = _row_rules(profile, header, run, zone, accounts.of_row, capabilities)
    _refuse_useless_columns(header, capabilities)
    engine = Engine(fields, rules)
    notes = [*header.notes, *notes_on_sunset(destination, run.now)]
    if isinstance(zone, UnknownZone):
        notes.append(Problem("UNKNOWN_ZONE_OF_FILE"))
    refuses_user_data = None
    if "customer_id" not in fields:
        account = _checked_account(customer_id, fields, rules, accounts)
        if reason := account.refuses_user_data():
            detail = f"customer {account.conversion_customer_id}"
            refuses_user_data = Problem(reason, "", detail)
        customer_id = account.conversion_customer_id
        notes += notes_on_account(account, zone_name, zone, capabilities)
    return UploadJob(
        table,
        row_filter,
        engine,
        destination,
        customer_id,
        profile.validate_only,
        header,
        tuple(notes),
        refuses_user_data,
    )


class _Accounts:
    """The accounts of a file. Each one is read once."""

    def __init__(self, destination: Destination[Any], *, wants_variables: bool) -> None:
        self._destination = destination
        self._wants_variables = wants_variables
        self._known: dict[str, Account | Problem] = {}

    def ask(self, customer_id: str, *, fresh: bool = False) -> Account:
        """Read an account. Raises what `Destination.account` raises."""
        account = self._destination.account(customer_id, fresh=fresh)
        if self._wants_variables:
            account = self._destination.with_custom_variables(account)
        self._known[customer_id] = account
        return account

    def of_row(self, customer_id: str) -> Account | Problem:
        """Return the account that a row names, or why it cannot be used.

        Raises `PermanentError` (TOO_MANY_ACCOUNTS).
        """
        if customer_id not in self._known:
            if len(self._known) == MOST_ACCOUNTS:
                raise PermanentError("TOO_MANY_ACCOUNTS", f"more than {MOST_ACCOUNTS}")
            try:
                self.ask(customer_id)
            except PermanentError as error:
                # Without the detail: it quotes the account, which is the value of a cell here.
                self._known[customer_id] = Problem(error.code, "customer_id")
        return self._known[customer_id]


def _key_columns(fields: Mapping[str, int]) -> set[int]:
    """Return the columns without which a record is no row: click IDs, identifiers, times."""
    times = {at for name, at in fields.items() if name == "conversion_date_time"}
    return times.union(identifying_columns(fields, FIELDS))


def _has_custom_variables(fields: Mapping[str, int]) -> bool:
    return any(name.startswith(CUSTOM_VARIABLE) for name in fields)


def _row_rules(
    profile: Profile,
    header: Header,
    run: Run,
    zone: tzinfo | None,
    account: Callable[[str], Account | Problem],
    capabilities: Capabilities,
) -> RowRules:
    return RowRules(
        now=run.now,
        account=account,
        customer_id=profile.customer_id or None,
        capabilities=capabilities,
        action=profile.conversion_action,
        zone=zone,
        currency_code=profile.currency_code,
        column_currency=header.units.get("conversion_value"),
        phone_region=profile.phone_region,
        ad_user_data=profile.ad_user_data,
        day_first=profile.day_first,
        decimal_comma=profile.decimal_comma,
        derive_order_id=profile.derive_order_id,
        omit_session_and_ip=profile.omit_session_and_ip,
        version=run.rules_version,
        order_ids=profile.order_ids,
        integer_order_ids=run.integer_order_ids,
    )


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
    customer_id: str, fields: Mapping[str, int], rules: RowRules, accounts: _Accounts
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


def _zone(name: str | None) -> tzinfo | None:
    """Return the time zone of the times that state none.

    If the file's time zone cannot be read, the profile's does not replace it: the rows that need it
    are rejected, and a note reports it.
    """
    if not name:
        return None
    try:
        return load_zone(name)
    except RuleError:
        return UnknownZone()
