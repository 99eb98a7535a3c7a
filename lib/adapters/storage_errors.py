"""Errors of Cloud Storage → ours. What is missing is named, so that a person can restore it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import requests.exceptions
from google.api_core import exceptions as api
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from lib.errors import RetryableError

T = TypeVar("T")

_UNREACHABLE = (
    api.GoogleAPICallError,
    api.RetryError,
    requests.exceptions.RequestException,
    TransportError,
    ConnectionError,
    DataCorruption,
)


class Unauthenticated(RetryableError):
    """Storage refuses the credentials of the client."""


def reachable(call: Callable[[], T], needs: str, *, conditional: bool = False) -> T:
    """Make a call. A storage error that outlasts its retries becomes a `RetryableError`.

    Its message contains no response body. `needs` is the permission of the call, and its bucket. A
    `conditional` call may also raise `PreconditionFailed`; for other calls that is a storage error
    too.
    """
    lacking = f"the function's service account lacks {needs}"
    try:
        return call()
    except (api.NotFound, api.RequestRangeNotSatisfiable):
        raise
    except api.PreconditionFailed as error:
        if conditional:
            raise
        raise RetryableError("STORAGE_UNAVAILABLE", type(error).__name__) from None
    except InvalidResponse as error:
        # A resumable upload raises this inner exception of the library.
        if error.response.status_code == 412:
            raise api.PreconditionFailed("") from None  # type: ignore[no-untyped-call]  # has no types
        if error.response.status_code == 404:
            raise api.NotFound("") from None  # type: ignore[no-untyped-call]
        if error.response.status_code == 403:
            raise RetryableError("STORAGE_FORBIDDEN", lacking) from None
        raise RetryableError("STORAGE_UNAVAILABLE", str(error.response.status_code)) from None
    except api.Unauthorized as error:
        raise Unauthenticated("STORAGE_UNAVAILABLE", type(error).__name__) from None
    except api.Forbidden:
        raise RetryableError("STORAGE_FORBIDDEN", lacking) from None
    except _UNREACHABLE as error:
        raise RetryableError("STORAGE_UNAVAILABLE", type(error).__name__) from None
    except GoogleAuthError as error:
        raise Unauthenticated("STORAGE_UNAVAILABLE", type(error).__name__) from None


def needs_permission(operation: str, bucket: str) -> str:
    """Return the permission of an operation, and its bucket, for people."""
    return f"storage.objects.{operation} on the bucket {bucket}"
