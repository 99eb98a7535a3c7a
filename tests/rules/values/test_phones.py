"""Phone numbers: the fast rules give the same results as libphonenumber."""

import random
import re
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType, ValidationResult

from lib.errors import RuleError
from lib.rules.values.countries import _codes_by_name
from lib.rules.values.phones import WITHOUT_NUMBERS, normalize_phone, normalize_phone_region

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
MOBILE = PhoneNumberType.MOBILE


def by_library(value: str, region: str | None) -> str | None:
    """Return the number as the library normalizes it; None if the library refuses it."""
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def expected(value: str, region: str | None) -> str | None:
    """Return the library's result, except for a mobile number that has lost its plus: digits that
    begin with the calling code of a country that writes a trunk 0."""
    found = by_library(value, region)
    digits = value.translate(dict.fromkeys(map(ord, " ()-./\u00a0")))
    metadata = None if region is None else PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.national_prefix != "0" or not re.fullmatch("[0-9]+", digits):
        return found
    is_mobile = digits.startswith(str(metadata.country_code)) and type_of(f"+{digits}") == MOBILE
    return f"+{digits}" if is_mobile and type_of(found) != MOBILE else found


def type_of(e164: str | None) -> int:
    """Return the library's type of a number that it has not changed."""
    if e164 is None or by_library(e164, None) != e164:
        return PhoneNumberType.UNKNOWN
    return phonenumbers.number_type(phonenumbers.parse(e164))


def by_us(value: str, region: str | None) -> str | None:
    """Return the number as our rule normalizes it; None if the rule refuses it."""
    try:
        return normalize_phone(value, region)
    except RuleError:
        return None


def numbers_of(region: str, chance: random.Random) -> Iterator[str]:
    """Yield valid and invalid numbers of a region in every notation."""
    metadata = PhoneMetadata.metadata_for_region(region)
    code = str(metadata.country_code)
    trunk = metadata.national_prefix or "0"

    def digits(count: int) -> str:
        return "".join(chance.choices("0123456789", k=count))

    for kind in range(11):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        for form in (0, 1, 2, 3):
            yield phonenumbers.format_number(example, form)
        national = phonenumbers.national_significant_number(example)
        kept = chance.randrange(1, len(national) + 1)
        national = national[:kept] + digits(len(national) - kept)
        yield from (
            national,
            trunk + national,
            "1" + national,
            code + national,
            "00" + code + national,
            "011" + code + national,
            "+" + code + national,
            f"+{code} (0) {national}",
            f"+{code}{trunk}{national}",
            f"(+{code}) {national[:2]}/{national[2:]}",
            f"({national[:2]}) {national[2:5]}-{national[5:]}",
            f"+{code} {national} ext. 12",
            f"{national} x5",
            f"tel:+{code}-{national}",
            f"{trunk}{national[:2]}\u00a0{national[2:]}",
        )
    for count in range(1, 19):
        some = digits(count)
        yield from (some, "+" + some, "+" + code + some, code + some, "0" + some, "00" + some)
    yield from ("1-800-FLOWERS", "", "+", "++" + code + digits(9), "none", "12 3+4567890")


@pytest.mark.parametrize("region", REGIONS)
def test_numbers_of_every_region_equal_the_library(region: str) -> None:
    """Any notation gives the library's result, with the own, and another or no default region."""
    chance = random.Random(region)
    for value in numbers_of(region, chance):
        for dialled_in in (region, chance.choice((None, chance.choice(REGIONS)))):
            ours = by_us(value, dialled_in)
            may_be_refused = value == "1-800-FLOWERS"  # where it is not valid
            assert ours == expected(value, dialled_in) or (may_be_refused and ours is None), (
                value,
                dialled_in,
            )


@given(
    st.text("0123456789+ ()-./x#;,~A\u00a0\u0661\uff0b\t", max_size=20),
    st.sampled_from([*REGIONS, None, "ZZ"]),
)
def test_any_text_equals_the_library(value: str, region: str | None) -> None:
    """Any text gives the library's result, except digits with decimals that are 0. Letters behind a
    digit and a second number may be refused."""
    assume(not re.fullmatch(r"\+?\d+[.,]00?", value))
    ours = by_us(value, region)
    may_be_refused = re.search(r"\d.*[xA]|xx|##|/\s*[+0]", value)
    assert ours == expected(value, region) or (may_be_refused and ours is None)


