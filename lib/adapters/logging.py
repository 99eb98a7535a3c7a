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
    "run_finished": "A file was processed. The line has its counts and timings.",
    "run_updated": "Follow-up for a file is complete. The line has the new counts.",
    "rows_failing": "ALERT (concern). Many rows of a file were rejected or failed.",
    "rows_not_counted": "ALERT (concern). Google accepted a file's rows but did not count many "
    "of them.",
    "deferred_rows_failed": "ALERT. Deferred rows failed: their file was deleted or "
    "overwritten, or no attempt could read it.",
    "filter_mismatch": "ALERT (concern). A profile's row filter does not fit a file: a value may "
    "be wrong.",
    "run_stopped": "ALERT. A file_error stopped a file. Someone must fix the cause.",
    "run_stale": "ALERT. Processing of a file ended unfinished: its event became too old.",
    "run_late": "ALERT. Attempts still fail 10 minutes after the event of a file, or after its "
    "follow-up was due.",
    "follow_up_blocked": "ALERT (concern). A file's follow-up cannot continue. Someone must fix "
    "the cause.",
    "events_missing": "ALERT (concern). No event has started a file. The trigger may be broken.",
    "file_unfinished": "ALERT (concern). An hour after its upload, a file still has no results.",
    "no_file": "ALERT (concern). A file is expected, and none has arrived.",
    "file_ignored": "ALERT (concern). A file is not processed because of its name, and it stays.",
    "concern": "ALERT. Somebody must know of something that shows over time, or by absence. `kind` "
    "says what, `told` whether it is new, still there or over.",
    "lease_held": "Another delivery is processing this file or another version of it. "
    "This delivery is retried. `detail` says until when, or which version.",
    "run_redelivered": "An attempt ended early; the file is retried. `code` gives the reason.",
    "newer_version": "A newer version of the function works on the file. This one touches nothing.",
    "run_skipped": "The file was already processed. The delivery was skipped.",
    "object_ignored": "The object is not an input file. `reason` says why.",
    "event_ignored": "A request that reports no object was acknowledged. `reason` says why.",
    "claim_taken": "An attempt started. `attempts` above 1: it continues an earlier attempt.",
    "chunk_sent": "The API answered a chunk, and its outcomes were saved.",
    "request_retry": "A request failed with a retryable error and is retried.",
    "connection_renewed": "A connection was refused or silent. The next request uses a new one.",
    "quota_exhausted": "ALERT. The daily quota of API operations is used up.",
    "preflight_not_permitted": "Account settings could not be read. The upload continues.",
    "processing_unknown": "The status of requests could not be read. Retried later.",
    "diagnostics_unknown": "Google's diagnostics of an account could not be read. Retried later.",
    "overview_not_written": "The overview of all files could not be written. The next sweep does.",
    "sweep_finished": "A sweep ended. The line says what it found and did.",
    "sweep_failed": "ALERT. A sweep failed.",
    "settings_invalid": "ALERT. A setting, a permission or a bucket is wrong. Files wait.",
    "unexpected_error": "ALERT. The software failed unexpectedly. The delivery is retried.",
}


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
        """Log a problem that is handled automatically."""
        self._write("WARNING", event, fields)

    def alert(self, event: str, **fields: Any) -> None:
        """Log a problem that a person must look at. The names of these events are stable."""
        self._write("ERROR", event, fields)

    def tell(self, severity: str, event: str, **fields: Any) -> None:
        """Log what a person must know, with a severity of its own."""
        self._write(severity, event, fields)

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
            **self.fields,
            **fields,
        }
        text = json.dumps(line, default=str)
        for most in (2_000, 200, 20):
            if len(text) > LONGEST_LINE:
                text = json.dumps(_cut(line, most), default=str)
        # One write per line, so that lines of concurrent threads do not mix.
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _cut(value: Any, most: int) -> Any:
    """Return a value whose texts and lists are not longer than this."""
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
    `interceptors/helpers.py` omits conversion uploads. Digests are personal data too. So its
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
