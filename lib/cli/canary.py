"""`check --online --canary`: what works on an account, what is refused, and what that answers.

Each API gets a made-up conversion with `validate_only`, another one that asks its open question,
and a retraction of an order that nobody has. The report contains codes and our own words: no text
of Google's, and no ID.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

from lib import __version__
from lib.catalogue.codes import lookup
from lib.cli.online import Online
from lib.cli.terminal import Terminal, paragraph
from lib.config.profile import Profile
from lib.destinations import registry
from lib.destinations.base import TrialBatch
from lib.errors import UploadError
from lib.model.account import Account
from lib.model.capabilities import Capabilities
from lib.model.deadline import Deadline
from lib.model.log import SilentLog
from lib.model.outcomes import Problem
from lib.model.records import Address, Adjustment, Conversion, OptionalFields
from lib.rules.actions import resolve_action
from lib.rules.row_rules import ActionRule, RowRules
from lib.run.run_accounts import RunAccounts

_SECONDS: Final = 60.0
"""How long the requests of one API may take: it waits for the quota of a minute."""

CONVERSION: Final = "a conversion by email address"
READING: Final = "reading the account"
RETRACTION: Final = "a retraction"

_YES: Final = frozenset({"", "CONVERSION_NOT_FOUND"})
"""Google has looked for the conversion, so it would have retracted it."""
_NO: Final = frozenset(
    {"CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE", "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION"}
)
"""Refusals that say to whom something is open. Others are about this account."""

_NEVER_ANSWERED: Final = (
    "How many requests a day may the project send? Google only says when they are used up.",
    "What happens to an event that matches no click, or whose click is too recent? Google "
    "processes nothing that has validate_only.",
    "Is a conversion found that is corrected within a day? validate_only stores none.",
)


class ApiReport(NamedTuple):
    """What was tried with an API, in this order → the code of the refusal; "" if it works."""

    capabilities: Capabilities
    codes: Mapping[str, str]


def try_account(online: Online, profile: Profile, now: datetime) -> list[ApiReport]:
    """Try every API with the account and the conversion action of a profile."""
    reports = []
    for name in registry.names():
        capabilities = registry.capabilities_of(name)
        source = profile.source if capabilities.supplements_tags else None
        update = {"destination": name, "validate_only": True, "source": source}
        codes = dict(_tried(online, profile.model_copy(update=update), capabilities, now))
        # The token is no operation: without another answer, nothing is known about the quota.
        if known := {*list(codes.values())[1:]} & {"", "DAILY_QUOTA"}:
            codes["the daily quota"] = max(known)
        reports.append(ApiReport(capabilities, codes))
    return reports


def _tried(
    online: Online, profile: Profile, capabilities: Capabilities, now: datetime
) -> Iterator[tuple[str, str]]:
    try:
        destination = online.destinations.connect(profile, SilentLog())
    except UploadError as error:
        yield "the credentials", error.code
        return
    yield "the credentials", ""
    account, code = _account(online, destination, profile)
    yield READING, code
    if account.verified:
        yield "the terms for user data", account.refuses_user_data() or ""
    action = _action(profile, capabilities, account, now)
    if isinstance(action, Problem):
        yield "the conversion action", action.code
        return
    if account.verified:
        yield "the conversion action", ""
    yield from _sent(destination, _made_up(action, account, profile, now))


def _account(online: Online, destination: Any, profile: Profile) -> tuple[Account, str]:
    """Return the account; or its ID alone, and the code of the reason."""
    customer_id = profile.customer_id or ""
    connect = online.destinations.look_up
    manager = profile.login_customer_id
    accounts = RunAccounts(destination, manager, connect, SilentLog(), wants_variables=False)
    try:
        account = accounts.ask(customer_id, fresh=True)
    except UploadError as error:
        return Account(customer_id, customer_id), error.code
    failed = "" if account.verified else "PREFLIGHT_NOT_PERMITTED"
    if failed and destination.capabilities.looks_up_accounts:
        failed = connect().state(customer_id).failed or failed
    return account, failed


def _action(
    profile: Profile, capabilities: Capabilities, account: Account, now: datetime
) -> ActionRule | Problem:
    """Return the action of the profile; of several stages, that of the first one."""
    stages = [each.action for values in profile.actions.values() for each in values.values()]
    rules = RowRules(
        now=now,
        account=lambda _: account,
        customer_id=account.customer_id,
        capabilities=capabilities,
        action=profile.conversion_action or next(iter(stages), None),
        is_of_tag=profile.source == "web",
    )
    return resolve_action("", "", rules, set())


def _made_up(action: ActionRule, account: Account, profile: Profile, now: datetime) -> Conversion:
    """Return a conversion of yesterday. Its address is nobody's, its order ID has only digits."""
    digest = sha256(b"canary").hexdigest()
    return Conversion(
        customer_id=action.customer_id,
        action_id=action.action_id,
        time=f"{now - timedelta(days=1):%Y-%m-%d %H:%M:%S}+00:00",
        gclid="",
        gbraid="",
        wbraid="",
        hashed_emails=(sha256(b"canary@example.com").hexdigest(),),
        hashed_phones=(),
        value=1.0,
        currency_code=account.currency_code or profile.currency_code or "USD",
        order_id=f"{now:%Y%m%d%H%M%S}",
        ad_user_data=profile.ad_user_data,
        optional_fields=OptionalFields(address=Address(digest, digest, "US", "94043")),
        warnings=(),
    )


