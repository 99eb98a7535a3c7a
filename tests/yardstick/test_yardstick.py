"""Requests and results documents are those of the base, up to the names in docs/renamed.json."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

from lib.config.profile import Profile
from sandbox.apis import Apis
from tests.schedule import EVERY_CALL
from tests.yardstick.cases import SWITCHED_KEYS, Case, every_case
from tests.yardstick.play import Document, running_apis
from tests.yardstick.recording import Recording, renamed, renamed_today

CASES = every_case()
NAMES = renamed_today()
STEP = 1 if EVERY_CALL else 16


def _kind(case: Case) -> str:
    """What is switched, without the value."""
    return case.switch.partition("=")[0]


def _sampled() -> dict[str, list[Case]]:
    """Cases by file and API. Of large groups: the first kind of switch, and each `STEP`th of the
    others, which are other ones in the next group."""
    groups: dict[str, list[Case]] = {}
    for case in CASES:
        groups.setdefault(f"{case.group} | {case.api}", []).append(case)
    for number, (name, cases) in enumerate(groups.items()):
        if name.startswith(("examples/", "4500 ")):
            first, *others = dict.fromkeys(map(_kind, cases))
            kinds = {first, *others[number % STEP :: STEP]}
            groups[name] = [case for case in cases if _kind(case) in kinds]
    return groups


SAMPLED = _sampled()

_PARTS: Final = (
    "the marker of a chunk is written after its sales too if one API gets both: after a "
    "crash, the sales are not sent again, and the refunds wait"
)
_ORDER_WAITS: Final = (
    "adjustments wait until Google has processed the sales next to them: otherwise, it "
    "could apply an older value after a newer one"
)
_READ_ONCE: Final = (
    "rows that are sent again are validated once, not twice: the repeat of a deferred refund stays "
    "deferred with it"
)
_UNDONE_SALES_SENT: Final = (
    "orders that were cancelled or partly refunded were sent as whole sales; now the profile must "
    "say which rows are sales (ROLE_UNDECIDED)"
)
_UNDECIDED: Final = {
    "shopify_orders.csv | {} | include={'Financial Status': ['paid']}": _UNDONE_SALES_SENT,
    "stripe_payments.csv | {} | include={'Status': ['Paid']}": _UNDONE_SALES_SENT,
}
_TAG: Final = {
    "google_ads": "an action that a website's tag counts has a code of its own: ACTION_OF_TAG",
    "data_manager": (
        "the local Google takes events for an action that a website's tag counts, as Google does: "
        "the row is uploaded, and nothing is sent again without it"
    ),
}
_ACTION_NAMED: Final = "an error about the profile's conversion action names it"
_WITHOUT_OWN_ACTION: Final = (
    *("close_opportunities.csv", "deals_to_correct.csv", "dynamics_opportunities.xlsx"),
    *("hubspot_deals.csv", "hubspot_export.csv", "pipedrive_deals_de.csv", "salesforce_export.csv"),
    *("salesforce_report.csv", "semicolon_decimal_comma.csv", "shop_refunds.csv"),
    *("shopify_orders.csv", "stripe_payments.csv", "zoho_deals.csv"),
)
_WITH_NAMES: Final = (
    *("google_adjustments.csv", "google_calls.csv", "google_template.csv"),
    *("utf16_tab.txt", "windows_1252.csv"),
)
"""Their rows name actions, which the Data Manager API cannot look up either."""
CHANGED: Final = {
    **{
        f"examples/{name} | {switch}": _ACTION_NAMED
        for switch, names in {
            "google_ads | conversion_action='1003'": _WITHOUT_OWN_ACTION,
            "google_ads | conversion_action='no such action'": _WITHOUT_OWN_ACTION,
            "data_manager | conversion_action='no such action'": (
                *_WITHOUT_OWN_ACTION,
                *_WITH_NAMES,
            ),
        }.items()
        for name in names
    },
    **{
        f"every column | {api}{switch}": reason
        for api, reason in _TAG.items()
        for switch in (
            "",
            " | {'omit_session_and_ip': True}",
            " | {'ad_user_data': 'GRANTED'}",
        )
    },
    **{
        f"examples/{name.replace('{}', api, 1)}": reason
        for name, reason in _UNDECIDED.items()
        for api in ("google_ads", "data_manager")
    },
    "300 orders with refunds | google_ads | crash after request 1": _PARTS,
    "300 orders with refunds | google_ads | crash after request 2": _PARTS,
    "4500 orders with refunds | google_ads | crash after request 3": _PARTS,
    "4500 orders with refunds | google_ads | crash after request 4": _PARTS,
    **{
        f"{rows} orders with refunds | data_manager{switch}": _ORDER_WAITS
        for rows, crashes in ((300, (1, 2)), (4_500, (3, 4)))
        for switch in (
            *("", " | LIST_ALL_ROWS", " | other API", " | crash before the results"),
            *(f" | crash after request {request}" for request in crashes),
        )
    },
    "4500 orders with refunds | data_manager | validate_only": _READ_ONCE,
    "orders twice | data_manager | refunds": _ORDER_WAITS,
    "life of orders | data_manager | other API": _ORDER_WAITS,
    "life of orders | data_manager | via Google Ads": _ORDER_WAITS,
}
"""Cases that differ from the base on purpose, and why."""


@pytest.fixture(scope="session")
def apis(ca_directory: Path) -> Iterator[Apis]:
    with running_apis(ca_directory) as running:
        yield running


@pytest.fixture(scope="session")
def recording() -> Recording:
    return Recording(NAMES)


@pytest.mark.parametrize("group", SAMPLED)
def test_a_file_has_the_requests_and_results_of_the_base(
    group: str, apis: Apis, recording: Recording
) -> None:
    """With EVERY_CALL=1, every switch is tried with every file."""
    for case in SAMPLED[group]:
        difference = recording.difference(case.name, case.play(apis, NAMES.words))
        if case.name in CHANGED:
            assert difference, f"{case.name} is as it was: remove it from CHANGED"
        else:
            assert not difference, f"{case.name}\n{difference}"


def test_every_key_of_a_profile_has_a_switch() -> None:
    """Keys that are newer than the base are not in its recording, so they are listed here."""
    newer = {"actions", "expect", "header_row", "source"}
    switched = {NAMES.words.get(key, key) for key in SWITCHED_KEYS}
    assert set(Profile.model_fields) == switched | newer


def test_every_recorded_case_is_compared(recording: Recording) -> None:
    """No case has been left out since the recording, and none was added."""
    assert [case.name for case in CASES] == list(recording.cases)


def test_every_switch_is_sampled() -> None:
    """`make test` tries every key and setting with some example, by both APIs."""

    def kinds(cases: Iterable[Case]) -> set[tuple[str, str]]:
        of_examples = (case for case in cases if case.group.startswith("examples/"))
        return {(case.api, _kind(case)) for case in of_examples}

    assert kinds(itertools.chain.from_iterable(SAMPLED.values())) == kinds(CASES)


def test_renamed_keys_and_codes_are_those_of_today() -> None:
    """A key is renamed everywhere or at one path, a code also within texts, order is kept."""
    listed: dict[str, dict[str, str]] = {
        "keys": {"counts": "tally", "rows.line": "place"},
        "codes": {"OLD_CODE": "NEW_CODE"},
        "settings": {"LIST_ALL_ROWS": "LIST_ROWS"},
    }
    text = (
        '{"schema_version": 2, "counts": {"rows": 1}, "line": 1,'
        ' "codes": {"OLD_CODE": {"count": 1}},'
        ' "rows": [{"line": 2, "code": "OLD_CODE", "detail": "OLD_CODE_2: set LIST_ALL_ROWS"}]}'
    )
    document = renamed(listed, 3).document(text)
    row = {"place": 2, "code": "NEW_CODE", "detail": "OLD_CODE_2: set LIST_ROWS"}
    assert list(document) == ["schema_version", "tally", "line", "codes", "rows"]
    assert document == {
        "schema_version": 3,
        "tally": {"rows": 1},
        "line": 1,
        "codes": {"NEW_CODE": {"count": 1}},
        "rows": [row],
    }


def test_a_difference_is_shown(apis: Apis, recording: Recording) -> None:
    """The diff names the request or document, and shows what was and what is."""
    case = next(case for case in CASES if case.group == "examples/zoho_deals.csv")
    played = case.play(apis, NAMES.words)
    place, upload = next(
        (place, each) for place, each in enumerate(played.requests) if "Upload" in each.method
    )
    body = upload.body.replace(b"Cj0KCQiAexample_Zo01", b"Cj0KCQiAexample_Zo02")
    played.requests[place] = upload._replace(body=body)
    del played.requests[-1]
    name, text = played.documents[0]
    played.documents[0] = Document(name, text.replace('"uploaded":', '"sent":'))
    shown = recording.difference(case.name, played).splitlines()
    assert f"--- base: document 1 {name}" in shown
    assert f"--- base: request {len(played.requests) + 1}, not sent any more" in shown
    changed = {line.strip() for line in shown if line.startswith(("-", "+"))}
    assert '-    "gclid": "Cj0KCQiAexample_Zo01",' in changed
    assert '+    "gclid": "Cj0KCQiAexample_Zo02",' in changed
    assert {'-  "uploaded": 2,', '+  "sent": 2,'} <= changed
