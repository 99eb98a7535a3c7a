"""The decisions of a profile, in the order in which they are asked.

Consent comes first, so that its column is never offered as what makes a sale. The rows come before
the columns, because an order ID is judged by the rows that are sales.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from lib.cli.escaping import on_terminal
from lib.cli.init.answers import Answers, refuse_action, refuse_column
from lib.cli.init.asking import (
    VALUES_SHOWN,
    Offer,
    ask,
    cell,
    choose,
    list_values,
    of_column,
    pick,
    say,
    written,
)
from lib.cli.init.constants import CONSTANTS, read_constant
from lib.cli.init.look import Column, Look, WrongAnswer
from lib.cli.init.writing import (
    SPELLINGS,
    needs_currency,
    needs_region,
    needs_time_of_day,
    needs_zone,
)
from lib.config.profile import ACTION_DEFAULT
from lib.destinations import registry
from lib.rules.rows import ANY_OTHER
from lib.rules.values.cells import RuleError
from lib.rules.values.enums import parse_consent


@dataclass(frozen=True, slots=True)
class Question:
    """A decision. `option` is what a script gives instead of an answer; "": it need not.

    `field` and `entry` are set if the answer is a column, or the number of an entry.
    """

    key: str
    title: str
    option: str
    ask: Callable[[Answers], object]
    field: str = ""
    entry: int | None = None


def questions(answers: Answers) -> Iterator[Question]:
    """Yield the questions that this file needs, after the answers so far."""
    consent = "--ad-user-data GRANTED, DENIED or none, or --column ad_user_data=NAME"
    yield Question("ad_user_data", "Consent", consent, ask_consent, "ad_user_data")
    yield Question("rows", "Rows", "--rows COLUMN=VALUE, or --rows all", ask_rows)
    yield Question("left_out", "Left out", "", ask_left_out)
    own = {*answers.others, *answers.corrections}
    for number in [None] * (len(own) < len(answers.entries)) + answers.others:
        yield from _of_conversions(answers, number)
    if needs_time_of_day(answers):
        of_day = partial(ask_person, "time_of_day", "Time of day", "time of day")
        yield Question("time_of_day", "Time of day", "", of_day, "time_of_day")
    for number in answers.corrections:
        title, field = f"Time of {name_of(answers, number)}", "adjustment_date_time"
        when = partial(_ask_column, field, "When was the sale refunded?", ["time"], number)
        yield Question(f"adjusted {number}", title, "", when, field, number)
    if needs_currency(answers):
        option = "--currency CODE, or --column currency_code=NAME"
        yield Question("currency_code", "Currency", option, ask_currency, "currency_code")
    option = "--column order_id=NAME, or --column order_id= for none"
    yield Question("order_id", "Order ID", option, ask_order_id, "order_id")
    yield from _of_people(answers)
    for each in SPELLINGS:
        if each.key in answers.profile or each.sample(answers):
            yield Question(each.key, each.title, each.option, each.ask)
    if "time_zone" in answers.profile or needs_zone(answers):
        yield _constant("time_zone")
    if "phone_region" in answers.profile or needs_region(answers):
        yield _constant("phone_region")
    yield Question("destination", "Sent by", "--destination NAME", ask_destination)
    yield _constant("customer_id")
    yield from _of_actions(answers)
    yield _constant("expect")


def _of_people(answers: Answers) -> Iterator[Question]:
    """Yield the questions about click IDs and people."""
    for field, title, look in _PEOPLE:
        is_rare = field in ("gbraid", "wbraid")
        if not is_rare or answers.column(field) or _offers(answers, [look]):
            yield Question(field, title, "", partial(ask_person, field, title, look), field)


def _of_actions(answers: Answers) -> Iterator[Question]:
    """Yield the questions about conversion actions."""
    if any("action" not in e for n, e in enumerate(answers.entries) if n not in answers.others):
        yield Question("action", "Action", CONSTANTS["action"].option, ask_action)
    for number in answers.others:
        title = f"Action of {name_of(answers, number)}"
        action = partial(ask_action, entry=number)
        yield Question(f"action {number}", title, "", action, "", number)


_PEOPLE: Final[Sequence[tuple[str, str, Look]]] = (
    ("gclid", "Click ID (gclid)", "click ID"),
    ("gbraid", "Click ID (gbraid)", "click ID"),
    ("wbraid", "Click ID (wbraid)", "click ID"),
    ("email", "Email address", "email"),
    ("phone", "Phone number", "phone"),
)


def _of_conversions(answers: Answers, entry: int | None) -> Iterator[Question]:
    """Yield the questions about time and value of the sales, or of another conversion."""
    key, which = ("", "") if entry is None else (f" {entry}", f" of {name_of(answers, entry)}")
    options = ("--column conversion_date_time=NAME", "--column conversion_value=NAME, or --value")
    question = f"When did the conversion{which} happen?" if which else "When did a sale happen?"
    when = partial(_ask_column, "conversion_date_time", question, ["time"], entry)
    of_time, of_value = options if entry is None else ("", "")
    yield Question(
        f"conversion_date_time{key}", f"Time{which}", of_time, when, "conversion_date_time", entry
    )
    worth = partial(ask_value, entry=entry)
    yield Question(
        f"conversion_value{key}", f"Value{which}", of_value, worth, "conversion_value", entry
    )


def is_open(question: Question, answers: Answers) -> bool:
    """Return whether a question must still be asked."""
    if not question.key.startswith("action"):
        return question.key not in answers.answered | answers.profile.keys()
    level = answers.level(question.entry)
    try:
        refuse_action(answers.profile.get("destination"), level.get("action", ""))
    except WrongAnswer:
        return "conversion_action" not in answers.profile.get("columns", {})
    return False


def name_of(answers: Answers, number: int) -> str:
    """Return the values by which an entry is known: `Qualified and 2 more`."""
    rows = answers.entries[number].get("rows", {})
    known = [each for name in answers.of_kinds for each in rows.get(name, ())]
    first, *more = known or ["the other rows"]
    return f"{written(first)} and {len(more)} more" if more else written(first)


# ── columns ──────────────────────────────────────────────────────────────────────────────────


def _offers(answers: Answers, looks: Sequence[Look] = (), *, shared: bool = False) -> list[Offer]:
    """Return the columns with one of these looks that have no other field, in the file's order.

    Without a look: those with few values, which could be stages. `shared`: also those that have a
    field, because entries may have the same column, and a sale that of a new value.
    """
    used = set() if shared else answers.with_field()
    if not looks:
        used |= answers.deciding()
    return [
        Offer(each, on_terminal(each.name), of_column(each))
        for each in answers.sample.columns
        if each.index not in used
        and (each.looks.intersection(looks) if looks else each.has_few_values)
    ]


def _ask_column(
    field: str,
    question: str,
    looks: Sequence[Look],
    entry: int | None,
    answers: Answers,
    more: Sequence[Offer] = (),
) -> Any:
    """Ask for the column of a field, and set it. Return it, or the value of another offer.

    Any column of the file may be named, if one of its cells can be what the field needs.
    """

    def read(name: str) -> Column:
        column = answers.sample.column(name)
        refuse_column(field, column)
        return column

    answers.set_column(field, None, entry)
    offers = _offers(answers, looks, shared=entry is not None or field == "conversion_value")
    chosen = choose(question, [*offers, *more], read)
    answers.set_column(field, chosen if isinstance(chosen, Column) else None, entry)
    return chosen


def ask_person(field: str, title: str, look: Look, answers: Answers) -> None:
    """Ask for a column by which Google finds a click or a person.

    At first, nothing is asked if no column looks like one: the screen shows "none".
    """
    if field in answers.answered or _offers(answers, [look]):
        _ask_column(field, f"{title}: which column?", [look], None, answers, [Offer(None, "none")])


def ask_value(answers: Answers, entry: int | None = None) -> None:
    """Ask for the column of the value, or for one value of all."""
    level = answers.level(entry)
    level.pop("value", None)
    more = [
        Offer("constant", "no column: each has the same value"),
        Offer(ACTION_DEFAULT, "no column: the value that the conversion action has in Google Ads"),
    ]
    which = "a sale" if entry is None else name_of(answers, entry)
    question = f"What is the value of {which}?"
    chosen = _ask_column("conversion_value", question, ["amount"], entry, answers, more)
    if chosen == "constant":
        level["value"] = ask("Value of each, such as 50", partial(read_constant, "value"))
    elif chosen == ACTION_DEFAULT:
        level["value"] = chosen
        if entry is not None and answers.column("conversion_value"):
            level.setdefault("columns", {})["conversion_value"] = None


def ask_currency(answers: Answers) -> None:
    """Ask for the column of the currency, or its code. A constant value is in it too."""
    answers.set_constant("currency_code", None)
    answers.set_column("currency_code", None)
    more = [Offer(None, "no column: always the same")]
    question = "In which currency are the values?"
    looks: Sequence[Look] = ["currency"]
    ask_which = partial(_ask_column, "currency_code", question, looks, None, answers, more)
    if not _offers(answers, looks) or ask_which() is None:
        _ask_constant("currency_code", answers)


def ask_order_id(answers: Answers) -> None:
    """Ask for the column of the order ID. Say how many differ in the rows that are conversions."""
    answers.set_column("order_id", None)
    rows = answers.rows_of([n for n in range(len(answers.entries)) if n not in answers.corrections])
    used, offers = answers.with_field(), []
    for column in answers.sample.columns:
        if column.index not in used and column.could_be_ids(rows):
            note = f"{of_column(column)}  {differing(answers, column)}"
            offers.append(Offer(column, on_terminal(column.name), note))
    offers.append(Offer(None, "none: an ID is derived from person or click, time and value"))
    question = "Which column has the order ID, the number that no two sales share?"
    sure = [Offer(True, "yes"), Offer(False, "no")]
    while True:
        chosen = choose(question, offers, answers.sample.column)
        said = "" if chosen is None else differing(answers, chosen)
        if "repeats" not in said or choose(f"{said}. Take it all the same?", sure):
            break
    answers.set_column("order_id", chosen)


def differing(answers: Answers, column: Column) -> str:
    """Return `13 different in 21 sales: 8 would count as repeats`, by entry: each has an action."""
    filled = different = 0
    for number in range(len(answers.entries)):
        if number not in answers.corrections:
            cells = [column.cells[row] for row in answers.rows_of([number]) if column.cells[row]]
            filled, different = filled + len(cells), different + len({*cells})
    text = f"{different} different in {filled} {'conversions' if answers.others else 'sales'}"
    return f"{text}: {filled - different} would count as repeats" if filled > different else text


# ── consent, and which rows ──────────────────────────────────────────────────────────────────


def ask_consent(answers: Answers) -> None:
    """Ask for the column of consent, or for what holds for all people."""
    if (before := answers.column("ad_user_data")) is not None:
        answers.skip(before.name, [])
    answers.set_constant("ad_user_data", None)
    more = [
        Offer("GRANTED", "no column: all people agreed"),
        Offer("DENIED", "no column: all people refused"),
        Offer(None, "no column: nobody was asked, so nothing is stated"),
    ]
    question = "What did people answer when they were asked for consent to ads with their data?"
    chosen = _ask_column("ad_user_data", question, ["consent"], None, answers, more)
    if not isinstance(chosen, Column):
        answers.set_constant("ad_user_data", chosen)
        return
    if refusals := [value for value, _ in chosen.values() if consent_in(value) == "DENIED"]:
        question = f"What happens to people who refused ({', '.join(map(written, refusals))})?"
        told = Offer(True, "they are sent, and Google is told of the refusal")
        if not choose(question, [told, Offer(False, "they are left out")]):
            answers.skip(chosen.name, refusals)


def consent_in(value: str) -> str | None:
    """Return what a cell of consent states: GRANTED, DENIED, None, or "unreadable"."""
    try:
        return parse_consent(value)
    except RuleError:
        return "unreadable"


def ask_rows(answers: Answers) -> None:
    """Ask which rows are sales, other conversions and refunds, by the values of a column."""
    for name in answers.of_kinds:
        answers.skip(name, [])
    rows = answers.entries[0].get("rows", {})
    kept = {name: rows[name] for name in answers.other_skips() if name in rows}
    answers.profile.pop("conversions", None)
    answers.answered -= {key for key in answers.answered if key[-1:].isdecimal()}
    more = [Offer("sales", "none: every row is a sale"), Offer("refunds", "none: all are refunds")]
    question = "Which column says whether a row is a sale, something else, or nothing to send?"
    consent = answers.column("ad_user_data")

    def read(name: str) -> Column:
        column = answers.sample.column(name)
        if column == consent:
            raise WrongAnswer("This is the column of consent, which makes no sale.")
        if len(column.values()) == len(column.cells) > 2:
            raise WrongAnswer("Each row has another value there. Name another column.")
        return column

    entries: list[dict[str, Any]] = []
    chosen = choose(question, [*_offers(answers), *more], read)
    if isinstance(chosen, Column):
        while not entries:
            entries = _entries_of(answers, chosen)
        taken = {value for entry in entries for value in entry["rows"][chosen.name]}
        answers.skip(chosen.name, [value for value, _ in chosen.values() if value not in taken])
    elif chosen == "refunds":
        entries = [_refund(answers, {})]
    if entries:
        answers.profile["conversions"] = entries
    for name, values in kept.items():
        if not isinstance(chosen, Column) or name != chosen.name:
            answers.keep(name, values)


def _entries_of(answers: Answers, column: Column) -> list[dict[str, Any]]:
    """Ask which values are sales, other conversions and refunds. The others are left out."""
    values = column.values()
    list_values(column, values)
    rest = [value for value, _ in values]
    entries: list[dict[str, Any]] = []

    def picked(question: str) -> dict[str, Any] | None:
        text = f"{question} Numbers such as 1,3, or 0 for none"
        chosen = pick(text, values, rest) if rest else []
        rest[:] = [each for each in rest if each not in chosen]
        return {"rows": {column.name: chosen}} if chosen else None

    if sales := picked("Which are sales?"):
        entries.append(sales)
    more = "another conversion with an action of its own, such as a qualified lead"
    while other := picked(f"Which are {more}?"):
        entries.append(other)
        more = "one more conversion with an action of its own"
    if refunds := picked("Which change or refund sales that were sent before?"):
        entries.append(_refund(answers, refunds))
    return entries


def _refund(answers: Answers, entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of refunds, after asking whether they have a new value."""
    offers = [Offer(None, "the sale no longer counts"), *_offers(answers, ["amount"])]
    question = "What do they change? Or which column has the new value of the sale?"
    new = choose(question, offers, answers.sample.column)
    if new is None:
        return {**entry, "send": "retraction"}
    return {**entry, "send": "restatement", "columns": {"adjusted_value": new.name}}


