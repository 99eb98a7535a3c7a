"""`terraform/` can be used as a module, and `examples/complete` is a root that uses it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from tests.terraform.conftest import COMPLETE, EXAMPLE, TERRAFORM, declared
from tools.terraform_check import configuration, readme
from tools.terraform_check.schema import Schemas

Values = dict[str, list[Any]]

DOCUMENTED = """
terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0"
    }
  }
}

resource "google_storage_bucket" "b" {}

resource "terraform_data" "d" {}

data "google_project" "p" {}

variable "a_name" {
  type = object({
    a = optional(string)
  })
  default     = null
  description = "a_b, `a_b`"
}

variable "zone" {
  type        = string
  description = "A \\"zone\\"."
}

output "x_y" {
  value       = 1
  description = "An | output."
}
"""
DOCUMENTATION = r"""## Requirements

| Name | Version |
| ---- | ------- |
| terraform | >= 1.9 |
| google | >= 6.0 |

## Inputs

| Name | Description | Type | Default | Required |
| ---- | ----------- | ---- | ------- | :------: |
| a\_name | a\_b, `a_b` | OBJECT | `null` | no |
| zone | A "zone". | `string` | n/a | yes |

## Outputs

| Name | Description |
| ---- | ----------- |
| x\_y | An \| output. |
""".replace("OBJECT", "<pre>object({<br/>    a = optional(string)<br/>  })</pre>")


def test_the_caller_sets_up_the_providers() -> None:
    """No provider and no backend: with either, `for_each` and `depends_on` would be refused."""
    assert [item.file for item in declared() if item.address.startswith("provider.")] == []
    (terraform,) = [item.body for item in declared() if item.address == "terraform"]
    assert {"provider_meta", "backend", "cloud"}.isdisjoint(terraform)


def test_nothing_depends_on_the_callers_provider(schemas: list[Schemas]) -> None:
    """Every resource names its project, if it can have one."""
    resources = [each for each in declared() if each.address.startswith(("resource.", "data."))]
    takers = [item for item in resources if "project" in schemas[0][item.type].arguments]
    assert len(takers) > 5
    assert {item.body.get("project") for item in takers} == {"${var.project_id}"}


def test_no_value_comes_from_what_a_plan_does_not_know() -> None:
    """Data sources that wait, pauses and markers only set the order.

    With `depends_on` on the module, or a new service, their values are unknown in the plan. A grant
    or an object with an unknown value would be destroyed and created again.
    """
    text = "".join(path.read_text(encoding="utf-8") for path in TERRAFORM.glob("*.tf"))
    late = r"\b(?:data\.\w+|time_sleep|terraform_data)\.\w+"
    assert len(re.findall(late, text)) > 5
    assert re.findall(rf"{late}(?:\[.*?\])?\.\w+", text) == []


def instances(values: Values) -> dict[str, str]:
    """Address → what a resource says, without the IDs that each evaluation invents."""
    return {
        instance["__tfmeta"]["path"]: re.sub(
            r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            "ID",
            json.dumps({k: v for k, v in instance.items() if k not in UNIMPORTANT}, sort_keys=True),
        )
        for found in values.values()
        for instance in found
        if instance.get("__tfmeta", {}).get("type") == "resource"
    }


UNIMPORTANT = {"__tfmeta", "depends_on", "for_each", "id"}


def test_a_later_apply_leaves_what_exists(tmp_path: Path) -> None:
    """The first data_manager profile needs another service. Nothing else changes, no grant."""
    base = 'project_id = "acme-conversions"\nregion = "europe-west1"\n'
    profiles = {
        "first": 'profiles = { default = { customer_id = "1234567890" } }',
        "later": """profiles = {
  default = { customer_id = "1234567890" }
  stores  = { customer_id = "1234567890", destination = "data_manager", conversion_action = "1" }
}""",
    }
    states = []
    for name, text in profiles.items():
        (tmp_path / f"{name}.tfvars").write_text(f"{base}{text}\n", encoding="utf-8")
        path = Path(os.path.relpath(tmp_path / f"{name}.tfvars", TERRAFORM))
        states.append(instances(configuration.evaluated(TERRAFORM, path)))
    first, later = states
    assert first.keys() - later.keys() == set()
    assert later.keys() - first.keys() == {
        "google_project_iam_member.function_data_manager[0]",
        'google_project_service.required["datamanager.googleapis.com"]',
    }
    assert {path for path in first if first[path] != later[path]} == {
        "google_storage_bucket_object.profiles",
        "time_sleep.services",
    }


def test_two_deployments_share_a_project(tmp_path: Path) -> None:
    """With `for_each` and `depends_on`, no name appears twice; only one grants to the agent."""
    (tmp_path / "module").symlink_to(TERRAFORM)
    (tmp_path / "main.tf").write_text(
        """
