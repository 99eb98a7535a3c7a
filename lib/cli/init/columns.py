"""Which column holds which field, if the usual name is missing: by spelling, or by the cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from lib.cli.init.proposal import Choice, Entry, Given, Proposal, Question
from lib.cli.init.sample import Sample, SampleRow, amount_in, filled
from lib.model.fields import base_name
from lib.rules.fields import BY_NAME, FIELDS
from lib.rules.values.cells import plain_name, without_accents
from lib.rules.values.order_ids import looks_personal
from lib.run.column_content import columns_by_content, contains_dates
from lib.source.vocabulary import Tier, header_parts, vocabulary_of

_THE_CUSTOMERS: Final = ("billing", "contact", "customer", "client", "buyer", "kunde", "kontakt")
"""A second phone number with such a name belongs to the customer, and not to a salesperson."""
_LEAST_CENTS: Final = 2
"""Rows that must agree: one row may be a coincidence."""
_CENTS: Final = 100

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SHORT_NUMBER: Final = re.compile(r"#\d+")
_LONGEST_ID: Final = 64
"""Google's limit of an order ID."""
_FEWEST_DIFFERENT: Final = 0.95
"""Share of the rows that have an ID of their own. Some rows may be repeated by mistake."""

_ORDERS: Final = (
    *("order", "invoice", "transaction", "receipt", "beleg", "rechnung", "auftrag", "bestell"),
    *("vorgang", "facture", "commande", "pedido", "factura", "ordine", "fattura", "factuur"),
)
_DEALS: Final = ("deal", "opportunit", "record", "datensatz", "sale", "booking", "verkaufschance")
_IDS: Final = (
    *("id", "ids", "number", "no", "nr", "num", "key", "code", "nummer", "numero"),
    *("kennung", "guid"),
)
_OTHERS: Final = (
    *("contact", "account", "owner", "customer", "lead", "card", "user", "person", "company"),
    *("kunde", "kontakt", "besitzer", "associated", "campaign", "click", "payment", "refund"),
    *("product", "session", "transfer", "line", "item", "invoiced", "status", "checksum", "date"),
)

Columns = dict[str, tuple[int, str]]
"""Field → its column and the reason."""


def find_columns(
    sample: Sample,
    rows: Sequence[SampleRow],
    given: Given,
    refund_time: int | None,
) -> tuple[dict[str, int], Proposal]:
    """Return the column of each field, and the key `headers` with those that the profile must name.

    `rows` are those that count, `given` the columns that a person named, and `refund_time` is the
    column with the time of a refund.
    """
    found: Columns = {}
    steps: tuple[Callable[[Sample, Sequence[SampleRow], Columns], None], ...] = (
        _by_spelling,
        _by_content,
        _further_phones,
        _value_in_cents,
        _chosen,
    )
    for step in steps:
        step(sample, rows, found)
    times = _time_columns(sample, rows, found)
    if times:
        name = sample.names[times[0]]
        found["conversion_date_time"] = (times[0], f'"{name}" contains dates in rows that count.')
    if _lacks(sample, found, "order_id"):
        _order_id(sample, rows, found)
    if refund_time is not None:
        found["adjustment_date_time"] = (refund_time, "the time of a refund.")
    named: Mapping[str, Sequence[str]] = given.values.get("headers", {})
    for field in named:
        found.pop(field, None)
    columns = {**sample.header.fields, **{field: at for field, (at, _) in found.items()}}
    questions = _questions(sample, rows, times) if "conversion_date_time" in found else ()
    return columns, Proposal(_headers(sample, found, given), questions)


def _headers(sample: Sample, found: Columns, given: Given) -> tuple[Entry, ...]:
    named: Mapping[str, Sequence[str]] = given.values.get("headers", {})
    headers = {field: [sample.names[at]] for field, (at, _) in found.items()}
    headers |= {field: list(names) for field, names in named.items()}
    reasons = [f"{field}: {reason}" for field, (_, reason) in found.items()]
    reasons += [f"{field}: {given.reason('headers', field)}" for field in named]
    return (Entry("headers", headers, "\n".join(reasons)),) if headers else ()


def _questions(
    sample: Sample, rows: Sequence[SampleRow], times: Sequence[int]
) -> tuple[Question, ...]:
    if len(times) < 2:
        return ()
    choices = tuple(
        Choice(sample.names[at], sample.names[at], " | ".join(filled(rows, at)[:3])) for at in times
    )
    return (
        Question(
            key="headers",
            where="conversion_date_time",
            text="Which column says when the sale happened?",
            option="--column conversion_date_time=COLUMN",
            default=sample.names[times[0]],
            choices=choices,
        ),
    )


def _free(sample: Sample, found: Columns) -> list[int]:
    taken = {at for at, _ in found.values()}
    return [at for at in sample.free_columns() if at not in taken]


def _lacks(sample: Sample, found: Columns, field: str) -> bool:
    return field not in sample.header.fields and field not in found


