"""`check_results` checks every results document in every test: schema, sums, order, codes."""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import jsonschema_rs

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "results.schema.json").read_text("utf-8"))
_VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
_checked: set[str] = set()
OUTCOMES = SCHEMA["$defs"]["row"]["properties"]["outcome"]["enum"]


def check_results(document: dict[str, Any]) -> dict[str, Any]:
    """Assert that the document is valid and consistent, and return it.

    In addition to the schema: the outcomes add up to the number of rows, lines and records ascend,
    each row has one outcome, the listed rows match the counts and the money (`uploaded`, `ok` and
    `skipped` rows need not be listed), and `codes` counts each code as often as it occurs in the
    document.
    """
    # Tests read the same document many times while they wait.
    text = json.dumps(document)
    if text in _checked:
        return document
    _VALIDATOR.validate(document)
    counts, rows = document["counts"], document["rows"]
    assert sum(counts.get(outcome, 0) for outcome in OUTCOMES) == counts["rows"]
    lines = [row["line"] for row in rows]
    assert lines == sorted(set(lines)), "rows ascend, one outcome a line"

    listed = Counter(row["outcome"] for row in rows)
    for outcome in OUTCOMES:
        if outcome in ("uploaded", "ok", "skipped"):
            assert listed[outcome] <= counts.get(outcome, 0)
        else:
            assert listed[outcome] == counts.get(outcome, 0), outcome
    assert sum(bool(row["warnings"]) for row in rows) == counts["warnings"]
    assert not (counts["uploaded"] and document["validate_only"])

    check_money(document["money"], counts, rows)
    of_rows = [{each["code"] for each in row["errors"] + row["warnings"]} for row in rows]
    of_file = [*document["notes"], *filter(None, [document["file_error"]])]
    met = Counter([*chain(*of_rows), *(each["code"] for each in of_file)])
    assert {code: entry["count"] for code, entry in document["codes"].items()} == met
    frequencies = [entry["count"] for entry in document["codes"].values()]
    assert frequencies == sorted(frequencies, reverse=True)
    records = [row["record"] for row in rows]
    assert records == sorted(set(records)), "records ascend"
    if document["status"] in ("completed", "waiting"):
        # Of other files, a part may never have been read: the first chunk, but not the second.
        assert not records or records[-1] <= counts["rows"]

    status = document["status"]
    assert (status == "waiting") == bool(counts["deferred"])
    assert status == "waiting" or (status == "stopped") == (document["file_error"] is not None)
    later = {"awaiting", "unmatched"} & counts.keys()
    assert len(later) == (2 if "status" in document.get("processing", {}) else 0)
    unnamed = sum(document.get("unnamed", {}).values())
    assert counts.get("awaiting", 0) + unnamed <= counts["uploaded"]
    if later:
        check_processing(document["processing"], counts)
    _checked.add(text)
    return document


def check_money(money: dict[str, Any], counts: dict[str, int], rows: list[dict[str, Any]]) -> None:
    """Assert that every row is in a sum or counted apart, and that the sums are of the rows."""
    with_rows = {name for name in OUTCOMES if counts.get(name) and name != "skipped"}
    assert money.keys() == with_rows
    listed: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        if "micros" in row:
            listed.setdefault((row["outcome"], row["currency"]), []).append(row["micros"])
    for outcome, each in money.items():
        of_sums = sum(part["rows"] for part in each["sums"].values())
        assert of_sums + each["without_value"] == counts[outcome]
        for currency, part in each["sums"].items():
            found = listed.pop((outcome, currency), [])
            if outcome in ("uploaded", "ok"):
                assert (len(found), sum(found)) <= (part["rows"], part["micros"])
            else:
                assert (len(found), sum(found)) == (part["rows"], part["micros"])
    assert {outcome for outcome, _ in listed} <= {"skipped"}


def check_processing(processing: dict[str, Any], counts: dict[str, int]) -> None:
    """Assert that `processing` agrees with its requests, and with the counts of rows."""
    of_requests = processing["counts"]
    polled = {each["request_id"] for each in processing["requests"]}
    assert len(polled) == of_requests["requests_polled"] <= of_requests["requests"]
    assert counts["awaiting"] + counts["unmatched"] <= counts["uploaded"]
    assert bool(counts["awaiting"]) == bool(of_requests["requests_open"])
    assert (processing["status"] == "finished") == (of_requests["requests_open"] == 0)
    met: Counter[str] = Counter()
    for each in processing["requests"]:
        met.update(each["errors"])
        met.update(each["warnings"])
        met.update([each["code"]] if "code" in each else [])
    assert {code: entry["count"] for code, entry in processing["codes"].items()} == met
    assert counts["unmatched"] <= met.total()


def check_bucket(bucket: Any) -> int:
    """Check every results document in a bucket of the local storage, and return their number."""
    found = [blob for blob in bucket.list_blobs() if blob.name.endswith(".results.json")]
    for blob in found:
        check_results(json.loads(blob.download_as_bytes()))
    return len(found)
