"""The kinds of open problems, in the words that the log, the digest and the pages share.

    kind          severity  title                 action
    file_stopped  ERROR     A file was stopped    Do what the report of the file says …

If a code of the catalogue names the cause, its meaning follows the title, and its action is the
action. `lib.sweep.problems` finds the problems, and docs/alerts.md has a section for each kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from lib.catalogue.codes import lookup
from lib.catalogue.texts import first_sentence
from lib.model.money import ACCOUNT_CURRENCY, amount

NO_PROFILE: Final = "(no profile)"
"""Stands for all folders that no profile names: each would be an incident of its own."""

ALL_PROFILES: Final = "(all profiles)"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of open problem: its title, and what to do if no code names the cause."""

    name: str
    severity: Literal["ERROR", "WARNING"]
    title: str
    action: str

    def title_with(self, code: str) -> str:
        """`A file was stopped. The account is not enabled, or was closed`."""
        return f"{self.title}. {first_sentence(lookup(code).meaning)}" if code else self.title


ROWS_LOST: Final = ProblemKind(
    "rows_lost",
    "ERROR",
    "Rows do not count",
    "Open the report of the file, and do its next step.",
)
FILE_STOPPED: Final = ProblemKind(
    "file_stopped",
    "ERROR",
    "A file was stopped",
    "Do what the report of the file says, and upload the file again.",
)
NO_FILE: Final = ProblemKind(
    "no_file",
    "ERROR",
    "An expected file has not come",
    "Ask the owner of the export whether it ran.",
)
FILE_UNFINISHED: Final = ProblemKind(
    "file_unfinished",
    "ERROR",
    "A file is not finished",
    "Ask your engineer to read the log of the function for this file.",
)
FILE_NOT_STARTED: Final = ProblemKind(
    "file_not_started",
    "ERROR",
    "No event has started a file",
    "Ask your engineer to check the trigger of the function and its permissions.",
)
GOOGLE_SILENT: Final = ProblemKind(
    "google_silent",
    "ERROR",
    "Google's final answer cannot be read, or did not come",
    "Look in Google Ads whether the conversions have arrived.",
)
NOTHING_SENT: Final = ProblemKind(
    "nothing_sent",
    "WARNING",
    "Files come, and nothing new is sent",
    "Check the export, and skip and rows in the profile.",
)
COLUMN_EMPTY: Final = ProblemKind(
    "column_empty",
    "WARNING",
    "A column is empty",
    "Check the export, or correct columns or optional in the profile.",
)
DEPLOYMENT: Final = ProblemKind(
    "deployment",
    "WARNING",
    "The profile or the function needs a change",
    "Ask your engineer to do what the code says.",
)

KINDS: Final = (
    *(ROWS_LOST, FILE_STOPPED, NO_FILE, FILE_UNFINISHED, FILE_NOT_STARTED, GOOGLE_SILENT),
    *(NOTHING_SENT, COLUMN_EMPTY, DEPLOYMENT),
)
"""Every kind of open problem."""


def log_fields(
    kind: ProblemKind, profile: str, code: str, action: str, detail: str, money: Mapping[str, int]
) -> dict[str, str]:
    """Return the fields of the log line `open_problem`.

    `kind`, `profile`, `code`, `title` and `action` have few values, because Cloud Monitoring makes
    an incident of each combination. Names of files and money are in `detail` and `at_stake` only.
    """
    return {
        "kind": kind.name,
        "profile": plain(profile),
        "code": code,
        "title": kind.title_with(code),
        "action": action,
        "detail": plain(detail),
        "at_stake": in_words(money),
    }


def in_words(money: Mapping[str, int]) -> str:
    """`{"USD": 9000000, "EUR": 500000}` → `9 USD and 0.50 EUR`; empty without money."""
    return " and ".join(
        f"{amount(micros)} {currency or ACCOUNT_CURRENCY}"
        for currency, micros in sorted(money.items(), key=lambda each: -each[1])
        if micros
    )


_MARKUP: Final = re.compile(
    r"[\[\]<>*`~@\\]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=\bwww)\.|[\x00-\x1f\x7f-\x9f\u2028\u2029]",
    re.I,
)
_WIDE: Final = 0xFEE0
"""From a sign to the one that looks alike, and means nothing to Markdown and mail programs."""


def plain(text: str) -> str:
    """Return a text in which no name of a file becomes a link or other markup in a notification.

    `[Pay now](http://example.com).csv` → `［Pay now］(http：//example.com).csv`
    """
    return _MARKUP.sub(
        lambda found: chr(ord(found[0]) + _WIDE) if found[0].isprintable() else "?", text
    )
