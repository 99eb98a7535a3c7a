"""Before the first row: the file, its header, the destination and the account → a `UploadJob`.

Whatever would fail every row is found here, and said once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from pydantic import ValidationError

from lib.adapters.logging import Log
from lib.catalogue.codes import ABOUT_THE_ACTION
from lib.config.profile import Profile
from lib.destinations.base import Destination
from lib.errors import PermanentError
from lib.model.account import Account
from lib.model.outcomes import Problem, Repeat, RowOutcome
from lib.model.records import Conversion
from lib.rules.conversion_actions import resolve_action
from lib.rules.engine import RowPlan, RowRules, compile_plan
from lib.rules.optional_fields import CUSTOM_VARIABLE
from lib.rules.values.dates import load_zone
from lib.rules.values.errors import RuleError
from lib.rules.values.time_zones import UnknownZone
from lib.run.notes import notes_on_account, notes_on_columns, notes_on_reading
from lib.source.columns import map_columns, shown
from lib.source.table import SourceOptions, Table, open_table
from lib.state.run import Run
from lib.state.store import Readable


@dataclass(frozen=True, slots=True)
class Header:
    """Which column holds which field, the file's own names for them, and what to note on them."""

    fields: Mapping[str, int]
    names: Mapping[str, str]
    notes: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class UploadJob:
    """A file ready for its rows: what the header, the profile and the account have settled."""

    table: Table
    plan: RowPlan
    destination: Destination[Any]
    customer_id: str
    validate_only: bool
    header: Header
    notes: tuple[Problem, ...]

    def stops_at(self, problem: Problem | None) -> bool:
        """Whether what the API said of a whole chunk is so for the rest of the file too.

        Not if the rows name their own account, nor if it is about the action and they name theirs.
        """
        if problem is None or "customer_id" in self.header.fields:
            return False
        return problem.code not in ABOUT_THE_ACTION or "conversion_action" not in self.header.fields


def claimed_profile(run: Run) -> Profile:
    """The profile that the first attempt fixed. Raises `PermanentError` when it had none that can be used
    (also when a newer version of this function no longer understands it)."""
    if run.profile is None:
        raise PermanentError("INVALID_PROFILE", "when the file was first delivered")
    try:
        return Profile.model_validate(run.profile)
    except ValidationError:
        raise PermanentError("INVALID_PROFILE", "kept since the file was first delivered") from None


MOST_ACCOUNTS = 100
"""Accounts that one file may name: more is a column of the CRM's own customer numbers, and each
would cost a query of the day's quota."""

SUNSET_WARNING = timedelta(days=60)
"""A note in every results document, this long before the daily job would stop working."""


def read_table(stream: Readable, profile: Profile | None, max_bytes: int) -> Table:
    """Bytes → a table. Raises `SourceError`, or `PermanentError` if the object is gone."""
    options = SourceOptions(
        encoding=profile.encoding if profile else None,
        delimiter=profile.delimiter if profile else None,
        max_bytes=max_bytes,
    )
    return open_table(stream, options)


def read_header(table: Table, profile: Profile) -> Header:
    """The header line → a `Header`. Raises `SourceError` for one that can't be understood."""
    columns = map_columns(table.header, profile.headers)
    names = {field: shown(table.header[at], at) for field, at in columns.fields.items()}
    return Header(columns.fields, names, tuple(notes_on_columns(columns, profile)))


def notes_of(header: Header | None, job: UploadJob | None) -> list[Problem]:
    """What to note on the file, when its rows have been read: as far as it got ready."""
    if job is not None:
        return [*job.notes, *notes_on_reading(job.table)]
    return list(header.notes) if header is not None else []


