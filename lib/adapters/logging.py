"""JSON lines for Cloud Logging: severity, event, run ID, trace, and the numbers of the event.

Every line names one of `EVENTS`, so alerts and dashboards can rely on the names. Fields hold
counts, codes, object names and times. No function here accepts a row.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST_LINE = 200_000
"""Cloud Logging takes 256 KiB. It would cut a longer line, and what is no JSON raises no alert
(https://cloud.google.com/logging/quotas)."""

# https://cloud.google.com/logging/docs/structured-logging
_TRACE_FIELD = "logging.googleapis.com/trace"

EVENTS: Mapping[str, str] = {
    "open_problem": "ALERT. A problem is open. `kind`, `title` and `code` say what happened, "
    "`action` what to do, `detail` and `at_stake` which files and how much money. A sweep logs the "
    "line as long as the problem holds.",
    "open_problems_digest": "The daily reminder: all open problems in one `text`, the most costly "
    "first, with every file. `count` says how many there are.",
    "settings_invalid": "ALERT. A setting, a permission or a bucket is wrong. Files wait.",
    "unexpected_error": "The software failed unexpectedly. The delivery is retried.",
    "sweep_failed": "A sweep failed. The next one tries again.",
    "sweep_finished": "A sweep ended. The line says what it found and did.",
    "run_finished": "The results of a file were written. The line has its counts and timings.",
    "run_redelivered": "An attempt ended early; the file is retried. `code` gives the reason.",
    "run_skipped": "There was nothing to do for the file. The delivery was skipped.",
    "lease_held": "Another attempt works on this file, or has died. This delivery is retried. "
    "`detail` says when the next attempt may begin.",
    "object_ignored": "The object is not an input file. `reason` says why.",
    "event_ignored": "A request that reports no object was acknowledged. `reason` says why.",
    "attempt_started": "An attempt started. `attempts` above 1: it continues an earlier attempt.",
    "chunk_sent": "The API answered a chunk, and its outcomes were saved.",
    "request_retry": "A request failed with a retryable error and is retried.",
    "connection_renewed": "A connection was refused or silent. The next request uses a new one.",
    "account_not_read": "The account could not be read. Files that name actions by ID go on.",
    "processing_unknown": "What Google reports later could not be read. It is asked again; if it "
    "refuses to answer, `open_problem` says so.",
    "overview_not_written": "The overview of all files could not be written. The next sweep does.",
}


_SETTINGS_INVALID: Mapping[str, str] = {
    "kind": "settings_invalid",
    "profile": "all",
    "code": "SETTINGS_INVALID",
    "title": "A setting, a permission or a bucket is wrong",
    "action": "Ask your engineer: Read the log line settings_invalid.",
}
"""What a notification shows of it, as of an `open_problem`, unless the line has its own."""


@dataclass(frozen=True, slots=True)
class JsonLog:
    """A logger that adds its fields, such as run ID and trace, to every line."""

    fields: Mapping[str, Any] = field(default_factory=dict)

    def bind(self, **fields: Any) -> JsonLog:
        """Return a log that also adds these fields to every line."""
        return JsonLog({**self.fields, **fields})

    def info(self, event: str, **fields: Any) -> None:
        """Log normal operation."""
        self._write("INFO", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Log a problem that is handled automatically, or what a person should see some day."""
        self._write("WARNING", event, fields)

    def alert(self, event: str, **fields: Any) -> None:
        """Log a problem that a person must look at. The names of these events are stable."""
        self._write("ERROR", event, fields)

    def unexpected(self, error: Exception) -> None:
        """Log a bug: only its type and location, because the error's message could quote a row."""
        kind = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        at = [f"{each.filename.rsplit('/', 1)[-1]}:{each.lineno} {each.name}" for each in frames]
        self.alert("unexpected_error", detail=f"{kind} at {at[-1] if at else ''}", kind=kind, at=at)

    def _write(self, severity: str, event: str, fields: Mapping[str, Any]) -> None:
        line = {
            "severity": severity,
            "event": event,
            "message": f"{event}: {EVENTS[event]}",
            **(_SETTINGS_INVALID if event == "settings_invalid" else {}),
            **self.fields,
            **fields,
        }
        text = json.dumps(line, default=str)
        for most in (2_000, 200, 20):  # cut as little as is enough
            if len(text) > LONGEST_LINE:
                text = json.dumps(_cut(line, most), default=str)
        # One write per line, so that lines of concurrent threads do not mix.
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _cut(value: Any, most: int) -> Any:
    """Return a value whose texts have at most so many characters, and its lists so many items."""
    if isinstance(value, Mapping):
        return {key: _cut(each, most) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(each, most) for each in value[:most]]
    if isinstance(value, str) and len(value) > most:
        return f"{value[: most - 1]}…"
    return value


def trace_field(header: str | None, project: str | None) -> dict[str, str]:
    """`X-Cloud-Trace-Context` → the field by which Cloud Logging groups a request's lines.

    Empty without a header or a project.
    """
    if not header or not project:
        return {}
    return {_TRACE_FIELD: f"projects/{project}/traces/{header.split('/')[0]}"}


def quiet_libraries() -> None:
    """Keep the client libraries from logging requests.

    `google.ads.googleads` writes whole failed requests at INFO, and the masking list in its
    `interceptors/helpers.py` omits conversion uploads. Digests are personal data too. So this
    logger stays off, even if a configuration file turns it on.
    """
    logger = logging.getLogger("google.ads.googleads")
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    logger.addFilter(lambda record: False)
    # Its interceptor writes payloads at DEBUG.
    logging.getLogger("google.ads.datamanager_v1").setLevel(logging.WARNING)
    for name in ("google.api_core", "google.auth", "google.cloud", "urllib3", "grpc"):
        logging.getLogger(name).setLevel(logging.WARNING)