def _by_spelling(sample: Sample, rows: Sequence[SampleRow], found: Columns) -> None:
    """`order_id (metadata)` and `custom.Order Number` mean what they mean without the rest."""
    vocabulary = vocabulary_of(FIELDS)
    for at in _free(sample, found):
        name = sample.names[at]
        parts = header_parts(name)
        inner = parts.name if parts and parts.in_brackets else name.rpartition(".")[2]
        meaning = vocabulary.meaning(inner) if inner != name else None
        if meaning is None or meaning.tier is not Tier.ALIAS:
            continue
        declared = BY_NAME[base_name(meaning.field)]
        # `Amount (thousands)` is another amount, and no column may be a mixture of two.
        if declared.read_unit is None and _lacks(sample, found, meaning.field):
            found[meaning.field] = (at, f'"{name}" contains the usual name "{inner}".')


def _by_content(sample: Sample, rows: Sequence[SampleRow], found: Columns) -> None:
    """The cells look like click IDs, email addresses or phone numbers."""
    known = {*sample.header.fields.values(), *(at for at, _ in found.values())}
    cells = [row.cells for row in rows]
    for fields, columns in columns_by_content(sample.names, cells, known):
        usable = [at for at in columns if sample.can_be_named(at)]
        if usable and all(_lacks(sample, found, field) for field in fields):
            # A salesperson's address is the same in many rows.
            best = max(usable, key=lambda at: (len(set(filled(rows, at))), -at))
            found[fields[0]] = (best, f'the cells of "{sample.names[best]}" look like this.')


def _further_phones(sample: Sample, rows: Sequence[SampleRow], found: Columns) -> None:
    """Shops have a phone number of the customer, and one of the invoice."""
    known = {*sample.header.fields.values(), *(at for at, _ in found.values())}
    cells = [row.cells for row in rows]
    for fields, columns in columns_by_content(sample.names, cells, known):
        field = fields[0]
        if not BY_NAME[field].numbered or _lacks(sample, found, field) or field == "email":
            continue
        for at in columns:
            name = sample.names[at]
            is_customers = plain_name(name).startswith(_THE_CUSTOMERS) and sample.can_be_named(at)
            numbered = f"{field}_2"
            if is_customers and _lacks(sample, found, numbered):
                found[numbered] = (at, f'the cells of "{name}" look like this too.')


def _value_in_cents(sample: Sample, rows: Sequence[SampleRow], found: Columns) -> None:
    """A column in cents has 100 times the amounts of another one."""
    at = sample.field_of("conversion_value")
    if at is None:
        return
    for other in _free(sample, found):
        pairs = [
            (amount_in(row.cells[at], False), amount_in(row.cells[other], False)) for row in rows
        ]
        both = [(one, two) for one, two in pairs if one and two]
        if len(both) >= _LEAST_CENTS and all(one == _CENTS * two for one, two in both):
            name, reason = sample.names[at], f'has 100 times the amounts of "{sample.names[other]}"'
            found["conversion_value"] = (other, f'"{name}" {reason}, so it is in cents.')
            return


def _chosen(sample: Sample, rows: Sequence[SampleRow], found: Columns) -> None:
    """Columns that were chosen among several are named, so that a new column changes nothing."""
    codes = {note.code: note.detail for note in sample.header.notes}
    for field, at in sample.header.fields.items():
        code = BY_NAME[base_name(field)].choice_code
        if code in codes and field not in found and sample.can_be_named(at):
            found[field] = (at, f"chosen by its name: {codes[code]}.")


def _time_columns(sample: Sample, rows: Sequence[SampleRow], found: Columns) -> list[int]:
    """Return the columns that may be the conversion time, the best one first, if none is known."""
    if not _lacks(sample, found, "conversion_date_time"):
        return []
    cells = [row.cells for row in rows]
    dates = [
        at
        for at in _free(sample, found)
        if contains_dates(cells, at) and not all(map(str.isdecimal, filled(rows, at)))
    ]
    # The time of a sale is there in every row that counts, and in few others.
    others = [row for row in sample.rows if row not in rows]
    return sorted(dates, key=lambda at: (-len(filled(rows, at)), len(filled(others, at)), at))


def _order_id(sample: Sample, rows: Sequence[SampleRow], found: Columns) -> None:
    """Without an order ID, Google may not recognize a row that is sent again."""
    ranked = [
        (rank, at)
        for at in _free(sample, found)
        if (rank := _rank(sample.names[at], rows, at)) is not None
    ]
    if ranked:
        _, at = min(ranked)
        name = sample.names[at]
        found["order_id"] = (at, f'"{name}" is different in every row that counts.')


def _rank(name: str, rows: Sequence[SampleRow], at: int) -> int | None:
    """Return how likely it is the ID of the order, 0 the most; None: it is not."""
    cells = filled(rows, at)
    if not cells or len(cells) < len(rows) or len(set(cells)) < _FEWEST_DIFFERENT * len(cells):
        return None
    if any(len(c) > _LONGEST_ID or looks_personal(c) for c in cells):
        return None
    if all(map(_SHORT_NUMBER.fullmatch, cells)):
        return 0
    words = [word.casefold() for word in _WORDS.findall(without_accents(name))]
    if any(word.startswith(_OTHERS) for word in words):
        return None
    has_id = any(word in _IDS or word.endswith(("nummer", "nr", "kennung")) for word in words)
    if any(word.startswith(_ORDERS) for word in words):
        return 0 if has_id else 2
    if any(word.startswith(_DEALS) for word in words):
        is_code = all(" " not in cell and any(map(str.isdecimal, cell)) for cell in cells)
        return 1 if has_id else (3 if is_code else None)
    return 4 if has_id and len(words) == 1 else None
