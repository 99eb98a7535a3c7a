"""What the code refuses when a function starts or a file arrives, `terraform plan` refuses too."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lib.config.profile import Profile
from lib.config.settings import Settings, SettingsError
from tests.terraform.conftest import TERRAFORM, tool
from tools.terraform_check import configuration, formatter

Refusals = Callable[[str], list[str]]

# Setting → values that both accept, values that both refuse: the bounds, and one of another kind.
SETTINGS: dict[str, tuple[list[Any], list[Any]]] = {
    "max_file_bytes": ([1, 4 << 30], [0, -1, 1.5]),
    "max_file_lines": ([1], [0, 2.5]),
    "max_attempts_without_progress": ([2], [1, 2.5]),
    "deadline_margin_seconds": ([0, 539.5], [-1, 540]),
    "lease_seconds": ([0.5, 60], [0]),
    "request_timeout_seconds": ([0.5], [0]),
    "window": ([1, 64], [0, 65, 2.5]),
    "max_event_age_hours": ([0.5, 23], [0]),
    "defer_hours": ([0.5], [0]),
    "max_defer_hours": ([0.5], [0]),
    "sweep_grace_minutes": ([0, 0.5], [-1]),
    "sweep_max_age_days": ([0.5], [0]),
    "failing_rows_ratio": ([0.5], [0, 1]),
    "failing_rows_least": ([1], [0, 2.5]),
    "heartbeat_url": (["https://watch.example.com/a"], ["watch.example.com", "ftp://a"]),
    "notices_hour": ([0, 23], [-1, 24, 2.5]),
    "no_file_hours": ([0.5, 24], [0]),
    "no_file_grace_minutes": ([0], [-1]),
    "no_file_weekdays": ([["mon", "fri"]], [["holiday"]]),
    "no_file_holidays": (
        [["12-25", "02-29"], ["2027-03-29"]],
        [["25.12."], ["13-01"], ["02-30"], ["2027-02-29"], "12-25."],
    ),
    "no_file_time_zone": (["UTC", "Europe/Berlin"], ["Berlin, Germany"]),
    "list_all_rows": ([True, False], ["perhaps"]),
    "look_up_accounts": ([False], ["perhaps"]),
    "read_diagnostics": ([True], ["perhaps"]),
}
# Lists: the code takes any words.
LISTS = {"accepted_suffixes", "ignored_suffixes", "ignored_prefixes", "no_file_folders"}

# Attribute → values that both accept, values that both refuse.
PROFILES: dict[str, tuple[list[Any], list[Any]]] = {
    "destination": (["google_ads", "data_manager"], ["meta", ""]),
    "adjustments_via": (["google_ads", "data_manager"], ["meta"]),
    "customer_id": (["123-456-7890", "1234567890"], ["12", "me", ""]),
    "login_customer_id": (["123-456-7890"], ["12", "me"]),
    "time_zone": (["Europe/Berlin", "UTC", "Etc/GMT+3"], ["Berlin, Germany", ""]),
    "currency_code": (["EUR"], ["eur", "EURO", ""]),
    "phone_region": (["DE"], ["de", "49", ""]),
    "ad_user_data": (["GRANTED", "DENIED"], ["granted", ""]),
    "ad_personalization": (["GRANTED", "DENIED"], ["yes"]),
    "delimiter": ([";", "tab", "\\t", "\t"], ["", ";;"]),
    "sheet": (["Deals"], [""]),
    "header_row": ([1, 3, 50], [0, 51, 2.5]),
    "order_ids": (["keep", "integer"], ["number", ""]),
    "event_source": (["WEB", "IN_STORE"], ["SHOP", ""]),
    "source": ([], ["web", "crm", ""]),  # web needs a destination that takes it
    "day_first": ([True], ["perhaps"]),
    "decimal_comma": ([True], ["perhaps"]),
    "hold_open_last_line": ([True], ["perhaps"]),
    "derive_order_id": ([True], ["perhaps"]),
    "validate_only": ([True], ["perhaps"]),
    "omit_session_and_ip": ([True], ["perhaps"]),
    "headers": (
        [
            {"order_id": ["Deal", "Nr"]},
            {"email_2": "Mail"},
            {"phone": []},
            {"custom_variable.a": "A"},
        ],
        [
            {"order_idd": ["Deal"]},
            {"email_1": "Mail"},
            {"order_id": [1]},
            {"order_id": None},
            "order_id",
        ],
    ),
    "include": (
        [{"A": ["x"]}, {"A": "x"}, {"A": [True, 2, 0.5]}],
        [{"A": []}, {"A": [[]]}, {"A": None}, "A"],
    ),
    "exclude": ([{"A": []}, {"A": False}], [{"A": [["x"]]}, {"A": None}, ["A"]]),
    "refunds": ([{"A": "x"}], [{"A": []}, {"A": {"x": 1}}, {"A": None}]),
    "actions": (
        [
            {"Stage": {"Won": {"action": "Closed deal", "value": 0, "time": "Won on"}}},
            {"Stage": {"Won": {"action": 1002}, "Lead": {"action": "1001", "value": 49.5}}},
        ],
        [
            {"Stage": {"Won": {"action": 1002}}, "Status": {"Paid": {"action": 1002}}},
            {"Stage": {"Won": {"action": 1002, "value": -1}}},
            {"Stage": {"Won": {"action": 1002, "values": 1}}},
            {"Stage": {"Won": {"value": 1}}},
            {"Stage": {"Won": 1002}},
        ],
    ),
}
# Only the code knows all encodings. `offline-conversions check --profiles` checks them.
CODE_KNOWS = {"encoding"}
# Only the plan refuses them: the code tells the mistake and goes on, so that it stops no file.
PLAN_ONLY = {"no_file_weekdays", "no_file_holidays", "no_file_time_zone"}
# Any words are allowed. tests/terraform/test_terraform_sound.py has what contradicts.
WORDS = {"conversion_action", "expect"}


def cases(table: dict[str, tuple[list[Any], list[Any]]]) -> list[tuple[str, Any, bool]]:
    """Name, value, whether it is accepted."""
    return [
        (name, value, accepted)
        for name, (good, bad) in table.items()
        for values, accepted in ((good, True), (bad, False))
        for value in values
    ]


def as_variable(value: object) -> str:
    """The environment variable that Terraform makes of a value."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def planted(variable: str, value: object) -> str:
    """The line of a tfvars file."""
    return f"{variable} = {json.dumps(value, separators=(', ', ' = '))}\n"


