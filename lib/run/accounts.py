"""The accounts of a file. Each one is read once."""

from __future__ import annotations

from typing import Any

from lib.destinations.base import Destination
from lib.errors import PermanentError
from lib.model.account import Account
from lib.model.outcomes import Problem

MOST_ACCOUNTS = 100
"""Maximum number of accounts in one file. With more, the column probably has the CRM's own customer
numbers, and each of them would cost a query of the daily quota."""


class Accounts:
    """The accounts of a file. Each one is read once."""

    def __init__(self, destination: Destination[Any], *, wants_variables: bool) -> None:
        self._destination = destination
        self._wants_variables = wants_variables
        self._known: dict[str, Account | Problem] = {}

    def ask(self, customer_id: str, *, fresh: bool = False) -> Account:
        """Read an account. Raises what `Destination.account` raises."""
        account = self._destination.account(customer_id, fresh=fresh)
        if self._wants_variables:
            account = self._destination.with_custom_variables(account)
        self._known[customer_id] = account
        return account

    def of_row(self, customer_id: str) -> Account | Problem:
        """Return the account that a row names, or why it cannot be used.

        Raises `PermanentError` (TOO_MANY_ACCOUNTS).
        """
        if customer_id not in self._known:
            if len(self._known) == MOST_ACCOUNTS:
                raise PermanentError("TOO_MANY_ACCOUNTS", f"more than {MOST_ACCOUNTS}")
            try:
                self.ask(customer_id)
            except PermanentError as error:
                # Without the detail: it quotes the account, which is the value of a cell here.
                self._known[customer_id] = Problem(error.code, "customer_id")
        return self._known[customer_id]
