"""What stops a whole file. What is wrong with one row is a value: `records.RowProblem`."""

from __future__ import annotations

from typing import Literal, get_args

FileErrorCode = Literal[
    "EMPTY_FILE",  # no bytes, or nothing but blank lines
    "NOT_TEXT",  # a spreadsheet, an archive, a picture: export it as CSV
    "CORRUPT_GZIP",  # damaged or cut short; raised where the damage is reached
    "FILE_TOO_LARGE",  # more uncompressed bytes than allowed; raised where the limit is reached
    "UNKNOWN_ENCODING",  # the profile's encoding doesn't exist
    "UNKNOWN_DELIMITER",  # the profile's delimiter can't be one
    "NO_HEADER",  # the first line names no known column
    "UNREADABLE_HEADER",  # endless, undecodable, or with a quote that never closes
    "TOO_MANY_COLUMNS",
    "DUPLICATE_COLUMN",  # two columns for one field
    "NO_USABLE_COLUMN",  # neither a click id nor an identifier can be read from this file
    "NO_ROWS",  # a header and nothing below it
]
FILE_ERROR_CODES: tuple[FileErrorCode, ...] = get_args(FileErrorCode)


class SourceError(Exception):
    """The file can't be read (any further); only a person can mend it.

    `detail` names lines, limits and header names, never a cell's value: safe to show and to log.
    """

    def __init__(self, code: FileErrorCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: FileErrorCode = code
        self.detail = detail
