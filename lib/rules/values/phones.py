"""Phone numbers in E.164: the results of libphonenumber, in most cases much faster.

`phonenumbers.parse` searches for a number in any text of any alphabet, and evaluates the metadata
of the region again for every number. This module has three steps instead:

1. One regular expression per region or calling code matches numbers that need no decision (no
   prefix to remove, a possible length). Their digits are the result.
2. Plain digits that need a decision (a trunk zero, `00`, a calling code without its plus) follow
   the steps of `phonenumbers.parse`, with metadata that is compiled once.
3. The library reads any other text (letters, extensions, `tel:`, other alphabets).

A test compares all three steps with the library for all regions, including errors. Some rules are
our own (`normalize_phone`). The library is imported when a file has such a column, or else when the
first number needs it: other files take no time for it.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final
from unicodedata import decimal

from lib.errors import RuleError
from lib.model.spelling import INVISIBLE
from lib.rules.values.countries import find_country_code
from lib.rules.values.identifiers import normalize_region_code

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata

# Punctuation that `phonenumbers.parse` ignores in any position.
_PUNCTUATION: Final = dict.fromkeys(
    map(ord, " ()-./\u00a0\u200b\u2010\u2011\u2012\u2013\u2014\u2015\u2060\u2212")
)
# The library accepts two digits only without punctuation, so it decides on them.
_FEWEST_DIGITS: Final = 3
_ZERO_DECIMALS: Final = (".0", ",0", ".00", ",00")
_WHOLE: Final = re.compile(r"(\+?[0-9]+)[.,]00?")
# What spreadsheets wrap a number in, and masks: `+49*****5678`, `0151 XXXXXXX`.
_WRAPPED_OR_MASKED: Final = re.compile(r"['\"=*\u2022]|[xX#]{2}|[" + re.escape(INVISIBLE) + "]")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_DIGIT: Final = re.compile(r"\d")
_NO_DIGIT: Final = re.compile(r"\D")
_SECOND_NUMBER: Final = re.compile(r"(?:[0-9][^0-9/]*){6}/\s*[+0]")
# MAX_INPUT_STRING_LENGTH and MAX_LENGTH_FOR_NSN of https://github.com/google/libphonenumber
_LONGEST_TEXT: Final = 250
_LONGEST_NUMBER: Final = 17
_CALLING_CODE: Final = re.compile(r"(\+|00)?([1-9][0-9]{0,2})")
_TRUNK_ZERO: Final = "0"

WITHOUT_NUMBERS: Final = frozenset({"AQ", "BV", "GS", "HM", "PN", "TF", "UM"})
"""Countries of countries.py that have no numbering plan of their own."""


def load_library() -> None:
    """Import the library now, and not when the first number needs it."""
    import phonenumbers  # noqa: F401


def normalize_phone_region(value: str) -> str:
    """Return the country of a phone number, from a country or its calling code: `in`, `India`,
    `+91` and `0091` -> `IN`.

    Several countries can share a calling code. It becomes the main one of them, because its numbers
    are dialled alike. `91` stays `91`, because it may be another number of a country: ISO's, or one
    of the system. `normalize_phone` decides. Raises INVALID_REGION.
    """
    match = _CALLING_CODE.fullmatch(value)
    if match is None:
        return normalize_region_code(value)
    import phonenumbers

    prefix, code = match.groups()
    region = phonenumbers.region_code_for_country_code(int(code))
    if region is None or find_country_code(region) is None:
        raise RuleError("INVALID_REGION")  # +800 is no country's, and ISO has no code for +247
    return region if prefix else code


def normalize_phone(value: str, region: str | None, only_if_sure: bool = False) -> str:
    """Return the number in E.164, as `phonenumbers` parses and formats it.

    There are four differences: `2125550100.0`, which spreadsheets and data frames make from digits,
    is accepted, and so are mobile numbers whose plus they have dropped, `4915112345678` with DE. A
    calling code as `region` without `+` is one only for numbers that are valid with it. And the
    library drops or converts what is no number at all: cells with two numbers, with a mask, with a
    word behind the number, or still wrapped (`'4915112345678`) are refused.

    `region` (ISO 3166-1 alpha-2) is the country in which a number without `+` is dialled:
    `(800)555-0100` with US -> `+18005550100`.

    Raises INVALID_PHONE unless the library classifies the number as possible, with its area code
    (`is_possible_number_with_reason` = IS_POSSIBLE). Raises PHONE_REGION_MISSING for a number
    without `+` if there is no region that the library knows. With `only_if_sure`, it also raises
    PHONE_MAYBE_INTERNATIONAL if the digits begin with the calling code of their own country, but
    the library reads them as a national number: `+` may be missing.
    """
    pattern = _E164.get(value[:4])
    if pattern is not None and pattern.fullmatch(value):
        return value
    if region and region.isdecimal():
        return _with_bare_code(value, region, only_if_sure)
    if value.endswith(_ZERO_DECIMALS) and (whole := _WHOLE.fullmatch(value)):
        value = whole[1]
    if "/" in value and _SECOND_NUMBER.search(value):
        raise RuleError("INVALID_PHONE")
    text = value.translate(_PUNCTUATION)
    digits = text[1:] if text[:1] in ("+", "\uff0b") else text
    if digits.isdecimal() and not digits.isascii():
        plain = "".join(str(decimal(each)) for each in digits)
        return normalize_phone("+" * (digits is not text) + plain, region, only_if_sure)
    if not digits.isdecimal() or len(digits) < _FEWEST_DIGITS or len(value) > _LONGEST_TEXT:
        return _by_library(value, region)
    if digits is not text:
        return _international(digits) or _by_library(value, region)
    plan = _plan_of_region(region)
    if plan is None:
        return _by_library(value, region)
    if plan.plain.fullmatch(digits):
        return plan.plus_code + digits
    return _dialled(digits, plan, only_if_sure)


def _with_bare_code(value: str, code: str, only_if_sure: bool) -> str:
    """Return the number, if it has a `+` or is valid with the calling code `code`, such as 91, of
    which nobody knows whether it is one (`normalize_phone_region`). Else raises INVALID_PHONE."""
    import phonenumbers

    region = phonenumbers.region_code_for_country_code(int(code))
    number = normalize_phone(value, region)
    if not (_has_plus(value) or _is_valid(number)):
        raise RuleError("INVALID_PHONE")
    return normalize_phone(value, region, only_if_sure)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The numbering plan of a region, or of a calling code without one, compiled."""

    code: str  # the calling code: "44"
    plus_code: str  # "+44"
    e164: re.Pattern[str]  # complete E.164 numbers that need no change
    plain: re.Pattern[str]  # national digits that need no change
    abroad: re.Pattern[str] | None  # dialled before a calling code: 00, 011
    has_trunk_zero: bool  # a national number is written with a 0 before it
    prefix: re.Pattern[str] | None  # dialled before a national number: 0, 1, a carrier code
    transform: str | None  # replacement for the prefix; None: nothing
    general: re.Pattern[str] | None  # all national numbers
    lengths: frozenset[int]  # of the national numbers of this region
    longest: int
    possible: frozenset[int]  # accepted lengths: those of the main region of the calling code