def lines_of(refusals: Refusals, planted: str) -> list[str]:
    """What the plan says, as checks.tf writes it."""
    said = refusals(planted)
    return "".join(said).removeprefix("terraform_data.deployment: ").splitlines()


@pytest.fixture(scope="module")
def refused_settings(refusals: Refusals) -> set[str]:
    """`name value` of what the plan refuses. One evaluation has one value of each setting."""
    found = set()
    rows = {name: good + bad for name, (good, bad) in SETTINGS.items()}
    for number in range(max(map(len, rows.values()))):
        settings = {name: row[number] for name, row in rows.items() if number < len(row)}
        for line in lines_of(refusals, planted("settings", settings)):
            name, must, _ = line.removeprefix("settings.").partition(" must be ")
            assert must, line
            found.add(f"{name} {settings[name]}")
    return found


@pytest.fixture(scope="module")
def refused_profiles(refusals: Refusals) -> set[int]:
    """The numbers of the cases that the plan refuses. Each is a profile in one evaluation."""
    profiles = {
        f"case_{number}": {name: value} for number, (name, value, _) in enumerate(cases(PROFILES))
    }
    lines = lines_of(refusals, planted("profiles", profiles))
    return {int(re.match(r"profiles\.case_(\d+)[.:]", line)[1]) for line in lines}


@pytest.mark.parametrize("name, value, accepted", cases(SETTINGS))
def test_plan_and_code_agree_on_settings(
    refused_settings: set[str], name: str, value: Any, accepted: bool
) -> None:
    """Both accept the value, or both refuse it."""
    assert (f"{name} {value}" not in refused_settings) is accepted
    environment = {
        "INPUT_BUCKET": "input",
        "OUTPUT_BUCKET": "output",
        name.upper(): as_variable(value),
    }
    try:
        Settings.from_environment(environment)
    except SettingsError:
        assert not accepted
    else:
        assert accepted or name in PLAN_ONLY


@pytest.mark.parametrize("number, case", [*enumerate(cases(PROFILES))])
def test_plan_and_code_agree_on_profiles(
    refused_profiles: set[int], number: int, case: tuple[str, Any, bool]
) -> None:
    """Both accept the value, or both refuse it."""
    name, value, accepted = case
    assert (number not in refused_profiles) is accepted
    try:
        Profile.model_validate({"destination": "google_ads", name: value})
    except ValidationError:
        assert not accepted
    else:
        assert accepted


def test_every_setting_and_attribute_is_in_a_table(values: dict[str, list[Any]]) -> None:
    """A new one gets its row above."""
    known = configuration.local_values(values)
    assert known["setting_kinds"].keys() == SETTINGS.keys() | LISTS
    assert known["profile_kinds"].keys() == PROFILES.keys() | CODE_KNOWS | WORDS


