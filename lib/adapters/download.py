"""Objects in Cloud Storage for the command line, with the credentials of the person."""

from __future__ import annotations

from typing import IO

from google.auth.exceptions import DefaultCredentialsError

from lib.adapters.storage import connect
from lib.errors import PermanentError, RetryableError


def download(bucket: str, name: str, into: IO[bytes]) -> None:
    """Write the content of the live version of an object.

    Raises `PermanentError` (SOURCE_GONE) if there is none, or `RetryableError`.
    """
    try:
        store = connect()
    except DefaultCredentialsError:
        detail = "there are no credentials; run: gcloud auth application-default login"
        raise RetryableError("STORAGE_FORBIDDEN", detail) from None
    try:
        found = store.find_live(bucket, name)
        if found is None:
            raise PermanentError("SOURCE_GONE", "there is no such object")
        stream = store.open(found)
        while block := stream.read(1 << 20):
            into.write(block)
    except RetryableError as error:
        if error.code != "STORAGE_FORBIDDEN":
            raise
        # The adapter's own words name the function, which is not here.
        detail = f"your account may not read it; ask for roles/storage.objectViewer on {bucket}"
        raise RetryableError(error.code, detail) from None
