"""Texts that several codes and messages share."""

import re
from typing import Final

EMPTY: Final = "(empty)"
"""What stands for an empty cell."""

RETRIED_AUTOMATICALLY: Final = "No action needed; retried automatically."
IF_IT_LASTS: Final = (
    f"{RETRIED_AUTOMATICALLY} If it lasts for hours, ask your engineer to look for an outage at "
    "https://status.cloud.google.com."
)
NEW_CREDENTIALS: Final = (
    "Ask your engineer to create new credentials and to store them in the secret."
)
UPDATE_FUNCTION: Final = "Ask your engineer to update the function."
COMPLETE_CLICK_ID: Final = (
    "Export the complete click ID, exactly as it is in the address of the landing page, with "
    "upper and lower case unchanged. Forms and CRM fields often cut it off. If there is none, "
    "leave the cell empty."
)
PLAIN_VALUES: Final = (
    "Export the email addresses and phone numbers themselves: they are hashed before they are sent."
)
COUNT_EVERY: Final = (
    'Set the count of the conversion action to "Every" in Google Ads, or use another conversion '
    "action for these rows."
)
LONGER_WINDOW: Final = (
    "Upload conversions sooner, ideally every day. Or set a longer conversion window for the "
    "conversion action in Google Ads."
)
VALUE_OF_EACH: Final = (
    "Set the conversion action in Google Ads to use different values for each conversion. Or "
    "retract the conversion."
)
ENABLE_VARIABLE: Final = (
    "Create or enable it in Google Ads (Goals > Custom variables), or correct or remove its column."
)


REFUND: Final = "refund or change"
"""What a row is called that adjusts a conversion. People "correct" rows, so it is no correction."""


_SENTENCE_END: Final = re.compile(r"[.:] |[.]$")


def first_sentence(text: str) -> str:
    """`It is too old: 91 days. Send it sooner.` → `It is too old`: without what explains it."""
    return _SENTENCE_END.split(text, maxsplit=1)[0]


def number_of(count: int, what: str) -> str:
    """`1 file`, `1,234 files`, `2 refunds or changes`."""
    return f"{count:,} {what if count == 1 else what.replace(' or ', 's or ') + 's'}"


def number_of_rows(count: int) -> str:
    """`1 row`, `1,234 rows`."""
    return number_of(count, "row")
