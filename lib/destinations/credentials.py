"""google-auth credentials from the secret, for the scope of either API."""

from __future__ import annotations

from typing import Any

import google.auth
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from lib.destinations.secret import GoogleAdsYaml, read_secret
from lib.errors import PermanentError, RetryableError

ADWORDS_SCOPE = "https://www.googleapis.com/auth/adwords"
DATA_MANAGER_SCOPE = "https://www.googleapis.com/auth/datamanager"


def connect_with(text: str, scope: str) -> tuple[GoogleAdsYaml, Any]:
    """Return the configuration, and credentials with a new token.

    The token is fetched here because gRPC would later report refused credentials as UNAVAILABLE,
    which looks like a transient error.

    Raises `PermanentError` (SECRET_INVALID, CREDENTIALS_REFUSED), and `RetryableError` when
    Google's token endpoint cannot be reached.
    """
    configuration = read_secret(text)
    try:
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
    except (ValueError, OSError) as error:
        # The message can quote the secret, so only its type is reported. The YAML is valid, so a
        # service account's key is wrong.
        detail = f"the key of the service account cannot be used ({type(error).__name__})"
        raise PermanentError("SECRET_INVALID", detail) from None
    return configuration, found


def _credentials_of(configuration: GoogleAdsYaml, scopes: list[str]) -> Any:
    if configuration.use_application_default_credentials:
        return google.auth.default(scopes=scopes)[0]
    service: Any = service_account.Credentials
    subject = configuration.impersonated_email
    if configuration.json_key is not None:
        key = configuration.json_key
        return service.from_service_account_info(key, scopes=scopes, subject=subject)
    if path := configuration.json_key_file_path:
        return service.from_service_account_file(path, scopes=scopes, subject=subject)
    from google.oauth2 import credentials  # only a refresh token needs its time to import

    return credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth has no types
        None,
        client_id=configuration.client_id,
        client_secret=configuration.client_secret,
        refresh_token=configuration.refresh_token,
        token_uri=configuration.token_uri,
    )
