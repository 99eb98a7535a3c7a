"""Click ids: only what can't be one is refused; Google decides the rest (UNPARSEABLE_*)."""

import re
from typing import Final

from lib.rules.problems import RuleError

# URL-safe base64 today; dots, tildes, padding and percent signs cost nothing to allow.
_CLICK_ID: Final = re.compile(r"[\w.~=%+/-]{1,1024}", re.ASCII)
# What templates, web analytics and databases write where there was no click.
_NO_CLICK: Final = frozenset({"null", "none", "nil", "undefined", "nan", "n/a", "na", "-"})


def check_click_id(value: str) -> str:
    """A gclid, gbraid or wbraid, trimmed, in its own case: click ids are case-sensitive.
    Raises INVALID_CLICK_ID: white space inside, characters that no URL has, a place holder."""
    # A letter, then letters, digits, - and _, and too long for a place holder: nearly all of them.
    if 10 <= len(value) <= 1024 and value.isascii() and value.replace("-", "_").isidentifier():
        return value
    click_id = value.strip()
    if _CLICK_ID.fullmatch(click_id) is None or (
        len(click_id) < 10 and click_id.lower() in _NO_CLICK
    ):
        raise RuleError("INVALID_CLICK_ID")
    return click_id
