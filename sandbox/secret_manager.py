"""Secret Manager: `AccessSecretVersion`, for the secrets in the state.

Every caller may read them: the sandbox does not simulate IAM.
"""

from __future__ import annotations

import re
from typing import Any

import google_crc32c
import grpc
from google.cloud.secretmanager_v1.types import service as types

from sandbox.rpc import Call, Refusal, Service
from sandbox.state import State

_Request: Any = types.AccessSecretVersionRequest.pb()
_Response: Any = types.AccessSecretVersionResponse.pb()
_NAME = re.compile(r"(projects/[^/]+/secrets/[^/]+)/versions/([^/]+)").fullmatch


def secret_manager_service(state: State) -> Service:
    def access(body: bytes, call: Call) -> bytes:
        name = _Request.FromString(body).name
        match = _NAME(name)
        if match is None:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"The name [{name}] is not valid.")
        secret, version = match[1], match[2]
        versions = state.secrets.get(secret)
        number = len(versions or ()) if version == "latest" else -1
        if version.isdigit():
            number = int(version)
        if versions is None or not 1 <= number <= len(versions):
            text = f"Secret [{secret}] not found or has no versions."
            if versions is not None:
                text = f"Secret Version [{name}] not found."
            raise Refusal(grpc.StatusCode.NOT_FOUND, text)
        response = _Response(name=f"{secret}/versions/{number}")
        response.payload.data = versions[number - 1]
        response.payload.data_crc32c = google_crc32c.value(versions[number - 1])
        serialized: bytes = response.SerializeToString()
        return serialized

    return Service(
        "google.cloud.secretmanager.v1.SecretManagerService",
        "secret_manager",
        {"AccessSecretVersion": access},
    )
