"""Consent to send user data: from the row, otherwise from the profile."""

from __future__ import annotations

from collections.abc import Sequence

from lib.model.outcomes import Problem
from lib.rules.row_problems import RowProblems
from lib.rules.values.enums import parse_consent
from lib.rules.values.errors import RuleError


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


def consent_of(cell: str, default: str | None) -> str | Problem | None:
    """Return the consent in a cell, or `default` if the cell is empty.

    A cell that declares consent as unspecified is not empty: it does not get the default.
    """
    try:
        return parse_consent(cell) if cell.strip() else default
    except RuleError as error:
        return Problem(error.code, "ad_user_data")
