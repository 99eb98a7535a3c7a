"""Exceptions, classified by what to do next, not by where they are raised.

    UploadError
    ├── PermanentError     a person must fix the file, the settings or the account: write a results
    │                      document with a `file_error` and return 2xx (a retry for 24 hours would
    │                      only use up quota)
    └── RetryableError     the platform, the quota or the time limit stops the attempt: return 5xx,
        │                  so that the event comes again and the run continues after its markers
        ├── NewerVersion   a newer version of the function has saved what this one cannot read
        ├── DamagedState   somebody has changed what the function has saved
        ├── NothingDone    all the time of an attempt went into reading the file
        ├── LeaseHeld      another delivery of the same event is processing the file
        └── LeaseLost      another attempt has taken over the run

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
    """The file, its profile or the account is wrong. Only a person can fix it."""


class RetryableError(UploadError):
    """A temporary error. Retry later; nothing is lost in the meantime."""


class NewerVersion(RetryableError):
    """A newer version has saved something about this file: leave everything as it is."""

    def __init__(self, detail: str) -> None:
        super().__init__("NEWER_VERSION", detail)


class DamagedState(RetryableError):
    """What the function has saved is not as it was: leave it as it is, and name it."""

    def __init__(self, detail: str) -> None:
        super().__init__("STATE_DAMAGED", detail)


class NothingDone(RetryableError):
    """The time limit was reached before a chunk could be sent: the file takes too long to read."""


class LeaseHeld(RetryableError):
    """Another delivery has a live lease: it is working, or it crashed less than a lease ago."""

    def __init__(self, detail: str) -> None:
        super().__init__("LEASE_HELD", detail)


class LeaseLost(RetryableError):
    """Our lease expired and another attempt has taken over the run: stop immediately."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("LEASE_LOST", detail)
