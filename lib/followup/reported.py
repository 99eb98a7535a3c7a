"""Did it arrive? What Google's reports count for the actions of each profile, beside its uploads.

Once a day, the sweep asks for the conversions of the last days, by the time of the conversion, and
the overview shows them. They are never equal, so nobody is alerted: the reports also have other
sources and parts of conversions, and none of the customers who clicked no ad (docs/why-fewer.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from lib.config.profile import Profile
from lib.destinations.base import ReportedAction
from lib.errors import DamagedState, UploadError
from lib.results.overview import ComparedAction, ComparedDay, FileResults, Reports
from lib.run.context import RunContext
from lib.run.run_accounts import ConnectLookup
from lib.state.documents import Documents

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
        if (found := _kept(context.documents)) is not None:
            kept, generation = found
            if datetime.fromisoformat(kept.read_at) > now - _EVERY:
                return kept
        last = now - NOT_THE_LAST
        complete = [each for each in files if each.arrived_at[:10] <= f"{last:%F}"]
        first = last - timedelta(days=DAYS - 1)
        if left_out := max((each.days_after for each in complete), default=""):
            # Only of the days after it, all uploads are known.
            first = max(first, datetime.fromisoformat(f"{left_out}T00+00:00") + timedelta(days=1))
        uploaded = _uploaded(complete, f"{first:%F}", f"{last:%F}")
        if not uploaded:
            return kept
        rows = tuple(_ask(lookup, context.profiles(), uploaded, first, last))
        reports = Reports(now.isoformat(timespec="seconds"), f"{first:%F}", f"{last:%F}", rows)
        context.documents.write(_NAME, reports, if_generation_match=generation)
    except (UploadError, ValueError):
        return kept
    return reports


def _kept(documents: Documents) -> tuple[Reports, int] | None:
    try:
        return documents.read(_NAME, Reports)
    except DamagedState:
        # It can be asked for again.
        documents.delete(_NAME)
        return None


_Uploaded: TypeAlias = dict[str, dict[str, Counter[str]]]
"""Profile → ID of the conversion action → day of the conversion → rows."""


def _uploaded(files: Iterable[FileResults], first: str, last: str) -> _Uploaded:
    """Return the uploaded rows of conversions of these days."""
    found: _Uploaded = {}
    for each in files:
        for action, days in each.days.items():
            rows = Counter({day: n for day, n in days.items() if first <= day <= last})
            if rows:
                actions = found.setdefault(each.profile, {})
                actions.setdefault(action, Counter()).update(rows)
    return found


def _ask(
    connect: ConnectLookup,
    profiles: Mapping[str, Any],
    uploaded: _Uploaded,
    first: datetime,
    last: datetime,
) -> Iterator[ComparedAction]:
    port = connect()
    for name in [each for each in profiles if each in uploaded][:_MOST_PROFILES]:
        try:
            profile = Profile.model_validate(profiles[name])
            if profile.customer_id is None:
                continue
            manager = profile.login_customer_id
            account = port.account(profile.customer_id, manager)
            if account is None:
                continue
            counted = port.reported(account.customer_id, manager, first.date(), last.date())
        except (UploadError, ValidationError):
            continue
        for action, rows in uploaded[name].items():
            if action in account.actions:
                days = rows.keys() | {day for each, day in counted if each == action}
                none = ReportedAction(0.0, 0.0)
                of_days = (
                    ComparedDay(day, rows[day], *counted.get((action, day), none))
                    for day in sorted(days)
                )
                title = account.actions[action].name
                yield ComparedAction(name, title, account.currency_code, tuple(of_days))
