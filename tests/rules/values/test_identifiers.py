"""Email addresses, names, digests and countries."""

import hashlib
import re
import unicodedata
from collections.abc import Callable

import pytest
from google.ads.datamanager_util import Formatter
from hypothesis import assume, given
from hypothesis import strategies as st

from lib.errors import RuleError
from lib.rules.values.identifiers import (
    is_digest,
    normalize_email,
    normalize_name,
    normalize_postal_code,
    normalize_region_code,
    parse_digest,
    sha256_hex,
    with_lost_zeros,
)
from lib.rules.values.phones import normalize_phone

DIGEST = hashlib.sha256(b"jane@example.com").hexdigest()


def code_of(rule: Callable[..., object], *arguments: object) -> str:
    """Return the code with which a rule refuses its arguments."""
    with pytest.raises(RuleError) as refused:
        rule(*arguments)
    return refused.value.code


def refusal_of(rule: Callable[[str], object], value: str) -> RuleError | None:
    """Return the error that a rule raises; None if it accepts the value."""
    try:
        rule(value)
    except RuleError as error:
        return error
    return None


@pytest.mark.parametrize(
    "raw, normalized",
    [
        ("cloudy.sanfrancisco+shopping@gmail.com", "cloudysanfrancisco@gmail.com"),
        ("user.name+NYC@Example.com", "user.name+nyc@example.com"),
        (" Jane.Doe@GoogleMail.com ", "janedoe@googlemail.com"),
        ("a.b+c+d@gmail.com", "ab@gmail.com"),
        ("jane@mail.gmail.com", "jane@mail.gmail.com"),
        ("j.d+x@example.gmail.com", "j.d+x@example.gmail.com"),
        ("\tjane @example\u00a0.com\r\n", "jane@example.com"),
        ("\ufeffjane\u200b@example.com\u200e", "jane@example.com"),
        ("J\u00dcRGEN@EXAMPLE.COM", "j\u00fcrgen@example.com"),
        ("mailto:Jane@example.com", "jane@example.com"),
        ("Jane Doe <Jane.Doe@gmail.com>", "janedoe@gmail.com"),
        ("<jane@example.com>", "jane@example.com"),
        ("<mailto:jane@example.com>", "jane@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("jane+a_b-c=d/e@ex-ample.co.uk", "jane+a_b-c=d/e@ex-ample.co.uk"),
        ("jane@example.xn--vermgensberater-ctb", "jane@example.xn--vermgensberater-ctb"),
        ("jane@\u0b89\u0ba4\u0bbe.\u0b87\u0bb2\u0b99\u0bcd\u0b95\u0bc8",) * 2,
    ],
)
def test_an_email_is_normalized_as_google_matches_it(raw: str, normalized: str) -> None:
    """Addresses become lower case without white space; only Gmail loses dots and suffix."""
    assert normalize_email(raw) == normalized


NO_ADDRESS = ("", " ", "jane", "@example.com", "jane@", "a@b@example.com")
EMPTY_BEFORE_THE_AT_SIGN = ("+x@gmail.com", "...@gmail.com")
WITH_EXTRA_TEXT = (
    *("jane@example.com;", "jane@example.com.", "jane@example.com,", "(jane@example.com)"),
    *("jane@example.com (work)", "'jane@example.com", "'jane@example.com'", '"jane@example.com'),
    *("jane@example.com\\", "jane@example.com|", "e-mail: jane@example.com", "<jane@example.com"),
    *("jane@[192.0.2.1]", "jane,doe@example.com", "jane@gmail.com;", "jane@gmail.com."),
    *("j\u00fcrgen@example.com;", "<jane@example.com> <joe@example.com>"),
    "jane@example.com;joe@example.com",
    *("jane@example.com - work", "jane@example.com -", "jane@example.com/"),
    *("jane@example.com*", "jane@example.com!", "jane@ex_ample.com", "jane@gmail.com/"),
    *("j***@example.com", "mailto:jane@example.com?subject=Hi", "jane@example.com\x00"),
)


@pytest.mark.parametrize("raw", [*NO_ADDRESS, *EMPTY_BEFORE_THE_AT_SIGN, *WITH_EXTRA_TEXT])
def test_an_invalid_email_is_refused(raw: str) -> None:
    """It must be one address, also when normalized: any other digest would never match anybody."""
    assert code_of(normalize_email, raw) == "INVALID_EMAIL"


EMAILS = st.one_of(
    st.emails(),
    st.builds(
        "{}@{}".format,
        st.text("aB.+ \t\u00c4\u03a3@", max_size=12),
        st.sampled_from(["gmail.com", "GoogleMail.com", "example.com", "", "x@y", " gmail.com"]),
    ),
)


@given(EMAILS)
def test_emails_equal_the_formatter_of_google(raw: str) -> None:
    """Addresses equal those of Google's formatter, except for inner white space (Google's guide
    removes it, the formatter refuses it) and text around an address (the formatter hashes it)."""
    bare = "".join(raw.split()).lower()
    assume(not re.search(r"""[<>()\[\]:;,"|\\*?]|^'|'$|@.*[^a-z0-9.-]|[.-]$""", bare))
    try:
        expected = Formatter().format_email_address("".join(raw.split()))
    except ValueError:
        expected = None
    try:
        actual = normalize_email(raw)
    except RuleError:
        actual = None
    assert actual == expected


@given(EMAILS | st.text())
def test_normalizing_an_email_twice_changes_nothing(raw: str) -> None:
    """Normalizing a normalized address changes nothing."""
    try:
        once = normalize_email(raw)
    except RuleError:
        return
    assert normalize_email(once) == once


@pytest.mark.parametrize(
    "raw, normalized",
    [
        ("  Jane ", "jane"),
        ("Mary Ann", "mary ann"),
        ("O'Neil-Smith", "o'neil-smith"),
        ("JOSE\u0301", "jos\u00e9"),
        ("\u00a0Zo\u00eb\u200b", "zo\u00eb"),
        ("\u0646\u06cc\u200c\u0644\u06cc", "\u0646\u06cc\u200c\u0644\u06cc"),
    ],
)
def test_a_name_is_trimmed_lower_case_and_composed(raw: str, normalized: str) -> None:
    """Inner spaces, punctuation, diacritics and joiners are kept."""
    assert normalize_name(raw) == normalized


@given(st.text())
def test_normalizing_a_name_twice_changes_nothing(raw: str) -> None:
    """Normalizing a normalized name changes nothing, and the name is in composed form."""
    try:
        once = normalize_name(raw)
    except RuleError:
        return
    assert normalize_name(once) == once
    assert unicodedata.is_normalized("NFC", once)


def test_an_empty_name_or_postal_code_is_refused() -> None:
    """An empty name or postal code is refused, because it can match nobody."""
    assert code_of(normalize_name, " \u200b") == "ADDRESS_INCOMPLETE"
    assert code_of(normalize_postal_code, " ") == "ADDRESS_INCOMPLETE"


@pytest.mark.parametrize(
    "raw, code",
    [
        (" SW1A 1AA ", "SW1A 1AA"),
        ("01067", "01067"),
        ("94103.0", "94103"),
        ("SW1A.0", "SW1A.0"),
        ("94103.00", "94103.00"),
        ("\uff11\uff10\uff10\uff0d\uff10\uff10\uff10\uff11", "100-0001"),
    ],
)
def test_a_postal_code_is_as_people_write_it(raw: str, code: str) -> None:
    """It is sent unhashed: only the `.0` of a number and full-width characters change."""
    assert normalize_postal_code(raw) == code


@pytest.mark.parametrize(
    ("code", "country", "sent"),
    [
        ("7030", "US", "07030"),
        ("901", "US", "00901"),
        ("1067", "DE", "01067"),
        ("07030-1234", "US", "07030-1234"),
        ("94103", "US", "94103"),
        ("8001", "CH", "8001"),
    ],
)
def test_a_postal_code_gets_back_the_zeros_that_a_spreadsheet_drops(
    code: str, country: str, sent: str
) -> None:
    """Where all codes have five digits, a shorter one can mean nothing else."""
    assert with_lost_zeros(code, country) == sent


@pytest.mark.parametrize(
    "raw, code",
    [
        ("US", "US"),
        (" us ", "US"),
        ("USA", "US"),
        ("United  States", "US"),
        ("UK", "GB"),
        ("C\u00f4te d\u2019Ivoire", "CI"),
        ("XK", "XK"),
        ("M\u00e9xico", "MX"),
        ("Bosnia & Herzegovina", "BA"),
        ("T\u00fcrkiye", "TR"),
        ("\u00d6sterreich", "AT"),
        ("Allemagne", "DE"),
        ("Korea, Republic of", "KR"),
        ("Curacao", "CW"),
    ],
)
def test_a_country_is_recognized_by_code_and_name(raw: str, code: str) -> None:
    """Country codes and names are accepted in the many ways that exports write them."""
    assert normalize_region_code(raw) == code


@pytest.mark.parametrize("raw", ["", "ZZ", "1", "Atlantis", "U S"])
def test_an_unknown_country_is_refused(raw: str) -> None:
    """An unknown country is refused, because it would lead to a wrong phone number."""
    assert code_of(normalize_region_code, raw) == "INVALID_REGION"


def test_the_digest_is_sha256_in_lower_case_hex() -> None:
    """The digest is that of the UTF-8 bytes, which even a lone surrogate has."""
    assert sha256_hex("j\u00fcrgen") == hashlib.sha256("j\u00fcrgen".encode()).hexdigest()
    assert len(sha256_hex("\ud800")) == 64


@pytest.mark.parametrize(
    "value, digest",
    [
        (DIGEST, True),
        (DIGEST.upper(), True),
        (DIGEST[:-1], False),
        (DIGEST + "0", False),
        (DIGEST[:-1] + "g", False),
        (DIGEST[:-1] + "\n", False),
        ("\u0660" * 64, False),
    ],
)
def test_a_digest_is_64_hex_digits(value: str, digest: bool) -> None:
    """In an unhashed column, only 64 hexadecimal digits count as already hashed."""
    assert is_digest(value) is digest


def test_a_hashed_column_takes_digests_only() -> None:
    """A hashed column accepts only digests, and they become lower case."""
    assert parse_digest(f" {DIGEST.upper()}\n") == DIGEST
    assert code_of(parse_digest, "jane@example.com") == "INVALID_DIGEST"


def test_the_digest_of_nothing_identifies_nobody() -> None:
    """The digest of an empty cell is refused, because some exports give it to many rows."""
    of_nothing = hashlib.sha256().hexdigest()
    assert code_of(parse_digest, f" {of_nothing.upper()}") == "INVALID_DIGEST"


@given(st.text(min_size=4))
def test_no_refusal_ever_shows_the_value(value: str) -> None:
    """An error has only the text of the catalogue and no chained exception."""
    for rule in (normalize_email, parse_digest, lambda v: normalize_phone(v, "US")):
        refusal = refusal_of(rule, value)
        if refusal is not None:
            assert refusal.args == (refusal.code,)
            assert refusal.__cause__ is None
            assert refusal.__context__ is None
            assert str(refusal) == refusal.code
