"""Accounts that were looked up: one small object each, so that a new instance knows them.

They help, and nothing depends on them: if one cannot be read or written now, it is looked up again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from lib.errors import RetryableError
from lib.model.account import Account
from lib.state.documents import Documents


@dataclass(frozen=True, slots=True)
class _KnownAccount:
    read_at: float
    """Unix seconds."""
    account: Account


class KnownAccounts:
    """`lib.destinations.base.AccountCache`."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def read(self, customer_id: str) -> tuple[float, Account] | None:
        with suppress(RetryableError):
            if found := self._documents.read(_name(customer_id), _KnownAccount):
                return found[0].read_at, found[0].account
        return None

    def write(self, customer_id: str, read_at: float, account: Account) -> None:
        name, document = _name(customer_id), _KnownAccount(read_at, account)
        with suppress(RetryableError):
            found = self._documents.read(name, _KnownAccount)
            generation = found[1] if found else 0
            self._documents.write(name, document, if_generation_match=generation)


def _name(customer_id: str) -> str:
    return f"accounts/{customer_id}.json"
