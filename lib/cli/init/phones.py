"""The country of phone numbers without a plus, from the numbers themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final

from lib.cli.init.findings import Entry, Found, Question
from lib.cli.init.sample import SampleRow
from lib.model.fields import base_name
from lib.rules.values.countries import find_region

_MOST_NUMBERS: Final = 50
"""They are compared with the numbering plans of all countries."""
_FEWEST_VALID: Final = 0.8
"""Share of the numbers that must be valid in a country. A few are always mistyped."""
_NUMBERS: Final = ("phone", "caller_id")
_INTERNATIONAL: Final = ("+", "00")


def phone_region(
    rows: Sequence[SampleRow],
    columns: Mapping[str, int],
    values: Mapping[str, str | None],
    decided: bool,
) -> Found:
    """Return the country in which the numbers are valid. `values` are the currency and the time
    zone of the profile, which decide if there are several."""
    numbers = [at for field, at in columns.items() if base_name(field) in _NUMBERS]
    countries = columns.get("country_code")
    national, international = [], []
    for row in rows:
        if countries is not None and find_region(row.cells[countries]):
            continue
        for cell in (row.cells[at] for at in numbers):
            if cell.startswith(_INTERNATIONAL):
                international.append(cell)
            elif sum(map(str.isdigit, cell)) >= 5:
                national.append(cell)
    if decided or not national:
        return Found()
    hints = _hints(international[:_MOST_NUMBERS], rows, columns, values)
    valid = _valid_in(national[:_MOST_NUMBERS])
    hinted = next((region for region in hints if region in valid), None)
    if len(valid) == 1 or hinted:
        region = hinted or valid[0]
        others = len(valid) - 1
        reason = f"Numbers without + are valid in {region}"
        reason += (
            f", to which {hints[region]} points ({others} other countries fit)." if others else "."
        )
        return Found((Entry("phone_region", region, reason),))
    text = "Country of the phone numbers without +, as two letters"
    return Found(questions=(Question("phone_region", "--phone-region", text, "", True),))


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


def _hints(
    international: Sequence[str],
    rows: Sequence[SampleRow],
    columns: Mapping[str, int],
    values: Mapping[str, str | None],
) -> dict[str, str]:
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
    if zone := values.get("time_zone"):
        for region in _countries_of_zones().get(zone, ()):
            hints.setdefault(region, "the time zone")
    codes = columns.get("currency_code")
    currencies = {row.cells[codes] for row in rows} if codes is not None else set()
    for code in sorted({*currencies, values.get("currency_code") or ""}):
        if len(code) == 3:  # its first two letters are those of its country, except EUR
            hints.setdefault(code[:2].upper(), "the currency")
    return hints


@cache
def _countries_of_zones() -> Mapping[str, Sequence[str]]:
    text = resources.files("tzdata.zoneinfo").joinpath("zone1970.tab").read_text("utf-8")
    lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return {zone: codes.split(",") for codes, _, zone, *_ in lines}
