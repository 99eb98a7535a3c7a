"""What a results document says about the place of a row, and how little it repeats."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from lib.cli.check import check
from lib.config.profile import Profile
from lib.model.chunk_outcomes import ChunkOutcomes, RecordLines
from lib.model.records import Row
from lib.results.document import results_document
from lib.run.chunks import chunks_of
from lib.state.runs import ChunkSize
from lib.state.store import StoredObject
from tests.results_schema import check_results

HEADER = "gclid,conversion_action,conversion_date_time,comment"
PROFILE = Profile.model_validate(
    {"destination": "google_ads", "customer_id": "1234567890", "value": 1, "currency_code": "USD"}
)


def checked(*lines: str) -> tuple[dict[str, Any], bytes]:
    """Return the document of a file with these lines, all rows listed, and its bytes."""
    content = "\n".join([HEADER, *lines]).encode()
    source = StoredObject("", "export.csv", 1, len(content))
    reports: list[ChunkOutcomes] = []
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    result = check(BytesIO(content), source, "default", PROFILE, now, reports.append, list_all=True)
    text = b"".join(results_document(result.summary, reports))
    return check_results(json.loads(text)), text


def test_a_record_is_the_number_of_the_data_row() -> None:
    """Blank lines, rows of several lines and lines above the header shift the line only."""
    document, _ = checked(
        "Cj0KCQiAexample1,1001,2026-11-20 10:00:00Z,",  # 2
        "",  # 3
        'Cj0KCQiAexample2,1001,2026-11-20 10:00:00Z,"two',  # 4
        'lines"',  # 5
        " , , , ",  # 6
        "Cj0KCQiAexample3,1001,tomorrow,",  # 7
    )
    found = [(row["line"], row["record"], row["outcome"]) for row in document["rows"]]
    assert found == [(2, 1, "ok"), (4, 2, "ok"), (7, 3, "rejected")]


def test_records_are_counted_through_all_chunks() -> None:
    """The first record of a chunk follows the last one of the chunk before it."""
    records: list[Row] = [(line, [], None, 10) for line in (2, 3, 5, 9, 10)]
    chunks = [each.record_lines for each in chunks_of(records, ChunkSize(2, 1_000, 0), 1)]
    assert chunks == [
        RecordLines(1, ((2, 3),)),
        RecordLines(3, ((5, 5), (9, 9))),
        RecordLines(5, ((10, 10),)),
    ]
    assert [number for each in chunks for number in each.numbers().items()] == [
        *((2, 1), (3, 2), (5, 3), (9, 4), (10, 5))
    ]


def test_texts_stand_once() -> None:
    """However many rows have a problem, its meaning and its action stand in `codes` alone."""
    line = "Cj0KCQiAexample{:06d},1001,tomorrow,"
    document, text = checked(*(line.format(number) for number in range(500)))
    texts = Counter(
        {
            part: text.count(json.dumps(document["codes"]["INVALID_DATE"][part])[1:-1].encode())
            for part in ("meaning", "action")
        }
    )
    assert texts == {"meaning": 1, "action": 1}
    assert len(text) < 500 * 200
