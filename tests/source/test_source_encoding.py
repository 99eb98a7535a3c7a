"""Encoding and compression are detected from the content."""

from __future__ import annotations

import codecs
import gzip

import pytest

from lib.errors import SourceError
from lib.source import text as text_module

TEXT = "gclid,name\nA,Zoë Müller\nB,François\n"
ROWS = [["A", "Zoë Müller"], ["B", "François"]]


@pytest.mark.parametrize(
    "content, encoding",
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8"),
        (TEXT.encode("cp1252"), "cp1252"),
        (TEXT.encode("utf-16"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "utf-32-le"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_encoding_is_detected(read, content, encoding, pack):
    """UTF-8, UTF-16, UTF-32 and Windows-1252 give the same text, compressed or not."""
    table, records = read(pack(content))
    assert table.text.encoding == encoding
    assert table.text.encoding_guessed is (encoding == "cp1252")
    assert table.header == ("gclid", "name")
    assert [cells for _, cells, *_ in records] == ROWS


def test_a_configured_encoding_is_not_a_guess(read):
    """Neither Windows-1252 from the profile nor plain ASCII is reported as a guess."""
    assert not read(TEXT.encode("cp1252"), encoding="cp1252")[0].text.encoding_guessed
    assert not read("gclid,name\nA,plain\n")[0].text.encoding_guessed


def test_late_windows_1252(read):
    """A file that is ASCII for many blocks is still read as Windows-1252 from its first accent."""
    plain = b"A,plain\n" * 40_000
    table, records = read(b"gclid,name\n" + plain + "B,Zoë\n".encode("cp1252"))
    assert table.text.encoding == "cp1252"
    assert records[-1] == (40_002, ["B", "Zoë"], None)


@pytest.mark.parametrize("shift", range(4))
def test_character_across_blocks(read, shift):
    """A multi-byte character that is split between two blocks is read correctly."""
    length = text_module.BLOCK_BYTES - len("gclid\n") - shift
    filler = ("y" * 99 + "\n") * (length // 100) + "z" * (length % 100)
    _, records = read(f"gclid\n{filler}€\n")
    assert records[-1][1][0].endswith("z€")
    assert all(problem is None for _, _, problem in records)


@pytest.mark.parametrize("shift", range(4))
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_first_accent_at_the_end_of_a_block(read, shift, encoding):
    """The encoding is detected even if the only accent is at the end of a block."""
    plain = ("y" * 99 + "\n") * (text_module.BLOCK_BYTES // 100)
    plain += "z" * (text_module.BLOCK_BYTES - len("gclid\n") - len(plain) - shift)
    for rest in ("é", "é\n", "éa\nb\n"):
        table, records = read(f"gclid\n{plain}{rest}".encode(encoding))
        assert table.text.encoding == encoding
        assert records[-1][1][0] == "b" or "é" in records[-1][1][0]
        assert all(problem is None for _, _, problem in records)


def test_damaged_utf_8_loses_only_the_damaged_row(read):
    """An invalid byte in a UTF-8 file affects only its row, not the encoding of the file."""
    table, records = read(TEXT.encode() + b"C,bad \xe9 byte\nD,fine\n")
    assert table.text.encoding == "utf-8"
    assert records[2:] == [(4, [], "UNDECODABLE"), (5, ["D", "fine"], None)]


def test_byte_unknown_to_windows_1252(read):
    """A byte that Windows-1252 does not define affects only its row."""
    _, records = read(b"gclid,name\nA,Zo\xeb\nB,\x81\xeb\n")
    assert [problem for _, _, problem in records] == [None, "UNDECODABLE"]


def test_profile_encoding(read):
    """A profile's encoding is used unless the file has a byte order mark."""
    text = "gclid,name\nA,Łukasz\n"
    assert read(text.encode("cp1250"), encoding="cp1250")[1][0][1] == ["A", "Łukasz"]
    assert read(codecs.BOM_UTF8 + text.encode(), encoding="cp1250")[1][0][1] == ["A", "Łukasz"]


STOPS = {
    "an encoding that does not exist": (TEXT.encode(), "nonsense", "INVALID_PROFILE"),
    "an encoding of bytes": (TEXT.encode(), "hex", "INVALID_PROFILE"),
    "an encoding of letters": (TEXT.encode(), "rot13", "INVALID_PROFILE"),
    "zeros": (bytes(1000), None, "NOT_TEXT"),
    "all bytes": (bytes(range(256)) + bytes(100), None, "NOT_TEXT"),
    "nothing": (b"", None, "EMPTY_FILE"),
    "packed nothing": (gzip.compress(b""), None, "EMPTY_FILE"),
    "blank lines": (b"\n\n \r\n", None, "EMPTY_FILE"),
    "a byte order mark": (codecs.BOM_UTF8, None, "EMPTY_FILE"),
    "delimiters": (b",,\n", None, "EMPTY_FILE"),
}


@pytest.mark.parametrize(("content", "encoding", "code"), STOPS.values(), ids=STOPS)
def test_what_is_no_text_or_has_none_stops_the_file(read, content, encoding, code):
    """So does an encoding that is none of text."""
    with pytest.raises(SourceError) as error:
        read(content, encoding=encoding)
    assert error.value.code == code


PAGE = "<!DOCTYPE html>\n<html><body><table><tr><td>gclid</td></tr></table></body></html>"


@pytest.mark.parametrize(
    "content, what",
    [
        (PAGE.encode(), "a web page (HTML)"),
        (f"\r\n <TABLE border=1>{PAGE}".encode(), "a web page (HTML)"),
        (PAGE.encode("utf-8-sig"), "a web page (HTML)"),
        (PAGE.encode("utf-16"), "a web page (HTML)"),
        (PAGE.encode("utf-16-le"), "a web page (HTML)"),
        (gzip.compress(PAGE.encode(), mtime=0), "a web page (HTML)"),
        (f'<?xml version="1.0"?>\n{PAGE}'.encode(), "a web page (HTML)"),
        (b"MIME-Version: 1.0\nX-Document-Type: Workbook\n", "a web page (HTML)"),
        (
            b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook/>',
            "a workbook in XML",
        ),
        (b"<?xml version='1.0'?><deals/>", "a file of another format"),
        (b'[\n  {"gclid": "x"}\n]', "a file of another format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "an old workbook (.xls)"),
        (b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(500), "an old workbook (.xls)"),
        (b"%PDF-1.7\n", "a file of another format"),
        (rb"{\rtf1\ansi gclid,email}", "a file of another format"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(99), "an archive"),
        (gzip.compress(b"PK\x03\x04" + b"sheet" * 100, mtime=0), "an archive"),
        (b"\xfd7zXZ\0" + bytes(99), "a compressed file"),
        (
            gzip.compress(gzip.compress(TEXT.encode(), mtime=0), mtime=0),
            "a file that is compressed twice",
        ),
        (b"PAR1" + bytes(100), "a file of another format"),
        (b"-----BEGIN PGP MESSAGE-----\n", "an encrypted file"),
    ],
)
@pytest.mark.parametrize("encoding", [None, "cp1252"])
def test_other_formats(read, content, what, encoding):
    """The content says what a file is that has no rows, whatever its name and its profile are."""
    with pytest.raises(SourceError, match="NOT_TEXT") as error:
        read(content, encoding=encoding)
    assert error.value.detail.startswith(f"it looks like {what}")


@pytest.mark.parametrize(
    "first", ["BZh,gclid", "PAR1,gclid", "<Name>,gclid", "{{gclid}},a", "ID;P,gclid", "MIME,gclid"]
)
def test_names_that_begin_like_another_format(read, first):
    """A header is text, as long as nothing else can begin like this."""
    assert read(f"{first}\nA,b\n")[0].header == tuple(first.split(","))


def test_gzip_of_several_members(read):
    """Concatenated gzip files, padded with zeros, are read as one file."""
    half = len(TEXT) // 2
    packed = gzip.compress(TEXT[:half].encode()) + gzip.compress(TEXT[half:].encode()) + bytes(512)
    assert [cells for _, cells, _ in read(packed)[1]] == ROWS


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-4],
        lambda packed: packed[: len(packed) // 2],
        lambda packed: packed[:1000] + b"\0" * 20 + packed[1020:],
        lambda packed: packed + b"trailing garbage",
        lambda packed: packed[:3],
    ],
)
def test_corrupt_gzip(read, damage):
    """A truncated or damaged gzip file is never mistaken for a complete one."""
    rows = "".join(f"{number * 7919 % 10007},{number}\n" for number in range(50_000))
    with pytest.raises(SourceError) as error:
        read(damage(gzip.compress(("gclid,name\n" + rows).encode())))
    assert error.value.code == "CORRUPT_FILE"


def test_file_too_large(read):
    """The limit applies to uncompressed bytes."""
    content = b"gclid\n" + b"A\n" * 500
    assert len(read(content, max_bytes=len(content))[1]) == 500
    for packed in (content, gzip.compress(content)):
        with pytest.raises(SourceError) as error:
            read(packed, max_bytes=len(content) - 1)
        assert error.value.code == "FILE_TOO_LARGE"
