"""The rules of conversions: what a row must be to become a `Conversion`.

An invalid cell rejects the row only if the row can't be sent without it. Otherwise the cell is left
out with a warning (Google: send all conversion data, regardless of completeness).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from lib.rules.actions import read_actions
from lib.rules.amounts import read_conversion_values
from lib.rules.assembly import CheckedRows, Columns
from lib.rules.columns import ChunkColumns
from lib.rules.identity import choose_click_ids, hash_user_identifiers, read_order_ids
from lib.rules.matching import (
    derive_order_ids,
    refuse_exclusive_values,
    refuse_unidentified,
    warn_of_incomplete_attributes,
    warn_of_old_without_click,
)
from lib.rules.optional_fields import read_consents, read_optional_fields
from lib.rules.repeats import find_repeats
from lib.rules.times import conversion_times


def check_conversions(chunk: ChunkColumns) -> CheckedRows:
    """Return the conversions that are sent, each once."""
    columns, instants = read_conversions(chunk)
    unsent = find_repeats(chunk, columns, instants)
    warn_of_old_without_click(chunk, columns, instants)
    people = zip(columns["hashed_emails"], columns["hashed_phones"], strict=True)
    has_user_data = any(map(any, compress(people, chunk.accepted(unsent))))
    return CheckedRows(columns, unsent, has_user_data)


def read_conversions(chunk: ChunkColumns) -> tuple[Columns, Sequence[int]]:
    """Return the columns of conversions, and their times in Unix seconds.

    It does not look for repeats: two rows of an adjustment file may name the same conversion.
    """
    actions = read_actions(chunk)
    consents = read_consents(chunk)
    emails, phones, unclear_country = hash_user_identifiers(chunk)
    gclids, gbraids, wbraids = choose_click_ids(chunk, actions)
    times, instants = conversion_times(chunk, chunk.problems, actions)
    values, currencies = read_conversion_values(chunk)
    order_ids = read_order_ids(chunk)
    columns: Columns = {
        "action_id": [action.id for action in actions],
        "time": times,
        "gclid": gclids,
        "gbraid": gbraids,
        "wbraid": wbraids,
        "hashed_emails": emails,
        "hashed_phones": phones,
        "value": values,
        "currency_code": currencies,
        "order_id": order_ids,
        "ad_user_data": consents,
        "optional_fields": read_optional_fields(chunk),
    }
    refuse_exclusive_values(chunk, columns)
    warn_of_incomplete_attributes(chunk, columns)
    refuse_unidentified(chunk, columns)
    completed = derive_order_ids(chunk, columns, instants, unclear_country)
    return {**columns, "order_id": completed}, instants
