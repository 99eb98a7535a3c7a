"""JSON lines for Cloud Logging: severity, event, run id, trace, and the numbers of the event.

Every line names an `event` out of `EVENTS`, so alerts and dashboards can rely on the names
(`docs/operate.md`; a test keeps both lists equal). Fields are counts, codes, names of objects and
times; nothing here takes a row.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# https://cloud.google.com/logging/docs/structured-logging
_TRACE_FIELD = "logging.googleapis.com/trace"

EVENTS: Mapping[str, str] = {
    "run_finished": "A file was worked through; counts and timings.",
    "run_updated": "Nothing of a waiting file is open any more; its new counts.",
    "rows_not_counted": "ALERT. Google took rows of a file, and many of them it doesn't count.",
    "run_stopped": "ALERT. A file ended with a file_error; a person must act.",
    "run_stale": "ALERT. A file was given up because its event had become too old.",
    "lease_held": "Another delivery of the event is at work; this one is retried.",
    "run_redelivered": "An attempt ended early and asks for a redelivery; see `code`.",
    "run_skipped": "A delivery found the run finished; nothing was done.",
    "object_ignored": "The object isn't a file to work on; see `reason`.",
    "claim_taken": "An attempt began; `attempts` above 1 means a takeover.",
    "chunk_sent": "A chunk was answered and written down.",
    "request_retry": "A request failed for a passing reason and is sent again.",
    "quota_exhausted": "ALERT. The day's quota of API operations is used up.",
    "preflight_not_permitted": "The account's settings couldn't be read; going on without.",
    "processing_unknown": "What became of requests couldn't be asked; it's asked again later.",
    "announce_failed": "The message about a finished file couldn't be published.",
    "sweep_finished": "A sweep ended: what it found and did.",
    "sweep_failed": "ALERT. A sweep couldn't do its work.",
    "settings_invalid": "ALERT. The environment or a grant is wrong; nothing can run.",
    "unexpected_error": "ALERT. A fault of our own; the delivery is retried.",
}


@dataclass(frozen=True, slots=True)
class Log:
    """A logger that adds the run's id and trace to every line."""

    fields: Mapping[str, Any] = field(default_factory=dict)

    def bind(self, **fields: Any) -> Log:
        """The same log, with more fields on every line."""
        return Log({**self.fields, **fields})

    def info(self, event: str, **fields: Any) -> None:
        """Something that is as it should be."""
        self._write("INFO", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Something that mends itself."""
        self._write("WARNING", event, fields)

    def alert(self, event: str, **fields: Any) -> None:
        """Something that a person must look at; the names of these events are stable."""
        self._write("ERROR", event, fields)

    def unexpected(self, error: Exception) -> None:
        """A fault of our own. Its message may quote a row: only its kind and place are logged."""
        frames = traceback.extract_tb(error.__traceback__)
        self.alert(
            "unexpected_error",
            kind=type(error).__name__,
            at=[f"{each.filename.rsplit('/', 1)[-1]}:{each.lineno} {each.name}" for each in frames],
        )

    def _write(self, severity: str, event: str, fields: Mapping[str, Any]) -> None:
        line = {
            "severity": severity,
            "event": event,
            "message": f"{event}: {EVENTS[event]}",
            **self.fields,
            **fields,
        }
        # One write per line: lines of concurrent threads must not mix.
        sys.stdout.write(json.dumps(line, default=str) + "\n")
        sys.stdout.flush()


def trace_field(header: str | None, project: str | None) -> dict[str, str]:
    """`X-Cloud-Trace-Context` → the field by which Cloud Logging groups lines of a request."""
    if not header or not project:
        return {}
    return {_TRACE_FIELD: f"projects/{project}/traces/{header.split('/')[0]}"}


def quiet_libraries() -> None:
    """Keep the client libraries from logging requests.

    `google.ads.googleads` writes whole failed requests at INFO, and the masking list in its
    `interceptors/helpers.py` omits conversion uploads. Digests are personal data too: the logger
    is turned off for good, whatever a configuration file says of it.
    """
    ads = logging.getLogger("google.ads.googleads")
    ads.setLevel(logging.CRITICAL)
    ads.propagate = False
    ads.addFilter(lambda record: False)
    # Its interceptor writes payloads at DEBUG.
    logging.getLogger("google.ads.datamanager_v1").setLevel(logging.WARNING)
    for name in ("google.api_core", "google.auth", "google.cloud", "urllib3", "grpc"):
        logging.getLogger(name).setLevel(logging.WARNING)
