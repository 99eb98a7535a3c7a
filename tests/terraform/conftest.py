"""The evaluated `terraform/`, with the example's values and with every option turned on."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
import tfparse  # type: ignore[import-untyped]  # it has no type information

Values = dict[str, list[Any]]

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"
COMPLETE = TERRAFORM / "examples" / "complete"
SFTP = TERRAFORM / "modules" / "sftp"
# The module with its submodule, as text.
HCL = "".join(
    path.read_text(encoding="utf-8")
    for folder in (TERRAFORM, SFTP)
    for path in sorted(folder.glob("*.tf"))
)
EXAMPLE = Path("examples/complete/terraform.tfvars.example")

# Every option that is not in the example, and every setting.
ALL_ON = """
docs_url = "https://git.example.com/docs"
labels  = { team = "marketing" }

profile_editors = ["group:marketing@example.com"]

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
  deadline_margin_seconds = 50
  request_timeout_seconds = 100
  window                  = 4
  defer_hours             = 8
  max_defer_hours         = 24
  sweep_grace_minutes     = 45
  list_all_rows           = false
  read_diagnostics        = false
}
"""


def evaluated(folder: Path, *variables: Path) -> Values:
    """Type → its instances as values, with `__tfmeta.path` as the address.

    `variables` are files with values, relative to the folder. Raises `tfparse.ParseError`.
    """
    result: Values = tfparse.load_from_path(
        str(folder), stop_on_hcl_error=True, vars_paths=[str(path) for path in variables]
    )
    return result


def evaluated_with(given: str, *variables: Path) -> Values:
    """The module with the values of these files, and then with those that a text gives."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.tfvars"
        path.write_text(given.lstrip(), encoding="utf-8")
        return evaluated(TERRAFORM, *variables, Path(os.path.relpath(path, TERRAFORM)))


def functions(values: Values) -> dict[str, Any]:
    """Functions by entry point."""
    return {f["build_config"]["entry_point"]: f for f in values["google_cloudfunctions2_function"]}


def local_values(values: Values) -> dict[str, Any]:
    """Every local, by name."""
    return {name: value for block in values["locals"] for name, value in block.items()}


def refused(values: Values) -> list[str]:
    """`variable.x: error message` for every validation that the values do not pass."""
    return [
        f"{each['__tfmeta']['path']}: {rule['error_message']}"
        for each in values["variable"]
        for rules in [each.get("validation", [])]
        for rule in (rules if isinstance(rules, list) else [rules])
        # A condition that cannot be evaluated counts as not passed.
        if rule["condition"] is not True
    ]


@pytest.fixture(scope="session")
def values() -> Values:
    """The module with the values of the example."""
    return evaluated(TERRAFORM, EXAMPLE)


@pytest.fixture(scope="session")
def all_on() -> Values:
    """The module with every option turned on."""
    return evaluated_with(ALL_ON, EXAMPLE)
