"""The time zone of this computer: the default for times that state none."""

from __future__ import annotations

from tzlocal import get_localzone_name


def local_zone() -> str:
    """Return an IANA name; UTC if the computer has none."""
    return get_localzone_name() or "UTC"