def ask_left_out(answers: Answers) -> None:
    """Ask for other columns by which rows are left out, until there is none."""

    def read(name: str) -> Column:
        column = answers.sample.column(name)
        if column.name in answers.of_kinds and len(answers.entries) > 1:
            raise WrongAnswer("This column says already what a row is.")
        return column

    while True:
        now = answers.other_skips()
        offers = [Offer(None, "no")]
        for name, values in now.items():
            note = f"left out now: {', '.join(map(written, values))}"
            offers.append(Offer(answers.sample.column(name), on_terminal(name), note))
        which = "another column" if now else "a column"
        question = f"Is there {which} by which rows are left out, such as tests or cancellations?"
        column = choose(question, [*offers, *_offers(answers)], read)
        if column is None:
            return
        values = column.values()
        list_values(column, values)
        text = f"Which are left out? Numbers with commas, {ANY_OTHER} for any value, or 0 for none"
        known = [value for value, _ in values]
        left_out = pick(text, values, known, any_value=True)
        kept = [value for value in known if value not in left_out]
        answers.skip(column.name, left_out)
        is_closed = left_out and kept and ANY_OTHER not in left_out and _ask_unseen(kept)
        answers.keep(column.name, kept if is_closed else [])


def _ask_unseen(kept: Sequence[str]) -> bool:
    """Ask whether only these values of a column are sent."""
    only = f"only {', '.join(map(cell, kept[:VALUES_SHOWN]))}{', …' * (len(kept) > VALUES_SHOWN)}"
    question = "What happens to a row with a value that this file does not have?"
    offers = [Offer(True, "it is rejected", only), Offer(False, "it is sent")]
    return bool(choose(question, offers))


