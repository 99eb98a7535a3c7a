"""The records: what their texts show."""

from __future__ import annotations

from lib.model.records import Call

CALLER = "+12125550101"


def test_the_text_of_a_call_does_not_show_the_callers_number() -> None:
    """However a call is printed, alone or in a list, the number of the caller is not shown."""
    time = "2026-11-20 10:00:00+00:00"
    call = Call("1001", CALLER, time, time, 1.0, "USD", None, None, ())

    assert call.caller_id == CALLER
    for text in (repr(call), str(call), f"{call}", repr([call])):
        assert CALLER not in text
