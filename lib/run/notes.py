"""Notes: remarks in the results about the file as a whole. A note never stops a file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of_rows
from lib.config.profile import Profile
from lib.destinations.base import Destination
from lib.model.account import Account
from lib.model.capabilities import Capabilities
from lib.model.fields import ADDRESS_FIELDS, base_name
from lib.model.log import Log
from lib.model.outcomes import Problem, Selection, Tally
from lib.results.document import ALERTING
from lib.rules.columns import is_sent
from lib.rules.fields import BY_NAME
from lib.rules.fields.languages import is_consent_column
from lib.rules.fields.other_kinds import CALL_NAMES, VAGUE_CALL_NAMES
from lib.rules.row_filter import FilterValue, RowFilter
from lib.rules.stages import stage_of
from lib.rules.values.order_ids import looks_personal
from lib.rules.values.time_zones import UnknownZone
from lib.source.header import ColumnMap, quoted, shown, shown_title
from lib.source.table import Table
from lib.source.vocabulary import header_key

SUNSET_WARNING = timedelta(days=60)
"""How long before an API version is switched off the results have a note about it."""

RUNTIME_END: Final = date(2029, 10, 10)
"""The day on which python313, the runtime in `terraform/`, is deprecated: patches end.

https://cloud.google.com/run/docs/runtime-support
"""

RUNTIME_WARNING = timedelta(days=90)
"""How long before that day the results have a note about it: Google's own notice is as long."""

ENOUGH_ROWS: Final = 20
"""In a file of this many rows, at least one value of each column should occur."""

ENOUGH_REFUNDS: Final = 5
"""If a filter skips all refunds of a file, and they are this many, it is probably a mistake."""

_CALL: Final = re.compile(r"(?:\b|_)call(?:er|ers|s)?(?:\b|_)", re.IGNORECASE)


def notes_on_sheets(table: Table) -> list[Problem]:
    """Return a note on the sheets of a workbook that are not read."""
    others = ", ".join(map(shown_title, table.unread_sheets))
    return [Problem("SHEETS_NOT_READ", "", others)] if others else []


def notes_on_consent(
    header: Sequence[str], columns: ColumnMap, known: Collection[int], profile: Profile
) -> list[Problem]:
    """Return a note on ignored columns of consent, if the profile states consent for every row."""
    is_decided = "ad_user_data" in columns.fields or "ad_user_data" in profile.headers
    if is_decided or profile.ad_user_data != "GRANTED":
        return []
    ignored = [
        f'"{shown(columns.visible[at], at)}"'
        for at, name in enumerate(header)
        if at not in known and is_consent_column(name)
    ]
    return [Problem("CONSENT_COLUMN_IGNORED", "", ", ".join(ignored))] if ignored else []


def notes_on_calls(header: Sequence[str], known: Collection[int]) -> list[Problem]:
    """Return a note on columns of calls in a file of conversions that names no ad click."""
    names = set(map(header_key, CALL_NAMES))
    if any(map(_CALL.search, header)):
        names.update(map(header_key, VAGUE_CALL_NAMES))
    found = [
        quoted(header, at)
        for at, name in enumerate(header)
        if at not in known and header_key(name) in names
    ]
    return [Problem("CALLS_READ_AS_LEADS", "", ", ".join(found))] if found else []


def notes_on_columns(
    columns: ColumnMap, profile: Profile, sendable: Collection[str]
) -> list[Problem]:
    """Return notes on columns that are not known, not sent, or missing.

    `sendable` are the fields that the profile's destinations can send with these records.
    """
    fields = columns.fields
    notes = [Problem("UNKNOWN_COLUMNS", "", ", ".join(columns.unknown))] if columns.unknown else []
    if columns.unclear:
        notes.append(Problem("UNIT_IN_HEADER", "", ", ".join(columns.unclear)))
    if columns.undecided:
        notes.append(Problem("COLUMN_NOT_CHOSEN", "", "; ".join(columns.undecided)))
    for field, (chosen, *others) in columns.choices.items():
        if code := BY_NAME[base_name(field)].choice_code:
            detail = f"{chosen}; not used: {', '.join(others)}" if others else chosen
            notes.append(Problem(code, "", detail))
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


def notes_on_account(
    account: Account, zone_name: str | None, zone: tzinfo | None, capabilities: Capabilities
) -> list[Problem]:
    """Return notes on differences between account and file. `zone` is that of the file's times."""
    if not account.verified:
        return [Problem("PREFLIGHT_NOT_PERMITTED")] if capabilities.has_preflight else []
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
    if table.blank_records:
        notes.append(Problem("BLANK_RECORDS", "", str(table.blank_records)))
    if table.footer:
        first, last = table.footer[0], table.footer[-1]
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        notes.append(Problem("REPORT_FOOTER", "", where))
    if table.text.encoding_guessed:
        notes.append(Problem("ENCODING_GUESSED"))
    return notes


