"""`terraform/` and the code agree."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta

import main
from lib.config.profile import choose_profile, profile_name
from lib.config.settings import Settings
from lib.sweep.sweep import SEEN_FOR
from tests.terraform.conftest import (
    HCL,
    ROOT,
    TERRAFORM,
    Values,
    functions,
    local_values,
)

# Terraform never sets these: production reads the secret, and the endpoints are the sandbox's.
ON_LAPTOPS_ONLY = {"GOOGLE_ADS_CONFIGURATION_FILE_PATH"} | {
    variable for variable in Settings.variables() if variable.endswith("_ENDPOINT")
}


# ── environment ───────────────────────────────────────────────────────────────────────────────


def test_every_setting_can_be_set(all_on: Values) -> None:
    """With all options on, the functions get exactly the variables that the code reads."""
    for function in functions(all_on).values():
        given = set(function["service_config"]["environment_variables"])
        known = set(Settings.variables())
        # Read by Google's libraries and by the C library (docs/performance.md, memory).
        others = {"GOOGLE_CLOUD_PROJECT", "MALLOC_ARENA_MAX"}
        assert given - known == others
        assert known - given == ON_LAPTOPS_ONLY


def test_the_environment_is_valid(values: Values, all_on: Values) -> None:
    """The code accepts the environment from Terraform, and reads the values that were set."""
    for each in (values, all_on):
        for function in functions(each).values():
            environment = dict(function["service_config"]["environment_variables"])
            # IDs are known only after deployment.
            environment["GOOGLE_ADS_SECRET"] = "projects/p/secrets/s/versions/latest"
            settings = Settings.from_environment(environment)
    assert settings.accepted_suffixes == (".csv", ".txt")
    assert settings.list_all_rows is False
    assert settings.window == 4
    assert settings.state_prefix == local_values(all_on)["state_prefix"]


def test_the_name_of_the_secret_is_the_one_that_the_code_reads() -> None:
    """`.id` of the resource is projects/P/..., the format that the setting requires."""
    text = (TERRAFORM / "function.tf").read_text(encoding="utf-8")
    assert "${google_secret_manager_secret.google_ads.id}/versions/latest" in text


# ── functions ─────────────────────────────────────────────────────────────────────────────────


def test_entry_points_exist(values: Values) -> None:
    """Each function in Terraform is a function in main.py."""
    assert set(functions(values)) == {"ingest", "sweep"}
    assert all(callable(getattr(main, name)) for name in functions(values))


def test_timeouts_are_what_the_code_counts_on(values: Values) -> None:
    """The code stops before the platform's timeout, and the scheduler waits for the answer."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    ingest, sweep = (functions(values)[n]["service_config"] for n in ("ingest", "sweep"))
    assert ingest["timeout_seconds"] == defaults["time_limit_seconds"] == 540
    assert ingest["environment_variables"]["TIME_LIMIT_SECONDS"] == "540"
    limit = defaults["sweep_time_limit_seconds"]
    assert float(ingest["environment_variables"]["SWEEP_TIME_LIMIT_SECONDS"]) == limit
    assert sweep["timeout_seconds"] >= limit + defaults["request_timeout_seconds"]
    deadline = values["google_cloud_scheduler_job"][0]["attempt_deadline"]
    assert deadline == f"{sweep['timeout_seconds']}s" == "1800s"


def test_memory_is_twice_the_measured_peak(values: Values) -> None:
    """A run peaks below 256 MiB (benchmarks, memory_peak); the instance has twice as much."""
    for function in functions(values).values():
        assert function["service_config"]["available_memory"] == f"{2 * 256}Mi"
        assert function["service_config"]["available_cpu"] == "1"


def test_one_file_an_instance(values: Values) -> None:
    """Concurrency 1, a limit on instances, and no calls from outside."""
    for function in functions(values).values():
        config = function["service_config"]
        assert config["max_instance_request_concurrency"] == 1
        assert config["max_instance_count"] >= 1
        assert config["ingress_settings"] == "ALLOW_INTERNAL_ONLY"