def prepare_job(
    table: Table,
    header: Header,
    profile: Profile,
    now: datetime,
    connect: Callable[[Profile, Log], Destination[Any]],
    log: Log,
) -> UploadJob:
    """Header, destination and account → the plan for the rows.

    Raises `SourceError` or `PermanentError` for whatever would fail every row: said once, before any
    upload.
    """
    fields = header.fields
    customer_id = profile.customer_id or ""
    if not customer_id and "customer_id" not in fields:
        raise PermanentError(
            "CUSTOMER_ID_MISSING", "neither the profile nor a column names an account"
        )
    destination = connect(profile, log)
    notes = list(header.notes)
    if destination.sunset and destination.sunset - now.date() < SUNSET_WARNING:
        notes.append(Problem("API_VERSION_ENDS_SOON", "", f"on {destination.sunset}"))

    def ask(customer: str, *, fresh: bool = False) -> Account:
        account = destination.account(customer, fresh=fresh)
        if any(name.startswith(CUSTOM_VARIABLE) for name in fields):
            account = destination.with_custom_variables(account)
        return account

    known: dict[str, Account | Problem] = {}

    def account_of_row(customer: str) -> Account | Problem:
        if customer not in known:
            if len(known) == MOST_ACCOUNTS:
                raise PermanentError("TOO_MANY_ACCOUNTS", f"more than {MOST_ACCOUNTS}")
            try:
                known[customer] = ask(customer)
            except PermanentError as error:
                # Without the detail: that names the account, and here it is a cell.
                known[customer] = Problem(error.code, "customer_id")
        return known[customer]

    zone = _zone(table, profile)
    if isinstance(zone, UnknownZone):
        notes.append(Problem("UNKNOWN_ZONE_OF_FILE"))
    rules = RowRules(
        now=now,
        account=account_of_row,
        customer_id=customer_id or None,
        action=profile.conversion_action,
        zone=zone,
        currency_code=profile.currency_code,
        phone_region=profile.phone_region,
        ad_user_data=profile.ad_user_data,
        day_first=profile.day_first,
        decimal_comma=profile.decimal_comma,
        derive_order_id=profile.derive_order_id,
        omit_session_and_ip=profile.omit_session_and_ip,
        route=destination.name,
    )
    _refuse_columns_that_cannot_do(fields, destination.name)
    plan = compile_plan(fields, rules)
    if "customer_id" not in fields:
        account = known[customer_id] = ask(customer_id)
        if account.refuses_user_data() or _wrong_action(fields, rules):
            # Perhaps what we know is old, and somebody has mended the account since.
            account = known[customer_id] = ask(customer_id, fresh=True)
        wrong = _wrong_action(fields, rules)
        if wrong is not None:
            detail = "the profile's conversion_action" if rules.action else "no column for it"
            raise PermanentError(wrong.code, wrong.detail or detail)
        reason = account.refuses_user_data()
        if reason is not None:
            plan = _without_user_data(plan, reason, f"customer {account.conversion_customer_id}")
        customer_id = account.conversion_customer_id
        notes += notes_on_account(account, table, profile, zone)
    return UploadJob(
        table=table,
        plan=plan,
        destination=destination,
        customer_id=customer_id,
        validate_only=profile.validate_only,
        header=header,
        notes=tuple(notes),
    )


def _refuse_columns_that_cannot_do(fields: Mapping[str, int], route: str) -> None:
    if "conversion_date_time" not in fields:
        raise PermanentError("NO_TIME_COLUMN")
    identifying = ("gclid", "gbraid", "wbraid", "email", "phone", "hashed_")
    if route == "google_ads" and not any(name.startswith(identifying) for name in fields):
        # An address, an IP address or session attributes suffice for the Data Manager API only.
        raise PermanentError("NO_USABLE_COLUMN", "which the Google Ads API needs")


def _wrong_action(fields: Mapping[str, int], rules: RowRules) -> Problem | None:
    """What is wrong with the profile's action, if the rows don't name theirs."""
    if "conversion_action" in fields:
        return None
    action = resolve_action("", "", rules)
    return action if isinstance(action, Problem) else None


def _without_user_data(plan: RowPlan, code: str, detail: str) -> RowPlan:
    """A plan that stops the file at its first row with user data: Google would refuse them all.

    Columns for it may stay empty, as in Google's own template; then there is nothing to refuse.
    """

    def judge(line: int, cells: list[str]) -> Conversion | RowOutcome | Repeat:
        judged = plan.judge(line, cells)
        if isinstance(judged, Conversion) and (judged.hashed_emails or judged.hashed_phones):
            raise PermanentError(code, detail)
        return judged

    return plan._replace(judge=judge)


def _zone(table: Table, profile: Profile) -> tzinfo | None:
    """The file's own zone, else the profile's. One that can't be read isn't replaced by the
    profile's: it costs the rows that need it, and a note says so once."""
    name = table.time_zone or profile.time_zone
    if not name:
        return None
    try:
        return load_zone(name)
    except RuleError:
        return UnknownZone()
