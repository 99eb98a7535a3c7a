"""google-auth credentials from the text of a google-ads.yaml, for the scope of either API.

The file may have what the google-ads library accepts: a client with a refresh token,
`json_key_file_path`, or `use_application_default_credentials`
(https://developers.google.com/google-ads/api/docs/client-libs/python/configuration). In addition,
it may have a `json_key` with a service account's key inside it, or be that key, because a secret
cannot have a second file next to it.
"""

from __future__ import annotations

from typing import Any

import google.auth
import yaml
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import Request
from google.oauth2 import credentials, service_account

from lib.errors import PermanentError, RetryableError

ADWORDS_SCOPE = "https://www.googleapis.com/auth/adwords"
DATA_MANAGER_SCOPE = "https://www.googleapis.com/auth/datamanager"
TOKEN_URI = "https://oauth2.googleapis.com/token"


def connect_with(text: str, scope: str) -> tuple[dict[str, Any], Any]:
    """Return the configuration, and credentials with a new token.

    The token is fetched here because gRPC would later report refused credentials as UNAVAILABLE,
    which looks like a transient error.

    Raises `PermanentError` (SECRET_INVALID, CREDENTIALS_REFUSED), and `RetryableError` when
    Google's token endpoint cannot be reached.
    """
    try:
        configuration = yaml.safe_load(text)
        if not isinstance(configuration, dict):
            raise ValueError("not a YAML mapping")
        found = _credentials_of(configuration, [scope])
        found.refresh(Request())
    except (TransportError, DefaultCredentialsError) as error:
        # No default credentials: on Google Cloud, the metadata server did not answer.
        raise RetryableError("CREDENTIALS_UNAVAILABLE", type(error).__name__) from None
    except GoogleAuthError as error:
        # google-auth reports every error of the metadata server as a refusal, but with its cause.
        if getattr(error, "retryable", False) or isinstance(error.__cause__, TransportError):
            raise RetryableError("CREDENTIALS_UNAVAILABLE", type(error).__name__) from None
        raise PermanentError("CREDENTIALS_REFUSED", type(error).__name__) from None
    except (ValueError, KeyError, OSError, yaml.YAMLError) as error:
        # The message of a YAML or JSON error quotes the secret, so only its type is reported.
        raise PermanentError("SECRET_INVALID", type(error).__name__) from None
    return configuration, found


def _credentials_of(configuration: dict[str, Any], scopes: list[str]) -> Any:
    if configuration.get("use_application_default_credentials"):
        return google.auth.default(scopes=scopes)[0]
    service: Any = service_account.Credentials
    subject = configuration.get("impersonated_email")
    key = configuration.get("json_key")
    if configuration.get("type") == "service_account":
        key = configuration
    if isinstance(key, str):
        key = yaml.safe_load(key)
    if key is not None:
        return service.from_service_account_info(key, scopes=scopes, subject=subject)
    if "json_key_file_path" in configuration:
        path = configuration["json_key_file_path"]
        return service.from_service_account_file(path, scopes=scopes, subject=subject)
    return credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth has no types
        None,
        client_id=configuration["client_id"],
        client_secret=configuration["client_secret"],
        refresh_token=configuration["refresh_token"],
        token_uri=configuration.get("token_uri", TOKEN_URI),
    )
