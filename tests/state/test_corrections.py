"""What an instance knows of the corrections of an account."""

from __future__ import annotations

from datetime import timedelta

from lib.state.corrections import Correction, Corrections, order_key
from tests.fakes import START, deliver, sales, saved, world


def test_later_documents_replace_only_the_orders_that_they_name() -> None:
    """An instance learns of one document after the other, and forgets no other order by that."""
    google, known = world(), Corrections("1234567890")
    deliver(google, "daily.csv", sales("a"))
    documents, run = google.context.documents, saved(google)
    orders = [order_key("1001", order) for order in "abc"]
    changes = [dict.fromkeys(orders, 5_000_000), {orders[1]: 7_000_000}, {orders[2]: None}]
    for number, change in enumerate(changes):
        corrections = [Correction(order, number, micros, "USD") for order, micros in change.items()]
        known.save(documents, run, number, corrections, START + timedelta(seconds=number))
    newest = [known.newest(order) for order in orders]
    assert [each.micros for each in newest if each is not None] == [5_000_000, 7_000_000, None]
