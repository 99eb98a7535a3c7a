"""The screen that shows everything before it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of, number_of_rows
from lib.cli.check_output import record_as_text
from lib.cli.escaping import on_terminal
from lib.cli.init.answers import Answers
from lib.cli.init.asking import cell, of_values, say, written
from lib.cli.init.look import MOST_ROWS, has_look
from lib.cli.init.questions import Question, consent_in, differing, name_of
from lib.cli.init.trial import SentRow, Trial
from lib.cli.init.writing import long_time
from lib.cli.terminal import is_own_screen
from lib.model.money import ACCOUNT_CURRENCY, MICROS, amount
from lib.model.records import is_derived_order_id
from lib.rules.rows import ANY_OTHER
from lib.rules.values.cells import RuleError
from lib.rules.values.identifiers import normalize_email
from lib.rules.values.phones import normalize_phone

_SAMPLES: Final = 3
CLICK_IDS: Final = ("gclid", "gbraid", "wbraid")
_SENTENCE: Final = re.compile(r"(?<=\.)\s+(?=[A-Z])")


def show(title: str, listed: Sequence[Question], answers: Answers, trial: Trial | str) -> None:
    """Print each decision with samples, and what would happen to the rows. `trial` is a text if the
    answers are no valid profile."""
    say()
    read_as = [f"names in line {answers.sample.header_line}"]
    read_as += [
        str(answers.profile[key]) for key in ("encoding", "sheet") if key in answers.profile
    ]
    say(", ".join([title, *map(on_terminal, read_as)]))
    if not answers.sample.is_whole:
        say(f"Counts beside a decision are about the first {MOST_ROWS:,} rows.")
    say()
    width = max(len(question.title) for question in listed)
    for number, question in enumerate(listed, 1):
        first, *more = _decision(question, answers, trial)
        say(f"{number:>3}  {question.title:<{width}}  {first}")
        for line in more:
            say(f"     {'':<{width}}    {line}")
    say()
    for line in [trial] if isinstance(trial, str) else _what_happens(answers, trial):
        say(line)


def _decision(question: Question, answers: Answers, trial: Trial | str) -> list[str]:
    """Return the answer of a question, and samples beside what Google gets."""
    key, profile = question.key, answers.profile
    level = answers.level(question.entry)
    if key == "rows":
        return [*_rows(answers)]
    if key == "left_out":
        skipped = answers.other_skips().items()
        return [
            f"{_values(answers, name, values)}; a value not seen here: {answers.unseen(name)}"
            for name, values in skipped
        ] or ["nothing else"]
    if question.field == "conversion_value" and isinstance(level.get("value"), (int, float)):
        return [f"always {level['value']:,}"]
    if question.field:
        return _column(question, answers, trial)
    if key == "destination":
        via = profile.get("adjustments_via")
        return [profile[key], *([f"refunds by {via}"] if via else [])]
    return [on_terminal(str(level.get(key.split()[0], "none")))]


def _rows(answers: Answers) -> Iterator[str]:
    """Yield which rows are sent as what."""
    left_out = answers.other_skips()
    for number, entry in enumerate(answers.entries):
        kept = entry.get("rows", {}).items()
        listed = [_values(answers, name, values) for name, values in kept if name not in left_out]
        yield f"{' and '.join(listed) or 'all rows'} → {_kind(answers, number)}"
    names = [name for entry in answers.entries for name in entry.get("rows", {})]
    for name in dict.fromkeys(each for each in names if each not in left_out):
        if skipped := answers.profile.get("skip", {}).get(name):
            yield f"{_values(answers, name, skipped)} → left out"
        yield f"{on_terminal(name)}: a value not seen here → {answers.unseen(name)}"


def _values(answers: Answers, name: str, values: Sequence[str]) -> str:
    is_listed = len(values) > 1 or any(name in entry.get("rows", {}) for entry in answers.entries)
    any_value = "any value not listed" if is_listed else "any filled cell"
    texts = (any_value if each == ANY_OTHER else written(each) for each in values)
    return f"{on_terminal(name)}: {', '.join(texts)}"


def _column(question: Question, answers: Answers, trial: Trial | str) -> list[str]:
    """Return the column of a field, and samples."""
    field = question.field
    constant = answers.level(question.entry).get(
        _KEYS.get(field, field), _NO_COLUMN.get(field, "none")
    )
    column = answers.column(field, question.entry)
    if column is None:
        return [str(constant)]
    lines = [on_terminal(column.name)]
    if field == "ad_user_data":
        left_out = answers.profile.get("skip", {}).get(column.name, ())
        for value, count in column.values():
            stated = consent_in(value) or "nothing is stated"
            stated = "left out" if value in left_out else stated
            lines.append(f"{cell(value)} ({number_of_rows(count)}) → {stated}")
        return lines
    if field == "currency_code":
        lines.append(of_values(column))
        return [*lines, f"(empty) → {constant}"] if constant != "none" else lines
    if field == "order_id":
        lines[0] += f": {differing(answers, column)}"
    if isinstance(trial, Trial) and is_own_screen():
        lines += _samples(question, trial)
    return lines


def _samples(question: Question, trial: Trial) -> list[str]:
    """Return cells of rows that would be sent, beside what Google gets. They differ in form."""
    found: dict[str, SentRow] = {}
    for row in trial.kept:
        text = row.cells.get(question.field, "")
        if text and (question.entry is None or question.entry == row.entry):
            found.setdefault(text, row)
    by_form: dict[str, str] = {}
    for text in found:
        by_form.setdefault(_form(question.field, text), text)
    shown = [*dict.fromkeys((*by_form.values(), *found))][:_SAMPLES]
    return [f"{cell(t)} → {_as_sent(question.field, t, found[t], trial)}" for t in shown]


def _form(field: str, text: str) -> str:
    """Return what cells have in common that are written alike: `030 23125 014` → `9 9 9`."""
    if field in CLICK_IDS:
        return str(has_look(text.strip(), "click ID"))
    return re.sub(r"\w*?[^\W\d_]\w*", "a", re.sub(r"\d+", "9", text))


def _as_sent(field: str, text: str, row: SentRow, trial: Trial) -> str:
    record = row.record
    if field in ("conversion_date_time", "adjustment_date_time", "time_of_day"):
        return long_time(record.time)
    if field == "conversion_value" and record.value is not None:
        currency = record.currency_code or ACCOUNT_CURRENCY
        return f"{amount(round(record.value * MICROS), always_cents=True)} {currency}"
    if field == "order_id" and record.order_id:
        return "derived" if is_derived_order_id(record.order_id) else record.order_id
    try:
        if field == "email":
            return f"{normalize_email(text)}, hashed"
        if field == "phone":
            return f"{normalize_phone(text.strip(), trial.profile.phone_region)}, hashed"
    except RuleError as error:
        return f"left out: {lookup(error.code).meaning}"
    found = getattr(record, field, "")
    return cell(str(found)) if found else "left out"


_NAMES: Final = {"retraction": "refund", "restatement": "new value"}
_KEYS: Final = {"conversion_value": "value"}
_NO_COLUMN: Final = {
    "order_id": "none: derived from person or click, time and value",
    "ad_user_data": "nothing is stated",
}


# ── what happens to the rows ─────────────────────────────────────────────────────────────────


def _what_happens(answers: Answers, trial: Trial) -> Iterator[str]:
    """Yield the funnel from all rows to those that Google gets, and what is not sent."""
    if trial.stop is not None:
        entry = lookup(trial.stop.code)
        yield f"The file would be stopped: {entry.meaning} ({on_terminal(trial.stop.detail)})"
        yield entry.action
        return
    left = trial.rows
    yield f"{left:>7,}  rows in the file"
    if trial.footer:
        yield f"{-trial.footer:>7,}  footer below the rows"
    for name, count in trial.skipped.items():
        yield f"{-count:>7,}  left out by {_values(answers, name, trial.profile.skip[name])}"
    for (outcome, code), refused in trial.refused.items():
        lines = ", ".join(map(str, refused.lines)) + ", …" * (refused.rows > len(refused.lines))
        columns = f" ({', '.join(map(on_terminal, refused.columns))})" if refused.columns else ""
        entry = lookup(code)
        meaning, action = (_SENTENCE.split(text)[0] for text in (entry.meaning, entry.action))
        where = "line" if refused.rows == 1 else "lines"
        yield f"{-refused.rows:>7,}  {outcome}, {where} {lines}{columns}: {meaning}"
        yield f"         {code} → {action}"
    yield f"{trial.sent.total():>7,}  sent to Google:"
    for number, count in sorted(trial.sent.items()):
        sums = [
            f"{amount(each.micros, always_cents=True)} {currency or ACCOUNT_CURRENCY}"
            for currency, each in trial.sums.get(number, {}).items()
        ]
        yield f"         {_what(answers, number, count)}{', ' * bool(sums)}{' + '.join(sums)}"
    for code, count in trial.warned.items():
        yield f"{count:>7,}  of them with a warning: {lookup(code).meaning} ({code})"
    yield "         Is that so?"
    if trial.kept and is_own_screen():
        yield ""
        yield "Some of them, as Google gets them:"
        for row in trial.differing():
            yield f"  line {row.line}: {record_as_text(row.record)}"
    yield ""
    yield f"Columns that are not used: {', '.join(map(on_terminal, trial.unused)) or 'none'}"


def _what(answers: Answers, number: int, count: int) -> str:
    which = f" ({name_of(answers, number)})" if number in answers.others else ""
    return f"{number_of(count, _kind(answers, number))}{which}"


def _kind(answers: Answers, number: int) -> str:
    send = answers.entries[number].get("send", "conversion")
    is_sale = send == "conversion" and number not in answers.others
    return "sale" if is_sale else _NAMES.get(send, send)
