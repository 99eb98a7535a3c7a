"""What identifies a row of the demo's file at the API: its click ID or its hashed email address."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

_CLICK_IDS = ("gclid", "gbraid", "wbraid")


def identity_of_row(row: Mapping[str, str]) -> str:
    """The click ID of a row, or otherwise the hash of its email address."""
    click_id = next((row[name] for name in _CLICK_IDS if row.get(name)), "")
    return click_id or hashlib.sha256(row.get("email", "").strip().lower().encode()).hexdigest()


def identity_of_event(conversion: Mapping[str, Any]) -> str:
    """The same of what arrived at the API: the two APIs nest differently."""
    return _first(conversion, _CLICK_IDS) or _first(conversion, ("hashed_email", "email_address"))


def _first(document: Any, names: Iterable[str]) -> str:
    """The first value of one of `names`, at any depth."""
    if isinstance(document, Mapping):
        for name in names:
            if document.get(name):
                return str(document[name])
    elif not isinstance(document, list):
        return ""
    parts = document.values() if isinstance(document, Mapping) else document
    return next((found for part in parts if (found := _first(part, names))), "")
