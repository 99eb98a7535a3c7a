"""The questions of `init` on a terminal, and the options that answer them without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, Final

import click
from pydantic import ValidationError

from lib.cli.init.findings import Given, Question
from lib.config import messages
from lib.config.profile import Profile
from lib.destinations import registry

_YES: Final = ("yes", "y", "true")


def value_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that set a key of the profile. The command gets them as `given`."""

    @wraps(command)
    def with_values(*args: Any, **options: Any) -> None:
        values = {key: options.pop(key) for key in _OPTIONS}
        values = {key: value for key, value in values.items() if value is not None}
        try:
            Profile.model_validate(values)
        except ValidationError as error:
            problems = messages.lines(error, Profile, lambda name: _OPTIONS.get(name, name))
            raise click.UsageError(" ".join(problems)) from None
        return command(*args, given=Given(values), **options)

    for decorate in reversed(_DECORATORS):
        with_values = decorate(with_values)
    return with_values


_OPTIONS: Final[Mapping[str, str]] = {
    "destination": "--destination",
    "customer_id": "--customer-id",
    "conversion_action": "--action",
    "time_zone": "--time-zone",
    "currency_code": "--currency",
    "phone_region": "--phone-region",
    "day_first": "--day-first",
}
_DECORATORS: Final = (
    click.option(
        "--destination",
        "--route",
        "destination",
        type=click.Choice(list(registry.names())),
        help=f"API that receives the conversions [default: {registry.DEFAULT}].",
    ),
    click.option("--customer-id", metavar="ID", help="Google Ads account: 123-456-7890."),
    click.option(
        "--action", "conversion_action", metavar="NAME", help="Conversion action: name or ID."
    ),
    click.option(
        "--time-zone", metavar="ZONE", help="Zone of times that state none: America/Chicago."
    ),
    click.option(
        "--currency", "currency_code", metavar="CODE", help="Currency of values without one: EUR."
    ),
    click.option("--phone-region", metavar="CODE", help="Country of phone numbers without +: DE."),
    click.option(
        "--day-first/--month-first",
        "day_first",
        default=None,
        help="How to read 03/04/2026: 3 April or March 4.",
    ),
)


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
