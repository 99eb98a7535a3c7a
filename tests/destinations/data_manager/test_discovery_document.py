"""Names of the REST API, compared with Google's discovery document."""

from __future__ import annotations

import json

from google.ads import datamanager_v1 as dm

from lib.destinations.data_manager import client
from lib.destinations.data_manager.answers import read_status
from sandbox.data_manager.destinations import Target, rest_status
from sandbox.state import State
from tests.discovery_document import DOCUMENT, check


def test_the_method() -> None:
    """The path of the method and its scope are Google's."""
    method = DOCUMENT["resources"]["requestStatus"]["methods"]["retrieve"]
    assert "/" + method["path"] == client.STATUS_PATH
    assert f"https://{client.HOST}/" == DOCUMENT["rootUrl"]
    assert list(method["parameters"]) == ["requestId"]


def test_the_answer() -> None:
    """The sandbox answers with fields of the document, and the code reads each one of them."""
    state = State()
    account = state.accounts["1234567890"]
    action = next(each for each in account.conversion_actions if each.type == "UPLOAD_CLICKS")
    destination = dm.Destination.pb()(product_destination_id=str(action.id))
    target = Target(destination, account, action, 3)
    target.errors["PROCESSING_ERROR_REASON_EXPIRED_CLICK"] += [0, 2]
    target.warnings["PROCESSING_WARNING_REASON_CUSTOM_VARIABLE_NOT_PREDEFINED"] += [1]
    answer = json.loads(rest_status([target], done=True, record_indices="all"))
    check(answer, "RetrieveRequestStatusResponse")
    (status,) = read_status("r-1", answer)
    assert status._asdict() == {
        "request_id": "r-1",
        "status": "PARTIAL_SUCCESS",
        "conversion_action": str(action.id),
        "record_count": 3,
        "errors": {"PROCESSING_ERROR_REASON_EXPIRED_CLICK": 2},
        "warnings": {"PROCESSING_WARNING_REASON_CUSTOM_VARIABLE_NOT_PREDEFINED": 1},
        "code": "",
        "error_records": {"PROCESSING_ERROR_REASON_EXPIRED_CLICK": (0, 2)},
        "warning_records": {"PROCESSING_WARNING_REASON_CUSTOM_VARIABLE_NOT_PREDEFINED": (1,)},
    }
