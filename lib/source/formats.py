"""Files of other formats: what they are and what to do, by their names and by their first bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

ARCHIVE: Final = "an archive; unpack it and upload the files in it"
_COMPRESSED: Final = (
    "a compressed file; unpack it, or compress the CSV file with gzip and name it .csv.gz"
)
_ENCRYPTED: Final = "an encrypted file; decrypt it and upload the decrypted file"
_OTHER_FORMAT: Final = "a file of another format; export the data as CSV"
_SAVE: Final = "open it in Excel and save it as .xlsx or CSV"
OLD_WORKBOOK: Final = f"an old workbook (.xls); {_SAVE}"
OTHER_WORKBOOK: Final = "a workbook of another format; open it and save it as .xlsx or CSV"

_BY_SUFFIX: Final[Mapping[str, str]] = {
    **dict.fromkeys((".zip", ".7z", ".rar", ".tar", ".tgz", ".tar.gz"), ARCHIVE),
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".lz4", ".z"), _COMPRESSED),
    **dict.fromkeys((".pgp", ".gpg", ".asc", ".age", ".enc", ".aes"), _ENCRYPTED),
    **dict.fromkeys((".xlsm", ".xlsb", ".ods", ".numbers"), OTHER_WORKBOOK),
    ".xls": f"an old workbook, or a web page or text under such a name; {_SAVE}",
    ".xlsx": "a workbook; open it and save it as CSV",
    **dict.fromkeys((".json", ".jsonl", ".ndjson", ".xml", ".html", ".htm"), _OTHER_FORMAT),
    **dict.fromkeys((".parquet", ".avro", ".orc", ".sql", ".png", ".jpg", ".jpeg"), _OTHER_FORMAT),
    **dict.fromkeys((".pdf", ".doc", ".docx", ".rtf", ".eml", ".msg"), _OTHER_FORMAT),
}

_BINARY: Final = tuple(
    (re.compile(pattern, re.DOTALL), what)
    for pattern, what in (
        (rb"PK\x03\x04|PK\x05\x06|7z\xbc\xaf|Rar!\x1a\x07", ARCHIVE),
        (rb"\x1f\x8b", "a file that is compressed twice; compress it only once"),
        (rb"BZh[1-9]1AY|\xfd7zXZ|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18", _COMPRESSED),
        (rb"-----BEGIN PGP MESSAGE|age-encryption\.org|Salted__", _ENCRYPTED),
        (rb"\xd0\xcf\x11\xe0|\x09[\x00\x02\x04\x08][\x04\x06\x08\x10]\x00", OLD_WORKBOOK),
        (rb"%PDF-|\{\\rtf|\x89PNG|\xff\xd8\xff|GIF8", _OTHER_FORMAT),
        (rb"PAR1[\x00-\x08\x0e-\x1f]|Obj\x01|SQLite format 3\x00", _OTHER_FORMAT),
    )
)
_TEXT: Final = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), what)
    for pattern, what in (
        (
            rb"(<\?xml.{,200}?>\s*)?<(!doctype html|html|head|body|meta|style|table|div|!--)"
            rb"|mime-version:",
            f"a web page (HTML), as some programs export tables; {_SAVE}",
        ),
        (rb"<\?xml.*excel", f"a workbook in XML; {_SAVE}"),
        (rb'<\?xml|\[?\s*\{\s*"', _OTHER_FORMAT),
    )
)
"""Text in any encoding, without its NULs, its byte order mark and the blank lines above it."""

_BEFORE_TEXT: Final = b"\xef\xbb\xbf\xfe\xff \t\r\n"
_BYTES_LOOKED_AT: Final = 1 << 10


def format_of_name(name: str) -> str | None:
    """Return what a file with this name is, if its suffix is known."""
    last = name.rsplit("/", 1)[-1].lower()
    suffixes = [suffix for suffix in _BY_SUFFIX if last.endswith(suffix)]
    return _BY_SUFFIX[max(suffixes, key=len)] if suffixes else None


def format_of_content(content: bytes) -> str | None:
    """Return what a file with these first bytes is, if it is no text of rows.

    >>> format_of_content(b"%PDF-1.7")
    'a file of another format; export the data as CSV'
    """
    start = content[:_BYTES_LOOKED_AT]
    text = start.replace(b"\0", b"").lstrip(_BEFORE_TEXT)
    for beginning, forms in ((start, _BINARY), (text, _TEXT)):
        for pattern, what in forms:
            if pattern.match(beginning):
                return what
    return None
