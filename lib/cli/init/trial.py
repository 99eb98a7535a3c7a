"""What a run would do with the file and the answers so far, by the rules of a run.

rows ──▶ left out ──▶ refused, by code ──▶ conversions, by entry
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from lib.catalogue.codes import lookup
from lib.cli.dry_run import DryChunk, DryRun
from lib.cli.escaping import on_terminal
from lib.cli.init.look import Sample
from lib.config import mistakes
from lib.config.profile import Profile
from lib.model.outcomes import Problem
from lib.model.records import Adjustment, Conversion, Record, line_of
from lib.model.totals import Totals
from lib.run.plan import Plan

_MAX_KEPT: Final = 200
"""So many rows that would be sent are kept, for samples, and the first one of each entry."""
_FEWEST_SHOWN: Final = 3


class SentRow(NamedTuple):
    """A row that would be sent: its cells by field, and what Google gets. `entry` is its number."""

    line: int
    entry: int
    cells: Mapping[str, str]
    record: Record


@dataclass(slots=True)
class Trial:
    """What would happen to the rows.

    `stop`: why the whole file would be stopped, or why the answers are no profile, which is None.
    """

    profile: Profile | None = None
    stop: str = ""
    totals: Totals = field(default_factory=Totals)
    footer: int = 0
    skipped: int = 0
    """So many rows are left out by the profile."""
    refused: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """(outcome, code) → lines of the other rows that are not sent."""
    sent: defaultdict[int, Totals] = field(default_factory=lambda: defaultdict(Totals))
    """Number of an entry → its rows that would be sent."""
    kept: list[SentRow] = field(default_factory=list)
    notes: Sequence[Problem] = ()
    """What looks wrong in the file as a whole, so that somebody must look."""
    orders: dict[tuple[str, str], int] = field(default_factory=dict)
    """(action, order ID) of the sales → their lines."""
    corrected: defaultdict[int, list[tuple[tuple[str, str], int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Number of an entry → (action, order ID) of the sales that its rows correct, and the lines of
    these rows."""

    def found(self, entry: int) -> list[tuple[int, int]]:
        """Return the rows of an entry that correct a sale of this file: the line of the sale, and
        that of the correction."""
        rows = self.corrected[entry]
        return [(self.orders[order], line) for order, line in rows if order in self.orders]

    def samples(self) -> list[SentRow]:
        """Return three rows, or one of each entry if there are more entries: the first ones of the
        entries, and then the dearest."""
        first = {row.entry: row for row in reversed(self.kept)}.values()
        dearest = sorted(self.kept, key=lambda row: -(row.record.value or 0))
        rows = {row.line: row for row in (*sorted(first, key=attrgetter("entry")), *dearest)}
        return [*rows.values()][: max(_FEWEST_SHOWN, len(first))]


def try_out(
    sample: Sample, document: Mapping[str, Any], now: datetime, most_rows: int | None = None
) -> Trial:
    """Read the file as a run of this profile that starts at `now` would, or its first `most_rows`.

    Nothing is sent.
    """
    try:
        profile = Profile.model_validate(document)
    except ValidationError as error:
        return Trial(stop="\n".join(mistakes.lines(error, Profile)))
    read_sheet = sample.options.read_sheet
    dry_run = DryRun(profile, now, list_all=True, most_rows=most_rows, read_sheet=read_sheet)
    trial = Trial(profile, totals=dry_run.totals)
    with sample.file.open("rb") as stream:
        for chunk in dry_run.read(stream):
            if dry_run.plan is not None:
                _add(trial, dry_run.plan, chunk)
    if dry_run.stop is not None:
        code = lookup(dry_run.stop.code)
        trial.stop = f"{code.meaning} ({on_terminal(dry_run.stop.detail)})\n{code.action}"
    if dry_run.table is not None:
        trial.footer = len(dry_run.table.footer)
        trial.skipped -= trial.footer
    codes = {note: lookup(note.code) for note in dry_run.notes()}
    trial.notes = [note for note, code in codes.items() if code.needs_look or code.needs_profile]
    return trial


def _add(trial: Trial, plan: Plan, chunk: DryChunk) -> None:
    """Count the rows of a chunk."""
    selected = plan.selection.select(chunk.rows)
    rows = {line_of(row): (number, row) for row, number in selected.numbered()}
    for outcome in chunk.outcomes.listed:
        if outcome.outcome == "ok":
            entry, (line, cells, *_) = rows[outcome.line]
            is_first = entry not in trial.sent
            trial.sent[entry].add_row(outcome)
            _note_order(trial, entry, line, chunk.records[line])
            if is_first or len(trial.kept) < _MAX_KEPT:
                fields = plan.header.entries[entry].fields
                named = {name: cells[plan.places[column]] for name, column in fields.items()}
                trial.kept.append(SentRow(line, entry, named, chunk.records[line]))
        elif outcome.errors:
            key = outcome.outcome, outcome.errors[0].code
            trial.refused.setdefault(key, []).append(outcome.line)
        else:
            trial.skipped += 1


def _note_order(trial: Trial, entry: int, line: int, record: Record) -> None:
    if isinstance(record, Conversion) and record.order_id:
        trial.orders[record.action_id, record.order_id] = line
    elif isinstance(record, Adjustment):
        order = record.action_id, record.order_id or ""
        trial.corrected[entry].append((order, line))
