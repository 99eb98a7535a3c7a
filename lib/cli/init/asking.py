"""Questions and answers in a terminal: plain lines, so that pipes and screen readers work too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import click

from lib.catalogue.texts import EMPTY
from lib.cli.escaping import on_terminal
from lib.cli.init.look import Column, WrongAnswer, nearest
from lib.cli.terminal import is_own_screen
from lib.model.fields import comparable
from lib.rules.rows import ANY_OTHER

T = TypeVar("T")

_LONGEST: Final = 32
VALUES_SHOWN: Final = 5
_VALUES_LISTED: Final = 30
HIDDEN: Final = "…"


class EndOfInput(Exception):
    """Nobody answers: the input has ended, and is no terminal."""


class Offer(NamedTuple):
    """An answer that has a number. `note` says more about it."""

    value: Any
    label: str
    note: str = ""


def cell(text: str) -> str:
    """Return a cell as it is shown. Elsewhere than on the person's own terminal, it is hidden."""
    if not is_own_screen():
        return HIDDEN
    shown = on_terminal(text) or EMPTY
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def written(value: str) -> str:
    """Return a value of the profile as it is shown."""
    return on_terminal(value) or EMPTY


def near_value(text: str, known: Iterable[str]) -> str:
    """Return ` Did you mean ...?` with a value of the file, on the person's own terminal."""
    return nearest(text, known) if is_own_screen() else ""


def say(text: str = "") -> None:
    """Print a line."""
    click.echo(text)


def ask(text: str, read: Callable[[str], T]) -> T:
    """Ask until `read` accepts the answer. It raises `WrongAnswer` for one that it refuses."""
    while True:
        try:
            answer = click.prompt(f"{text}", default="", show_default=False, prompt_suffix=": ")
        except click.Abort:
            if sys.stdin.isatty():
                raise
            raise EndOfInput from None
        try:
            return read(answer.strip())
        except WrongAnswer as error:
            say(f"  {error}")


def choose(
    question: str,
    offers: Sequence[Offer],
    other: Callable[[str], Any] | None = None,
    what: str = "the name of a column",
) -> Any:
    """Ask for the number of an offer, or for `what`, which `other` reads. There is no default."""
    say()
    say(question)
    width = max((len(offer.label) for offer in offers), default=0)
    for number, (_, label, note) in enumerate(offers, 1):
        say(f"  {number:>2}  {label:<{width}}  {note}".rstrip())

    more = f", or {what}" if other is not None else ""

    def read(answer: str) -> Any:
        if answer.isdecimal() and 1 <= int(answer) <= len(offers):
            return offers[int(answer) - 1].value
        for value, label, _ in offers:
            if comparable(answer) == comparable(label):
                return value
        if answer and other is not None and not answer.isdecimal():
            return other(answer)
        raise WrongAnswer(f"Answer with a number from 1 to {len(offers)}{more}.")

    return ask(f"Number{more}", read)


def of_column(column: Column) -> str:
    """Return three samples of a column, and how many of its cells are filled; or its few values."""
    if column.has_few_values or column.looks & {"consent", "currency"}:
        return of_values(column)
    samples = " · ".join(map(cell, column.samples())) if is_own_screen() else ""
    return f"{samples}  ({len(column.filled)} of {len(column.cells)} filled)".strip()


def of_values(column: Column) -> str:
    """Return the most frequent values of a column with their numbers."""
    values = column.values()
    shown = [f"{cell(value)} ({count})" for value, count in values[:VALUES_SHOWN]]
    return ", ".join([*shown, "…"] if len(values) > VALUES_SHOWN else shown)


def list_values(column: Column, values: Sequence[tuple[str, int]]) -> None:
    """Print the values of a column with numbers."""
    say()
    say(f'"{on_terminal(column.name)}" has these values:')
    for number, (value, count) in enumerate(values[:_VALUES_LISTED], 1):
        say(f"  {number:>2}  {cell(value)}  {count} row{'s' * (count != 1)}")
    if len(values) > _VALUES_LISTED:
        say(f"      and {len(values) - _VALUES_LISTED} others: give them as they are written")


def pick(
    question: str,
    values: Sequence[tuple[str, int]],
    free: Sequence[str],
    any_value: bool = False,
) -> list[str]:
    """Ask for some of the listed values that are still `free`. An empty list is the answer 0.

    The answer has numbers or values, with commas: `1,3`. `=Expired` is a value that this file does
    not have, `*` any value, if `any_value`.
    """
    known = {comparable(value): value for value, _ in values}

    def one(text: str) -> str:
        value = named(text)
        if value in known.values() and value not in free:
            raise WrongAnswer(f"{cell(value)} is taken already. Give others, or 0 for none.")
        return value

    def named(text: str) -> str:
        if text.isdecimal() and 1 <= int(text) <= min(len(values), _VALUES_LISTED):
            return values[int(text) - 1][0]
        if comparable(text) in known:
            return known[comparable(text)]
        if text.startswith("=") and text[1:].strip():
            return text[1:].strip()
        if text == ANY_OTHER and any_value:
            return text
        raise WrongAnswer(
            f'No row has the value "{on_terminal(text)}".{near_value(text, known.values())} Write '
            f"={on_terminal(text)} if other files have it."
        )

    def read(answer: str) -> list[str]:
        if answer == "0":
            return []
        if not answer:
            raise WrongAnswer("Answer with numbers, such as 1,3, or with 0 for none.")
        if comparable(answer) in known:
            return [one(answer)]
        return [*dict.fromkeys(one(text.strip()) for text in answer.split(",") if text.strip())]

    say()
    return ask(question, read)
