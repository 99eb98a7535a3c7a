"""The two questions about rows: which are sent as what, and which others are left out."""

from __future__ import annotations

from functools import partial
from typing import Any

from lib.cli.escaping import on_terminal
from lib.cli.init.asking import Offer, ask, choose, list_values, samples_of, say, values_reader
from lib.cli.init.draft import Draft, written
from lib.cli.init.look import Column, WrongAnswer
from lib.rules.selection import ANY_OTHER


def ask_rows(draft: Draft) -> None:
    """Ask which rows are sales, other conversions and refunds, by the values of a column.

    The other values of that column are left out. What was answered of other columns stays.
    """
    offers = _offers(draft, but={"yes or no"})
    offers.append(Offer([{}], "none: every row is a sale"))
    offers.append(Offer([{"send": "retraction"}], "none: every row is a refund or a change"))
    question = "Which column says whether a row is a sale, something else, or nothing to send?"
    chosen = choose(question, offers, "the name of a column", partial(_column, draft))

    if isinstance(chosen, Column):
        entries, left_out = _entries_of(chosen)
        name = chosen.name
    else:
        entries, left_out, name = chosen, [], ""
    of_stages = {*draft.stage_columns, name}
    others = draft.entries[0].get("rows", {})
    for column in of_stages:
        draft.skip(column, left_out if column == name else [])
    draft.set_entries(entries)
    for column, values in others.items():
        if column not in of_stages:
            draft.keep(column, values)
    draft.answered = {(key, entry) for key, entry in draft.answered if entry is None}


def _column(draft: Draft, name: str) -> Column:
    column = draft.sample.column(name)
    if len(column.values()) == len(column.cells) > 2:
        raise WrongAnswer("Each row has another value there. Name another column.")
    return column


def _entries_of(column: Column) -> tuple[list[dict[str, Any]], list[str]]:
    """Ask what the values of a column are. Return the entries, and the values that are left out."""
    list_values(column)
    free = [value for value, _ in column.values()]

    def taken(question: str) -> list[dict[str, Any]]:
        """Return an entry for the values of the answer, or none."""
        read = values_reader(column, free)
        values = ask(f"{question} Numbers such as 1,3, or 0 for none", read) if free else []
        free[:] = [value for value in free if value not in values]
        return [{"rows": {column.name: values}}] if values else []

    entries = taken("Which of them are sales?")
    more = "another conversion, with an action of its own, such as a qualified lead"
    while other := taken(f"Which are {more}?"):
        entries += other
        more = "one more conversion, with an action of its own"
    for refunds in taken("Which refund or change an earlier sale, now or in future files?"):
        entries.append({**refunds, "send": "retraction"})
    if entries:
        return entries, free
    say("  No row would be sent. Choose at least one value.")
    return _entries_of(column)


def ask_left_out(draft: Draft) -> None:
    """Ask for other rows that are not sent, column by column, until there is none."""
    while True:
        skipped = draft.profile.get("skip", {}).items()
        not_sent = [
            f"Rows with {on_terminal(name)} {', '.join(map(written, values))} are not sent.\n"
            for name, values in skipped
        ]
        offers = [Offer(None, "no others"), *_offers(draft, but={*draft.stage_columns})]
        column = choose(
            f"{''.join(not_sent)}Must other rows stay out too, such as tests, cancelled orders, or "
            "people who refused?\nWhich column says it?",
            offers,
            "the name of a column",
            partial(_other_column, draft),
        )
        if column is None:
            return
        list_values(column)
        known = [value for value, _ in column.values()]
        say(f"Answer with those that are left out, such as 1,3 (0: none, {ANY_OTHER}: any value),")
        say("or with those that are sent, such as: only 2,4. Then values not listed are rejected.")
        chosen, only = ask("Which are left out?", partial(_left_out, column, known))
        draft.skip(column.name, [v for v in known if v not in chosen] if only else chosen)
        draft.keep(column.name, chosen if only else [])


def _other_column(draft: Draft, name: str) -> Column:
    column = draft.sample.column(name)
    if column.name in draft.stage_columns:
        raise WrongAnswer("This column says already what a row is. Name another column.")
    return column


def _left_out(column: Column, known: list[str], text: str) -> tuple[list[str], bool]:
    """`1,3` → (those values, False). `only 2,4` → (those values, True): they alone are sent."""
    if text == ANY_OTHER:
        return [ANY_OTHER], False
    only = text.lower().startswith("only ")
    return values_reader(column, known)(text[len("only ") :].strip() if only else text), only


def other_skips(draft: Draft) -> dict[str, list[str]]:
    """Return the values of `skip` in columns that do not say what a row is."""
    skipped = draft.profile.get("skip", {})
    return {name: each for name, each in skipped.items() if name not in draft.stage_columns}


def _offers(draft: Draft, but: set[str]) -> list[Offer]:
    """Return the columns with few values, but those of these names or looks."""
    return [
        Offer(column, on_terminal(column.name), samples_of(column))
        for column in draft.sample.columns
        if column.has_few_values and not but & {column.name, *column.looks}
    ]
