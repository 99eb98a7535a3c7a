"""The first rows of a file, and what a person has said → a profile with its reasons, and questions.

Which rows count is found first, then which column holds what. The other keys follow from how the
cells of these rows are written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple
from unicodedata import category
from zoneinfo import ZoneInfo

from tzlocal import get_localzone_name

from lib.catalogue.texts import number_of_rows
from lib.cli.init.columns import find_columns
from lib.cli.init.counting_rows import find_counting_rows, narrowed
from lib.cli.init.proposal import OPTIONS, Choice, Entry, Given, Proposal, Question, merge
from lib.cli.init.sample import Sample, SampleRow, amount_in, is_amount
from lib.cli.init.stage_actions import stages_of
from lib.config.profile import Profile
from lib.destinations import registry
from lib.errors import PermanentError
from lib.model.fields import ADDRESS_FIELDS, base_name
from lib.rules.fields import BY_NAME
from lib.rules.roles import currency_in, fields_of
from lib.rules.values.cells import RuleError, is_placeholder
from lib.rules.values.conversion_clock import MAX_AGE_DAYS
from lib.rules.values.countries import find_region
from lib.rules.values.currencies import CURRENCIES
from lib.rules.values.dates import read_moment
from lib.rules.values.money import written_currency
from lib.rules.values.phones import normalize_phone
from lib.run.plan import row_filter_of
from lib.run.reading import read_header, read_roles_of
from lib.source.errors import SourceError

_FIRST: Final = ("destination", "customer_id", "conversion_action", "include", "actions")
"""What is asked before everything else, in this order."""
_ORDER: Final = (
    *("destination", "customer_id", "login_customer_id", "conversion_action", "time_zone"),
    *("currency_code", "phone_region", "ad_user_data", "day_first", "decimal_comma", "encoding"),
    *("delimiter", "sheet", "header_row", "headers", "include", "exclude", "refunds", "actions"),
)
_ROW_FILTER: Final = ("include", "exclude", "refunds")

_SOON: Final = timedelta(days=1)
"""Clocks and time zones differ by less. A later time is in the future."""
_COUNTED_FOR: Final = timedelta(days=MAX_AGE_DAYS)
_MOST_NUMBERS: Final = 50
"""Phone numbers that are compared with the numbering plans of all countries."""
_MOST_OTHERS: Final = 0.2
"""Share of the phone numbers that may be invalid in their country, and of the values that may have
the sign of another currency. A few are always mistyped."""
_LINES_NAMED: Final = 5
_FEWEST_ABROAD: Final = 3
_EURO: Final = frozenset(
    re.findall(r"\w\w", "AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK")
)
_EUROPE: Final = _EURO.union(re.findall(r"\w\w", "CH CZ DK GB HU IS LI NO PL RO SE"))
"""Countries in which Google requires consent: those of the European Economic Area, the United
Kingdom and Switzerland (https://www.google.com/about/company/user-consent-policy)."""
_NUMBERS: Final = ("phone", "caller_id")
_INTERNATIONAL: Final = ("+", "00")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the keys are inferred from: the sample, its `rows` that count, and the column of each
    field. `now` and `local_zone` do not come from the file; `known` are the keys so far, and
    `filters` those that say which rows count."""

    sample: Sample
    rows: Sequence[SampleRow]
    columns: Mapping[str, int]
    now: datetime
    local_zone: str
    known: dict[str, Any]
    filters: Collection[str]


def local_zone() -> str:
    """Return the time zone of this computer: an IANA name; UTC if it has none."""
    return get_localzone_name() or "UTC"


def propose(sample: Sample, given: Given, now: datetime, local_zone: str) -> Proposal:
    """Return the profile for files like this one. Its questions are in the order in which they are
    asked: those that are needed come first."""
    counting = find_counting_rows(sample, given, can_retract=_can_retract(given))
    columns, headers_part = find_columns(sample, counting.rows, given, now, counting.refund_time)
    filter_part, rows, _ = narrowed(sample, counting, columns, given)
    stages_part = stages_of(sample, given, columns)
    filters = filter_part.values().keys()
    seen = _Seen(sample, rows, columns, now, local_zone, dict(given.values), filters)

    def inferred(*keys: str) -> Iterator[Proposal]:
        for key in keys:
            if not given.decides(key):
                part = _KEYS[key](seen)
                seen.known.update(part.values())
                yield part

    first = ("destination", "customer_id", "conversion_action")
    parts = [
        *inferred(*(first[:2] if given.values.get("actions") else first)),
        filter_part,
        stages_part,
        headers_part,
        *inferred("time_zone", "day_first", "decimal_comma", "encoding", "header_row"),
        *inferred("phone_region", "currency_code", "ad_user_data"),
    ]
    entries = [entry for part in parts for entry in part.entries]
    entries += [
        Entry(key, value, _reason(key, given, columns))
        for key, value in given.values.items()
        if key not in ("headers", "actions", *_ROW_FILTER)
        and not (key == "conversion_action" and given.values.get("actions"))
    ]
    entries = sorted(merge(entries), key=lambda entry: _ORDER.index(entry.key))
    questions = [each for part in parts for each in part.questions]
    # On the rows that count depends everything else.
    questions.sort(key=_urgency)
    proposal = Proposal(tuple(entries), tuple(questions))
    return proposal if questions else _without_objections(sample, proposal)


def _urgency(question: Question) -> int:
    if question.key in _FIRST:
        return _FIRST.index(question.key)
    return len(_FIRST) + (not question.is_needed)


def _without_objections(sample: Sample, proposal: Proposal) -> Proposal:
    """Return the profile with an answer for each column to whose role a run would object."""
    profile = Profile.model_validate(proposal.values())
    try:
        header = read_header(sample.table, profile)
        row_filter = row_filter_of(sample.names, header, profile)
    except (SourceError, PermanentError):
        return proposal  # the check says what is wrong
    if header.kind != "conversion" or "conversion_date_time" not in header.fields:
        return proposal
    reading = read_roles_of(sample.table, header, profile, row_filter)
    entries = list(proposal.entries)
    for role, found in reading.items():
        for rival in found.rivals:
            name = sample.names[rival.column]
            if role == "counts":
                entries.append(Entry("exclude", {name: []}, f'"{name}": decides nothing.'))
                continue
            chosen = [sample.names[found.chosen.column]] if found.chosen else []
            held = fields_of(role)[0].name
            entries.append(Entry("headers", {held: chosen}, f'{held}: and not "{name}".'))
    merged = sorted(merge(entries), key=lambda entry: _ORDER.index(entry.key))
    return Proposal(tuple(merged))


def _reason(key: str, given: Given, columns: Mapping[str, int]) -> str:
    reason = given.reason(key)
    if key != "destination":
        return reason
    return " ".join([reason, *_extras(given.values[key], columns)])


def _can_retract(given: Given) -> bool:
    """Return whether the destination can take refunds."""
    destination = given.values.get("destination", registry.DEFAULT)
    adjustments = registry.capabilities_of(destination).of_kind("adjustment")
    return adjustments is not None and "retraction" in adjustments.adjustment_types


def _question(key: str, text: str, **details: Any) -> Proposal:
    return Proposal(questions=(Question(key=key, text=text, option=OPTIONS[key], **details),))


def _destination(seen: _Seen) -> Proposal:
    """Return the API that can send the file, or a question if there are several: is the one open
    that is not open to everybody? Only that one sends refunds, and knows the names of actions."""
    able = [name for name in registry.names() if _can_send(name, seen)]
    if len(able) == 1:
        title = registry.capabilities_of(able[0]).title
        reason = f"Only the {title} can send what identifies a person or a click in this file."
        return Proposal((Entry("destination", able[0], reason),))
    asked = {name: registry.capabilities_of(name).open_if for name in registry.names()}
    first = next(name for name, text in asked.items() if text)
    other = next(name for name, text in asked.items() if not text)
    action = str(seen.known.get("conversion_action", "0"))
    return _question(
        "destination",
        f"{asked[first]} If you are not sure: no",
        choices=(Choice("yes", first), Choice("no", other)),
        default="no",
        is_needed=False,
        changes_what_is_sent="refunds" in seen.filters or not action.isdecimal(),
    )


def _can_send(name: str, seen: _Seen) -> bool:
    """Return whether a destination can send the columns by which Google finds a click or person."""
    can = registry.capabilities_of(name).of_kind(seen.sample.header.kind)
    if can is None:
        return False
    bases = {base_name(field) for field in seen.columns} & can.fields.keys()
    if not bases.issuperset(ADDRESS_FIELDS):
        bases.difference_update(ADDRESS_FIELDS)
    return not can.identifying.isdisjoint(BY_NAME[base].target or base for base in bases)


def _extras(name: str, columns: Mapping[str, int]) -> Iterator[str]:
    """Yield what the file has that only other APIs can send."""
    known = registry.capabilities_of(name).fields
    for other in registry.names():
        fields = registry.capabilities_of(other).fields
        extra = [field for field in columns if field in fields and field not in known]
        if not columns.keys() >= set(ADDRESS_FIELDS):
            extra = [field for field in extra if field not in ADDRESS_FIELDS]
        if extra:
            yield f"{other} would also send {', '.join(extra)}."


def _customer_id(seen: _Seen) -> Proposal:
    if "customer_id" in seen.columns:
        return Proposal()
    return _question(
        "customer_id",
        "Google Ads account that receives the conversions",
        allowed="its number, such as 123-456-7890",
    )


def _conversion_action(seen: _Seen) -> Proposal:
    if "conversion_action" in seen.columns:
        return Proposal()
    destination = seen.known.get("destination", registry.DEFAULT)
    text = "Conversion action: its name in Google Ads, or its ID"
    if not registry.capabilities_of(destination).has_preflight:
        text = (
            "Conversion action: its ID, the number after ctId= in the address of its page; or its "
            "name, if the credentials may read the Google Ads API"
        )
    return _question("conversion_action", text, allowed="its name or its ID")


def _ad_user_data(seen: _Seen) -> Proposal:
    """Return a question in countries whose rules require consent."""
    countries = {*_countries(seen), seen.known.get("phone_region")}
    currency = seen.known.get("currency_code") or ""
    if "ad_user_data" in seen.columns or not (countries & _EUROPE or currency == "EUR"):
        return Proposal()
    return _question(
        "ad_user_data",
        "Has every customer in such files agreed that you send their data to Google for ads? "
        "Enter, if you cannot say so for all",
        choices=(Choice("yes", "GRANTED"), Choice("no", "DENIED")),
        is_needed=False,
    )


def _countries(seen: _Seen) -> Sequence[str]:
    """Return the countries of the time zone."""
    return _countries_of_zones().get(seen.known.get("time_zone", ""), ())


def _encoding(seen: _Seen) -> Proposal:
    table = seen.sample.table
    if "encoding" not in seen.sample.found and not table.encoding_guessed:
        return Proposal()
    reason = "The file does not state its encoding; its letters make sense with this one."
    return Proposal((Entry("encoding", table.encoding, reason),))


def _header_row(seen: _Seen) -> Proposal:
    line = seen.sample.found.get("header_row")
    if line is None:
        return Proposal()
    reason = "The column names are in this line, and other lines are above it."
    return Proposal((Entry("header_row", line, reason),))


def _time_zone(seen: _Seen) -> Proposal:
    """Return a question if times state no offset, and neither do the file and its header."""
    sample, times = seen.sample, _time_column(seen)
    is_known = sample.table.time_zone or sample.header.units.get("conversion_date_time")
    if times is None or is_known or sample.field_of("time_zone") is not None:
        return Proposal()
    without = sum(_lacks_zone(row.cells[times]) for row in seen.rows)
    if not without:
        return Proposal()
    if _is_zone_of_file(seen):
        reason = "The time zone of this computer. Its country is that of the file."
        return Proposal((Entry("time_zone", seen.local_zone, reason),))
    text = f"Time zone of the times in the file ({number_of_rows(without)} state none)"
    allowed = "its name, such as Europe/Berlin or America/Chicago"
    return _question("time_zone", text, default=seen.local_zone, allowed=allowed)


def _is_zone_of_file(seen: _Seen) -> bool:
    """Return whether the time zone of this computer is the only one of its country, and the file
    comes from there: by its currency, or by the countries of its rows."""
    zones = _countries_of_zones()
    for country in zones.get(seen.local_zone, ()):
        others = [zone for zone, countries in zones.items() if country in countries]
        offsets = {seen.now.astimezone(ZoneInfo(zone)).utcoffset() for zone in others}
        if len(offsets) == 1 and country in _countries_of_file(seen):
            return True
    return False


def _countries_of_file(seen: _Seen) -> set[str]:
    """Return the countries to which cells of the file point; also that of this computer's time
    zone, if the phone numbers are valid there."""
    phones = [row.cells[at] for at in _phone_columns(seen) for row in seen.rows if row.cells[at]]
    here = _countries_of_zones().get(seen.local_zone, ())
    found = {each for each in here if phones and _are_valid(phones[:_MOST_NUMBERS], each)}
    if (at := seen.columns.get("country_code")) is not None:
        found.update(filter(None, (find_region(row.cells[at]) for row in seen.rows)))
    currencies = set[str | None]()
    if (at := seen.columns.get("currency_code")) is not None:
        currencies.update(map(currency_in, {row.cells[at] for row in seen.rows}))
    if (at := seen.columns.get("conversion_value")) is not None:
        currencies.update(map(_written, {row.cells[at] for row in seen.rows}))
        currencies.add(seen.sample.header.units.get("conversion_value"))
    currencies.discard(None)
    for zones in _countries_of_zones().values():
        found.update(each for each in zones if _currency_of(each) in currencies)
    return found


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
    """What the cells show about two ways to read them: the lines of the cells that can be read only
    in the first way, only in the second, and in both with two meanings."""

    first: list[int]
    second: list[int]
    both: list[int]

    @property
    def cells(self) -> int:
        """How many cells the way of reading makes a difference for."""
        return len(self.first) + len(self.second) + len(self.both)

    def why(self, lines: Sequence[int], what: str) -> str:
        """Return why the cells in these `lines` decide, and what happens to the others."""
        others = self.first if lines is self.second else self.second
        if not others:
            return f"The {what} in line {lines[0]} decides it."
        both = len(lines) + len(others)
        text = f"{len(lines):,} of {both:,} {what}s are only valid in this way. "
        listed = ", ".join(map(str, others[:_LINES_NAMED]))
        dots = ", ..." if len(others) > _LINES_NAMED else ""
        return f"{text}The others are rejected: line{'s'[: len(others) > 1]} {listed}{dots}."


def _evidence(read: Iterable[tuple[int, float | None, float | None]]) -> _Evidence:
    """Return the evidence of cells: their lines, and what they mean in both ways."""
    found = _Evidence([], [], [])
    for line, one, other in read:
        if one is None and other is None:
            continue
        if other is None:
            found.first.append(line)
        elif one is None:
            found.second.append(line)
        elif one != other:
            found.both.append(line)
    return found


def _day_first(seen: _Seen) -> Proposal:
    """Return the order of day and month: most of the days over 12 decide."""
    times = _time_column(seen)
    if times is None:
        return Proposal()
    cells = [(row.line, row.cells[times]) for row in seen.sample.rows if row.cells[times]]
    evidence = _evidence((line, _moment(cell, False), _moment(cell, True)) for line, cell in cells)
    if len(evidence.second) > len(evidence.first):
        return Proposal((Entry("day_first", True, evidence.why(evidence.second, "date")),))
    if len(evidence.first) > len(evidence.second):
        if not evidence.second:
            return Proposal()
        return Proposal((Entry("day_first", False, evidence.why(evidence.first, "date")),))
    if not evidence.cells:
        return Proposal()
    first, latest = ((seen.now + each).timestamp() for each in (-_COUNTED_FOR, _SOON))
    recent = {
        order: sum(first <= (_moment(cell, order) or 0) <= latest for _, cell in cells)
        for order in (False, True)
    }
    is_likely = recent[True] - recent[False] or seen.sample.table.delimiter == ";"
    example = next(cell for line, cell in cells if line == [*evidence.both, *evidence.first][0])
    return _question(
        "day_first",
        f"Do the dates begin with the day? All can be read in both ways, such as {example}",
        choices=(Choice("yes", True), Choice("no", False)),
        default="yes" if is_likely > 0 else "no",
    )


def _moment(cell: str, day_first: bool) -> float | None:
    """Return the moment in Unix seconds; None: not readable in this order."""
    try:
        return read_moment(cell, UTC, day_first=day_first).instant
    except RuleError:
        return None


def _decimal_comma(seen: _Seen) -> Proposal:
    """Return the decimal sign: most of the values such as 1,5 decide. Numbers of a workbook have
    none: a person has typed only its texts."""
    is_adjustment = seen.sample.header.kind == "adjustment"
    values = seen.columns.get("adjusted_value" if is_adjustment else "conversion_value")
    if values is None:
        return Proposal()
    cells = [
        (row.line, row.cells[values])
        for row in seen.sample.rows
        if row.cells[values] and values not in row.numbers
    ]
    evidence = _evidence(
        (line, amount_in(cell, False), amount_in(cell, True)) for line, cell in cells
    )
    if len(evidence.second) > len(evidence.first):
        return Proposal((Entry("decimal_comma", True, evidence.why(evidence.second, "value")),))
    if len(evidence.first) > len(evidence.second):
        if not evidence.second:
            return Proposal()
        return Proposal((Entry("decimal_comma", False, evidence.why(evidence.first, "value")),))
    if not evidence.cells:
        return Proposal()
    example = next(cell for line, cell in cells if line == [*evidence.both, *evidence.first][0])
    meanings = f"{amount_in(example, True):,.2f}" if amount_in(example, True) else ""
    return _question(
        "decimal_comma",
        f"Is the comma the decimal sign in the values, so that {example} is {meanings}?",
        choices=(Choice("yes", True), Choice("no", False)),
        default="yes" if seen.sample.table.delimiter == ";" else "no",
    )


def _currency_code(seen: _Seen) -> Proposal:
    """Return the currency next to the values, or a question if values have none."""
    values, codes = seen.columns.get("conversion_value"), seen.columns.get("currency_code")
    if values is None or seen.sample.header.units.get("conversion_value"):
        return Proposal()
    without = [
        row.cells[values]
        for row in seen.rows
        if is_amount(row.cells[values])
        and (codes is None or not row.cells[codes] or is_placeholder("word", row.cells[codes]))
    ]
    if not without:
        return Proposal()
    rows = number_of_rows(len(without))
    ((code, most),) = Counter(map(_written, without)).most_common(1)
    if code and most >= (1 - _MOST_OTHERS) * len(without):
        of_all = f"{most:,} of " if most < len(without) else ""
        reason = f"The values of {of_all}{rows} without a currency have the sign of {code}."
        if most < len(without):
            reason += " Values with another sign are rejected."
        return Proposal((Entry("currency_code", code, reason),))
    countries = (*_countries(seen), seen.known.get("phone_region", ""))
    likely = next(filter(None, map(_currency_of, countries)), "")
    header = seen.sample.names[values]
    if likely.endswith("D") and any(map(_has_dollar, (header, *without))):
        reason = f"The values of {rows} without a currency have the sign $, which fits the country."
        return Proposal((Entry("currency_code", likely, reason),))
    return _question(
        "currency_code",
        f"Currency of the values ({rows} state none)",
        default=likely,
        allowed="its code, such as EUR or USD",
        is_allowed=CURRENCIES.__contains__,
        is_needed=any(map(_has_unclear_sign, without)),
    )


def _currency_of(country: str) -> str | None:
    """Return the currency of a country. Its code begins with that of the country, except EUR."""
    if country in _EURO:
        return "EUR"
    return next((code for code in CURRENCIES if code.startswith(country)), None)


def _has_dollar(cell: str) -> bool:
    """Return whether a value has the sign $, and nothing that says which dollar it is."""
    return "$" in cell and _written(cell) is None


def _has_unclear_sign(cell: str) -> bool:
    """Return whether a value has the sign of several currencies: `$1,250`."""
    return any(category(each) == "Sc" for each in cell) and _written(cell) is None


def _written(cell: str) -> str | None:
    try:
        return written_currency(cell)
    except RuleError:
        return None


def _phone_region(seen: _Seen) -> Proposal:
    """Return the country in which the phone numbers without a plus are valid. If there are several,
    something else in the file decides."""
    columns = _phone_columns(seen)
    countries = seen.columns.get("country_code")
    if countries is not None and (home := _home_of_all(seen, columns, countries)):
        reason = f"Most numbers in rows of other countries are possible in {home} alone."
        why = f"country_code: the phone numbers are from {home}, wherever a person lives."
        country = Entry("headers", {"country_code": []}, why)
        return Proposal((country, Entry("phone_region", home, reason)))
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
    valid = _valid_in(national[:_MOST_NUMBERS], hints)
    likely = next(iter(hints), "")
    # Valid or not, numbers that are possible where the file comes from are probably from there.
    is_possible = likely not in valid and _are_valid(national[:_MOST_NUMBERS], likely, loosely=True)
    if not is_possible and valid and (len(valid) == 1 or valid[0] in hints):
        region = valid[0]
        hint = f", to which {hints[region]} points" if region in hints else ""
        reason = f"Numbers without + are valid in {region}{hint}."
        return Proposal((Entry("phone_region", region, reason),))
    text = f"Country of the {len(national):,} phone numbers without +"
    allowed = "its two-letter code, such as DE or US"
    is_allowed = _numbered_countries().__contains__
    default = likely if is_possible else ""
    return _question("phone_region", text, default=default, allowed=allowed, is_allowed=is_allowed)


def _home_of_all(seen: _Seen, columns: Sequence[int], countries: int) -> str | None:
    """Return the country of most rows, if most phone numbers in the other rows are from there,
    too: some programs store the country of the address."""
    regions = [find_region(row.cells[countries]) for row in seen.rows]
    home = max(filter(None, regions), key=regions.count, default=None)
    abroad = [
        (row.cells[at], region)
        for row, region in zip(seen.rows, regions, strict=True)
        for at in columns
        if region not in (None, home) and row.cells[at] and not row.cells[at].startswith("+")
    ]
    of_home = sum(not _is_possible(*each) and _is_possible(each[0], home) for each in abroad)
    return home if len(abroad) >= _FEWEST_ABROAD and 2 * of_home > len(abroad) else None


def _is_possible(number: str, region: str | None) -> bool:
    try:
        return bool(normalize_phone(number, region))
    except RuleError:
        return False


def _phone_columns(seen: _Seen) -> list[int]:
    return [at for field, at in seen.columns.items() if base_name(field) in _NUMBERS]


def _valid_in(numbers: Sequence[str], hinted: Iterable[str]) -> list[str]:
    """Return the countries in which most of the numbers are valid, the `hinted` ones first. If one
    of them is, the others are not tried."""
    found = [region for region in hinted if _are_valid(numbers, region)]
    return found or [region for region in _numbered_countries() if _are_valid(numbers, region)]


def _are_valid(numbers: Sequence[str], region: str, *, loosely: bool = False) -> bool:
    """Return whether most numbers are valid in a country; `loosely`: by their length alone."""
    import phonenumbers

    if not region:
        return False
    invalid = 0
    for number in numbers:
        try:
            parsed = phonenumbers.parse(number, region)
            is_valid = (
                phonenumbers.is_possible_number(parsed)
                if loosely
                else phonenumbers.is_valid_number_for_region(parsed, region)
            )
            invalid += not is_valid
        except phonenumbers.NumberParseException:
            invalid += 1
        if invalid > _MOST_OTHERS * len(numbers):
            return False
    return True


@cache
def _numbered_countries() -> Sequence[str]:
    import phonenumbers  # takes a tenth of a second, and most files need no country

    return sorted(phonenumbers.SUPPORTED_REGIONS)


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
    for region in _countries(seen):
        hints.setdefault(region, "the time zone")
    codes = seen.columns.get("currency_code")
    currencies = {row.cells[codes] for row in seen.rows} if codes is not None else set()
    for code in sorted({*currencies, seen.known.get("currency_code") or ""}):
        if len(code) == 3:  # its first two letters are those of its country, except EUR
            hints.setdefault(code[:2].upper(), "the currency")
    return hints


@cache
def _countries_of_zones() -> Mapping[str, Sequence[str]]:
    # Not zone1970.tab, in which Amsterdam and Oslo are missing: they have the times of others.
    text = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return {zone: [code] for code, _, zone, *_ in lines}


_KEYS: Final[Mapping[str, Callable[[_Seen], Proposal]]] = {
    "destination": _destination,
    "customer_id": _customer_id,
    "conversion_action": _conversion_action,
    "time_zone": _time_zone,
    "day_first": _day_first,
    "decimal_comma": _decimal_comma,
    "currency_code": _currency_code,
    "encoding": _encoding,
    "header_row": _header_row,
    "phone_region": _phone_region,
    "ad_user_data": _ad_user_data,
}
"""Key of a profile → what the file shows of it, unless a person has decided on it."""
