"""Exceptions, classified by what happens next, not by where they are raised.

    UploadError
    ├── PermanentError       a person must correct the file, the settings or the account: the
    │                        results document says so, and the event is acknowledged
    └── RetryableError       the platform, the quota or the time limit stops the attempt: the
        │                    event, or a sweep, comes again, and the run continues
        ├── NewerFormat      a newer version of the function has saved what this one cannot read
        ├── UnreadableState  somebody has changed what the function has saved
        ├── LeaseHeld        another attempt works on the run
        └── LeaseLost        our lease has ended, or another attempt has taken over the run

Problems of a row are values (`lib.model.outcomes.Problem`), never exceptions.
No message here may contain a value from the file.
"""

from __future__ import annotations

from typing import Final

CHECKSUM_MISMATCH: Final = "CHECKSUM_MISMATCH"
"""Code of a `PermanentError`: what was read differs from the stored object, so send none of it."""


class UploadError(Exception):
    """Base class. `code` is a code of the catalogue; `detail` is safe to show and to log."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class PermanentError(UploadError):
    """The file, its profile or the account is wrong. Only a person can correct it."""


class RetryableError(UploadError):
    """A temporary error. Retry later; nothing is lost in the meantime."""


class NewerFormat(RetryableError):
    """A newer version has saved something about this file: leave everything as it is."""

    def __init__(self, detail: str) -> None:
        super().__init__("NEWER_VERSION", detail)


class UnreadableState(RetryableError):
    """What the function has saved is not as it was: leave it as it is, and name it."""

    def __init__(self, detail: str) -> None:
        super().__init__("STATE_UNREADABLE", detail)


class LeaseHeld(RetryableError):
    """Another attempt has a lease: it works, or it died less than a lease ago."""

    def __init__(self, detail: str) -> None:
        super().__init__("LEASE_HELD", detail)


class LeaseLost(RetryableError):
    """Our lease has ended, or another attempt has taken over the run: stop immediately."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("LEASE_HELD", detail)