module "conversions" {
  source   = "./module"
  for_each = { live = true, test = false }

  project_id          = "acme-conversions"
  region              = "europe-west1"
  name                = each.key
  grant_storage_agent = each.value
  profiles            = { default = {} }
  depends_on          = [terraform_data.before]
}

resource "terraform_data" "before" {}
""",
        encoding="utf-8",
    )
    values = configuration.evaluated(tmp_path)
    for type_, key in {
        "google_storage_bucket": "name",
        "google_service_account": "account_id",
        "google_cloudfunctions2_function": "name",
        "google_cloud_scheduler_job": "name",
        "google_secret_manager_secret": "secret_id",
        "google_artifact_registry_repository": "repository_id",
        "google_logging_metric": "name",
        "google_monitoring_alert_policy": "display_name",
    }.items():
        names = [instance[key] for instance in values[type_]]
        assert len(set(names)) == len(names) > 1, type_
    agents = [
        g for g in values["google_project_iam_member"] if g["role"] == "roles/pubsub.publisher"
    ]
    assert [agent["__tfmeta"]["path"] for agent in agents] == [
        'module.conversions["live"].google_project_iam_member.storage_agent[0]'
    ]


def test_the_tables_are_those_of_terraform_docs(tmp_path: Path) -> None:
    """Names are links, signs are escaped, a type of several lines stays readable."""
    (tmp_path / "main.tf").write_text(DOCUMENTED, encoding="utf-8")
    assert readme.tables(tmp_path) == DOCUMENTATION


def test_the_example_admits_the_releases_of_the_module() -> None:
    """The bounds of the module."""
    text = (COMPLETE / "versions.tf").read_text(encoding="utf-8")
    module = (TERRAFORM / "versions.tf").read_text(encoding="utf-8")
    assert set(re.findall(r'version += ".+"', text)) < set(re.findall(r'version += ".+"', module))


def test_unset_variables_of_the_example_have_the_modules_defaults() -> None:
    """The example passes null on; a variable with another default takes null as \"unset\"."""
    for item in declared():
        if item.address.startswith("variable.") and item.body.get("default") is not None:
            assert item.body.get("nullable") is False, item.address


def written(value: object) -> str:
    """A value as HCL; strings are already quoted."""
    return value if isinstance(value, str) else json.dumps(value)


def test_the_example_has_the_modules_resources(tmp_path: Path, values: Values) -> None:
    """Evaluated from the example, the module has what it has when it is evaluated alone.

    The evaluation does not know `nullable`, so each default is given.
    """
    given = tmp_path / "defaults.tfvars"
    given.write_text(
        "".join(
            f"{item.address.removeprefix('variable.')} = {written(item.body['default'])}\n"
            for item in declared()
            if item.address.startswith("variable.") and "default" in item.body
        ),
        encoding="utf-8",
    )
    whole = configuration.evaluated(
        COMPLETE, Path(EXAMPLE.name), Path(os.path.relpath(given, COMPLETE))
    )
    assert configuration.broken_validations(whole) == []
    for type_, instances in values.items():
        if type_.startswith("google_"):
            paths = {instance["__tfmeta"]["path"] for instance in instances}
            assert {i["__tfmeta"]["path"] for i in whole[type_]} == {
                f"module.conversions.{path}" for path in paths
            }
