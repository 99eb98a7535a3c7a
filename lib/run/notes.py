"""Notes: remarks in the results about the file as a whole. A note never stops a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from lib.catalogue.texts import number_of_rows
from lib.config.profile import Profile
from lib.destinations.base import Destination
from lib.model.account import Account
from lib.model.fields import ADDRESS_FIELDS, base_name
from lib.model.outcomes import Problem, Tally
from lib.rules.columns import is_sent
from lib.rules.fields import BY_NAME
from lib.rules.values.time_zones import UnknownZone
from lib.source.header import shown_title
from lib.source.table import Table

SUNSET_WARNING = timedelta(days=60)
"""How long before an API version is switched off the results have a note about it."""

RUNTIME_END: Final = date(2029, 10, 10)
"""The day on which python313, the runtime in `terraform/`, is deprecated: patches end.

https://cloud.google.com/run/docs/runtime-support
"""

RUNTIME_WARNING = timedelta(days=90)
"""How long before that day the results have a note about it: Google's own notice is as long."""


def notes_on_sheets(table: Table) -> list[Problem]:
    """Return a note on the sheets of a workbook that are not read."""
    others = ", ".join(map(shown_title, table.unread_sheets))
    return [Problem("SHEETS_NOT_READ", "", others)] if others else []


def notes_on_columns(
    fields: Collection[str], profile: Profile, sendable: Collection[str]
) -> list[Problem]:
    """Return notes on columns that are not sent, or missing.

    `sendable` are the fields that the profile's destinations can send with these records.
    """
    notes: list[Problem] = []
    by_code: dict[str, list[str]] = {}
    for column in fields:
        if not is_sent(column, sendable):
            by_code.setdefault(BY_NAME[base_name(column)].not_sent_code, []).append(column)
    notes += [Problem(code, "", ", ".join(names)) for code, names in by_code.items()]
    missing = [name for name in ADDRESS_FIELDS if name not in fields]
    sent = [name for name in ADDRESS_FIELDS if name in sendable]
    # A country column alone is for phone numbers.
    if missing and any(name in fields for name in sent if name != "country_code"):
        notes.append(Problem("ADDRESS_COLUMNS_MISSING", "", f"missing: {', '.join(missing)}"))
    is_consent_sent = "ad_user_data" in sendable
    if is_consent_sent and "ad_user_data" not in fields and profile.ad_user_data is None:
        notes.append(Problem("CONSENT_NOT_STATED"))
    return notes


def notes_on_sunset(destination: Destination[Any], now: datetime) -> list[Problem]:
    """Return a note if the API version is switched off soon."""
    sunset = destination.sunset
    if sunset is None or sunset - now.date() >= SUNSET_WARNING:
        return []
    return [Problem("API_VERSION_ENDS_SOON", "", f"on {sunset}")]


def notes_on_runtime(now: datetime) -> list[Problem]:
    """Return a note if Google soon ends the support of the runtime in `terraform/`."""
    if RUNTIME_END - now.date() >= RUNTIME_WARNING:
        return []
    return [Problem("RUNTIME_ENDS_SOON", "", f"on {RUNTIME_END}")]


def notes_on_account(account: Account, zone_name: str | None, zone: tzinfo | None) -> list[Problem]:
    """Return notes on an account that was not read, and on differences between account and file.
    `zone` is that of the file's times."""
    if account.unread is not None:
        return [Problem("ACCOUNT_NOT_LOOKED_UP", "", account.unread.code)]
    notes = []
    if account.conversion_customer_id != account.customer_id:
        detail = f"{account.customer_id} → {account.conversion_customer_id}"
        notes.append(Problem("CONVERSION_CUSTOMER_DIFFERS", "", detail))
    known = not isinstance(zone, UnknownZone)
    if zone_name and known and account.time_zone and zone_name != account.time_zone:
        notes.append(Problem("ZONE_DIFFERS", "", f"file {zone_name}, account {account.time_zone}"))
    return notes


def notes_on_reading(table: Table, tally: Tally, names: Mapping[str, str]) -> list[Problem]:
    """Return the notes that are only known after the rows have been read.

    `names` are the file's own column names.
    """
    notes = []
    for column, count in tally.placeholders.items():
        note = BY_NAME[base_name(column)].placeholder_note
        detail = f'column "{names.get(column, column)}", {number_of_rows(count)}: {note}'
        notes.append(Problem("PLACEHOLDERS", "", detail))
    if table.blank_rows:
        notes.append(Problem("BLANK_RECORDS", "", str(table.blank_rows)))
    if table.footer:
        first, last = table.footer[0], table.footer[-1]
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        notes.append(Problem("REPORT_FOOTER", "", where))
    if table.text.encoding_guessed:
        notes.append(Problem("ENCODING_GUESSED"))
    return notes


def notes_on_skipped(tally: Tally) -> list[Problem]:
    """Return a note if the profile skips every row of a file. A renamed value looks the same."""
    if not tally.rows or tally.outcomes.get("skipped", 0) < tally.rows:
        return []
    return [Problem("FILTER_KEEPS_NO_ROW", "", number_of_rows(tally.rows))]
