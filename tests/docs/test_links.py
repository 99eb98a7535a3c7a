"""Links between the pages lead somewhere."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    name
    for name in subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    if (ROOT / name).is_file()
]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, and those that it names itself."""
    text = page.read_text(encoding="utf-8")
    headings = [re.sub(r"\[(.*?)\]\(.*?\)", r"\1", h) for h in re.findall(r"^#+ (.+)$", text, re.M)]
    slugs = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
    return slugs | set(re.findall(r'<a name="([^"]+)"', text))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Links to files have a file, and those to sections a heading."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text):
        name, _, anchor = target.replace("\\", "").partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), target
        assert not path.resolve().is_relative_to(ROOT / "tests"), "not in the archive of a release"
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), target


@pytest.mark.parametrize("page", PAGES)
def test_no_path_of_a_menu_is_a_quotation(page: str) -> None:
    """`Monitoring > Alerting` is wrapped before its first word, not before the sign."""
    assert not re.search(r"^ *> ", (ROOT / page).read_text(encoding="utf-8"), flags=re.M)
