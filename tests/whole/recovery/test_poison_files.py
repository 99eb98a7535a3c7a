"""A poison file ends with results after few attempts, and a file dropped behind it has results."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.up import Sandbox
from tests.fuzz.workbooks import HOSTILE
from tests.whole.recovery.files import check, finish, make_file

MAX_ATTEMPTS = 5


def test_poison_ends_with_results_and_delays_nobody(
    google: Sandbox, new_name: Callable[..., str]
) -> None:
    """The poison has results after few attempts, and the file behind it is finished as usual. It is
    a workbook, which another process reads: `tests/source` has what the function reads itself."""
    content = HOSTILE["a million brackets in a number format"]()
    name, generation = google.drop(content, new_name().removesuffix(".csv") + ".xlsx")
    file = make_file(new_name(), 20, seed=3).drop(google)
    google.results(file.name, file.generation)
    check(file, finish(google, file), google)
    document = google.results(name, generation)
    # One, unless a busy machine makes an attempt reach the sandbox's short time limit.
    assert document["attempts"] <= MAX_ATTEMPTS
    assert document["file_error"]["code"] == "FILE_TOO_LARGE"
    counts = document["counts"]
    assert counts["rows"] == sum(
        counts[each] for each in counts if each not in ("rows", "warnings")
    )
