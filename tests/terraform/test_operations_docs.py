"""The pages on deployment and operation agree with Terraform and the code."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.model.retries import MAX_TRIES, wait_after_try
from lib.run.take import STALE_AFTER
from lib.sweep import problems
from tests.terraform.conftest import (
    COMPLETE,
    EXAMPLE,
    ROOT,
    TERRAFORM,
    Values,
    evaluated_with,
    refused,
)

PAGES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in (
    "alerts.md", "deploy.md", "first-live-run.md", "operate.md", "security.md"
)}  # fmt: skip


def declared(kind: str, path: Path) -> dict[str, str]:
    """Name → body of the variables or outputs in a file."""
    text = path.read_text(encoding="utf-8")
    return dict(re.findall(rf'^{kind} "(\w+)" {{\n(.*?)^}}', text, re.M | re.S))


def table(page: str, heading: str) -> dict[str, str]:
    """First cell → second cell of the table rows below a heading that start with `code`."""
    text = PAGES[page].split(heading, 1)[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([^`]+)` \|[ ]*(.*?)[ ]*\|", text, re.M))


def test_example_names_every_needed_variable(values: Values) -> None:
    """terraform.tfvars.example sets every variable without a default."""
    example = (TERRAFORM / EXAMPLE).read_text(encoding="utf-8")
    for name, body in declared("variable", TERRAFORM / "variables.tf").items():
        if not re.search("^  default ", body, re.M):
            assert re.search(rf"^{name} +=", example, re.M), name


def test_the_example_is_valid(values: Values) -> None:
    """No validation refuses its values."""
    assert refused(values) == []


def test_the_example_passes_everything_on() -> None:
    """Its variables and outputs are the module's."""
    for kind, name in (("variable", "variables.tf"), ("output", "outputs.tf")):
        assert declared(kind, COMPLETE / name).keys() == declared(kind, TERRAFORM / name).keys()
    passed = re.findall(r"^  (\w+) += var\.(\w+)$", (COMPLETE / "main.tf").read_text("utf-8"), re.M)
    assert [name for name, _ in passed] == [name for _, name in passed]
    assert {name for name, _ in passed} == set(declared("variable", TERRAFORM / "variables.tf"))


def test_the_values_on_the_page_deploy() -> None:
    """The terraform.tfvars of deploy.md passes every validation, and its profiles are valid."""
    (shown,) = re.findall(r"<!-- tfvars -->\n```hcl\n(.*?)```", PAGES["deploy.md"], re.S)
    values = evaluated_with(shown)
    assert refused(values) == []
    (document,) = [o["content"] for o in values["google_storage_bucket_object"] if "content" in o]
    for profile in json.loads(document).values():
        assert Profile.model_validate(profile).validate_only


@pytest.mark.parametrize("page", PAGES)
def test_outputs_on_the_pages_exist(page: str) -> None:
    """Each `terraform output X` names one of the module."""
    outputs = set(re.findall(r"terraform output (?:-raw )?(\w+)", PAGES[page])) - {"prints"}
    assert outputs <= declared("output", TERRAFORM / "outputs.tf").keys()


def test_numbers_on_the_pages_are_the_codes(values: Values) -> None:
    """The limits on a page are the defaults in the code."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    operate = PAGES["operate.md"]
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert f"`MAX_FILE_BYTES`, {defaults['max_file_bytes'] >> 30} GiB" in settings
    assert f"files older than {defaults['sweep_grace_minutes']:.0f} minutes" in operate
    recovery = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8")
    assert f"{defaults['max_defer_hours']} hours after Google first deferred" in recovery
    assert f"`DEFER_HOURS` ({defaults['defer_hours']})" in recovery
    assert f"{STALE_AFTER.days} days after the file came" in recovery
    assert f"{MAX_TRIES} attempts in a row died" in recovery


def test_waits_on_the_pages_are_the_codes() -> None:
    """recovery.md has the waits after an attempt that died, alerts.md how long they take in all."""
    first, *others = (wait_after_try(tries) for tries in range(1, MAX_TRIES))
    hours = [str(wait // timedelta(hours=1)) for wait in others]
    in_words = f"{', '.join(hours[:-1])} and {hours[-1]} hours"
    recovery = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8")
    waits = f"So the next attempt waits: {first // timedelta(minutes=1)} minutes, then {in_words}."
    assert waits in " ".join(recovery.split())
    assert "within two days" in PAGES["alerts.md"]
    assert f"until {NUMBERS[MAX_TRIES]} attempts in a row" in PAGES["alerts.md"]
    assert sum([first, *others], MAX_TRIES * timedelta(hours=1)) < timedelta(days=2)


NUMBERS = {4: "four", 5: "five", 6: "six"}
IN_WORDS = {
    timedelta(minutes=30): "half an hour",
    timedelta(hours=2): "two hours",
    timedelta(hours=3): "three hours",
    timedelta(days=1): "a day",
    timedelta(days=3): "three days",
    timedelta(days=7): "seven days",
    0.2: "a fifth",
    3: "three files",
}


@pytest.mark.parametrize(
    ("section", "limits"),
    [
        ("Open problems", [problems.TOLD_FOR]),
        ("rows_lost", [problems.LARGEST_SHARE_LOST, problems.LOSS_TOLD_FOR_AT_LEAST]),
        ("file_unfinished", [problems.UNFINISHED_AFTER]),
        ("file_not_started", [problems.NOT_STARTED_AFTER]),
        ("nothing_sent", [problems.NOTHING_NEW_AFTER, problems.NOTHING_NEW_FILES]),
        ("deployment", [problems.ONLY_CHECKED_AFTER]),
    ],
)
def test_the_page_says_when_a_problem_begins(section: str, limits: list[timedelta | float]) -> None:
    """The section of each kind in alerts.md has the limits of the code."""
    _, _, text = PAGES["alerts.md"].partition(f"# {section}\n")
    words = " ".join(text.partition("\n#")[0].split())
    assert [limit for limit in limits if IN_WORDS[limit] not in words] == []


def test_the_plan_is_as_long_as_the_page_says(values: Values) -> None:
    """deploy.md says about how many things the first plan creates."""
    said = re.search(r"about (\d+) things to create", PAGES["deploy.md"])
    assert said is not None
    count = sum(
        instance.get("__tfmeta", {}).get("type") == "resource"
        for instances in values.values()
        for instance in instances
    )
    assert abs(count - int(said[1])) <= 10


def test_every_bucket_and_identity_is_documented(values: Values) -> None:
    """Each bucket and each service account has a row in security.md."""
    for bucket in values["google_storage_bucket"]:
        kind = bucket["name"].rpartition("-")[2]
        assert f"| {kind.capitalize()} bucket |" in PAGES["security.md"]
    for account in values["google_service_account"]:
        assert f"| `…-{account['account_id'].rpartition('-')[2]}` |" in PAGES["security.md"]


def test_project_grants_are_on_the_security_page(all_on: Values) -> None:
    """The page names each role that is granted on the whole project."""
    for grant in all_on["google_project_iam_member"]:
        assert f"`{grant['role'].removeprefix('roles/')}`" in PAGES["security.md"]
