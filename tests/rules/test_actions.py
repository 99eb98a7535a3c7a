"""Which conversion action a name means if an account has several of that name."""

from __future__ import annotations

import pytest

from lib.model.account import Account, ConversionAction
from lib.model.fields import RecordKind

CLICKS: frozenset[RecordKind] = frozenset({"conversion", "adjustment"})


@pytest.mark.parametrize(
    "others, meant",
    [
        ([], "1001"),
        ([("1002", True, False)], "1001"),  # another account's
        ([("1000", True, False)], "1001"),
        ([("1002", False, True)], "1001"),  # one that was removed
        ([("1000", False, True), ("1002", True, False), ("1003", False, False)], "1001"),
    ],
)
def test_the_accounts_own_enabled_action_is_chosen(
    others: list[tuple[str, bool, bool]], meant: str
) -> None:
    """The enabled action that the account owns is chosen, in any order of (ID, enabled, owned)."""
    given = [("1001", True, True), *others]
    for order in (given, given[::-1]):
        actions = {
            number: ConversionAction(number, " Sale", enabled, CLICKS, False, 90, owned)
            for number, enabled, owned in order
        }
        account = Account("1", "1", verified=True, actions=actions)
        for text in ("sale", " SALE ", meant, f"customers/1/conversionActions/{meant}"):
            found = account.action_of(text)
            assert found is not None
            assert found.id == meant
        assert account.action_of("") is None
