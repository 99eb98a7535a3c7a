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
from operator import itemgetter
from typing import NamedTuple

from lib.catalogue.codes import lookup
from lib.model.account import Account
from lib.model.outcomes import Outcome, Problem, Repeat, RowOutcome
from lib.model.records import Conversion
from lib.rules.common import COMMON_FIELDS, UNREADABLE, Common, read_common
from lib.rules.conversion_actions import MAX_AGE_DAYS
from lib.rules.optional_fields import compile_optional_fields
from lib.rules.user_identifiers import compile_identifiers, most_identifiers
from lib.rules.values.click_ids import check_click_id, choose_braid
from lib.rules.values.dates import ConversionClock
from lib.rules.values.errors import RuleError
from lib.rules.values.memo import Memo
from lib.rules.values.money import parse_amount, written_currency
from lib.rules.values.order_ids import check_order_id, derived_order_id


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
    day_first: bool = False
    decimal_comma: bool = False
    derive_order_id: bool = True
    omit_session_and_ip: bool = False
    route: str = "google_ads"


Judge = Callable[[int, list[str]], Conversion | RowOutcome | Repeat]
"""(line, cells) → what becomes of the row."""


class RowPlan(NamedTuple):
    """`judge(line, cells)` gives a row's `Conversion`, or its outcome if it isn't sent.

    `start_chunk()` forgets the rows of the chunk before: repeats are looked for within a chunk
    (across chunks Google's own answer says so, and memory stays flat).
    """

    judge: Judge
    start_chunk: Callable[[], None]