# ── where conversions go ─────────────────────────────────────────────────────────────────────


def _constant(key: str) -> Question:
    constant = CONSTANTS[key]
    return Question(key, constant.title, constant.option, partial(_ask_constant, key))


def _ask_constant(key: str, answers: Answers) -> None:
    say()
    answers.profile[key] = ask(CONSTANTS[key].question, partial(read_constant, key))


def ask_destination(answers: Answers) -> None:
    """Ask for the API."""
    offers = []
    for name in registry.names():
        can = registry.capabilities_of(name)
        offers.append(Offer(name, can.title, f"only if: {can.open_if}" if can.open_if else ""))
    unknown = [Offer(each.value, "I don't know", each.label) for each in offers if not each.note]
    offers += unknown[:1]
    answers.set_constant("destination", choose("By which API are conversions sent?", offers))


def ask_action(answers: Answers, entry: int | None = None) -> None:
    """Ask for a conversion action."""

    def read(text: str) -> str:
        refuse_action(answers.profile.get("destination"), text)
        return text

    which = "sales" if entry is None else name_of(answers, entry)
    say()
    can = registry.capabilities_of(answers.profile["destination"])
    its = "Its name or ID" if can.has_queries else "Its ID"
    text = f"Which conversion action in Google Ads counts {which}? {its}"
    answers.level(entry)["action"] = ask(text, read)
