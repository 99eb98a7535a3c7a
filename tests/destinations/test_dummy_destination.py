"""Another API needs one folder and one line of the registry, and nothing else of lib."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lib.destinations import registry
from lib.destinations.instance import Destinations
from lib.run.context import RunContext
from lib.run.deliver import deliver
from lib.sweep.sweep import sweep_once
from tests.destinations.dummy import connector
from tests.destinations.dummy.capabilities import CAPABILITIES
from tests.fakes import START, World, world
from tests.results_schema import check_results

COLUMNS = (
    "gclid,email,phone,conversion_date_time,conversion_value,order_id,user_ip_address,"
    "customer_type,merchant_id,items,custom_variable.Plan"
)
SECRET = "use_application_default_credentials: true\ndeveloper_token: dummy"


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose default profile names the dummy API."""
    monkeypatch.setitem(registry.PACKAGES, "dummy", "tests.destinations.dummy")
    monkeypatch.setattr(connector, "REQUESTS", [])
    made = world()
    made.profiles["default"] |= {"destination": "dummy", "action": "77"}
    return made


def context_of(google: World) -> RunContext:
    """The context of a run, wired as `main` wires it."""
    destinations = Destinations(google.settings, lambda: SECRET)
    return replace(google.context, connect=destinations.connect)


def row(number: int, **cells: str) -> str:
    time = f"{START - timedelta(days=2):%Y-%m-%d %H:%M:%S}+00:00"
    given = {
        "email": f"buyer{number}@example.com",
        "conversion_date_time": time,
        "conversion_value": "10",
        "order_id": f"order-{number}",
        **cells,
    }
    return ",".join(given.get(column, "") for column in COLUMNS.split(","))


def results(google: World, name: str) -> dict[str, Any]:
    (found,) = [
        n for n in google.store.names("out-bucket") if n.startswith(name) and n.endswith(".json")
    ]
    return check_results(json.loads(google.store.objects["out-bucket", found][0]))


def test_a_file_reaches_an_api_that_lib_does_not_know(google: World) -> None:
    """From the bucket to the results, and to the final outcomes that the API tells later."""
    rows = [row(number) for number in range(2, 22)]
    rows += [
        row(22, email="", gclid="Cj0KCQiAexample0001"),  # a click ID alone finds nobody there
        row(23, email="", user_ip_address="192.0.2.1", customer_type="NEW"),
        row(24, customer_type="NEW"),  # excluded beside an email address
        row(25, merchant_id="77"),  # a part of a cart without items
    ]
    content = "\n".join([COLUMNS, *rows, ""]).encode()
    source = google.store.put("in-bucket", "deals.csv", content)
    context = context_of(google)
    assert deliver(source, context) == "completed"

    found = results(google, "deals.csv")
    assert found["destination"] == "dummy"
    assert found["counts"]["rows"] == 24
    assert found["counts"]["uploaded"] == 22
    refused = {each["line"]: [e["code"] for e in each["errors"]] for each in found["rows"]}
    assert refused[22] == ["NO_CLICK_ID_OR_IDENTIFIER"]
    assert refused[24] == ["CUSTOM_VARIABLES_WITH_IDENTIFIERS"]
    (note,) = [note for note in found["notes"] if note["code"] == "COLUMN_NOT_SENT"]
    for column in ("gclid", "phone", "items", "custom_variable.Plan"):
        assert column in note["detail"]
    assert "email" not in note["detail"].replace("email address", "")

    sizes = [len(request) for request in connector.REQUESTS]
    assert max(sizes) <= CAPABILITIES.max_request_rows
    sent = [record for request in connector.REQUESTS for record in request]
    assert len(sent) == 22
    assert all(record.gclid == "" and record.hashed_phones == () for record in sent)
    assert found["processing"]["status"] == "processing"

    google.clock.seconds += 6 * 60
    sweep_once(context, 1500)
    found = results(google, "deals.csv")
    assert found["processing"]["status"] == "finished"
    assert found["processing"]["counts"]["requests"] == len(sizes)


def test_an_unknown_destination_is_reported(google: World) -> None:
    """The profile names what it may be."""
    google.profiles["default"]["destination"] = "meta"
    source = google.store.put("in-bucket", "deals.csv", b"email\n")
    deliver(source, context_of(google))
    error = results(google, "deals.csv")["file_error"]
    assert error["code"] == "INVALID_PROFILE"
    assert " or ".join(f'"{name}"' for name in registry.names()) in error["detail"]
