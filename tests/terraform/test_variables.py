"""What the validations of `terraform/variables.tf` refuse."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.terraform.conftest import EXAMPLE, TERRAFORM, Values, evaluated, refused


def sftp(name: str = "crm", **attributes: str) -> str:
    """An `sftp_servers` variable with one server."""
    known = "sftp.example.com ssh-ed25519 AAAA"
    server = {"host": "sftp.example.com", "user": "acme", "known_hosts": known} | attributes
    body = "".join(f'{key} = "{value}"\n' for key, value in server.items())
    return f"sftp_servers = {{ {name} = {{\n{body}}} }}"


REFUSED = [
    ('project_id = "Acme"', "project_id is not valid"),
    ('region = "EU"', "region must be a single region"),
    ('name = "x"', "name is not valid. Use 3 to 20 lower-case letters"),
    ("profiles = {}", "at least one profile"),
    ('profiles = { "a/b" = {} }', "so it must not contain a slash"),
    ("settings = { list_all_row = true }", "settings has a name that the function does not read"),
    ('labels = { Team = "Ann" }', "Labels must be lower-case"),
    ('uploaders = ["allUsers"]', "Public access is not allowed"),
    ('readers = ["ann@example.com"]', "Public access is not allowed"),
    ('service_accounts = { builder = "me@example.com" }', "ends in .iam.gserviceaccount.com"),
    ('service_accounts = { bilder = "a@b.iam.gserviceaccount.com" }', "may name function"),
    ('kms_key = "projects/p/locations/eu/keyRings/r/cryptoKeys/k"', "kms_key must be projects/P"),
    ('network = { vpc_connector = "egress" }', "vpc_connector must be projects/P"),
    ('network = { vpc_egress = "NONE" }', "vpc_egress must be ALL_TRAFFIC"),
    ('network = { build_worker_pool = "private" }', "build_worker_pool must be projects/P"),
    ('profile_editors = ["allUsers"]', "Public access is not allowed"),
    (sftp("Crm"), "The name of an SFTP server is not valid"),
    (sftp(known_hosts="sftp.example.com"), "known_hosts of an SFTP server must be lines"),
    (sftp(folder="/stores"), "folder and done_folder must not begin with one"),
    (sftp(path="exports/"), "path of an SFTP server must not end with a slash"),
    (sftp(since="24.11.2026"), "must be a date such as 2026-11-24"),
    (sftp(since="2026-02-30"), "must be a date such as 2026-11-24"),
    (sftp(schedule="hourly"), "must be five cron fields"),
    (sftp(image="rclone/rclone:1.75.2"), "must end with a digest"),
    ("retention_days = { input = 7 }", "whole numbers, more than 7"),
    ("retention_days = { results = 7 }", "whole numbers, more than 7"),
    ("retention_days = { state = 29 }", "must be a whole number, at least 30"),
    ("max_instances = 2.5", "a whole number from 1 to 100"),
    ('existing_input_bucket = { name = "acme-conversions-conversions-state" }', "must not be the"),
    ('notification_channels = ["me@example.com"]', "notificationChannels/<number>"),
    ('docs_url = "docs"', "must begin with https://"),
    ('docs_url = "https://git.example.com/docs/"', "no slash at the end"),
]


def test_every_option_can_be_turned_on(all_on: Values) -> None:
    """No setting that the function knows is refused."""
    assert refused(all_on) == []


@pytest.mark.parametrize("planted, said", REFUSED)
def test_a_wrong_value_is_refused(planted: str, said: str, tmp_path: Path) -> None:
    """A mistake planted in the values breaks exactly the validation meant for it."""
    for path in (TERRAFORM / "variables.tf", TERRAFORM / EXAMPLE):
        shutil.copy(path, tmp_path)
    (tmp_path / "planted.tfvars").write_text(f"{planted}\n", encoding="utf-8")
    (found,) = refused(evaluated(tmp_path, Path(EXAMPLE.name), Path("planted.tfvars")))
    assert said in found
