"""The pages on deployment and operation agree with Terraform and the code."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lib.catalogue.codes import CATALOGUE
from lib.config.settings import Settings
from tests.terraform.conftest import COMPLETE, EXAMPLE, ROOT, TERRAFORM, declared
from tools.terraform_check import example, readme

PAGES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in (
    "changing.md", "data-protection.md", "deploy.md", "operate.md", "security.md"
)}  # fmt: skip
WRITE = "run .venv/bin/python -m tools.terraform_check --write"


def table(page: str, heading: str) -> dict[str, str]:
    """First cell → second cell of the table rows below a heading that start with `code`."""
    text = PAGES[page].split(heading, 1)[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([^`]+)` \|[ ]*(.*?)[ ]*\|", text, re.M))


def test_every_policy_has_its_section(all_on: dict[str, list[Any]]) -> None:
    """The section that its notifications link to, and no section is left over."""
    section = PAGES["operate.md"].split("\n## Alerts\n")[1].split("\n## ")[0]
    titles = re.findall(r"^### (\w+)$", section, re.M)
    linked = {
        title
        for policy in all_on["google_monitoring_alert_policy"]
        for title in re.findall(r"operate\.md#(\w+)", policy["documentation"]["content"])
    }
    assert sorted(titles) == sorted(linked)


def test_example_names_every_needed_variable(values: dict[str, list[Any]]) -> None:
    """terraform.tfvars.example sets every variable without a default."""
    example = (TERRAFORM / EXAMPLE).read_text(encoding="utf-8")
    for each in declared():
        address, body = each.address, each.body
        if address.startswith("variable.") and "default" not in body:
            assert re.search(rf"^{address.removeprefix('variable.')} +=", example, re.M), address


def test_the_example_passes_everything_on() -> None:
    """Its variables and outputs are the module's."""
    for name, text in example.files(TERRAFORM).items():
        assert (COMPLETE / name).read_text(encoding="utf-8") == text, WRITE


def test_the_readme_lists_what_the_module_takes_and_gives() -> None:
    """The tables in terraform/README.md are the module's."""
    text = (TERRAFORM / "README.md").read_text(encoding="utf-8")
    assert readme.with_tables(text, TERRAFORM) == text, WRITE
    for each in declared():
        kind, _, name = each.address.partition(".")
        if kind in ("variable", "output"):
            escaped = name.replace("_", r"\_")
            assert f"\n| {escaped} |" in text, name


@pytest.mark.parametrize("page", PAGES)
def test_codes_and_outputs_on_the_pages_exist(page: str) -> None:
    """Every code on a page exists, and so does every output in `terraform output X`."""
    environment = set(Settings.variables())
    codes = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", PAGES[page])) - environment
    assert codes - set(CATALOGUE) <= {"UPLOAD_CLICKS", "STORAGE_EMULATOR_HOST", "ALL_TRAFFIC"}
    outputs = set(re.findall(r"terraform output (?:-raw )?(\w+)", PAGES[page])) - {"prints"}
    assert {f"output.{name}" for name in outputs} <= {each.address for each in declared()}


def test_numbers_on_the_pages_are_the_codes(values: dict[str, list[Any]]) -> None:
    """The limits on a page are the defaults in the code."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    operate = PAGES["operate.md"]
    assert f"{defaults['max_event_age_hours']} hours after its event" in operate
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert f"`MAX_FILE_BYTES`, {defaults['max_file_bytes'] >> 30} GiB" in settings
    assert f"files older than {defaults['sweep_grace_minutes']:.0f} minutes" in operate
    noncurrent = defaults["sweep_max_age_days"] + 1
    assert f"replaced or deleted files {noncurrent:.0f} days" in PAGES["data-protection.md"]


def test_the_plan_is_as_long_as_the_page_says(values: dict[str, list[Any]]) -> None:
    """deploy.md says about how many things the first plan creates."""
    said = re.search(r"about (\d+) things to create", PAGES["deploy.md"])
    assert said is not None
    count = sum(
        instance.get("__tfmeta", {}).get("type") == "resource"
        for instances in values.values()
        for instance in instances
    )
    assert abs(count - int(said[1])) <= 10


def test_every_bucket_and_identity_is_documented(values: dict[str, list[Any]]) -> None:
    """Each bucket has a row in data-protection.md, each service account one in security.md."""
    for bucket in values["google_storage_bucket"]:
        kind = bucket["name"].rpartition("-")[2]
        assert f"| {kind.capitalize()} bucket |" in PAGES["data-protection.md"]
    for account in values["google_service_account"]:
        assert f"| `…-{account['account_id'].rpartition('-')[2]}` |" in PAGES["security.md"]


def test_project_grants_are_on_the_security_page(all_on: dict[str, list[Any]]) -> None:
    """The page names each role that is granted on the whole project."""
    for grant in all_on["google_project_iam_member"]:
        assert f"`{grant['role'].removeprefix('roles/')}`" in PAGES["security.md"]
