"""The kinds of open problems, in the words that the log, the digest and the pages share.

    kind          severity  title                 action
    file_stopped  ERROR     A file was stopped    Do what the report of the file says …

If a code of the catalogue names the cause, its meaning follows the title, and its action is the
action. `lib.sweep.problems` finds the problems, and docs/alerts.md has a section for each kind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from lib.catalogue.codes import lookup
from lib.catalogue.texts import (
    OPEN_PROFILE,
    filled_in,
    first_sentence,
    for_engineer,
    for_owner,
)
from lib.model.money import in_words

NO_PROFILE: Final = "(no profile)"
"""Stands for all folders that no profile names: each would be an incident of its own."""

ALL_PROFILES: Final = "(all profiles)"

TOLD_FOR: Final = timedelta(days=7)
"""How long a problem of a file is told. After that, nobody needs to act on the file any more."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of open problem: its title, and what to do if no code names the cause."""

    name: str
    severity: Literal["ERROR", "WARNING"]
    title: str
    action: str

    def action_for(self, code: str) -> str:
        """Return what to do about a cause; "": no code names it."""
        return lookup(code).action if code else self.action


ROWS_LOST: Final = ProblemKind(
    "rows_lost",
    "ERROR",
    "Rows do not count",
    for_owner("Open the report of the file, and do its next step."),
)
FILE_STOPPED: Final = ProblemKind(
    "file_stopped",
    "ERROR",
    "A file was stopped",
    for_owner("Do what the report of the file says, and upload the file again."),
)
NO_FILE: Final = ProblemKind(
    "no_file",
    "ERROR",
    "An expected file has not come",
    for_owner("Check whether the export ran. If it did not, run it for the missing day too."),
)
FILE_UNFINISHED: Final = ProblemKind(
    "file_unfinished",
    "ERROR",
    "A file is not finished",
    for_engineer("Read the log of the function for this file."),
)
FILE_NOT_STARTED: Final = ProblemKind(
    "file_not_started",
    "ERROR",
    "No event has started a file",
    for_engineer("Check the trigger of the function and its permissions."),
)
GOOGLE_SILENT: Final = ProblemKind(
    "google_silent",
    "ERROR",
    "Google's final answer cannot be read, or did not come",
    for_owner("Look in Google Ads whether the conversions have arrived."),
)
NOTHING_SENT: Final = ProblemKind(
    "nothing_sent",
    "WARNING",
    "Files come, and nothing new is sent",
    for_owner(
        "Check the export. If it is right, ask your engineer to check skip and rows in the profile."
    ),
)
COLUMN_EMPTY: Final = ProblemKind(
    "column_empty",
    "WARNING",
    "A column is empty",
    for_owner(
        "Open the report of the file: it names the column. Correct the export. If the column may "
        "be empty, ask your engineer to list its field under optional in the profile."
    ),
)
PROFILE_UNREADABLE: Final = ProblemKind(
    "profile_unreadable",
    "ERROR",
    "A profile cannot be read, so its files are not sent",
    for_engineer("Correct the profile as the detail says."),
)
DEPLOYMENT: Final = ProblemKind(
    "deployment",
    "WARNING",
    "The profile or the function needs a change",
    for_engineer("Do what the code says."),
)

PROBLEM_KINDS: Final = (
    *(ROWS_LOST, FILE_STOPPED, PROFILE_UNREADABLE, NO_FILE, FILE_UNFINISHED, FILE_NOT_STARTED),
    *(GOOGLE_SILENT, NOTHING_SENT, COLUMN_EMPTY, DEPLOYMENT),
)
"""Every kind of open problem."""


def action_in(profile: str, customer_id: str, action: str) -> str:
    """Return what to do, with the names of the profile and of its account. (The name of a file
    would make an incident of each.)"""
    return filled_in(action, customer_id, OPEN_PROFILE.replace("NAME", profile))


Money = Mapping[str, int]
"""Micros by currency."""
NO_MONEY: Final[Money] = MappingProxyType({})


class Found(NamedTuple):
    """One file, or another thing, with an open problem: the profile, the code of the cause if there
    is one, and what is at stake. `text` begins with the name of the file, whose run has the key
    `run`. `action` is what to do, if it is not what the kind has for the code (`action_for`)."""

    profile: str
    code: str
    text: str
    money: Money = NO_MONEY
    run: str = ""
    action: str = ""

    @property
    def line(self) -> str:
        """What is said of it: `crm/deals.csv (2026-11-24): 4 of 9 sales, 60 USD`."""
        return ", ".join(filter(None, (self.text, in_words(self.money))))


@dataclass(frozen=True, slots=True)
class OpenProblem:
    """A problem that holds now: all that was found of one cause in one profile, dearest first."""

    kind: ProblemKind
    profile: str
    code: str
    action: str
    found: Sequence[Found]

    @property
    def title(self) -> str:
        """`A file was stopped. The account is not enabled, or was closed`."""
        if not self.code:
            return self.kind.title
        return f"{self.kind.title}. {first_sentence(lookup(self.code).meaning)}"

    @property
    def lines(self) -> Sequence[str]:
        """What is said of each file."""
        return [each.line for each in self.found]

    @property
    def detail(self) -> str:
        """The same in one line."""
        return "; ".join(self.lines)

    @property
    def money(self) -> Money:
        """What is at stake in all."""
        total: Counter[str] = Counter()
        for each in self.found:
            total.update(each.money)
        return total

    @property
    def at_stake(self) -> str:
        """The same in words."""
        return in_words(self.money)

    @property
    def dearest(self) -> int:
        """The micros of the currency of which most is at stake."""
        return max(self.money.values(), default=0)

    def log_fields(self) -> dict[str, str]:
        """Return the fields of the log line `open_problem`.

        `kind`, `profile`, `code`, `title` and `action` have few values, because Cloud Monitoring
        makes an incident of each combination. Names of files and money are only in `detail` and
        `at_stake`.
        """
        return {
            "kind": self.kind.name,
            "profile": plain(self.profile),
            "code": self.code,
            "title": self.title,
            "action": self.action,
            "detail": plain(self.detail),
            "at_stake": self.at_stake,
        }


_MARKUP: Final = re.compile(
    r"[\[\]<>*`~@\\]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=\bwww)\.|[\x00-\x1f\x7f-\x9f\u2028\u2029]",
    re.I,
)
_FULL_WIDTH_OFFSET: Final = 0xFEE0
"""Added to the code point of a sign, this gives its full-width form, which looks alike, and means
nothing to Markdown and mail programs."""


def plain(text: str) -> str:
    """Return a text in which no name of a file becomes a link or other markup in a notification.

    `[Pay now](http://example.com).csv` → `［Pay now］(http：//example.com).csv`
    """
    return _MARKUP.sub(
        lambda found: chr(ord(found[0]) + _FULL_WIDTH_OFFSET) if found[0].isprintable() else "?",
        text,
    )
