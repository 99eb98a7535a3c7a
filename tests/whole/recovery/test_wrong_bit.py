"""One bit of a file is wrong on its way from Cloud Storage: no wrong value stays unnoticed."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.up import INPUT_BUCKET, Sandbox
from tests.whole.recovery.files import finish, make_file

MANY_ROWS = 4_000
"""More than `CHECKED_FIRST_BYTES` of the function in function/main.py."""


def flipped(google: Sandbox, name: str, at: int) -> None:
    target = f"{INPUT_BUCKET}/{name}"
    kind = {"kind": "flip_bit_at_byte", "flip_bit_at_byte": at}
    google.faults.set([{"method": "get", "target": target, **kind}])


def test_nothing_of_a_small_file_is_sent(google: Sandbox, new_name: Callable[..., str]) -> None:
    """The file stops with an error of its own, and its next upload is finished."""
    file = make_file(new_name(), 50, seed=1)
    flipped(google, file.name, 900)
    before = len(google.state.accepted)
    document = finish(google, file.drop(google))
    assert document["status"] == "stopped"
    assert document["file_error"]["code"] == "CHECKSUM_MISMATCH"
    assert "no chunk was sent" in document["file_error"]["detail"]
    assert len(google.state.accepted) == before
    google.faults.clear()
    assert finish(google, make_file(new_name(), 50, seed=1).drop(google))["counts"]["uploaded"]


def test_the_chunks_of_a_large_file_that_were_sent_are_named(
    google: Sandbox, new_name: Callable[..., str]
) -> None:
    """The last chunk is not sent, and the document says which chunks may be wrong."""
    file = make_file(new_name(), MANY_ROWS, seed=1)
    flipped(google, file.name, 900)
    document = finish(google, file.drop(google))
    counts = document["counts"]
    assert document["file_error"]["code"] == "CHECKSUM_MISMATCH"
    assert "chunks sent before: 0 to " in document["file_error"]["detail"]
    assert f"({counts['uploaded']:,} rows uploaded)" in document["file_error"]["detail"]
    assert 0 < counts["uploaded"] < MANY_ROWS
    assert counts["not_attempted"] > 0
