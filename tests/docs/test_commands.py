"""Every command that a page shows is run, and prints what the page shows.

The commands of a page run one after another in one shell, in a folder like a clone. Programs that
need a cloud, a server or an account are stand-ins: of their commands, the shell checks the syntax.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ELSEWHERE = {
    "docs/get-started.md": "test_get_started.py",
    "docs/sandbox.md": "tests/sandbox/test_docs.py; the event by hand: test_readme.py",
    "README.md: pipx install": "test_get_started.py, which answers what `init` asks",
    "docs/settings.md: LIST_ALL_ROWS": "no commands but settings: test_docs_current.py",
}
"""Pages, or their blocks with this text → what runs them."""

STAND_INS = {
    **dict.fromkeys(("bq", "git", "make", "pipx", "sleep", "ssh-keyscan", "ssh-keygen"), ""),
    # The files in buckets are those of this folder.
    "gcloud": """case "$1 $2 $4" in
        "storage cp gs://"*) ;;
        "storage cp "*) [ ! -f "$3" ] || cp "$3" "$4" ;;
        esac""",
    "terraform": """case "$*" in
        *"-raw profiles") echo gs://config/profiles.json ;;
        *"-raw add_secret_version") echo true ;;
        esac""",
    # The check of a file with wrong rows ends with 1.
    "offline-conversions": f"""{sys.executable} -m offline_conversions "$@" \
        || [ "$1 $?" = "check 1" ]""",
}
"""Program → what it does instead, in the language of the shell."""

PROFILE = {
    "destination": "google_ads",
    "customer_id": "123-456-7890",
    "expect": "any time",
    "action": 1001,
}
BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<kind>console|sh|bash)\n(?P<text>.*?)^(?P=indent)```$", re.S | re.M
)


def commands(text: str) -> tuple[str, str]:
    """The commands of a block, and what the page says that they print."""
    done, shown = "", ""
    for line in text.splitlines(keepends=True):
        goes_on = done.endswith("\\\n") or done.count("; do\n") > done.count("done\n")
        if line.startswith("$ ") or goes_on:
            done += line.removeprefix("$ ")
        else:
            shown += line
    return done, shown


def pages() -> dict[str, list[tuple[str, str]]]:
    """Page → the commands of its blocks, with what they print, without those that run elsewhere."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found: dict[str, list[tuple[str, str]]] = {}
    used = set()
    for page in listed.stdout.splitlines():
        others = [each.partition(": ") for each in ELSEWHERE if each.partition(": ")[0] == page]
        for block in BLOCK.finditer((ROOT / page).read_text("utf-8")):
            elsewhere = {"".join(parts) for parts in others if parts[2] in block[0]}
            used |= elsewhere
            if not elsewhere:
                text = re.sub(f"^{block['indent']}", "", block["text"], flags=re.M)
                whole = commands(text) if block["kind"] == "console" else (text, "")
                found.setdefault(page, []).append(whole)
    assert used == set(ELSEWHERE), "no page has these"
    return found


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of the repository, with the files that the pages speak of."""
    for name in ("examples", "lib", "main.py", "requirements.txt"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name, script in STAND_INS.items():
        path = tmp_path / (name if "/" in name else f"bin/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    complete = tmp_path / "terraform" / "examples" / "complete"
    complete.mkdir(parents=True)
    for name in ("terraform.tfvars.example", "google-ads.yaml"):
        (complete / name).touch()
    for name in ("profiles.json", "deployed.json"):
        (tmp_path / name).write_text(json.dumps({"default": PROFILE}))
    (tmp_path / "key").touch()
    day = (datetime.now(UTC) - timedelta(days=7)).date()
    header = "gclid,conversion_date_time,conversion_value,currency_code,order_id"
    sale = f"Cj0KCQiAexample0001,{day} 10:00:00Z,10.00,USD,SO-1"
    for name in ("sales.csv", "deals.csv"):
        (tmp_path / name).write_text(f"{header}\n{sale}\n")
    return tmp_path


@pytest.mark.parametrize("page", sorted(pages()))
def test_the_commands_of_a_page_run(page: str, clone: Path) -> None:
    """All of them end with 0 and print the text that the page shows; `...` stands for any text."""
    blocks = pages()[page]
    done = subprocess.run(
        ["sh", "-eu"],
        input="echo NEXT\n".join(f"{run}\n" for run, _ in blocks),
        cwd=clone,
        env={
            **os.environ,
            "COLUMNS": "100",
            "PYTHONUTF8": "1",
            "PYTHONPATH": str(ROOT),
            "PATH": f"{clone / 'bin'}{os.pathsep}{os.environ['PATH']}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for printed, (run, shown) in zip(done.stdout.split("NEXT\n"), blocks, strict=True):
        same = not shown or doctest.OutputChecker().check_output(shown, printed, flags)
        assert same, f"{run}{printed}"
