"""Fast-fail by row: every row gets the right outcome, in a bounded number of requests."""

from __future__ import annotations

import math
from typing import Any

import pytest
from data_manager_setup import conversion, numbered, route
from google.ads import datamanager_v1
from hypothesis import given
from hypothesis import strategies as st

from lib.destinations import channels
from lib.destinations.data_manager.answers import field_warnings
from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.destinations.data_manager.event_request import EventRequest
from lib.destinations.data_manager.failures import Refusal, Violation
from lib.destinations.data_manager.upload import MAX_RESENDS, EventUpload
from lib.model.personal_data import without_personal_data
from sandbox.apis import Apis
from tests.destinations.sending import send

Request: Any = datamanager_v1.IngestEventsRequest.pb()
Response: Any = datamanager_v1.IngestEventsResponse.pb()
SIZE = CAPABILITIES.max_request_rows


def taken(apis: Apis) -> set[str]:
    """Return the transaction IDs that the API counts."""
    return {each["conversion"]["transaction_id"] for each in apis.state.conversions()}


def requests_made(apis: Apis) -> int:
    return sum(each.method == "data_manager.IngestEvents" for each in apis.state.requests)


@pytest.mark.parametrize("path", ["events.events", "events"])
@pytest.mark.parametrize("bad_count", [1, 37, SIZE - 1])
def test_named_rows_fail_and_the_rest_is_sent_again_immediately(
    apis: Apis, bad_count: int, path: str
) -> None:
    """Two requests settle a full chunk with any number of bad ones, in both path styles."""
    apis.state.data_manager.event_path = path
    bad = set(range(0, SIZE, SIZE // bad_count))
    bad = set(sorted(bad)[:bad_count]) if bad_count < SIZE // 2 else set(range(1, SIZE))
    assert len(bad) == bad_count
    sent = send(
        route(apis),
        *(numbered(n, currency_code="QQ" if n in bad else "USD") for n in range(SIZE)),
    )
    assert sent.row_results.keys() == bad
    for row_result in sent.row_results.values():
        assert row_result.outcome == "failed"
        assert [(p.code, p.field) for p in row_result.errors] == [
            ("INVALID_CURRENCY_CODE", "currency_code")
        ]
    assert taken(apis) == {f"A-{n}" for n in range(SIZE) if n not in bad}
    assert requests_made(apis) == 2
    assert len(sent.request_ids) == 1
    assert sent.stop is None


def test_a_row_refused_without_a_name_is_found_by_halving(apis: Apis) -> None:
    """The number of requests grows with the logarithm of the number of rows."""
    rows = [numbered(n) for n in range(SIZE)]
    bad = SIZE * 3 // 5
    rows[bad] = conversion(order_id="refuse-unnamed-1")
    sent = send(route(apis), *rows)
    assert sent.row_results.keys() == {bad}
    assert sent.row_results[bad].outcome == "failed"
    assert sent.row_results[bad].errors[0].code == "INVALID_ARGUMENT"
    assert len(taken(apis)) == SIZE - 1
    assert requests_made(apis) <= 1 + 2 * math.ceil(math.log2(SIZE))


def test_named_and_unnamed_rows_in_one_chunk_are_all_found(apis: Apis) -> None:
    """With many named and one unnamed bad row, these fail and all others are accepted."""
    named = set(range(0, SIZE, 55))
    rows = [numbered(n, currency_code="QQ" if n in named else "USD") for n in range(SIZE)]
    rows[SIZE - 1] = conversion(order_id="refuse-unnamed-1")
    sent = send(route(apis), *rows)
    assert sent.row_results.keys() == named | {SIZE - 1}
    assert len(taken(apis)) == SIZE - len(named) - 1
    assert requests_made(apis) <= 2 + 2 * math.ceil(math.log2(SIZE))


def test_more_unnamed_rows_than_the_budget_finds_are_deferred(apis: Apis) -> None:
    """If every other row is bad and unnamed, the request budget holds, and no row is lost."""
    sent = send(
        route(apis),
        *(
            conversion(order_id=f"refuse-unnamed-{n}") if n % 2 else numbered(n)
            for n in range(SIZE)
        ),
    )
    assert requests_made(apis) == 1 + MAX_RESENDS
    outcomes = {row_result.outcome for row_result in sent.row_results.values()}
    assert outcomes == {"deferred"}
    assert len(sent.row_results) + len(taken(apis)) == SIZE
    assert {p.code for v in sent.row_results.values() for p in v.errors} == {"REFUSAL_NOT_LOCATED"}


def test_field_warnings_become_row_warnings(apis: Apis) -> None:
    """A row that Google accepts with a warning is uploaded, with Google's reason."""
    warned = conversion(
        gclid="EAIaIQobChMI_example-0002",
        optional_fields={"custom_variables": (("campaign_code", "spring"),)},
    )
    sent = send(route(apis), conversion(), warned)
    assert sent.row_results.keys() == {1}
    row_result = sent.row_results[1]
    assert row_result.outcome == "uploaded"
    assert row_result.errors == ()
    assert row_result.warnings[0].code == "WARNING_REASON_CUSTOM_VARIABLE_NOT_ENABLED"
    assert row_result.warnings[0].detail


def test_a_request_whose_refusal_has_no_details_is_halved(
    apis: Apis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If gRPC drops details that are too large, smaller requests are sent; no quota is assumed."""
    monkeypatch.setattr(channels, "MAX_TRAILER_BYTES", 16_384)
    sent = send(
        route(apis),
        *(numbered(n, currency_code="USD" if n % 4 else "QQ") for n in range(1_000)),
    )
    assert sent.row_results.keys() == set(range(0, 1_000, 4))
    assert {v.errors[0].code for v in sent.row_results.values()} == {"INVALID_CURRENCY_CODE"}
    assert len(taken(apis)) == 750


def test_googles_message_is_left_out_if_it_quotes_the_row() -> None:
    """A description that contains a value of the event is left out of the results."""
    request = _request(1)
    request.events[0].user_data.user_identifiers.add().address.postal_code = "SW1A 1AA"
    quoting = Violation(0, None, "events[0].user_data", "INVALID_POSTAL_CODE", "Not: SW1A 1AA.")
    assert quoting.problem(request.events[0], "conversion").detail == ""
    plain = quoting._replace(message="The postal code is not valid.")
    assert plain.problem(request.events[0], "conversion").detail == "The postal code is not valid."


def test_a_warning_about_all_rows_quotes_none_of_them() -> None:
    """It is written to every row, so it contains no value of any row."""
    request = _request(2)
    request.events[1].transaction_id = "order-A-77"
    response = Response(request_id="r-1")
    response.field_warnings.add(description="order-A-77 has too many parts.")
    warned = field_warnings(response, request)
    assert {place: each.warnings[0].detail for place, each in warned.items()} == {0: "", 1: ""}


def test_one_bad_destination_of_several_fails_only_its_own_rows(apis: Apis) -> None:
    """Rows for a removed action fail, and rows for another action of the request are accepted."""
    rows = [numbered(n, action_id="1003" if n % 2 else "1001") for n in range(10)]
    sent = send(route(apis), *rows)
    assert sent.row_results.keys() == set(range(1, 10, 2))
    assert {v.errors[0].code for v in sent.row_results.values()} == {"INVALID_CONVERSION_ACTION_ID"}
    assert {v.outcome for v in sent.row_results.values()} == {"failed"}
    assert taken(apis) == {f"A-{n}" for n in range(0, 10, 2)}
    assert requests_made(apis) == 2
    assert sent.stop is None


def test_an_action_created_too_recently_defers_its_rows(apis: Apis) -> None:
    """After Google's CONVERSION_ACTION_TOO_RECENTLY_CREATED, the rows are deferred, not failed."""
    sent = send(route(apis), *(numbered(n, action_id="1005") for n in range(3)))
    assert {v.outcome for v in sent.row_results.values()} == {"deferred"}
    assert len(sent.row_results) == 3
    assert sent.stop is None


def _request(size: int) -> EventRequest:
    request = Request(encoding=1)
    request.destinations.add(reference="1001", product_destination_id="1001")
    for number in range(size):
        request.events.add(transaction_id=f"A-{number}", destination_references=["1001"])
    return EventRequest("conversion", request.SerializeToString(), range(size))


class _Google:
    """Refuse bad events; name at most `names_at_once` of the `named`, none of the `unnamed`."""

    def __init__(self, named: set[str], unnamed: set[str], names_at_once: int) -> None:
        self.named, self.unnamed, self.names_at_once = named, unnamed, names_at_once
        self.taken: list[str] = []
        self.requests = 0

    def __call__(self, request: Any) -> Any:
        self.requests += 1
        ids = [event.transaction_id for event in request.events]
        violations = tuple(
            Violation(row, None, f"events.events[{row}].currency", "INVALID_CURRENCY_CODE", "")
            for row, each in enumerate(ids)
            if each in self.named
        )[: self.names_at_once]
        if violations or self.unnamed.intersection(ids):
            return Refusal("INVALID_ARGUMENT", "INVALID_ARGUMENT", "", violations)
        self.taken += ids
        return Response(request_id=str(self.requests))


@given(
    size=st.integers(1, 200),
    named=st.sets(st.integers(0, 199)),
    unnamed=st.sets(st.integers(0, 199), max_size=8),
    names_at_once=st.sampled_from([1, 20, 1_000]),
    budget=st.sampled_from([0, 5, MAX_RESENDS]),
)
def test_every_row_has_one_outcome_for_any_refusal(
    size: int, named: set[int], unnamed: set[int], names_at_once: int, budget: int
) -> None:
    """No row is lost or accepted twice, and only bad rows fail, in a bounded number of requests."""
    named = {n for n in named if n < size}
    unnamed = {n for n in unnamed if n < size} - named
    google = _Google({f"A-{n}" for n in named}, {f"A-{n}" for n in unnamed}, names_at_once)
    result = EventUpload(google, budget)
    result.send(_request(size))
    deferred = {n for n, v in result.row_results.items() if v.outcome == "deferred"}
    failed = {n for n, v in result.row_results.items() if v.outcome == "failed"}
    taken_rows = [int(each[2:]) for each in google.taken]
    assert sorted(taken_rows + list(failed) + list(deferred)) == list(range(size))
    assert failed <= named | unnamed
    assert not (named | unnamed) & set(taken_rows)
    assert google.requests <= 1 + budget
    rounds = math.ceil(len(named) / names_at_once)
    enough = 1 + rounds + 2 * len(unnamed) * max(1, math.ceil(math.log2(size)))
    # If Google names only a few rows at a time, every half needs further requests.
    if names_at_once == 1_000:
        assert google.requests <= enough + 2 * len(unnamed)
    if not deferred:
        assert failed == named | unnamed
    else:
        assert google.requests == 1 + budget


def test_a_part_keeps_only_the_destinations_that_its_events_use() -> None:
    """A part of a request contains no destination without an event, and all else of the whole."""
    whole = _request(2).message
    whole.consent.ad_user_data = 1
    whole.destinations.add(reference="1002", product_destination_id="1002")
    whole.events.add(transaction_id="B", destination_references=["1002"])
    part = EventRequest("conversion", whole.SerializeToString(), range(3)).subset([2])
    assert [each.reference for each in part.message.destinations] == ["1002"]
    assert [each.transaction_id for each in part.events] == ["B"]
    assert (part.message.encoding, part.message.consent) == (1, whole.consent)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The account cannot use this feature.", "The account cannot use this feature."),
        ("ada@example.com of 555-010-0199 is unknown.", "[email] of [number] is unknown."),
        ("The click EAIaIQobChMI_example-000001 is unknown.", ""),
    ],
)
@pytest.mark.parametrize("named", ["destinations[0]", "consent", ""])
def test_a_message_about_the_request_quotes_no_row(said: str, shown: str, named: str) -> None:
    """Whether Google names a field of the request or not, no person and no event is shown."""
    code = "PERMISSION_DENIED" if not named else "DESTINATION_ACCOUNT_NOT_ENABLED"
    destination = 0 if named == "destinations[0]" else None
    violations = (Violation(None, destination, named, code, said),) if named else ()
    refused = Refusal(
        "INVALID_ARGUMENT" if named else "PERMISSION_DENIED",
        code,
        without_personal_data(said),
        violations,
    )
    request = Request()
    request.destinations.add().reference = "1"
    request.events.add().ad_identifiers.gclid = "EAIaIQobChMI_example-000001"
    made = EventRequest("conversion", request.SerializeToString(), range(1))
    stop = EventUpload(lambda part: refused).send(made)
    assert stop is not None
    assert (stop.code, stop.detail) == (code, shown)
