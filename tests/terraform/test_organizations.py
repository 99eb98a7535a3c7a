"""What an organization may prescribe: accounts, keys, networks, buckets. It is off unless set."""

from __future__ import annotations

import json

import pytest

from tests.terraform.conftest import EXAMPLE, HCL, Values, evaluated_with, functions, refused

PROJECT = "projects/acme-security/locations/europe-west1"
KEY = f"{PROJECT}/keyRings/acme/cryptoKeys/conversions"
CONNECTOR = f"{PROJECT}/connectors/egress"
POOL = f"{PROJECT}/workerPools/private"
ACCOUNTS = {
    name: f"{name}@acme-identities.iam.gserviceaccount.com"
    for name in ("function", "trigger", "scheduler", "builder")
}
ORGANIZATION = f"""
existing_input_bucket = {{ name = "acme-uploads", location = "EU" }}
kms_key               = "{KEY}"
network               = {{ vpc_connector = "{CONNECTOR}", build_worker_pool = "{POOL}" }}
grant_storage_agent   = false
force_destroy         = true

service_accounts = {{
  {chr(10).join(f'{name} = "{email}"' for name, email in ACCOUNTS.items())}
}}
"""


@pytest.fixture(scope="module")
def organization() -> Values:
    """The module with the values of an organization that prescribes everything."""
    return evaluated_with(ORGANIZATION, EXAMPLE)


def test_the_values_are_valid(organization: Values) -> None:
    """No validation refuses them."""
    assert refused(organization) == []


def set_value(value: object) -> object:
    """A value, or None for an unset variable, which the evaluation shows as a reference to it."""
    return None if isinstance(value, dict) and "__attribute__" in value else value


def test_an_existing_bucket_is_read_and_not_changed(values: Values, organization: Values) -> None:
    """The trigger, the grants and the environment name it; the trigger is in its location."""
    assert len(values["google_storage_bucket"]) == 4
    names = {bucket["name"].rpartition("-")[2] for bucket in organization["google_storage_bucket"]}
    assert names == {"output", "state", "source"}
    ingest = functions(organization)["ingest"]
    assert ingest["event_trigger"]["event_filters"]["value"] == "acme-uploads"
    assert ingest["event_trigger"]["trigger_region"] == "eu"
    assert ingest["service_config"]["environment_variables"]["INPUT_BUCKET"] == "acme-uploads"
    assert "acme-uploads" in {
        grant["bucket"] for grant in organization["google_storage_bucket_iam_member"]
    }


def test_existing_accounts_replace_new_ones(values: Values, organization: Values) -> None:
    """No account is created, and each existing one has the place and the grants of a new one."""
    assert {a["account_id"] for a in values["google_service_account"]} == {
        f"conversions-{name}" for name in ACCOUNTS
    }
    assert "google_service_account" not in organization
    found = functions(organization)
    for function in found.values():
        assert function["service_config"]["service_account_email"] == ACCOUNTS["function"]
        assert function["build_config"]["service_account"] == (
            f"projects/acme-identities/serviceAccounts/{ACCOUNTS['builder']}"
        )
    assert found["ingest"]["event_trigger"]["service_account_email"] == ACCOUNTS["trigger"]
    token = organization["google_cloud_scheduler_job"][0]["http_target"]["oidc_token"]
    assert token["service_account_email"] == ACCOUNTS["scheduler"]
    members = {
        grant["member"]
        for type_, grants in organization.items()
        if type_.endswith("_iam_member")
        for grant in grants
    }
    assert members == {f"serviceAccount:{email}" for email in ACCOUNTS.values()}


