"""What the results say once, of the file as a whole: notes, which stop nothing."""

from __future__ import annotations

from datetime import tzinfo

from lib.config.profile import Profile
from lib.model.account import Account
from lib.model.outcomes import Problem
from lib.rules.optional_fields import ADDRESS_FIELDS, not_sent
from lib.rules.values.time_zones import UnknownZone
from lib.source.columns import ColumnMap
from lib.source.table import Table


def notes_on_columns(columns: ColumnMap, profile: Profile) -> list[Problem]:
    """Columns that aren't known, aren't sent, or are missed."""
    fields = columns.fields
    notes = [Problem("UNKNOWN_COLUMNS", "", ", ".join(columns.unknown))] if columns.unknown else []
    by_code: dict[str, list[str]] = {}
    for name, code in not_sent(profile.destination).items():
        if name in fields:
            by_code.setdefault(code, []).append(name)
    notes += [Problem(code, "", ", ".join(names)) for code, names in by_code.items()]
    missing = [name for name in ADDRESS_FIELDS if name not in fields]
    named = {"first_name", "last_name", "postal_code"} & fields.keys()
    if profile.destination == "data_manager" and named and missing:
        notes.append(Problem("ADDRESS_COLUMNS_MISSING", "", f"missing: {', '.join(missing)}"))
    if "ad_user_data" not in fields and profile.ad_user_data is None:
        notes.append(Problem("CONSENT_NOT_STATED"))
    return notes


def notes_on_account(
    account: Account, table: Table, profile: Profile, zone: tzinfo | None
) -> list[Problem]:
    """What differs between the account and the file; `zone` is that of the file's times."""
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
    name = table.time_zone or profile.time_zone
    known = not isinstance(zone, UnknownZone)
    if name and known and account.time_zone and name != account.time_zone:
        notes.append(Problem("ZONE_DIFFERS", "", f"file {name}, account {account.time_zone}"))
    return notes


def notes_on_reading(table: Table) -> list[Problem]:
    """What is known of a file only when its rows have been read."""
    notes = []
    if table.blank_records:
        notes.append(Problem("BLANK_RECORDS", "", str(table.blank_records)))
    if table.encoding_guessed:
        notes.append(Problem("ENCODING_GUESSED"))
    return notes
