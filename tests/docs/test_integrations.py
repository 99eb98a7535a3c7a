"""What integrations.md creates fits the workflow, and a newcomer's first file is accepted."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from click.testing import CliRunner

from lib.cli.commands import main
from tests.terraform.conftest import COMPLETE, EXAMPLE, ROOT, TERRAFORM, evaluated

DOCS = ROOT / "docs"
PAGE = (DOCS / "integrations.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    """The code block below the comment `<!-- gcloud: mark -->`."""
    (found,) = re.findall(rf"<!-- gcloud: {re.escape(mark)} -->\n```\w+\n(.*?)```", PAGE, re.S)
    return str(found)


def test_the_workflow_uses_what_the_page_creates() -> None:
    """It has no key, and names the pool, the two identities and the variables of the page."""
    path = TERRAFORM / "examples" / "github-actions.yml"
    text = path.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert "workload-identity-pools create github" in block("identity")
    assert set(workflow["jobs"]) == {"plan", "apply"}
    for name, job in workflow["jobs"].items():
        (auth,) = [s["with"] for s in job["steps"] if "google-github-actions" in s.get("uses", "")]
        provider = auth["workload_identity_provider"]
        assert provider.endswith("/workloadIdentityPools/github/providers/github")
        assert "credentials_json" not in auth
        assert auth["service_account"].startswith(f"{name}@")
        assert f'binding "{name}@$PROJECT' in block("identity")
        assert any(f"terraform {name}" in step.get("run", "") for step in job["steps"])
    for name in re.findall(r"vars\.(\w+)", text):
        assert f"`{name}`" in PAGE
    assert (ROOT / workflow["defaults"]["run"]["working-directory"]) == COMPLETE


def test_the_first_file_of_a_newcomer_is_accepted(tmp_path: Path) -> None:
    """With the profile of the example, a row as of the first live run would be sent."""
    header = "gclid,conversion_date_time,conversion_value,order_id"
    file = tmp_path / "first.csv"
    file.write_text(f"{header}\nCj0KCQiAexample0001,2026-11-24 15:04:05,49.90,first-1\n", "utf-8")
    values = evaluated(TERRAFORM, EXAMPLE)
    (document,) = [o["content"] for o in values["google_storage_bucket_object"] if "content" in o]
    profiles = tmp_path / "profiles.json"
    profiles.write_text(document, encoding="utf-8")
    words = ["check", "--now", "2026-11-25T12:00:00Z", "--profiles", str(profiles)]
    done = CliRunner().invoke(main, [*words, str(file)])
    assert done.exit_code == 0, done.output
    assert "1 row: 1 would be sent." in done.output
    done = CliRunner().invoke(main, words[:1] + words[3:])
    assert done.output == "2 profiles: none with errors.\n"
