"""Whether the report and the overview say the same of each file."""

from __future__ import annotations

import io

from lib.results.findings import Findings, ListedRow
from lib.results.names import results_name
from lib.results.reading import read_results
from lib.results.sentences import Headline, headline_of, headline_of_results
from lib.state.runs import RunEntry
from tests.histories.history import History


def verify_faces(history: History) -> None:
    """Compare what the results document says of a file with what a listing shows of its run.

    An attempt that works, or that ended early, may have written only one of them.
    """
    world = history.platform.world
    for entry in world.context.runs.entries():
        if not isinstance(entry, RunEntry) or not entry.is_published or entry.cause:
            continue
        saved = world.context.runs.read(entry.key)
        name = results_name(entry.name, entry.generation)
        content, _ = world.store.objects.get((world.settings.output_bucket, name), (b"", None))
        if not content or saved is None or saved.run.state == "working":
            continue
        listed = headline_of(
            entry.totals,
            entry.looks,
            stop=entry.stop,
            is_superseded=entry.superseded,
            is_check=entry.validate_only,
        )
        reported = _reported(content)
        history.expect(listed == reported, f"{entry.name}: {listed} beside {reported}")


def _reported(results: bytes) -> Headline:
    """Return what the report says of a results document."""
    head, rows = read_results(io.BytesIO(results))
    findings = Findings()
    for row in rows:
        findings.add_row(ListedRow(row.record, row.as_outcome()))
    return headline_of_results(head, findings)