# ── what the row filter found ────────────────────────────────────────────────────────────────
#
# A filter that skips every row, or lists a value that never occurs, may be right: a file can
# consist of lost deals. But it looks the same when a stage was renamed or misspelled, and then
# conversions are missing. So it is noted, and an alert is logged if a mistake is likely.


def notes_on_selection(
    row_filter: RowFilter, selection: Selection, is_complete: bool, log: Log
) -> list[Problem]:
    """Return the notes on what the filter kept and skipped, and log alerts.

    `is_complete`: the filter has read all rows of the file.
    """
    notes = notes_on_fit(row_filter, selection, log) if is_complete else []
    if selection.skipped_refunds:
        notes.append(_note_on_refunds(row_filter, selection, log))
    return notes + notes_on_stages(row_filter, selection)


def _note_on_refunds(row_filter: RowFilter, selection: Selection, log: Log) -> Problem:
    """Return the note on refunds that the filter skips.

    The refunds of some sales may be meant, such as those of another channel. But if all are
    skipped, the filter probably was there before `refunds`.
    """
    conditions = dict.fromkeys(each.condition for each in row_filter.values)
    others = [each for each in conditions if each.column not in row_filter.refund_columns]
    names = ", ".join(f'{each.key} "{each.name}"' for each in others or conditions)
    detail = f"{number_of_rows(selection.skipped_refunds)}; {names}"
    note = Problem("REFUNDS_SKIPPED", "", detail)
    if not selection.refunds and selection.skipped_refunds >= ENOUGH_REFUNDS:
        return _alerting(note, log)
    return note


def notes_on_fit(row_filter: RowFilter, selection: Selection, log: Log) -> list[Problem]:
    """Compare a filter with what it found in all rows of a file. Return notes, and log alerts.

    The alerts come before the document is written: one may come twice, but is never lost.
    """
    rows = selection.kept + selection.skipped
    if not rows:
        return []
    notes = []
    if not selection.kept:
        notes.append(_alerting(Problem("FILTER_KEEPS_NO_ROW", "", number_of_rows(rows)), log))
    values = list(enumerate(row_filter.values))
    missing = [(at, value) for at, value in values if not selection.found.get(at)]
    if missing:
        occurring = {value.condition for at, value in values if selection.found.get(at)}
        expected = rows >= ENOUGH_ROWS and any(v.condition not in occurring for _, v in missing)
        is_misspelled = any(selection.near.get(at) for at, _ in missing)
        detail = "; ".join(_not_found(v, selection.near.get(at, 0)) for at, v in missing)
        note = Problem("FILTER_VALUE_NOT_FOUND", "", detail)
        notes.append(_alerting(note, log) if expected or is_misspelled else note)
    return notes


def _alerting(note: Problem, log: Log) -> Problem:
    """Log an alert, and return the note that the sweep finds again in the document's label."""
    action = lookup(note.code).action
    log.alert("filter_mismatch", code=note.code, detail=note.detail, action=action)
    return note._replace(field=ALERTING)


def notes_on_stages(row_filter: RowFilter, selection: Selection) -> list[Problem]:
    """Return a note on each column with stages that are probably no conversions but are kept.

    It has the line for the profile. That is `include` if the file shows what a conversion is, so
    that stages of other files are skipped too.
    """
    notes = []
    for column, counts in sorted(selection.stages.items()):
        stages = [(value, stage_of(value) if value else "not_won") for value in sorted(counts)]
        rows = sum(counts[value] for value, stage in stages if stage == "not_won")
        if not rows:
            continue
        won = [value for value, stage in stages if stage == "won"]
        lost = [value for value, stage in stages if stage == "not_won" and value]
        lost += [
            each.value
            for each in row_filter.values
            if each.condition.column == column and each.value not in lost
        ]
        name = row_filter.stage_columns[column]
        key = "the name of this column" if name == shown("", column) else name
        line = {"include" if won or not lost else "exclude": {key: won or lost or ["..."]}}
        text = json.dumps(line, ensure_ascii=False)[1:-1]
        notes.append(
            Problem("STAGES_NOT_FILTERED", "", f'"{name}": {number_of_rows(rows)}; {text}')
        )
    return notes


def _not_found(value: FilterValue, near: int) -> str:
    condition, shown_value = value.condition, f'"{value.value}"'
    if looks_personal(value.value):  # `exclude` can list testers by address
        shown_value = "an email address or phone number"
    text = f'{condition.key} "{condition.name}": {shown_value}'
    return f"{text}, but a similar value in {number_of_rows(near)}" if near else text
