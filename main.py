"""Cloud entry points: read the event, connect the adapters, call `lib`. They decide nothing."""

from __future__ import annotations

import gc
import os

# Imports create no garbage, only objects to scan. Without the scans, an instance starts 5 % sooner.
gc.disable()
# No package has a plugin for pydantic: the search reads the metadata of all packages (4 ms).
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import flask
import functions_framework

from lib.adapters.events import NotAnObjectEvent, on_termination, read_event
from lib.adapters.logging import JsonLog, quiet_libraries, trace_field
from lib.adapters.secrets import read_credentials
from lib.adapters.storage import GoogleStore, connect
from lib.adapters.workbook import read_in_child
from lib.catalogue.codes import lookup
from lib.config.profile import read_profiles
from lib.config.settings import Settings
from lib.destinations.instance import Destinations
from lib.errors import PermanentError, RetryableError, SettingsError
from lib.model.deadline import Shutdown, elapsed_seconds
from lib.run.context import RunContext
from lib.run.deliver import deliver
from lib.state.corrections import KnownCorrections
from lib.state.runs import run_id

# Imported objects are kept as long as the instance runs, so they are never scanned again.
gc.freeze()
# Rows create no cycles (a test checks this), so frequent scans only cost time.
gc.set_threshold(50_000)
gc.enable()
quiet_libraries()

_shutdown = Shutdown()
on_termination(lambda: _shutdown.begin(elapsed_seconds()))


@functions_framework.http
def ingest(request: flask.Request) -> tuple[str, int]:
    """Process an object that was finalized in the input bucket.

    A 2xx acknowledges the event; otherwise it is delivered again, for 24 hours. The event is read
    here because functions-framework answers 400 to one that it cannot read. It prefers this
    decorator to the signature type "cloudevent" that the platform sets for a function with an event
    trigger (https://github.com/GoogleCloudPlatform/functions-framework-python).
    """
    _begin_connections()
    context = _context()
    source = read_event(dict(request.headers), request.get_data())
    if isinstance(source, NotAnObjectEvent):
        if source.wrong_trigger:
            problem = f"the trigger of the function ingest sends events that are {source.reason}"
            advice = "Ask the engineer who deployed the function to correct the trigger."
            context.log.alert("settings_invalid", detail=problem, action=advice)
        context.log.warning("event_ignored", reason=source.reason)
        return "ignored", 200
    context = replace(context, log=context.log.bind(run_id=run_id(source)))
    try:
        return deliver(source, context), 200
    except RetryableError as error:
        return error.code, 503  # `deliver` has logged it
    except Exception as error:
        # Also a `PermanentError`: `deliver` writes results for it and returns.
        context.log.unexpected(error)
        return "UNEXPECTED_ERROR", 500


@functions_framework.http
def sweep(request: flask.Request) -> tuple[dict[str, Any], int]:
    """Find what events missed, and send what was deferred. Cloud Scheduler calls this.

    Answers with the counts of `SweepCounts`, or with a 5xx, which the next call makes good.
    """
    from lib.sweep.sweep import sweep_once  # the function `ingest` does not need its modules

    context = _context()
    settings = context.settings
    try:
        report = sweep_once(context, settings.sweep_time_limit_seconds)
    except RetryableError as error:
        action = lookup(error.code).action
        context.log.alert("sweep_failed", code=error.code, detail=error.detail, action=action)
        return {"error": error.code}, 503
    except Exception as error:
        context.log.unexpected(error)
        return {"error": "UNEXPECTED_ERROR"}, 500
    return report, 200


# What is kept while the instance runs: settings, storage client, API connections, corrections.


@cache
def _settings() -> Settings:
    try:
        return Settings.from_environment(os.environ)
    except SettingsError as error:
        JsonLog().alert("settings_invalid", detail="; ".join(str(error).splitlines()))
        raise


@cache
def _store() -> GoogleStore:
    return connect()


@cache
def _destinations() -> Destinations:
    settings = _settings()
    return Destinations(settings, lambda: read_credentials(settings))


@cache
def _corrections() -> KnownCorrections:
    return KnownCorrections()


@cache
def _begin_connections() -> None:
    """Read the secret while the first run is created. (Most sweeps do not need it.)"""
    _destinations().begin()


def _context() -> RunContext:
    settings, store, destinations = _settings(), _store(), _destinations()
    header = flask.request.headers.get("X-Cloud-Trace-Context")
    log = JsonLog(trace_field(header, os.environ.get("GOOGLE_CLOUD_PROJECT")))

    def profiles() -> Mapping[str, Any]:
        # Read for each file: somebody may have just set `validate_only`, and drops a file.
        return read_profiles(_profiles_document(settings.profiles, store), settings.profiles)

    def profiles_changed_at() -> datetime | None:
        if (place := _object_of(settings.profiles)) is None:
            return None  # a file of the deployment
        document = store.find_live(*place)
        return document.created if document is not None else None

    return RunContext(
        store=store,
        settings=settings,
        profiles=profiles,
        connect=destinations.connect,
        utc_now=lambda: datetime.now(UTC),
        elapsed_seconds=elapsed_seconds,
        new_token=lambda: uuid.uuid4().hex,
        log=log,
        read_sheet=read_in_child,
        profiles_changed_at=profiles_changed_at,
        revision=os.environ.get("K_REVISION", ""),
        shutdown=_shutdown,
        corrections=_corrections(),
    )


def _object_of(place: str) -> tuple[str, str] | None:
    """`gs://bucket/a/name` → `("bucket", "a/name")`. None: it is the path of a file."""
    bucket, _, name = place.removeprefix("gs://").partition("/")
    return (bucket, name) if place.startswith("gs://") else None


def _profiles_document(place: str, store: GoogleStore) -> bytes:
    if (stored := _object_of(place)) is not None:
        document = store.read(*stored)
        if document is None:
            raise PermanentError("INVALID_PROFILE", f"{place} does not exist")
        return document[0]
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise PermanentError("INVALID_PROFILE", f"{place}: {error.strerror}") from None
