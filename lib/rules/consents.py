"""Consent to send user data: from the row, otherwise from the profile."""

from __future__ import annotations

from collections.abc import Sequence

from lib.model.outcomes import Problem
from lib.rules.plain_text import plain_text
from lib.rules.row_problems import RowProblems
from lib.rules.values.cells import RuleError
from lib.rules.values.enums import parse_consent


def read_consents(found: Sequence[str | Problem | None], problems: RowProblems) -> list[str | None]:
    """Return the consent of each row.

    A cell that can't be read rejects the row: a misread denial would count as consent.
    """
    consents: list[str | None] = []
    for row, consent in enumerate(found):
        if isinstance(consent, Problem):
            problems.errors[row].append(consent)
            consent = None
        consents.append(consent)
    return consents


def consent_of(cell: str, default: str | None, with_placeholders: set[str]) -> str | Problem | None:
    """Return the consent in a cell, or `default` if the cell is empty.

    A cell that declares consent as unspecified is not empty, and neither is a placeholder: they do
    not get the default, because a missing answer is no consent.
    """
    text = plain_text(cell, "ad_user_data", with_placeholders)
    if not text:
        return default if text == "" else None
    try:
        return parse_consent(text)
    except RuleError as error:
        return Problem(error.code, "ad_user_data")
