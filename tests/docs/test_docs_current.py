"""The documentation matches the code: names, defaults, and examples that run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest

from lib.catalogue.codes import CATALOGUE
from lib.config.profile import Profile, Send
from lib.config.settings import Settings
from lib.errors import FILE_ERROR_CODES
from lib.model.outcomes import OUTCOMES
from lib.model.spelling import comparable as header_key
from tests.cli.validating import validate
from tests.results_schema import SCHEMA, check_results
from tools.reference import PARTS, with_parts

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ("input.md", "profiles.md", "settings.md", "results.md", "recipes.md")
PAGES_OF_OPERATION = ("alerts.md", "deploy.md", "first-live-run.md", "operate.md", "security.md")
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^\n]+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.S | re.M
)


class Block(NamedTuple):
    """A code block: its page and line, its language, the mark in the comment above it, its text."""

    page: str
    line: int
    kind: str
    mark: str
    text: str


def blocks(*kinds: str) -> list[Block]:
    """The code blocks of these kinds on all pages; without kinds, all code blocks."""
    found = []
    for page in PAGES:
        content = (DOCS / page).read_text("utf-8")
        for match in _BLOCK.finditer(content):
            line = content.count("\n", 0, match.start()) + 1
            found.append(Block(page, line, match["kind"], match["mark"] or "", match["text"]))
    return [block for block in found if not kinds or block.kind in kinds]


def name_of(block: Block) -> str:
    return f"{block.page}:{block.line}"


@pytest.mark.parametrize(
    "page", [*sorted(DOCS.glob("*.md")), DOCS / "results.example.json"], ids=lambda page: page.name
)
def test_what_pages_repeat_from_the_code_is_current(page: Path) -> None:
    """Settings, keys of a profile, columns, codes, log events and open problems."""
    text = page.read_text("utf-8")
    assert with_parts(text) == text, "run make reference"


def test_each_part_is_on_a_page() -> None:
    """Between its two comments, or `make reference` would not find it."""
    text = "".join(page.read_text("utf-8") for page in DOCS.glob("*.md"))
    for mark in ("BEGIN", "END"):
        assert set(re.findall(rf"<!-- {mark} (\w+)", text)) == PARTS.keys()


def test_no_two_fields_share_a_name() -> None:
    """A header name belongs to one field only, or the table of columns would contradict itself."""
    owners: dict[str, str] = {}
    for row in list(PARTS["columns"]())[2:]:
        field = row.split("`")[1]
        for name in re.findall(r"`([^`]+)`", row.replace(" ... ", "")):
            assert owners.setdefault(header_key(name), field) == field, name


def test_every_code_that_the_pages_name_exists() -> None:
    """All codes on the pages are in the catalogue."""
    documented = {
        code
        for page in (*PAGES, *PAGES_OF_OPERATION)
        for code in re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", (DOCS / page).read_text("utf-8"))
    }
    others = set(Settings.variables()) | {
        *(
            "GOOGLE_CLOUD_PROJECT",
            "STORAGE_EMULATOR_HOST",
            "ALL_TRAFFIC",
            "RUNTIME_END",
            "K_REVISION",
        ),
        *("PARTIAL_SUCCESS", "IN_STORE", "GOOGLE_CLICK_ID__C", "UPLOAD_CLICKS"),
        *("NEEDS_ATTENTION", "NO_RECENT_UPLOAD"),  # states in Google's diagnostics
    }
    assert documented - others - set(CATALOGUE) == set()
    assert set(FILE_ERROR_CODES) <= set(CATALOGUE)


def test_every_outcome_and_status_is_explained() -> None:
    """Outcomes have a table row; statuses are in the table that is made from the schema."""
    page = (DOCS / "results.md").read_text("utf-8")
    for name in OUTCOMES:
        assert f"| `{name}` |" in page, name
    for name in SCHEMA["properties"]["status"]["enum"]:
        assert f"`{name}`: " in page, name


def test_everything_that_send_may_say_is_explained() -> None:
    """Each has a row in the table of refunds."""
    page = (DOCS / "profiles.md").read_text("utf-8")
    for name in get_args(Send):
        assert f"| `{name}` |" in page, name


def test_every_block_has_a_kind_that_is_tested() -> None:
    """Every kind of example is covered by a test in this module, commands by test_commands.py."""
    tested = {
        ("console", ""),
        ("csv", "accepted"),
        ("json", "profiles"),
    }
    tested |= {
        ("json", "results"),
        ("sh", "settings"),
    }
    assert {(block.kind, block.mark.partition(":")[0]) for block in blocks()} == tested


@pytest.mark.parametrize("block", blocks("csv"), ids=name_of)
def test_an_example_file_is_validated_as_documented(block: Block) -> None:
    """An example is accepted without errors and warnings."""
    document = validate(block.text.encode())
    assert document["file_error"] is None
    assert document["rows"] == []
    header = next(line for line in block.text.splitlines() if "onversion" in line)
    rows = block.text.partition(header)[2].count("\n") - 1
    assert document["counts"]["ok"] == document["counts"]["rows"] == rows


def _json_blocks(mark: str) -> Iterator[Any]:
    found = [json.loads(block.text) for block in blocks("json") if block.mark == mark]
    assert found
    yield from found


def test_the_profiles_on_the_pages_are_valid() -> None:
    """Each can be used as it is shown."""
    documents = [*_json_blocks("profiles")]
    assert documents
    for document in documents:
        for profile in document.values():
            Profile.model_validate(profile)


def test_the_example_results_are_valid() -> None:
    """The example document matches the schema."""
    (document,) = _json_blocks("results")
    check_results(document)


def test_the_example_settings_are_valid() -> None:
    """The example is a valid environment."""
    (block,) = blocks("sh")
    settings = Settings.from_environment(
        dict(line.split("=", 1) for line in block.text.splitlines())
    )
    assert settings.list_all_rows
    assert settings.accepted_suffixes == (".csv", ".csv.gz")