def _sent(destination: Any, given: Conversion) -> Iterator[tuple[str, str]]:
    """Send the conversion, what is open about it, and a retraction: one batch."""
    capabilities: Capabilities = destination.capabilities
    batch: TrialBatch = destination.batch(1, maybe_sent=False)
    customer_id, action_id, at, order_id = *given[:3], f"canary-{given.order_id}"
    batch.add(given._replace(order_id=order_id, optional_fields=None))
    tried = [CONVERSION]
    if capabilities.open_question is not None:
        batch.add_trial(given)
        tried.append(capabilities.open_question.text)
    if capabilities.retracts:
        unknown = f"{order_id}-unknown", "", "", None, None, None, ()
        batch.add_adjustment(Adjustment(customer_id, action_id, "retraction", at, *unknown))
        tried.append(RETRACTION)
    ends = time.monotonic() + _SECONDS
    try:
        results = destination.send(batch, Deadline(ends, ends)).row_results
    except UploadError as error:
        yield from ((each, error.code) for each in tried)
        return
    for row, each in enumerate(tried):
        errors = results[row].errors if row in results else ()
        yield each, errors[0].code if errors else ""


def findings(reports: list[ApiReport]) -> Iterator[tuple[bool, str]]:
    """Yield what is open in Google's documentation: whether it is answered now, and the text."""
    for capabilities, codes in reports:
        title, question = capabilities.title, capabilities.open_question
        if capabilities.looks_up_accounts:
            code = codes.get(READING, "-")
            text = f"{title}: May the project query accounts?"
            yield _finding(text, code, is_answered=code in _YES | _NO)
        if question is not None:
            code = codes.get(question.text, "-")
            text = f"{title}: {question.text}"
            is_answered = codes.get(CONVERSION) == "" and _is_about_the_row(code)
            if is_answered and code == "" and question.validate_only_misses_it:
                yield False, f"{text} Not answered: validate_only misses it, an upload shows it."
            else:
                yield _finding(text, code, is_answered=is_answered)
        if capabilities.retracts:
            code = codes.get(RETRACTION, "-")
            text = f"{title}: Are retractions open to this project?"
            is_answered = code in _YES | _NO
            yield _finding(text, "" if code in _YES else code, is_answered=is_answered)
        else:
            yield False, f"{title}: Can a conversion be retracted? We know of no field for it."
    yield from ((False, text) for text in _NEVER_ANSWERED)


def _finding(question: str, code: str, *, is_answered: bool) -> tuple[bool, str]:
    if is_answered:
        return True, f"{question} {f'No: {code}' if code else 'Yes'}."
    reason = f": {code}" if code not in ("", "-") else ", because of what is refused above"
    return False, f"{question} Not answered{reason}."


def _is_about_the_row(code: str) -> bool:
    """Return whether Google has accepted a conversion, or refused it for what it contains."""
    return code == "" or (code != "-" and lookup(code).outcome in ("failed", "rejected"))


def show_canary(online: Online, reports: list[ApiReport], console: Terminal) -> None:
    """Print the report. A code is explained where it comes first."""
    explained = set[str]()

    def show(text: str, indent: int = 0, hang: int = 0) -> None:
        console.print(paragraph(text, console.width, indent, hang), soft_wrap=True)

    version = f"offline-conversions {__version__}, Python {platform.python_version()}"
    show(f"Canary at {online.place}: {version}")
    for capabilities, codes in reports:
        show(f"{capabilities.title}:")
        question = capabilities.open_question
        for what, code in codes.items():
            if question is not None and what == question.text:
                continue  # a finding
            is_right = code == "" or (what == RETRACTION and code in _YES)
            reason = f": {code}{', as expected' if is_right else ''}" if code else ""
            show(f"{'works' if is_right else 'refused':<8} {what}{reason}", 2, hang=9)
            if not is_right and code not in explained:
                explained.add(code)
                show(f"{lookup(code).meaning} → {lookup(code).action}", 11)
    show("Open questions about Google:")
    for is_answered, text in findings(reports):
        show(f"{'answered' if is_answered else 'open':<8} {text}", 2, hang=9)
