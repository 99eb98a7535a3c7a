"""A check without a profile: what it assumes instead, so that the rows are validated all the same.

Otherwise the first check of a new kind of file stops at the first missing key, and shows no problem
of any row.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Any, Final

from lib.cli.check import ANY_CUSTOMER, MAX_FILE_BYTES
from lib.cli.init.findings import Given, Proposal, Question
from lib.cli.init.local_zone import local_zone
from lib.cli.init.proposal import Surroundings, propose
from lib.cli.init.sample import read_sample
from lib.config.profile import Profile
from lib.source.errors import SourceError

_ANY_ACTION: Final = "1"
_NEEDED: Final = frozenset({"conversion_action", "time_zone"})
"""Without them, the function would reject the rows that are validated here."""
_NAMES: Final[Mapping[str, str]] = {
    "customer_id": "account",
    "conversion_action": "conversion action",
    "time_zone": "time zone",
    "phone_region": "country of phone numbers",
    "day_first": "order of day and month",
    "headers": "column of the conversion time",
}


@dataclass(frozen=True, slots=True)
class ChosenProfile:
    """The profile of a check, what was assumed for it, and whether an upload would have it too."""

    profile: Profile
    remarks: tuple[str, ...] = ()
    is_complete: bool = True


@contextmanager
def read_twice(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield a stream that can be read again: a pipe is copied to a temporary file first."""
    if stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield copy


def assume(stream: IO[bytes], given: Given, now: datetime) -> ChosenProfile:
    """Return the profile for a file from its first rows. Rewinds the stream."""
    values = {"customer_id": ANY_CUSTOMER, **given.values}
    try:
        sample = read_sample(stream, Profile.model_validate({}), MAX_FILE_BYTES)
    except SourceError:
        return ChosenProfile(Profile.model_validate(values))  # the check reports the error
    finally:
        stream.seek(0)
    # The note on a guessed encoding is of use in a check.
    given = replace(given, left_out=given.left_out | {"encoding"})
    around = Surroundings(now, local_zone())
    proposal = propose(sample, given, around)
    zone = next((each for each in proposal.questions if each.key == "time_zone"), None)
    if zone is not None:
        # With a time zone, the country of phone numbers may be certain.
        with_zone = replace(given, values={**given.values, "time_zone": zone.default})
        proposal = propose(sample, with_zone, around)
    missing = [*([zone] if zone else []), *proposal.needed]
    assumed = {question.key: _default(question) for question in missing}
    assumed = {key: value for key, value in assumed.items() if value != ""}
    profile = Profile.model_validate({**values, **assumed, **proposal.values()})
    remarks = (_assumptions(proposal, given, zone), _missing(missing))
    return ChosenProfile(
        profile,
        tuple(remark for remark in remarks if remark),
        is_complete=_NEEDED.isdisjoint(question.key for question in missing),
    )


def _default(question: Question) -> Any:
    """Return the value that is assumed; "" if there is none, or if the proposal has it already."""
    if question.key == "conversion_action":
        return _ANY_ACTION
    if question.key == "day_first":
        return question.default == "yes"
    return "" if question.key in ("headers", "customer_id") else question.default


def _assumptions(proposal: Proposal, given: Given, zone: Question | None) -> str:
    texts = [f"time zone {zone.default} (of this computer)"] if zone else []
    for entry in proposal.entries:
        if entry.key in given.values or entry.key == "time_zone":
            continue
        if entry.key == "headers":
            texts += [f'{field} ← "{names[0]}"' for field, names in entry.value.items()]
        elif entry.key in ("include", "exclude"):
            which = "only" if entry.key == "include" else "no"
            for column, values in entry.value.items():
                listed = " or ".join(f'"{value}"' for value in values)
                texts.append(f'{which} rows with {listed} in "{column}"')
        else:
            texts.append(f"{entry.key} {str(entry.value).replace('True', 'true')}")
    return f"Assumed without a profile: {'; '.join(texts)}." if texts else ""


def _missing(questions: list[Question]) -> str:
    if not questions:
        return ""
    texts = (f"{_NAMES[each.key]} ({each.option})" for each in questions)
    return f"Missing for an upload: {', '.join(texts)}. `init` writes a profile."
