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
        """See `AccountCache`."""
        found = self._found(customer_id)
        return found[0] if found is not None else None

    def write(self, customer_id: str, read_at: float, account: Account) -> None:
        """See `AccountCache`."""
        found = self._found(customer_id)
        with suppress(RetryableError):
            self._documents.write(
                _name(customer_id),
                _KnownAccount(read_at, account),
                if_generation_match=found[1] if found is not None else 0,
            )

    def _found(self, customer_id: str) -> tuple[tuple[float, Account], int] | None:
        try:
            found = self._documents.read(_name(customer_id), _KnownAccount)
        except RetryableError:
            return None
        if found is None:
            return None
        known, generation = found
        return (known.read_at, known.account), generation


def _name(customer_id: str) -> str:
    return f"accounts/{customer_id}.json"
