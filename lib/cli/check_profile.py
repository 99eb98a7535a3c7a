"""The profile of a check: the one that the options name, or else one made of assumptions.

Without a profile, a check would stop at the first missing key, and show no problem of any row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Any, Final

import click

from lib.catalogue.texts import number_of
from lib.cli.check import ANY_CUSTOMER, MAX_FILE_BYTES
from lib.cli.escaping import in_shell, on_terminal
from lib.cli.files import InputFile
from lib.cli.init.inference import local_zone, propose
from lib.cli.init.proposal import Given, Proposal, Question
from lib.cli.init.sample import Sample, read_sample
from lib.cli.terminal import program_name
from lib.config.profile import MAX_PROFILES_BYTES, Profile, choose_profile, read_profiles
from lib.destinations import registry
from lib.errors import PermanentError
from lib.followup.rhythm import NEVER, parse_expectation
from lib.source.errors import SourceError

_RESULTS: Final = re.compile(rb'\s*\{\s*"schema_version"\s*:')
_ANY_ACTION: Final = "1"
_NEEDED: Final = frozenset({"conversion_action", "time_zone"})
"""Without them, the function would reject the rows that are validated here."""
_NAMES: Final[Mapping[str, str]] = {
    "customer_id": "account",
    "conversion_action": "conversion action",
    "time_zone": "time zone",
    "phone_region": "country of phone numbers",
    "currency_code": "currency",
    "day_first": "order of day and month",
    "decimal_comma": "decimal sign",
    "include": "which rows are sales",
}
_COLUMNS: Final[Mapping[str, str]] = {
    "conversion_date_time": "the conversion time",
    "conversion_value": "the conversion value",
    "order_id": "the order ID",
}
_ONLY_INIT_ASKS: Final = frozenset({"decimal_comma", "headers", "include"})
"""`check` has no option for these keys."""


@dataclass(frozen=True, slots=True)
class ChosenProfile:
    """The profile of a check, what was assumed for it, and whether an upload would have it too."""

    profile: Profile
    remarks: tuple[str, ...] = ()
    is_complete: bool = True


def assume(stream: IO[bytes], given: Given, now: datetime) -> ChosenProfile:
    """Return the profile for a file from its first rows. Rewinds the stream."""
    values = {
        "destination": registry.OPEN_TO_ALL,
        "customer_id": ANY_CUSTOMER,
        **given.values,
    }
    try:
        as_it_is = Profile.model_validate({"destination": registry.OPEN_TO_ALL})
        sample = read_sample(stream, as_it_is, MAX_FILE_BYTES)
    except SourceError:
        return ChosenProfile(Profile.model_validate(values))  # the check reports the error
    finally:
        stream.seek(0)
    # The note on a guessed encoding is of use in a check.
    given = replace(given, left_out=given.left_out | {"encoding"})
    proposal = _assumed(sample, given, now, local_zone())
    zone = next((each for each in proposal.questions if each.key == "time_zone"), None)
    if zone is not None:
        # With a time zone, the country of phone numbers may be certain.
        with_zone = given.with_answer(zone, {"time_zone": zone.default}, by_default=True)
        proposal = _assumed(sample, with_zone, now, zone.default)
    missing = [*([zone] if zone else []), *proposal.needed]
    assumed = {key: value for each in missing for key, value in _default(each).items()}
    profile = Profile.model_validate({**values, **assumed, **proposal.values()})
    remarks = (_assumptions(proposal, given, zone), _missing(missing))
    return ChosenProfile(
        profile,
        tuple(remark for remark in remarks if remark),
        is_complete=_NEEDED.isdisjoint(question.key for question in missing),
    )


def _assumed(sample: Sample, given: Given, now: datetime, zone: str) -> Proposal:
    """Return the profile without what `init` asks only if it asks little else."""
    proposal = propose(sample, given, now, zone)
    optional = [each for each in proposal.questions if not each.is_needed]
    for each in optional:
        meaning = each.meaning_of("") if each.key == "destination" else {}
        given = given.with_answer(each, meaning, by_default=True)
    return propose(sample, given, now, zone) if optional else proposal


def _default(question: Question) -> dict[str, Any]:
    """Return what is assumed."""
    if question.key == "conversion_action":
        return {"conversion_action": _ANY_ACTION}
    return question.meaning_of("") if question.default else {}


def _assumptions(proposal: Proposal, given: Given, zone: Question | None) -> str:
    texts = [f"time zone {zone.default}{_whose(zone.default)}"] if zone else []
    for entry in proposal.entries:
        if entry.key in given.values or entry.key == "time_zone":
            continue
        if entry.key == "headers":
            texts += [
                f'{field} ← "{names[0]}"' if names else f"no {field}"
                for field, names in entry.value.items()
            ]
        elif entry.key in ("include", "exclude"):
            which = "only" if entry.key == "include" else "no"
            for column, values in entry.value.items():
                if not values:
                    continue  # it decides nothing
                listed = " or ".join(f'"{value}"' for value in values)
                texts.append(f'{which} rows with {listed} in "{column}"')
        else:
            texts.append(f"{entry.key} {str(entry.value).replace('True', 'true')}")
    return f"Assumed without a profile: {'; '.join(texts)}." if texts else ""


def _whose(zone: str) -> str:
    return " (of this computer)" if zone == local_zone() else ""


def _missing(questions: list[Question]) -> str:
    if not questions:
        return ""
    texts = [_name(each) for each in questions]
    for at, each in enumerate(questions):
        texts[at] += "" if each.key in _ONLY_INIT_ASKS else f" ({each.option})"
    return f"Missing for an upload: {', '.join(texts)}. `init` asks for it, and writes a profile."


def _name(question: Question) -> str:
    if question.key != "headers":
        return _NAMES.get(question.key, question.key)
    fields = dict.fromkeys(each.column for each in question.choices)
    return f"column of {' and of '.join(_COLUMNS.get(each, each) for each in fields)}"


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
        _, profile = choose_profile(document, f"{name}/")
    except PermanentError as error:
        yield error.detail
        return
    try:
        parse_expectation(profile.expect or NEVER)
    except ValueError as error:
        # In a run, it stops no file, but no missing file is told.
        yield f'profile "{name}": expect: {error}'