@given(st.text("0123456789+ ()-", max_size=18), st.sampled_from(REGIONS))
def test_normalizing_a_phone_twice_changes_nothing(value: str, region: str) -> None:
    """A normalized number is normalized again exactly as the library does it."""
    once = by_us(value, region)
    if once is not None:
        assert by_us(once, None) == by_library(once, None)


@pytest.mark.parametrize(
    "value, region, e164",
    [
        ("(800)555-0100", "US", "+18005550100"),
        ("+1 800 5550102", None, "+18005550102"),
        ("1 800 555 0100", "US", "+18005550100"),
        ("+18005550100", None, "+18005550100"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("0044 20 7946 0958", "DE", "+442079460958"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("(800) 555-0100 ext. 7", "US", "+18005550100"),
        ("030 123456 ext. 12", "DE", "+4930123456"),
        ("+49/0151/1234567", None, "+491511234567"),
        (
            "\uff14\uff19\uff11\uff15\uff11\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
            "DE",
            "+4915112345678",
        ),
        ("06 1234 5678", "IT", "+390612345678"),
        ("2125550100.0", "US", "+12125550100"),
        ("12125550100,0", "US", "+12125550100"),
        ("+12125550100.0", None, "+12125550100"),
        ("9855550123", "91", "+919855550123"),
        ("919855550123", "91", "+919855550123"),
        ("4915112345678", "DE", "+4915112345678"),
        ("49 151 12345678", "DE", "+4915112345678"),
        ("4915112345678.0", "DE", "+4915112345678"),
        ("4915112345678.00", "DE", "+4915112345678"),
        ("+4915112345678.00", None, "+4915112345678"),
        ("6281234567890", "ID", "+6281234567890"),
        ("020 7946 0958", "44", "+442079460958"),
        ("+1 212 555 0100", "44", "+12125550100"),
    ],
)
def test_a_phone_becomes_e164(value: str, region: str | None, e164: str) -> None:
    """Trunk zeros, prefixes, extensions and letters are converted as in the library."""
    assert normalize_phone(value, region) == e164


@pytest.mark.parametrize(
    "value, region, code",
    [
        ("(800)555-0100", None, "PHONE_REGION_MISSING"),
        ("8005550100", "AQ", "PHONE_REGION_MISSING"),
        ("555-0100", "US", "INVALID_PHONE"),
        ("12", "US", "INVALID_PHONE"),
        ("none", None, "INVALID_PHONE"),
        ("", None, "INVALID_PHONE"),
        ("+999 123456", None, "INVALID_PHONE"),
        ("+1 800 555 01000", None, "INVALID_PHONE"),
        ("1" * 300, "US", "INVALID_PHONE"),
        ("030 1234567", "1", "INVALID_PHONE"),
        ("0470 12 34 56", "56", "INVALID_PHONE"),
        ("338 123 4567", "380", "INVALID_PHONE"),
        ("4.91511E12", "DE", "INVALID_PHONE"),
        ("+49*****5678", None, "INVALID_PHONE"),
        ("xxx-xxx-0101", "DE", "INVALID_PHONE"),
        ("0151 XXXXXXX", "DE", "INVALID_PHONE"),
        ("0151 1234567 mobil", "DE", "INVALID_PHONE"),
        ("+49 30 123456 cell", None, "INVALID_PHONE"),
        ("030 123456 App. 12", "DE", "INVALID_PHONE"),
        ("030 12345 / 030 12346", "DE", "INVALID_PHONE"),
        ("1-800-FLOWERS", "DE", "INVALID_PHONE"),
        # These are read without what wraps them.
        ("'4915112345678", "DE", "INVALID_PHONE"),
        ('="4915112345678"', "DE", "INVALID_PHONE"),
        ("\u200e4915112345678", "DE", "INVALID_PHONE"),
    ],
)
def test_an_impossible_phone_is_refused(value: str, region: str | None, code: str) -> None:
    """An incomplete number is refused; neither its country nor its area code is guessed. So is what
    the library would make a number of: masks, words, and two numbers."""
    with pytest.raises(RuleError) as refused:
        normalize_phone(value, region)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "value, region",
    [
        ("+91", "IN"),
        ("0091", "IN"),
        ("91", "91"),
        ("971", "971"),
        ("001", "US"),
        ("in", "IN"),
        ("India", "IN"),
        ("091", "INVALID_REGION"),
        ("+0", "INVALID_REGION"),
        ("+247", "INVALID_REGION"),
        ("+383", "XK"),
        ("999", "INVALID_REGION"),
        ("800", "INVALID_REGION"),
        ("9198", "INVALID_REGION"),
        ("91 or 44", "INVALID_REGION"),
        ("Atlantis", "INVALID_REGION"),
    ],
)
def test_a_calling_code_is_a_country_of_phones(value: str, region: str) -> None:
    """A code that is none, or that no country has, is refused like an unknown country. Without
    plus or 00, its numbers decide."""
    try:
        found = normalize_phone_region(value)
    except RuleError as error:
        found = error.code
    assert found == region


# Of Ascension's +247, ISO knows no country.
@pytest.mark.parametrize("region", [each for each in REGIONS if each != "AC"])
def test_countries_that_share_a_calling_code_dial_alike(region: str) -> None:
    """The main country of a calling code reads the numbers of all."""
    example = phonenumbers.example_number(region)
    national = phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL)
    main = normalize_phone_region(f"+{example.country_code}")
    assert normalize_phone(national, main) == normalize_phone(national, region)


