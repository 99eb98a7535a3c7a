"""The first rows of a file, and what a person has said → a profile with its reasons, and questions.

Which rows count is found first, then which column holds what. The other keys follow from how the
cells of these rows are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from tzlocal import get_localzone_name

from lib.catalogue.texts import number_of_rows
from lib.cli.init.columns import find_columns
from lib.cli.init.counting_rows import find_counting_rows
from lib.cli.init.proposal import Entry, Given, Proposal, Question
from lib.cli.init.sample import Sample, SampleRow, amount_in
from lib.destinations import registry
from lib.model.fields import ADDRESS_FIELDS, base_name
from lib.rules.values.cells import RuleError, is_placeholder
from lib.rules.values.countries import find_region
from lib.rules.values.dates import read_moment
from lib.rules.values.money import written_currency

_GIVEN: Final = "You gave it."
_DEFAULT: Final = "The default; an option of `init` changes it."
_ORDER: Final = (
    *("destination", "customer_id", "login_customer_id", "conversion_action", "time_zone"),
    *("currency_code", "phone_region", "ad_user_data", "day_first", "decimal_comma", "encoding"),
    *("headers", "include", "exclude", "refunds"),
)
_ROW_FILTER: Final = ("include", "exclude")

_SOON: Final = timedelta(days=1)
"""Clocks and time zones differ by less. A later time is in the future."""
_MOST_NUMBERS: Final = 50
"""Phone numbers that are compared with the numbering plans of all countries."""
_FEWEST_VALID: Final = 0.8
"""Share of the phone numbers that must be valid in a country. A few are always mistyped."""
_NUMBERS: Final = ("phone", "caller_id")
_INTERNATIONAL: Final = ("+", "00")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the keys are inferred from: the sample, its `rows` that count, and the column of each
    field. `now` and `local_zone` do not come from the file; `known` are the keys so far."""

    sample: Sample
    rows: Sequence[SampleRow]
    columns: Mapping[str, int]
    now: datetime
    local_zone: str
    known: dict[str, Any]


def local_zone() -> str:
    """Return the time zone of this computer: an IANA name; UTC if it has none."""
    return get_localzone_name() or "UTC"


def propose(sample: Sample, given: Given, now: datetime, local_zone: str) -> Proposal:
    """Return the profile for files like this one."""
    given_filter = {key: given.values[key] for key in _ROW_FILTER if key in given.values}
    filter_part, rows, refund_time = find_counting_rows(
        sample, given_filter, can_retract=_can_retract(given)
    )
    headers: Mapping[str, Sequence[str]] = given.values.get("headers", {})
    columns, headers_part = find_columns(sample, rows, headers, refund_time)
    seen = _Seen(sample, rows, columns, now, local_zone, dict(given.values))

    def inferred(*keys: str) -> Iterator[Proposal]:
        for key in keys:
            if not given.decides(key):
                part = _KEYS[key](seen)
                seen.known.update(part.values())
                yield part

    parts = [
        *inferred("destination", "customer_id", "conversion_action"),
        headers_part,
        filter_part,
        *inferred("time_zone", "day_first", "decimal_comma", "currency_code", "encoding"),
        *inferred("phone_region", "ad_user_data"),
    ]
    entries = [entry for part in parts for entry in part.entries]
    entries += [
        Entry(key, value, _DEFAULT if key in given.by_default else _GIVEN)
        for key, value in given.values.items()
        if key not in ("headers", *_ROW_FILTER)
    ]
    entries.sort(key=lambda entry: _ORDER.index(entry.key))
    return Proposal(tuple(entries), tuple(each for part in parts for each in part.questions))


def _can_retract(given: Given) -> bool:
    """Return whether the destination can take refunds."""
    destination = given.values.get("destination", registry.DEFAULT)
    adjustments = registry.capabilities_of(destination).of_kind("adjustment")
    return adjustments is not None and "retraction" in adjustments.adjustment_types


def _question(key: str, text: str, default: str = "", *, is_needed: bool) -> Proposal:
    return Proposal(questions=(Question(key, text, default, is_needed),))


def _destination(seen: _Seen) -> Proposal:
    extras = _extras(seen.columns)
    text = f"API that receives the conversions ({' or '.join(registry.names())}{extras})"
    return _question("destination", text, registry.DEFAULT, is_needed=False)


def _extras(columns: Mapping[str, int]) -> str:
    """Return what the other APIs can send of this file in addition to the usual one."""
    usual = registry.capabilities_of(registry.DEFAULT).fields
    texts = []
    for name in registry.names():
        fields = registry.capabilities_of(name).fields
        extra = [field for field in columns if field in fields and field not in usual]
        if not columns.keys() >= set(ADDRESS_FIELDS):
            extra = [field for field in extra if field not in ADDRESS_FIELDS]
        if extra:
            texts.append(f"; {name} also sends {', '.join(extra)}")
    return "".join(texts)


