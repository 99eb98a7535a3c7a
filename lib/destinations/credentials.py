"""The secret, which is the text of a google-ads.yaml → google-auth credentials for either API.

The file may have what the google-ads library accepts: a client with a refresh token,
`json_key_file_path`, or `use_application_default_credentials`
(https://developers.google.com/google-ads/api/docs/client-libs/python/configuration). In addition,
it may have a `json_key` with a service account's key inside it, or be that key, because a secret
cannot have a second file next to it. It is checked key by key. Messages name keys, never values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple

import google.auth
import yaml
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import Request
from google.oauth2 import service_account
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from lib.errors import PermanentError, RetryableError
from lib.model.account import without_dashes

ADWORDS_SCOPE = "https://www.googleapis.com/auth/adwords"
DATA_MANAGER_SCOPE = "https://www.googleapis.com/auth/datamanager"


class Authorized(NamedTuple):
    """The configuration in the secret, and google-auth credentials with a token."""

    configuration: GoogleAdsYaml
    credentials: Any


def authorize(configuration: GoogleAdsYaml, scope: str) -> Authorized:
    """Return credentials with a new token.

    The token is fetched here because gRPC would later report refused credentials as UNAVAILABLE,
    which looks like a transient error.

    Raises `PermanentError` (SECRET_INVALID, CREDENTIALS_REFUSED), and `RetryableError` when
    Google's token endpoint cannot be reached.
    """
    try:
        credentials = _credentials_of(configuration, [scope])
        credentials.refresh(Request())
    except (TransportError, DefaultCredentialsError) as error:
        # No default credentials: on Google Cloud, the metadata server did not answer.
        raise _unavailable(error) from None
    except GoogleAuthError as error:
        # google-auth reports every error of the metadata server as a refusal, but with its cause.
        if getattr(error, "retryable", False) or isinstance(error.__cause__, TransportError):
            raise _unavailable(error) from None
        raise PermanentError("CREDENTIALS_REFUSED", type(error).__name__) from None
    except (ValueError, OSError) as error:
        # The message can quote the secret, so only its type is reported. The YAML is valid, so a
        # service account's key is wrong.
        detail = f"the key of the service account cannot be used ({type(error).__name__})"
        raise PermanentError("SECRET_INVALID", detail) from None
    return Authorized(configuration, credentials)


def _unavailable(error: Exception) -> RetryableError:
    return RetryableError("API_UNAVAILABLE", f"token service: {type(error).__name__}")


def _credentials_of(configuration: GoogleAdsYaml, scopes: list[str]) -> Any:
    """Return the credentials of the secret, without a token: those of the machine, of a service
    account, or of a client with a refresh token."""
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


_CLIENT: Final = ("client_id", "client_secret", "refresh_token")

_WORDS: Final[Mapping[str, str]] = {
    "string_type": "must be one text",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_pattern_mismatch": "must be the ten digits of a Google Ads account",
    "value_error": "{error}",
    "model_type": "must be lines of the form key: value",
}


def _key_of(value: object) -> object:
    """Return the key of a service account, which may also be JSON in a string."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict) or "private_key" not in value:
        raise ValueError("must be the JSON key of a service account, with its private_key")
    return value


AccountOfSecret = Annotated[str, BeforeValidator(without_dashes), Field(pattern=r"^(\d{10})?$")]
ServiceAccountKey = Annotated[dict[str, Any], BeforeValidator(_key_of)]


class GoogleAdsYaml(BaseModel):
    """The keys of a google-ads.yaml that this function uses. It ignores all others."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    developer_token: str = ""
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"
    json_key: ServiceAccountKey | None = None
    json_key_file_path: str = ""
    impersonated_email: str | None = None
    use_application_default_credentials: bool = False
    login_customer_id: AccountOfSecret = ""
    linked_customer_id: AccountOfSecret = ""
    endpoint: str = ""

    @property
    def ads_headers(self) -> dict[str, str]:
        """What goes with each request to the Google Ads API, beside the manager account."""
        headers = {
            "developer-token": self.developer_token,
            "linked-customer-id": self.linked_customer_id,
        }
        return {name: value for name, value in headers.items() if value}

    @model_validator(mode="before")
    @classmethod
    def _the_key_alone(cls, values: object) -> object:
        if isinstance(values, dict) and values.get("type") == "service_account":
            return {"json_key": values}
        return values

    @model_validator(mode="after")
    def _has_credentials(self) -> GoogleAdsYaml:
        missing = [name for name in _CLIENT if not getattr(self, name)]
        others = self.json_key or self.json_key_file_path
        if missing and not (others or self.use_application_default_credentials):
            given = "use_application_default_credentials: true, json_key, or all of"
            raise ValueError(f"needs {given} {', '.join(_CLIENT)}; missing: {', '.join(missing)}")
        return self


def read_secret(text: str) -> GoogleAdsYaml:
    """Return the checked configuration.

    Raises `PermanentError` (SECRET_INVALID), whose detail has every wrong key.
    """
    try:
        # All values as text: nobody means an octal number with `developer_token: 01234567`.
        values = yaml.load(text, yaml.BaseLoader)
        return GoogleAdsYaml.model_validate(values)
    except yaml.YAMLError as error:
        # The error's own message quotes the secret.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise PermanentError("SECRET_INVALID", f"it is not valid YAML{where}") from None
    except ValidationError as error:
        raise PermanentError("SECRET_INVALID", "; ".join(_lines(error))) from None
    except (ValueError, OverflowError, RecursionError):
        raise PermanentError("SECRET_INVALID", "it is not valid YAML") from None


def _lines(error: ValidationError) -> list[str]:
    """Return a line for each wrong key: the key, and what is wrong with its value."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        words = _WORDS.get(problem["type"], "is not valid")
        said = words.format(error=problem.get("ctx", {}).get("error", ""))
        key = problem["loc"][0] if problem["loc"] else "it"
        lines.append(f"{key} {said}")
    return lines
