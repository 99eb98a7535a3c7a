"""Exceptions, classified by what to do next, not by where they came from.

    UploadError
    ├── PermanentError        this file can never work as things are: write a results document with one
    │                 `file_error`, answer 2xx (a retry for 24 hours would only burn quota)
    └── RetryableError   the platform's, the quota's or the clock's trouble: answer 5xx, so that the
        │             event comes again and the run goes on from its chunk markers
        ├── LeaseHeld     another delivery of the same event is at work
        └── LeaseLost     another attempt has taken this run over

Problems of a row are values (`lib.model.records.Problem`), never exceptions.
No message here may hold a value of the file.
"""

from __future__ import annotations


class UploadError(Exception):
    """Base of all; `code` is an entry of the catalogue, `detail` is safe to show and to log."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class PermanentError(UploadError):
    """The file, its profile or the account is wrong; only a person can mend it."""


class RetryableError(UploadError):
    """Try again later; nothing is lost meanwhile."""


class LeaseHeld(RetryableError):
    """A live lease on the run: the other delivery is working, or died less than a lease ago."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("LEASE_HELD", detail)


class LeaseLost(RetryableError):
    """Our lease expired and somebody else has taken the run over: stop at once."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("LEASE_LOST", detail)
