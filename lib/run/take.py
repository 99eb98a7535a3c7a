"""Takes a run: creates it for a new file, or takes it over if it is due.

Whoever has taken a run owns its lease: no other attempt works on it until the lease ends.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lib.config.profile import choose_profile, profile_name
from lib.errors import LeaseHeld, LeaseLost, PermanentError, RetryableError
from lib.model.outcomes import Problem
from lib.results.names import generations_of
from lib.run.chunks import chunk_size_of
from lib.run.context import RunContext
from lib.state.markers import Markers
from lib.state.runs import Run, SavedRun, run_key
from lib.state.store import StoredObject

STALE_AFTER: Final = timedelta(days=7)
"""Rows that could not be sent for this long are not sent any more."""


def take(source: StoredObject, context: RunContext) -> SavedRun | None:
    """Return the run of an object, which this attempt has taken. None: there is nothing to do now.

    Raises `LeaseHeld` if another attempt works on it, or has died and its wait is not over, and
    `RetryableError` if somebody deletes the run meanwhile.
    """
    return _create(source, context) or _take_existing(source, context)


def _create(source: StoredObject, context: RunContext) -> SavedRun | None:
    """Save a new run, which fixes "now", the profile and the cut. None: there is one already.

    A run that cannot have a profile is saved with the reason as its stop.
    """
    now, settings = context.utc_now(), context.settings
    if source.created is None or now - source.created > STALE_AFTER:
        # Such a file is not sent, so the object itself must say so: an event can be forged.
        source = context.store.find(source) or source
    profile, stop = None, None
    try:
        profile = choose_profile(context.profiles(), source.name)
    except PermanentError as error:
        # The run is created all the same: its results say why the file was stopped.
        stop = Problem(error.code, "", error.detail)
    run = Run(
        source=source,
        # The clock of storage may be ahead of ours, but no file comes in the future.
        arrived=min(source.created or now, now),
        now=now,
        profile_name=profile_name(source.name),
        profile=profile.document() if profile is not None else None,
        cut=chunk_size_of(profile),
        state="working",
        owner=context.new_token(),
        due=now + timedelta(seconds=settings.time_limit_seconds),
        revision=context.revision,
        stop=stop,
        stopped_at=now if stop is not None else None,
    )
    return context.runs.create(run)


def _take_existing(source: StoredObject, context: RunContext) -> SavedRun | None:
    """Return the saved run of an object, taken over if something is due. None: nothing is.

    Raises `LeaseHeld` if the event must come again, because another attempt may have died.
    """
    saved = context.runs.read(run_key(source))
    if saved is None:
        # `_create` found a run, which somebody has deleted since. The next event creates it anew.
        raise RetryableError("STORAGE_UNAVAILABLE", "the run was there, and is gone")
    run = saved.run
    if run.state == "done":
        if run.published_at is None:
            return None  # it has ended without results
        # Somebody has deleted the results document: an attempt writes it again from the markers.
        results = generations_of(source, context.store, context.settings.output_bucket)
        return None if results.document else take_over(saved, context)
    if run.is_due(context.utc_now()):
        return take_over(saved, context)
    if run.state == "working":
        # This event must come again: the other attempt may die.
        assert run.next_attempt is not None  # only a run that is done has none
        raise LeaseHeld(f"until {run.next_attempt.isoformat()}")
    return None  # it waits, and a sweep finds it when it is due


def take_over(saved: SavedRun, context: RunContext) -> SavedRun:
    """Save that this attempt works on the run now, and how the last one ended.

    Raises `LeaseHeld` if another attempt was faster.
    """
    run, now = saved.run, context.utc_now()
    marked = Markers(context.documents, run).version_of_all()
    # A regular end saves another state, so an attempt that left this one has died.
    has_died = run.state == "working"
    # Markers that were saved since the last attempt began are progress: tries count from 0.
    tries = run.tries if marked == run.marked else 0
    if has_died:
        tries += 1
    if run.revision != context.revision:
        tries = 0  # an earlier revision of the function may have been at fault, not the file
    try:
        return context.runs.save(
            saved,
            state="working",
            owner=context.new_token(),
            due=now + timedelta(seconds=context.settings.time_limit_seconds),
            late_since=run.late_since or run.due,
            revision=context.revision,
            attempts=run.attempts + 1,
            cause="DIED" if has_died else run.cause,
            tries=tries,
            marked=marked,
            # It may have sent a request and died before it saved the answer.
            maybe_sent=run.maybe_sent or has_died,
        )
    except LeaseLost:
        raise LeaseHeld("another attempt took over the run first") from None
