"""The errors of a whole file. A problem with one row is a `RowProblem`."""

from __future__ import annotations

from typing import Literal, get_args

FileErrorCode = Literal[
    "EMPTY_FILE",  # no bytes, only blank lines, or a header without rows
    "NOT_TEXT",  # neither CSV nor an .xlsx workbook, but for example an archive or a web page
    "ENCRYPTED_WORKBOOK",
    "SHEET_NOT_FOUND",  # the sheet in the profile
    "CORRUPT_FILE",  # a workbook, a gzip file or the header; raised when the damage is reached
    "FILE_TOO_LARGE",  # bytes, lines, columns or gzip members; raised when the limit is reached
    "INVALID_PROFILE",  # its encoding or its delimiter
    "COLUMN_MISSING",  # no line has all names that are wanted
    "DUPLICATE_COLUMN",  # two columns have the names of one field
]
FILE_ERROR_CODES: tuple[FileErrorCode, ...] = get_args(FileErrorCode)


class SourceError(Exception):
    """The file can't be read, or its rest can't be read. A person must correct it.

    `detail` contains lines, limits and header names, never the value of a cell. It is safe to show
    and to log.
    """

    def __init__(self, code: FileErrorCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: FileErrorCode = code
        self.detail = detail