def test_an_existing_account_copies_files_from_sftp() -> None:
    """It has the place and the grants of a new one, and none is created."""
    accounts = ACCOUNTS | {"sftp": "sftp@acme-identities.iam.gserviceaccount.com"}
    email = accounts["sftp"]
    server = {"host": "a.example.com", "user": "acme", "known_hosts": "a ssh-ed25519 AAAA"}
    given = {"sftp_servers": {"crm": server}, "service_accounts": accounts}
    lines = [f"{name} = {json.dumps(value)}" for name, value in given.items()]
    found = evaluated_with("\n".join(lines), EXAMPLE)
    assert "google_service_account" not in found
    (job,) = found["google_cloud_run_v2_job"]
    assert job["template"]["template"]["service_account"] == email
    members = [each["member"] for each in found["google_storage_bucket_iam_member"]]
    assert members.count(f"serviceAccount:{email}") == 2
    (reader,) = [
        each
        for each in found["google_secret_manager_secret_iam_member"]
        if "sftp" in each["__tfmeta"]["path"]
    ]
    assert reader["member"] == f"serviceAccount:{email}"


def test_no_default_account_is_used(values: Values) -> None:
    """Function, trigger, scheduler and build have accounts of their own, so the defaults may go."""
    for function in functions(values).values():
        assert "service_account_email" in function["service_config"]
        assert "service_account" in function["build_config"]
    assert "developer.gserviceaccount.com" not in HCL
    assert "appspot.gserviceaccount.com" not in HCL


def test_everything_that_holds_data_has_the_key(values: Values, organization: Values) -> None:
    """With kms_key, buckets, images, functions and secrets have it; without, none has."""
    for each, wanted in ((values, None), (organization, KEY)):
        held: list[object] = []
        for bucket in each["google_storage_bucket"]:
            held.append((bucket.get("encryption") or {}).get("default_kms_key_name"))
        for type_ in (
            "google_artifact_registry_repository",
            "google_cloudfunctions2_function",
        ):
            held += [set_value(i.get("kms_key_name")) for i in each.get(type_, [])]
        assert len(held) >= 6
        assert set(held) == {wanted}
    # The evaluation leaves out what is dynamic deep in a block.
    keys = HCL.count("kms_key_name = customer_managed_encryption.value")
    assert keys == HCL.count('resource "google_secret_manager_secret" ')


@pytest.mark.parametrize(
    ("part", "name", "prescribed"),
    [
        ("service_config", "vpc_connector", CONNECTOR),
        ("service_config", "vpc_connector_egress_settings", "ALL_TRAFFIC"),
        ("build_config", "worker_pool", POOL),
    ],
)
def test_traffic_and_builds_stay_in_the_network(
    values: Values, organization: Values, part: str, name: str, prescribed: str
) -> None:
    """All traffic goes through the connector, so Google's APIs see the address of the network, and
    a private pool builds; off unless set."""
    for each, wanted in ((values, None), (organization, prescribed)):
        for function in functions(each).values():
            assert set_value(function[part][name]) == wanted


def test_destroy_keeps_objects_unless_told(values: Values, organization: Values) -> None:
    """Only with force_destroy does `terraform destroy` delete a bucket that has objects."""
    assert {bucket["force_destroy"] for bucket in values["google_storage_bucket"]} == {False}
    assert {bucket["force_destroy"] for bucket in organization["google_storage_bucket"]} == {True}


def test_the_agents_grant_can_be_left_to_others(values: Values, organization: Values) -> None:
    """With grant_storage_agent = false, no deployment takes the grant away from another."""
    for each, count in ((values, 1), (organization, 0)):
        roles = [grant["role"] for grant in each["google_project_iam_member"]]
        assert roles.count("roles/pubsub.publisher") == count


def test_everything_stays_in_the_region(values: Values) -> None:
    """A policy on locations is satisfied: whatever has a location is in `region`."""
    places = {
        instance.get("location") or instance.get("region")
        for type_, instances in values.items()
        if type_.startswith("google_")
        for instance in instances
    } - {None}
    assert places == {"europe-west1"}
    (secret,) = values["google_secret_manager_secret"]
    assert secret["replication"]["user_managed"]["replicas"]["location"] == "europe-west1"
