"""The account of a file: one that its destination can read, or one that must be looked up.

An API without queries does not know its accounts. Another one does, if the credentials may ask it
(`lib.destinations.base.AccountLookup`). If it refuses, IDs of conversion actions go on, with a
note. A name cannot be sent without its ID: the file is retried, or stops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib.destinations.base import AccountLookup, Destination
from lib.errors import PermanentError, RetryableError, UploadError
from lib.model.account import Account
from lib.model.outcomes import Problem
from lib.rules.actions import resolve_action
from lib.rules.row_rules import RowRules

ConnectLookup = Callable[[], AccountLookup]
"""Connects what looks up accounts. Imports the API."""


class RunAccount:
    """The account of a file. It is read once. `manager_id` gives access to it."""

    def __init__(
        self,
        destination: Destination[Any],
        customer_id: str,
        manager_id: str | None,
        lookup: ConnectLookup | None,
        *,
        wants_variables: bool,
    ) -> None:
        self._destination = destination
        self._customer_id = customer_id
        self._manager_id = manager_id
        is_looked_up = destination.capabilities.looks_up_accounts
        self._lookup = lookup if is_looked_up else None
        self._wants_variables = wants_variables
        self._known: Account | Problem | None = None
        self._failed: UploadError | None = None
        self._is_fresh = False

    def ask(self, *, fresh: bool = False) -> Account:
        """Read the account. Raises what `Destination.account` raises."""
        account = self._destination.account(self._customer_id, fresh=fresh)
        if not account.verified:
            account = self._looked_up_account(fresh) or account
        if self._wants_variables:
            account = self._destination.with_custom_variables(account)
        self._known = account
        return account

    def _looked_up_account(self, fresh: bool) -> Account | None:
        if self._lookup is None:
            return None
        self._failed = None
        try:
            return self._lookup().account(self._customer_id, self._manager_id, fresh=fresh)
        except UploadError as error:
            self._failed = error
        return self._known if isinstance(self._known, Account) else None

    def of_rows(self) -> Account | Problem:
        """Return the account, or why it cannot be used."""
        if self._known is None:
            try:
                self.ask()
            except PermanentError as error:
                self._known = Problem(error.code, "", error.detail)
        assert self._known is not None
        return self._known

    def look_up(self) -> Account | None:
        """Return the account as it is now if a row's action is not found in it. It is read once.

        Raises `RetryableError` if Google cannot be reached now.
        """
        if self._lookup is None:
            return None
        if not self._is_fresh:
            self._is_fresh = True
            self.ask(fresh=True)
        if isinstance(self._failed, RetryableError):
            raise self._failed
        account = self._known
        return account if isinstance(account, Account) and account.verified else None

    def checked(self, rules: RowRules) -> Account:
        """Return the account. Raises `PermanentError` if an action of the profile is wrong."""
        account = self.ask()
        if account.refuses_user_data() or _wrong_action(rules):
            # What is known may be out of date: somebody may have corrected it since then.
            account = self.ask(fresh=True)
        if wrong := _wrong_action(rules):
            raise PermanentError(wrong.code, wrong.detail)
        return account

    def notes(self) -> list[Problem]:
        """Return a note if the account could not be looked up."""
        return [Problem("ACCOUNT_NOT_LOOKED_UP", "", self._failed.code)] if self._failed else []


def _wrong_action(rules: RowRules) -> Problem | None:
    """Return what is wrong with an action of the profile."""
    for action in {entry.action: None for entry in rules.entries if entry.action is not None}:
        found = resolve_action("", action, rules, set())
        if isinstance(found, Problem):
            return found._replace(detail=found.detail or f'action in the profile: "{action}"')
    return None
