"""The secret with the credentials, read for each new connection (`lib.destinations.connections`).

The payload is a `google-ads.yaml` in the format of the google-ads library
(https://developers.google.com/google-ads/api/docs/client-libs/python/configuration). It may also
have a `json_key`, or be the JSON key of a service account (`lib.destinations.credentials`).
"""

from __future__ import annotations

from pathlib import Path

from google.api_core import exceptions as api
from google.api_core.client_options import ClientOptions
from google.cloud import secretmanager

from lib.config.settings import Settings
from lib.errors import PermanentError, RetryableError

_TIMEOUT_SECONDS = 20.0


def read_credentials(settings: Settings) -> str:
    """Return the text of the secret.

    Raises `PermanentError` (SECRET_NOT_FOUND, SECRET_NOT_READABLE, SECRET_INVALID)
    when a person must act, and `RetryableError` when Secret Manager cannot be reached now.
    """
    if settings.credentials_secret:
        return _from_secret_manager(settings.credentials_secret, settings)
    if settings.credentials_path:
        return _from_file(settings.credentials_path)
    raise PermanentError(
        "SECRET_NOT_FOUND",
        "neither GOOGLE_ADS_SECRET nor GOOGLE_ADS_CONFIGURATION_FILE_PATH is set",
    )


def _from_file(path: str) -> str:
    try:
        return _text(Path(path).read_bytes(), path)
    except OSError as error:
        raise PermanentError("SECRET_NOT_READABLE", f"{path}: {error.strerror}") from None


def _from_secret_manager(name: str, settings: Settings) -> str:
    """Return the text of a secret: of its version, if the name has one, else of the newest one."""
    if "/versions/" not in name:
        name += "/versions/latest"
    options = None
    if settings.secret_manager_endpoint:
        options = ClientOptions(api_endpoint=settings.secret_manager_endpoint)

    def access() -> bytes:
        # A new client each time: with new credentials, over a new connection.
        with secretmanager.SecretManagerServiceClient(client_options=options) as client:
            answer = client.access_secret_version(name=name, timeout=_TIMEOUT_SECONDS)
        return bytes(answer.payload.data)

    try:
        try:
            payload = access()
        except api.Unauthenticated:  # its token may have expired meanwhile
            payload = access()
    except (api.NotFound, api.FailedPrecondition):
        # FAILED_PRECONDITION: the version is disabled or destroyed.
        raise PermanentError("SECRET_NOT_FOUND", name) from None
    except (api.PermissionDenied, api.Unauthenticated):
        raise PermanentError("SECRET_NOT_READABLE", name) from None
    except (api.GoogleAPICallError, api.RetryError) as error:
        raise RetryableError("API_UNAVAILABLE", f"Secret Manager: {type(error).__name__}") from None
    return _text(payload, name)


def _text(payload: bytes, name: str) -> str:
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        raise PermanentError("SECRET_INVALID", f"{name}: not UTF-8 text") from None
