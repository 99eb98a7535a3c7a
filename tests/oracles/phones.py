"""Phone numbers of all countries, as libphonenumber writes and reads them, with and without the
plus."""

from __future__ import annotations

from typing import Final

import phonenumbers
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType, ValidationResult

from lib.errors import RuleError
from lib.rules.values.phones import normalize_phone
from tests.oracles import Oracle, Verdict

REGIONS: Final = sorted(phonenumbers.SUPPORTED_REGIONS)
FORMS: Final = ("E164", "international", "national", "without plus", "without trunk", "00", ".0")


def written(region: str, kind: int, digits: str, form: str) -> str | None:
    """Return a number of a country as people and spreadsheets write it. Its last digits are
    `digits`."""
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return None
    national = phonenumbers.national_significant_number(example)
    national = national[: max(len(national) - len(digits), 1)] + digits
    code = str(example.country_code)
    number = phonenumbers.PhoneNumber(
        country_code=example.country_code,
        national_number=int(national),
        italian_leading_zero=national.startswith("0"),
        number_of_leading_zeros=len(national) - len(national.lstrip("0")) or None,
    )
    return {
        "E164": f"+{code}{national}",
        "international": phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        "national": phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        "without plus": f"{code}{national}",
        "without trunk": national,
        "00": f"00{code}{national}",
        ".0": f"{code}{national}.0",
    }[form]


def by_library(text: str, region: str | None) -> str | None:
    """Return what the library makes of a number, or None."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def is_mobile(e164: str | None) -> bool:
    """Return whether the library takes a number for a mobile one, as it is."""
    if e164 is None or by_library(e164, None) != e164:
        return False
    return phonenumbers.number_type(phonenumbers.parse(e164)) == PhoneNumberType.MOBILE


def check(region: str, kind: int, digits: str, form: str) -> Verdict:
    """Compare a number that is dialled in its own country."""
    text = written(region, kind, digits, form)
    if text is None:
        return "refused"
    try:
        ours = normalize_phone(text, region)
    except RuleError:
        return "refused"
    theirs = by_library(text.removesuffix(".0"), region)
    if ours == theirs:
        return "read"
    # A mobile number that has lost its plus, where national numbers have a trunk 0.
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    assert metadata.national_prefix == "0", (region, form, kind)
    assert form in ("without plus", ".0", "without trunk"), (region, form, kind)
    assert ours == "+" + text.removesuffix(".0"), (region, form, kind)
    assert is_mobile(ours), (region, form, kind)
    assert not is_mobile(theirs), (region, form, kind)
    return "explained"


ORACLE: Final = Oracle(
    "phone numbers of libphonenumber",
    {
        "region": st.sampled_from(REGIONS),
        "kind": st.sampled_from([0, 1, 1, 2, 3, 4, 6, 7, 8, 9]),
        "digits": st.text("0123456789", max_size=9),
        "form": st.sampled_from(FORMS),
    },
    check,
)
