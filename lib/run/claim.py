"""The start of a run: its claim, which fixes the profile, and the reasons not to send anything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from lib.config.profile import Profile, choose_profile
from lib.config.settings import Settings
from lib.errors import PermanentError, RetryableError
from lib.model.outcomes import Problem
from lib.rules.row_rules import RULES_VERSION
from lib.run.chunks import chunk_limits_of
from lib.run.context import RunContext
from lib.state.run import Run, Terms, first_claim
from lib.state.store import StoredObject


@dataclass(frozen=True, slots=True)
class Claim:
    """The claimed run and its profile, or why no profile can be used."""

    run: Run
    profile: Profile | None
    stop: Problem | None


def claim_run(
    source: StoredObject,
    event_time: datetime,
    max_age: timedelta,
    context: RunContext,
    *,
    is_read: bool,
) -> Claim:
    """Claim the run. `run.status` shows whether there is anything to do. `is_read`: storage has
    described the object together with its content.

    The profile, the time "now" and the version of the rules are those of the first attempt. A file
    that is older than `max_age` is claimed even if the profiles cannot be read, so that it does not
    end without a document.
    """
    stop: Problem | None = None
    profile: Profile | None = None
    name = ""
    try:
        name, profile = choose_profile(context.profiles(), source.name)
    except PermanentError as error:
        stop = Problem(error.code, "", error.detail)
    except RetryableError as error:
        stop = _stale(event_time, max_age, context)
        if stop is None:
            raise
        stop = stop._replace(detail=f"{stop.detail}; the profiles cannot be read ({error.code})")
    fixed = profile.document() if profile is not None else None
    limits, settings = chunk_limits_of(profile), _digest(context.settings)
    terms = Terms(name, fixed, limits, RULES_VERSION, settings)
    now = context.utc_now()
    fresh = first_claim(source, context.new_token(), now, context.settings.lease_seconds, terms)
    run = context.generations.claim(fresh, now, is_read=is_read)
    if run.attempts == 1 or run.status != "running":
        return Claim(run, profile, stop)
    try:
        return Claim(run, claimed_profile(run), None)
    except PermanentError as error:
        return Claim(run, None, stop or Problem(error.code, "", error.detail))


def claimed_profile(run: Run) -> Profile:
    """Return the profile that the first attempt fixed.

    Raises `PermanentError` if the first attempt found no usable profile, or if this version of the
    function cannot read the saved one.
    """
    if run.profile is None:
        raise PermanentError(
            "INVALID_PROFILE",
            "it was not valid when the file arrived; if it is valid now, upload the file again",
        )
    try:
        return Profile.model_validate(run.profile)
    except ValidationError:
        raise PermanentError(
            "INVALID_PROFILE",
            "this version cannot read the profile saved for this file; upload the file again",
        ) from None


def _digest(settings: Settings) -> str:
    """Return a digest of all settings: after a change, a file may have other outcomes."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:16]


def too_old(
    run: Run, event_time: datetime, max_age: timedelta, context: RunContext
) -> Problem | None:
    """Return STALE if the file is still unfinished `max_age` after its event."""
    if run.cause == "DAILY_QUOTA":
        # Nothing is wrong with the file: the sweep continues it when there is quota again.
        max_age = max(max_age, timedelta(days=context.settings.sweep_max_age_days))
    return _stale(event_time, max_age, context)


def no_progress(run: Run, context: RunContext) -> Problem | None:
    """Return NO_PROGRESS if too many attempts in a row have died, or have only read the file.

    The claim has counted them before this attempt works, so a file cannot kill every attempt.
    """
    if run.without_progress < context.settings.max_attempts_without_progress:
        return None
    return Problem("NO_PROGRESS", "", f"{run.without_progress} attempts in a row")


def _stale(event_time: datetime, max_age: timedelta, context: RunContext) -> Problem | None:
    age = context.utc_now() - event_time
    if age <= max_age:
        return None
    return Problem("STALE", "", f"{age.total_seconds() / 3600:.0f} hours old")
