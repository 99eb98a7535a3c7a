"""Lines are numbered as in an editor, and a note counts the placeholders of a whole file."""

from __future__ import annotations

import pytest

from tests.cli.validating import validate


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_lines_are_those_of_an_editor(end: str) -> None:
    """Lines match an editor's with any line ending, quoted line breaks and blank lines."""
    file = end.join(
        [
            "Parameters:TimeZone=America/Chicago,,,",  # 1
            "gclid,conversion_action,conversion_date_time,note",  # 2
            'Cj0KCQiAexample1,1001,2026-11-20 10:00:00,"a note',  # 3
            "of three",  # 4
            'lines"',  # 5
            "Cj0KCQiAexample2,1001,yesterday,",  # 6
            "",  # 7
            'Cj0KCQiAexample3,1001,tomorrow,"two',  # 8
            'lines"',  # 9
            "Cj0KCQiAexample4,1001",  # 10
            "Cj0KCQiAexample5,1001,2026-11-20 10:00:00,last",  # 11
            "Cj0KCQiAexample6,1001,2026-12-24 10:00:00,",  # 12
        ]
    )
    document = validate(file.encode())
    found = [(row["line"], row["errors"][0]["code"]) for row in document["rows"]]
    assert found == [
        (6, "INVALID_DATE"),
        (8, "INVALID_DATE"),
        (10, "WRONG_NUMBER_OF_CELLS"),
        (12, "FUTURE_DATE"),
    ]
    assert document["counts"]["ok"] == 2


def test_placeholders_of_all_chunks_are_one_note_per_column() -> None:
    """A note counts the placeholders of a column over the whole file, with the file's own name."""
    rows = [f"Cj0KCQiAexample{n:07d},1001,2026-11-20 10:00:00Z,7,NULL" for n in range(2_001)]
    header = "gclid,conversion_action,conversion_date_time,conversion_value,Conversion Currency"
    content = "\n".join([header, *rows]).encode()
    document = validate(content, {"value": None, "currency_code": "EUR"})
    notes = [note["detail"] for note in document["notes"] if note["code"] == "PLACEHOLDERS"]
    assert len(notes) == 1
    assert '"Conversion Currency", 2,001 rows: the currency of ' in notes[0]
    assert document["counts"]["ok"] == 2_001
    assert document["counts"]["warnings"] == 0
