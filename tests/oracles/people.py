"""Email addresses, names and addresses as Google's own formatter normalizes them.

Its digests are those of Google, except where Google's guide says otherwise and comes first
(https://developers.google.com/data-manager/api/devguides/concepts/formatting): white space inside
an address is removed. For phone numbers it only puts a plus before any digits, so it is no oracle
for those.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from google.ads.datamanager_util import Formatter
from hypothesis import strategies as st

from lib.errors import RuleError
from lib.model.spelling import INVISIBLE, unwrap
from lib.rules.values.countries import find_country_code
from lib.rules.values.identifiers import (
    normalize_email,
    normalize_name,
    normalize_postal_code,
    normalize_region_code,
)
from tests.oracles import Oracle, Verdict

FORMATTER: Final = Formatter()
_LETTERS = st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Z"))
LOCAL = st.text("aBzÄé.+-_'0 \t", max_size=14) | st.text(_LETTERS, max_size=8)
DOMAIN = st.one_of(
    st.sampled_from(
        ["gmail.com", "GoogleMail.com", " gmail.com", "example.com", "Mail.Example.com"]
    ),
    st.text("aB.-@ ", max_size=8),
)
EMAILS = st.one_of(
    st.emails(),
    st.builds("{}@{}".format, LOCAL, DOMAIN),
    st.builds("{}{}@{}{}".format, st.sampled_from(" \t\u200b\ufeff\u00a0"), LOCAL, DOMAIN, LOCAL),
)
NAMES = st.one_of(
    st.text(_LETTERS, max_size=12),
    st.sampled_from(["O'Brien", " Mary-Jane ", "Åsa", "A\u030asa", "İpek", "ẞ", "Dr. No", "n/a"]),
)
CODES = st.text("0123456789 ABCxyz-", max_size=10)
REGIONS = st.text("ABCDEFGIKSUWXZ usgb", max_size=3) | st.sampled_from(["US", "uk", " de ", "GB"])


def _by_google(normalize: Callable[[str], str], text: str) -> str | None:
    try:
        return normalize(text)
    except ValueError:
        return None


def _by_us(normalize: Callable[[str], str], text: str) -> str | None:
    try:
        return normalize(text)
    except RuleError:
        return None


def check_email(text: str) -> Verdict:
    """Compare an email address. `mailto:`, `Name <...>` and invisible characters around it are
    removed, as people paste them."""
    ours = _by_us(normalize_email, text)
    if ours is None:
        return "refused"
    if ours == _by_google(FORMATTER.format_email_address, text):
        return "read"
    without_spaces = "".join(text.translate(dict.fromkeys(map(ord, INVISIBLE))).split())
    bare = re.sub(r".*<(.*)>$|^mailto:", r"\1", without_spaces, flags=re.IGNORECASE)
    assert ours == _by_google(FORMATTER.format_email_address, bare), (text, ours)
    return "explained"


def _check_name(text: str, normalize: Callable[[str], str]) -> Verdict:
    cell = unwrap(text, "name")
    ours = _by_us(normalize_name, cell)
    if ours is None:
        return "refused"
    theirs = _by_google(normalize, cell)
    if ours == theirs:
        return "read"
    # The guide asks for NFC, which the formatter leaves to its caller.
    visible = unicodedata.normalize("NFC", cell.lower().strip(INVISIBLE)).strip()
    assert theirs is not None, (text, ours)
    assert ours == visible, (text, ours, theirs)
    return "explained"


def check_address(given: str, family: str, postal_code: str, region: str) -> Verdict:
    """Compare the parts of an address. `UK` and names of countries are read, too."""
    verdicts = {
        _check_name(given, FORMATTER.format_given_name),
        _check_name(family, FORMATTER.format_family_name),
    }
    ours = _by_us(normalize_postal_code, postal_code)
    assert ours == _by_google(FORMATTER.format_postal_code, postal_code), (postal_code, ours)
    code = _by_us(normalize_region_code, region)
    theirs = _by_google(FORMATTER.format_region_code, region)
    if code is not None and code != theirs:
        assert find_country_code(region) == code, (region, code)
        assert len(code) == 2, (region, code)
        assert theirs in (None, "UK"), (region, code, theirs)
        verdicts.add("explained")
    verdicts |= {"refused"} if ours is None or code is None else {"read"}
    found: tuple[Verdict, ...] = ("refused", "explained", "read")
    return next(each for each in found if each in verdicts)


ORACLES: Final = (
    Oracle("email addresses of Google's formatter", {"text": EMAILS}, check_email),
    Oracle(
        "names and addresses of Google's formatter",
        {"given": NAMES, "family": NAMES, "postal_code": CODES, "region": REGIONS},
        check_address,
    ),
)
