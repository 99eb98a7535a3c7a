"""Queries: the messages that are declared for them, and what they return."""

from __future__ import annotations

from typing import Any

import pytest

from lib.destinations.google_ads import account as queries
from lib.destinations.google_ads.account import CUSTOM_VARIABLE_QUERY, RESOURCES, search
from lib.destinations.google_ads.api import module
from lib.destinations.google_ads.lookup import ACTION_QUERY, CUSTOMER_QUERY

_TYPES = module("services.types.google_ads_service")
Request = _TYPES.SearchGoogleAdsRequest.pb()
Response = _TYPES.SearchGoogleAdsResponse.pb()
GoogleAdsRow = _TYPES.GoogleAdsRow.pb()


@pytest.mark.parametrize(
    ("ours", "original"),
    [
        (queries.SearchRequest, Request),
        (queries.SearchResponse, Response),
        (queries.GoogleAdsRow, GoogleAdsRow),
    ],
)
def test_the_declared_fields_are_those_of_the_library(ours: Any, original: Any) -> None:
    """A new version of the API with other field numbers fails here."""
    for field in ours.DESCRIPTOR.fields:
        other = original.DESCRIPTOR.fields_by_name[field.name]
        is_message = other.message_type is not None
        assert (field.number, field.is_repeated) == (other.number, other.is_repeated)
        assert field.type == (field.TYPE_BYTES if is_message else other.type)


def test_the_rows_of_all_pages() -> None:
    """Each page is asked for with the token of the page before it."""
    pages = {
        "": Response(next_page_token="2"),  # a page may be empty
        "2": Response(next_page_token="3"),
        "3": Response(),
    }
    for page, number in (("2", 1001), ("2", 1002), ("3", 1003)):
        pages[page].results.add().conversion_action.id = number
    asked = []

    def call(request: bytes) -> bytes:
        asked.append(Request.FromString(request))
        return bytes(pages[asked[-1].page_token].SerializeToString())

    found = [action.id for action in search("1234567890", ACTION_QUERY, call)]
    assert found == [1001, 1002, 1003]
    assert {(each.customer_id, each.query) for each in asked} == {("1234567890", ACTION_QUERY)}


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_resource_can_be_read(resource: str) -> None:
    """Its class is found by its name, and gives what Google has put into the row."""
    row = GoogleAdsRow()
    getattr(row, resource).resource_name = "customers/1/x/1"
    answer = Response(results=[row])
    (found,) = search("1", f"SELECT x FROM {resource}", lambda _: answer.SerializeToString())
    assert found == getattr(row, resource)


@pytest.mark.parametrize("query", [CUSTOMER_QUERY, ACTION_QUERY, CUSTOM_VARIABLE_QUERY])
def test_a_query_selects_only_fields_of_its_resource(query: str) -> None:
    """What it selects from another resource would not be read."""
    fields, _, rest = query.removeprefix("SELECT ").partition(" FROM ")
    resource = rest.split()[0]
    assert resource in RESOURCES
    assert {field.split(".")[0] for field in fields.split(", ")} == {resource}
