"""The accounts of a file: those that its destination can read, and those that must be looked up.

An API without queries does not know its accounts. Another one does, if the credentials may ask it
(`lib.destinations.base.AccountLookup`). IDs of conversion actions never wait for that:

    known (this instance, or state)  ──▶  checked before the first row, as with a preflight
    not known                        ──▶  looked up beside the upload: the notes at the end of the
                                          file say what was found, and the next file is checked
    a name, or a wrong action        ──▶  looked up now: without the ID, nothing can be sent
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lib.catalogue.codes import lookup as code_of
from lib.destinations.base import AccountLookup, Destination
from lib.errors import PermanentError
from lib.model.account import Account
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.rules.actions import resolve_action
from lib.rules.row_rules import RowRules

MOST_ACCOUNTS: Final = 100
"""Maximum number of accounts in one file. With more, the column probably has the CRM's own customer
numbers, and each of them would cost a query of the daily quota."""


ConnectLookup = Callable[[], AccountLookup]
"""Connects what looks up accounts. Imports the API."""


class RunAccounts:
    """The accounts of a file. Each one is read once. `manager_id` gives access to them."""

    def __init__(
        self,
        destination: Destination[Any],
        manager_id: str | None,
        lookup: ConnectLookup | None,
        log: Log,
        *,
        wants_variables: bool,
    ) -> None:
        self._destination = destination
        self._manager_id = manager_id
        is_looked_up = destination.capabilities.looks_up_accounts
        self._lookup = lookup if is_looked_up else None
        self._log = log
        self._wants_variables = wants_variables
        self._known: dict[str, Account | Problem] = {}
        self._looked_up: dict[str, Account | None] = {}

    def ask(self, customer_id: str, *, fresh: bool = False) -> Account:
        """Read an account. Raises what `Destination.account` raises, and if it is `fresh`, what
        `AccountLookup.account` raises."""
        account = self._destination.account(customer_id, fresh=fresh)
        if not account.verified:
            account = self._looked_up_account(customer_id, fresh) or account
        if self._wants_variables:
            account = self._destination.with_custom_variables(account)
        self._known[customer_id] = account
        return account

    def _looked_up_account(self, customer_id: str, fresh: bool) -> Account | None:
        if self._lookup is None:
            return None
        port = self._lookup()
        if not fresh:
            return port.known(customer_id, self._manager_id, self._log)
        if customer_id not in self._looked_up:
            self._looked_up[customer_id] = port.account(customer_id, self._manager_id)
        return self._looked_up[customer_id]

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

    def look_up(self, customer_id: str) -> Account | None:
        """Return the account of a row whose action is not found in it, and wait for it, once."""
        if self._lookup is None:
            return None
        account = self.ask(customer_id, fresh=True)
        return account if account.verified else None

    def checked(self, customer_id: str, rules: RowRules) -> Account:
        """Return the account of all rows. Raises `PermanentError` if an action of the profile is
        wrong."""
        account = self.ask(customer_id)
        if account.refuses_user_data() or _wrong_action(rules):
            # What is known may be out of date: somebody may have corrected it since then.
            account = self.ask(customer_id, fresh=True)
        if wrong := _wrong_action(rules):
            raise PermanentError(wrong.code, wrong.detail)
        return account

    def late_notes(self, customer_id: str, rules: RowRules) -> list[Problem]:
        """Return what was found out about an account while the file was uploaded to it."""
        if self._lookup is None:
            return []
        account, failed = self._lookup().state(customer_id)
        if account is None:
            return [Problem("ACCOUNT_NOT_LOOKED_UP", "", failed)] if failed else []
        self._known[customer_id] = account
        if (wrong := _wrong_action(rules)) is None:
            return []
        found = code_of(wrong.code)
        self._log.alert(
            "settings_invalid", code=found.code, detail=wrong.detail, action=found.action
        )
        return [Problem("UPLOADED_TO_WRONG_ACTION", "", f"{found.code}: {found.meaning}")]


def _wrong_action(rules: RowRules) -> Problem | None:
    """Return what is wrong with an action of the profile."""
    for action in {entry.action: None for entry in rules.entries if entry.action is not None}:
        found = resolve_action("", action, rules, set())
        if isinstance(found, Problem):
            return found._replace(detail=found.detail or f'action in the profile: "{action}"')
    return None
