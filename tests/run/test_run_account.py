"""What a file learns of its account from the lookup, and what goes on without it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from lib.errors import PermanentError, RetryableError, UploadError
from lib.model.account import Account, Action
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
REFUSED = PermanentError("ACTION_NOT_PERMITTED")
UNREACHABLE = RetryableError("API_UNAVAILABLE")


@dataclass(slots=True)
class FakeLookup:
    """What Google answers, and to whoever asks again. `asked` counts the questions."""

    first: Account | UploadError
    fresh: Account | UploadError | None = None
    asked: int = 0

    def account(self, customer: str, manager: str | None, *, fresh: bool = False) -> Account:
        self.asked += 1
        answer = self.fresh if fresh and self.fresh is not None else self.first
        if isinstance(answer, UploadError):
            raise answer
        return answer


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


def test_a_wrong_action_stops_the_file() -> None:
    """An action that a website's tag counts stops the file before its first row."""
    document = deliver_rows(FakeLookup(OF_TAG))
    assert document["file_error"]["code"] == "ACTION_OF_TAG"
    assert document["counts"]["not_attempted"] == 2


def test_an_action_that_was_corrected_stops_nothing() -> None:
    """The account is looked up again before a file stops."""
    assert deliver_rows(FakeLookup(OF_TAG, SALE))["counts"]["uploaded"] == 2


@pytest.mark.parametrize("failed", [REFUSED, UNREACHABLE])
def test_a_failed_lookup_is_one_note(failed: UploadError) -> None:
    """An ID goes on, and the note has the reason."""
    document = deliver_rows(FakeLookup(failed))
    assert document["counts"]["uploaded"] == 2
    (note,) = [each for each in document["notes"] if each["code"] == "ACCOUNT_NOT_LOOKED_UP"]
    assert note["detail"] == failed.code
    assert "ACCOUNT_NOT_LOOKED_UP" not in notes(deliver_rows(FakeLookup(SALE)))


@pytest.mark.parametrize(("cell", "profile"), [("Phone sale", {}), ("", {"action": "phone sale"})])
def test_a_name_gets_its_id(cell: str, profile: dict[str, Any]) -> None:
    """In a cell or in the profile; a file asks once."""
    lookup = FakeLookup(SALE)
    assert deliver_rows(lookup, cell, **profile)["counts"]["uploaded"] == 2
    assert lookup.asked == 1


def test_entries_have_their_actions_by_name() -> None:
    """Every entry is under its action, and a wrong name stops the file."""
    entries = [{"rows": {"order_id": [f"order-{n}"]}, "action": "Phone sale"} for n in (1, 2)]
    known = FakeLookup(SALE)
    assert deliver_rows(known, conversions=entries)["counts"]["uploaded"] == 2
    entries[1]["action"] = "Phone sail"
    document = deliver_rows(known, conversions=entries)
    assert document["file_error"] == {
        "code": "UNKNOWN_ACTION",
        "detail": 'action in the profile: "Phone sail"',
    }


def test_a_name_that_nobody_can_look_up_is_refused() -> None:
    """In the profile, the file stops; in a cell, its row is rejected."""
    document = deliver_rows(FakeLookup(REFUSED), action="Phone sale")
    assert document["file_error"]["code"] == "ACTION_NAME_NOT_RESOLVABLE"
    document = deliver_rows(FakeLookup(REFUSED), "Phone sale")
    assert document["counts"]["rejected"] == 2
    assert document["rows"][0]["errors"][0]["code"] == "ACTION_NAME_NOT_RESOLVABLE"


def test_a_name_is_tried_again_if_google_cannot_be_reached() -> None:
    """The file is retried: it is not stopped for a reason that passes."""
    with pytest.raises(RetryableError):
        deliver_rows(FakeLookup(UNREACHABLE), "Phone sale")


def test_a_new_action_is_found_although_the_account_is_known() -> None:
    """An ID that is not in what was read before is looked up before its row is rejected."""
    new = account_with(action("1001", "Phone sale"), action("1002", "Lead"))
    lookup = FakeLookup(SALE, new)
    assert deliver_rows(lookup, "1002")["counts"]["uploaded"] == 2
    assert lookup.asked == 2
