"""`--online` on a local Google, over TLS, with the client libraries as they are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from click.testing import CliRunner
from google.auth.exceptions import DefaultCredentialsError

from lib.cli.canary import CONVERSION, READING, RETRACTION, ApiReport, findings
from lib.cli.commands import main
from lib.cli.init.command import ActionsOfAccount
from lib.cli.init.proposal import Given, Proposal, Question, WrongAnswer
from lib.cli.online import Online
from lib.destinations.base import LookupState
from lib.destinations.registry import capabilities_of
from lib.model.account import Account, Action
from lib.model.fields import RecordKind
from sandbox.running import CURRENT
from sandbox.up import Sandbox

ROOT = Path(__file__).parents[2]
CLOSED = "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
ADDRESS = "Is a postal address accepted as a user identifier?"
DIGITS = "Is an order ID of digits only accepted as it is?"


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox without a function, started in a folder as `python -m sandbox up` does."""
    with Sandbox(function=False, directory=tmp_path_factory.mktemp("canary")) as running:
        current = running.directory / CURRENT
        current.parent.mkdir()
        current.write_text(json.dumps(running.description()))
        yield running


def sing(google: Sandbox, *words: str, **env: str) -> tuple[int, dict[str, dict[str, str]], str]:
    """Run the command in the sandbox's folder. Return its exit code, the mark of each line below
    its heading, and its whole output."""
    done = subprocess.run(
        [sys.executable, "-m", "lib", "check", "--online", "--canary", *words],
        cwd=google.directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400", **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr.startswith("This opens an account at "), done.stderr
    assert "Error" not in done.stderr
    sections: dict[str, dict[str, str]] = {}
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            sections[line.rstrip(":")] = lines = {}
        elif found := re.fullmatch(r"  (works|refused|answered|open) +(.+)", line):
            lines[found[2]] = found[1]
    assert not google.state.accepted
    assert not google.state.adjustments
    ids = {"1234567890", "4444444444", "6666666666", "1001"}
    ids |= {each["request_id"] for each in google.state.request_log()}
    assert not [each for each in ids if each in done.stdout]
    return done.returncode, sections, done.stdout


def test_what_works_by_both_apis_and_what_that_answers(google: Sandbox) -> None:
    """By default, it is the sandbox of the folder with its default profile."""
    code, found, _ = sing(google)
    works = dict.fromkeys(
        ("the credentials", READING, "the terms for user data", "the conversion action"), "works"
    )
    works |= {CONVERSION: "works", "the daily quota": "works"}
    assert found["Google Ads API"] == {
        **works,
        f"{RETRACTION}: CONVERSION_NOT_FOUND, as expected": "works",
    }
    assert found["Data Manager API"] == works
    assert code == 0
    answers = found["Open questions about Google"]
    assert answers.pop(f"Google Ads API: {ADDRESS} No: UNSUPPORTED_USER_IDENTIFIER.") == "answered"
    assert answers.pop("Google Ads API: Are retractions open to this project? Yes.") == "answered"
    assert answers.pop("Data Manager API: May the project query accounts? Yes.") == "answered"
    assert {*answers.values()} == {"open"}
    assert len(answers) == 5


def test_planted_refusals_are_named_with_what_to_do(google: Sandbox) -> None:
    """Terms that nobody has accepted: both APIs say so, the profile's API decides the exit code."""
    code, found, output = sing(google, "--customer-id", "444-444-4444", "--action", "1001")
    terms = "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"
    of_ads, of_data_manager = found["Google Ads API"], found["Data Manager API"]
    assert of_ads[f"{CONVERSION}: {terms}"] == "refused"
    assert of_data_manager[f"the terms for user data: {terms}"] == "refused"
    assert output.count("Accept the terms in Google Ads under Goals > Settings > Customer") == 1
    assert code == 1


def test_a_newcomer_whose_quota_is_used_up(google: Sandbox) -> None:
    """Uploads are closed by one API, and the quota of the other is used up. A file of credentials
    is needed for a real account, and works here too."""
    google.faults.set([{"method": "IngestEvents", "kind": "resource_exhausted"}])
    credentials = google.directory / "google-ads.yaml"
    credentials.write_text(google.apis.google_ads_key_yaml)
    words = ("--credentials", str(credentials), "--customer-id", "6666666666", "--action", "1001")
    try:
        code, found, output = sing(google, *words, "--destination", "data_manager", **google.env)
    finally:
        google.faults.clear()
    assert output.startswith("Canary at Google: ")
    assert found["Google Ads API"][f"{CONVERSION}: {CLOSED}"] == "refused"
    assert found["Google Ads API"]["the daily quota"] == "works"
    assert found["Data Manager API"]["the daily quota: DAILY_QUOTA"] == "refused"
    assert code == 1


def test_access_that_is_denied(google: Sandbox) -> None:
    """Neither API gives access: nothing is known about the quota, and nothing is answered."""
    code, found, _ = sing(google, "--customer-id", "3333333333", "--action", "1001")
    for title, said in (("Google Ads API", "USER_"), ("Data Manager API", "")):
        assert found[title][f"{READING}: USER_PERMISSION_DENIED"] == "refused"
        assert found[title][f"{CONVERSION}: {said}PERMISSION_DENIED"] == "refused"
        assert not [each for each in found[title] if "quota" in each]
    assert {*found["Open questions about Google"].values()} == {"open"}
    assert code == 1


@pytest.mark.parametrize(
    ("name", "codes", "expected"),
    [
        ("google_ads", {RETRACTION: CLOSED}, f"retractions open to this project? No: {CLOSED}."),
        ("google_ads", {CONVERSION: "", ADDRESS: ""}, f"{ADDRESS} Yes."),
        (
            "data_manager",
            {CONVERSION: "", DIGITS: "INVALID_FORMAT"},
            f"{DIGITS} No: INVALID_FORMAT.",
        ),
        (
            "data_manager",
            {READING: "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION"},
            "accounts? No: CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION.",
        ),
    ],
)
def test_answers_to_open_questions(name: str, codes: dict[str, str], expected: str) -> None:
    """A refusal answers it only if the same conversion is accepted otherwise, or if it says to whom
    something is open."""
    answered = [
        text
        for is_answered, text in findings([ApiReport(capabilities_of(name), codes)])
        if is_answered
    ]
    assert [text for text in answered if text.endswith(expected)]


@pytest.mark.parametrize(
    ("name", "codes", "expected"),
    [
        ("google_ads", {CONVERSION: "", ADDRESS: "DAILY_QUOTA"}, f"{ADDRESS} Not answered: DAILY"),
        (
            "google_ads",
            {CONVERSION: "INVALID_FORMAT", ADDRESS: ""},
            f"{ADDRESS} Not answered, because",
        ),
        ("google_ads", {}, f"{ADDRESS} Not answered, because"),
        (
            "data_manager",
            {CONVERSION: "", DIGITS: ""},
            f"{DIGITS} Not answered: validate_only misses it",
        ),
    ],
)
def test_what_does_not_answer_an_open_question(
    name: str, codes: dict[str, str], expected: str
) -> None:
    """Neither yes nor no: a refusal for another reason, and what cannot be compared."""
    found = [
        text
        for is_answered, text in findings([ApiReport(capabilities_of(name), codes)])
        if not is_answered
    ]
    assert [text for text in found if expected in text]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--canary",), "Write --online --canary [--credentials FILE], without FILE."),
        (("--online", "--canary", str(ROOT / "README.md")), "without FILE."),
        (("--online", "--canary"), "No sandbox runs in this folder."),
        (
            ("--online", "--canary", "--credentials", str(ROOT / "README.md")),
            "Name the account: add --customer-id",
        ),
        (("--online", "--canary", "--credentials", "none"), "none: No such file or directory"),
        (("--online", "--canary", "--credentials", ""), "it is empty."),
        (("--online", "--canary", "--json"), "--canary prints one report"),
        (("--online", "--canary", "--all-rows"), "--canary prints one report"),
        (("--online", "--canary", "--html", "x.html"), "--canary prints one report"),
    ],
)
def test_nothing_is_opened_by_accident(
    words: tuple[str, ...], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without both options, a sandbox or credentials, and an account, nothing is asked."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["check", *words])
    assert done.exit_code in (1, 2)
    assert expected in done.output
    assert "This opens" not in done.output


@pytest.mark.parametrize("is_secret", [True, False])
def test_a_missing_login_of_this_computer_is_said(
    is_secret: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret, and a file that leaves it to the environment, need a login: here is none."""
    monkeypatch.setattr("google.auth.default", Mock(side_effect=DefaultCredentialsError))
    file = tmp_path / "google-ads.yaml"
    file.write_text("use_application_default_credentials: true\n")
    credentials = "projects/acme/secrets/ads" if is_secret else str(file)
    done = CliRunner().invoke(main, ["check", "--online", "--canary", "--credentials", credentials])
    assert done.exit_code == 1
    assert "no application default credentials" in done.output
    assert "This opens" not in done.output


@pytest.mark.parametrize("written", ["[]", '{"env": null}', '{"env": {"A": 1}}', "{", "\xff"])
def test_a_strange_description_of_a_sandbox_is_none(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the file has, the message says how to start a sandbox."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / CURRENT).parent.mkdir()
    (tmp_path / CURRENT).write_bytes(written.encode("latin-1"))
    done = CliRunner().invoke(main, ["check", "--online", "--canary"])
    assert (done.exit_code, "No sandbox runs in this folder." in done.output) == (1, True)


@pytest.mark.parametrize(
    ("customer_id", "offered"),
    [
        ("123-456-7890", ["Phone sale: ID 1001", "Qualified lead: ID 1002, one per click"]),
        ("3333333333", []),
    ],
)
def test_init_offers_the_actions_of_the_account(
    google: Sandbox, customer_id: str, offered: list[str]
) -> None:
    """Only those that take imports from clicks; if none can be read, it says why and asks."""
    (google.directory / "deals.csv").write_text(
        "Record ID,Close Date,Email\n1,2026-11-18 09:30,ada@example.com\n"
    )
    words = ("init", "deals.csv", "--customer-id", customer_id, "--time-zone", "UTC", "--online")
    done = subprocess.run(
        [sys.executable, "-m", "lib", *words],
        cwd=google.directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert "Reading the account's conversion actions from the local sandbox" in done.stderr
    assert "--action: Conversion action" in done.stderr
    listed = [line.strip() for line in done.stderr.splitlines() if ": ID " in line]
    assert [each for each in listed if each in offered] == offered
    for other in ("Website purchase", "Retired action", "Call sale", "Manager's action"):
        assert not [each for each in listed if other in each]
    assert bool(listed) != ("None can be offered: USER_PERMISSION_DENIED:" in done.stderr)


@pytest.mark.parametrize(
    ("destination", "answer", "value"),
    [
        ("google_ads", "2", "Won"),
        ("google_ads", "qualified", "Qualified"),
        ("data_manager", "Won", "1002"),
        ("google_ads", "1001", "1001"),
        ("data_manager", "1001", "1001"),
        ("data_manager", "customers/1234567890/conversionActions/1001", "1001"),
        ("data_manager", "other sale", "1003"),
        ("google_ads", "other sale", "other sale"),
    ],
)
def test_the_chosen_action_is_in_the_profile(destination: str, answer: str, value: str) -> None:
    """By its name, or by its ID if the API would have to look the name up. An ID, and an action
    that is not listed, are answers too."""
    offered = offered_question("conversion", destination)
    assert [each.name for each in offered.choices] == ["Qualified", "Won"]
    assert offered.meaning_of(answer) == {"conversion_action": value}
    with pytest.raises(WrongAnswer):
        offered.meaning_of("1009")


def test_actions_are_offered_for_the_kind_of_the_file() -> None:
    """A file of phone calls gets the actions that take calls."""
    assert [each.name for each in offered_question("call", "google_ads").choices] == ["Other sale"]


def offered_question(kind: RecordKind, destination: str) -> Question:
    """The question for the action with those of an account: two for conversions, one for calls."""
    kinds: dict[str, tuple[str, RecordKind]] = {
        "1002": ("Won", "conversion"),
        "1001": ("Qualified", "conversion"),
        "1003": ("Other sale", "call"),
    }
    actions = {
        number: Action(number, name, True, frozenset({accepted}), False, 90)
        for number, (name, accepted) in kinds.items()
    }
    account = Account("1234567890", "1234567890", verified=True, actions=actions)
    port = SimpleNamespace(account=lambda *_: account, state=lambda _: LookupState(account, ""))
    destinations: Any = SimpleNamespace(look_up=lambda: port)
    offering = ActionsOfAccount(Online(destinations, "a test"), kind)
    question = Question(key="conversion_action", text="Which?", option="--action")
    given = Given({"customer_id": "123-456-7890", "destination": destination})
    assert offering.offered_in(Proposal(questions=(question,)), Given()).questions == (question,)
    (offered,) = offering.offered_in(Proposal(questions=(question,)), given).questions
    return offered
