"""The options that several commands have: the keys of a profile, the time, the profiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import IO, Any, Final

import click
from pydantic import ValidationError

from lib.cli.init.proposal import OPTIONS, Given
from lib.cli.terminal import step
from lib.config import messages
from lib.config.profile import Profile, choose_profile, read_profiles
from lib.destinations import registry
from lib.errors import PermanentError
from lib.results.reading import NotResults, WrittenHead


def value_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that set a key of the profile. The command gets them as `given`, with its own
    options that are named like a key."""

    @wraps(command)
    def with_values(*args: Any, **options: Any) -> None:
        values = {key: options.pop(key) for key in OPTIONS if key in options}
        values = {key: value for key, value in values.items() if value is not None}
        with_options(None, values)
        return command(*args, given=Given(values), **options)

    for decorate in reversed(_DECORATORS):
        with_values = decorate(with_values)
    return with_values


_DECORATORS: Final = (
    click.option(
        "--destination",
        "--route",
        "destination",
        type=click.Choice(list(registry.names())),
        help=f"API that receives the conversions [default: that of the profile; without one: "
        f"{registry.OPEN_TO_ALL}, which every account can use].",
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


def with_options(profile: Profile | None, values: Mapping[str, Any]) -> Profile:
    """Return a profile with the values of options, which take precedence. Errors are usage errors
    (exit code 2)."""
    written = {"destination": registry.OPEN_TO_ALL} if profile is None else profile.model_dump()
    try:
        return Profile.model_validate({**written, **values})
    except ValidationError as error:
        problems = messages.lines(
            error, Profile, lambda name: OPTIONS[name] if name in values else name
        )
        raise click.UsageError(" ".join(problems)) from None


def _parse_now(context: click.Context, option: click.Parameter, value: str | None) -> datetime:
    if value is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("not a time. Write it as 2026-11-24T18:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


now_option = click.option(
    "--now",
    callback=_parse_now,
    metavar="TIME",
    help="Act as if it were this time: ISO 8601, in UTC unless it has an offset [default: now].",
)


def named_profile(profiles: IO[bytes] | None, name: str | None, default: str) -> Profile | None:
    """Return the profile that the options --profiles and --profile name; None without --profiles.

    `default` is its name if --profile is missing. Errors are usage errors (exit code 2).
    """
    if profiles is None:
        if name is not None:
            raise click.UsageError("--profile works only with --profiles. Add --profiles FILE.")
        return None
    try:
        chosen, profile = choose_profile(read_profiles(profiles.read()), f"{name or default}/")
    except PermanentError as error:
        raise click.BadParameter(str(error), param_hint="--profiles") from None
    step(f"Took the profile {chosen!r}.")
    return profile


def profile_of(head: WrittenHead) -> Profile | None:
    """Return the profile with which the file was read, if its results have it.

    Raises `NotResults` if this version cannot read it.
    """
    if head.profile_keys is None:
        return None
    try:
        return Profile.model_validate(head.profile_keys)
    except ValidationError:
        raise NotResults("this version cannot read the profile in them") from None