def compile_plan(columns: Mapping[str, int], rules: RowRules) -> RowPlan:
    """Make the plan of a file whose header puts field `f` into column `columns[f]`."""
    # None: the file has no such column.
    gclid_at, gbraid_at, wbraid_at = map(columns.get, ("gclid", "gbraid", "wbraid"))
    time_at = columns.get("conversion_date_time")
    value_at, order_at = columns.get("conversion_value"), columns.get("order_id")
    has_braids = gbraid_at is not None or wbraid_at is not None
    common_at = [columns.get(field) for field in COMMON_FIELDS]
    common_cells = _getter([at for at in common_at if at is not None])
    identifiers_of = compile_identifiers(
        columns, rules.phone_region, most_identifiers(columns, rules)
    )
    phones_at = [at for field, at in columns.items() if field.split("_")[0] == "phone"]
    extras_of = compile_optional_fields(columns, rules)
    decimal_comma = rules.decimal_comma
    derive = rules.derive_order_id
    order_detail = _OTHER_ORDER[rules.day_first]
    clock = ConversionClock(rules.now, rules.zone, rules.day_first, MAX_AGE_DAYS)
    commons: Memo[Common] = Memo()
    # Click id + instant + action (Google knows a moment again whatever its offset), and order id +
    # action, of the rows of this chunk that are sent → their line and value.
    seen: dict[tuple[str | int, ...], tuple[int, float | None]] = {}
    seen_at = seen.setdefault
    new_tuple = tuple.__new__

    def judge(line: int, cells: list[str]) -> Conversion | RowOutcome | Repeat:
        errors: list[Problem] = []

        # Where it goes, and what else many rows share.
        key = common_cells(cells)
        common = commons.get(key)
        if common is None:
            words = ["" if at is None else cells[at] for at in common_at]
            common = read_common(words, rules, clock)
            commons.keep(key, common)
        customer_id, action_id, one_per_click, read_time, zone, currency, consent, wrong = common
        if wrong:
            errors += wrong

        # Who: digests only, from here on.
        hashed_emails, hashed_phones, warnings = identifiers_of(cells)

        # Click ids. Exactly one is sent: gclid, else gbraid, else wbraid.
        gclid = "" if gclid_at is None else cells[gclid_at]
        gbraid = wbraid = ""
        if gclid:
            try:
                gclid = check_click_id(gclid)
            except RuleError as error:
                if gclid.strip():
                    warnings += (Problem(error.code, "gclid"),)
                gclid = ""
        if has_braids:
            gbraid = "" if gbraid_at is None else cells[gbraid_at]
            wbraid = "" if wbraid_at is None else cells[wbraid_at]
            if gbraid or wbraid:
                gbraid, wbraid, warnings = choose_braid(
                    gclid, gbraid, wbraid, one_per_click, warnings
                )
        click_id = gclid or gbraid or wbraid

        # When.
        time, instant = "", 0
        raw = "" if time_at is None else cells[time_at]
        if raw:
            try:
                time, instant, doubt = read_time(raw, zone)
                if doubt is not None:
                    warnings += tuple(
                        Problem(code, "conversion_date_time") for code in doubt.split(",")
                    )
            except RuleError as error:
                code = error.code if raw.strip() else "TIME_MISSING"
                detail = order_detail if code == "DATE_ORDER_MISMATCH" else ""
                errors.append(Problem(code, error.field or "conversion_date_time", detail))
        else:
            errors.append(Problem("TIME_MISSING", "conversion_date_time"))

        # How much.
        value: float | None = None
        raw = "" if value_at is None else cells[value_at]
        if raw:
            try:
                value = parse_amount(raw, decimal_comma, currency)
            except RuleError as error:
                if raw.strip():
                    errors.append(Problem(error.code, "conversion_value"))
                    if currency == UNREADABLE:
                        errors.append(Problem("INVALID_CURRENCY", "currency_code"))
        if value is None:
            currency = None
        elif not currency:
            if currency == UNREADABLE:
                errors.append(Problem("INVALID_CURRENCY", "currency_code"))
            else:
                currency = written_currency(raw)

        order_id: str | None = None
        raw = "" if order_at is None else cells[order_at]
        if raw:
            try:
                order_id = check_order_id(raw, cells, phones_at) or None
            except RuleError as error:
                if error.code == "ORDER_ID_PLACEHOLDER":
                    warnings += (Problem(error.code, "order_id"),)
                else:
                    errors.append(Problem(error.code, "order_id"))

        optional_fields = None
        matchable: object = click_id or hashed_emails or hashed_phones
        if extras_of is not None:
            optional_fields, also, warnings = extras_of(
                cells,
                customer_id,
                bool(hashed_emails or hashed_phones),
                order_id is not None,
                errors,
                warnings,
            )
            matchable = matchable or also

        # What a conversion needs: somebody or something to match.
        if not matchable:
            errors.append(Problem("NO_CLICK_ID_OR_IDENTIFIER"))
        if errors:
            return RowOutcome(line, _outcome(errors), order_id, tuple(errors), warnings)

        if order_id is None and not click_id and derive:
            person = (hashed_emails or hashed_phones)[:1]
            person = person or (optional_fields.identity() if optional_fields else ())
            order_id = derived_order_id(action_id, instant, value, person)
        first = own = (line, value)
        if click_id:
            first = seen_at((click_id, instant, action_id), own)
        if order_id is not None and first is own:
            first = seen_at((order_id, action_id), own)
            if first is not own and click_id:
                # This row isn't sent, so another one with its click and time is no repeat.
                del seen[click_id, instant, action_id]
        if first is not own:
            problem = _repeat(*first, value)
            row = RowOutcome(line, "duplicate", order_id, (problem,), warnings)
            return Repeat(row, first[0])

        # Conversion(...) in a third of the time.
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
                optional_fields,
                warnings,
            ),
        )

    return RowPlan(judge, seen.clear)


_OTHER_ORDER = {
    False: "dates seem to be day first (as in 20/11/2026), but day_first isn't set in the profile",
    True: "dates seem to be month first (as in 11/20/2026), but day_first is set in the profile",
}
"""What DATE_ORDER_MISMATCH means, by the profile's `day_first`."""


def _getter(places: list[int]) -> Callable[[list[str]], str | tuple[str, ...]]:
    return itemgetter(*places) if places else lambda cells: ""


def _repeat(line: int, value: float | None, own_value: float | None) -> Problem:
    """The same conversion as in that line, which had that value."""
    if value == own_value:
        return Problem("REPEATED_LINE", "", f"the same conversion as in line {line}")
    return Problem(
        "REPEATED_WITH_OTHER_VALUE", "", f"the conversion of line {line} again, with another value"
    )


def _outcome(errors: list[Problem]) -> Outcome:
    """`not_attempted` if only the account is in the way; else there is something to mend here."""
    outcomes = {lookup(error.code).outcome for error in errors}
    return "not_attempted" if outcomes == {"not_attempted"} else "rejected"
