"""Did it arrive? What Google's reports count for the actions of each profile, beside its uploads.

Once a day, the sweep asks for the conversions of the last days, by the time of the conversion, and
the overview shows them. They are never equal, so nobody is alerted: the reports also have other
sources and parts of conversions, and none of the customers who clicked no ad (docs/why-fewer.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from lib.config.profile import Profile
from lib.errors import UploadError
from lib.model.account import Account
from lib.results.overview import FileResults, ReportedProfile, Reports
from lib.run.context import RunContext
from lib.run.run_accounts import Lookup

DAYS: Final = 30
"""As many days are compared. Later ones would still grow: Google needs a day or more."""
NOT_THE_LAST: Final = timedelta(days=2)
_EVERY: Final = timedelta(days=1)
_MOST_PROFILES: Final = 20
_NAME: Final = "reports.json"


def reports_of(context: RunContext, files: Iterable[FileResults]) -> Reports | None:
    """Return what the reports count, asked at most once a day. None: nothing can be asked.

    What goes wrong for a profile leaves it out until the next day.
    """
    lookup = context.lookup
    if lookup is None:
        return None
    now = context.utc_now()
    kept, generation = None, 0
    try:
        if (found := context.documents.read(_NAME, Reports)) is not None:
            kept, generation = found
            if datetime.fromisoformat(kept.read_at) > now - _EVERY:
                return kept
        last = now - NOT_THE_LAST
        first = last - timedelta(days=DAYS - 1)
        uploaded = _uploaded(files, f"{first:%F}", f"{last:%F}")
        if not uploaded:
            return kept
        rows = tuple(_ask(lookup, context.profiles(), uploaded, first, last))
        reports = Reports(now.isoformat(timespec="seconds"), f"{first:%F}", f"{last:%F}", rows)
        context.documents.write(_NAME, reports, if_generation_match=generation)
    except (UploadError, ValueError):
        return kept
    return reports


def _uploaded(files: Iterable[FileResults], first: str, last: str) -> dict[str, int]:
    """Return the number of uploaded rows by profile, in files that arrived on these days."""
    uploaded: dict[str, int] = {}
    for each in files:
        rows = each.counts.get("uploaded", 0)
        if rows and first <= each.arrived_at[:10] <= last and not each.validate_only:
            uploaded[each.profile] = uploaded.get(each.profile, 0) + rows
    return uploaded


def _ask(
    lookup: Lookup,
    profiles: Mapping[str, Any],
    uploaded: Mapping[str, int],
    first: datetime,
    last: datetime,
) -> Iterator[ReportedProfile]:
    port = lookup.connect()
    for name in [each for each in profiles if each in uploaded][:_MOST_PROFILES]:
        try:
            profile = Profile.model_validate(profiles[name])
            if profile.customer_id is None:
                continue
            manager = profile.login_customer_id
            account = port.account(profile.customer_id, manager, lookup.cache)
            actions = _actions(profile, account) if account is not None else {}
            if account is None or not actions:
                continue
            counted = port.reported(account.customer_id, manager, first.date(), last.date())
        except (UploadError, ValidationError):
            continue
        found = [counted[action] for action in actions if action in counted]
        yield ReportedProfile(
            name,
            tuple(actions.values()),
            uploaded[name],
            round(sum(each.conversions for each in found), 1),
            round(sum(each.value for each in found), 2),
            account.currency_code,
        )


def _actions(profile: Profile, account: Account) -> dict[str, str]:
    """Return the actions that a profile names, ID → name. Those that only its files name are not
    known here."""
    texts = [profile.conversion_action or ""]
    texts += [each.action for values in profile.actions.values() for each in values.values()]
    found = [action for text in texts if (action := account.action_of(text)) is not None]
    return {action.id: action.name for action in found}
