"""What identifies a click, a person or an order.

No raw email address or phone number leaves this module, not even in a problem. An unusable
identifier is left out with a warning. A column for raw values may also contain digests.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import compress
from operator import not_
from typing import Final

from lib.errors import RuleError
from lib.model.account import ConversionAction
from lib.model.fields import ADDRESS_FIELDS
from lib.model.outcomes import Problem
from lib.rules.columns import ChunkColumns, RowProblems
from lib.rules.row_rules import RowRules
from lib.rules.values.click_ids import check_click_id, is_plain_click_id
from lib.rules.values.identifiers import (
    is_digest,
    normalize_email,
    parse_digest,
    sha256_hex,
)
from lib.rules.values.order_ids import (
    MAX_CHARS_OF_TAG,
    check_order_id,
    fitting_order_id,
    is_plain_order_id,
    without_zero,
)
from lib.rules.values.phones import normalize_phone, normalize_phone_region

CLICK_IDS: Final = ("gclid", "gbraid", "wbraid")

PHONE_COUNTRY: Final = "country_code"
"""The column with the country of a row's phone numbers."""

_UNREADABLE: Final = ""
"""The country of a row whose country cell can't be read. No number is dialled there."""

Digests = tuple[str, ...]
_NONE: Final[Digests] = ()


# ── clicks ───────────────────────────────────────────────────────────────────────────────────────


ClickIds = tuple[list[str], list[str], list[str]]
"""The gclid, the gbraid and the wbraid of each row. "": it has none of this kind."""


def choose_click_ids(chunk: ChunkColumns, actions: Sequence[ConversionAction]) -> ClickIds:
    """Return only one click ID for each row: gclid, otherwise gbraid, otherwise wbraid.

    Google refuses a gbraid together with a wbraid (GBRAID_WBRAID_BOTH_SET), and refuses either
    of them for an action that counts one conversion per click. A gclid together with one of them is
    not documented. The row may still have an email address or a phone number, so only the click ID
    is left out.
    """
    gclids, gbraids, wbraids = (
        read_click_ids(chunk.cells(field), field, chunk.problems) for field in CLICK_IDS
    )
    click_ids = gclids, gbraids, wbraids
    if any(gbraids) or any(wbraids):
        _keep_one(click_ids, actions, chunk.problems)
    return click_ids


def _keep_one(
    click_ids: ClickIds, actions: Sequence[ConversionAction], problems: RowProblems
) -> None:
    """Remove all click IDs but one from each row."""
    gclids, gbraids, wbraids = click_ids
    for row, (gbraid, wbraid) in enumerate(zip(gbraids, wbraids, strict=True)):
        if not (gbraid or wbraid):
            continue
        column = "gbraid" if gbraid else "wbraid"
        if gclids[row]:
            problems.warn(row, "SEVERAL_CLICK_IDS", column)
            gbraids[row] = wbraids[row] = ""
        elif actions[row].one_per_click:
            problems.warn(row, "BRAID_ON_ONE_PER_CLICK", column)
            gbraids[row] = wbraids[row] = ""
        elif gbraid and wbraid:
            problems.warn(row, "SEVERAL_CLICK_IDS", "wbraid")
            wbraids[row] = ""


def read_click_ids(cells: Sequence[str], field: str, problems: RowProblems) -> list[str]:
    """Return the click ID in each cell, or "" if there is no usable one."""
    if not any(cells):
        return list(cells)
    click_ids = list(cells)
    for row in compress(range(len(cells)), map(not_, map(is_plain_click_id, cells))):
        if not cells[row]:
            continue
        cell = problems.plain_text(cells[row], field) or ""
        try:
            cell = check_click_id(cell, field) if cell else ""
        except RuleError as error:
            problems.warn(row, error.code, field)
            cell = ""
        click_ids[row] = cell
    return click_ids


# ── persons ──────────────────────────────────────────────────────────────────────────────────────


def hash_user_identifiers(
    chunk: ChunkColumns,
) -> tuple[list[Digests], list[Digests], set[int]]:
    """Return the distinct digests of the email addresses and of the phone numbers of each row,
    hashed here or in the file; and the rows from which a phone number was left out, perhaps because
    of a country that cannot be read."""
    problems = chunk.problems
    emails = [_hash_emails(cells, name, problems) for name, cells in chunk.numbered("email")]
    phone_columns = chunk.numbered("phone")
    phones = []
    unclear_country = set[int]()
    if phone_columns:
        regions = phone_regions(chunk)
        phones = [_hash_phones(cells, name, regions, problems) for name, cells in phone_columns]
        unclear_country = _rows_with_unclear_country(regions, problems)
        chunk.file.phones_read += sum(len(each) - each.count("") for each in phones)
        chunk.file.phones_without_country += _count("PHONE_REGION_MISSING", problems)
    for base, digests in (("hashed_email", emails), ("hashed_phone_number", phones)):
        digests += [_read_digests(cells, name, problems) for name, cells in chunk.numbered(base)]
    of_emails = _digests_by_row(emails, chunk.size)
    of_phones = _digests_by_row(phones, chunk.size)
    most = chunk.file.rules.capabilities.max_user_identifiers
    if chunk.has_columns(ADDRESS_FIELDS):
        most -= 1  # a postal address is a user identifier too
    # A row has at most one identifier from each column.
    if len(emails) + len(phones) > most:
        _keep_first(most, of_emails, of_phones, problems)
    return of_emails, of_phones, unclear_country


