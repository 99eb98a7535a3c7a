"""Where a file comes from: the time zone of its times, the currency of its values, and the country
of its phone numbers. Each of them points to the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from lib.catalogue.texts import number_of_rows
from lib.cli.init.proposal import OPTIONS, Entry, Proposal, question
from lib.cli.init.sample import Basis, is_amount
from lib.model.fields import base_name
from lib.rules.roles import currency_in
from lib.rules.values.cells import RuleError, is_placeholder, without_accents
from lib.rules.values.countries import find_region
from lib.rules.values.currencies import CURRENCIES, CURRENCIES_BY_SIGN
from lib.rules.values.dates import is_moment, read_moment
from lib.rules.values.money import written_currency
from lib.rules.values.phones import normalize_phone

_MOST_NUMBERS: Final = 50
"""Phone numbers that are compared with the numbering plans of all countries."""
_MOST_OTHERS: Final = 0.2
"""Share of the phone numbers that may be invalid in their country, and of the values that may have
the sign of another currency. A few are always mistyped."""
_FEWEST_ABROAD: Final = 3
_EURO: Final = frozenset(
    re.findall(r"\w\w", "AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK")
)
_MOST_LIVE_IN: Final[Mapping[str, str]] = {
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CL": "America/Santiago",
    "ES": "Europe/Madrid",
    "ID": "Asia/Jakarta",
    "MX": "America/Mexico_City",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
}
"""Countries with several time zones. Not the US: everybody uses their currency."""
_NO_SIGN: Final = re.compile(r"[\d\s.,'’()+-]+")
_NUMBERS: Final = ("phone", "caller_id")
_INTERNATIONAL: Final = ("+", "00")


def time_zone(basis: Basis) -> Proposal:
    """Return a question if times state no offset, and neither do the file and its header."""
    sample, times = basis.sample, basis.time_column
    is_known = sample.table.time_zone or sample.header.units.get("conversion_date_time")
    if times is None or is_known or sample.field_of("time_zone") is not None:
        return Proposal()
    without = sum(_lacks_zone(row.cells[times]) for row in basis.rows)
    if not without:
        return Proposal()
    if _is_zone_of_file(basis):
        reason = (
            "The time zone of this computer, whose country is that of the file; "
            f"{OPTIONS['time_zone']} changes it."
        )
        return Proposal((Entry("time_zone", basis.local_zone, reason, is_assumed=True),))
    text = "Time zone of the times in the file"
    if without < sum(is_moment(row.cells[times]) for row in basis.rows):
        text += f" ({number_of_rows(without)} state none)"
    allowed = "its name, such as Europe/Berlin or America/Chicago"
    return question("time_zone", text, default=_likely_zone(basis), allowed=allowed, read=_zone_in)


def _zone_in(answer: str) -> dict[str, str]:
    """Return the time zone of a name, or of a city that has one: `São Paulo`."""
    key = _plain if "/" in answer else _city
    wanted = key(answer)
    return {"time_zone": next((z for z in _countries_by_zone() if key(z) == wanted), answer)}


def _city(zone: str) -> str:
    return _plain(zone.rpartition("/")[2])


def _plain(zone: str) -> str:
    return without_accents(zone).replace("_", " ").strip().casefold()


def _likely_zone(basis: Basis) -> str:
    """Return the time zone of this computer, or of the only country to which the file points, if
    that is another one and has one time zone, or one in which most people live."""
    by_zone = _countries_by_zone()
    countries = _countries_of_file(basis)
    if len(countries) != 1 or not countries.isdisjoint(by_zone.get(basis.local_zone, ())):
        return basis.local_zone
    (country,) = countries
    zones = [zone for zone, found in by_zone.items() if country in found]
    offsets = {basis.now.astimezone(ZoneInfo(zone)).utcoffset() for zone in zones}
    only = zones[0] if len(offsets) == 1 else basis.local_zone
    return _MOST_LIVE_IN.get(country, only)


def _is_zone_of_file(basis: Basis) -> bool:
    """Return whether the time zone of this computer is the only one of its country, and the file
    comes from there: by its currency, or by the countries of its rows."""
    zones = _countries_by_zone()
    for country in zones.get(basis.local_zone, ()):
        others = [zone for zone, countries in zones.items() if country in countries]
        offsets = {basis.now.astimezone(ZoneInfo(zone)).utcoffset() for zone in others}
        if len(offsets) == 1 and country in _countries_of_file(basis):
            return True
    return False


def _countries_of_file(basis: Basis) -> set[str]:
    """Return the countries to which cells of the file point; also that of this computer's time
    zone, if the phone numbers are valid there."""
    phones = [row.cells[at] for at in _phone_columns(basis) for row in basis.rows if row.cells[at]]
    here = _countries_by_zone().get(basis.local_zone, ())
    found = {each for each in here if phones and _are_valid(phones[:_MOST_NUMBERS], each)}
    if (at := basis.columns.get("country_code")) is not None:
        found.update(filter(None, (find_region(row.cells[at]) for row in basis.rows)))
    currencies = set[str | None]()
    if (at := basis.columns.get("currency_code")) is not None:
        currencies.update(map(currency_in, {row.cells[at] for row in basis.rows}))
    if (at := basis.columns.get("conversion_value")) is not None:
        currencies.update(map(_written, {row.cells[at] for row in basis.rows}))
        currencies.add(basis.sample.header.units.get("conversion_value"))
    currencies.discard(None)
    for zones in _countries_by_zone().values():
        found.update(each for each in zones if _currency_of(each) in currencies)
    return found


def _lacks_zone(cell: str, *, day_first: bool = False) -> bool:
    try:
        read_moment(cell, None, day_first=day_first)
    except RuleError as error:
        if error.code == "DATE_ORDER_MISMATCH" and not day_first:
            return _lacks_zone(cell, day_first=True)
        return error.code in ("DATE_WITHOUT_ZONE", "UNKNOWN_TIME_ZONE")
    return False


def currency_code(basis: Basis) -> Proposal:
    """Return the currency next to the values, or a question if values have none."""
    values, codes = basis.columns.get("conversion_value"), basis.columns.get("currency_code")
    if values is None or basis.sample.header.units.get("conversion_value"):
        return Proposal()
    without = [
        row.cells[values]
        for row in basis.rows
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
    countries = (*_countries_of_zone(basis), basis.known.get("phone_region"))
    likely = next(filter(None, map(_currency_of, filter(None, countries))), "")
    header = basis.sample.names[values]
    if sign := _sign_of(likely, (header.split()[-1], *without)):
        reason = (
            f"The values of {rows} without a currency have the sign {sign}, which fits the "
            f"country; {OPTIONS['currency_code']} changes it."
        )
        return Proposal((Entry("currency_code", likely, reason, is_assumed=True),))
    return question(
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


def _sign_of(currency: str, cells: Iterable[str]) -> str:
    """Return the sign that some values have, if it may mean this currency and others: $ or R."""
    unclear = [each.casefold() for each in cells if _written(each) is None]
    signs = (_NO_SIGN.sub("", each) for each in unclear)
    return next((each for each in signs if currency in CURRENCIES_BY_SIGN.get(each, ())), "")


def _has_unclear_sign(cell: str) -> bool:
    """Return whether a value has the sign of several currencies: `$1,250`."""
    has_sign = _NO_SIGN.sub("", cell.casefold()) in CURRENCIES_BY_SIGN
    return has_sign and _written(cell) is None


def _written(cell: str) -> str | None:
    try:
        return written_currency(cell)
    except RuleError:
        return None


def phone_region(basis: Basis) -> Proposal:
    """Return the country in which the phone numbers without a plus are valid. If there are several,
    something else in the file decides."""
    columns = _phone_columns(basis)
    countries = basis.columns.get("country_code")
    if countries is not None and (home := _country_of_all_numbers(basis, columns, countries)):
        reason = f"Most numbers in rows of other countries are possible in {home} alone."
        why = f"country_code: the phone numbers are from {home}, wherever a person lives."
        country = Entry("headers", {"country_code": []}, why)
        return Proposal((country, Entry("phone_region", home, reason)))
    national, international = [], []
    for row in basis.rows:
        if countries is not None and find_region(row.cells[countries]):
            continue
        for cell in (row.cells[at] for at in columns):
            if cell.startswith(_INTERNATIONAL):
                international.append(cell)
            elif sum(map(str.isdigit, cell)) >= 5:
                national.append(cell)
    if not national:
        return Proposal()
    hints = _hints(international[:_MOST_NUMBERS], basis)
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
    is_allowed = _every_country().__contains__
    default = likely if is_possible else ""
    return question("phone_region", text, default=default, allowed=allowed, is_allowed=is_allowed)


def _country_of_all_numbers(basis: Basis, columns: Sequence[int], countries: int) -> str | None:
    """Return the country of most rows, if most phone numbers in the other rows are from there,
    too: some programs store the country of the address."""
    regions = [find_region(row.cells[countries]) for row in basis.rows]
    home = max(filter(None, regions), key=regions.count, default=None)
    abroad = [
        (row.cells[at], region)
        for row, region in zip(basis.rows, regions, strict=True)
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


def _phone_columns(basis: Basis) -> list[int]:
    return [at for field, at in basis.columns.items() if base_name(field) in _NUMBERS]


def _valid_in(numbers: Sequence[str], hinted: Iterable[str]) -> list[str]:
    """Return the countries in which most of the numbers are valid, the `hinted` ones first. If one
    of them is, the others are not tried."""
    found = [region for region in hinted if _are_valid(numbers, region)]
    return found or [region for region in _every_country() if _are_valid(numbers, region)]


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
def _every_country() -> Sequence[str]:
    import phonenumbers  # takes a tenth of a second, and most files need no country

    return sorted(phonenumbers.SUPPORTED_REGIONS)


def _hints(international: Sequence[str], basis: Basis) -> dict[str, str]:
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
    for region in _countries_of_zone(basis):
        hints.setdefault(region, "the time zone")
    codes = basis.columns.get("currency_code")
    currencies = {row.cells[codes] for row in basis.rows} if codes is not None else set()
    for code in sorted({*currencies, basis.known.get("currency_code") or ""}):
        if len(code) == 3:  # its first two letters are those of its country, except EUR
            hints.setdefault(code[:2].upper(), "the currency")
    return hints


def _countries_of_zone(basis: Basis) -> Sequence[str]:
    """Return the countries of the time zone."""
    return _countries_by_zone().get(basis.known.get("time_zone", ""), ())


@cache
def _countries_by_zone() -> Mapping[str, Sequence[str]]:
    # Not zone1970.tab, in which Amsterdam and Oslo are missing: they have the times of others.
    text = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return {zone: [code] for code, _, zone, *_ in lines}
