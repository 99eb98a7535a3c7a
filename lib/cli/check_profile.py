"""The profiles document: which files have one, and what is wrong with its profiles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

import click

from lib.catalogue.texts import number_of
from lib.cli.escaping import in_shell, on_terminal
from lib.cli.files import InputFile
from lib.cli.terminal import program_name
from lib.config.profile import (
    MAX_PROFILES_BYTES,
    Profile,
    choose_profile,
    missing_keys,
    read_profiles,
)
from lib.errors import PermanentError

_RESULTS: Final = re.compile(rb'\s*\{\s*"schema_version"\s*:')


def command_for(file: InputFile) -> str:
    """Return what the file is and which command takes it, if it is no export but has profiles or
    results; otherwise ""."""
    if file.is_standard_input or file.path.suffix.lower() != ".json":
        return ""
    with file.open() as stream:
        start = stream.read(MAX_PROFILES_BYTES)
    if _RESULTS.match(start):
        what, command = "results", "report"
    elif _are_profiles(start):
        what, command = "profiles", "check --profiles"
    else:
        return ""
    run = f"{program_name()} {command} {in_shell(file.name)}"
    return f"{file.name} has {what}, no rows of an export. Run {run}"


def _are_profiles(content: bytes) -> bool:
    try:
        profiles = read_profiles(content).values()
    except PermanentError:
        return False
    return all(not each or Profile.model_fields.keys() & each.keys() for each in profiles)


def check_document(profiles: IO[bytes]) -> int:
    """Print what is wrong with each profile of a document. Return 1 if anything is, otherwise 0."""
    try:
        document = read_profiles(profiles.read())
    except PermanentError as error:
        click.echo(on_terminal(error.detail))
        return 1
    wrong = 0
    for name in document:
        problems = list(_problems(document, name))
        wrong += bool(problems)
        for problem in problems:
            click.echo(on_terminal(problem))
    click.echo(f"{number_of(len(document), 'profile')}: {wrong or 'none'} with errors.")
    return 1 if wrong else 0


def _problems(document: Mapping[str, Any], name: str) -> Iterator[str]:
    if not name or "/" in name:
        yield f'profile "{name}": not the name of a folder. Write a name without a slash.'
        return
    try:
        profile = choose_profile(document, f"{name}/")
    except PermanentError as error:
        yield error.detail
        return
    for line in missing_keys(profile):
        yield f'profile "{name}": {line}'