_E164: Final[dict[str, re.Pattern[str]]] = {}
"""Patterns by "+" and three digits, from the first number with these digits on."""


def _international(digits: str) -> str | None:
    """Return the number for the digits after a plus, or None if they begin with no calling code."""
    plan, national = _split_calling_code(digits)
    if plan is None:
        return None
    _E164.setdefault("+" + digits[:3], plan.e164)
    return _as_e164(plan, national)


def _dialled(digits: str, plan: _Plan, only_if_sure: bool) -> str:
    """Return the number for digits dialled in the region of `plan`.

    They are read in the order of `phonenumbers.parse`: first with an international prefix, then
    with the calling code of the region, and only then as a national number. What may be a number
    that has lost its plus is looked at last, among those that the library takes for national.
    """
    match = plan.abroad.match(digits) if plan.abroad is not None else None
    if match is not None and not digits.startswith("0", match.end()):
        # No calling code begins with a zero, so `00` before a zero is not an international prefix.
        abroad, national = _split_calling_code(digits[match.end() :])
        if abroad is None:
            raise RuleError("INVALID_PHONE")
        return _as_e164(abroad, national)
    if digits.startswith(plan.code):
        # The library drops the calling code, unless the digits are already a national number.
        national = _strip_prefix(digits[len(plan.code) :], plan)
        if len(digits) > plan.longest or (
            not _is_general(digits, plan) and _is_general(national, plan)
        ):
            return _as_e164(_main_plan(plan.code), national)
        if _has_lost_plus(digits, plan):
            return "+" + digits
        if only_if_sure and _is_general(national, plan) and _is_valid("+" + digits):
            raise RuleError("PHONE_MAYBE_INTERNATIONAL")
    return _as_e164(plan, digits)


