"""`check --profiles FILE` without a file of conversions: checks the profiles themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

import click

from lib.config.profile import Profile, choose_profile, profiles_text, read_profiles
from lib.destinations import registry
from lib.errors import PermanentError


def read_document(profiles: IO[bytes]) -> dict[str, Any]:
    """Return the profiles of a document, as the function reads it. The profiles are not checked.

    Raises `PermanentError` (INVALID_PROFILE).
    """
    return read_profiles(profiles_text(profiles.read()))


def check_document(profiles: IO[bytes]) -> int:
    """Print what is wrong with each profile of a document. Return 1 if anything is, otherwise 0."""
    try:
        document = read_document(profiles)
    except PermanentError as error:
        click.echo(error.detail)
        return 1
    wrong = 0
    for name in document:
        problems = list(_problems(document, name))
        wrong += bool(problems)
        for problem in problems:
            click.echo(problem)
    count = len(document)
    click.echo(f"{count} profile{'' if count == 1 else 's'}: {wrong or 'none'} with errors.")
    return 1 if wrong else 0


def _problems(document: Mapping[str, Any], name: str) -> Iterator[str]:
    if not name or "/" in name:
        yield f'profile "{name}": not the name of a folder. Write a name without a slash.'
        return
    try:
        _, profile = choose_profile(document, f"{name}/")
    except PermanentError as error:
        yield error.detail
        return
    if problem := _action_problem(profile):
        yield f'profile "{name}": {problem}'


def _action_problem(profile: Profile) -> str | None:
    """Say that the destination cannot find the action: every row that names none is rejected."""
    action = profile.conversion_action
    if action is None or registry.capabilities_of(profile.destination).resolves_action_names:
        return None
    # Only the last part of a resource name matters.
    if action.rpartition("/")[2].isdecimal():
        return None
    return (
        f"conversion_action: {profile.destination} does not accept names. Write the action's ID, "
        "the number after ctId= in the address of its page."
    )
