"""Errors of Cloud Storage that only a resumable upload raises."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from google.cloud.storage.exceptions import InvalidResponse

from lib.adapters.gcs import UPLOAD_PIECE_BYTES, GoogleStore
from lib.errors import RetryableError


def write_long_document(status: int) -> int | None:
    """Write a document that is too long for one request, which storage answers with `status`."""
    client = MagicMock()
    answer = SimpleNamespace(status_code=status)
    client.bucket().blob().open.side_effect = InvalidResponse(answer)
    pieces = [b"x" * UPLOAD_PIECE_BYTES] * 2
    store = GoogleStore(lambda: client)
    return store.write_stream("out", "a.results.json", pieces, if_generation_match=0)


@pytest.mark.parametrize("status, code", [(403, "STORAGE_FORBIDDEN"), (503, "STORAGE_UNAVAILABLE")])
def test_a_long_document_that_storage_refuses(status: int, code: str) -> None:
    """A lost permission has its own code, and so its alert, as for a short document."""
    with pytest.raises(RetryableError) as refused:
        write_long_document(status)
    assert refused.value.code == code


def test_a_long_document_that_exists() -> None:
    """A precondition that does not hold is no error."""
    assert write_long_document(412) is None
