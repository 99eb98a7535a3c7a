"""The header → a plan, once per file; the cells of a row → `Conversion`, by the plan.

`compile_plan` fixes which cell goes through which rule into which field. What is left per row is
one function without name look-ups: on the good path it makes no exception, no list and no copy.
A cell that is wrong costs a row only if the row can't be sent without it; otherwise the cell is
left out with a warning (Google: send all conversion data regardless of completeness).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from hashlib import sha256
from typing import NamedTuple

from lib.rules.accounts import Account
from lib.rules.actions import ActionRule, resolve_action
from lib.rules.click_ids import check_click_id
from lib.rules.conversion import Conversion, Problem, RowOutcome
from lib.rules.dates import load_zone
from lib.rules.extras import compile_extras
from lib.rules.identifiers import (
    is_digest,
    normalize_email,
    normalize_phone,
    normalize_region_code,
    parse_digest,
)
from lib.rules.money import parse_currency, parse_value
from lib.rules.orders import check_order_id, derived_order_id
from lib.rules.problems import RuleError
from lib.rules.words import parse_consent

MAX_IDENTIFIERS = 5
"""User identifiers of one conversion (ClickConversion.user_identifiers)."""


@dataclass(frozen=True, slots=True)
class RowRules:
    """What is the same for every row of a file.

    `now` is the start of the file's first attempt; the rest is the profile's, after the file's own
    `Parameters:TimeZone`. `account` gives the account of a customer id (asked once each).
    """

    now: datetime
    account: Callable[[str], Account | Problem]
    customer_id: str | None
    action: str | None = None
    zone: tzinfo | None = None
    currency_code: str | None = None
    phone_region: str | None = None
    ad_user_data: str | None = None
    ad_personalization: str | None = None
    event_source: str | None = None
    day_first: bool = False
    decimal_comma: bool = False
    derive_order_id: bool = True
    omit_session_and_ip: bool = False
    route: str = "google_ads"


class RowPlan(NamedTuple):
    """`judge(line, cells)` gives a row's `Conversion`, or its outcome if it can't be sent.

    `start_chunk()` forgets the rows of the chunk before: repeats are looked for within a chunk
    (across chunks Google's own answer says so, and memory stays flat).
    """

    judge: Callable[[int, list[str]], Conversion | RowOutcome]
    start_chunk: Callable[[], None]


def compile_plan(columns: Mapping[str, int], rules: RowRules) -> RowPlan:
    """Make the plan of a file whose header puts field `f` into column `columns[f]`."""

    # A row gets one empty cell more at its end: the place of every column that the file lacks.
    def place(field: str) -> int:
        return columns.get(field, -1)

    gclid_at, gbraid_at, wbraid_at = place("gclid"), place("gbraid"), place("wbraid")
    time_at, zone_at = place("conversion_date_time"), place("time_zone")
    value_at, currency_at = place("conversion_value"), place("currency_code")
    order_at, consent_at = place("order_id"), place("ad_user_data")
    action_at, customer_at = place("conversion_action"), place("customer_id")
    country_at = place("country_code")
    email_columns = _numbered(columns, "email")
    phone_columns = _numbered(columns, "phone")
    digest_columns = [
        (field, at, kind)
        for kind, base in (("email", "hashed_email"), ("phone", "hashed_phone_number"))
        for field, at in _numbered(columns, base)
    ]
    extras_of = compile_extras(columns, rules)

    decimal_comma = rules.decimal_comma
    phone_region = rules.phone_region
    default_currency = rules.currency_code
    default_consent = rules.ad_user_data
    derive = rules.derive_order_id

    # Words of which a file has few, looked up instead of parsed again.
    actions: dict[tuple[str, str], ActionRule | Problem] = {}
    currencies: dict[str, str] = {}
    consents: dict[str, str | None] = {}
    regions: dict[str, str] = {}
    zones: dict[str, tzinfo] = {}
    # Click id + time + action, and order id + action, of the rows of this chunk → their line.
    seen: dict[tuple[str, ...], int] = {}
    seen_at = seen.setdefault
    new_tuple = tuple.__new__

    def judge(line: int, cells: list[str]) -> Conversion | RowOutcome:
        cells.append("")
        errors: list[Problem] = []
        warnings: tuple[Problem, ...] = ()

        # Where it goes: the account and the action.
        key = (cells[customer_at], cells[action_at])
        action = actions.get(key)
        if action is None:
            action = actions[key] = resolve_action(key[0], key[1], rules)
        if type(action) is Problem:
            errors.append(action)
            one_per_click = False
            action_id = customer_id = ""
        else:
            customer_id, action_id, one_per_click, read_time = action  # type: ignore[misc]

        # Click ids. Exactly one is sent: gclid, else gbraid, else wbraid.
        gclid, gbraid, wbraid = cells[gclid_at], cells[gbraid_at], cells[wbraid_at]
        if gclid:
            try:
                gclid = check_click_id(gclid)
            except RuleError as error:
                warnings += (Problem(error.code, "gclid"),)
                gclid = ""
        if gbraid or wbraid:
            gbraid, wbraid, warnings = _braids(
                gclid, gbraid, wbraid, one_per_click, errors, warnings
            )
        click_id = gclid or gbraid or wbraid

        # Who: digests only, from here on.
        hashed_emails: tuple[str, ...] = ()
        for field, at in email_columns:
            raw = cells[at]
            if raw:
                if len(raw) == 64 and is_digest(raw):
                    hashed_emails += (raw.lower(),)
                else:
                    try:
                        email = normalize_email(raw)
                        hashed_emails += (sha256(email.encode()).hexdigest(),)
                    except (RuleError, UnicodeEncodeError):
                        if raw.strip():
                            warnings += (Problem("INVALID_EMAIL", field),)
        hashed_phones: tuple[str, ...] = ()
        for field, at in phone_columns:
            raw = cells[at]
            if raw:
                if len(raw) == 64 and is_digest(raw):
                    hashed_phones += (raw.lower(),)
                else:
                    try:
                        region = phone_region
                        if cells[country_at]:
                            region = regions.get(cells[country_at]) or _region(
                                cells[country_at], regions
                            )
                        phone = normalize_phone(raw, region)
                        hashed_phones += (sha256(phone.encode()).hexdigest(),)
                    except RuleError as error:
                        if raw.strip():
                            warnings += (Problem(error.code, field),)
        for field, at, kind in digest_columns:
            raw = cells[at]
            if raw and raw.strip():
                try:
                    digest = (parse_digest(raw),)
                except RuleError as error:
                    warnings += (Problem(error.code, field),)
                else:
                    if kind == "email":
                        hashed_emails += digest
                    else:
                        hashed_phones += digest
        identifiers = len(hashed_emails) + len(hashed_phones)
        if identifiers > 2:
            hashed_emails, hashed_phones, warnings = _at_most_five(
                hashed_emails, hashed_phones, warnings
            )

        # When.
        time, instant = "", 0
        raw = cells[time_at]
        if not raw:
            errors.append(Problem("TIME_MISSING", "conversion_date_time"))
        elif action_id:
            try:
                if cells[zone_at]:
                    zone = zones.get(cells[zone_at]) or _zone(cells[zone_at], zones)
                    moment = read_time(raw, zone)
                else:
                    moment = read_time(raw)
                time, instant, _ = moment
                if moment[2] is not None:
                    warnings += (Problem(moment[2], "conversion_date_time"),)
            except RuleError as error:
                errors.append(Problem(error.code, "conversion_date_time"))

        # How much.
        value: float | None = None
        raw = cells[value_at]
        if raw:
            try:
                value = parse_value(raw, decimal_comma)
            except RuleError as error:
                if raw.strip():
                    errors.append(Problem(error.code, "conversion_value"))
        currency = default_currency
        raw = cells[currency_at]
        if raw:
            try:
                currency = currencies.get(raw) or _currency(raw, currencies) or default_currency
            except RuleError as error:
                errors.append(Problem(error.code, "currency_code"))
        if value is None:
            currency = None

        order_id: str | None = cells[order_at] or None
        if order_id is not None:
            try:
                order_id = check_order_id(order_id)
            except RuleError as error:
                errors.append(Problem(error.code, "order_id"))
                order_id = None

        consent = default_consent
        raw = cells[consent_at]
        if raw:
            try:
                consent = consents[raw]
            except KeyError:
                try:
                    consent = consents[raw] = parse_consent(raw) or default_consent
                except RuleError as error:
                    warnings += (Problem(error.code, "ad_user_data"),)

        extras = None
        matchable = click_id or identifiers
        if extras_of is not None:
            extras, also, warnings = extras_of(
                cells, customer_id, identifiers > 0, errors, warnings
            )
            matchable = matchable or also

        # What a conversion needs: somebody or something to match.
        if not matchable:
            errors.append(Problem("NO_CLICK_ID_OR_IDENTIFIER"))
        if errors:
            return RowOutcome(line, "rejected", order_id, tuple(errors), warnings)

        if order_id is None and not click_id and derive:
            order_id = derived_order_id(
                action_id, instant, value, currency or "", hashed_emails + hashed_phones
            )
        first = line
        if click_id:
            first = seen_at((click_id, time, action_id), line)
        if order_id is not None and first == line:
            first = seen_at((order_id, action_id), line)
        if first != line:
            problem = Problem("REPEATED_LINE", "", f"the same conversion as in line {first}")
            return RowOutcome(line, "duplicate", order_id, (problem,), warnings)

        return new_tuple(
            Conversion,
            (
                customer_id,
                action_id,
                time,
                gclid,
                gbraid,
                wbraid,
                hashed_emails,
                hashed_phones,
                value,
                currency,
                order_id,
                consent,
                extras,
                warnings,
            ),
        )

    return RowPlan(judge, seen.clear)


def _numbered(columns: Mapping[str, int], field: str) -> list[tuple[str, int]]:
    """`email`, `email_2`, `email_3`, ... of the file, in that order."""
    names = [field, *(f"{field}_{number}" for number in range(2, 10))]
    return [(name, columns[name]) for name in names if name in columns]


def _braids(
    gclid: str,
    gbraid: str,
    wbraid: str,
    one_per_click: bool,
    errors: list[Problem],
    warnings: tuple[Problem, ...],
) -> tuple[str, str, tuple[Problem, ...]]:
    """gclid beside a braid: the gclid is sent. Both braids: GBRAID_WBRAID_BOTH_SET at Google's."""
    parsed = {}
    for field, raw in (("gbraid", gbraid), ("wbraid", wbraid)):
        parsed[field] = ""
        if raw.strip():
            try:
                parsed[field] = check_click_id(raw)
            except RuleError as error:
                warnings += (Problem(error.code, field),)
    gbraid, wbraid = parsed["gbraid"], parsed["wbraid"]
    if gclid and (gbraid or wbraid):
        warnings += (Problem("GCLID_AND_BRAID", "gbraid" if gbraid else "wbraid"),)
        return "", "", warnings
    if gbraid and wbraid:
        errors.append(Problem("BOTH_BRAIDS", "wbraid"))
    elif one_per_click and (gbraid or wbraid):
        errors.append(Problem("BRAID_ON_ONE_PER_CLICK", "gbraid" if gbraid else "wbraid"))
    return gbraid, wbraid, warnings


def _at_most_five(
    emails: tuple[str, ...], phones: tuple[str, ...], warnings: tuple[Problem, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Problem, ...]]:
    """The same digest once, and no more than five; e-mail addresses first."""
    emails, phones = tuple(dict.fromkeys(emails)), tuple(dict.fromkeys(phones))
    if len(emails) + len(phones) > MAX_IDENTIFIERS:
        warnings += (Problem("TOO_MANY_IDENTIFIERS"),)
        emails = emails[:MAX_IDENTIFIERS]
        phones = phones[: MAX_IDENTIFIERS - len(emails)]
    return emails, phones, warnings


def _region(raw: str, regions: dict[str, str]) -> str | None:
    region = normalize_region_code(raw) if raw.strip() else None
    if region:
        regions[raw] = region
    return region


def _zone(raw: str, zones: dict[str, tzinfo]) -> tzinfo | None:
    if not raw.strip():
        return None
    zone = zones[raw] = load_zone(raw)
    return zone


def _currency(raw: str, currencies: dict[str, str]) -> str | None:
    if not raw.strip():
        return None
    code = currencies[raw] = parse_currency(raw)
    return code
