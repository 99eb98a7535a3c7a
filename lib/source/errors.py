"""The errors of a whole file. A problem with one row is a `RowProblem`."""

from __future__ import annotations

from typing import Literal, get_args

FileErrorCode = Literal[
    "EMPTY_FILE",  # no bytes, or only blank lines
    "NOT_TEXT",  # neither CSV nor an .xlsx workbook, but for example an archive or a web page
    "ENCRYPTED_WORKBOOK",
    "CORRUPT_WORKBOOK",  # raised when the damage is reached
    "WORKBOOK_TOO_LARGE",  # packed, or one of its parts unpacked
    "SHEET_NOT_FOUND",  # the sheet in the profile
    "CORRUPT_GZIP",  # damaged or cut short; raised when the damage is reached
    "TOO_MANY_MEMBERS",  # of a gzip file; raised when the limit is reached
    "FILE_TOO_LARGE",  # too many unpacked bytes; raised when the limit is reached
    "TOO_MANY_ROWS",  # or blank lines; raised when the limit is reached
    "UNKNOWN_ENCODING",  # the encoding in the profile does not exist
    "UNKNOWN_DELIMITER",  # the delimiter in the profile is not valid
    "NO_HEADER",  # no line has half of the names that are wanted
    "COLUMN_MISSING",  # a line has most of the names that are wanted
    "UNREADABLE_HEADER",  # it does not end, cannot be decoded, or has an open quote
    "TOO_MANY_COLUMNS",
    "DUPLICATE_COLUMN",  # two columns have the names of one field
    "NO_ROWS",  # a header without rows
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
