"""Every fault of the Google Ads API, for adjustments and calls: the same invariant holds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import Sandbox
from tests.schedule import EVERY_CALL
from tests.whole.recovery.files import File, check, finish, make_file
from tests.whole.recovery.other_kinds import make_adjustments, make_calls
from tests.whole.recovery.test_faults import API_RULES, KILLS, ROW_RULES, named

STEP = 1 if EVERY_CALL else 3
METHODS = {
    "adjustments": "google_ads.UploadConversionAdjustments",
    "calls": "google_ads.UploadCallConversions",
}
RULES = [*API_RULES, *ROW_RULES, *KILLS]
CALLS = DEFAULT_PROFILES["default"] | {"conversion_action": "1012"}


@pytest.mark.parametrize("kind", METHODS)
def test_each_fault(google: Sandbox, new_name: Iterator[str], kind: str) -> None:
    """After any fault at the first request, every row has its outcome, and Google has it once."""
    for place, rule in itertools.islice(enumerate(RULES), list(METHODS).index(kind), None, STEP):
        google.faults.clear()
        file: File
        if kind == "calls":
            file = make_calls(f"calls/{next(new_name)}", 12, place, 7000 + place)
            google.set_profiles({"calls": CALLS})
        else:
            sold = make_file(next(new_name), 20, seed=place, kinds=("click", "warned"))
            sold.drop(google)
            check(sold, finish(google, sold), google)
            file = make_adjustments(next(new_name), sold, place)
        google.faults.set([{**rule, "method": METHODS[kind], "nth": 1}])
        try:
            file.drop(google)
            check(file, finish(google, file), google)
            assert google.faults.fired()[0]["fired"]
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"after {named(rule)}") from error
        finally:
            google.set_profiles(DEFAULT_PROFILES)
