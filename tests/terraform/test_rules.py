"""`make check` finds the mistakes that only a later apply, years of use or CI would show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.terraform.conftest import ROOT, TERRAFORM
from tools.terraform_check import __main__ as command
from tools.terraform_check import rules
from tools.terraform_check.schema import Schemas

EXAMPLE, PAGE = "terraform/examples/github-actions.yml", "docs/integrations.md"
TYPE, CI = "type        = any", ".github/workflows/ci.yml"
# File, text, planted mistake, what is said.
MISTAKES = [
    (
        "variables.tf",
        TYPE,
        "type = object({ a = optional(bool) })",
        "profiles: an object drops misspelled",
    ),
    (
        "variables.tf",
        "floor(var.max_instances)",
        "(var.max_instances)",
        "max_instances: accepts 2.5",
    ),
    ("variables.tf", "rclone@sha256:", "rclone:", "a tag can move: write the image's digest"),
    ("checks.tf", "self.output.project_id ==", "var.project_id ==", "forgets project_id"),
    ("checks.tf", "self.output.region ==", "var.region ==", "forgets region"),
    ("checks.tf", "self.output.name ==", "var.name ==", "forgets name"),
    (
        "checks.tf",
        "self.output.bucket_prefix ==",
        "local.bucket_prefix ==",
        "forgets bucket_prefix",
    ),
    ("checks.tf", "    ignore_changes = [input]\n", "", "needs ignore_changes"),
    (
        "checks.tf",
        '"terraform_data" "deployment"',
        '"terraform_data" "other"',
        "needs precondition",
    ),
    ("secrets.tf", "= !var.force_destroy", "= false", "must be !var.force_destroy"),
    ("iam.tf", "google_cloudfunctions2_function.ingest.id", "", "function.ingest is replaced"),
    ("sftp.tf", "google_cloud_run_v2_job.sftp[each.key].id]", "]", "job.sftp is replaced"),
    ("monitoring.tf", "disable_metric_validation = true", "", "the first apply fails"),
    ("profiles.tf", "    prevent_destroy = true\n", "", "edited_profiles: needs prevent_destroy"),
    (
        "monitoring.tf",
        "  user_labels           = var.labels\n",
        "",
        "user_labels must be var.labels",
    ),
    ("buckets.tf", "= var.labels", "= {}", "labels must be var.labels"),
    (EXAMPLE, "3d3c42e5aac5ba805825da76410c181273ba90b1", "v7", "checkout@v7: a tag can move"),
    (EXAMPLE, "plan@${{", "apply@${{", "pull requests have the identity that applies"),
    (EXAMPLE, "    environment: production\n", "", "without a protected environment"),
    (EXAMPLE, " -lockfile=readonly", "", "takes the newest providers"),
    (CI, "5fda3b95a4ea91299a34e894583c3862153e4b97", "v7", "setup-python@v7: a tag can move"),
    (PAGE, "assertion.repository_id ==", "assertion.repository ==", "assertion.repository_id"),
    (PAGE, "$SUBJECT:environment:production", "$SUBJECT:ref:refs/heads/main", ":environment:"),
]


def copied(tmp_path: Path) -> Path:
    """A copy of what the rules read."""
    for path in [*TERRAFORM.glob("*.tf"), *(ROOT / ".github" / "workflows").glob("*.yml")]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    for name in (EXAMPLE, PAGE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_repository_breaks_no_rule(schemas: list[Schemas]) -> None:
    """Otherwise, a rule that finds something anyway would pass for one that finds the mistake."""
    assert list(rules.problems(ROOT, schemas[-1])) == []


@pytest.mark.parametrize("file, text, planted, said", MISTAKES, ids=[m[3] for m in MISTAKES])
def test_a_planted_mistake_is_found(
    tmp_path: Path, schemas: list[Schemas], file: str, text: str, planted: str, said: str
) -> None:
    """Each in its place, in a copy of the module and the workflows."""
    path = copied(tmp_path) / ("terraform" if file.endswith(".tf") else "") / file
    written = path.read_text(encoding="utf-8")
    assert text in written
    path.write_text(written.replace(text, planted, 1), encoding="utf-8")
    assert any(said in problem for problem in rules.problems(tmp_path, schemas[-1]))


def test_the_command_says_what_the_rules_and_the_plan_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also a misspelled setting and a misspelled key of a profile in the example's values."""
    root = copied(tmp_path)
    values = TERRAFORM / command.EXAMPLE
    text = values.read_text(encoding="utf-8").replace("time_zone ", "timezone  ")
    (root / "terraform" / command.EXAMPLE).parent.mkdir(parents=True)
    (root / "terraform" / command.EXAMPLE).write_text(
        text + "\nsettings = {\n  no_file_hour = 24\n}\n", encoding="utf-8"
    )
    page = root / PAGE
    page.write_text(page.read_text("utf-8").replace(":pull_request", ":all"), encoding="utf-8")
    monkeypatch.setattr(command, "TERRAFORM", root / "terraform")
    monkeypatch.setattr(command.formatter, "program", lambda: None)
    monkeypatch.setattr("sys.argv", ["terraform_check"])
    assert command.main() == 1
    said = capsys.readouterr().out
    assert "settings.no_file_hour is not known. Did you mean no_file_hours?" in said
    assert "profiles.default.timezone is not known. Did you mean time_zone?" in said
    assert "not bound to ':pull_request'" in said
