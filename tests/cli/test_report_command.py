"""`python -m lib report`: the report of a results document on a disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lib.cli.commands import main
from tests.results.test_report import example, report


def test_the_report_of_a_document_lies_beside_it(tmp_path: Path) -> None:
    """Without -o, the page has the document's name; it is the page that the function writes."""
    results = tmp_path / "deals.csv.1.results.json"
    results.write_text(json.dumps(example()), "utf-8")
    done = CliRunner().invoke(main, ["report", str(results)])
    assert done.exit_code == 0
    page = tmp_path / "deals.csv.1.results.html"
    assert page.read_text("utf-8") == report(example())
    assert str(page) in done.output


def test_a_document_can_come_from_standard_input(tmp_path: Path) -> None:
    """`-` reads standard input, so that `check --json` can be piped into it."""
    page = tmp_path / "page.html"
    done = CliRunner().invoke(main, ["report", "-", "-o", str(page)], json.dumps(example()))
    assert done.exit_code == 0
    assert "<!doctype html>" in page.read_text("utf-8")


DAMAGED = (
    *(b'{"profile": "\xff"}', b"[" * 200_000, b'{"profile": ' + b"[" * 200_000),
    *(json.dumps(example() | {key: []}).encode() for key in ("columns", "codes", "money")),
    *(
        json.dumps(example() | {"counts": example()["counts"] | counts}).encode()
        for counts in ({"rejected": -1}, {"uploaded": 1, "rejected": -1})
    ),
    json.dumps(example() | {"processing": {"status": "finished"}}).encode(),
)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"schema_version": 3}', b"no JSON", *DAMAGED]
)
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no results document gets one sentence, and no page."""
    results = tmp_path / "a.json"
    results.write_bytes(content)
    done = CliRunner().invoke(main, ["report", str(results)])
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert "is no results document that this version reads" in done.output
    assert not (tmp_path / "a.html").exists()


def test_the_page_does_not_replace_its_document(tmp_path: Path) -> None:
    """Whatever the document is called."""
    results = tmp_path / "results.html"
    results.write_text(json.dumps(example()), "utf-8")
    done = CliRunner().invoke(main, ["report", str(results)])
    assert (done.exit_code, "is RESULTS. Name another file" in done.stderr) == (2, True)
    assert results.read_text("utf-8") == json.dumps(example())


def test_a_link_is_replaced_and_not_what_it_leads_to(tmp_path: Path) -> None:
    """It may lead to an export."""
    results, export, page = (tmp_path / name for name in ("a.json", "export.csv", "a.html"))
    results.write_text(json.dumps(example()), "utf-8")
    export.write_text("Email\n", "utf-8")
    page.symlink_to(export)
    assert CliRunner().invoke(main, ["report", str(results)]).exit_code == 0
    assert export.read_text("utf-8") == "Email\n"
    assert page.read_text("utf-8") == report(example())


def test_the_page_replaces_nothing_else_than_pages(tmp_path: Path) -> None:
    """A slip in the order of the names is an error (exit code 2), and nothing is written."""
    results = tmp_path / "a.json"
    results.write_text(json.dumps(example()), "utf-8")
    done = CliRunner().invoke(main, ["report", str(results), "-o", str(results)])
    assert (done.exit_code, "must end in .html" in done.stderr) == (2, True)
    assert json.loads(results.read_text("utf-8")) == json.loads(json.dumps(example()))
