"""What only REST can do: ask which events of a request have an error, and send calls.

Since v1.9, `ErrorCount.record_indices` names the events of an error, and `Event.call_info` has the
start of a call. The gRPC client library (google-ads-datamanager 0.9.4) does not have these fields.
When a release has them, a test fails: then replace this module by requests on the channel.

https://developers.google.com/data-manager/api/reference/rest/v1/requestStatus/retrieve
https://developers.google.com/data-manager/api/reference/rest/v1/events/ingest
"""

from __future__ import annotations

import re
from typing import Final

import grpc
from google.protobuf.json_format import ParseDict
from google.rpc import error_details_pb2

from lib.destinations.data_manager.failures import Refusal, Violation, violation_of
from lib.destinations.redaction import without_personal_data
from lib.destinations.rest import RestRefused

HOST: Final = "datamanager.googleapis.com"
STATUS_PATH: Final = "/v1/requestStatus:retrieve"
INGEST_PATH: Final = "/v1/events:ingest"

_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")


def read_refusal(refused: RestRefused) -> Refusal:
    """Return why a request by REST was refused permanently."""
    error = refused.error
    name = error.get("status", "")
    status = getattr(grpc.StatusCode, name, grpc.StatusCode.UNKNOWN)
    if status is grpc.StatusCode.UNAUTHENTICATED or refused.code == "CREDENTIALS_REFUSED":
        return Refusal(grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_REFUSED", "")
    violations: list[Violation] = []
    for detail in error.get("details", ()):
        if detail.get("@type", "").endswith(".BadRequest"):
            given = {key: value for key, value in detail.items() if key != "@type"}
            bad = ParseDict(given, error_details_pb2.BadRequest(), ignore_unknown_fields=True)
            for each in bad.field_violations:
                each.field = _CAPITAL.sub(lambda found: f"_{found[0].lower()}", each.field)
                violations.append(violation_of(each))
    code = refused.reason or name or refused.code
    message = "" if violations else without_personal_data(str(error.get("message", "")))
    return Refusal(status, code, message, tuple(violations))
