"""Data about the website visit: IP address, browser and session attributes."""

import binascii
import re
from base64 import b64decode
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from lib.errors import RuleError
from lib.rules.values.cells import parse_json

# https://support.google.com/google-ads/answer/16194756
SESSION_ATTRIBUTE_KEYS: Final = frozenset(
    {
        "gad_source",
        "gad_campaignid",
        "landing_page_url",
        "session_start_time_usec",
        "landing_page_referrer",
        "landing_page_user_agent",
    }
)
_REQUIRED_KEYS: Final = frozenset({"gad_source", "gad_campaignid"})
_FEWEST_KEYS: Final = 4
"""Google asks for four of the six, and these two are among them."""
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}", re.ASCII)
_LONGEST: Final = 8192
# Values contain URLs with `=` and `;`, so a pair begins only at one of the known keys. White space
# before a key does not include line ends: each of them could start a match, so a cell of thousands
# of line ends would take quadratic time.
_PAIR_START: Final = re.compile(
    rf"(?:^|[;\n])[^\S\n]*({'|'.join(sorted(SESSION_ATTRIBUTE_KEYS))})\s*="
)


def parse_ip(value: str) -> str:
    """Return an IPv4 or IPv6 address in its shortest form. Raises INVALID_IP_ADDRESS."""
    try:
        address = ip_address(value.strip())
    except ValueError:
        address = None
    if address is None or getattr(address, "scope_id", None):
        raise RuleError("INVALID_IP_ADDRESS")
    return str(address)


def parse_user_agent(value: str) -> str:
    """Return the user agent of a browser, trimmed. Raises INVALID_USER_AGENT."""
    if len(value) > _LONGEST or not value.isprintable():
        raise RuleError("INVALID_USER_AGENT")
    return value.strip()


def parse_session_attributes_encoded(value: str) -> str:
    """Return the token from Google's script, trimmed: a JSON object in base64.

    Raises INVALID_SESSION_ATTRIBUTES.
    """
    token = value.strip()
    if len(token) <= _LONGEST and _ENCODED.fullmatch(token):
        try:
            padded = token.rstrip("=") + "=" * (-len(token.rstrip("=")) % 4)
            decoded = parse_json(b64decode(padded.translate(_URL_SAFE), validate=True).decode())
        except (binascii.Error, ValueError, RecursionError):
            decoded = None
        if isinstance(decoded, dict):
            return token
    raise RuleError("INVALID_SESSION_ATTRIBUTES")


_URL_SAFE: Final = str.maketrans("-_", "+/")


def parse_session_attributes_pairs(value: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs in `gad_source=1;gad_campaignid=123;...` or in a JSON object, in order.

    Raises INVALID_SESSION_ATTRIBUTES for any other format, an unknown key (in text: before the
    first known one, because a later one may be a part of an address), a repeated key, or an empty
    value.
    """
    text = value.strip()
    pairs = None
    if len(text) <= _LONGEST:
        pairs = _pairs_of_json(text) if text[:1] == "{" else _pairs_of_text(text)
    if not pairs or len(dict(pairs)) != len(pairs) or not all(content for _, content in pairs):
        raise RuleError("INVALID_SESSION_ATTRIBUTES")
    return pairs


def is_complete(pairs: Sequence[tuple[str, str]] | None) -> bool:
    """Return whether a row has as many session attributes as Google needs to use them."""
    keys = {key for key, _ in pairs or ()}
    return len(keys) >= _FEWEST_KEYS and keys >= _REQUIRED_KEYS


def _pairs_of_json(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return the pairs in a JSON object; None if it has others than session attributes."""
    try:
        decoded = parse_json(text)
    except (ValueError, RecursionError):
        return None
    if not all(
        key in SESSION_ATTRIBUTE_KEYS and isinstance(content, str | int)
        for key, content in decoded.items()
    ):
        return None
    return tuple((key, str(content).strip()) for key, content in decoded.items())


def _pairs_of_text(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return the pairs in `key=value;key=value`; None if something else stands before them."""
    starts = list(_PAIR_START.finditer(text))
    if not starts or text[: starts[0].start()].strip("; \n\r\t"):
        return None
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return tuple(
        (start[1], text[start.end() : end].strip(" ;\n\r\t"))
        for start, end in zip(starts, ends, strict=True)
    )
