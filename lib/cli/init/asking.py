"""Questions and answers in a terminal: plain lines, so that pipes and screen readers work too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
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
) -> Any:
    """Ask for the number of an offer, or for what `other` says, which `read` reads."""
    say()
    say(question)
    width = max((len(offer.label) for offer in offers if offer.note), default=0)
    for number, offer in enumerate(offers, 1):
        say(f"  {number:>2}  {offer.label:<{width}}  {offer.note}".rstrip())
    possible = [other] if other else []
    if offers:
        possible.insert(0, "1" if len(offers) == 1 else f"a number from 1 to {len(offers)}")
    prompt = ", or ".join(possible)
    values = {comparable(offer.label): offer.value for offer in offers}
    values |= {str(number): offer.value for number, offer in enumerate(offers, 1)}

    def read_answer(answer: str) -> Any:
        if comparable(answer) in values:
            return values[comparable(answer)]
        if not answer or not other:
            raise WrongAnswer(f"Answer with {prompt}.")
        return read(answer)

    return ask(f"{prompt[:1].upper()}{prompt[1:]}", read_answer)


# ── values of a column ───────────────────────────────────────────────────────────────────────


def read_value(column: Column, text: str) -> str:
    """Return the value of a column that is written like this. Raises `WrongAnswer` if no row has
    it: `=Expired` is a value that only other files have."""
    values = [value for value, _ in column.values()]
    written = {comparable(value or EMPTY): value for value in values}
    written |= {comparable(value): value for value in values}
    if comparable(text) in written:
        return written[comparable(text)]
    if text.startswith("=") and text[1:].strip():
        return text[1:].strip()
    near = nearest(text, values) if shows_cells() else ""
    raise WrongAnswer(
        f'No row has "{on_terminal(text)}" under "{on_terminal(column.name)}".{near} '
        f"Write ={on_terminal(text)} if other files have it."
    )


def read_values(column: Column, free: Sequence[str], answer: str) -> list[str]:
    """Read `1,3` as the values of a column that `list_values` has numbered, `0` as none.

    Raises `WrongAnswer` for a value that is not `free`.
    """
    if not answer:
        raise WrongAnswer("Answer with numbers, such as 1,3, or with 0 for none.")
    if answer == "0":
        return []
    values = [value for value, _ in column.values()]
    numbers = {str(number): value for number, value in enumerate(values[:_VALUES_LISTED], 1)}
    is_one = comparable(answer) in map(comparable, values)
    texts = [text.strip() for text in ([answer] if is_one else answer.split(","))]
    chosen = [
        numbers[text] if text in numbers else read_value(column, text) for text in texts if text
    ]
    for value in chosen:
        if value in values and value not in free:
            raise WrongAnswer(f"{cell(value)} is taken already. Give others, or 0 for none.")
    return [*dict.fromkeys(chosen)]


def list_values(column: Column) -> None:
    """Print the values of a column with their numbers of rows, numbered."""
    say()
    values = column.values()
    for number, (value, count) in enumerate(values[:_VALUES_LISTED], 1):
        say(f"  {number:>2}  {cell(value)} ({count})")
    if len(values) > _VALUES_LISTED:
        say(f"      and {len(values) - _VALUES_LISTED} others: give them as they are written")


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


def samples_of(column: Column) -> str:
    """Return three cells of a column, and how many are filled; or its few values."""
    if column.has_few_values or column.looks & {"yes or no", "currency"}:
        values = column.values()
        shown = [f"{cell(value)} ({count})" for value, count in values[:_VALUES_SHOWN]]
        return ", ".join([*shown, "…"] if len(values) > _VALUES_SHOWN else shown)
    samples = " · ".join(map(cell, column.samples())) if shows_cells() else ""
    return f"{samples}  ({len(column.filled)} of {len(column.cells)} filled)".strip()
