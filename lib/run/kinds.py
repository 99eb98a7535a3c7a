"""Which destination of a profile sends which kind of record, and what it can send."""

from __future__ import annotations

from collections.abc import Collection

from lib.config.profile import Profile
from lib.destinations.base import Capabilities
from lib.destinations.registry import capabilities_of
from lib.model.fields import RecordKind
from lib.rules.fields.other_kinds import ADJUSTMENT_FIELDS


def sender_name(profile: Profile, kind: RecordKind) -> str:
    """Return the name of the destination that gets the records of this kind."""
    elsewhere = profile.adjustments_via if kind == "adjustment" else None
    return elsewhere or profile.destination


def sender_of(profile: Profile, kind: RecordKind) -> Capabilities:
    """Return the capabilities of the destination that gets the records of this kind."""
    return capabilities_of(sender_name(profile, kind))


def sendable_fields(profile: Profile, kind: RecordKind) -> Collection[str]:
    """Return the fields that are sent from a file of this kind."""
    kinds: list[RecordKind] = [kind]
    if kind == "conversion" and profile.refunds:
        kinds.append("adjustment")
    fields = set[str]()
    for each in kinds:
        if (can := sender_of(profile, each).of_kind(each)) is not None:
            fields.update(can.fields)
    if "adjustment" in kinds:
        fields.update(ADJUSTMENT_FIELDS)  # also if they only decide which value is sent
    return fields


def sending_profile(profile: Profile, kind: RecordKind) -> Profile:
    """Return the profile for the destination that gets the records of this kind."""
    name = sender_name(profile, kind)
    return (
        profile if name == profile.destination else profile.model_copy(update={"destination": name})
    )
