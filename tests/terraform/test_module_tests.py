"""The module's own tests (terraform/tests), as far as no current Terraform is needed for them."""

from __future__ import annotations

import re
from collections.abc import Callable

import hcl2
import yaml

from tests.terraform.conftest import ROOT, TERRAFORM
from tools.terraform_check import schema

TESTS = (TERRAFORM / "tests" / "module.tftest.hcl").read_text(encoding="utf-8")
# Refused because of what the deployment remembers, which only its state has.
NEEDS_STATE = {"another_region", "another_name", "another_bucket_prefix"}


def test_each_run_fails_as_it_expects(refusals: Callable[[str], list[str]]) -> None:
    """What a plan refuses by its values alone."""
    assert {"run", "mock_provider", "variables"} <= hcl2.loads(TESTS).keys()
    runs = dict(re.findall(r'^run "(\w+)" {\n(.*?)^}', TESTS, re.M | re.S))
    assert len(runs) == TESTS.count("\nrun ")
    for name in runs.keys() - NEEDS_STATE:
        (planted,) = re.findall(r"^  variables {\n(.*?)^  }", runs[name], re.M | re.S) or [""]
        assert bool(refusals(planted)) == ("expect_failures" in runs[name]), name


def test_the_workflow_runs_them_on_every_supported_version() -> None:
    """The oldest Terraform and OpenTofu of versions.tf, and each release with a schema here."""
    text = (ROOT / ".github" / "workflows" / "terraform.yml").read_text(encoding="utf-8")
    runs = yaml.safe_load(text)["jobs"]["module"]["strategy"]["matrix"]["include"]
    assert {run["google"] for run in runs} == set(schema.releases("google"))
    for program in ("terraform", "tofu"):
        assert {run["version"][:4] for run in runs if run["program"] == program} > {"1.9."}
    assert 'required_version = ">= 1.9.0, < 2.0.0"' in (TERRAFORM / "versions.tf").read_text(
        "utf-8"
    )