def _customer_id(seen: _Seen) -> Proposal:
    if "customer_id" in seen.columns:
        return Proposal()
    text = "Google Ads account that receives the conversions, such as 123-456-7890"
    return _question("customer_id", text, is_needed=True)


def _conversion_action(seen: _Seen) -> Proposal:
    if "conversion_action" in seen.columns:
        return Proposal()
    text = "Conversion action, as Google Ads shows its name, or its ID"
    return _question("conversion_action", text, is_needed=True)


def _ad_user_data(seen: _Seen) -> Proposal:
    if "ad_user_data" in seen.columns:
        return Proposal()
    text = "Consent to sending user data, if it is the same for all customers: GRANTED or DENIED"
    return _question("ad_user_data", text, is_needed=False)


def _encoding(seen: _Seen) -> Proposal:
    if not seen.sample.table.encoding_guessed:
        return Proposal()
    reason = "The file does not state its encoding; its letters make sense with this one."
    return Proposal((Entry("encoding", seen.sample.table.encoding, reason),))


def _time_zone(seen: _Seen) -> Proposal:
    """Return a question if times state no offset, and neither do the file and its header."""
    sample, times = seen.sample, _time_column(seen)
    is_known = sample.table.time_zone or sample.header.units.get("conversion_date_time")
    if times is None or is_known or sample.field_of("time_zone") is not None:
        return Proposal()
    without = sum(_lacks_zone(row.cells[times]) for row in seen.rows)
    if not without:
        return Proposal()
    text = f"Time zone of the times in the file ({number_of_rows(without)} state none)"
    return _question("time_zone", text, seen.local_zone, is_needed=True)


def _lacks_zone(cell: str, *, day_first: bool = False) -> bool:
    try:
        read_moment(cell, None, day_first=day_first)
    except RuleError as error:
        if error.code == "DATE_ORDER_MISMATCH" and not day_first:
            return _lacks_zone(cell, day_first=True)
        return error.code == "DATE_WITHOUT_ZONE"
    return False


def _time_column(seen: _Seen) -> int | None:
    """Return the column in which the dates show: every row of such a file has one."""
    is_adjustment = seen.sample.header.kind == "adjustment"
    return seen.columns.get("adjustment_date_time" if is_adjustment else "conversion_date_time")


class _Evidence(NamedTuple):
    """What the cells prove about two ways to read them: the line of the first cell that can only be
    read in the first way, and in the second. `is_ambiguous`: a cell has two meanings."""

    first: int | None
    second: int | None
    is_ambiguous: bool


def _evidence(read: Iterable[tuple[int, float | None, float | None]]) -> _Evidence:
    """Return the evidence of cells: their lines, and what they mean in both ways."""
    first = second = None
    is_ambiguous = False
    for line, one, other in read:
        if one is not None and other is None:
            first = first or line
        elif other is not None and one is None:
            second = second or line
        elif one != other:
            is_ambiguous = True
    return _Evidence(first, second, is_ambiguous)


def _day_first(seen: _Seen) -> Proposal:
    """Return the order of day and month: a day over 12 proves it."""
    times = _time_column(seen)
    if times is None:
        return Proposal()
    cells = [(row.line, row.cells[times]) for row in seen.sample.rows if row.cells[times]]
    evidence = _evidence((line, _moment(cell, False), _moment(cell, True)) for line, cell in cells)
    if evidence.second is not None and evidence.first is None:
        reason = f"The date in line {evidence.second} is only valid with the day first."
        return Proposal((Entry("day_first", True, reason),))
    if evidence.first is not None or not evidence.is_ambiguous:
        return Proposal()
    late = (seen.now + _SOON).timestamp()
    in_future = any((_moment(cell, False) or 0) > late for _, cell in cells)
    text = "Do dates begin with the day (yes or no)? All of them can be read both ways"
    default = "yes" if in_future or seen.sample.table.delimiter == ";" else "no"
    return _question("day_first", text, default, is_needed=True)


def _moment(cell: str, day_first: bool) -> float | None:
    """Return the moment in Unix seconds; None: not readable in this order."""
    try:
        return read_moment(cell, UTC, day_first=day_first).instant
    except RuleError:
        return None


def _decimal_comma(seen: _Seen) -> Proposal:
    """Return the decimal sign: 1,5 proves it."""
    is_adjustment = seen.sample.header.kind == "adjustment"
    values = seen.columns.get("adjusted_value" if is_adjustment else "conversion_value")
    if values is None:
        return Proposal()
    evidence = _evidence(
        (row.line, amount_in(row.cells[values], False), amount_in(row.cells[values], True))
        for row in seen.sample.rows
        if row.cells[values]
    )
    if evidence.second is None or evidence.first is not None:
        return Proposal()
    reason = f"The value in line {evidence.second} is only valid with a decimal comma."
    return Proposal((Entry("decimal_comma", True, reason),))


