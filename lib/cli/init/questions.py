"""The questions of `init` on a terminal, and the options that answer them without one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import click
from pydantic import ValidationError

from lib.cli.init.findings import Given, Question
from lib.config import messages
from lib.config.profile import Profile

_YES: Final = ("yes", "y", "true")


def ask(question: Question) -> tuple[str, Any]:
    """Ask on the terminal until the answer is valid. Return the key and its value; "" leaves the
    key out."""
    while True:
        text = question.text if question.default else f"{question.text} [Enter: leave it out]"
        answer = click.prompt(
            text, default=question.default, show_default=bool(question.default), err=True
        )
        value = value_of(question, answer.strip())
        try:
            Profile.model_validate({question.key: value} if value != "" else {})
        except ValidationError as error:
            click.echo(" ".join(messages.lines(error, Profile)), err=True)
        else:
            return question.key, value


def value_of(question: Question, answer: str) -> Any:
    """Return the value for the profile that an answer means."""
    if question.key == "day_first":
        return answer.casefold() in _YES
    if question.key == "headers":
        return {"conversion_date_time": [answer]}
    return answer


def with_answer(given: Given, key: str, value: Any, *, by_default: bool = False) -> Given:
    """Return what a person has said so far, with one more answer."""
    if value == "":
        return replace(given, left_out=given.left_out | {key})
    if key == "headers":
        value = {**given.values.get("headers", {}), **value}
    given = replace(given, values={**given.values, key: value})
    return replace(given, by_default=given.by_default | {key}) if by_default else given
