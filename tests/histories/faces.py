"""Whether the report and the overview say the same of each file."""

from __future__ import annotations

import io

from lib.results.names import results_name
from lib.results.overview import headline_of_entry
from lib.results.report import read_findings
from lib.results.sentences import headline_of_results
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
        listed = headline_of_entry(entry)
        reported = headline_of_results(*read_findings(io.BytesIO(content)))
        history.expect(listed == reported, f"{entry.name}: {listed} beside {reported}")
