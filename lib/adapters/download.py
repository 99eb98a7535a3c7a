"""Objects in Cloud Storage for the command line, with the credentials of the person."""

from __future__ import annotations

from typing import IO

import requests
from google.api_core import exceptions as api
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from lib.adapters.storage import storage_client
from lib.errors import PermanentError, RetryableError


def download(bucket: str, name: str, into: IO[bytes]) -> None:
    """Write the content of the live version of an object. The client compares its checksum.

    Raises `PermanentError` (SOURCE_GONE) if there is none, or `RetryableError`.
    """
    try:
        storage_client().bucket(bucket).blob(name).download_to_file(into)
    except (DefaultCredentialsError, RefreshError) as error:
        what = "your login has expired" if isinstance(error, RefreshError) else "you have no login"
        detail = f"{what}; run: gcloud auth application-default login"
        raise RetryableError("STORAGE_FORBIDDEN", detail) from None
    except api.NotFound:
        raise PermanentError("SOURCE_GONE", "there is no such object") from None
    except api.Forbidden:
        detail = f"your account may not read it; ask for roles/storage.objectViewer on {bucket}"
        raise RetryableError("STORAGE_FORBIDDEN", detail) from None
    except (
        api.GoogleAPIError,
        GoogleAuthError,
        requests.RequestException,
        DataCorruption,
        InvalidResponse,
    ) as error:
        detail = f"Cloud Storage cannot be read ({type(error).__name__}); try again"
        raise RetryableError("STORAGE_UNAVAILABLE", detail) from None
