"""The rules of adjustments: what a row must be to become an `Adjustment`.

The entry of the profile says whether its rows are retractions or restatements, or a column does.
Google knows a conversion by its order ID, if it has one, and otherwise by its gclid and time. If it
was sent with neither, it has an order ID that the rules derived from its cells
(`lib.rules.matching.derive_order_ids`), so the same cells give its ID again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import compress
from typing import Final, NamedTuple

from lib.errors import RuleError
from lib.model.account import ConversionAction
from lib.model.adjustment_types import ADJUSTMENT_TYPES, TYPE_OF_WORD, AdjustmentType
from lib.model.outcomes import Problem
from lib.model.records import Conversion
from lib.rules.actions import read_actions
from lib.rules.amounts import ADJUSTED_VALUE, Values, read_adjusted_values
from lib.rules.assembly import CheckedRows, Columns, records_of
from lib.rules.columns import ChunkColumns, RowProblems, plain_text
from lib.rules.conversions import read_conversions
from lib.rules.identity import read_click_ids, read_order_ids
from lib.rules.repeats import find_superseded
from lib.rules.times import CONVERSION_TIME, Times, conversion_times, times_of, zone_of
from lib.rules.values.dates import at_end_of_day
from lib.rules.values.time_reader import TimeReader

_TIME: Final = "adjustment_date_time"
_ANY_TYPE: Final[AdjustmentType] = next(iter(ADJUSTMENT_TYPES))
"""Placeholder for the type of a row that is rejected for it."""
_UNIDENTIFIED: Final = "NO_CLICK_ID_OR_IDENTIFIER"


# ── what happened to the conversion ──────────────────────────────────────────────────────────────


def read_adjustment_times(chunk: ChunkColumns) -> Times:
    """Return the time of each adjustment, which is always the file's: Google recognizes an
    adjustment by it.

    A date without a time of day means the end of that day: an order that was sold and refunded on
    one day was refunded after it was sold. But the time of a refund is never in the future. So on
    the day itself, it is the start of the file's first attempt, which is the same for all attempts.
    """
    cells = list(chunk.cells(_TIME))
    zones = chunk.read_once(zone_of, "time_zone")
    now, time_reader = chunk.file.rules.now, chunk.file.time_reader
    with_times: dict[tuple[str, tzinfo | None], str] = {}
    for row, (cell, zone) in enumerate(zip(cells, zones, strict=True)):
        # Only for speed: nearly every cell has a time of day, and so a colon. The others are looked
        # at (`_with_time`), and so is what may be midnight, which means a date without a time too.
        if not cell or (":" in cell and "0:00" not in cell and "12:00" not in cell):
            continue
        if (cell, zone) not in with_times:
            text = plain_text(cell, _TIME) or cell
            with_times[cell, zone] = _with_time(text, zone, time_reader, now)
        if with_times[cell, zone]:
            cells[row] = with_times[cell, zone]
            chunk.problems.warn(row, "ADJUSTED_ON_THAT_DAY", _TIME)
    return times_of(chunk, _TIME, cells, chunk.problems)


def _with_time(date: str, zone: tzinfo | None, time_reader: TimeReader, now: datetime) -> str:
    """Return a date with the time that it means: `2026-11-20` becomes `2026-11-20 23:59:59`, and
    today becomes `now`. Return "" if it has a time other than midnight, or is no valid date."""
    end_of_day = at_end_of_day(date)
    if end_of_day is None:
        return ""
    try:
        _, instant, _ = time_reader.read(end_of_day, zone)
    except RuleError as error:
        if error.code != "FUTURE_DATE":
            return ""
    else:
        if instant <= now.timestamp():
            return end_of_day
    try:
        midnight, *_ = time_reader.read(date, zone)
    except RuleError:
        return ""
    offset = datetime.fromisoformat(midnight).tzinfo
    return now.astimezone(offset).isoformat(" ", "seconds")


def read_types(chunk: ChunkColumns) -> list[AdjustmentType]:
    """Return the type of each adjustment: its entry says it, or the cell of its column. Reject rows
    with any other word there."""
    of_entries = [entry.adjustment_type for entry in chunk.file.rules.entries]
    stated = zip(chunk.values_of_entries(of_entries), chunk.cells("adjustment_type"), strict=True)
    types: list[AdjustmentType] = []
    for row, (adjustment_type, cell) in enumerate(stated):
        if adjustment_type is None:
            text = chunk.problems.plain_text(cell, "adjustment_type") or ""
            adjustment_type = TYPE_OF_WORD.get(text.upper())
            if adjustment_type is None:
                chunk.problems.reject(row, "INVALID_ADJUSTMENT_TYPE", "adjustment_type")
        types.append(adjustment_type or _ANY_TYPE)
    return types


def check_values(
    chunk: ChunkColumns,
    types: Sequence[AdjustmentType],
    actions: Sequence[ConversionAction],
    read: Values,
) -> Values:
    """Return the new values, of types that have one. Reject rows whose value contradicts their
    type."""
    problems = chunk.problems
    values, currencies = list(read.values), list(read.currencies)
    for row, (adjustment_type, value) in enumerate(zip(types, read.values, strict=True)):
        if row in problems.errors:
            continue
        if not ADJUSTMENT_TYPES[adjustment_type].has_value:
            if value:
                problems.reject(row, "VALUE_CONTRADICTS_TYPE", ADJUSTED_VALUE.value)
            values[row] = currencies[row] = None
        elif value is None:
            problems.reject(row, "VALUE_CONTRADICTS_TYPE", ADJUSTED_VALUE.value)
        elif actions[row].always_uses_default_value:
            problems.reject(row, "ACTION_USES_DEFAULT_VALUE", "conversion_action")
        elif value == 0:
            problems.warn(row, "RESTATED_TO_ZERO", ADJUSTED_VALUE.value)
    return Values(values, currencies)


# ── which conversion it is about ─────────────────────────────────────────────────────────────────


class Named(NamedTuple):
    """How an adjustment names its conversion, in the attributes of `Adjustment`."""

    order_id: str | None = None
    gclid: str = ""
    conversion_time: str = ""
    original: Conversion | None = None


class Originals(NamedTuple):
    """Conversions that were sent before, by row, what is left out of them, and why those of other
    rows cannot be read."""

    conversions: Mapping[int, Conversion]
    errors: Mapping[int, Sequence[Problem]]
    warnings: Mapping[int, Sequence[Problem]]


def identify_conversions(
    chunk: ChunkColumns,
    actions: Sequence[ConversionAction],
    order_ids: Sequence[str | None],
    adjusted: Sequence[int],
) -> list[Named]:
    """Return the conversion of each row: by its order ID, or else by gclid and time, or else by its
    derived order ID. Reject rows that name none, or adjust it at a wrong time. `adjusted` are the
    times of the adjustments, in Unix seconds."""
    problems = chunk.problems
    # The time of a conversion may be wrong in a row that names it by its order ID.
    about_times = RowProblems()
    sold = conversion_times(chunk, about_times)
    # Google refuses an order ID together with a gclid.
    pairs = zip(chunk.cells("gclid"), order_ids, strict=True)
    cells = [cell if order_id is None else "" for cell, order_id in pairs]
    gclids = read_click_ids(cells, "gclid", problems)
    needs_all = chunk.file.can.restates_with_original
    ids = zip(order_ids, gclids, strict=True)
    is_read = needs_all or any(order_id is None and not gclid for order_id, gclid in ids)
    originals = _originals(chunk) if is_read else Originals({}, {}, {})
    names = []
    for row, order_id in enumerate(order_ids):
        if row in problems.errors:
            named = Named(order_id)
        elif needs_all:
            named = _with_original(chunk, row, order_id, originals)
        elif order_id is not None:
            named = Named(chunk.file.rules.sent_order_id(order_id))
        elif actions[row].is_of_tag:
            problems.reject(row, "TAG_ORDER_ID_MISSING", "order_id")
            named = Named()
        elif gclids[row]:
            if row in about_times.errors:
                problems.errors[row] += about_times.errors[row]
            if row in about_times.warnings:
                problems.warnings[row] += about_times.warnings[row]
            named = Named(None, gclids[row], sold.texts[row])
        elif derived := _reliable_derived_id(originals.conversions.get(row)):
            named = Named(derived)
        else:
            problems.reject(row, "ADJUSTS_NO_CONVERSION", "order_id")
            problems.errors[row] += _errors_of_original(row, originals)
            named = Named()
        names.append(named)
    _refuse_wrong_times(chunk, sold.instants, adjusted, about_times)
    return names


def _originals(chunk: ChunkColumns) -> Originals:
    """Read the rows as the conversions that they are about."""
    sales = chunk.file.sales
    if sales is None:
        return Originals({}, {}, {})
    sold = ChunkColumns(sales, chunk.lines, chunk.rows, chunk.entries)
    columns, _ = read_conversions(sold)
    is_accepted = sold.accepted()
    rows = compress(range(chunk.size), is_accepted)
    records = records_of(Conversion, columns, is_accepted, {})
    problems = sold.problems
    return Originals(dict(zip(rows, records, strict=True)), problems.errors, problems.warnings)


def _reliable_derived_id(original: Conversion | None) -> str | None:
    """Return the order ID that was derived for a conversion that has none of its own. None: it
    cannot be read, none was derived (it has a gclid, or the profile derives none), or the row lacks
    the original value, on which the ID depends if it is made from a person and not from a click."""
    if original is None or original.order_id is None:
        return None
    is_complete = original.value is not None or original.gbraid or original.wbraid
    return original.order_id if is_complete else None


def _with_original(
    chunk: ChunkColumns, row: int, order_id: str | None, originals: Originals
) -> Named:
    """Return the conversion with all of its data."""
    original = originals.conversions.get(row)
    order_id = order_id or _reliable_derived_id(original)
    if order_id is None:
        chunk.problems.reject(row, "ADJUSTMENT_NEEDS_ORIGINAL", "order_id")
    elif original is None:
        chunk.problems.reject(row, "ADJUSTMENT_NEEDS_ORIGINAL")
        chunk.problems.errors[row] += _errors_of_original(row, originals)
    for warning in originals.warnings.get(row, ()):
        chunk.problems.warn(row, warning.code, warning.field)
    return Named(order_id, original=original)


def _errors_of_original(row: int, originals: Originals) -> list[Problem]:
    """Return the errors of the conversion that a row adjusts. Leaves out the error that nothing
    identifies it, because the adjustment's own error says so."""
    return [each for each in originals.errors.get(row, ()) if each.code != _UNIDENTIFIED]


