"""Click IDs: refuses only impossible values. Google decides on the rest (UNPARSEABLE_*)."""

import re
from typing import Final
from urllib.parse import unquote

from lib.errors import RuleError
from lib.rules.values.cells import is_placeholder

SHORTEST: Final = 10
"""No real click ID is shorter. Google documents no length, so this leaves room for new kinds."""
# URL-safe base64 today. Allowing dots, tildes, padding and percent signs does no harm.
_CLICK_ID: Final = re.compile(r"(?=.{1,1024}$)[\w.~%+/-]+=*", re.ASCII)
# Written by web analytics and templates if there was no ad click.
_NO_CLICK: Final = frozenset(
    {
        *("gclid", "gbraid", "wbraid", "%7bgclid%7d", "%7bgbraid%7d", "%7bwbraid%7d"),
        *("direct", "organic", "referral", "email", "test", "true", "false", "yes", "no"),
        *("not_provided", "not_available"),
    }
)
# Numbers and dates, also as spreadsheets reformat them: the columns were mixed up. Every click ID
# has letters, and the shortest ones have more than twenty characters.
_NO_LETTERS: Final = re.compile(
    r"[\d./%+-]{1,20}|\d+(?:\.\d+)?[eE][+-]?\d+|\d{4}-\d\d-\d\d(?:T[\d.+-]*Z?)?", re.ASCII
)
_FIELDS: Final = ("gclid", "gbraid", "wbraid")
_PARAMETER: Final = {
    field: re.compile(
        rf"(?:^|[?&#|;,\s]){field}=([^&#|;,\s\"'<>()]*)|\"{field}\": ?\"([^\"\s]*)\"",
        re.ASCII | re.IGNORECASE,
    )
    for field in _FIELDS
}
_LINE_OF_NOTE: Final = {
    field: re.compile(
        rf"(?:^|[|;,\s]){field}: ?([\w-]{{{SHORTEST},}}=*)(?=[|;,\s]|$)", re.ASCII | re.IGNORECASE
    )
    for field in _FIELDS
}
# Programs put one in place of the rest of a long text.
_ELLIPSIS: Final = re.compile(r"\u2026|\.\.\.")
_A_WORD: Final = r"(?:[A-Z]?[a-z]{2,18}|[A-Z]{2,9})"
_WORDS: Final = re.compile(
    rf"[A-Z]?[a-z]{{4,18}}|[A-Z]{{2,9}}|{_A_WORD}(?:[_-]+{_A_WORD})+", re.ASCII
)
"""`Newspaper`, `OLX` or `insta-stories`, in a column of sources. Click IDs have digits, or letters
in no order of cases, and are longer."""
_COOKIE: Final = re.compile(r"GCL\.\d{10}\.", re.ASCII)
"""What stands before the click ID in Google's cookie: `GCL.1795205107.Cj0K...`."""
_OF_OTHERS: Final = re.compile(r"[0-9a-fA-F]{32}|(?:IwAR|IwY2|pay_).*", re.ASCII)
"""Click IDs of Microsoft (msclkid) and Meta (fbclid), and IDs of payments."""
_STARTS_OF_OTHERS: Final = frozenset({"IwA", "IwY", "pay"})
_CHARS_OF_MICROSOFT: Final = 32
_IN_URL: Final = re.compile(r"[\w-]+=*", re.ASCII)
_SURELY: Final = 20


def is_plain_click_id(value: str) -> bool:
    """Return whether Google alone decides on the click ID, as on nearly all of them."""
    # Letters, digits, - and _, no digit first, too long for a placeholder, and nothing that
    # `_OF_OTHERS` matches. Words of so many letters are left to Google.
    return (
        _SURELY <= len(value) <= 1024
        and len(value) != _CHARS_OF_MICROSOFT
        and value[:3] not in _STARTS_OF_OTHERS
        and value.isascii()
        and value.replace("-", "_").isidentifier()
    )


def check_click_id(value: str, field: str = "gclid") -> str:
    """Return a gclid, gbraid or wbraid, trimmed. The case stays: click IDs are case-sensitive.

    The click ID is extracted from `gclid=...`, from the full URL of a landing page, where it is the
    parameter `field`, or from a shop's note: `PED-1|gclid=...`, `{"gclid": "..."}`, a line
    `gclid: ...`, or from Google's cookie: `GCL.1795205107....`.

    Raises INVALID_CLICK_ID for inner white space, characters that URLs can't contain, a
    placeholder, a number, a date, an ellipsis, a click ID of Microsoft or Meta, the ID of a
    payment, or fewer than ten characters such as `TEL-2281`.
    """
    if is_plain_click_id(value):
        return value
    click_id = value.strip()
    has_parameters = "=" in click_id or click_id.startswith("{")
    if has_parameters or ":" in click_id:
        found = {unquote(one or other) for one, other in _PARAMETER[field].findall(click_id)}
        found = found or set(_LINE_OF_NOTE[field].findall(click_id))
        if found:
            # An empty parameter comes first in order, so the last one is the click ID, if any is.
            *others, click_id = sorted(found)
            # With a full stop, or one of two, it would be another click ID.
            is_whole = not any(others) and _IN_URL.fullmatch(click_id)
            if not is_whole and not _ELLIPSIS.search(click_id):
                raise RuleError("INVALID_CLICK_ID")
        elif has_parameters and (":" in click_id or "?" in click_id or "&" in click_id):
            raise RuleError("INVALID_CLICK_ID")
    if _ELLIPSIS.search(click_id):
        raise RuleError("INVALID_CLICK_ID")
    if cookie := _COOKIE.match(click_id):
        click_id = click_id[cookie.end() :]
    if (
        len(click_id) < SHORTEST
        or _CLICK_ID.fullmatch(click_id) is None
        or click_id.lower() in _NO_CLICK
        or is_placeholder("text", click_id)
        or _NO_LETTERS.fullmatch(click_id)
        or _WORDS.fullmatch(click_id)
        or _OF_OTHERS.fullmatch(click_id)
    ):
        raise RuleError("INVALID_CLICK_ID")
    return click_id