def _has_lost_plus(digits: str, plan: _Plan) -> bool:
    """Return whether the digits begin with the calling code of their own country, and are a mobile
    number whose plus a spreadsheet has dropped.

    People write a national number with its trunk 0. Digits without it are a national number only if
    that would be a mobile one. Where no 0 is written, as in the US, nothing tells national numbers
    from those that lost their plus: 9 % of valid national numbers there would be valid after one.
    """
    if not (plan.has_trunk_zero and digits.startswith(plan.code)):
        return False
    return _is_mobile("+" + digits) and not _is_mobile(plan.plus_code + digits)


def _with_lost_plus(value: str, e164: str, region: str | None) -> str:
    """Return the number as `_dialled` does, if something stands beside it: `tel:4915112345678`."""
    plan = _plan_of_region(region)
    if plan is not None:
        digits = e164.removeprefix(plan.plus_code)
        is_written_so = _NO_DIGIT.sub("", value).startswith(digits)  # without a trunk 0
        if is_written_so and _has_lost_plus(digits, plan):
            return "+" + digits
    return e164


def _is_mobile(e164: str) -> bool:
    """Return whether a number is that of a mobile phone, exactly as it is written."""
    import phonenumbers

    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:  # too short
        return False
    is_unchanged = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == e164
    kind = phonenumbers.number_type(number)
    return is_unchanged and kind == phonenumbers.PhoneNumberType.MOBILE


def _is_valid(e164: str) -> bool:
    import phonenumbers

    return phonenumbers.is_valid_number(phonenumbers.parse(e164))


def _as_e164(plan: _Plan, national: str) -> str:
    """Return the number in E.164, without the prefix if the rest can be a number. Raises
    INVALID_PHONE if no number of the plan has this length."""
    if len(national) < 2:
        raise RuleError("INVALID_PHONE")
    stripped = _strip_prefix(national, plan)
    if len(stripped) in plan.lengths or len(stripped) > plan.longest:
        national = stripped
    if len(national) not in plan.possible:
        raise RuleError("INVALID_PHONE")
    return plan.plus_code + national


def _strip_prefix(number: str, plan: _Plan) -> str:
    """Do the same as `_maybe_strip_national_prefix_carrier_code` of `phonenumbers`."""
    match = plan.prefix.match(number) if plan.prefix is not None else None
    if plan.prefix is None or match is None:
        return number
    if plan.transform and match.groups()[-1] is not None:
        stripped = plan.prefix.sub(plan.transform, number, count=1)
    else:
        stripped = number[match.end() :]
    if _is_general(number, plan) and not _is_general(stripped, plan):
        return number
    return stripped


def _is_general(number: str, plan: _Plan) -> bool:
    """Return whether these national digits look like a number of the plan."""
    return plan.general is not None and plan.general.fullmatch(number) is not None


def _split_calling_code(digits: str) -> tuple[_Plan | None, str]:
    """Return the main plan of the calling code at the start of the digits, and the other digits.

    Calling codes have one to three digits, and no calling code is the start of another one.
    """
    codes = _calling_codes()
    if len(digits) >= _FEWEST_DIGITS:
        for length in (1, 2, 3):
            if digits[:length] in codes:
                return _main_plan(digits[:length]), digits[length:]
    return None, digits


@cache
def _calling_codes() -> frozenset[str]:
    import phonenumbers

    return frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


