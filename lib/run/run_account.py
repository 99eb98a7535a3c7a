"""The account of a file: one that its destination can read, or one that must be looked up.

An API without queries does not know its accounts. Another one does, if the credentials may ask it
(`lib.destinations.base.AccountLookup`). IDs of conversion actions never wait for that:

    known (this instance, or state)  ──▶  checked before the first row, as with a preflight
    not known                        ──▶  looked up beside the upload: the notes at the end of the
                                          file say what was found, and the next file is checked
    a name, or a wrong action        ──▶  looked up now: without the ID, nothing can be sent
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib.catalogue.codes import lookup as code_of
from lib.destinations.base import AccountLookup, Destination
from lib.errors import PermanentError
from lib.model.account import Account
from lib.model.log import Log
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
        log: Log,
        *,
        wants_variables: bool,
    ) -> None:
        self._destination = destination
        self._customer_id = customer_id
        self._manager_id = manager_id
        is_looked_up = destination.capabilities.looks_up_accounts
        self._lookup = lookup if is_looked_up else None
        self._log = log
        self._wants_variables = wants_variables
        self._known: Account | Problem | None = None
        self._looked_up: Account | None = None
        self._was_looked_up = False

    def ask(self, *, fresh: bool = False) -> Account:
        """Read the account. Raises what `Destination.account` raises, and if it is `fresh`, what
        `AccountLookup.account` raises."""
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
        port = self._lookup()
        if not fresh:
            return port.known(self._customer_id, self._manager_id, self._log)
        if not self._was_looked_up:
            self._looked_up = port.account(self._customer_id, self._manager_id)
            self._was_looked_up = True
        return self._looked_up

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
        """Return the account if a row's action is not found in it, and wait for it, once."""
        if self._lookup is None:
            return None
        account = self.ask(fresh=True)
        return account if account.verified else None

    def checked(self, rules: RowRules) -> Account:
        """Return the account. Raises `PermanentError` if an action of the profile is wrong."""
        account = self.ask()
        if account.refuses_user_data() or _wrong_action(rules):
            # What is known may be out of date: somebody may have corrected it since then.
            account = self.ask(fresh=True)
        if wrong := _wrong_action(rules):
            raise PermanentError(wrong.code, wrong.detail)
        return account

    def late_notes(self, rules: RowRules) -> list[Problem]:
        """Return what was found out about the account while the file was uploaded to it."""
        if self._lookup is None:
            return []
        account, failed = self._lookup().state(self._customer_id)
        if account is None:
            return [Problem("ACCOUNT_NOT_LOOKED_UP", "", failed)] if failed else []
        self._known = account
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
