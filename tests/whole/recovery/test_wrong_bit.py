"""One bit of a file is wrong on its way from Cloud Storage: no wrong value stays unnoticed."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.up import INPUT_BUCKET, Sandbox
from tests.whole.recovery.files import finish, make_file


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
