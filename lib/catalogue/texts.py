"""Texts that several codes and messages share."""

from typing import Final

SOFTWARE_ERROR: Final = (
    "Report it at the project's issue tracker, with the run_id from the results document: this is "
    "a software error, not a mistake in the file."
)
REPLACE_CREDENTIALS: Final = (
    "Ask the engineer who deployed the function to create new credentials and store them in the "
    "secret."
)
COMPLETE_CLICK_ID: Final = (
    "Check that the export keeps the complete click ID, exactly as in the landing page URL, with "
    "upper and lower case unchanged."
)
EMPTY: Final = "(empty)"
"""What stands for an empty cell."""
RETRIED_AUTOMATICALLY: Final = "No action needed; retried automatically."
IF_IT_LASTS: Final = (
    f"{RETRIED_AUTOMATICALLY} If it lasts, look for an outage at https://status.cloud.google.com "
    "and https://ads.google.com/status. If there is none, ask the engineer who deployed the "
    "function to check its network access."
)
TIME_ZONE: Final = (
    'Correct the time zone in the profile (for example "time_zone": "America/Chicago"), or in the '
    "file if that names one: a wrong one makes every time some hours too early. If the file has "
    "dates only, export the times too."
)
NEW_CREDENTIALS: Final = (
    "Create a new refresh token or service account key, and store it in the secret."
)


def number_of(count: int, what: str) -> str:
    """`1 file`, `1,234 files`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def number_of_rows(count: int) -> str:
    """`1 row`, `1,234 rows`."""
    return number_of(count, "row")
