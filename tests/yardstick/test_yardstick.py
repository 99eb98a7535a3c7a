"""Requests and results documents of the examples are those of the recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from sandbox.apis import Apis
from tests.yardstick.cases import CASES, Example, play
from tests.yardstick.play import Document, running_apis
from tests.yardstick.recording import Recording

_NO_ADDRESS_PARTS: Final = "street, city and region, which no API takes, are columns like any other"
CHANGED: Final = {
    "examples/shopify_orders.csv | google_ads": _NO_ADDRESS_PARTS,
    "examples/shopify_orders.csv | data_manager": _NO_ADDRESS_PARTS,
}
"""Cases that differ from the recording on purpose, and why."""


def _name(example: Example, api: str) -> str:
    return f"examples/{example.name} | {api}"


@pytest.fixture(scope="session")
def apis(ca_directory: Path) -> Iterator[Apis]:
    with running_apis(ca_directory) as running:
        yield running


@pytest.fixture(scope="session")
def recording() -> Recording:
    return Recording()


@pytest.mark.parametrize(("example", "api"), CASES, ids=[_name(*case) for case in CASES])
def test_an_example_has_the_requests_and_results_of_the_recording(
    example: Example, api: str, apis: Apis, recording: Recording
) -> None:
    """By both APIs, with two sweeps."""
    name = _name(example, api)
    difference = recording.difference(name, play(example, api, apis))
    if name in CHANGED:
        assert difference, f"{name} is as it was: remove it from CHANGED"
    else:
        assert not difference, f"{name}\n{difference}"


def test_every_recorded_case_is_compared(recording: Recording) -> None:
    """No case has been left out since the recording, and none was added."""
    assert [_name(*case) for case in CASES] == list(recording.cases)


def test_a_difference_is_shown(apis: Apis, recording: Recording) -> None:
    """The diff names the request or document, and shows what was and what is."""
    example, api = next(case for case in CASES if case[0].name == "zoho_deals.csv")
    played = play(example, api, apis)
    place, upload = next(
        (place, each) for place, each in enumerate(played.requests) if "Upload" in each.method
    )
    body = upload.body.replace(b"Cj0KCQiAexample_Zo01", b"Cj0KCQiAexample_Zo02")
    played.requests[place] = upload._replace(body=body)
    del played.requests[-1]
    name, text = played.documents[0]
    played.documents[0] = Document(name, text.replace('"uploaded":', '"sent":'))
    shown = recording.difference(_name(example, api), played).splitlines()
    assert f"--- base: document 1 {name}" in shown
    assert f"--- base: request {len(played.requests) + 1}, not sent any more" in shown
    changed = {line.strip() for line in shown if line.startswith(("-", "+"))}
    assert '-    "gclid": "Cj0KCQiAexample_Zo01",' in changed
    assert '+    "gclid": "Cj0KCQiAexample_Zo02",' in changed
    assert {'-  "uploaded": 2,', '+  "sent": 2,'} <= changed