@pytest.mark.parametrize(
    "value, region, national",
    [
        ("62218354007", "ID", "+6262218354007"),
        ("62 21 8354007", "ID", "+6262218354007"),
    ],
)
def test_a_number_that_may_lack_its_plus_is_ambiguous(
    value: str, region: str, national: str
) -> None:
    """The library's answer is used, but with `only_if_sure=True` the ambiguity raises an error."""
    assert normalize_phone(value, region) == national == by_library(value, region)
    with pytest.raises(RuleError) as doubt:
        normalize_phone(value, region, only_if_sure=True)
    assert doubt.value.code == "PHONE_MAYBE_INTERNATIONAL"


@pytest.mark.parametrize("region", REGIONS)
def test_a_mobile_number_that_has_lost_its_plus_is_the_same(region: str) -> None:
    """With the country's calling code, a mobile number needs no plus."""
    example = phonenumbers.example_number_for_type(region, MOBILE)
    if example is not None:
        e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        assert normalize_phone(e164.removeprefix("+"), region, only_if_sure=True) == e164


@pytest.mark.parametrize("written", ["tel:{}", "Tel. {}", "[{}]", "{} ext. 7"])
def test_what_stands_beside_a_number_does_not_change_it(written: str) -> None:
    """A mobile number that has lost its plus is the same, and one with a trunk zero has none: 04915
    is an area in Germany."""
    assert normalize_phone(written.format("4915112345678"), "DE") == "+4915112345678"
    assert normalize_phone(written.format("04915 112345"), "DE") == "+494915112345"
    assert normalize_phone(written.format("+4915112345678"), "DE") == "+4915112345678"


def test_countries_without_numbers() -> None:
    """Every other country can be dialled, so a profile can name it."""
    assert set(_codes_by_name().values()) - set(REGIONS) == WITHOUT_NUMBERS


@pytest.mark.parametrize("region", REGIONS)
def test_example_numbers_are_never_ambiguous(region: str) -> None:
    """Example numbers are unambiguous with a plus sign and in national notation."""
    for kind in range(11):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        for form in (PhoneNumberFormat.E164, PhoneNumberFormat.NATIONAL):
            value = phonenumbers.format_number(example, form)
            expected = by_library(value, region)
            if expected is not None:
                assert normalize_phone(value, region, only_if_sure=True) == expected
