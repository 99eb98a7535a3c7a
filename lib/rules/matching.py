"""What Google needs to match a conversion: to a click or a person, and to itself in a resend."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import compress
from operator import not_
from typing import Any, Final

from lib.model.fields import base_name
from lib.model.records import OptionalFields
from lib.rules.assembly import Columns
from lib.rules.columns import ChunkColumns
from lib.rules.fields import BY_NAME
from lib.rules.identity import CLICK_IDS, PHONE_COUNTRY
from lib.rules.times import CONVERSION_TIME
from lib.rules.values.network import is_complete
from lib.rules.values.order_ids import derived_order_id

_SESSION_ATTRIBUTES: Final = "session_attributes_key_value_pairs"
MAX_AGE_WITHOUT_CLICK_DAYS: Final = 63
"""Others report it; Google's own pages say 90. So such a row is sent, and somebody is told."""
_DAY_SECONDS: Final = 86_400


def refuse_exclusive_values(chunk: ChunkColumns, conversions: Columns) -> None:
    """Reject rows with values that the API refuses together."""
    columns: dict[str, str] = {}  # attribute → the first of its columns
    for column in chunk.file.columns:
        columns.setdefault(BY_NAME[base_name(column)].attribute, column)
    for exclusion in chunk.file.rules.capabilities.exclusions:
        if exclusion.attribute in columns:
            values = _attribute(conversions, exclusion.attribute)
            pairs = zip(values, _attribute(conversions, exclusion.beside), strict=True)
            for row in compress(range(chunk.size), map(all, pairs)):
                chunk.problems.reject(row, exclusion.code, columns[exclusion.attribute])


def warn_of_incomplete_attributes(chunk: ChunkColumns, conversions: Columns) -> None:
    """Warn of session attributes of which Google asks for more."""
    if chunk.has_columns([_SESSION_ATTRIBUTES]):
        for row, pairs in enumerate(_attribute(conversions, _SESSION_ATTRIBUTES)):
            if pairs and not is_complete(pairs):
                chunk.problems.warn(row, "SESSION_ATTRIBUTES_INCOMPLETE", _SESSION_ATTRIBUTES)


def refuse_unidentified(chunk: ChunkColumns, conversions: Columns) -> None:
    """Reject rows that identify neither a click nor a person. Session attributes identify nobody
    if Google asks for more of them."""
    unidentified: Sequence[int] = range(chunk.size)
    # Click IDs come first: if the file has any, most rows have one, and few are left to look at.
    for name in sorted(chunk.file.can.identifying, key=lambda name: name not in CLICK_IDS):
        if unidentified:
            values = _attribute(conversions, name)
            if name == _SESSION_ATTRIBUTES:
                values = [each if is_complete(each) else None for each in values]
            lacks = map(not_, map(values.__getitem__, unidentified))
            unidentified = [*compress(unidentified, lacks)]
    for row in unidentified:
        chunk.problems.reject(row, "NO_CLICK_ID_OR_IDENTIFIER")


def warn_of_old_without_click(
    chunk: ChunkColumns, conversions: Columns, instants: Sequence[int]
) -> None:
    """Warn of rows that name a person and no click, and are older than Google takes such rows.

    `instants` are the times of the conversions in Unix seconds.
    """
    oldest = int(chunk.file.rules.now.timestamp()) - MAX_AGE_WITHOUT_CLICK_DAYS * _DAY_SECONDS
    # A row whose time cannot be read has the instant 0. It is among them, and has an error.
    old = [row for row, instant in enumerate(instants) if instant < oldest]
    if not old:
        return
    errors, gclids, braids = chunk.problems.errors, conversions["gclid"], braids_of(conversions)
    for row in old:
        if row not in errors and not (gclids[row] or braids[row]):
            chunk.problems.warn(row, "OLD_WITHOUT_CLICK_ID", CONVERSION_TIME)


def derive_order_ids(
    chunk: ChunkColumns,
    conversions: Columns,
    instants: Sequence[int],
    unclear_country: Container[int],
) -> Sequence[str | None]:
    """Return the order IDs, with derived ones for rows that Google could not recognize in a resend.

    These have neither an order ID nor a gclid: for a gbraid or wbraid, Google does not document
    that it recognizes a click with its time. A conversion of a tag needs the tag's own order ID.
    `instants` are the times of the conversions in Unix seconds. `unclear_country` are rows whose
    phone number another country may make valid (`lib.rules.identity`): if the ID depends on it, the
    row is rejected, because the corrected row would have another ID and count again.
    """
    order_ids = conversions["order_id"]
    if chunk.file.rules.is_of_tag:
        for row in chunk.sendable():
            if order_ids[row] is None:
                chunk.problems.reject(row, "TAG_ORDER_ID_MISSING", "order_id")
        return order_ids
    if not chunk.file.rules.derive_order_id:
        return order_ids
    gclids, braids = conversions["gclid"], braids_of(conversions)
    errors = chunk.problems.errors
    unrecognized = [
        row
        for row, order_id in enumerate(order_ids)
        if order_id is None and not gclids[row] and row not in errors
    ]
    completed = list(order_ids)
    for row in unrecognized:
        if row in unclear_country and not (braids[row] or conversions["hashed_emails"][row]):
            chunk.problems.reject(row, "PHONE_COUNTRY_NEEDED", PHONE_COUNTRY)
            continue
        # As for a gclid, another value does not make another conversion of a click.
        value = None if braids[row] else conversions["value"][row]
        identity = (braids[row],) if braids[row] else _person(conversions, row)
        action_id = conversions["action_id"][row]
        completed[row] = derived_order_id(action_id, instants[row], value, identity)
    return completed


def braids_of(conversions: Columns) -> Sequence[str]:
    """Return the gbraid or wbraid of each row."""
    gbraids, wbraids = conversions["gbraid"], conversions["wbraid"]
    if not any(wbraids):
        return gbraids
    return [gbraid or wbraid for gbraid, wbraid in zip(gbraids, wbraids, strict=True)]


def _attribute(conversions: Columns, name: str) -> Sequence[Any]:
    """Return the values of an attribute of the conversions or of their optional fields."""
    if name == "user_identifiers":
        people = zip(conversions["hashed_emails"], conversions["hashed_phones"], strict=True)
        return [emails or phones for emails, phones in people]
    if name in conversions:
        return conversions[name]
    return [None if each is None else each.get(name) for each in conversions["optional_fields"]]


def _person(conversions: Columns, row: int) -> tuple[str, ...]:
    """Return what identifies the person of a row: the first hashed identifier. Without one, it is
    what is known of the visit to the website, and the address."""
    digests = conversions["hashed_emails"][row] or conversions["hashed_phones"][row]
    if digests:
        return tuple(digests[:1])
    optional: OptionalFields = conversions["optional_fields"][row] or {}
    pairs = optional.get(_SESSION_ATTRIBUTES, ())
    identity = [f"{key}={value}" for key, value in pairs]
    if encoded := optional.get("session_attributes_encoded"):
        identity.append(encoded.decode("latin-1"))
    if ip_address := optional.get("user_ip_address"):
        identity.append(ip_address)
    if address := optional.get("address"):
        identity += [address.hashed_given_name, address.hashed_family_name, address.postal_code]
    return tuple(identity)
