"""`python -m lib check`: its output and its exit codes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib.catalogue.codes import lookup
from lib.catalogue.texts import first_sentence
from tests.cli.validating import BASE, NOW, csv_of, row, run_check
from tests.results_schema import check_results

ROOT = Path(__file__).parents[2]
INVALID_DATE = lookup("INVALID_DATE")
GOOD = csv_of(row())
BAD = csv_of(row(), row(gclid="Cj0KCQiAexample0002", conversion_date_time="yesterday"))


def test_a_valid_file_exits_with_0_and_shows_how_it_was_read(file: Any) -> None:
    """A valid file exits with 0, and its encoding, delimiter, columns and counts are shown."""
    result = run_check(
        file(
            "Google Click ID;Conversion Name;Conversion Time\nCj0KCQiA0001;Deal;2026-11-20T10:00Z\n"
        )
    )
    assert result.exit_code == 0, result.output
    assert "Encoding utf-8, delimiter semicolon, column names in line 1." in result.output
    assert 'gclid ← "Google Click ID"' in result.output
    assert "1 row: 1 would be sent." in result.output


def test_a_file_with_a_refused_row_exits_with_1_and_names_its_line(file: Any) -> None:
    """The output shows the code, line, meaning and action of a refused row, but not the value."""
    result = run_check(file(BAD))
    assert result.exit_code == 1
    for text in (
        "INVALID_DATE  rejected  line 3, conversion_date_time\n",
        f"    {first_sentence(INVALID_DATE.meaning)}",
        f"    → {first_sentence(INVALID_DATE.action)}",
        "2 rows: 1 would be sent, 1 would be rejected.",
    ):
        assert text in result.output
    assert "yesterday" not in result.output


def test_corrections_are_counted_apart_from_sales(file: Any) -> None:
    """A refund is no sale, and Google finds it only if its sale was uploaded before."""
    content = "gclid,order_id,conversion_action,conversion_date_time,adjustment_date_time,stage\n"
    for number, stage in enumerate(["won", "won", "refunded"]):
        content += (
            f"Cj0KCQiA000{number},A{number},1001,2026-11-20 09:00Z,2026-11-21 09:00Z,{stage}\n"
        )
    entries = [
        {"rows": {"stage": ["won"]}},
        {"rows": {"stage": ["refunded"]}, "send": "retraction"},
    ]
    profiles = file(json.dumps({"default": {**BASE, "conversions": entries}}), "profiles.json")
    result = run_check("--profiles", profiles, file(content))
    assert result.exit_code == 0, result.output
    assert "3 rows: 2 sales, 1 refund or change would be sent" in result.output
    assert "Google cannot find the sale of a refund or change if it was never" in result.output


def test_a_new_value_of_an_unknown_sale_may_be_a_new_conversion(file: Any) -> None:
    """The Data Manager API gets the sale again, and counts one that it does not know."""
    content = "gclid,order_id,conversion_date_time,adjustment_date_time,adjusted_value\n"
    content += "Cj0KCQiA0001,A1,2026-11-20 09:00Z,2026-11-21 09:00Z,5.00\n"
    more = {"destination": "data_manager", "action": "7155501002", "currency_code": "USD"}
    profile = {**BASE, **more, "conversions": [{"send": "restatement"}]}
    profiles = file(json.dumps({"default": profile}), "profiles.json")
    result = run_check("--profiles", profiles, file(content))
    assert "1 refund or change would be sent" in result.output
    assert "never uploaded becomes a new conversion" in result.output


def test_a_warning_is_called_one(file: Any) -> None:
    """Whether its row is sent depends on the rest of the row."""
    beside = row(gclid="organic", email="buyer@example.com")
    for rows in ([row(gclid="organic")], [row(gclid="organic"), beside]):
        assert "INVALID_CLICK_ID  warning  " in run_check(file(csv_of(*rows))).output


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(50), b"a,b\n1,2\n"])
def test_a_file_that_cannot_be_used_exits_with_1(file: Any, content: bytes) -> None:
    """An unusable file exits with 1, and the output states that it is refused."""
    result = run_check(file(content))
    assert result.exit_code == 1
    assert "file stopped" in result.output


def test_one_bad_file_of_several_exits_with_1(file: Any) -> None:
    """One bad file sets the exit code to 1, and all files are checked."""
    result = run_check(file(BAD, "bad.csv"), file(GOOD, "good.csv"))
    assert result.exit_code == 1
    assert "bad.csv" in result.output
    assert "1 row: 1 would be sent." in result.output


def test_warnings_and_repeats_refuse_nothing(file: Any) -> None:
    """The exit code is 0, because every conversion would be sent once."""
    result = run_check(file(csv_of(row(email="nobody"), row())))
    assert result.exit_code == 0
    assert "1 would be sent, 1 would be duplicate, 1 with a warning" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--profile", "shop", "{file}"],
        ["--profiles", "{profiles}", "--profile", "nobody", "{file}"],
        ["--profiles", "{profiles}", "--profile", "wrong", "{file}"],
        ["--profiles", "{file}", "{file}"],
        ["--now", "soon", "{file}"],
        ["--all-rows", "{file}"],
    ],
)
def test_a_mistake_in_the_command_exits_with_2(file: Any, arguments: list[str]) -> None:
    """A mistake in the command exits with 2, and no file is checked."""
    profiles = {
        "default": {"destination": "google_ads"},
        "wrong": {"destination": "google_ads", "customer_id": "none", "time_zone": "Mars/Base"},
    }
    names = {"file": file(GOOD), "profiles": file(json.dumps(profiles), "profiles.json")}
    result = run_check(*[argument.format(**names) for argument in arguments])
    assert result.exit_code == 2
    assert "row" not in result.stdout
    if "wrong" in arguments:
        assert "customer_id" in result.stderr
        assert "time_zone" in result.stderr


def test_the_row_filter_of_a_profile_is_used(file: Any) -> None:
    """Rows that do not count are skipped, and do not change the exit code."""
    profile = {
        "destination": "google_ads",
        "customer_id": "1234567890",
        "expect": "any time",
        "value": "action_default",
        "conversions": [{"rows": {"stage": ["won"]}}],
        "skip": {"stage": ["lost"], "Kind": "Test"},
    }
    profiles = file(json.dumps({"crm": profile}), "profiles.json")
    rows = [("Won", "New"), ("Lost", "New"), ("Won", "test")]
    data = file(csv_of(*(row(Stage=stage, Kind=kind) for stage, kind in rows)))
    result = run_check("--profiles", profiles, "--profile", "crm", data)
    assert result.exit_code == 0, result.output
    assert "3 rows: 1 would be sent, 2 would be skipped." in result.output


def test_json_is_the_results_document(file: Any) -> None:
    """`--json` prints the results document, with `ok` for rows that would be sent."""
    result = run_check("--json", file(BAD))
    assert result.exit_code == 1
    document = check_results(json.loads(result.stdout))
    assert (document["counts"]["ok"], document["counts"]["rejected"]) == (1, 1)
    assert [(each["line"], each["outcome"]) for each in document["rows"]] == [(3, "rejected")]
    assert [each["record"] for each in document["rows"]] == [2]
    assert document["columns"]["conversion_date_time"] == "conversion_date_time"


def test_json_can_list_every_row(file: Any) -> None:
    """`--all-rows` lists every row, as LIST_ALL_ROWS does in the function."""
    document = check_results(json.loads(run_check("--json", "--all-rows", file(BAD)).stdout))
    assert [each["outcome"] for each in document["rows"]] == ["ok", "rejected"]


def test_json_of_several_files_is_one_document_after_another(file: Any) -> None:
    """Several files give consecutive complete documents, which jq can read."""
    output = run_check("--json", file(GOOD, "a.csv"), file(BAD, "b.csv")).stdout
    first, end = json.JSONDecoder().raw_decode(output)
    second = json.loads(output[end:])
    assert [each["source"]["name"][-5:] for each in (first, second)] == ["a.csv", "b.csv"]
    for document in (first, second):
        check_results(document)


def test_rows_before_the_damage_have_their_outcomes(file: Any) -> None:
    """The readable rows of a truncated gzip file are validated, and the file is refused."""
    rows = csv_of(*[row(gclid=f"Cj0KCQiAexample{n:06}") for n in range(20_000)])
    packed = gzip.compress(rows)
    document = json.loads(
        run_check("--json", file(packed[: len(packed) // 2], "cut.csv.gz")).stdout
    )
    check_results(document)
    assert document["file_error"]["code"] == "CORRUPT_FILE"
    assert 2_000 < document["counts"]["ok"] < 20_000


@pytest.mark.parametrize(
    "name, reported",
    [
        ("export.ods", "not accept the name of this file: a workbook of another format"),
        ("export.csv.1", "not accept the name of this file: an unknown format"),
        ("export.csv.part", "ignore this file: still being written"),
        (".export.csv", "ignore this file: hidden or lock file"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_name_that_the_function_would_not_open_fails(
    file: Any, name: str, reported: str, options: list[str]
) -> None:
    """A wrong name is reported on stderr, and the file is checked nevertheless."""
    result = run_check(*options, file(GOOD, name))
    assert result.exit_code == 1
    assert f"{name}: the function would {reported}" in result.stderr
    assert ('"ok": 1' if options else "1 would be sent") in result.stdout


def test_the_check_imports_no_google_client() -> None:
    """The check imports no Google client, because that takes longer than checking a file."""
    program = (
        "import sys; from lib.cli.commands import main\n"
        "try: main(['check', '--profiles', 'examples/profiles/google.json', '--profile',"
        " 'google', '--now', '2026-11-24',"
        " 'examples/google_template.csv'])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print([m for m in sys.modules if m.startswith(('google.ads', 'google.api', 'grpc',"
        " 'google.cloud.storage', 'flask', 'functions_framework'))])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_whole_check_is_at_the_time_of_now(file: Any) -> None:
    """`--now` says when the check begins and when it ends, so its results are always the same."""
    document = json.loads(run_check("--json", file(csv_of(row()))).stdout)
    assert document["started_at"] == document["finished_at"] == NOW.isoformat()


@pytest.mark.parametrize(("shared", "is_said"), [(85, True), (70, False)])
def test_one_person_of_a_long_file_is_found(
    shared: int, is_said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only some people are counted at a time, and whoever is in most rows is among them."""
    monkeypatch.setattr("lib.cli.file_notes._MAX_PEOPLE", 10)
    monkeypatch.setattr("lib.run.chunks.CHUNK_ROWS", 5)
    path = tmp_path / "long.csv"
    emails = [f"buyer-{n}@example.com" for n in range(100 - shared)]
    emails += ["shop@example.com"] * shared
    path.write_bytes(
        csv_of(
            *(
                row(gclid=f"Cj0KCQiAexample{n:04}", order_id=f"L-{n}", email=email)
                for n, email in enumerate(emails)
            )
        )
    )
    done = run_check(path, "--json")
    assert ("SAME_PERSON" in {note["code"] for note in json.loads(done.stdout)["notes"]}) == is_said
