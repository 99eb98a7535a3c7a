"""The evaluated `terraform/`, with the example's values and with every option turned on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.terraform_check import configuration, schema

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"
COMPLETE = TERRAFORM / "examples" / "complete"
EXAMPLE = Path("examples/complete/terraform.tfvars.example")
TOOLS = ROOT / ".venv-terraform"

# Every option that is not in the example, and every setting.
ALL_ON = """
announce      = true
notices       = true
audit_reads   = true
runbook_url   = "https://git.example.com/docs/operate.md"
bucket_prefix = "acme"
labels        = { team = "marketing" }

profile_editors = ["group:marketing@example.com"]
profile_readers = ["group:analysts@example.com"]

sftp_servers = {
  crm = {
    host            = "sftp.example.com"
    user            = "acme"
    known_hosts     = "sftp.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample"
    port            = 2222
    path            = "exports"
    folder          = "stores"
    done_folder     = "done"
    since           = "2026-11-24"
    min_age_minutes = 10
    schedule        = "10 * * * *"
    timeout_seconds = 3000
  }
}

settings = {
  accepted_suffixes       = [".csv", ".txt"]
  ignored_suffixes        = [".tmp"]
  ignored_prefixes        = ["incoming/"]
  max_file_bytes          = 1000
  max_file_lines          = 1000
  max_attempts_without_progress = 4
  deadline_margin_seconds = 50
  lease_seconds           = 90
  request_timeout_seconds = 100
  window                  = 4
  max_event_age_hours     = 12
  defer_hours             = 8
  max_defer_hours         = 24
  sweep_grace_minutes     = 45
  sweep_max_age_days      = 5
  list_all_rows           = false
  look_up_accounts        = false
  read_diagnostics        = false
  failing_rows_ratio      = 0.3
  failing_rows_least      = 10
  heartbeat_url           = "https://watch.example.com/sweep"
  notices_hour            = 8
  no_file_hours           = 24
  no_file_grace_minutes   = 60
  no_file_weekdays        = ["mon", "fri"]
  no_file_holidays        = ["12-25", "2027-03-29"]
  no_file_time_zone       = "Europe/Berlin"
  no_file_folders         = ["crm"]
}
"""


def declared() -> list[configuration.Declared]:
    """The blocks of `terraform/`. To parse them takes a second: no module does it on import."""
    return configuration.declared(TERRAFORM)


@pytest.fixture(scope="session")
def schemas() -> list[schema.Schemas]:
    """The schemas of each release of Google's provider, the oldest first."""
    return schema.load()


@pytest.fixture(scope="session")
def values() -> dict[str, list[Any]]:
    """The module with the values of the example."""
    return configuration.evaluated(TERRAFORM, EXAMPLE)


@pytest.fixture(scope="session")
def all_on_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of values that turns everything on, relative to `terraform/`."""
    path = tmp_path_factory.mktemp("values") / "all.tfvars"
    path.write_text(ALL_ON.lstrip(), encoding="utf-8")
    return Path(os.path.relpath(path, TERRAFORM))


@pytest.fixture(scope="session")
def all_on(all_on_file: Path) -> dict[str, list[Any]]:
    """The module with every option turned on."""
    return configuration.evaluated(TERRAFORM, EXAMPLE, all_on_file)


@pytest.fixture(scope="session")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """A function: the example with something planted in it → what `terraform plan` says to that.

    Only what the conditions need is evaluated.
    """
    folder = tmp_path_factory.mktemp("variables")
    for path in (TERRAFORM / "variables.tf", TERRAFORM / "checks.tf", TERRAFORM / EXAMPLE):
        shutil.copy(path, folder)

    def refused(planted: str) -> list[str]:
        (folder / "planted.tfvars").write_text(planted + "\n", encoding="utf-8")
        values = configuration.evaluated(folder, Path(EXAMPLE.name), Path("planted.tfvars"))
        return configuration.broken_validations(values)

    return refused


def tool(path: Path) -> Path:
    """The path of a tool in `.venv-terraform`. If missing, the test is skipped; in CI it fails."""
    if not path.exists():
        message = f"{path.relative_to(ROOT)} does not exist; run `make setup`"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path