def _refuse_wrong_times(
    chunk: ChunkColumns, sold: Sequence[int], adjusted: Sequence[int], about_times: RowProblems
) -> None:
    """Reject adjustments before their conversion, and those that come too late.

    `sold` are the times of the conversions in Unix seconds (0: not known), `adjusted` those of the
    adjustments, and `about_times` the problems of the conversions' times.
    """
    problems, limit = chunk.problems, chunk.file.can.adjustable_for
    now = int(chunk.file.rules.now.timestamp())
    for row, (sold_at, adjusted_at) in enumerate(zip(sold, adjusted, strict=True)):
        if row in problems.errors:
            continue
        if sold_at and adjusted_at < sold_at:
            problems.reject(row, "TIMES_CONTRADICT", _TIME)
        elif limit is not None:
            is_too_old = any(e.code == "TOO_OLD" for e in about_times.errors.get(row, ()))
            if is_too_old or (sold_at and now - sold_at > limit.total_seconds()):
                problems.reject(row, "ADJUSTED_TOO_LATE", CONVERSION_TIME)


def check_adjustments(chunk: ChunkColumns) -> CheckedRows:
    """Return the adjustments that are sent: of those of one conversion, one in each chunk."""
    actions = read_actions(chunk)
    times = read_adjustment_times(chunk)
    new_values = read_adjusted_values(chunk)
    types = read_types(chunk)
    new_values = check_values(chunk, types, actions, new_values)
    order_ids = read_order_ids(chunk)
    names = identify_conversions(chunk, actions, order_ids, times.instants)
    # A sale that is sent again keeps its currency: a row may state it beside the first value only.
    currencies = [
        currency or (named.original.currency_code if named.original else None)
        for currency, named in zip(new_values.currencies, names, strict=True)
    ]
    columns: Columns = {
        "action_id": [action.id for action in actions],
        "adjustment_type": types,
        "time": times.texts,
        "order_id": [named.order_id for named in names],
        "gclid": [named.gclid for named in names],
        "conversion_time": [named.conversion_time for named in names],
        "value": new_values.values,
        "currency_code": currencies,
        "original": [named.original for named in names],
    }
    unsent = find_superseded(chunk, columns, times.instants)
    originals = compress(columns["original"], chunk.accepted(unsent))
    has_user_data = any(sale and (sale.hashed_emails or sale.hashed_phones) for sale in originals)
    return CheckedRows(columns, unsent, has_user_data)
