"""Words and phrases of several messages."""

import re
from datetime import datetime
from typing import Final

EMPTY_SHOWN: Final = "(empty)"
"""What stands for an empty cell."""

REFUND: Final = "refund or change"
"""What a row is called that adjusts a conversion. People "correct" rows, so it is no correction."""

AGAIN: Final = "Then upload the file again: no sale counts twice."
"""Ends an action after which the rows only come with another upload."""

OPEN_PROFILE: Final = "offline-conversions init FILE --profile NAME"
"""Stands in actions of the catalogue for the command with the names of a file and its profile."""

THE_ACCOUNT: Final = "the account in the profile"
"""Stands there for the number of the account."""

_OWNER: Final = "Owner of the export: "
_END_OF_FIRST_SENTENCE: Final = re.compile(r"[.:] |[.]$")
"""A colon ends it too: what follows only explains."""


def for_engineer(action: str) -> str:
    """Return an action that marketers forward: `Ask your engineer: Update the function.`"""
    return f"Ask your engineer: {action}"


def for_owner(action: str) -> str:
    """Return an action for whoever owns the export: `Owner of the export: Correct the date.`"""
    return f"{_OWNER}{action}"


def without_owner(action: str) -> str:
    """Return an action for those who know already that it is theirs: `Correct the date.`"""
    return action.removeprefix(_OWNER)


def inside(sentence: str) -> str:
    """`Consent is refused.` → `consent is refused.`: a sentence as a part of another one."""
    return sentence if sentence.startswith("Google") else f"{sentence[0].lower()}{sentence[1:]}"


def first_sentence(text: str) -> str:
    """`It is too old: 91 days. Send it sooner.` → `It is too old`: without what explains it."""
    return _END_OF_FIRST_SENTENCE.split(text, maxsplit=1)[0]


def dashed(customer_id: str) -> str:
    """`1234567890` → `123-456-7890`, as Google Ads shows an account."""
    return re.sub(r"^(\d{3})(\d{3})(\d{4})$", r"\1-\2-\3", customer_id)


def filled_in(action: str, customer_id: str, command: str) -> str:
    """Return an action with the number of the account, and with this command for `OPEN_PROFILE`:
    `… of account 123-456-7890?`, `… run offline-conversions init FILE --profile crm.`"""
    named = action.replace(THE_ACCOUNT, f"account {dashed(customer_id)}")
    return named.replace(OPEN_PROFILE, command)


def dated(name: str, came: datetime, more: str = "") -> str:
    """Return what is said of a file: its name with its day, because a fixed name comes again, and
    `more`. `deals.csv (2026-11-24): 3 of 9 rows`"""
    return f"{name} ({came:%Y-%m-%d}){f': {more}' if more else ''}"


def number_of(count: int, what: str) -> str:
    """`1 file`, `1,234 files`, `2 refunds or changes`."""
    return f"{count:,} {what if count == 1 else what.replace(' or ', 's or ') + 's'}"


def number_of_rows(count: int) -> str:
    """`1 row`, `1,234 rows`."""
    return number_of(count, "row")