def _hash_emails(cells: Sequence[str], column: str, problems: RowProblems) -> list[str]:
    """Return the digest of each email address in a column, or ""."""
    digests = []
    for row, cell in enumerate(cells):
        digest = ""
        if cell:
            try:
                if len(cell) == 64 and is_digest(cell):
                    digest = _read_digest(row, cell, "INVALID_DIGEST", column, problems)
                else:
                    digest = sha256(normalize_email(cell).encode()).hexdigest()
            except (RuleError, UnicodeEncodeError):
                digest = _reread_email(row, cell, column, problems)
        digests.append(digest)
    return digests


def _hash_phones(
    cells: Sequence[str], column: str, regions: Sequence[str | None], problems: RowProblems
) -> list[str]:
    """Return the digest of each phone number in a column, or "".

    `regions` are the countries of numbers without `+` (`phone_regions`).
    """
    digests = []
    for row, cell in enumerate(cells):
        digest = ""
        if cell:
            try:
                if len(cell) == 64 and is_digest(cell):
                    digest = _read_digest(row, cell, "INVALID_DIGEST", column, problems)
                else:
                    number = normalize_phone(cell, regions[row], only_if_sure=True)
                    digest = sha256(number.encode()).hexdigest()
            except RuleError:
                digest = _reread_phone(row, cell, regions[row], column, problems)
        digests.append(digest)
    return digests


def _rows_with_unclear_country(regions: Sequence[str | None], problems: RowProblems) -> set[int]:
    """Return the rows with a phone number that may be valid once their country is stated or
    corrected: they have none, one that can't be read, or a number such as 91, of which nobody knows
    whether it is a calling code (`normalize_phone_region`)."""
    unclear_country = set[int]()
    for row, warnings in problems.warnings.items():
        region = regions[row]
        if region is None:
            code = "PHONE_REGION_MISSING"
        elif region == _UNREADABLE or region.isdecimal():
            code = "INVALID_PHONE"
        else:
            continue
        if any(each.code == code for each in warnings):
            unclear_country.add(row)
    return unclear_country


def _count(code: str, problems: RowProblems) -> int:
    """Return the number of warnings with this code."""
    return sum(each.code == code for of_row in problems.warnings.values() for each in of_row)


def _read_digests(cells: Sequence[str], column: str, problems: RowProblems) -> list[str]:
    """Return the digest in each cell of a column of digests, or ""."""
    return [
        _read_digest(row, cell, "INVALID_DIGEST", column, problems) if cell else ""
        for row, cell in enumerate(cells)
    ]


def _reread_email(row: int, cell: str, column: str, problems: RowProblems) -> str:
    """Read a cell again that is no plain email address: return the digest of a wrapped one
    (`="ada@example.com"`), or the digest in the cell, or ""."""
    text = problems.plain_text(cell, column)
    if not text:
        return ""
    try:
        return sha256(normalize_email(text).encode()).hexdigest()
    except (RuleError, UnicodeEncodeError):
        return _read_digest(row, text, "INVALID_EMAIL", column, problems)


def _reread_phone(
    row: int, cell: str, region: str | None, column: str, problems: RowProblems
) -> str:
    """Read a cell again that is no plain phone number: return the digest of a wrapped one
    (`="+12125550101"`) or of a doubtful one, or the digest in the cell, or ""."""
    text = problems.plain_text(cell, column)
    if not text:
        return ""
    try:
        return sha256_hex(read_number(row, text, region, column, problems))
    except RuleError as error:
        return _read_digest(row, text, error.code, column, problems)


def read_number(row: int, text: str, region: str | None, column: str, problems: RowProblems) -> str:
    """Return the phone number in a text, in E.164. A warning says if its `+` may be missing.

    `region` is the row's country (`phone_regions`). Raises INVALID_PHONE, or PHONE_REGION_MISSING
    if the number needs a country and there is none.
    """
    try:
        return normalize_phone(text, region, only_if_sure=True)
    except RuleError as error:
        code = error.code
    if code == "PHONE_MAYBE_INTERNATIONAL":
        problems.warn(row, code, column)
        # This raises nothing: the doubt is only that the number is valid in two ways.
        return normalize_phone(text, region)
    # A country that is stated is not missing, although it may be unreadable, or Antarctica.
    raise RuleError(code if region is None else "INVALID_PHONE")


