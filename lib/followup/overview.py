"""Writes the overview of all files, `index.html` in the output bucket. Only the sweep does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from lib.errors import RetryableError
from lib.results.document import PAGE
from lib.results.overview import latest_files, render_overview
from lib.run.context import RunContext
from lib.state.output import OVERVIEW
from lib.state.store import LabelledObject

_DIGEST = "digest"


@dataclass(slots=True)
class _Existing:
    """The overview that the listing has met. Its generation is 0 if there is none."""

    generation: int = 0
    digest: str = ""

    def met_in(self, objects: Iterator[LabelledObject]) -> Iterator[LabelledObject]:
        for each in objects:
            if each.name == OVERVIEW:
                self.generation, self.digest = each.generation, each.metadata.get(_DIGEST, "")
            yield each


def write_overview(context: RunContext) -> None:
    """Write the overview, if it has changed.

    It is made of one listing, and replaces only the version that this listing has met. So if two
    sweeps write, the one with the older listing is refused. A failure costs no file anything: the
    next sweep writes the overview.
    """
    bucket = context.settings.output_bucket
    existing = _Existing()
    try:
        files = latest_files(existing.met_in(context.store.list_labelled(bucket)))
        page = render_overview(bucket, files).encode()
        digest = hashlib.sha256(page).hexdigest()
        if digest == existing.digest or not files:
            return
        label = PAGE._replace(metadata={_DIGEST: digest})
        context.store.write(
            bucket, OVERVIEW, page, if_generation_match=existing.generation, label=label
        )
    except RetryableError as error:
        context.log.warning("overview_not_written", code=error.code, detail=error.detail)
