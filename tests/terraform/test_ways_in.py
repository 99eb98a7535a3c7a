"""Optional parts of `terraform/`: files from SFTP servers, and profiles that people edit."""

from __future__ import annotations

import re

from lib.config.settings import Settings
from tests.terraform.conftest import (
    EXAMPLE,
    ROOT,
    SFTP,
    TERRAFORM,
    Values,
    evaluated_with,
    local_values,
    refused,
)

SCRIPT = (SFTP / "sftp_pull.sh").read_text(encoding="utf-8")


def test_nothing_of_it_exists_by_default(values: Values) -> None:
    """No job, no bucket, no identity and no alert, unless a variable asks for it."""
    names = {i["__tfmeta"]["path"] for each in values.values() for i in each if "__tfmeta" in i}
    found = [name for name in names if re.search("sftp|edit|profile_", name)]
    assert [name for name in found if not name.startswith("variable.")] == []


def test_the_job_has_what_its_script_reads(all_on: Values) -> None:
    """The script is in the job; every variable that it reads is set, and every set one is read."""
    (job,) = all_on["google_cloud_run_v2_job"]
    task = job["template"]["template"]
    container = task["containers"]
    assert container["command"] == ["/bin/sh"]
    assert container["args"] == ["-c", SCRIPT]
    # The evaluation leaves a dynamic block out in which both its own and an outer `for_each` count.
    given = local_values(all_on)["environments"]["crm"]
    text = (SFTP / "main.tf").read_text(encoding="utf-8")
    assert "for_each = local.environments[each.key]" in text
    read = set(re.findall(r"\$\{?([A-Z_]+)\b", SCRIPT))
    assert read <= set(given)
    assert {name for name in given if not name.startswith("RCLONE_")} <= read
    assert given["RCLONE_CONFIG_VENDOR_KEY_FILE"] == "/secrets/key"
    # rclone accepts only the keys in this file.
    assert given["RCLONE_CONFIG_VENDOR_KNOWN_HOSTS_FILE"]
    assert '"$KNOWN_HOSTS" >"$RCLONE_CONFIG_VENDOR_KNOWN_HOSTS_FILE"' in SCRIPT
    assert container["volume_mounts"]["mount_path"] == "/secrets"
    assert task["volumes"]["secret"]["items"]["path"] == "key"
    remotes = {name.split("_")[2] for name in given if name.startswith("RCLONE_CONFIG_")}
    assert {remote.lower() for remote in remotes} == set(re.findall(r'"(\w+):\$', SCRIPT))
    names = ("FOLDER", "DONE_FOLDER", "SINCE", "MIN_AGE_MINUTES")
    assert [given[name] for name in names] == ["stores", "done", "2026-11-24", "10"]


def test_runs_do_not_overlap(all_on: Values) -> None:
    """A run is not repeated, and ends before the next one begins."""
    (job,) = all_on["google_cloud_run_v2_job"]
    assert job["template"]["template"]["max_retries"] == 0
    text = (TERRAFORM / "variables.tf").read_text(encoding="utf-8")
    assert 'schedule        = optional(string, "*/15 * * * *")' in text
    assert re.findall(r"timeout_seconds = optional\(number, (\d+)\)", text) == ["840"]
    assert 840 < 15 * 60


def test_temporary_names_are_those_that_the_function_ignores() -> None:
    """They are not copied, so a file does not arrive twice under two names."""
    (listed,) = re.findall(r"'\*\.\{(.+?)\}'", SCRIPT)
    ignored = Settings.model_fields["ignored_suffixes"].default
    assert {f".{suffix}" for suffix in listed.split(",")} <= set(ignored)


