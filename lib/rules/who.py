"""Who a row is about: the cells of its e-mail, phone and hashed columns → digests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

from lib.rules.conversion import Problem
from lib.rules.identifiers import (
    is_digest,
    normalize_email,
    normalize_phone,
    normalize_region_code,
    parse_digest,
)
from lib.rules.memo import Memo
from lib.rules.problems import RuleError

MAX_IDENTIFIERS = 5
"""User identifiers of one conversion (ClickConversion.user_identifiers)."""

Digests = tuple[str, ...]
Warnings = tuple[Problem, ...]
ReadIdentifiers = Callable[[list[str]], tuple[Digests, Digests, Warnings]]
"""cells → (digests of e-mail addresses, digests of phone numbers, warnings)."""


def compile_identifiers(columns: Mapping[str, int], phone_region: str | None) -> ReadIdentifiers:
    """The reader of a file's columns of user data. Nothing raw leaves it.

    An identifier that can't be used is left out with a warning. A raw column may hold digests;
    `phone_region` is the country of numbers without `+`, unless the row names its own.
    """
    email_columns = _numbered(columns, "email")
    phone_columns = _numbered(columns, "phone")
    digest_columns = [
        (field, at, base == "hashed_email")
        for base in ("hashed_email", "hashed_phone_number")
        for field, at in _numbered(columns, base)
    ]
    country_at = columns.get("country_code") if phone_columns else None
    regions: Memo[str | None] = Memo()

    def read(cells: list[str]) -> tuple[Digests, Digests, Warnings]:
        emails: Digests = ()
        phones: Digests = ()
        warnings: Warnings = ()
        for field, at in email_columns:
            raw = cells[at]
            if raw:
                if len(raw) == 64 and is_digest(raw):
                    emails += (raw.lower(),)
                    continue
                try:
                    emails += (sha256(normalize_email(raw).encode()).hexdigest(),)
                except (RuleError, UnicodeEncodeError):
                    if raw.strip():
                        warnings += (Problem("INVALID_EMAIL", field),)
        if phone_columns:
            region = phone_region
            if country_at is not None and (country := cells[country_at]):
                try:
                    region = regions[country]
                except KeyError:
                    region, warnings = _region(country, phone_region, regions, warnings)
            for field, at in phone_columns:
                raw = cells[at]
                if raw:
                    if len(raw) == 64 and is_digest(raw):
                        phones += (raw.lower(),)
                        continue
                    try:
                        phones += (sha256(normalize_phone(raw, region).encode()).hexdigest(),)
                    except RuleError as error:
                        if raw.strip():
                            warnings += (Problem(error.code, field),)
        for field, at, is_email in digest_columns:
            raw = cells[at]
            if raw and raw.strip():
                try:
                    digest = parse_digest(raw)
                except RuleError as error:
                    warnings += (Problem(error.code, field),)
                else:
                    if is_email:
                        emails += (digest,)
                    else:
                        phones += (digest,)
        if len(emails) + len(phones) > 2:
            return _at_most_five(emails, phones, warnings)
        return emails, phones, warnings

    if (
        (len(email_columns), len(phone_columns)) != (1, 1)
        or digest_columns
        or country_at is not None
    ):
        return read
    email_at, phone_at = email_columns[0][1], phone_columns[0][1]

    def read_pair(cells: list[str]) -> tuple[Digests, Digests, Warnings]:
        """`read` for most files and most of their rows: both cells filled, and both good."""
        email, phone = cells[email_at], cells[phone_at]
        if not email or not phone:
            return read(cells)
        try:
            email = sha256(normalize_email(email).encode()).hexdigest()
            phone = sha256(normalize_phone(phone, phone_region).encode()).hexdigest()
        except (RuleError, UnicodeEncodeError):
            return read(cells)
        return (email,), (phone,), ()

    return read_pair


def _numbered(columns: Mapping[str, int], field: str) -> list[tuple[str, int]]:
    """`email`, `email_2`, `email_3`, ... of the file, in that order."""
    names = [field, *(f"{field}_{number}" for number in range(2, 10))]
    return [(name, columns[name]) for name in names if name in columns]


def _region(
    cell: str, default: str | None, regions: Memo[str | None], warnings: Warnings
) -> tuple[str | None, Warnings]:
    """The region that a row names. One that can't be read is no reason to take the default: the
    row says that it's another; a number with `+` needs none."""
    try:
        region = normalize_region_code(cell) if cell.strip() else default
    except RuleError as error:
        return None, (*warnings, Problem(error.code, "country_code"))
    regions.keep(cell, region)
    return region, warnings


def _at_most_five(
    emails: Digests, phones: Digests, warnings: Warnings
) -> tuple[Digests, Digests, Warnings]:
    """The same digest once, and no more than five; e-mail addresses first."""
    emails, phones = tuple(dict.fromkeys(emails)), tuple(dict.fromkeys(phones))
    if len(emails) + len(phones) > MAX_IDENTIFIERS:
        warnings += (Problem("TOO_MANY_IDENTIFIERS"),)
        emails = emails[:MAX_IDENTIFIERS]
        phones = phones[: MAX_IDENTIFIERS - len(emails)]
    return emails, phones, warnings
