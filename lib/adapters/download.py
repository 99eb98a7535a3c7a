"""Objects in Cloud Storage for the command line, with the credentials of the person."""

from __future__ import annotations

from typing import IO

from google.api_core import exceptions as api
from google.auth.exceptions import DefaultCredentialsError

from lib.adapters.storage import storage_client
from lib.errors import PermanentError, RetryableError


def download(bucket: str, name: str, into: IO[bytes]) -> None:
    """Write the content of the live version of an object. The client compares its checksum.

    Raises `PermanentError` (SOURCE_GONE) if there is none, or `RetryableError`.
    """
    try:
        storage_client().bucket(bucket).blob(name).download_to_file(into)
    except DefaultCredentialsError:
        detail = "there are no credentials; run: gcloud auth application-default login"
        raise RetryableError("STORAGE_FORBIDDEN", detail) from None
    except api.NotFound:
        raise PermanentError("SOURCE_GONE", "there is no such object") from None
    except api.Forbidden:
        detail = f"your account may not read it; ask for roles/storage.objectViewer on {bucket}"
        raise RetryableError("STORAGE_FORBIDDEN", detail) from None
    except api.GoogleAPICallError as error:
        raise RetryableError("STORAGE_UNAVAILABLE", type(error).__name__) from None
