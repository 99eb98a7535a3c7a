"""The archive of a workbook (an .xlsx file is a zip). No part larger than its limit is unpacked.

openpyxl opens every part through `WorkbookArchive`, so parts that it never reads, such as pictures
and pivot tables, may have any size. zipfile never unpacks more bytes than the archive states.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import IO, Any, Literal

from lib.source.errors import SourceError
from lib.source.workbook_rows import MAX_ROWS

MAX_SHEET_BYTES = 512 << 20
MAX_TEXTS_BYTES = 32 << 20
"""The table of texts. In memory, it needs two to three times as much."""
MAX_PART_BYTES = 8 << 20
"""Each other part, such as the styles."""
MAX_ELEMENT_BYTES = 8 << 20
"""One row or text. openpyxl holds its elements in memory until it ends."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_TEXT = re.compile(rb"<(?:\w+:)?si[\s/>]")
_MAX_TEXTS = 2 * MAX_ROWS


class WorkbookArchive(zipfile.ZipFile):
    """The parts of a workbook. Raises `SourceError` with WORKBOOK_TOO_LARGE for one too large."""

    def __init__(self, content: bytes) -> None:
        """Raises `SourceError` (NOT_TEXT) if the archive is no workbook, or `BadZipFile`."""
        super().__init__(io.BytesIO(content))
        self._checked: set[str] = set()
        names = {name.lower() for name in self.namelist()}
        if "xl/workbook.xml" in names:
            return
        kind = "a zip archive; unpack it and upload the files in it"
        if "xl/workbook.bin" in names or "mimetype" in names:
            kind = "another kind of spreadsheet (.xlsb, .ods); save it as .xlsx or CSV"
        raise SourceError("NOT_TEXT", f"it looks like {kind}")

    def open(
        self,
        name: str | zipfile.ZipInfo,
        mode: Literal["r", "w"] = "r",
        pwd: bytes | None = None,
        *,
        force_zip64: bool = False,
    ) -> IO[bytes]:
        """Open a part."""
        part = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        if part.filename not in self._checked:
            self._checked.add(part.filename)
            self._check(part)
        return super().open(name, mode, pwd, force_zip64=force_zip64)

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        """Read a part. The styles are only number formats.

        openpyxl refuses a whole workbook for a font or fill that Excel tolerates and other programs
        write (https://foss.heptapod.net/openpyxl/openpyxl/-/work_items/1766).
        """
        content = super().read(name, pwd)
        return _plain_styles(content) if name == "xl/styles.xml" else content

    def _check(self, part: zipfile.ZipInfo) -> None:
        name = part.filename.lower()
        if name.startswith("xl/worksheets/"):
            self._check_elements(part, MAX_SHEET_BYTES, _ROW, MAX_ROWS)
        elif name == "xl/sharedstrings.xml":
            self._check_elements(part, MAX_TEXTS_BYTES, _TEXT, _MAX_TEXTS)
        elif part.file_size > MAX_PART_BYTES:
            raise _too_large(part)

    def _check_elements(
        self, part: zipfile.ZipInfo, max_bytes: int, begin: re.Pattern[bytes], most: int
    ) -> None:
        """Refuse a part with more or longer elements than Excel writes."""
        if part.file_size > max_bytes:
            raise _too_large(part)
        if part.file_size <= MAX_ELEMENT_BYTES:
            return
        elements = silent = 0
        with super().open(part) as content:
            while block := content.read(1 << 20):
                found = len(begin.findall(block))
                elements += found
                silent = 0 if found else silent + len(block)
                if elements > most or silent >= MAX_ELEMENT_BYTES:
                    raise _too_large(part)


def _too_large(part: zipfile.ZipInfo) -> SourceError:
    return SourceError("WORKBOOK_TOO_LARGE", f"the part {part.filename} is too large when unpacked")


def _plain_styles(content: bytes) -> bytes:
    from xml.etree import ElementTree  # only workbooks need its time to import

    def add(parent: Any, tag: str, **attributes: str) -> Any:
        return ElementTree.SubElement(parent, f"{{{_MAIN}}}{tag}", attributes)

    styles, plain = ElementTree.fromstring(content), ElementTree.Element(f"{{{_MAIN}}}styleSheet")
    formats = add(plain, "numFmts")
    for each in styles.iterfind("{*}numFmts/{*}numFmt"):
        add(formats, "numFmt", **each.attrib)
    add(add(plain, "cellStyleXfs"), "xf")
    cells = add(plain, "cellXfs")
    for each in styles.iterfind("{*}cellXfs/{*}xf"):
        add(cells, "xf", numFmtId=each.get("numFmtId", "0"))
    return ElementTree.tostring(plain)
