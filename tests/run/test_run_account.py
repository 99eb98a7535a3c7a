"""What a file learns of its account from the lookup, and what never waits for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from lib.destinations.base import LookupState
from lib.errors import RetryableError
from lib.model.account import Account, Action
from lib.model.log import Log
from tests.fakes import deliver, world
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

CUSTOMER = "1234567890"


def action(number: str, name: str, **changes: Any) -> Action:
    accepts = frozenset({"conversion", "adjustment"})
    return Action(number, name, True, accepts, False, 90, **changes)


def account_with(*actions: Action) -> Account:
    return Account(CUSTOMER, CUSTOMER, verified=True, actions={each.id: each for each in actions})


SALE = account_with(action("1001", "Phone sale"))
OF_TAG = account_with(action("1001", "Purchase", needs_order_id=True))


@dataclass(slots=True)
class FakeLookup:
    """What is known at once, what Google answers to whoever waits, and what is known at the end."""

    at_once: Account | None = None
    waited_for: Account | RetryableError | None = None
    at_the_end: LookupState = field(default_factory=lambda: LookupState(None, ""))
    waits: int = 0

    def known(self, customer: str, manager: str | None, log: Log) -> Account | None:
        return self.at_once

    def account(self, customer: str, manager: str | None) -> Account | None:
        self.waits += 1
        if isinstance(self.waited_for, RetryableError):
            raise self.waited_for
        return self.waited_for

    def state(self, customer: str) -> LookupState:
        return self.at_the_end


def deliver_rows(lookup: FakeLookup, cell: str = "", **profile: Any) -> dict[str, Any]:
    """Deliver two rows to an API without queries; return the results document."""
    google = world()
    google.api.queries = False
    google.use_destination("data_manager")
    google.lookup = lookup
    google.profiles["default"] |= profile
    when = f"{google.clock.utc() - timedelta(days=3):%Y-%m-%d %H:%M:%S+00:00}"
    rows = [
        core_row(n, conversion_action=cell, conversion_date_time=when.replace(":00+", f":0{n}+"))
        for n in (1, 2)
    ]
    columns = [each for each in CORE_COLUMNS if cell or each != "conversion_action"]
    of_file = [{each: row[each] for each in columns} for row in rows]
    deliver(google, "a.csv", csv_bytes(of_file, columns))
    names = google.store.names("out-bucket")
    (name,) = [each for each in names if each.endswith(".results.json")]
    found: dict[str, Any] = json.loads(google.store.objects["out-bucket", name][0])
    return found


def notes(document: dict[str, Any]) -> list[str]:
    return [each["code"] for each in document["notes"]]


def test_an_id_does_not_wait() -> None:
    """Both rows are uploaded, although nothing is known of the account, and nothing is noted."""
    lookup = FakeLookup()
    document = deliver_rows(lookup)
    assert document["counts"]["uploaded"] == 2
    assert lookup.waits == 0
    assert "ACCOUNT_NOT_LOOKED_UP" not in notes(document)


def test_what_is_known_is_checked_before_the_first_row() -> None:
    """An action that a website's tag counts stops the file, after a second look."""
    lookup = FakeLookup(at_once=OF_TAG, waited_for=OF_TAG)
    document = deliver_rows(lookup)
    assert document["file_error"]["code"] == "ACTION_OF_TAG"
    assert document["counts"]["not_attempted"] == 2
    assert lookup.waits == 1


def test_an_action_that_was_corrected_stops_nothing() -> None:
    """The account is looked up again before a file stops."""
    assert deliver_rows(FakeLookup(at_once=OF_TAG, waited_for=SALE))["counts"]["uploaded"] == 2


def test_what_comes_late_is_noted_and_alerted(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows that were uploaded for an action of a tag: the results and an alert say so."""
    document = deliver_rows(FakeLookup(at_the_end=LookupState(OF_TAG, "")))
    assert document["counts"]["uploaded"] == 2
    (note,) = [each for each in document["notes"] if each["code"] == "UPLOADED_TO_WRONG_ACTION"]
    assert note["detail"].startswith("ACTION_OF_TAG: ")
    assert '"event": "settings_invalid"' in capsys.readouterr().out
    document = deliver_rows(FakeLookup(at_the_end=LookupState(SALE, "")))
    assert notes(document) == notes(deliver_rows(FakeLookup()))


def test_a_refused_lookup_is_one_note() -> None:
    """The upload goes on, and the note has Google's reason."""
    document = deliver_rows(FakeLookup(at_the_end=LookupState(None, "ACTION_NOT_PERMITTED")))
    assert document["counts"]["uploaded"] == 2
    (note,) = [each for each in document["notes"] if each["code"] == "ACCOUNT_NOT_LOOKED_UP"]
    assert note["detail"] == "ACTION_NOT_PERMITTED"


@pytest.mark.parametrize(("cell", "profile"), [("Phone sale", {}), ("", {"action": "phone sale"})])
def test_a_name_waits_for_its_id(cell: str, profile: dict[str, Any]) -> None:
    """In a cell or in the profile; a file asks once."""
    lookup = FakeLookup(waited_for=SALE)
    assert deliver_rows(lookup, cell, **profile)["counts"]["uploaded"] == 2
    assert lookup.waits == 1


def test_entries_have_their_actions_by_name() -> None:
    """Every entry is under its action, and a wrong name stops the file."""
    entries = [{"rows": {"order_id": [f"order-{n}"]}, "action": "Phone sale"} for n in (1, 2)]
    known = FakeLookup(waited_for=SALE)
    assert deliver_rows(known, conversions=entries)["counts"]["uploaded"] == 2
    entries[1]["action"] = "Phone sail"
    document = deliver_rows(known, conversions=entries)
    assert document["file_error"] == {
        "code": "UNKNOWN_ACTION",
        "detail": 'action in the profile: "Phone sail"',
    }


def test_a_name_that_nobody_can_look_up_is_refused() -> None:
    """In the profile, the file stops; in a cell, its row is rejected."""
    document = deliver_rows(FakeLookup(), action="Phone sale")
    assert document["file_error"]["code"] == "ACTION_NAME_NOT_RESOLVABLE"
    document = deliver_rows(FakeLookup(), "Phone sale")
    assert document["counts"]["rejected"] == 2
    assert document["rows"][0]["errors"][0]["code"] == "ACTION_NAME_NOT_RESOLVABLE"


def test_a_name_is_tried_again_if_google_cannot_be_reached() -> None:
    """The file is retried: it is not stopped for a reason that passes."""
    with pytest.raises(RetryableError):
        deliver_rows(FakeLookup(waited_for=RetryableError("API_UNAVAILABLE")), "Phone sale")


def test_a_new_action_is_found_although_the_account_is_known() -> None:
    """An ID that is not in what was read yesterday is looked up before its row is rejected."""
    new = account_with(action("1001", "Phone sale"), action("1002", "Lead"))
    lookup = FakeLookup(at_once=SALE, waited_for=new)
    assert deliver_rows(lookup, "1002")["counts"]["uploaded"] == 2
    assert lookup.waits == 1
