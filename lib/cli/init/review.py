"""The screen that shows everything before it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of, number_of_rows
from lib.cli.check_output import record_as_text
from lib.cli.escaping import on_terminal
from lib.cli.init.asking import cell, samples_of, say, shows_cells
from lib.cli.init.draft import Draft, written
from lib.cli.init.look import MOST_ROWS, Column, has_look
from lib.cli.init.questions import Question, long_time
from lib.cli.init.rows import other_skips
from lib.cli.init.trial import SentRow, Trial
from lib.config.profile import ACTION_DEFAULT
from lib.destinations.registry import capabilities_of
from lib.model.adjustment_types import ADJUSTMENT_TYPES, stated_type
from lib.model.fields import comparable
from lib.model.money import ACCOUNT_CURRENCY, MICROS, amount
from lib.model.records import is_derived_order_id
from lib.rules.columns import plain_text
from lib.rules.selection import ANY_OTHER
from lib.rules.values.cells import RuleError
from lib.rules.values.enums import parse_consent
from lib.rules.values.identifiers import is_digest, normalize_email
from lib.rules.values.phones import normalize_phone, normalize_phone_region

_SAMPLES: Final = 3
_SENTENCE: Final = re.compile(r"(?<=\.)\s+(?=[A-Z])")
_SHOWN: Final = frozenset(
    {"columns", "conversions", "rows", "send", "skip", "sheet", "adjustments_via", "validate_only"}
)
"""Keys for which there is no question, and which the screen shows all the same."""
_NOT_UPLOADED: Final = (
    "A refund or change counts only if its sale was uploaded before. Otherwise it is tried for\n"
    "three days, and then reported as failed: that is harmless."
)
_NEW_CONVERSION: Final = (
    "A change counts as a new conversion, with the new value, if its sale was never uploaded: the\n"
    "{title} cannot tell them apart."
)


def show(title: str, asked: Sequence[Question], draft: Draft, trial: Trial) -> None:
    """Print each decision with samples, and what would happen to the rows."""
    say()
    sheet = f", sheet {on_terminal(draft.profile['sheet'])}" if "sheet" in draft.profile else ""
    say(f"{title}{sheet}, names in line {draft.sample.header_line}")
    if draft.profile.get("validate_only"):
        say("Nothing will be counted: Google only checks (validate_only true).")
    if not draft.sample.is_whole:
        say(f"Counts beside a decision are about the first {MOST_ROWS:,} rows.")
    say()
    width = max(len(question.title) for question in asked)
    for number, question in enumerate(asked, 1):
        first, *more = _answer(question, number, draft, trial)
        say(f"{number:>3}  {question.title:<{width}}  {first}")
        for line in more:
            say(f"     {'':<{width}}    {line}")
    say()
    for line in _what_happens(draft, trial):
        say(line)
    if others := [*_not_asked(asked, draft)]:
        say(f"Also in the profile: {', '.join(others)}")


# ── each decision ────────────────────────────────────────────────────────────────────────────


def _answer(question: Question, number: int, draft: Draft, trial: Trial) -> list[str]:
    """Return the answer to a question, and samples beside what Google gets. `number` changes it."""
    if question.name == "rows":
        return [*_rows(draft, number)]
    if question.name == "skip":
        return [*_left_out(draft, number)] or ["no others"]
    if question.name == "value_currency":
        return [*_value_currencies(draft)]
    labels = {value: label for value, label, _ in reversed(question.choices)}
    value = draft.constant(question.key, question.entry)
    constant = labels.get(value, "none" if value is None else on_terminal(str(value)))
    is_typed = draft.level(question.entry).get("send") == "adjustment"
    if (question.name == "adjusted_value" and is_typed) or (
        question.name == "order_id" and draft.profile.get("derive_order_id") is False
    ):
        constant = "none"
    if question.key == "customer_id":  # a profile that was read has only its digits
        constant = re.sub(r"^(\d{3})(\d{3})(\d{4})$", r"\1-\2-\3", constant)
    hides_column = draft.hides_column(question.key, question.entry)
    names = [] if hides_column else draft.column_names(question.name, question.entry)
    column = draft.column(question.name, question.entry)
    if names and column is not None:
        is_of_empty = value == ACTION_DEFAULT or question.key not in ("value", "action")
        of_empty = (
            []
            if value is None or not is_of_empty
            else [f"(empty) → {constant.removeprefix('none: ')}"]
        )
        return [*_column(question, column, draft, trial), *of_empty]
    if names:
        constant = f"{' or '.join(map(on_terminal, names))} (not in this file)"
    elif question.name == "conversion_value" and value not in labels:
        constant = f"{constant} each"
    lines = [constant]
    if question.name == "gclid":
        others = [draft.column(name) for name in ("gbraid", "wbraid")]
        alike = [each for each in draft.sample.columns if "click ID" in each.looks]
        lines += [
            f'But the cells of "{on_terminal(each.name)}" look like click IDs'
            for each in alike
            if each not in others
        ]
    if question.name == "destination" and (via := draft.profile.get("adjustments_via")):
        able, lacking = capabilities_of(via).title, capabilities_of(draft.profile["destination"])
        lines.append(f"refunds and changes: {able}, because the {lacking.title} sends no refunds")
    return lines


def _not_asked(asked: Sequence[Question], draft: Draft) -> Iterator[str]:
    """Yield what the profile and its entries say besides the answers to the questions."""
    asked_for = {(name, each.entry) for each in asked for name in (each.name, each.key)}
    asked_for |= {(name, None) for name, _ in asked_for}  # An entry shows what it inherits.
    asked_for |= {("currency_code", entry) for entry in draft.of_one_value}
    for entry in (None, *range(len(draft.profile.get("conversions", ())))):
        which = "" if entry is None else f" ({draft.name_of(entry)})"
        level = draft.level(entry)
        for key, value in level.items():
            if key not in _SHOWN and (key, entry) not in asked_for:
                text = value if isinstance(value, str) else json.dumps(value)
                yield f"{key}{which} {on_terminal(text)}"
        for field, names in level.get("columns", {}).items():
            if (field, entry) not in asked_for:
                listed = [names] if isinstance(names, str) else names or ["none"]
                yield f"{field}{which} ← {' or '.join(map(on_terminal, listed))}"


def _left_out(draft: Draft, number: int) -> Iterator[str]:
    """Yield which other rows are left out."""
    for name, values in other_skips(draft).items():
        yield f"{_values(draft, name, values)}; a value not seen here: {draft.of_unseen(name)}"
        yield from _unlisted(draft, name, number)


def _unlisted(draft: Draft, name: str, changed_by: int) -> Iterator[str]:
    """Yield the values of this file that the profile does not list, and what changes it."""
    for column in draft.sample.columns:
        if column.name == name and (values := draft.unlisted(column)):
            shown = [f"{cell(value)} ({number_of_rows(count)})" for value, count in values]
            more = f" and {len(shown) - _SAMPLES} more" if len(shown) > _SAMPLES else ""
            yield (
                f"{on_terminal(name)}: {', '.join(shown[:_SAMPLES])}{more}, in no entry → "
                f"rejected. Say with {changed_by} what they are"
            )


def _rows(draft: Draft, changed_by: int) -> Iterator[str]:
    """Yield which rows are sent as what."""
    left_out = other_skips(draft)
    names: dict[str, None] = {}
    for number, entry in enumerate(draft.entries):
        kept = {n: each for n, each in entry.get("rows", {}).items() if n not in left_out}
        listed = [_values(draft, name, values) for name, values in kept.items()]
        yield f"{' and '.join(listed) or 'all rows'} → {_kind(draft, number)}"
        names.update(dict.fromkeys(kept))
    for name in names:
        if skipped := draft.profile.get("skip", {}).get(name):
            yield f"{_values(draft, name, skipped)} → left out"
        yield f"{on_terminal(name)}: a value not seen here → {draft.of_unseen(name)}"
        yield from _unlisted(draft, name, changed_by)


def _value_currencies(draft: Draft) -> Iterator[str]:
    """Yield in which currency each value is that all rows of an entry have."""
    for entry in draft.of_one_value:
        currency = draft.profile.get("currency_code", ACCOUNT_CURRENCY)
        if draft.column_names("currency_code", entry):
            currency = "the currency of each row"
        yield f"{draft.level(entry)['value']} ({draft.name_of(entry)}): in {currency}"


def _values(draft: Draft, name: str, values: Sequence[str]) -> str:
    is_listed = len(values) > 1 or any(name in entry.get("rows", {}) for entry in draft.entries)
    any_value = "any value not listed" if is_listed else "any filled cell"
    texts = (any_value if each == ANY_OTHER else written(each) for each in values)
    return f"{on_terminal(name)}: {', '.join(texts)}"


def _kind(draft: Draft, number: int) -> str:
    send = draft.entries[number].get("send", "conversion")
    if send == "conversion" and number not in draft.conversions:
        return "sale"
    stated = stated_type(send)
    return ADJUSTMENT_TYPES[stated].common_name if stated else send


def _column(question: Question, column: Column, draft: Draft, trial: Trial) -> Iterator[str]:
    """Yield the column of a field, and what its cells become."""
    differing = f": {draft.differing(column)}" if question.name == "order_id" else ""
    yield f"{on_terminal(column.name)}{differing}"
    if question.look == "yes or no":
        left_out = {*map(comparable, draft.profile.get("skip", {}).get(column.name, ()))}
        for value, count in column.values():
            stated = "left out" if comparable(value) in left_out else _consent_in(value)
            yield f"{cell(value)} ({number_of_rows(count)}) → {stated}"
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
        currency = record.currency_code or ACCOUNT_CURRENCY
        return f"{amount(round(record.value * MICROS), always_cents=True)} {currency}"
    if field == "order_id" and record.order_id:
        return "derived" if is_derived_order_id(record.order_id) else record.order_id
    if field in ("email", "phone"):
        text = plain_text(text, field, set()) or ""
    try:
        if field == "email" and text:
            return f"{normalize_email(text)}, hashed"
        if field == "phone" and text:
            return f"{normalize_phone(text, _phone_region(row, default_region))}, hashed"
    except RuleError as error:
        return "hashed already" if is_digest(text) else f"left out: {lookup(error.code).meaning}"
    found = getattr(record, field, "")
    return cell(str(found)) if found else "left out"


def _phone_region(row: SentRow, default: str | None) -> str | None:
    """Return the country that a row states, otherwise that of the profile."""
    stated = plain_text(row.cells.get("country_code", ""), "country_code", set())
    if not stated:
        return default
    try:
        return normalize_phone_region(stated)
    except RuleError:
        return None


# ── what happens to the rows ─────────────────────────────────────────────────────────────────


def _what_happens(draft: Draft, trial: Trial) -> Iterator[str]:
    """Yield the funnel from all rows to those that Google gets, and what is not sent."""
    if trial.stop:
        yield f"The file would be stopped: {trial.stop}"
        return
    yield f"{trial.rows:>7,}  rows in the file"
    if trial.footer:
        yield f"{-trial.footer:>7,}  footer below the rows"
    for name, count in trial.skipped.items():
        yield f"{-count:>7,}  left out by {_values(draft, name, draft.profile['skip'][name])}"
    for reason, count in trial.refused.items():
        outcome, code = reason
        entry, line = lookup(code), trial.first[reason].line
        where = f"line {line}" if count == 1 else f"line {line} and {count - 1:,} more"
        meaning, action = (_SENTENCE.split(text)[0] for text in (entry.meaning, entry.action))
        yield f"{-count:>7,}  {outcome}, {where}: {meaning}"
        yield f"         {code} → {action}"
    yield f"{trial.sent.total():>7,}  sent to Google:"
    for number, count in sorted(trial.sent.items()):
        yield f"         {_what(draft, number, count)}{_sums(trial, number)}"
    for code, count in trial.warned.items():
        yield f"{count:>7,}  of them with a warning: {lookup(code).meaning} ({code})"
    yield "         Is this right?"
    if draft.corrections:
        yield ""
        yield _if_not_uploaded(draft)
    if trial.kept and shows_cells():
        yield ""
        yield "Some of them, as Google gets them:"
        for row in trial.differing():
            yield f"  line {row.line}: {record_as_text(row.record)}"
    yield ""
    yield f"Columns that are not used: {', '.join(map(on_terminal, trial.unused)) or 'none'}"


def _if_not_uploaded(draft: Draft) -> str:
    """Return what Google does with a refund or change whose sale it does not know."""
    can = capabilities_of(draft.profile.get("adjustments_via") or draft.profile["destination"])
    text = _NEW_CONVERSION if can.last_value_counts else _NOT_UPLOADED
    return text.format(title=can.title)


def _what(draft: Draft, number: int, count: int) -> str:
    which = f" ({draft.name_of(number)})" if number in draft.conversions else ""
    return f"{number_of(count, _kind(draft, number))}{which}"


def _sums(trial: Trial, number: int) -> str:
    sums = [
        f"{amount(each.micros, always_cents=True)} {currency or ACCOUNT_CURRENCY}"
        for currency, each in trial.sums.get(number, {}).items()
    ]
    return f", {' + '.join(sums)}" if sums else ""
