"""Every exception of `lib`. The class says what happens next, not where it is raised. Those that
refuse the answers of a person, `WrongAnswer` and `NotSaved`, are beside them in `lib/cli/init`.

    OfflineConversionsError
    ├── AttemptError             it ends the attempt, unless preflight catches it:
    │   ├── PermanentError       a person must correct the file, the settings or the account: the
    │   │   │                    results document says so, and the event is acknowledged
    │   │   └── SourceError      the rest of the file can't be read; the rows before keep outcomes
    │   └── RetryableError       the platform, the quota or the time limit stops the attempt: the
    │       │                    event, or a sweep, comes again, and the run continues
    │       ├── NewerFormat      a newer version of the function has saved what this one cannot read
    │       ├── UnreadableState  somebody has changed what the function has saved
    │       ├── LeaseHeld        another attempt works on the run
    │       └── LeaseLost        our lease has ended, or another attempt has taken over the run
    ├── RuleError                the rules turn it into a problem of the row, and read on
    ├── RestRefused              the destination retries it, or turns it into what the API says
    ├── SettingsError            the function does not start
    └── NotResults               the command ends, and says which file it needs

Problems of a row are values (`lib.model.outcomes.Problem`). `RuleError` carries one out of a parser
of cells, and no further. No message here may contain a value from the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Literal, get_args

CHECKSUM_MISMATCH: Final = "CHECKSUM_MISMATCH"
"""Code of a `PermanentError`: what was read differs from the stored object, so send none of it."""

FileErrorCode = Literal[
    "EMPTY_FILE",  # no bytes, only blank lines, or a header without rows
    "NOT_TEXT",  # neither CSV nor an .xlsx workbook, but for example an archive or a web page
    "ENCRYPTED_WORKBOOK",
    "SHEET_NOT_FOUND",  # the sheet in the profile
    "CORRUPT_FILE",  # a workbook, a gzip file or the header; raised when the damage is reached
    "FILE_TOO_LARGE",  # bytes, lines or columns; raised when the limit is reached
    "INVALID_PROFILE",  # its encoding or its delimiter
    "COLUMN_MISSING",  # no line has all names that are wanted
    "DUPLICATE_COLUMN",  # two columns have the names of one field
]
FILE_ERROR_CODES: tuple[FileErrorCode, ...] = get_args(FileErrorCode)


class OfflineConversionsError(Exception):
    """The root of the tree. Catch a class below it: each says what to do."""


class AttemptError(OfflineConversionsError):
    """The attempt ends: only preflight goes on. `code` is a code of the catalogue; `detail` is safe
    to show and to log."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class PermanentError(AttemptError):
    """The file, its profile or the account is wrong. Only a person can correct it."""


class SourceError(PermanentError):
    """The file, or the rest of it, can't be read as a table.

    `detail` has lines, limits and names of columns, never the value of a cell.
    """

    code: FileErrorCode

    def __init__(self, code: FileErrorCode, detail: str) -> None:
        super().__init__(code, detail)


class RetryableError(AttemptError):
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
    """Another attempt has the run: it works, or it has died and the wait after that is not over."""

    def __init__(self, detail: str) -> None:
        super().__init__("LEASE_HELD", detail)


class LeaseLost(RetryableError):
    """Our lease has ended, or another attempt has taken over the run: stop immediately."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("LEASE_HELD", detail)


class RuleError(OfflineConversionsError):
    """A cell breaks a rule. `code` is a code of the catalogue.

    `field` is the column that caused the error, if it is not the column of the cell.
    """

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.field = field


class RestRefused(OfflineConversionsError):
    """Google answered a request by REST with an error. `code` is its most specific reason.

    `status` is the HTTP status. `is_daily`: the quota of a day is used up. `error` is Google's
    `google.rpc.Status`, as JSON. Its texts may quote what was sent, so no text here has it.
    """

    def __init__(
        self,
        status: int,
        code: str,
        *,
        is_daily: bool = False,
        retry_delay_seconds: float = 0.0,
        error: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.is_daily = is_daily
        self.retry_delay_seconds = retry_delay_seconds
        self.error = error or {}

    @property
    def is_about_the_caller(self) -> bool:
        """Whether Google refuses the credentials or the project, and not this request."""
        return self.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class SettingsError(OfflineConversionsError):
    """A setting is not valid. The message has a line for each."""


class NotResults(OfflineConversionsError):
    """A text is not a results document that this program can read. The message says why."""
