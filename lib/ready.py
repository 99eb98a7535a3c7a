"""Before the first row: the file, its header, the destination and the account → a `Job`.

Whatever would fail every row is found here, and said once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from pydantic import ValidationError

from lib.destinations.port import Destination
from lib.errors import GiveUp
from lib.ledger import Run
from lib.logs import Log
from lib.rules.accounts import Account
from lib.rules.actions import resolve_action
from lib.rules.conversion import Problem
from lib.rules.dates import load_zone
from lib.rules.extras import CUSTOM_VARIABLE, not_sent
from lib.rules.plan import RowPlan, RowRules, compile_plan
from lib.rules.problems import RuleError
from lib.settings import Profile
from lib.source.columns import map_columns, shown
from lib.source.table import SourceOptions, Table, open_table
from lib.store import Readable


@dataclass(frozen=True, slots=True)
class Job:
    """A file ready for its rows: what the header, the profile and the account have settled."""

    table: Table
    plan: RowPlan
    destination: Destination[Any]
    customer_id: str
    validate_only: bool
    headers: Mapping[str, str]
    notes: tuple[Problem, ...]


def claimed_profile(run: Run) -> Profile:
    """The profile that the first attempt fixed. Raises `GiveUp` when it had none that can be used
    (also when a newer version of this function no longer understands it)."""
    if run.profile is None:
        raise GiveUp("INVALID_PROFILE", "when the file was first delivered")
    try:
        return Profile.model_validate(run.profile)
    except ValidationError:
        raise GiveUp("INVALID_PROFILE", "kept since the file was first delivered") from None


SUNSET_WARNING = timedelta(days=60)
"""A note in every results document, this long before the daily job would stop working."""


def read_table(stream: Readable, profile: Profile | None, max_bytes: int) -> Table:
    """Bytes → a table. Raises `SourceError`, or `GiveUp` if the object is gone."""
    options = SourceOptions(
        encoding=profile.encoding if profile else None,
        delimiter=profile.delimiter if profile else None,
        max_bytes=max_bytes,
    )
    return open_table(stream, options)


def get_ready(
    table: Table,
    profile: Profile,
    now: datetime,
    connect: Callable[[Profile, Log], Destination[Any]],
    log: Log,
) -> Job:
    """Header, destination and account → the plan for the rows.

    Raises `SourceError` or `GiveUp` for whatever would fail every row: said once, before any
    upload.
    """
    columns = map_columns(table.header, profile.headers)
    fields = columns.fields
    customer_id = profile.customer_id or ""
    if not customer_id and "customer_id" not in fields:
        raise GiveUp("CUSTOMER_ID_MISSING", "neither the profile nor a column names an account")
    destination = connect(profile, log)
    notes = [Problem("UNKNOWN_COLUMNS", "", ", ".join(columns.unknown))] if columns.unknown else []
    notes += _notes_on_fields(fields, destination.name)
    if destination.sunset and destination.sunset - now.date() < SUNSET_WARNING:
        notes.append(Problem("API_VERSION_ENDS_SOON", "", f"on {destination.sunset}"))

    def ask(customer: str) -> Account:
        account = destination.account(customer)
        if any(name.startswith(CUSTOM_VARIABLE) for name in fields):
            account = destination.with_custom_variables(account)
        return account

    def account_of_row(customer: str) -> Account | Problem:
        try:
            return ask(customer)
        except GiveUp as error:
            return Problem(error.code, "customer_id", error.detail)

    rules = RowRules(
        now=now,
        account=account_of_row,
        customer_id=customer_id or None,
        action=profile.conversion_action,
        zone=_zone(table, profile),
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
    if "customer_id" not in fields:
        account = ask(customer_id)
        _refuse_what_fails_every_row(account, fields, rules)
        customer_id = account.conversion_customer_id
        notes += _notes_on_account(account, table, profile)
    headers = {field: shown(table.header[at], at) for field, at in fields.items()}
    return Job(
        table=table,
        plan=compile_plan(fields, rules),
        destination=destination,
        customer_id=customer_id,
        validate_only=profile.validate_only,
        headers=headers,
        notes=tuple(notes),
    )


def _refuse_columns_that_cannot_do(fields: Mapping[str, int], route: str) -> None:
    if "conversion_date_time" not in fields:
        raise GiveUp("NO_TIME_COLUMN")
    identifying = ("gclid", "gbraid", "wbraid", "email", "phone", "hashed_")
    if route == "google_ads" and not any(name.startswith(identifying) for name in fields):
        # An address, an IP address or session attributes suffice for the Data Manager API only.
        raise GiveUp(
            "NO_USABLE_COLUMN",
            "no column holds a click id, an e-mail address or a phone number, which the Google Ads "
            "API needs",
        )


def _refuse_what_fails_every_row(
    account: Account, fields: Mapping[str, int], rules: RowRules
) -> None:
    if any(name.startswith(("email", "phone", "hashed_")) for name in fields):
        if not account.accepted_customer_data_terms:
            raise GiveUp(
                "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS",
                f"customer {account.conversion_customer_id}",
            )
        if not account.enhanced_conversions_on:
            raise GiveUp(
                "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS",
                f"customer {account.conversion_customer_id}",
            )
    if "conversion_action" not in fields:
        action = resolve_action("", "", rules)
        if isinstance(action, Problem):
            raise GiveUp(action.code, action.detail or "the profile's conversion_action")


def _notes_on_fields(fields: Mapping[str, int], route: str) -> list[Problem]:
    by_code: dict[str, list[str]] = {}
    for name, code in not_sent(route).items():
        if name in fields:
            by_code.setdefault(code, []).append(name)
    return [Problem(code, "", ", ".join(names)) for code, names in by_code.items()]


def _notes_on_account(account: Account, table: Table, profile: Profile) -> list[Problem]:
    if not account.verified:
        # The Data Manager API has nothing to ask before an upload.
        return [Problem("PREFLIGHT_NOT_PERMITTED")] if profile.destination == "google_ads" else []
    notes = []
    if account.conversion_customer_id != account.customer_id:
        notes.append(
            Problem(
                "CONVERSION_CUSTOMER_DIFFERS",
                "",
                f"{account.customer_id} → {account.conversion_customer_id}",
            )
        )
    zone = table.time_zone or profile.time_zone
    if zone and account.time_zone and zone != account.time_zone:
        notes.append(Problem("ZONE_DIFFERS", "", f"file {zone}, account {account.time_zone}"))
    return notes


def _zone(table: Table, profile: Profile) -> tzinfo | None:
    """The file's own zone, else the profile's."""
    name = table.time_zone or profile.time_zone
    if not name:
        return None
    try:
        return load_zone(name)
    except RuleError:
        raise GiveUp("UNKNOWN_TIME_ZONE", "in the Parameters line of the file") from None
