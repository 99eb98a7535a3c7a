"""What a run would do with the file and the answers so far, by the rules of a run.

rows ──▶ left out, column by column ──▶ refused, by code ──▶ conversions, by entry
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from lib.cli.dry_run import DryChunk, DryRun
from lib.config.profile import Profile
from lib.model.money import Sum, add_sums
from lib.model.outcomes import Problem, RowOutcome
from lib.model.records import Adjustment, Record, Row
from lib.rules.rows import FOOTER, RowSelection
from lib.run.plan import Plan

_KEPT: Final = 200
"""So many rows that would be sent are kept, for samples, and the first one of each entry."""
_LINES_KEPT: Final = 5
_SHOWN: Final = 3


class SentRow(NamedTuple):
    """A row that would be sent: its cells by field, and what Google gets. `entry` is its number."""

    line: int
    entry: int
    cells: Mapping[str, str]
    record: Record

    @property
    def likeness(self) -> tuple[object, ...]:
        """Rows that are alike have the same entry, currency, consent and kinds of identifiers."""
        if isinstance(self.record, Adjustment):
            return (self.entry,)
        filled = (name for name in ("gclid", "email", "phone") if self.cells.get(name))
        return (self.entry, self.record.currency_code, self.record.ad_user_data, *filled)


@dataclass(slots=True)
class Refused:
    """Rows that the rules refuse for one reason: their number, and the first lines."""

    rows: int = 0
    lines: list[int] = field(default_factory=list)
    columns: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Trial:
    """What would happen to the rows. `stop`: why the whole file would be stopped."""

    profile: Profile
    stop: Problem | None = None
    rows: int = 0
    footer: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    """Column of `skip` → rows that it leaves out, if the columns before it do not."""
    refused: dict[tuple[str, str], Refused] = field(default_factory=dict)
    """(outcome, code) → rows."""
    warned: Counter[str] = field(default_factory=Counter)
    """Code of a warning → rows that would be sent all the same."""
    sent: Counter[int] = field(default_factory=Counter)
    """Number of an entry → rows that would be sent."""
    sums: dict[int, dict[str, Sum]] = field(default_factory=dict)
    """Number of an entry → the sum of its values by currency."""
    kept: list[SentRow] = field(default_factory=list)
    unused: Sequence[str] = ()
    """The columns of the file that nothing is read from."""

    def differing(self) -> list[SentRow]:
        """Return three rows that differ, at least one of each entry, and then the dearest."""
        alike: dict[tuple[object, ...], SentRow] = {}
        for row in self.kept:
            alike.setdefault(row.likeness, row)
        dearest = sorted(self.kept, key=lambda row: -(row.record.value or 0))
        kinds = {row.entry: row for row in reversed(alike.values())}
        found = {row.line: row for row in (*kinds.values(), *alike.values(), *dearest)}
        return [*found.values()][: max(_SHOWN, len(kinds))]


def try_out(file: Path, profile: Profile, now: datetime) -> Trial:
    """Read the whole file as a run that starts at `now` would. Nothing is sent."""
    trial, dry_run = Trial(profile), DryRun(profile, now, list_all=True)
    with file.open("rb") as stream:
        for chunk in dry_run.read(stream):
            if dry_run.plan is not None:
                _add(trial, dry_run.plan, chunk)
    trial.stop = dry_run.stop
    if dry_run.table is not None and dry_run.header is not None:
        trial.footer = len(dry_run.table.footer)
        used = dry_run.header.used_columns
        names = enumerate(dry_run.table.header)
        trial.unused = [name for column, name in names if name and column not in used]
    return trial


def _add(trial: Trial, plan: Plan, chunk: DryChunk) -> None:
    """Count the rows of a chunk."""
    trial.rows += len(chunk.rows)
    trial.skipped.update(dict(_skipped_by_column(trial.profile, plan, chunk.rows)))
    selected = plan.selection.select(chunk.rows)
    numbers = selected.entries or [0] * len(selected.rows)
    rows = {row[0]: (number, row) for row, number in zip(selected.rows, numbers, strict=True)}
    for outcome in chunk.outcomes.listed:
        if outcome.outcome == "ok":
            entry, row = rows[outcome.line]
            trial.sent[entry] += 1
            trial.warned.update({problem.code for problem in outcome.warnings})
            if outcome.sums:
                add_sums(trial.sums.setdefault(entry, {}), outcome.sums)
            if len(trial.kept) < _KEPT or trial.sent[entry] == 1:
                fields = plan.header.entries[entry].fields
                cells = {name: row[1][plan.places[column]] for name, column in fields.items()}
                trial.kept.append(SentRow(row[0], entry, cells, chunk.records[row[0]]))
        elif outcome.outcome != "skipped" or outcome.errors:
            _add_refused(trial, plan, outcome)


def _skipped_by_column(
    profile: Profile, plan: Plan, chunk: Sequence[Row]
) -> Iterator[tuple[str, int]]:
    """Yield the columns of `skip`, each with the rows that the columns before it leave in."""
    rows = [row for row in chunk if row[2] != FOOTER]
    before = 0
    places = {name: plan.places[column] for name, column in plan.header.of_values.items()}
    conditions = [entry.rows for entry in profile.entries]
    names = [*profile.skip]
    for end in range(1, len(names) + 1):
        first = {name: profile.skip[name] for name in names[:end]}
        skipped = len(RowSelection(first, conditions, places).select(rows).skipped)
        yield names[end - 1], skipped - before
        before = skipped


def _add_refused(trial: Trial, plan: Plan, row: RowOutcome) -> None:
    code = row.errors[0].code if row.errors else ""
    refused = trial.refused.setdefault((row.outcome, code), Refused())
    refused.rows += 1
    if len(refused.lines) < _LINES_KEPT:
        refused.lines.append(row.line)
    for problem in row.errors:
        if problem.field:
            refused.columns[plan.header.names.get(problem.field, problem.field)] = None
