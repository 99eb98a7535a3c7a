"""The options that several commands have: the time, the profiles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import IO

import click
from pydantic import ValidationError

from lib.cli.terminal import AdvancedOption
from lib.config.profile import Profile, choose_profile, read_profiles
from lib.errors import PermanentError
from lib.results.document import ResultsHead
from lib.results.reading import NotResults


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
    cls=AdvancedOption,
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
        profile = choose_profile(read_profiles(profiles.read()), f"{name or default}/")
    except PermanentError as error:
        raise click.BadParameter(str(error), param_hint="--profiles") from None
    return profile


def profile_of(head: ResultsHead) -> Profile | None:
    """Return the profile with which the file was read, if its results have it.

    Raises `NotResults` if this version cannot read it.
    """
    if head.profile_keys is None:
        return None
    try:
        return Profile.model_validate(head.profile_keys)
    except ValidationError:
        raise NotResults("this version cannot read the profile in them") from None
