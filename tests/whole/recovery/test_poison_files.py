"""Poison files end with results after few attempts, and a file dropped behind each has results."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest

from sandbox.up import Sandbox
from tests.fuzz.workbooks import HOSTILE
from tests.whole.recovery.files import check, finish, make_file

HEAD = b"gclid,conversion_date_time,order_id\n"
MIB = 1 << 20
MAX_ATTEMPTS = 5


def packed(piece: bytes, times: int) -> bytes:
    """Compress a header, and `piece` a number of times, as one gzip member."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(HEAD), *(packer.compress(piece) for _ in range(times))]
    return b"".join([*parts, packer.flush()])


POISON: dict[str, Callable[[], tuple[bytes, str, str]]] = {
    "one endless line": lambda: (packed(b"x" * MIB, 64), ".csv.gz", ""),
    "a workbook": lambda: (
        HOSTILE["a million brackets in a number format"](),
        ".xlsx",
        "FILE_TOO_LARGE",
    ),
}
"""One that is read here, and one that another process reads. `tests/source` has the others."""


@pytest.mark.parametrize("kind", POISON)
def test_poison_ends_with_results_and_delays_nobody(
    google: Sandbox, new_name: Callable[..., str], kind: str
) -> None:
    """The poison has results after few attempts, and the file behind it is finished as usual."""
    content, suffix, code = POISON[kind]()
    name, generation = google.drop(content, new_name().removesuffix(".csv") + suffix)
    file = make_file(new_name(), 20, seed=3).drop(google)
    google.results(file.name, file.generation)
    check(file, finish(google, file), google)
    document = google.results(name, generation)
    # One, unless a busy machine makes an attempt reach the sandbox's short time limit.
    assert document["attempts"] <= MAX_ATTEMPTS
    error = document["file_error"]
    assert (error["code"] if error else "") == code
    counts = document["counts"]
    assert counts["rows"] == sum(
        counts[each] for each in counts if each not in ("rows", "warnings")
    )