def test_the_runtime_is_the_python_that_is_tested(values: Values) -> None:
    """`make` prefers the deployed Python version, and CI tests with the version `make` uses."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    preferred = re.search(r"^PYTHON \?= .*for p in python(\d+)\.(\d+) ", makefile, re.M)
    assert preferred is not None
    runtimes = {f["build_config"]["runtime"] for f in functions(values).values()}
    assert runtimes == {f"python{preferred[1]}{preferred[2]}"}
    steps = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    # Without PYTHON=, and as a separate command: `set -e` ends CI when it fails.
    assert 'make test COVERAGE="$coverage"' in steps
    assert "set -euo pipefail" in steps


def test_the_trigger_retries_in_the_region_of_the_bucket(values: Values) -> None:
    """Only finalized objects of the input bucket, with retries, in the bucket's own region."""
    trigger = functions(values)["ingest"]["event_trigger"]
    bucket = next(b for b in values["google_storage_bucket"] if b["name"].endswith("-input"))
    assert trigger["event_type"] == "google.cloud.storage.object.v1.finalized"
    assert trigger["retry_policy"] == "RETRY_POLICY_RETRY"
    assert trigger["trigger_region"] == bucket["location"]
    assert trigger["event_filters"] == trigger["event_filters"] | {
        "attribute": "bucket",
        "value": bucket["name"],
    }


# ── profiles ──────────────────────────────────────────────────────────────────────────────────


def test_the_profiles_document_is_what_the_code_reads(values: Values) -> None:
    """Terraform writes the document where the functions read it, without unset attributes."""
    document = next(o for o in values["google_storage_bucket_object"] if "content" in o)
    profiles = json.loads(document["content"])
    for name in profiles:
        folder = "" if name == "default" else f"{name}/"
        assert profile_name(f"{folder}file.csv") == name
        assert choose_profile(profiles, f"{folder}file.csv")
    assert "phone_region" not in profiles["stores"]
    where = f"gs://{document['bucket']}/{document['name']}"
    for function in functions(values).values():
        assert function["service_config"]["environment_variables"]["PROFILES"] == where
        assert not document["bucket"].endswith("-input")


# ── the archive ───────────────────────────────────────────────────────────────────────────────


def test_the_archive_is_the_code_and_nothing_else(values: Values) -> None:
    """main.py, requirements.txt and all of lib/, without caches and unrelated files."""
    inside = {source["filename"] for source in values["archive_file"][0]["source"]}
    lib = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "lib").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == {"main.py", "requirements.txt"} | lib


def test_new_code_gets_a_new_name(values: Values) -> None:
    """The object's name is a hash of the files: new code triggers a deployment, nothing else."""
    (archive,) = values["archive_file"]
    names = [source["filename"] for source in archive["source"]]
    lines = [f"{n} {hashlib.sha256((ROOT / n).read_bytes()).hexdigest()}" for n in names]
    wanted = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    (uploaded,) = [o for o in values["google_storage_bucket_object"] if o.get("source")]
    assert uploaded["name"] == f"source/{wanted}.zip"


def test_plan_and_apply_may_run_on_two_machines(values: Values) -> None:
    """`apply` writes the archive itself when the code is new, to a path below the module.

    No value in the plan comes from the archive, whose bytes depend on the provider's release.
    """
    text = (TERRAFORM / "function.tf").read_text(encoding="utf-8")
    block = text.split('data "archive_file" "source" {')[1].split("\n}")[0]
    assert "depends_on = [terraform_data.source]" in block
    assert not re.search(r"data\.archive_file\.source\.\w", text)
    (archive,) = values["archive_file"]
    assert archive["output_path"].startswith("./.build/")
    assert archive["output_file_mode"] == "0644"
    (source,) = [d for d in values["terraform_data"] if d["__tfmeta"]["path"].endswith(".source")]
    assert source["input"] == archive["output_path"]


# ── buckets and grants ────────────────────────────────────────────────────────────────────────


def test_buckets_are_closed(values: Values) -> None:
    """Four buckets with uniform access and no public access: results cannot start the function."""
    buckets = values["google_storage_bucket"]
    assert len({bucket["name"] for bucket in buckets}) == len(buckets) == 4
    for bucket in buckets:
        assert bucket["uniform_bucket_level_access"] is True
        assert bucket["public_access_prevention"] == "enforced"


