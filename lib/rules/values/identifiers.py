"""User identifiers: normalized as Google matches them, then hashed.

The rules: https://developers.google.com/data-manager/api/devguides/concepts/formatting
Every function raises `RuleError`, whose text never holds the value.
"""

import re
import unicodedata
from hashlib import sha256

from lib.rules.values.countries import find_region
from lib.rules.values.errors import RuleError
from lib.rules.values.memo import Memo
from lib.rules.values.phones import normalize_phone

__all__ = [
    "is_digest",
    "normalize_email",
    "normalize_name",
    "normalize_phone",
    "normalize_postal_code",
    "normalize_region_code",
    "parse_digest",
    "sha256_hex",
]

_GMAIL = frozenset({"gmail.com", "googlemail.com"})

# Invisible characters that copying from spreadsheets, chats and web pages leaves behind: soft
# hyphen, zero-width spaces and joiners, direction marks, byte order mark. Nobody's address or
# name differs by them, but its digest would.
_INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e" + (
    "\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_WITHOUT_INVISIBLE = dict.fromkeys(map(ord, _INVISIBLE))

# What wraps an address, separates two of them, or follows one; a bare address has none of it.
_WRAPPING = re.compile(r"""[<>()\[\]:;,"|\\]""").search
# That, an apostrophe, white space: absent from nearly every cell, which then is the address.
_NOT_BARE = re.compile(r"""[\x00-\x20\x7f<>()\[\]:;,"|\\']""").search
_MAILTO = "mailto:"
# Domains as they were met: True for Gmail's. Most addresses have one of a few.
_DOMAINS: Memo[bool] = Memo()
_NO_DIGEST = sha256(b"").hexdigest()

_is_hex64 = re.compile("[0-9a-fA-F]{64}", re.ASCII).fullmatch


def normalize_email(value: str) -> str:
    """The address in lower case without any white space; for gmail.com and googlemail.com also
    without dots and `+suffix` in the local part.

    `cloudy.sanfrancisco+shopping@gmail.com` -> `cloudysanfrancisco@gmail.com`; `mailto:` and
    `Name <address>` are taken off. Raises INVALID_EMAIL unless there is exactly one `@` with
    something on both sides, and for what is more than an address (`<>()[]:;,"|\\` in it, an
    apostrophe or a point around it): a digest of that would match nobody.
    """
    email = value.lower()
    if _NOT_BARE(email) or not email.isascii():
        email = _unwrapped("".join(value.translate(_WITHOUT_INVISIBLE).split()).lower())
    local, _, domain = email.partition("@")
    is_gmail = _DOMAINS.get(domain)
    if is_gmail is None or not local:
        if not local or not domain or "@" in domain or domain[-1] == ".":
            raise RuleError("INVALID_EMAIL")
        is_gmail = _DOMAINS.keep(domain, domain in _GMAIL)
    if is_gmail:
        local = local.partition("+")[0].replace(".", "")
        if not local:
            raise RuleError("INVALID_EMAIL")
        return f"{local}@{domain}"
    return email


def _unwrapped(email: str) -> str:
    """The address without `mailto:` and `Name <...>`, if it's bare then."""
    if email[-1:] == ">" and email.count("<") == 1 == email.count(">"):
        email = email[email.index("<") + 1 : -1]
    email = email.removeprefix(_MAILTO)
    if _WRAPPING(email) or "'" in (email[:1], email[-1:]):
        raise RuleError("INVALID_EMAIL")
    return email


def normalize_name(value: str) -> str:
    """A given or family name: trimmed, lower case, Unicode NFC. Inner spaces, punctuation and
    diacritics stay. Raises INVALID_NAME when nothing is left."""
    name = value.strip().lower()
    if not name.isascii():
        # NFC can turn one kind of space into another, so trimming comes last.
        name = unicodedata.normalize("NFC", name.strip(_INVISIBLE)).strip()
    if not name:
        raise RuleError("INVALID_NAME")
    return name


def normalize_postal_code(value: str) -> str:
    """A postal code, trimmed and sent as it is. Raises EMPTY_POSTAL_CODE."""
    code = value.strip()
    if not code:
        raise RuleError("EMPTY_POSTAL_CODE")
    return code


def normalize_region_code(value: str) -> str:
    """The ISO 3166-1 alpha-2 code of a country: `us`, `USA` and `United States` -> `US`.
    Raises INVALID_REGION."""
    code = find_region(value)
    if code is None:
        raise RuleError("INVALID_REGION")
    return code


def sha256_hex(normalized: str) -> str:
    """SHA-256 of the UTF-8 bytes, as 64 lower case hex digits."""
    return sha256(normalized.encode("utf-8", "surrogatepass")).hexdigest()


def is_digest(value: str) -> bool:
    """Whether a value of a raw column is a digest already: exactly 64 hex digits."""
    return len(value) == 64 and _is_hex64(value) is not None


def parse_digest(value: str) -> str:
    """A SHA-256 digest that somebody else made, in lower case. Raises INVALID_DIGEST, also for
    the digest of an empty cell."""
    digest = value.strip().lower()
    if _is_hex64(digest) is None or digest == _NO_DIGEST:
        raise RuleError("INVALID_DIGEST")
    return digest
