"""Results in BigQuery: its columns are those of the messages, and its views fit the documents."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from lib.run.deliver import process_object
from tests.fakes import START, world
from tests.results_schema import MESSAGE_SCHEMA
from tests.rows import core_row, csv_bytes
from tests.terraform.conftest import ROOT, TERRAFORM

Values = dict[str, list[Any]]
TYPES = {"string": "STRING", "integer": "INT64", "object": "RECORD"}
PAGE = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")


def columns(schema: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """Name → type of the fields of an object in a JSON schema, and the fields inside."""
    found = {}
    for name, field in schema["properties"].items():
        kinds = {field["type"]} if isinstance(field["type"], str) else set(field["type"]) - {"null"}
        inner = columns(field) if field.get("properties") else None
        found[name] = (TYPES[kinds.pop()], inner)
    return found


def declared(fields: list[dict[str, Any]]) -> dict[str, tuple[str, Any]]:
    """The same, for the columns of a table."""
    return {
        each["name"]: (each["type"], declared(each["fields"]) if each.get("fields") else None)
        for each in fields
    }


def test_the_table_has_the_fields_of_a_message(all_on: Values) -> None:
    """Each field has its type, required fields are required, and Pub/Sub's own columns follow."""
    table = next(t for t in all_on["google_bigquery_table"] if t["table_id"] == "messages")
    fields = json.loads(table["schema"])
    added = {"subscription_name", "message_id", "publish_time", "attributes"}
    found = declared(fields)
    assert {k: v for k, v in found.items() if k not in added} == columns(MESSAGE_SCHEMA)
    assert added < set(found)
    # A required column must always be there; a field that may be null or missing is not one.
    assert {f["name"] for f in fields if f["mode"] == "REQUIRED"} == {
        *("bucket", "name", "status", "counts")
    }
    (subscription,) = all_on["google_pubsub_subscription"]
    assert subscription["bigquery_config"] == subscription["bigquery_config"] | {
        "use_table_schema": True,
        "write_metadata": True,
        "drop_unknown_fields": True,
    }


def test_nothing_of_it_exists_by_default(values: Values) -> None:
    """No dataset, no subscription."""
    assert "google_bigquery_dataset" not in values
    assert "google_pubsub_subscription" not in values


def test_each_row_of_a_document_is_a_line() -> None:
    """The lines that the view selects are exactly the listed rows."""
    sql = (TERRAFORM / "warehouse_problems.sql").read_text(encoding="utf-8")
    (start,) = re.findall(r"STARTS_WITH\(TRIM\(text\), '(.+?)'\)", sql)
    google = world()
    time = f"{START - timedelta(days=2):%Y-%m-%d %H:%M:%S}+00:00"
    rows = [core_row(n, conversion_date_time=time) for n in range(1, 6)]
    rows[1]["phone"] = "12"
    rows[2]["conversion_date_time"] = "yesterday"
    rows[3]["order_id"] = '{"line": 9}, "\x01'
    rows[3]["conversion_value"] = "much"
    google.store.put("in-bucket", "a.csv", csv_bytes(rows))
    source = google.store.stored("in-bucket", "a.csv")
    process_object(source, START, google.context, time_limit_seconds=540, max_age=timedelta(1))
    (text,) = [
        data for (_, name), (data, *_) in google.store.objects.items() if ".results.j" in name
    ]
    lines = [line.strip().rstrip(",") for line in text.decode().splitlines()]
    selected = [json.loads(line) for line in lines if line.startswith(start)]
    assert selected == json.loads(text)["rows"]
    assert len(selected) == 3
    fields = set(re.findall(r"JSON_VALUE\(item, '\$\.(\w+)'\)", sql))
    assert fields | {"errors", "warnings"} == set(selected[0])
    inner = set(re.findall(r"JSON_VALUE\(problem, '\$\.(\w+)'\)", sql))
    assert inner <= set(selected[0]["warnings"][0])


def test_the_page_has_the_columns_of_the_views() -> None:
    """Each view's columns are on the page, and its queries use no others."""
    for view in ("files", "problems"):
        sql = (TERRAFORM / f"warehouse_{view}.sql").read_text(encoding="utf-8")
        first = sql.split("FROM")[0 if view == "files" else 1].split("SELECT")[-1]
        names = re.findall(r"(?:AS )?(\w+),?\n", first)
        (row,) = re.findall(rf"^\| `{view}` \| .*? \| (.*) \|$", PAGE, re.M)
        assert set(names) <= set(re.findall(r"`(\w+)`", row)), view
        assert f"FROM conversions.{view}\n" in PAGE
