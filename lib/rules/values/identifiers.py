"""User identifiers: normalized the way Google matches them, then hashed.

Google's rules: https://developers.google.com/data-manager/api/devguides/concepts/formatting
A value that can't be used raises `RuleError`, whose text never contains the value.
"""

import re
import unicodedata
from hashlib import sha256
from typing import Final

from lib.errors import RuleError
from lib.model.spelling import FULL_WIDTH, INVISIBLE
from lib.rules.values.cells import Memo
from lib.rules.values.countries import find_country_code

_GMAIL = frozenset({"gmail.com", "googlemail.com"})

_WITHOUT_INVISIBLE = dict.fromkeys(map(ord, INVISIBLE))

# Characters that wrap, separate, mask or follow email addresses. A bare address contains none.
_WRAPPING = re.compile(r"""[<>()\[\]:;,"|\\*?]""").search
# The same, white space and apostrophes. Nearly every cell contains none: it is a bare address.
_NOT_BARE = re.compile(r"""[\x00-\x20\x7f<>()\[\]:;,"|\\*?']""").search
# A domain may have letters of any script.
_NOT_IN_DOMAIN = re.compile(r"[^a-z0-9.\-\x80-\U0010ffff]").search
_MAILTO = "mailto:"
_NO_DIGEST = sha256(b"").hexdigest()

_WITH_FIVE_DIGITS = frozenset(("DE", "ES", "FI", "FR", "IT", "MX", "US"))
"""Countries whose postal codes all have five digits, of which some begin with a zero."""

_is_hex64 = re.compile("[0-9a-fA-F]{64}", re.ASCII).fullmatch


def normalize_email(value: str) -> str:
    """Return the address in lower case without white space.

    For gmail.com and googlemail.com, dots and `+suffix` in the local part are also removed:
    `cloudy.sanfrancisco+shopping@gmail.com` -> `cloudysanfrancisco@gmail.com`. `mailto:` and
    `Name <...>` around the address are removed.

    Raises INVALID_EMAIL unless there is exactly one `@` with text on both sides. Also raises it for
    text that is more or less than an address (it contains `<>()[]:;,"|\\*?`, begins or ends with
    an apostrophe, or what follows the `@` can't be a domain): its digest would match nobody.
    """
    email = value.lower()
    if _NOT_BARE(email) or not email.isascii():
        email = _unwrapped("".join(value.translate(_WITHOUT_INVISIBLE).split()).lower())
    local, _, domain = email.partition("@")
    if not local:
        raise RuleError("INVALID_EMAIL")
    if _IS_GMAIL[domain]:
        local = local.partition("+")[0].replace(".", "")
        if not local:
            raise RuleError("INVALID_EMAIL")
        return f"{local}@{domain}"
    return email


def _is_gmail(domain: str) -> bool:
    """Return whether a domain is Gmail's. Raises INVALID_EMAIL if it can't be a domain."""
    last = domain.rpartition(".")[2]
    # Only Punycode has a hyphen in the last part of a domain: `jane@example.com - work` is a note.
    if not last or ("-" in last and last[:4] != "xn--") or _NOT_IN_DOMAIN(domain):
        raise RuleError("INVALID_EMAIL")
    return domain in _GMAIL


# Most addresses in a file share a few domains.
_IS_GMAIL: Final = Memo(_is_gmail)


def _unwrapped(email: str) -> str:
    """Return the address without `mailto:` and `Name <...>`. The result must be a bare address."""
    if email[-1:] == ">" and email.count("<") == 1 == email.count(">"):
        email = email[email.index("<") + 1 : -1]
    email = email.removeprefix(_MAILTO)
    if _WRAPPING(email) or "'" in (email[:1], email[-1:]):
        raise RuleError("INVALID_EMAIL")
    return email


def normalize_name(value: str) -> str:
    """Return a given or family name: trimmed, lower case, Unicode NFC.

    Inner spaces, punctuation and diacritics stay. Raises ADDRESS_INCOMPLETE if nothing is left.
    """
    name = value.strip().lower()
    if not name.isascii():
        # NFC can turn one type of space into another, so trim after it.
        name = unicodedata.normalize("NFC", name.strip(INVISIBLE)).strip()
    if not name:
        raise RuleError("ADDRESS_INCOMPLETE")
    return name


def normalize_postal_code(value: str) -> str:
    """Return the postal code, trimmed, without full-width characters and the `.0` of a number.

    Raises ADDRESS_INCOMPLETE if nothing is left.
    """
    code = value.strip().translate(FULL_WIDTH)
    if not code:
        raise RuleError("ADDRESS_INCOMPLETE")
    # As for order IDs, an empty cell in the column makes some programs write 94103.0.
    return code[:-2] if code[-2:] == ".0" and code[:-2].isdecimal() else code


def with_lost_zeros(postal_code: str, country_code: str) -> str:
    """Return a postal code with the zeros that spreadsheets drop: `7030` in the US -> `07030`."""
    has_five = country_code in _WITH_FIVE_DIGITS and postal_code.isdecimal()
    return postal_code.zfill(5) if has_five else postal_code


def normalize_region_code(value: str) -> str:
    """Return the ISO 3166-1 alpha-2 code of a country: `us`, `USA` and `United States` -> `US`.

    Raises INVALID_REGION.
    """
    code = find_country_code(value)
    if code is None:
        raise RuleError("INVALID_REGION")
    return code


def sha256_hex(normalized: str) -> str:
    """Return the SHA-256 of the UTF-8 bytes, as 64 lower-case hex digits."""
    return sha256(normalized.encode("utf-8", "surrogatepass")).hexdigest()


def is_digest(value: str) -> bool:
    """Return whether the value is already a digest: exactly 64 hex digits."""
    return len(value) == 64 and _is_hex64(value) is not None


def parse_digest(value: str) -> str:
    """Return the SHA-256 digest in a cell, in lower case.

    Raises INVALID_DIGEST, also for the digest of an empty cell.
    """
    digest = value.strip().lower()
    if _is_hex64(digest) is None or digest == _NO_DIGEST:
        raise RuleError("INVALID_DIGEST")
    return digest
