"""The two questions about rows: which are sent as what, and which others are left out."""

from __future__ import annotations

from functools import partial
from typing import Any

from lib.cli.escaping import on_terminal
from lib.cli.init.asking import Offer, ask, choose, list_values, read_values, samples_of, say
from lib.cli.init.draft import Draft, written
from lib.cli.init.look import Column, WrongAnswer
from lib.model.adjustment_types import ADJUSTMENT_TYPES, stated_type
from lib.rules.selection import ANY_OTHER


def ask_rows(draft: Draft) -> None:
    """Ask which rows are sales, other conversions and refunds, by the values of a column.

    The other values of that column are left out. What was answered of other columns stays.
    """
    chosen = choose(
        "Which column says whether a row is a sale, something else, or nothing to send?",
        [
            *_offers(draft, but={"yes or no"}),
            Offer([{}], "none: every row is a sale"),
            Offer([{"send": "retraction"}], "none: every row is a refund or a change"),
        ],
        "the name of a column",
        draft.sample.column,
    )
    entries, left_out, name = chosen, list[str](), ""
    if isinstance(chosen, Column):
        entries, left_out = _entries_of(chosen)
        name = chosen.name
    stage_columns = {*draft.stage_columns, name}
    kept = draft.entries[0].get("rows", {})
    for column in stage_columns:
        draft.skip(column, left_out if column == name else [])
    draft.set_entries(entries)
    for column in kept.keys() - stage_columns:
        draft.keep(column, kept[column])
    draft.answered = {(key, entry) for key, entry in draft.answered if entry is None}


def _entries_of(column: Column) -> tuple[list[dict[str, Any]], list[str]]:
    """Ask what the values of a column are. Return the entries, and the values that are left out."""
    list_values(column)
    free = [value for value, _ in column.values()]

    def taken(question: str) -> list[dict[str, Any]]:
        """Return an entry for the values of the answer, or none."""
        read = partial(read_values, column, free)
        values = ask(f"{question} Numbers such as 1,3, or 0 for none", read) if free else []
        free[:] = [value for value in free if value not in values]
        return [{"rows": {column.name: values}}] if values else []

    entries = taken("Which of them are sales?")
    while others := taken("Which are another conversion, with an action of its own?"):
        entries += others
    for refunds in taken("Which refund or change an earlier sale, now or in future files?"):
        entries.append({**refunds, "send": "retraction"})
    if entries:
        return entries, free
    say("  No row would be sent. Choose at least one value.")
    return _entries_of(column)


def ask_left_out(draft: Draft) -> None:
    """Ask for other rows that are not sent, column by column, until there is none."""
    while True:
        lines = [f"Left out: {line}\n" for line in skipped_values(draft)]
        column = choose(
            f"{''.join(lines)}Must other rows stay out too, such as tests, cancelled orders, or "
            "people who refused?\nWhich column says it?",
            [Offer(None, "no others"), *_offers(draft, but={*draft.stage_columns})],
            "the name of a column",
            partial(_other_column, draft),
        )
        if column is None:
            return
        list_values(column)
        say(f"Answer with those that are left out, such as 1,3 (0: none, {ANY_OTHER}: any value),")
        say("or with those that are sent, such as: only 2,4. Then values not listed are rejected.")
        left_out, kept = ask("Which are left out?", partial(_left_out, column))
        draft.skip(column.name, left_out)
        draft.keep(column.name, kept)


def _other_column(draft: Draft, name: str) -> Column:
    column = draft.sample.column(name)
    if column.name in draft.stage_columns:
        raise WrongAnswer("This column says already what a row is. Name another column.")
    return column


def _left_out(column: Column, answer: str) -> tuple[list[str], list[str]]:
    """Return the values that are left out, and those that alone are sent: with values A, B and C,
    `1,3` → ([A, C], []), and `only 2` → ([A, C], [B])."""
    if answer == ANY_OTHER:
        return [ANY_OTHER], []
    values = [value for value, _ in column.values()]
    if not answer.lower().startswith("only "):
        return read_values(column, values, answer), []
    kept = read_values(column, values, answer[len("only ") :].strip())
    return [value for value in values if value not in kept], kept


def _offers(draft: Draft, but: set[str]) -> list[Offer]:
    """Return the columns with few values, but those of these names or looks."""
    return [
        Offer(column, on_terminal(column.name), samples_of(column))
        for column in draft.sample.columns
        if column.has_few_values and not but & {column.name, *column.looks}
    ]


# ── the answers as the screen shows them ─────────────────────────────────────────────────────


def entries_as_text(draft: Draft) -> list[str]:
    """Return `Stage: Won → sale` for each entry, then what happens to values that none lists."""
    lines = []
    names = [*draft.profile.get("skip", {})]
    for number, entry in enumerate(draft.entries):
        rows = entry.get("rows", {})
        conditions = [_values_as_text(name, values) for name, values in rows.items()]
        lines.append(f"{' and '.join(conditions) or 'all rows'} → {kind_of(draft, number)}")
        names = [*rows, *names]
    for name in dict.fromkeys(names):
        lines.append(f"{on_terminal(name)}: a value not listed → {_of_unlisted(draft, name)}")
    return lines


def skipped_values(draft: Draft) -> list[str]:
    """Return `Stage: Lost, Open` for each column that leaves rows out."""
    skipped = draft.profile.get("skip", {})
    return [_values_as_text(name, values) for name, values in skipped.items()]


def _values_as_text(name: str, values: list[str]) -> str:
    """Return `Stage: Lost, any other value`."""
    texts = ("any other value" if value == ANY_OTHER else written(value) for value in values)
    return f"{on_terminal(name)}: {', '.join(texts)}"


def kind_of(draft: Draft, number: int) -> str:
    """Return what people call the rows of an entry: a sale, a refund."""
    send = draft.entries[number].get("send", "conversion")
    if send == "conversion" and number not in draft.conversions:
        return "sale"
    stated = stated_type(send)
    return ADJUSTMENT_TYPES[stated].common_name if stated else str(send)


def _of_unlisted(draft: Draft, column: str) -> str:
    """Return what happens to a row with a value of a column that the profile does not list."""
    if ANY_OTHER in draft.profile.get("skip", {}).get(column, ()):
        return "left out"
    listed = [entry.get("rows", {}).get(column, (ANY_OTHER,)) for entry in draft.entries]
    return "sent" if any(ANY_OTHER in values for values in listed) else "rejected"