UNSET: dict[str, Any] = {
    "settings": dict.fromkeys([*SETTINGS, *LISTS]),
    "profiles": {"default": dict.fromkeys([*PROFILES, *CODE_KNOWS, *WORDS])},
    "service_accounts": {"function": None},
    "sftp_servers": {},
}


def test_null_is_unset(refusals: Refusals) -> None:
    """The plan takes null for every setting, attribute of a profile and service account."""
    assert refusals("".join(planted(name, value) for name, value in UNSET.items())) == []


MISSPELLED: dict[str, Any] = {
    "settings": {
        "no_file_hour": 24,
        "window": 2.5,
        "lease_seconds": None,
        "list_all_rows": 1,
        "no_file_holidays": "12-25",
    },
    "profiles": {
        "default": {
            "validate_onyl": True,
            "customer_id": 1234567890,
            "headers": {"order_idd": ["Deal"], "email_3": ["Mail"]},
            "include": {"City": ["Bonn", 1, True]},
            "exclude": {"Town": [["Bonn"]]},
            "actions": {
                "Stage": {
                    "Won": {"acton": "Sale"},
                    "Lead": {"action": "Lead", "value": "9"},
                    "Lost": {"action": None, "value": 0},
                }
            },
        },
        "other": "google_ads",
        "empty": None,
    },
    "sftp_servers": {"crm": {"hosts": "sftp.example.com", "port": "ssh", "user": None}},
    "existing_input_bucket": "acme-uploads",
    "service_accounts": {"bilder": "me@example.com"},
}
SAID = """\
settings.no_file_hour is not known. Did you mean no_file_hours?
profiles.default.validate_onyl is not known. Did you mean validate_only?
profiles.default.headers.order_idd is not known. Did you mean order_id?
profiles.default.actions.Stage.Won.acton is not known. Did you mean action?
sftp_servers.crm.hosts is not known. Did you mean host?
service_accounts.bilder is not known. Did you mean builder?
settings.list_all_rows must be true or false.
settings.no_file_holidays must be a list of dates such as 12-25 or 2027-03-29.
settings.window must be a whole number from 1 to 64.
profiles.default.exclude.Town must be a value, or a list of values, which may be empty.
profiles.default.actions.Stage.Lead.value must be a number of 0 or more.
profiles.default.actions.Stage.Lost.action is missing.
profiles.default.actions.Stage.Won.action is missing.
profiles.empty must be { name = ... }.
profiles.other must be { name = ... }.
sftp_servers.crm.port must be a whole number of 1 or more.
sftp_servers.crm.host is missing.
sftp_servers.crm.known_hosts is missing.
sftp_servers.crm.user is missing.
existing_input_bucket must be { name = ... }."""


def test_misspelled_names_are_said_with_the_nearest_one(tmp_path: Path) -> None:
    """Nested ones and those of each variable too, and unset ones and other kinds of values."""
    for name in ("variables.tf", "checks.tf"):
        shutil.copy(TERRAFORM / name, tmp_path)
    (tmp_path / "planted.tfvars.json").write_text(json.dumps(MISSPELLED), encoding="utf-8")
    values = configuration.evaluated(tmp_path, Path("planted.tfvars.json"))
    said = configuration.local_values(values)["problems"]
    assert sorted(said) == sorted(SAID.splitlines())
    (broken,) = [b for b in configuration.broken_validations(values) if "deployment" in b]
    assert broken == "terraform_data.deployment: " + "\n".join(said)


@pytest.mark.parametrize("planted, said", [(MISSPELLED, SAID.splitlines()), (UNSET, [])])
def test_a_real_terraform_says_the_same(
    tmp_path: Path, planted: dict[str, Any], said: list[str]
) -> None:
    """The evaluation of the tests is another program's. An old Terraform evaluates them, too."""
    declared = "".join(
        f'variable "{name}" {{\n  type    = any\n  default = null\n}}\n' for name in MISSPELLED
    )
    checks = (TERRAFORM / "checks.tf").read_text(encoding="utf-8").partition("resource ")[0]
    (tmp_path / "main.tf").write_text(declared + checks, encoding="utf-8")
    (tmp_path / "planted.tfvars.json").write_text(json.dumps(planted), encoding="utf-8")
    ran = subprocess.run(
        [tool(formatter.BUNDLED), "console", "-var-file=planted.tfvars.json"],
        cwd=tmp_path,
        input="jsonencode(local.problems)\n",
        env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert sorted(json.loads(json.loads(ran.stdout))) == sorted(said)
