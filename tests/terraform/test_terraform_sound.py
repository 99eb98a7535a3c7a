"""The providers accept `terraform/`, and the checker finds planted mistakes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.schedule import only_in_builds
from tests.terraform.conftest import EXAMPLE, TERRAFORM, TOOLS, tool
from tools.terraform_check import check, configuration, formatter, schema
from tools.terraform_check.__main__ import used_types
from tools.terraform_check.schema import Schemas

SOUND = """\
variable "days" {
  type    = number
  default = 3
}

resource "google_storage_bucket" "files" {
  name                        = "acme-files"
  location                    = "europe-west1"
  uniform_bucket_level_access = true

  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      age = var.days
    }
    action {
      type = "Delete"
    }
  }
}

resource "google_storage_bucket_iam_member" "reader" {
  bucket = google_storage_bucket.files.name
  role   = "roles/storage.objectViewer"
  member = "user:ann@example.com"
}
"""


def test_the_module_is_sound(all_on_file: Path, schemas: list[Schemas]) -> None:
    """Every block and argument fits all checked releases, with and without options."""
    assert check.problems(TERRAFORM, schemas, EXAMPLE) == []
    assert check.problems(TERRAFORM, schemas, EXAMPLE, all_on_file) == []


def test_a_sound_module_has_no_problems(tmp_path: Path, schemas: list[Schemas]) -> None:
    """The module in which the mistakes below are planted is valid itself."""
    (tmp_path / "main.tf").write_text(SOUND, encoding="utf-8")
    assert check.problems(tmp_path, schemas) == []


MISTAKES = [
    # original text, planted mistake, expected problem
    ("uniform_bucket_level_access", "uniform_bucket_level_acces_", "no such argument or block"),
    ("    enabled = true", "    enable  = true", "versioning.enable: no such argument"),
    ("    enabled = true", "", "versioning.enabled: is required"),
    ('  location                    = "europe-west1"\n', "", "location: is required"),
    ("versioning {", "versioning = {", "versioning: a block, not an argument"),
    ("  bucket = google_storage_bucket.files.name", "  bucket {\n  }", "bucket: an argument, not"),
    ("condition {", "conditions {", "lifecycle_rule.conditions: no such"),
    ("  versioning {", "  versioning {\n    enabled = true\n  }\n\n  versioning {", "only once"),
    ("age = var.days", 'age = "soon"', "lifecycle_rule.condition.age: not a number"),
    ('"acme-files"', '["acme-files"]', "name: not a string"),
    ("level_access = true", 'level_access = "perhaps"', "level_access: not a bool"),
    ('"google_storage_bucket" "files"', '"google_storage_buckets" "files"', "the provider has no"),
    ("google_storage_bucket.files.name", "google_storage_bucket.file.name", "is not declared"),
    ("google_storage_bucket.files.name", "google_storage_bucket.files.nam", "no attribute nam"),
    ("var.days", "var.day", "var.day is not declared"),
    ("var.days", "3", "variable.days is never used"),
    ("var.days", "local.days", "local.days is not declared"),
]


@pytest.mark.parametrize("written, planted, said", MISTAKES, ids=[m[2] + m[1] for m in MISTAKES])
def test_a_planted_mistake_is_found(
    tmp_path: Path, schemas: list[Schemas], written: str, planted: str, said: str
) -> None:
    """Unknown, missing or misplaced arguments, wrong types, dangling references."""
    assert written in SOUND
    (tmp_path / "main.tf").write_text(SOUND.replace(written, planted, 1), encoding="utf-8")
    assert any(said in problem for problem in check.problems(tmp_path, schemas))


def test_a_typo_in_our_own_module_is_found(tmp_path: Path, schemas: list[Schemas]) -> None:
    """The checker reads the real files."""
    for path in [*TERRAFORM.glob("*.tf"), TERRAFORM / EXAMPLE]:
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            text.replace("max_instance_count ", "max_instances_count "), encoding="utf-8"
        )
    found = check.problems(tmp_path, schemas, Path(EXAMPLE.name))
    assert sum("max_instances_count: no such argument" in problem for problem in found) == 2


def test_the_example_passes_every_validation(
    values: dict[str, list[Any]], all_on: dict[str, list[Any]]
) -> None:
    """`terraform plan` accepts terraform.tfvars.example, also with every option turned on."""
    assert configuration.broken_validations(values) == []
    assert configuration.broken_validations(all_on) == []


def actions(stages: str, other: str) -> str:
    """A `profiles` variable with one profile, which has `actions` and another attribute."""
    return f"profiles = {{ default = {{\nactions = {{ Stage = {{ {stages} }} }}\n{other}\n}} }}"


def sftp(name: str = "crm", **attributes: str) -> str:
    """An `sftp_servers` variable with one server."""
    known = "sftp.example.com ssh-ed25519 AAAA"
    server = {"host": "sftp.example.com", "user": "acme", "known_hosts": known} | attributes
    body = "".join(f'{key} = "{value}"\n' for key, value in server.items())
    return f"sftp_servers = {{ {name} = {{\n{body}}} }}"


# Single attributes are in test_plan_and_code.py.
REFUSED = [
    ('project_id = "Acme"', "project_id is not valid"),
    ('region = "EU"', "region must be a single region"),
    ('name = "x"', "name is not valid. Use 3 to 20 lower-case letters"),
    ('bucket_prefix = "Acme"', "bucket_prefix is not valid. Use 2 to 54 lower-case"),
    ("profiles = {}", "at least one profile"),
    ('profiles = { "a/b" = {} }', "so it must not contain a slash"),
    ('labels = { Team = "Ann" }', "Labels must be lower-case"),
    (
        'profiles = { default = { refunds = { A = ["x"] }, exclude = { A = ["x"] } } }',
        "refunds lists a value",
    ),
    (
        actions('Won = { action = "1" }', 'conversion_action = "Sale"'),
        "remove conversion_action",
    ),
    (actions('Won = { action = "1" }', 'exclude = { Stage = ["Lost"] }'), "lists too: remove it"),
    (
        actions('Won = { action = "1", value = -1 }', "day_first = true"),
        "actions.Stage.Won.value must be a number of 0 or more",
    ),
    ('google_ads_secret_version = "newest"', "the number of a version"),
    ('uploaders = ["allUsers"]', "Public access is not allowed"),
    ('readers = ["ann@example.com"]', "Public access is not allowed"),
    ('existing_input_bucket = { name = "gs://acme" }', "must be the name of a bucket"),
    ('service_accounts = { builder = "me@example.com" }', "ends in .gserviceaccount.com"),
    ('kms_key = "projects/p/locations/eu/keyRings/r/cryptoKeys/k"', "kms_key must be projects/P"),
    ('vpc_connector = "egress"', "vpc_connector must be projects/P"),
    ('vpc_egress = "NONE"', "vpc_egress must be ALL_TRAFFIC"),
    ('build_worker_pool = "private"', "build_worker_pool must be projects/P"),
    ('profile_editors = ["allUsers"]', "Public access is not allowed"),
    ('profile_readers = ["user:ann@example.com"]', "profile_readers needs profile_editors"),
    (sftp("Crm"), "The name of an SFTP server is not valid"),
    (sftp(known_hosts="sftp.example.com"), "known_hosts must be lines of ssh-keyscan"),
    (sftp(timeout_second="90"), "timeout_second is not known. Did you mean timeout_seconds?"),
    (sftp(folder="/stores"), "folder must be a folder without a slash at its beginning or end"),
    (sftp(path="exports/"), "path must be a folder without a slash at the end"),
    (sftp(since="24.11.2026"), "since must be a date such as 2026-11-24"),
    (sftp(since="2026-02-30"), "since must be a date that exists"),
    (sftp(schedule="hourly"), "schedule must be five cron fields"),
    ('sftp_image = "rclone/rclone:1.75.2"', "sftp_image must end with a digest"),
    ("input_retention_days = 7", "more than settings.sweep_max_age_days"),
    ("results_retention_days = 7", "at least 1 more than settings.sweep_max_age_days"),
    ("state_retention_days = 29", "must be a whole number, at least 30"),
    ("max_instances = 101", "a whole number from 1 to 100"),
    ("max_instances = 2.5", "a whole number from 1 to 100"),
    ("input_retention_days = 30.5", "input_retention_days must be a whole number"),
    ('sweep_schedule = "hourly"', "five cron fields"),
    ('sweep_schedule = "*/15 24 * * *"', "five cron fields"),
    ('existing_input_bucket = { name = "acme-conversions-conversions-state" }', "must not be the"),
    ('notification_channels = ["me@example.com"]', "notificationChannels/<number>"),
    ('runbook_url = "docs/operate.md"', "must begin with https://"),
]


@pytest.mark.parametrize("planted, said", REFUSED)
def test_a_wrong_value_is_refused(
    refusals: Callable[[str], list[str]], planted: str, said: str
) -> None:
    """A mistake planted in the values breaks exactly the validation meant for it."""
    (found,) = refusals(planted)
    assert said in found


def test_every_validation_has_its_planted_mistake(values: dict[str, list[Any]]) -> None:
    """Each validation is broken by a planted mistake above."""
    messages = re.findall(
        r'error_message = "(.*)"$', (TERRAFORM / "variables.tf").read_text("utf-8"), re.M
    )
    assert [text for text in messages if not any(said in text for _, said in REFUSED)] == []


def test_terraform_fmt_would_change_nothing() -> None:
    """The whole folder, and the example of values, are as a real `terraform fmt` writes them."""
    terraform = formatter.program() or tool(formatter.BUNDLED)
    assert formatter.problems(terraform, TERRAFORM, EXAMPLE) == []


def test_a_wrong_layout_is_found_and_corrected(tmp_path: Path) -> None:
    """In the files of the module, and in those with values."""
    terraform, values = formatter.program() or tool(formatter.BUNDLED), Path("values.example")
    for name in ("main.tf", values):
        (tmp_path / name).write_text("a = 1\nlong = [\n2,\n]\n", encoding="utf-8")
    said = "not formatted as terraform fmt does it"
    assert formatter.problems(terraform, tmp_path, values) == [
        f"main.tf: {said}",
        f"values.example: {said}",
    ]
    formatter.write(terraform, tmp_path, values)
    assert (tmp_path / values).read_text(encoding="utf-8") == "a = 1\nlong = [\n  2,\n]\n"
    assert formatter.problems(terraform, tmp_path, values) == []


def test_the_schemas_are_the_providers_own() -> None:
    """The schemas extracted from the wheels equal those in the repository."""
    wheels = sorted((TOOLS / "schema").glob("*.whl")) or [tool(TOOLS / "schema" / "*.whl")]
    extracted = dict(schema.snapshot(wheel, used_types()) for wheel in wheels)
    assert extracted == {
        path.name: path.read_text(encoding="utf-8") for path in schema.SNAPSHOTS.iterdir()
    }


def test_the_providers_are_bound_to_the_checked_schemas() -> None:
    """Bounds begin at the oldest checked release, and end before the major after the newest."""
    versions = (TERRAFORM / "versions.tf").read_text(encoding="utf-8")
    bounds = dict(re.findall(r'source  = "hashicorp/(\w+)"\n +version = "(.+)"', versions))
    assert bounds == {
        name: f">= {releases[0]}, < {int(releases[-1].partition('.')[0]) + 1}.0.0"
        for name in ("google", "archive", "time")
        if (releases := schema.releases(name))
    }
    majors = [release.partition(".")[0] for release in schema.releases("google")]
    assert majors == ["6", "7", "8"]


@only_in_builds
def test_checkov_finds_nothing() -> None:
    """Every checkov policy passes, or its skip says why."""
    checkov = tool(TOOLS / "bin" / "checkov")
    # Offline: without these options it would request guidelines and modules from a server.
    ran = subprocess.run(
        [
            *(checkov, "--directory", TERRAFORM, "--framework", "terraform"),
            *("--output", "json", "--compact", "--skip-download", "--skip-path", "examples"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    results = json.loads(ran.stdout)["results"]
    assert [f"{c['check_id']} {c['resource']}" for c in results["failed_checks"]] == []
    assert results["parsing_errors"] == []
    assert len(results["passed_checks"]) > 30


def test_each_skip_says_why() -> None:
    """A skipped policy has a sentence, not only its number."""
    text = "".join(path.read_text(encoding="utf-8") for path in TERRAFORM.glob("*.tf"))
    skips = re.findall(r"#checkov:skip=(CKV\w+)(.*)", text)
    assert skips
    assert [name for name, reason in skips if not re.fullmatch(r":[A-Z].{30,}\.", reason)] == []
