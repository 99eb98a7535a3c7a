"""Mistakes that a provider's schema allows, and that show only in a later apply or in CI."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.terraform_check import configuration
from tools.terraform_check.configuration import Body, Declared
from tools.terraform_check.schema import Schemas

_REMEMBERED = ("project_id", "region", "name", "bucket_prefix")
# Resource → what must be in its `lifecycle`.
_LIFECYCLES = {
    "resource.terraform_data.deployment": ("ignore_changes", "precondition", "postcondition"),
    "resource.google_storage_bucket_object.edited_profiles": ("ignore_changes", "prevent_destroy"),
}
# A bucket or a dataset is replaced only with what `terraform_data.deployment` remembers.
_HOLDER = re.compile(
    r"\b(google_(?!storage_bucket|bigquery_dataset)\w+)\.(\w+)(?:\[[^\]]*\])?\.(\w+)"
)
_PROTECTED = ("google_secret_manager_secret", "google_bigquery_table")
_ACTION = re.compile(r"\buses: (\S+)@(\S+)")


def problems(root: Path, schemas: Schemas) -> Iterator[str]:
    """The problems of `terraform/`, the workflows and the page about them in a repository."""
    declared = configuration.declared(root / "terraform")
    found = {item.address: item for item in declared}
    for item in declared:
        kind = item.address.partition(".")[0]
        rules = {"variable": _variable, "resource": _resource}.get(kind)
        if rules is not None:
            yield from (f"{item.file}: {item.address}: {said}" for said in rules(item, schemas))
    for address, needed in _LIFECYCLES.items():
        lifecycle = _lifecycle(found[address].body) if address in found else {}
        for name in needed:
            if not lifecycle.get(name):
                yield f"{address}: needs {name} in its lifecycle"
        for name in _REMEMBERED if "postcondition" in lifecycle else ():
            if f"self.output.{name} ==" not in str(lifecycle["postcondition"]):
                yield f"{address}: forgets {name}, whose change would destroy the deployment"
    yield from _workflows(root)


def _variable(item: Declared, _: Schemas) -> Iterator[str]:
    name = item.address.partition(".")[2]
    type_ = str(item.body.get("type"))
    if "object(" in type_:
        yield "an object drops misspelled attributes: make it `any`, and list them in checks.tf"
    if type_ == "number" and f"floor(var.{name})" not in str(item.body.get("validation")):
        yield "accepts 2.5: compare it with its floor"
    if name.endswith("_image") and "@sha256:" not in str(item.body.get("default")):
        yield "a tag can move: write the image's digest"


def _resource(item: Declared, schemas: Schemas) -> Iterator[str]:
    body, type_ = item.body, item.type.partition(".")[2]
    known = schemas[item.type].arguments if item.type in schemas else {}
    for name in {"labels", "user_labels"} & known.keys():
        if body.get(name) != "${var.labels}":
            yield f"{name} must be var.labels"
    has_data = not {"view", "external_data_configuration"} & body.keys()
    if (
        type_ in _PROTECTED
        and has_data
        and body.get("deletion_protection") != "${!var.force_destroy}"
    ):
        yield "a plan can destroy it with its data: deletion_protection must be !var.force_destroy"
    if type_.endswith("_iam_member"):
        again = str(_lifecycle(body).get("replace_triggered_by"))
        texts = " ".join(str(value) for name, value in body.items() if name != "member")
        for holder, name, attribute in _HOLDER.findall(texts):
            # An argument is the same after a replacement; an ID or the like is not known then.
            is_argument = attribute in schemas[f"resource.{holder}"].arguments.keys() - {"id"}
            if is_argument and f"{holder}.{name}" not in again:
                yield f"is lost when {holder}.{name} is replaced: add replace_triggered_by"
    for query in _blocks(body, "condition_prometheus_query_language"):
        if query.get("disable_metric_validation") is not True:
            yield "the first apply fails: a metric exists only after its first log line"


def _lifecycle(body: Body) -> Body:
    found: Body = body.get("lifecycle", [{}])[0]
    return found


def _blocks(tree: Any, label: str) -> Iterator[Body]:
    """Every block with this label, however deep, also in `dynamic`."""
    for name, value in tree.items() if isinstance(tree, dict) else ():
        for each in value if isinstance(value, list) else ():
            if name == label:
                yield each
            yield from _blocks(each, label)
        yield from _blocks(value, label)


def _workflows(root: Path) -> Iterator[str]:
    example = root / "terraform" / "examples" / "github-actions.yml"
    for path in [*sorted((root / ".github" / "workflows").glob("*.yml")), example]:
        for action, version in _ACTION.findall(path.read_text(encoding="utf-8")):
            if not re.fullmatch(r"[0-9a-f]{40}", version):
                yield f"{path.name}: {action}@{version}: a tag can move: write the commit"
    workflow = yaml.safe_load(example.read_text(encoding="utf-8"))
    for name, job in workflow["jobs"].items():
        text, where = json.dumps(job), f"{example.name}: {name}"
        applies = "terraform apply" in text
        if applies and not ("push" in job.get("if", "") and job.get("environment")):
            yield f"{where}: applies without a protected environment"
        if not applies and "apply@" in text:
            yield f"{where}: pull requests have the identity that applies"
        if "terraform init" in text and "-lockfile=readonly" not in text:
            yield f"{where}: takes the newest providers: add -lockfile=readonly to terraform init"
    page = (root / "docs" / "integrations.md").read_text(encoding="utf-8")
    for needed in ("assertion.repository_id ==", ":environment:production", ":pull_request"):
        if needed not in page:
            yield f"integrations.md: the identity of the workflow is not bound to {needed!r}"
