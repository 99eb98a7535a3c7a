"""Who a row is about: the cells of its e-mail, phone and hashed columns → digests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from lib.model.outcomes import Problem
from lib.rules.optional_fields import has_address
from lib.rules.values.errors import RuleError
from lib.rules.values.identifiers import (
    is_digest,
    normalize_email,
    normalize_phone,
    normalize_region_code,
    parse_digest,
    sha256_hex,
)
from lib.rules.values.memo import Memo

if TYPE_CHECKING:
    from lib.rules.engine import RowRules

_MOST_IDENTIFIERS = {"google_ads": 5, "data_manager": 10}
"""User identifiers of one conversion: ClickConversion.user_identifiers, and UserData's."""

Digests = tuple[str, ...]
Warnings = tuple[Problem, ...]
ReadIdentifiers = Callable[[list[str]], tuple[Digests, Digests, Warnings]]
"""cells → (digests of e-mail addresses, digests of phone numbers, warnings)."""


def most_identifiers(columns: Mapping[str, int], rules: RowRules) -> int:
    """How many e-mail addresses and phone numbers of a row its API takes."""
    most = _MOST_IDENTIFIERS[rules.route]
    # An address is one of them.
    return most - (rules.route == "data_manager" and has_address(columns))


def compile_identifiers(
    columns: Mapping[str, int], phone_region: str | None, most: int
) -> ReadIdentifiers:
    """The reader of a file's columns of user data. Nothing raw leaves it.

    An identifier that can't be used is left out with a warning; so are more than `most`. A raw
    column may hold digests; `phone_region` is the country of numbers without `+`, unless the row
    names its own.
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
                    digest, warnings = _digest(raw, "INVALID_DIGEST", field, warnings)
                    emails += digest
                    continue
                try:
                    emails += (sha256(normalize_email(raw).encode()).hexdigest(),)
                except (RuleError, UnicodeEncodeError):
                    digest, warnings = _digest(raw, "INVALID_EMAIL", field, warnings)
                    emails += digest
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
                        digest, warnings = _digest(raw, "INVALID_DIGEST", field, warnings)
                        phones += digest
                        continue
                    try:
                        phones += (sha256(normalize_phone(raw, region, True).encode()).hexdigest(),)
                    except RuleError as error:
                        if error.code == "PHONE_MAYBE_INTERNATIONAL":
                            warnings += (Problem(error.code, field),)
                            phones += (sha256_hex(normalize_phone(raw, region)),)
                            continue
                        digest, warnings = _digest(raw, error.code, field, warnings)
                        phones += digest
        for field, at, is_email in digest_columns:
            raw = cells[at]
            if raw and raw.strip():
                digest, warnings = _digest(raw, "INVALID_DIGEST", field, warnings)
                if is_email:
                    emails += digest
                else:
                    phones += digest
        if len(emails) > 1 or len(phones) > 1:
            return _at_most(most, emails, phones, warnings)
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
            phone = sha256(normalize_phone(phone, phone_region, True).encode()).hexdigest()
        except (RuleError, UnicodeEncodeError):
            return read(cells)
        return (email,), (phone,), ()

    return read_pair


def _numbered(columns: Mapping[str, int], field: str) -> list[tuple[str, int]]:
    """`email`, `email_2`, `email_3`, ... of the file, in that order."""
    names = [field, *(f"{field}_{number}" for number in range(2, 10))]
    return [(name, columns[name]) for name in names if name in columns]


def _digest(raw: str, code: str, field: str, warnings: Warnings) -> tuple[Digests, Warnings]:
    """What is no address and no number may be a digest that somebody else made; else `code`."""
    text = raw.strip()
    if not text:
        return (), warnings
    try:
        return (parse_digest(text),), warnings
    except RuleError as error:
        return (), (*warnings, Problem(error.code if is_digest(text) else code, field))


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


def _at_most(
    most: int, emails: Digests, phones: Digests, warnings: Warnings
) -> tuple[Digests, Digests, Warnings]:
    """The same digest once, and no more than so many; e-mail addresses first."""
    emails, phones = tuple(dict.fromkeys(emails)), tuple(dict.fromkeys(phones))
    if len(emails) + len(phones) > most:
        warnings += (Problem("TOO_MANY_IDENTIFIERS"),)
        emails = emails[:most]
        phones = phones[: most - len(emails)]
    return emails, phones, warnings
