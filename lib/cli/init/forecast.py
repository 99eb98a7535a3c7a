"""What a run would do with the file, in words: the page shows them, and `--yes` prints them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from lib.catalogue.codes import lookup
from lib.catalogue.texts import REFUND, first_sentence, number_of, number_of_rows
from lib.cli.check_output import if_not_uploaded, money_as_text
from lib.cli.escaping import on_terminal
from lib.cli.init.draft import Draft, written
from lib.cli.init.look import Column
from lib.cli.init.questions import long_time
from lib.cli.init.trial import SentRow, Trial
from lib.destinations.registry import capabilities_of
from lib.errors import RuleError
from lib.model.money import MICROS
from lib.model.records import Adjustment, Conversion, is_derived_order_id
from lib.rules.columns import plain_text
from lib.rules.identity import PHONE_COUNTRY, phone_region
from lib.rules.values.enums import parse_consent
from lib.rules.values.identifiers import is_digest, normalize_email
from lib.rules.values.phones import normalize_phone

_MAX_ANSWERS: Final = 6


class Line(NamedTuple):
    """Some of the rows: how many, what they are, and what to know about it."""

    rows: int
    text: str
    detail: str = ""
    is_sent: bool = False


def sent_lines(draft: Draft, trial: Trial) -> Iterator[Line]:
    """Yield the rows that Google would get, by entry: `3 sales, 800.50 USD`."""
    for number, totals in sorted(trial.sent.items()):
        several = len(draft.sales) > 1 and number in draft.sales
        action = draft.completed[number].action
        which = f" ({action or draft.name_of(number)})" if several else ""
        sums = [
            money_as_text(each.micros, code) for code, each in totals.money.get("ok", {}).items()
        ]
        total = f", {' + '.join(sums)}" if sums and number in draft.sales else ""
        detail = ""
        if number in draft.corrections:
            detail = f"{len(trial.found(number)):,} of them are about a sale of this file"
        text = number_of(totals.all_rows, noun_of_entry(draft, number)).partition(" ")[2]
        yield Line(totals.all_rows, f"{text}{which}{total}", detail, is_sent=True)


def noun_of_entry(draft: Draft, number: int) -> str:
    """Return what people call the rows of an entry: a sale, a refund."""
    send = str(draft.entries[number].get("send", "conversion"))
    return {"conversion": "sale", "retraction": "refund", "restatement": "change"}.get(send, send)


def other_lines(draft: Draft, trial: Trial) -> Iterator[Line]:
    """Yield the rows that Google would not get: left out, and refused by cause."""
    if trial.footer:
        yield Line(trial.footer, "footer below the rows")
    if trial.skipped:
        skip = draft.profile.get("skip", {})
        listed = [f"{name}: {', '.join(map(written, skip[name]))}" for name in skip]
        yield Line(trial.skipped, f"left out by {'; '.join(listed)}")
    for (outcome, code), lines in trial.refused.items():
        reason = lookup(code)
        where = f"line {lines[0]}" + (f" and {len(lines) - 1:,} more" if lines[1:] else "")
        detail = f"{code} → {reason.action}"
        yield Line(len(lines), f"{outcome}, {where}: {first_sentence(reason.meaning)}", detail)


def remarks(draft: Draft, trial: Trial) -> Iterator[str]:
    """Yield what may be wrong although no row is refused."""
    warnings = Counter[str]()
    for totals in trial.sent.values():
        warnings.update({code: each.number for code, each in totals.codes.items()})
    for code, count in warnings.items():
        yield f"{number_of_rows(count)} with a warning: {lookup(code).meaning} ({code})"
    for note in trial.notes:
        detail = f" ({note.detail})" if note.detail else ""
        yield f"{lookup(note.code).meaning}{detail} {lookup(note.code).action}"
    if draft.corrections and trial.corrected:
        if rows := _without_sale(draft, trial):
            yield (
                f"{number_of(rows, REFUND)} without another row for the sale: an earlier file must "
                "have sent it. If an order first comes into a file when it is refunded already, "
                "neither its sale nor its refund counts."
            )
        if rows := _smaller_than_their_sale(draft, trial):
            yield (
                f"{number_of(rows, 'refund')} of less than the sale. If only a part was paid back, "
                "leave these rows out, or name a column with the new total: Google takes back the "
                "whole sale."
            )
        if "destination" in draft.profile:
            document = draft.document()
            if via := document.get("adjustments_via"):
                own, other = (capabilities_of(api).title for api in (document["destination"], via))
                yield f"The {own} cannot send all of them, so they go to the {other}."
            yield if_not_uploaded(document)
    yield from _shared_times(draft)
    if draft.sales & trial.sent.keys():
        yield from _lost_click_ids(draft)


def _without_sale(draft: Draft, trial: Trial) -> int:
    """Return how many refunds have the order ID of a sale that no other row of the file has."""
    column = draft.column("order_id")
    return sum(
        len(orders) - len(trial.found(number))
        for number, orders in trial.corrected.items()
        if column is not None
        and draft.column("order_id", number) == column
        and draft.column("conversion_date_time", number) is not None
    )


def _smaller_than_their_sale(draft: Draft, trial: Trial) -> int:
    """Return how many refunds of a whole sale have a smaller amount than the sale in this file."""
    lines = (line for line, *_ in draft.sample.rows)
    amounts = {line: abs(each) for line, each in zip(lines, draft.amounts(), strict=False)}
    return sum(
        0 < amounts.get(refund, 0) < amounts[sale]
        for number in draft.corrections
        if draft.entries[number]["send"] == "retraction"
        for sale, refund in trial.found(number)
    )


def _shared_times(draft: Draft) -> Iterator[str]:
    """Yield the column that is the time of the sale and of its refund."""
    sold = draft.column("conversion_date_time")
    if sold and sold in [draft.column("adjustment_date_time", n) for n in draft.corrections]:
        yield (
            f"“{sold.name}” is the time of sales and of refunds. In the row of a refund, it must "
            "be when the sale was refunded, and not when it happened."
        )


def _lost_click_ids(draft: Draft) -> Iterator[str]:
    """Yield a sentence for each column with click IDs that are not sent as such."""
    sent = [draft.column(name) for name in ("gclid", "gbraid", "wbraid")]
    for column in draft.sample.columns:
        if "click ID" in column.looks and column not in sent:
            yield f"The cells of “{column.name}” look like Google's click IDs, and are not sent."


_ANSWERS: Final = {"GRANTED": "agreed", "DENIED": "refused", None: "not stated"}


def answers_in(draft: Draft, column: Column) -> str:
    """Return what the most frequent cells of a column of consent are read as:
    `yes (70): agreed, no (10): refused`."""
    listed = []
    for cell, rows in draft.sample.cells_of(column).most_common(_MAX_ANSWERS):
        try:
            answer = _ANSWERS[parse_consent(plain_text(cell, "ad_user_data") or "")]
        except RuleError:
            answer = "not readable"
        listed.append(f"{written(cell)} ({rows:,}): {answer}")
    return ", ".join(listed)


# ── rows cell by cell ────────────────────────────────────────────────────────────────────────


class Cell(NamedTuple):
    """A cell of a row, and what Google gets of it."""

    field: str
    text: str
    becomes: str


_ALWAYS: Final = ("conversion_value", "order_id", "ad_user_data")
"""Fields that a conversion has without a column, too."""


def cells_of(row: SentRow, draft: Draft) -> Sequence[Cell]:
    """Return the cells of a row that would be sent, and what it gets without a cell."""
    more = _ALWAYS if isinstance(row.record, Conversion) else ()
    cells = [(field, row.cells.get(field, "")) for field in dict.fromkeys((*row.cells, *more))]
    return [
        Cell(field, text, becomes)
        for field, text in cells
        if (becomes := _as_sent(field, text, row, draft))
        and (text.strip() or field not in row.cells)
    ]


def _as_sent(field: str, text: str, row: SentRow, draft: Draft) -> str:
    """Return what Google gets of a cell; "" if there is none, and nothing is sent instead."""
    record = row.record
    if isinstance(record, Adjustment) and record.original and field != "adjustment_date_time":
        record = record.original  # the sale is sent again with all of its data
    if field.startswith(("email", "phone")):
        kind: Literal["email", "phone"] = "email" if field.startswith("email") else "phone"
        if isinstance(record, Adjustment):
            return "not needed"
        return _hashed(kind, plain_text(text, field), row, draft)
    if field == "conversion_date_time" and isinstance(record, Adjustment):
        return record.conversion_time or "not needed"
    if field in ("conversion_date_time", "adjustment_date_time", "time_of_day"):
        return long_time(record.time)
    if field in ("conversion_value", "adjusted_value"):
        if record.value is None:
            return "not needed" if isinstance(record, Adjustment) else "that of the action"
        return money_as_text(round(record.value * MICROS), record.currency_code)
    if field == "order_id":
        is_derived = bool(record.order_id and is_derived_order_id(record.order_id))
        return "derived from the row" if is_derived else record.order_id or ""
    if field in ("currency_code", "ad_user_data", "gclid", "gbraid", "wbraid"):
        return getattr(record, field, None) or "not stated"
    return "read with the others"


def _hashed(kind: Literal["email", "phone"], text: str | None, row: SentRow, draft: Draft) -> str:
    """Return what Google gets of an email address or a phone number: what is hashed, "hashed
    already" (it is sent as it is), or why it is left out."""
    try:
        if kind == "email":
            return f"{normalize_email(text or '')}, hashed"
        country = plain_text(row.cells.get(PHONE_COUNTRY, ""), PHONE_COUNTRY)
        region, _ = phone_region(country, draft.profile.get("phone_region"))
        return f"{normalize_phone(text or '', region)}, hashed"
    except RuleError as error:
        return (
            "hashed already" if is_digest(text or "") else f"left out: {lookup(error.code).meaning}"
        )


def as_text(draft: Draft, trial: Trial) -> Iterator[str]:
    """Yield the lines for a terminal. They have no cells, but the values that the profile lists."""
    yield f"{trial.totals.all_rows:>7,}  rows in the file"
    for line in (*other_lines(draft, trial), *sent_lines(draft, trial)):
        yield f"{line.rows if line.is_sent else -line.rows:>7,}  {on_terminal(line.text)}"
        if line.detail:
            yield f"         {on_terminal(line.detail)}"
    for remark in remarks(draft, trial):
        yield f"\n{on_terminal(remark)}"
