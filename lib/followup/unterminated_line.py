"""Closes the held last row of a file that a newer upload has replaced."""

from __future__ import annotations

from lib.model.outcomes import Problem, RowOutcome
from lib.run.context import RunContext
from lib.run.follow_up import UNTERMINATED_LAST_LINE
from lib.state.claims import Lease
from lib.state.store import live_version


def close_replaced_line(lease: Lease, context: RunContext) -> None:
    """Record the held row as not attempted if the object has a newer generation.

    The newer generation is a file of its own, which contains the whole row.
    """
    run = lease.run
    live = live_version(context.store, run.source.bucket, run.source.name)
    newest = live.generation if live is not None else 0
    numbers = context.ledger.finished_chunks(run)
    if newest <= run.source.generation or not numbers:
        return
    chunk, generation = context.ledger.load_chunk(run, max(numbers))
    replaced = Problem("LAST_LINE_REPLACED", "", f"generation {newest}")
    listed = [_closed(row, replaced) if _is_held(row) else row for row in chunk.listed]
    if any(map(_is_held, chunk.listed)):
        chunk = chunk.with_rows(listed, chunk.unlisted(), chunk.request_ids, chunk.sent)
        context.ledger.write_chunk(run, chunk, generation)


def _is_held(row: RowOutcome) -> bool:
    return row.outcome == "deferred" and any(e.code == UNTERMINATED_LAST_LINE for e in row.errors)


def _closed(row: RowOutcome, replaced: Problem) -> RowOutcome:
    return row._replace(outcome="not_attempted", errors=(replaced,))
