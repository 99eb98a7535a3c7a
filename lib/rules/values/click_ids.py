"""Click ids: only what can't be one is refused; Google decides the rest (UNPARSEABLE_*)."""

import re
from functools import cache
from typing import Final
from urllib.parse import unquote

from lib.model.outcomes import Problem
from lib.rules.values.errors import RuleError
from lib.rules.values.placeholders import is_placeholder

# URL-safe base64 today; dots, tildes, padding and percent signs cost nothing to allow.
_CLICK_ID: Final = re.compile(r"[\w.~=%+/-]{1,1024}", re.ASCII)
# What web analytics and templates write where there was no click of an ad.
_NO_CLICK: Final = frozenset(
    {
        *("gclid", "gbraid", "wbraid", "%7bgclid%7d", "%7bgbraid%7d", "%7bwbraid%7d"),
        *("direct", "organic", "referral", "email", "test", "true", "false", "yes", "no"),
        *("not_provided", "not_available"),
    }
)
# Numbers, dates and what spreadsheets make of them: columns that were mixed up. Every click id
# has letters, and the shortest ones have more than twenty characters.
_NO_LETTERS: Final = re.compile(
    r"[\d./%+-]{1,20}|\d+(?:\.\d+)?[eE][+-]?\d+|\d{4}-\d\d-\d\d(?:T[\d.+-]*Z?)?", re.ASCII
)
_SURELY: Final = 20


def check_click_id(value: str, field: str = "gclid") -> str:
    """A gclid, gbraid or wbraid, trimmed, in its own case: click ids are case-sensitive. Taken
    out of `gclid=...` or of the whole address of a landing page, where it is the parameter `field`.

    Raises INVALID_CLICK_ID: white space inside, characters that no URL has, a place holder, a
    number, a date.
    """
    # A letter, then letters, digits, - and _, and too long for a place holder: nearly all of them.
    if _SURELY <= len(value) <= 1024 and value.isascii() and value.replace("-", "_").isidentifier():
        return value
    click_id = value.strip()
    if "=" in click_id:
        match = _parameter(field).search(click_id)
        if match is not None:
            click_id = unquote(match[1])
        elif ":" in click_id or "?" in click_id or "&" in click_id:
            raise RuleError("INVALID_CLICK_ID")
    if (
        _CLICK_ID.fullmatch(click_id) is None
        or click_id.lower() in _NO_CLICK
        or is_placeholder(click_id)
        or _NO_LETTERS.fullmatch(click_id)
    ):
        raise RuleError("INVALID_CLICK_ID")
    return click_id


def choose_braid(
    gclid: str,
    gbraid: str,
    wbraid: str,
    one_per_click: bool,
    warnings: tuple[Problem, ...],
) -> tuple[str, str, tuple[Problem, ...]]:
    """The braid to send, if any. One that Google would refuse is left out, as the row may have an
    e-mail address or a phone number: beside the other braid (GBRAID_WBRAID_BOTH_SET), beside a
    gclid (not documented), or for an action of one conversion per click."""
    parsed = {}
    for field, raw in (("gbraid", gbraid), ("wbraid", wbraid)):
        parsed[field] = ""
        if raw.strip():
            try:
                parsed[field] = check_click_id(raw, field)
            except RuleError as error:
                warnings += (Problem(error.code, field),)
    gbraid, wbraid = parsed["gbraid"], parsed["wbraid"]
    if gclid and (gbraid or wbraid):
        warnings += (Problem("GCLID_AND_BRAID", "gbraid" if gbraid else "wbraid"),)
        return "", "", warnings
    if one_per_click and (gbraid or wbraid):
        warnings += (Problem("BRAID_ON_ONE_PER_CLICK", "gbraid" if gbraid else "wbraid"),)
        return "", "", warnings
    if gbraid and wbraid:
        warnings += (Problem("BOTH_BRAIDS", "wbraid"),)
        wbraid = ""
    return gbraid, wbraid, warnings


@cache
def _parameter(field: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|[?&#]){field}=([^&#\s]*)", re.ASCII | re.IGNORECASE)
