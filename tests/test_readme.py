"""The README shows what is so."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_bucket

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_event_by_hand_works(tmp_path: Path) -> None:
    """The README's curl commands, run as they stand, give a results document and a 2xx."""
    match = re.search(r"<!-- by hand -->\n```bash\n(.*?)```", README, re.DOTALL)
    assert match is not None
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".sandbox").mkdir()
    with Sandbox(source=ROOT) as google:
        description = json.dumps(google.description())
        (tmp_path / ".sandbox" / "current.json").write_text(description)
        for _ in range(2):
            answer = subprocess.run(
                ["bash", "-euc", match[1]],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert answer.returncode == 0, answer.stderr
            assert re.match(r"HTTP/1.1 2\d\d", answer.stdout), answer.stdout
        assert check_bucket(google.storage_client().bucket(OUTPUT_BUCKET)) == 2
        names = [blob.name for blob in google.storage_client().list_blobs(OUTPUT_BUCKET)]
    assert len([name for name in names if re.fullmatch(r"by-hand.csv.\d+.results.json", name)]) == 2


def test_every_document_that_the_readme_points_to_exists() -> None:
    """No dead links."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
