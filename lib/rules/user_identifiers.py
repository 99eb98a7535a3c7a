"""User identifiers: the columns of email addresses and phone numbers → digests.

No raw value leaves this module. An unusable identifier is left out with a warning. A column for raw
values may also contain digests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from lib.model.outcomes import Problem
from lib.rules.plain_text import plain_text
from lib.rules.row_problems import RowProblems
from lib.rules.values.cells import Memo, RuleError
from lib.rules.values.identifiers import (
    is_digest,
    normalize_email,
    normalize_phone,
    normalize_region_code,
    parse_digest,
    sha256_hex,
)

Digests = tuple[str, ...]
NONE: Digests = ()


def hash_emails(cells: Sequence[str], column: str, problems: RowProblems) -> list[str]:
    """Return the digest of each email address in a column, or ""."""
    digests = []
    for row, cell in enumerate(cells):
        digest = ""
        if cell:
            try:
                digest = sha256(normalize_email(cell).encode()).hexdigest()
            except (RuleError, UnicodeEncodeError):
                digest = _reread_email(row, cell, column, problems)
        digests.append(digest)
    return digests


def hash_phones(
    cells: Sequence[str], column: str, regions: Sequence[str | None], problems: RowProblems
) -> list[str]:
    """Return the digest of each phone number in a column, or "".

    `regions` are the countries of numbers without `+`.
    """
    digests = []
    for row, cell in enumerate(cells):
        digest = ""
        if cell:
            try:
                if len(cell) == 64 and is_digest(cell):
                    digest = _read_digest(row, cell, "INVALID_DIGEST", column, problems)
                else:
                    number = normalize_phone(cell, regions[row], True)
                    digest = sha256(number.encode()).hexdigest()
            except RuleError:
                digest = _reread_phone(row, cell, regions[row], column, problems)
        digests.append(digest)
    return digests


def read_digests(cells: Sequence[str], column: str, problems: RowProblems) -> list[str]:
    """Return the digest in each cell of a column of digests, or ""."""
    return [
        _read_digest(row, cell, "INVALID_DIGEST", column, problems) if cell else ""
        for row, cell in enumerate(cells)
    ]


def _reread_email(row: int, cell: str, column: str, problems: RowProblems) -> str:
    """Return the digest of an email address that is wrapped, or the digest in the cell, or ""."""
    text = plain_text(cell, column, problems.with_placeholders)
    if not text:
        return ""
    try:
        return sha256(normalize_email(text).encode()).hexdigest()
    except (RuleError, UnicodeEncodeError):
        return _read_digest(row, text, "INVALID_EMAIL", column, problems)


def _reread_phone(
    row: int, cell: str, region: str | None, column: str, problems: RowProblems
) -> str:
    """Return the digest of a phone number that is wrapped or doubtful, or in the cell, or ""."""
    text = plain_text(cell, column, problems.with_placeholders)
    if not text:
        return ""
    try:
        return sha256_hex(normalize_phone(text, region, True))
    except RuleError as error:
        code = error.code
    if code == "PHONE_MAYBE_INTERNATIONAL":
        problems.warn(row, code, column)
        return sha256_hex(normalize_phone(text, region))
    return _read_digest(row, text, code, column, problems)


def _read_digest(row: int, cell: str, code: str, column: str, problems: RowProblems) -> str:
    """Return the digest in a cell. For any other text, add a warning and return ""."""
    text = plain_text(cell, column, problems.with_placeholders)
    if not text:
        return ""
    try:
        return parse_digest(text)
    except RuleError as error:
        problems.warn(row, error.code if is_digest(text) else code, column)
        return ""


def read_regions(
    cells: Sequence[str], default: str | None, known: Memo[str | Problem], problems: RowProblems
) -> list[str | None]:
    """Return the country of each row's phone numbers.

    The default does not replace a country that can't be read, because the row gives another one. A
    number with `+` needs no country.
    """
    if not any(cells):
        return [default] * len(cells)
    regions: list[str | None] = []
    for row, cell in enumerate(cells):
        region: str | Problem | None = known[cell] if cell else default
        if isinstance(region, Problem):
            problems.warnings[row].append(region)
            region = None
        regions.append(region or default if region is not None else None)
    return regions


def region_of(cell: str, with_placeholders: set[str]) -> str | Problem:
    """Return the country in a cell, or "" if the cell has no value."""
    text = plain_text(cell, "country_code", with_placeholders)
    try:
        return normalize_region_code(text) if text else ""
    except RuleError as error:
        return Problem(error.code, "country_code")


def combine(columns: Sequence[Sequence[str]], size: int) -> list[Digests]:
    """Combine the digests of several columns into the distinct digests of each row."""
    if not columns:
        return [NONE] * size
    if len(columns) == 1:
        return [(digest,) if digest else NONE for digest in columns[0]]
    return [_distinct(digests) for digests in zip(*columns, strict=True)]


def _distinct(digests: Iterable[str]) -> Digests:
    return tuple(dict.fromkeys(filter(None, digests)))


def limit(most: int, emails: list[Digests], phones: list[Digests], problems: RowProblems) -> None:
    """Keep at most as many identifiers as the API accepts in one record, email addresses first."""
    for row, (of_emails, of_phones) in enumerate(zip(emails, phones, strict=True)):
        if len(of_emails) + len(of_phones) > most:
            problems.warn(row, "TOO_MANY_IDENTIFIERS")
            emails[row] = of_emails[:most]
            phones[row] = of_phones[: max(most - len(of_emails), 0)]
