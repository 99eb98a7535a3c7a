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

T = TypeVar("T")

_LONGEST: Final = 32
_VALUES_SHOWN: Final = 5
_VALUES_LISTED: Final = 30
_HIDDEN: Final = "…"


class EndOfInput(Exception):
    """The input has ended, and is no terminal: a script that gives options."""


class Quit(Exception):
    """The person has answered `q`."""


class Offer(NamedTuple):
    """An answer that has a number. `note` says more about it."""

    value: Any
    label: str
    note: str = ""


def say(text: str = "") -> None:
    """Print a line."""
    click.echo(text)


def ask(prompt: str, read: Callable[[str], T]) -> T:
    """Ask until `read` accepts the answer. It raises `WrongAnswer` for one that it refuses."""
    while True:
        try:
            answer = click.prompt(prompt, default="", show_default=False, prompt_suffix=": ")
        except click.Abort:
            if sys.stdin.isatty():
                raise
            raise EndOfInput from None
        if answer.strip().lower() == "q":
            raise Quit
        try:
            return read(answer.strip())
        except WrongAnswer as error:
            say(f"  {error}")


def choose(
    question: str,
    offers: Sequence[Offer],
    other: str = "",
    read: Callable[[str], Any] = str,
    now: Any = None,
) -> Any:
    """Ask for the number of an offer, or for what `other` says, which `read` reads.

    An empty answer keeps `now`, if there is such an answer.
    """
    say()
    say(question)
    width = max((len(offer.label) for offer in offers if offer.note), default=0)
    for place, (_, label, note) in enumerate(offers, 1):
        say(f"  {place:>2}  {label:<{width}}  {note}".rstrip())
    number = "1" if len(offers) == 1 else f"a number from 1 to {len(offers)}"
    label = next((offer.label for offer in offers if offer.value == now), on_terminal(str(now)))
    kept = "" if now is None else f"nothing to keep: {label}"
    wanted = ", or ".join(filter(None, [number if offers else "", other, kept]))

    def read_answer(answer: str) -> Any:
        if not answer and now is not None:
            return now
        if answer.isdecimal() and 1 <= int(answer) <= len(offers):
            return offers[int(answer) - 1].value
        for value, label, _ in offers:
            if comparable(answer) == comparable(label):
                return value
        if not answer or not other:
            raise WrongAnswer(f"Answer with {wanted}.")
        return read(answer)

    return ask(f"{wanted[:1].upper()}{wanted[1:]}", read_answer)


def values_reader(column: Column, free: Sequence[str]) -> Callable[[str], list[str]]:
    """Return what reads `1,3` as these values of a column, if they are still free; 0 as none.

    The numbers are those of `list_values`. `=Expired` is a value that this file does not have.
    """
    known = {comparable(value or EMPTY): value for value, _ in column.values()}
    numbers = {str(n): each for n, each in enumerate([*known.values()][:_VALUES_LISTED], 1)}

    def read_one(text: str) -> str:
        if text.startswith("=") and text[1:].strip():
            return text[1:].strip()
        value = numbers.get(text, known.get(comparable(text)))
        if value is None:
            raise WrongAnswer(
                f'No row has the value "{on_terminal(text)}".{near_value(text, known.values())} '
                f"Write ={on_terminal(text)} if other files have it."
            )
        if value not in free:
            raise WrongAnswer(f"{cell(value)} is taken already. Give others, or 0 for none.")
        return value

    def read(answer: str) -> list[str]:
        if not answer:
            raise WrongAnswer("Answer with numbers, such as 1,3, or with 0 for none.")
        if answer == "0":
            return []
        texts = [answer] if comparable(answer) in known else answer.split(",")
        return [*dict.fromkeys(read_one(text.strip()) for text in texts if text.strip())]

    return read


# ── cells, which only the person's own terminal shows ────────────────────────────────────────


def shows_cells() -> bool:
    """Return whether only the person who has the file sees the output."""
    return is_own_screen()


def cell(text: str) -> str:
    """Return a cell as it is shown. Elsewhere than on the person's own terminal, it is hidden."""
    if not shows_cells():
        return _HIDDEN
    shown = on_terminal(text) or EMPTY
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def near_value(text: str, known: Iterable[str]) -> str:
    """Return ` Did you mean ...?` with a value of the file, on the person's own terminal."""
    return nearest(text, known) if shows_cells() else ""


def list_values(column: Column) -> None:
    """Print the values of a column with their numbers of rows, numbered."""
    say()
    values = column.values()
    for number, (value, count) in enumerate(values[:_VALUES_LISTED], 1):
        say(f"  {number:>2}  {cell(value)} ({count})")
    if len(values) > _VALUES_LISTED:
        say(f"      and {len(values) - _VALUES_LISTED} others: give them as they are written")


def samples_of(column: Column) -> str:
    """Return three cells of a column, and how many are filled; or its few values."""
    if column.has_few_values or column.looks & {"yes or no", "currency"}:
        values = column.values()
        shown = [f"{cell(value)} ({count})" for value, count in values[:_VALUES_SHOWN]]
        return ", ".join([*shown, "…"] if len(values) > _VALUES_SHOWN else shown)
    samples = " · ".join(map(cell, column.samples())) if shows_cells() else ""
    return f"{samples}  ({len(column.filled)} of {len(column.cells)} filled)".strip()