def _currency_code(seen: _Seen) -> Proposal:
    """Return the currency next to the values, or a question if values have none."""
    values, codes = seen.columns.get("conversion_value"), seen.columns.get("currency_code")
    if values is None or seen.sample.header.units.get("conversion_value"):
        return Proposal()
    without = [
        row.cells[values]
        for row in seen.rows
        if row.cells[values]
        and (codes is None or not row.cells[codes] or is_placeholder("word", row.cells[codes]))
    ]
    if not without:
        return Proposal()
    rows = number_of_rows(len(without))
    written = set(map(_written, without))
    if len(written) == 1 and (code := written.pop()):
        reason = f"The values of {rows} without a currency have the sign of {code}."
        return Proposal((Entry("currency_code", code, reason),))
    text = (
        f"Currency of the values, such as EUR ({rows} state none); empty: that of the conversion "
        "action"
    )
    return _question("currency_code", text, is_needed=False)


def _written(cell: str) -> str | None:
    try:
        return written_currency(cell)
    except RuleError:
        return None


def _phone_region(seen: _Seen) -> Proposal:
    """Return the country in which the phone numbers without a plus are valid. If there are several,
    something else in the file decides."""
    columns = [at for field, at in seen.columns.items() if base_name(field) in _NUMBERS]
    countries = seen.columns.get("country_code")
    national, international = [], []
    for row in seen.rows:
        if countries is not None and find_region(row.cells[countries]):
            continue
        for cell in (row.cells[at] for at in columns):
            if cell.startswith(_INTERNATIONAL):
                international.append(cell)
            elif sum(map(str.isdigit, cell)) >= 5:
                national.append(cell)
    if not national:
        return Proposal()
    hints = _hints(international[:_MOST_NUMBERS], seen)
    valid = _valid_in(national[:_MOST_NUMBERS])
    hinted = next((region for region in hints if region in valid), None)
    if len(valid) == 1 or hinted:
        region = hinted or valid[0]
        others = len(valid) - 1
        reason = f"Numbers without + are valid in {region}"
        reason += (
            f", to which {hints[region]} points ({others} other countries fit)." if others else "."
        )
        return Proposal((Entry("phone_region", region, reason),))
    text = "Country of the phone numbers without +, as two letters"
    return _question("phone_region", text, is_needed=True)


def _valid_in(numbers: Sequence[str]) -> list[str]:
    """Return the countries in which most of the numbers are valid."""
    import phonenumbers  # takes a tenth of a second, and most files need no country

    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        valid = 0
        for number in numbers:
            try:
                parsed = phonenumbers.parse(number, region)
            except phonenumbers.NumberParseException:
                continue
            valid += phonenumbers.is_valid_number_for_region(parsed, region)
        if valid >= _FEWEST_VALID * len(numbers):
            found.append(region)
    return found


def _hints(international: Sequence[str], seen: _Seen) -> dict[str, str]:
    """Return the countries that something else in the file points to, the strongest first."""
    import phonenumbers

    hints: dict[str, str] = {}
    for number in international:
        try:
            region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
        except phonenumbers.NumberParseException:
            continue
        if region:
            hints.setdefault(region, "a number with +")
    if zone := seen.known.get("time_zone"):
        for region in _countries_of_zones().get(zone, ()):
            hints.setdefault(region, "the time zone")
    codes = seen.columns.get("currency_code")
    currencies = {row.cells[codes] for row in seen.rows} if codes is not None else set()
    for code in sorted({*currencies, seen.known.get("currency_code") or ""}):
        if len(code) == 3:  # its first two letters are those of its country, except EUR
            hints.setdefault(code[:2].upper(), "the currency")
    return hints


@cache
def _countries_of_zones() -> Mapping[str, Sequence[str]]:
    text = resources.files("tzdata.zoneinfo").joinpath("zone1970.tab").read_text("utf-8")
    lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return {zone: codes.split(",") for codes, _, zone, *_ in lines}


_KEYS: Final[Mapping[str, Callable[[_Seen], Proposal]]] = {
    "destination": _destination,
    "customer_id": _customer_id,
    "conversion_action": _conversion_action,
    "time_zone": _time_zone,
    "day_first": _day_first,
    "decimal_comma": _decimal_comma,
    "currency_code": _currency_code,
    "encoding": _encoding,
    "phone_region": _phone_region,
    "ad_user_data": _ad_user_data,
}
"""Key of a profile → what the file shows of it, unless a person has decided on it."""
