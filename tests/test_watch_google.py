"""What is new in Google's packages is noticed, and nothing is new today."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lib.destinations.google_ads.api import API_VERSION, SUNSET
from tools import watch_google


def test_nothing_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything in the pinned packages is sent, read, in the catalogue, or listed with a reason.
    (When Google switches our version off soon, that is said.)"""
    assert watch_google.main([]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if " ends on " not in line]
    assert said == []


def test_what_is_listed_with_a_reason_is_not_sent() -> None:
    """A reason for a field that is sent, or that Google does not have, is a mistake."""
    listed = {(name, path) for (name, _), paths in watch_google.NOT_SENT.items() for path in paths}
    assert listed <= watch_google.not_sent()


def test_against_an_older_client_it_names_what_only_rest_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The discovery document is ahead of the pinned client library."""
    watch_google.main(["--all"])
    said = capsys.readouterr().out
    for name in ("Event.callInfo", "ErrorCount.recordIndices", "AdIdentifiers.leadId"):
        assert f"- {name} (" in said


def test_a_new_field_and_a_new_word_are_named() -> None:
    """Also inside of a message."""
    schemas = watch_google.discovery_document()["schemas"]
    schemas["Consent"]["properties"]["newField"] = {"type": "string"}
    schemas["ErrorCount"]["properties"]["reason"]["enum"].append("NEW_REASON")
    found = [n for n in watch_google.beyond_the_client(schemas) if not watch_google.is_known(n)]
    assert found == ["Consent.newField", "ErrorCount.reason: NEW_REASON"]


def test_a_newer_version_and_the_end_of_ours_are_named() -> None:
    """Half a year before Google switches a version off."""
    known = watch_google.installed_versions()
    assert API_VERSION in known
    before = SUNSET - watch_google.SOON
    assert list(watch_google.news_of_google_ads(before, [API_VERSION])) == []
    after = before + timedelta(days=1)
    (said,) = watch_google.news_of_google_ads(after, [API_VERSION])
    assert said == f"Google Ads API {API_VERSION} ends on {SUNSET}"
