"""Files as BigQuery's EXPORT DATA writes them: in shards, compressed, with a header in each."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from lib.rules.fields import BY_NAME
from tests.fakes import World, deliver, results, world

FOLDER = Path(__file__).parents[2] / "terraform" / "examples" / "bigquery"
QUERY = (FOLDER / "export_conversions.sql").read_text("utf-8")
HEADER = "gclid,email,phone,order_id,conversion_date_time,conversion_value,currency_code"


def world_of_deals() -> World:
    """Return a world whose profile has what the files lack: a conversion action."""
    google = world()
    google.profiles["default"] |= {"action": "1001", "value": "action_default"}
    return google


def counts_of(google: World, name: str, *rows: str) -> dict[str, int]:
    """Deliver a shard and return the counts of its results."""
    deliver(google, name, gzip.compress("\n".join((HEADER, *rows, "")).encode()))
    counts: dict[str, int] = results(google, name)["counts"]
    return counts


def test_the_query_writes_the_columns_that_the_function_reads() -> None:
    """Its columns are fields, and the files are what the test below delivers."""
    columns = re.findall(r"^  (?:\w+ AS )?(\w+),?$", QUERY.partition("SELECT")[2], re.M)
    assert ",".join(columns) == HEADER
    assert set(columns) <= BY_NAME.keys()
    assert "format = 'CSV', compression = 'GZIP', header = true" in QUERY
    named = set(re.findall(r"\$\{(\w+)\}", QUERY))
    assert named == set(re.findall(r"^      (\w+) +=", (FOLDER / "main.tf").read_text(), re.M))


@pytest.mark.parametrize("fraction", ["", ".5", ".123", ".123456"])
def test_every_form_of_a_timestamp_is_read(fraction: str) -> None:
    """BigQuery writes as many decimals as the value has."""
    google = world_of_deals()
    when = f"{google.clock.utc():%Y-%m-%d} 00:00:00{fraction} UTC"
    row = f"Cj0KCQiAexample0001,ada@example.com,+12125550100,D-1,{when},1200.5,USD"
    assert counts_of(google, "deals-000000000000.csv.gz", row)["uploaded"] == 1


def test_each_shard_is_a_file_of_its_own() -> None:
    """Also one that has no rows."""
    google = world_of_deals()
    when = f"{google.clock.utc():%Y-%m-%d} 00:00:00 UTC"
    row = f"Cj0KCQiAexample0001,,,D-1,{when},10,USD"
    other = f",ada@example.com,,D-2,{when},,"
    assert counts_of(google, "deals-000000000000.csv.gz", row)["uploaded"] == 1
    assert counts_of(google, "deals-000000000001.csv.gz", other)["uploaded"] == 1
    assert counts_of(google, "deals-000000000002.csv.gz")["rows"] == 0
    assert google.api.counted == ["D-1", "D-2"]
