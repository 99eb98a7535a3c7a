"""The screen that shows everything before it is written."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from lib.catalogue.codes import lookup
from lib.catalogue.texts import first_sentence, number_of, number_of_rows
from lib.cli.check_output import if_not_uploaded, money_as_text, record_as_text
from lib.cli.escaping import on_terminal
from lib.cli.init.asking import cell, samples_of, say, shows_cells
from lib.cli.init.draft import Draft
from lib.cli.init.look import MOST_ROWS, Column, has_look
from lib.cli.init.questions import Question, long_time
from lib.cli.init.rows import kind_of, skipped_values
from lib.cli.init.trial import SentRow, Trial
from lib.model.money import MICROS
from lib.model.records import is_derived_order_id
from lib.rules.columns import plain_text
from lib.rules.identity import PHONE_COUNTRY, phone_region
from lib.rules.values.cells import RuleError
from lib.rules.values.enums import parse_consent
from lib.rules.values.identifiers import is_digest, normalize_email
from lib.rules.values.phones import normalize_phone

_SAMPLES: Final = 3
_OF_ROWS: Final = frozenset({"columns", "conversions", "rows", "send", "skip"})
"""The keys that the answers about rows and columns show."""


def show(asked: Sequence[Question], draft: Draft, trial: Trial) -> None:
    """Print each decision with samples, and what would happen to the rows."""
    say()
    place = f"{on_terminal(draft.file.name)}, names in line {draft.sample.header_line}"
    say(f'Profile "{draft.name}" for {place}')
    if draft.profile.get("validate_only"):
        say("Nothing will be counted: Google only checks (validate_only true).")
    if not draft.sample.is_whole:
        say(f"Counts beside a decision are about the first {MOST_ROWS:,} rows.")
    say()
    width = max(len(question.title) for question in asked)
    for number, question in enumerate(asked, 1):
        first, *more = _answer(question, draft, trial) or ["none"]
        say(f"{number:>3}  {question.title:<{width}}  {first}")
        for line in more:
            say(f"     {'':<{width}}    {line}")
    say()
    for line in _what_happens(draft, trial):
        say(line)
    if others := [*_not_asked(asked, draft)]:
        say(f"Also in the profile: {', '.join(others)}")


# ── each decision ────────────────────────────────────────────────────────────────────────────


def _answer(question: Question, draft: Draft, trial: Trial) -> list[str]:
    """Return the answer to a question, and samples beside what Google gets."""
    if question.shown_by is not None:
        return question.shown_by(draft)
    labels = {offer.value: offer.label for offer in reversed(question.choices)}
    value = draft.constant(question.key, question.entry)
    constant = labels.get(value, "none" if value is None else on_terminal(str(value)))
    names = draft.column_names(question.name, question.entry)
    column = draft.column(question.name, question.entry)
    if column is not None:
        lines = [*_column(question, column, draft, trial)]
        if value is not None:
            lines.append(f"(empty) → {constant.removeprefix('none: ')}")
        return lines
    if names:
        return [f"{' or '.join(map(on_terminal, names))} (not in this file)"]
    if question.name == "gclid":
        return [constant, *_lost_click_ids(draft)]
    return [constant]


def _lost_click_ids(draft: Draft) -> Iterator[str]:
    """Yield the columns of click IDs that are not sent as such."""
    sent = [draft.column(name) for name in ("gbraid", "wbraid")]
    for column in draft.sample.columns:
        if "click ID" in column.looks and column not in sent:
            yield f'But the cells of "{on_terminal(column.name)}" look like click IDs'


def _column(question: Question, column: Column, draft: Draft, trial: Trial) -> Iterator[str]:
    """Yield the column of a field, and what its cells become."""
    differing = f": {draft.differing(column)}" if question.name == "order_id" else ""
    yield f"{on_terminal(column.name)}{differing}"
    if question.look == "yes or no":
        for value, count in draft.as_sent(column, draft.sales).values():
            yield f"{cell(value)} ({number_of_rows(count)}) → {_consent_in(value)}"
    elif question.look in ("currency", "country or calling code"):
        yield samples_of(column)
    elif shows_cells():
        yield from _samples(question, draft, trial)


def _consent_in(value: str) -> str:
    try:
        return parse_consent(value) or "nothing is stated"
    except RuleError:
        return "unreadable"


def _samples(question: Question, draft: Draft, trial: Trial) -> list[str]:
    """Return cells of rows that would be sent, beside what Google gets. They differ in form."""
    rows: dict[str, SentRow] = {}
    # The first entry has no number if the profile itself has its columns.
    entry = 0 if question.of == "conversion" and question.entry is None else question.entry
    for row in trial.kept:
        text = row.cells.get(question.name, "")
        if text and entry in (None, row.entry):
            rows.setdefault(text, row)
    by_form = {_form(question, text): text for text in reversed(rows)}
    shown = [*dict.fromkeys((*reversed(by_form.values()), *rows))][:_SAMPLES]
    region = draft.profile.get("phone_region")
    return [f"{cell(t)} → {_as_sent(question.name, t, rows[t], region)}" for t in shown]


def _form(question: Question, text: str) -> str:
    """Return what cells have in common that are written alike: `030 23125 014` → `9 9 9`."""
    if question.look == "click ID":
        return str(has_look(text.strip(), "click ID"))
    return re.sub(r"\w*?[^\W\d_]\w*", "a", re.sub(r"\d+", "9", text))


def _as_sent(field: str, text: str, row: SentRow, default_region: str | None) -> str:
    """Return what Google gets of a cell. `default_region`: the country of phones in the profile."""
    record = row.record
    if field in ("conversion_date_time", "adjustment_date_time", "time_of_day"):
        return long_time(record.time)
    if field in ("conversion_value", "adjusted_value") and record.value is not None:
        return money_as_text(round(record.value * MICROS), record.currency_code)
    if field == "order_id" and record.order_id:
        return "derived" if is_derived_order_id(record.order_id) else record.order_id
    if field in ("email", "phone"):
        return _hashed(field, plain_text(text, field, set()), row, default_region)
    sent = getattr(record, field, "")
    return cell(str(sent)) if sent else "left out"


def _hashed(field: str, text: str | None, row: SentRow, default_region: str | None) -> str:
    """Return the email address or phone number that is hashed, or why it is not sent."""
    if not text:
        return "left out"
    try:
        if field == "email":
            return f"{normalize_email(text)}, hashed"
        region, _ = phone_region(row.cells.get(PHONE_COUNTRY, ""), default_region, set())
        return f"{normalize_phone(text, region)}, hashed"
    except RuleError as error:
        return "hashed already" if is_digest(text) else f"left out: {lookup(error.code).meaning}"


# ── what happens to the rows ─────────────────────────────────────────────────────────────────


def _what_happens(draft: Draft, trial: Trial) -> Iterator[str]:
    """Yield the funnel from all rows to those that Google gets, and what is not sent."""
    if trial.stop:
        yield f"The file would be stopped: {trial.stop}"
        return
    yield f"{trial.rows:>7,}  rows in the file"
    if trial.footer:
        yield f"{-trial.footer:>7,}  footer below the rows"
    for values, count in zip(skipped_values(draft), trial.skipped.values(), strict=True):
        yield f"{-count:>7,}  left out by {values}"
    for (outcome, code), lines in trial.refused.items():
        where = f"line {lines[0]}" + (f" and {len(lines) - 1:,} more" if lines[1:] else "")
        reason = lookup(code)
        yield f"{-len(lines):>7,}  {outcome}, {where}: {first_sentence(reason.meaning)}"
        yield f"         {code} → {first_sentence(reason.action)}"
    yield f"{sum(totals.all_rows for totals in trial.sent.values()):>7,}  sent to Google:"
    warnings = Counter[str]()
    for number, totals in sorted(trial.sent.items()):
        which = f" ({draft.name_of(number)})" if number in draft.conversions else ""
        sums = [money_as_text(each.micros, code) for code, each in trial.sums[number].items()]
        total = f", {' + '.join(sums)}" if sums else ""
        yield f"         {number_of(totals.all_rows, kind_of(draft, number))}{which}{total}"
        warnings.update({code: each.number for code, each in totals.codes.items()})
    for code, count in warnings.items():
        yield f"{count:>7,}  of them with a warning: {lookup(code).meaning} ({code})"
    yield "         Is this right?"
    if draft.corrections:
        yield f"\n{if_not_uploaded(draft.document())}"
    if trial.kept and shows_cells():
        yield "\nSome of them, as Google gets them:"
        for row in trial.differing():
            yield f"  line {row.line}: {record_as_text(row.record)}"
    yield f"\nColumns that are not used: {', '.join(map(on_terminal, trial.unused)) or 'none'}"


def _not_asked(asked: Sequence[Question], draft: Draft) -> Iterator[str]:
    """Yield what the profile and its entries say besides the answers to the questions."""
    answered = {
        (name, question.entry) for question in asked for name in (question.name, question.key)
    }
    answered |= {(name, None) for name, _ in answered}  # An entry shows what it inherits.
    document = draft.document()
    for entry in (None, *range(len(document.get("conversions", ())))):
        which = "" if entry is None else f" ({draft.name_of(entry)})"
        level = document if entry is None else draft.level(entry)
        for key, value in [*level.items(), *level.get("columns", {}).items()]:
            if key not in _OF_ROWS and (key, entry) not in answered:
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                yield f"{key}{which} {on_terminal(text)}"