def _read_digest(row: int, cell: str, code: str, column: str, problems: RowProblems) -> str:
    """Return the digest in a cell. For any other text, add the warning `code` and return ""; for 64
    hex digits that can be no digest, the warning is INVALID_DIGEST."""
    text = problems.plain_text(cell, column)
    if not text:
        return ""
    try:
        return parse_digest(text)
    except RuleError as error:
        problems.warn(row, error.code if is_digest(text) else code, column)
        return ""


def phone_regions(chunk: ChunkColumns) -> list[str | None]:
    """Return the country of each row's phone numbers, as `normalize_phone` takes it. None: row and
    profile have none; `_UNREADABLE`: the row has one that can't be read.

    The default does not replace a country that can't be read, because the row gives another one. A
    number with `+` needs no country.
    """
    cells, default = chunk.cells(PHONE_COUNTRY), chunk.file.rules.phone_region
    if not any(cells):
        return [default] * chunk.size
    regions_of_cells = chunk.file.memo(_region_of, PHONE_COUNTRY)
    regions: list[str | None] = []
    for row, cell in enumerate(cells):
        region, problem = regions_of_cells[cell] if cell else (default, None)
        if problem is not None:
            chunk.problems.warnings[row].append(problem)
        regions.append(region)
    return regions


def _region_of(text: str | None, rules: RowRules) -> tuple[str | None, Problem | None]:
    return phone_region(text, rules.phone_region)


def phone_region(text: str | None, default: str | None) -> tuple[str | None, Problem | None]:
    """Return the country in a cell, or the default if the cell has no value. With a problem, the
    country is one in which no number is dialled."""
    try:
        return (normalize_phone_region(text) if text else default), None
    except RuleError as error:
        return _UNREADABLE, Problem(error.code, PHONE_COUNTRY)


def _digests_by_row(columns: Sequence[Sequence[str]], size: int) -> list[Digests]:
    """Return the distinct digests of each of `size` rows, from one column or several.

    `[["a", "b"], ["a", ""]]` becomes `[("a",), ("b",)]`.
    """
    if not columns:
        return [_NONE] * size
    if len(columns) == 1:
        combined: list[Digests] = [*zip(columns[0])]  # ["a", ""] becomes [("a",), ("",)]
        for row in compress(range(size), map(not_, columns[0])):
            combined[row] = _NONE
        return combined
    return [tuple(dict.fromkeys(filter(None, each))) for each in zip(*columns, strict=True)]


def _keep_first(
    most: int, emails: list[Digests], phones: list[Digests], problems: RowProblems
) -> None:
    """Keep the first `most` identifiers of each row, email addresses before phone numbers: the API
    accepts no more in one record."""
    for row, (of_emails, of_phones) in enumerate(zip(emails, phones, strict=True)):
        if len(of_emails) + len(of_phones) > most:
            problems.warn(row, "TOO_MANY_IDENTIFIERS")
            emails[row] = of_emails[:most]
            phones[row] = of_phones[: max(most - len(of_emails), 0)]


# ── orders ───────────────────────────────────────────────────────────────────────────────────────


def read_order_ids(chunk: ChunkColumns) -> list[str | None]:
    """Return the order ID of each row, or None if it has none.

    One that is too long for Google becomes a digest, in sales and their corrections alike, unless a
    website's tag has sent it as it is. Google refuses personal data in order IDs, so each one is
    also compared with the phone numbers of its row.
    """
    problems, rules = chunk.problems, chunk.file.rules
    phone_columns = [cells for _, cells in chunk.numbered("phone")]
    cells = chunk.cells("order_id")
    order_ids = [cell or None for cell in cells]
    for row in compress(range(chunk.size), map(not_, map(is_plain_order_id, cells))):
        if not cells[row]:
            continue
        order_ids[row] = None
        text = problems.plain_text(cells[row], "order_id")
        if text and rules.integer_order_ids:
            text = problems.plain_text(without_zero(text), "order_id")
        if text:
            try:
                phones = [column[row] for column in phone_columns]
                order_id = check_order_id(text, phones)
                if not rules.is_of_tag:
                    order_id = fitting_order_id(order_id, rules.sent_order_id)
                elif len(order_id) > MAX_CHARS_OF_TAG:
                    raise RuleError("INVALID_ORDER_ID")
                order_ids[row] = order_id
            except RuleError as error:
                problems.reject(row, error.code, "order_id")
    return order_ids