def test_the_state_outlives_whatever_may_come_back(values: Values) -> None:
    """Runs and markers are kept longer than anything can ask for them, corrections for 100 days.
    The pages say how long."""
    state = next(b for b in values["google_storage_bucket"] if b["name"].endswith("-state"))
    kept = {
        folder: rule["condition"]["age"]
        for rule in state["lifecycle_rule"]
        for folder in rule["condition"]["matches_prefix"]
    }
    days = kept["_state/runs/"]
    assert kept == {"_state/corrections/": 100, "_state/runs/": days, "_state/chunks/": days}
    assert timedelta(days=days) > SEEN_FOR
    for page in ("recovery.md", "security.md"):
        text = (ROOT / "docs" / page).read_text("utf-8")
        assert f"`retention_days.state` ({days})" in text


def test_grants_on_the_project_are_few_and_say_why(all_on: Values) -> None:
    """Each role on the whole project is on this list, and its comment gives the reason."""
    assert {grant["role"] for grant in all_on["google_project_iam_member"]} == {
        "roles/eventarc.eventReceiver",
        "roles/logging.logWriter",
        "roles/pubsub.publisher",
        "roles/serviceusage.serviceUsageConsumer",
        "roles/storage.objectViewer",
    }
    text = (TERRAFORM / "iam.tf").read_text(encoding="utf-8")
    blocks = re.findall(r"((?:^#.*\n)+)resource \"google_project_iam_\w+\"", text, re.M)
    assert len(blocks) == text.count('resource "google_project_iam_')
    assert all(comment.startswith("# On the project: ") for comment in blocks)


def test_the_function_cannot_start_itself(values: Values) -> None:
    """The function only reads the input bucket."""
    text = (TERRAFORM / "iam.tf").read_text(encoding="utf-8")
    grants = re.findall(r"(\w+)\.name, role = \"roles/(\S+)\"", text)
    assert dict(grants) == {
        "input_bucket": "storage.objectViewer",
        "output": "storage.objectUser",
        "state": "storage.objectUser",
        "source": "storage.objectViewer",
    }


def test_nobody_is_everybody(all_on: Values) -> None:
    """No grant is public, and none is the role owner or editor."""
    assert "allUsers" not in HCL
    assert "allAuthenticatedUsers" not in HCL
    assert not re.search(r"roles/(owner|editor|viewer|\w+\.admin)\"", HCL)


def test_readers_only_read_and_uploaders_only_create() -> None:
    """No reader can change a results document, and no uploader can read a file."""
    text = (TERRAFORM / "iam.tf").read_text(encoding="utf-8")
    blocks = re.findall(r'_bucket_iam_member" "(uploaders|readers)" {(.+?)^}', text, re.M | re.S)
    assert {
        name: re.findall(r'bucket += \w+\.(\w+)|"roles/(\S+)"', block) for name, block in blocks
    } == {
        "uploaders": [("input_bucket", ""), ("", "storage.objectCreator")],
        "readers": [("output", ""), ("", "storage.objectViewer")],
    }


def test_each_function_has_one_caller() -> None:
    """The trigger calls ingest, the scheduler calls sweep, and nobody else calls either."""
    blocks = re.findall(
        r'^resource "google_(?:cloud_run|cloudfunctions)\w+_iam_.+?^}', HCL, re.M | re.S
    )
    found = [
        (
            *re.findall(r"name += google_cloudfunctions2_function\.(\w+)", block),
            *re.findall(r"member += \w+\.accounts\.(\w+)\.member", block),
        )
        for block in blocks
    ]
    # The scheduler starts the jobs of modules/sftp, too.
    assert sorted(found) == [("ingest", "trigger"), ("scheduler",), ("sweep", "scheduler")]
    assert HCL.count('"roles/run.invoker"') == 3


def test_the_secret_has_no_value() -> None:
    """A value would be readable in Terraform's state."""
    assert "google_secret_manager_secret_version" not in HCL
