"""Texts that several codes and messages share."""

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


def number_of(count: int, what: str) -> str:
    """`1 file`, `1,234 files`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def number_of_rows(count: int) -> str:
    """`1 row`, `1,234 rows`."""
    return number_of(count, "row")