def test_the_job_sees_no_results(all_on: Values) -> None:
    """Its identity has grants on the input bucket, the marks and its keys."""
    text = (SFTP / "main.tf").read_text(encoding="utf-8")
    grants = [
        g for g in all_on["google_storage_bucket_iam_member"] if "sftp" in g["__tfmeta"]["path"]
    ]
    assert sorted(grant["bucket"] for grant in grants) == [
        "acme-conversions-conversions-input",
        "acme-conversions-conversions-sftp",
    ]
    assert "google_project_iam_member" not in text


def test_the_page_has_valid_values() -> None:
    """The example on the page passes every validation; page and submodule have every attribute."""
    page = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"<!-- tfvars -->\n +```hcl\n(.*?)```", page, re.S)
    values = evaluated_with(shown, EXAMPLE)
    assert refused(values) == []
    assert values["google_cloud_run_v2_job"][0]["name"] == "conversions-sftp-crm"
    text = (TERRAFORM / "variables.tf").read_text(encoding="utf-8")
    (declared,) = re.findall(
        r'"sftp_servers" {\n  type = map\(object\({\n(.*?)\n  }\)\)', text, re.S
    )
    attributes = re.findall(r"^    (\w+) += ", declared, re.M)
    assert len(attributes) == 12
    text = (SFTP / "variables.tf").read_text(encoding="utf-8")
    assert re.findall(r"^    (\w+) += (?:string|number)$", text, re.M) == attributes
    for attribute in attributes:
        assert f"`{attribute}`" in page


def test_edited_profiles_are_not_overwritten(values: Values, all_on: Values) -> None:
    """The function reads a versioned object, and Terraform ignores its later versions."""
    text = (TERRAFORM / "profiles.tf").read_text(encoding="utf-8")
    edited = text.split('"edited_profiles" {')[1].split("\n}")[0]
    assert "ignore_changes  = all\n    prevent_destroy = true" in edited
    wanted = {
        "acme-conversions-conversions-profiles/profiles.json": all_on,
        "acme-conversions-conversions-source/": values,
    }
    for where, each in wanted.items():
        for function in each["google_cloudfunctions2_function"]:
            address = function["service_config"]["environment_variables"]["PROFILES"]
            assert address.startswith(f"gs://{where}")
        (output,) = [o for o in each["output"] if o["__tfmeta"]["path"] == "output.profiles"]
        assert output["value"] == address
    (bucket,) = [
        b
        for b in all_on["google_storage_bucket"]
        if b["name"] == "acme-conversions-conversions-profiles"
    ]
    assert bucket["versioning"]["enabled"] is True
    (document,) = [
        o
        for o in all_on["google_storage_bucket_object"]
        if o.get("bucket") == "acme-conversions-conversions-profiles"
    ]
    assert document["name"] == "profiles.json"
    (kept,) = [o for o in values["google_storage_bucket_object"] if "content" in o]
    assert document["content"] == kept["content"]


def test_editors_write_one_object_and_readers_none(all_on: Values) -> None:
    """Nobody of them gets a grant on another bucket or on the project."""
    grants = [
        (grant["member"], grant["bucket"], grant["role"], "condition" in grant)
        for grant in all_on["google_storage_bucket_iam_member"]
        if "profile_" in grant["__tfmeta"]["path"]
        and grant["member"] == "group:marketing@example.com"
    ]
    assert sorted(grants) == [
        (
            "group:marketing@example.com",
            "acme-conversions-conversions-profiles",
            "roles/storage.objectUser",
            True,
        ),
        (
            "group:marketing@example.com",
            "acme-conversions-conversions-profiles",
            "roles/storage.objectViewer",
            False,
        ),
    ]
    (editor,) = [g for g in all_on["google_storage_bucket_iam_member"] if "condition" in g]
    name = '"projects/_/buckets/acme-conversions-conversions-profiles/objects/profiles.json"'
    assert editor["condition"]["expression"] == f"resource.name == {name}"


def test_edited_profiles_may_choose_either_api(values: Values, all_on: Values) -> None:
    """The services and grants of the Data Manager API are there before an editor needs them."""
    assert local_values(all_on)["uses_data_manager"] is True