@cache
def _plan_of_region(region: str | None) -> _Plan | None:
    """Return the numbering plan of a region; None: the library has none."""
    import phonenumbers

    if region is None or region not in phonenumbers.SUPPORTED_REGIONS:
        return None
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    assert metadata is not None  # every supported region has metadata
    return _compile(metadata)


@cache
def _main_plan(code: str) -> _Plan:
    """Return the plan of the main region of a calling code."""
    return _compile(_main_metadata(int(code)))


def _main_metadata(code: int) -> "PhoneMetadata":
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(
        code, phonenumbers.region_code_for_country_code(code)
    )
    assert metadata is not None  # every calling code has metadata
    return metadata


def _compile(metadata: "PhoneMetadata") -> _Plan:
    """Return the plan in the library's metadata of a region."""
    code = str(metadata.country_code)
    prefix = metadata.national_prefix_for_parsing or None
    abroad = metadata.international_prefix or None
    general = metadata.general_desc
    # For all regions that share a calling code, the lengths of the main region apply.
    main = _main_metadata(int(code)).general_desc
    assert general is not None  # all metadata has it
    assert main is not None
    possible = frozenset(n for n in main.possible_length if n <= _LONGEST_NUMBER)

    # No prefix to remove: the prefix does not match, or it matches only the empty text at the start
    # (in many regions, all of it is optional).
    def unprefixed(start: str) -> str:
        return f"(?!(?:{prefix})(?!{start}))" if prefix else ""

    lengths = "|".join(f"[0-9]{{{n}}}" for n in sorted(possible))
    plus = rf"\+{code}"
    return _Plan(
        code=code,
        plus_code="+" + code,
        e164=re.compile(f"{plus}{unprefixed(f'(?<={plus})')}(?:{lengths})"),
        plain=re.compile(
            (f"(?!{abroad})" if abroad else "")
            + f"(?!{code}){unprefixed(chr(92) + 'A')}(?:{lengths})"
        ),
        abroad=re.compile(abroad) if abroad else None,
        has_trunk_zero=metadata.national_prefix == _TRUNK_ZERO,
        prefix=re.compile(prefix) if prefix else None,
        transform=metadata.national_prefix_transform_rule or None,
        general=re.compile(general.national_number_pattern)
        if general.national_number_pattern
        else None,
        lengths=frozenset(general.possible_length),
        longest=general.possible_length[-1],
        possible=possible,
    )


def _by_library(value: str, region: str | None) -> str:
    """Do what `normalize_phone` does, with the library alone."""
    import phonenumbers

    if _WRAPPED_OR_MASKED.search(value):
        raise RuleError("INVALID_PHONE")
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException as error:
        no_code = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
    else:
        reason = phonenumbers.is_possible_number_with_reason(number)
        if reason == phonenumbers.ValidationResult.IS_POSSIBLE:
            if number.extension is None and _has_word(value, region):
                raise RuleError("INVALID_PHONE")
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            return e164 if _has_plus(value) else _with_lost_plus(value, e164, region)
        no_code = False
    # Raised outside the `except` block, so that the library's exception is not its context.
    if no_code and region not in phonenumbers.SUPPORTED_REGIONS and not _has_plus(value):
        raise RuleError("PHONE_REGION_MISSING")
    raise RuleError("INVALID_PHONE")


def _has_word(value: str, region: str | None) -> bool:
    """Return whether letters behind the first digit are no part of the number, as in
    `0151 1234567 mobil`: without them, it has a possible length too, or with them it is not valid.
    """
    import phonenumbers

    first = _DIGIT.search(value)
    if first is None or not _LETTERS.search(value, first.end()):
        return False
    without = value[: first.end()] + _LETTERS.sub("", value[first.end() :])
    with suppress(phonenumbers.NumberParseException):
        if phonenumbers.is_possible_number(phonenumbers.parse(without, region)):
            return True
    return not phonenumbers.is_valid_number(phonenumbers.parse(value, region))


def _has_plus(value: str) -> bool:
    """Return whether a plus, perhaps of full width, stands before the first digit."""
    first = re.search(r"[+\uff0b\d]", value)
    return first is not None and first.group() in "+\uff0b"
