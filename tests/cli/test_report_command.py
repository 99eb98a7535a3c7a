"""`python -m lib report`: the report of a results document on a disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.validating import run
from tests.results.test_report import example, report


def test_the_report_of_a_document_lies_beside_it(tmp_path: Path) -> None:
    """Without -o, the page has the document's name; it is the page that the function writes."""
    results = tmp_path / "deals.csv.1.results.json"
    results.write_text(json.dumps(example()), "utf-8")
    done = run("report", results)
    assert done.exit_code == 0
    page = tmp_path / "deals.csv.1.results.html"
    assert page.read_text("utf-8") == report(example())
    assert str(page) in done.output


def test_a_document_can_come_from_standard_input(tmp_path: Path) -> None:
    """`-` reads standard input, so that `check --json` can be piped into it."""
    page = tmp_path / "page.html"
    done = run("report", "-", "-o", page, stdin=json.dumps(example()).encode())
    assert done.exit_code == 0
    assert "<!doctype html>" in page.read_text("utf-8")


DAMAGED = (
    *(b'{"profile": "\xff"}', b"[" * 200_000, b'{"profile": ' + b"[" * 200_000),
    *(json.dumps(example() | {key: []}).encode() for key in ("columns", "codes", "money")),
    *(
        json.dumps(example() | {"counts": example()["counts"] | counts}).encode()
        for counts in ({"rejected": -1}, {"uploaded": 1, "rejected": -1})
    ),
    *(
        json.dumps(example() | changes).encode()
        for changes in (
            *({"schema_version": 1}, {"codes": {}}, {"counts": {"rows": -1}}),
            {"processing": {"status": "finished"}},
        )
    ),
)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"schema_version": 3}', b"no JSON", *DAMAGED]
)
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no results document gets one sentence, and no page."""
    results = tmp_path / "a.json"
    results.write_bytes(content)
    done = run("report", results)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert "is no results document that this version reads" in done.output
    assert not (tmp_path / "a.html").exists()


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        pytest.param("a.html", [], "is RESULTS. Name another file", id="its document"),
        pytest.param("a.json", ["-o", "a.json"], "must end in .html", id="a slip in the names"),
    ],
)
def test_the_page_replaces_nothing_else_than_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: list[str], said: str
) -> None:
    """It is an error (exit code 2), and nothing is written."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(json.dumps(example()), "utf-8")
    done = run("report", name, *options)
    assert (done.exit_code, said in done.stderr) == (2, True)
    assert json.loads(Path(name).read_text("utf-8")) == example()


def test_a_link_is_replaced_and_not_what_it_leads_to(tmp_path: Path) -> None:
    """It may lead to an export."""
    results, export, page = (tmp_path / name for name in ("a.json", "export.csv", "a.html"))
    results.write_text(json.dumps(example()), "utf-8")
    export.write_text("Email\n", "utf-8")
    page.symlink_to(export)
    assert run("report", results).exit_code == 0
    assert export.read_text("utf-8") == "Email\n"
    assert page.read_text("utf-8") == report(example())
