"""`fix FILE RESULTS`: the rows to correct, as they are in the file, ready to be dropped."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from lib.catalogue.codes import lookup
from lib.catalogue.texts import first_sentence
from lib.cli.fix import UNCHECKED_MARK
from lib.results.document import SCHEMA_VERSION
from lib.source.workbook import NO_RESULT
from tests.cli.validating import csv_of, row, run, run_check, validate
from tests.workbooks import Raw, workbook

BAD_TIME = row(gclid="Cj0KCQiAexample0002", conversion_date_time="yesterday")
MIXED = csv_of(row(), BAD_TIME, row(gclid="organic", email="nobody"), row(), row(gclid="a" * 20))
OURS = ["fix: problem", "fix: what to do", "fix: line"]


@pytest.fixture
def fix(tmp_path: Path) -> Callable[..., Path]:
    """Check a file, and fix it with these results. Returns the output."""

    def fixed(
        content: bytes,
        name: str = "export.csv",
        output: str = "rows-to-fix.csv",
        *,
        change: Callable[[dict[str, Any]], None] = lambda document: None,
        profile: dict[str, Any] | None = None,
        options: Sequence[str | Path] = (),
    ) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        if profile is not None:
            profiles = tmp_path / "profiles.json"
            document = {
                "default": {"destination": "google_ads", "customer_id": "1234567890", **profile}
            }
            # With a byte order mark, as some editors on Windows write it.
            profiles.write_text(json.dumps(document), "utf-8-sig")
            options = ["--profiles", profiles]
        document = json.loads(run_check("--json", path, *options).stdout)
        change(document)
        results = tmp_path / f"{name}.results.json"
        results.write_text(json.dumps(document))
        done = run("fix", path, results, "-o", tmp_path / output)
        assert done.exit_code == 0, done.output
        return tmp_path / output

    return fixed


def table(path: Path, delimiter: str = ",") -> list[list[str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def outcomes(content: bytes, profile: dict[str, Any] | None = None) -> dict[str, int]:
    return {k: n for k, n in validate(content, profile)["counts"].items() if n}


def test_the_rows_to_correct_are_written_as_they_are(fix: Any) -> None:
    """Our columns are in front of the file's own, and rows without an error are left out."""
    date, email = lookup("INVALID_DATE"), lookup("INVALID_EMAIL")
    header, *rows = table(fix(MIXED))
    original = list(csv.reader(io.StringIO(MIXED.decode())))
    assert header == [*OURS, *original[0]]
    assert [each[2] for each in rows] == ["3", "4"]
    assert [each[3:] for each in rows] == [original[2], original[3]]
    assert rows[0][0].startswith(first_sentence(date.meaning))
    assert 'Column: "conversion_date_time".' in rows[0][0]
    assert rows[0][1].startswith(date.action)
    assert first_sentence(email.meaning) in rows[1][0], "a warning says why a row has nothing"
    assert "left out" not in rows[1][0], "nothing of the row was sent"
    assert "delete the row" in rows[1][1]


def test_the_corrected_file_is_dropped_as_it_is(fix: Any) -> None:
    """Our columns are neither an error nor a note, and the corrected row would be sent."""
    path = fix(csv_of(row(), BAD_TIME))
    corrected = path.read_bytes().replace(b"yesterday", b"2026-11-20 10:00:00+00:00")
    document = validate(corrected, {"ad_user_data": "GRANTED"})
    assert (document["notes"], document["counts"]["ok"]) == ([], 1)


def test_after_a_check_the_file_itself_is_to_be_uploaded_too(
    tmp_path: Path, checked: tuple[Path, Path]
) -> None:
    """Its other rows are not in the output, and nobody has sent them yet."""
    path, results = checked
    advice = f"Upload {path} too: its other rows were only checked."
    assert advice in run("fix", path, results, "-o", tmp_path / "a.csv").stderr
    results.write_bytes(results.read_bytes().replace(b'"ok":', b'"uploaded":', 1))
    assert advice not in run("fix", path, results, "-o", tmp_path / "b.csv").stderr


def test_what_nobody_has_corrected_stays_refused(fix: Any) -> None:
    """A file that returns unchanged sends nothing that was refused because of its cells."""
    head = b"gclid,conversion_action,conversion_date_time,first_name\n"
    good = b"Cj0KCQiAexample0001,1001,2026-11-20 10:00Z,"
    lines = [good + b"Ada", good, b"x,y", good + b"Ada,x", good + b"J\xffrg", good + b"A\0"]
    content = head + b"\n".join([*lines, *[good + "Jörg".encode()] * 3]) + b"\n"
    first = validate(content)
    again = validate(fix(content).read_bytes())
    assert first["counts"]["rejected"] == 4
    assert (again["counts"]["rows"], again["counts"]["rejected"]) == (4, 4)


@pytest.mark.parametrize(
    "encoding, delimiter, line_end",
    [
        ("utf-8", ",", "\n"),
        ("utf-8-sig", ";", "\r\n"),
        ("cp1252", ";", "\r\n"),
        ("utf-16", "\t", "\r\n"),
        ("utf-8", "|", "\r"),
    ],
)
def test_every_file_becomes_csv_in_utf_8(
    fix: Any, encoding: str, delimiter: str, line_end: str
) -> None:
    """The output has the delimiter of the file, and the line with the time zone of its times."""
    lines = [
        "Sales of November",
        "Parameters:TimeZone=America/Chicago",
        delimiter.join(["gclid", "Conversion Name", "Conversion Time", "Größe"]),
        delimiter.join(["Cj0KCQiAexample0001", "Käufe", "2026-11-20 10:00", '"ä"']),
        delimiter.join(["Cj0KCQiAexample0002", '"Käufe"', "gestern", f'"ö{delimiter}""ü"""']),
    ]
    path = fix(line_end.join([*lines, ""]).encode(encoding))
    parameters, header, bad = table(path, delimiter)
    assert parameters == [lines[1]]
    assert header == [*OURS, "gclid", "Conversion Name", "Conversion Time", "Größe"]
    assert bad[2:] == ["5", "Cj0KCQiAexample0002", "Käufe", "gestern", f'ö{delimiter}"ü"']
    corrected = path.read_bytes().replace(b"gestern", b"2026-11-20 10:00")
    assert outcomes(corrected) == {"rows": 1, "ok": 1}


@pytest.mark.parametrize("first, written", [("sep=~", "sep=~"), ("sep=,", ""), ("", "")])
def test_a_delimiter_that_only_the_file_states_stays_stated(
    fix: Any, first: str, written: str
) -> None:
    """Without its line `sep=`, nothing would tell the delimiter of the corrected file."""
    delimiter = first[-1:] or ","
    content = csv_of(row(), BAD_TIME).replace(b",", delimiter.encode())
    path = fix(f"{first}\n".encode() + content)
    text = path.read_text("utf-8-sig")
    assert text.startswith(written or f"fix: problem{delimiter}")
    assert ("sep=" in text) is bool(written)
    corrected = text.replace("yesterday", "2026-11-20 10:00Z").encode()
    assert outcomes(corrected) == {"rows": 1, "ok": 1}


@pytest.mark.parametrize("name", ["Line", "@mail"])
def test_a_column_of_the_profile_keeps_its_name(fix: Any, name: str) -> None:
    """Neither our columns nor the apostrophe before a formula hides it, also the second time."""
    columns = {**dict(zip(BAD_TIME, BAD_TIME, strict=True)), "order_id": name}
    profile = {"expect": "any time", "value": "action_default", "columns": columns}
    content = csv_of({**BAD_TIME, name: "SO-1"})
    first = fix(content, profile=profile).read_bytes()
    again = fix(first, "rows-to-fix.csv", "again.csv", profile=profile).read_bytes()
    assert again.splitlines()[0] == first.splitlines()[0]
    corrected = again.replace(b"yesterday", b"2026-11-20 10:00Z")
    assert outcomes(corrected, profile) == {"rows": 1, "ok": 1}


@pytest.mark.parametrize("broken", [b'"1001,', b'"10"01,', b'"1001,x', b'"1001,x,y'])
def test_a_row_with_broken_quotes_is_refused_until_its_mark_is_deleted(
    fix: Any, broken: bytes
) -> None:
    """Its cells are a guess that could fit the header, so a person must look at them."""
    path = fix(csv_of(row(), row()).replace(b"1001,", broken, 1))
    bad = table(path)[1]
    assert (bad[3], bad[-1]) == ("Cj0KCQiAexample0001", UNCHECKED_MARK)
    counts = outcomes(path.read_bytes())
    assert counts["rejected"] == counts["rows"]


@pytest.mark.parametrize(
    ("field", "cells", "profile"),
    [
        ("conversion_value", ["1.212,50", "1,212", "1.210,50"], {"decimal_sign": "."}),
        ("conversion_date_time", ["03/21/2026", "03/11/2026"], {"date_order": "DMY"}),
    ],
)
def test_a_cell_refused_beside_others_is_refused_alone(
    fix: Any, field: str, cells: list[str], profile: dict[str, Any]
) -> None:
    """Once the others are corrected, nothing contradicts how it would be read."""
    names = ["gclid", "conversion_action", "conversion_date_time", "conversion_value"]
    plain = dict(zip(names, ["", "1001", "2026-11-20 10:00Z", "12"], strict=True))
    rows = [plain | {"gclid": f"Cj0KCQiAexample{n:04}", field: c} for n, c in enumerate(cells)]
    path = fix(csv_of(*rows), profile=profile)
    header, *written = table(path)
    assert [each[-1] for each in written] == [UNCHECKED_MARK] * len(cells)
    for each in written:
        if each[3:].count(cells[1]) == 0:
            each[header.index(field)] = plain[field]
            each.pop()
    with path.open("w", newline="") as corrected:
        csv.writer(corrected).writerows([header, *written])
    assert outcomes(path.read_bytes(), profile)["rejected"] == 1


def test_rows_with_line_breaks_stay_whole(fix: Any) -> None:
    """A row of several lines is written with all of them."""
    content = csv_of(row(Note="a\nb"), {**BAD_TIME, "Note": 'c\n"d",\ne'}, row(Note="f"))
    assert [each[-1] for each in table(fix(content))[1:]] == ['c\n"d",\ne']


def test_a_corrected_file_can_be_corrected_again(fix: Any) -> None:
    """The second time, our columns are replaced, and `line` is that of the corrected file."""
    first = fix(csv_of(row(), row(), BAD_TIME)).read_bytes()
    header, bad = table(fix(first, "rows-to-fix.csv", "again.csv"))
    assert header == [*OURS, *BAD_TIME]
    assert bad[2:] == ["2", *BAD_TIME.values()]


def test_the_rows_of_a_workbook_become_a_workbook(fix: Any) -> None:
    """Its cells are text as they were read, so a spreadsheet changes none, and wrong ones are
    marked."""
    names = ["gclid", "conversion_action", "conversion_date_time", "conversion_value"]
    content = workbook(
        [
            [*names, "currency_code"],
            ["Cj0KCQiAexample0001", 1001, "2026-11-20 10:00Z", 12.5, "EUR"],
            [],
            ["Cj0KCQiAexample0002", 1001, "2026-11-20 10:00Z", 1234.5, "=Gulden"],
        ]
    )
    profile = {"decimal_sign": ","}
    path = fix(content, "export.xlsx", "rows-to-fix.xlsx", profile=profile)
    book = load_workbook(path)
    header, bad = book.active.iter_rows()
    assert [cell.value for cell in header] == [*OURS, *names, "currency_code"]
    texts = ["4", "Cj0KCQiAexample0002", "1001", "2026-11-20 10:00Z", "1234,5", "=Gulden"]
    assert [cell.value for cell in bad[2:]] == texts
    assert {(cell.data_type, cell.number_format) for cell in bad} == {("s", "@")}
    assert [cell.column_letter for cell in bad if cell.fill.fill_type] == ["H"]
    bad[-1].value = "EUR"
    book.save(path)
    assert outcomes(path.read_bytes(), profile) == {"rows": 1, "ok": 1}


def test_a_formula_without_a_result_stays_refused(fix: Any) -> None:
    """Its cell says so, and the workbook can be opened, whoever uses the column."""
    names = ["gclid", "conversion_action", "conversion_date_time", "Note"]
    formula = Raw('<c r="{at}"><f>A2&amp;"x"</f></c>')
    good = ["Cj0KCQiAexample0001", 1001, "2026-11-20 10:00Z"]
    content = workbook([names, [*good[:2], formula, formula], [*good, "x"]])
    path = fix(content, "export.xlsx", "rows-to-fix.xlsx")
    _, bad = load_workbook(path).active.iter_rows()
    assert [cell.value for cell in bad[5:]] == [NO_RESULT, NO_RESULT]
    assert outcomes(path.read_bytes()) == {"rows": 1, "rejected": 1}


def test_a_wrong_cell_is_marked_whatever_its_column_is_called(fix: Any) -> None:
    """Results join the names of several columns with "or", which a name can contain, too."""
    name = "Closed or paid on"
    content = workbook([["gclid", name], ["Cj0KCQiAexample0001", "yesterday"]])
    profile = {
        "columns": {"gclid": "gclid", "conversion_date_time": name},
        "action": "Sale",
        "value": "action_default",
    }
    path = fix(content, "export.xlsx", "rows-to-fix.xlsx", profile=profile)
    _, bad = load_workbook(path).active.iter_rows()
    assert [cell.value for cell in bad if cell.fill.fill_type] == ["yesterday"]


def test_rows_that_the_profile_should_take_are_not_written(fix: Any, tmp_path: Path) -> None:
    """Nothing in them is wrong. The command that asks for the new value is named."""
    new = row(gclid="Cj0KCQiAexample0009") | {"Stage": "New"}
    content = csv_of(row() | {"Stage": "Won"}, new, BAD_TIME | {"Stage": "Won"})
    profile = {"conversions": [{"rows": {"Stage": ["Won"]}}], "value": "action_default"}
    path = fix(content, profile={"expect": "any time", **profile})
    assert [each[2] for each in table(path)[1:]] == ["4"]
    path.unlink()
    done = run("fix", tmp_path / "export.csv", tmp_path / "export.csv.results.json", "-o", path)
    assert "Not in it: 1 row (line 3) whose cells are right. Change the profile" in done.stderr
    assert f"init {tmp_path / 'export.csv'} --profile default" in done.stderr


def test_the_row_of_a_spreadsheet_is_said_if_it_is_another(fix: Any) -> None:
    """A cell above it has line breaks, or the name of a column."""
    path = fix(csv_of(row(order_id="a\nb"), BAD_TIME | {"order_id": "c"}))
    assert table(path)[1][2] == "4 (row 3)"
    path.unlink()
    path = fix(csv_of(BAD_TIME | {"Internal\nnote": "c"}))
    assert table(path)[1][2] == "3 (row 2)"


def test_a_stopped_file_returns_all_rows_that_were_not_attempted(fix: Any) -> None:
    """Rows without an error of their own say why the file was stopped."""

    def stop(document: dict[str, Any]) -> None:
        document["file_error"] = {"code": "CUSTOMER_NOT_ENABLED", "detail": "customer 1"}
        document["rows"] = [
            {"line": n, "record": n - 1, "outcome": "not_attempted"}
            | {"order_id": None, "errors": [], "warnings": []}
            for n in (2, 3)
        ]

    _, first, second = table(fix(csv_of(row(), row()), change=stop))
    assert first[0] == second[0]
    assert "(customer 1)" in first[0]


def test_what_nobody_can_correct_is_left_out(fix: Any) -> None:
    """Deferred rows, and rows that are too late, or final for another reason, are not written."""
    codes = {"CORRECTABLE": True, "FINAL": False}

    def validated(document: dict[str, Any]) -> None:
        entry = {"count": 1, "severity": "error", "meaning": "=cmd()", "action": "Correct it."}
        document["codes"] = {c: {**entry, "needs_action": n} for c, n in codes.items()}
        document["rows"] = [
            {"line": line, "record": line - 1, "outcome": outcome, "order_id": None, "warnings": []}
            | {"errors": [{"code": code, "field": "", "detail": ""}] if code else []}
            for line, outcome, code in [
                (2, "failed", "CORRECTABLE"),
                (3, "failed", "FINAL"),
                (4, "deferred", "CORRECTABLE"),
                (5, "duplicate", "CORRECTABLE"),
                (6, "failed", "EXPIRED_EVENT"),
                (7, "not_attempted", "FINAL"),
            ]
        ]

    _, *rows = table(fix(csv_of(*[row()] * 6), change=validated))
    assert [each[2] for each in rows] == ["2"]
    assert rows[0][0] == "'=cmd()", "a spreadsheet would calculate it"


@pytest.fixture
def checked(tmp_path: Path) -> tuple[Path, Path]:
    """A file and its results."""
    path, results = tmp_path / "export.csv", tmp_path / "results.json"
    path.write_bytes(MIXED)
    results.write_text(run_check("--json", path).stdout)
    return path, results


@pytest.mark.parametrize("change", [b"x", None])
def test_another_file_is_refused(checked: tuple[Path, Path], change: bytes | None) -> None:
    """A file of another size or content is not that of the results, and nothing is written."""
    path, results = checked
    content = path.read_bytes()
    path.write_bytes(content + change if change else content.replace(b"yesterday", b"Yesterday"))
    done = run("fix", path, results, "-o", path.with_name("out.csv"))
    assert done.exit_code == 1
    assert "is not the file of these results" in done.stderr
    assert sorted(each.name for each in path.parent.iterdir()) == ["export.csv", "results.json"]


@pytest.mark.parametrize(
    "content, reason",
    [
        ("gclid,email\n", "it is not a results document"),
        ("{}", "it is not a results document"),
        (json.dumps({"schema_version": SCHEMA_VERSION + 1}), "use a program of the same version"),
        (json.dumps({"schema_version": SCHEMA_VERSION - 1}), "use a program of the same version"),
        ("{double}", "it has the results of several files"),
        ("{half}", "it ends in the middle"),
    ],
)
def test_other_text_than_results_is_refused(
    checked: tuple[Path, Path], content: str, reason: str
) -> None:
    """The message says what is wrong with the results, and nothing is written."""
    path, results = checked
    whole = results.read_text()
    half = whole[: whole.index('"line":4')].rpartition("\n")[0] + "\n"
    results.write_text({"{double}": whole * 2, "{half}": half}.get(content, content))
    done = run("fix", path, results, "-o", path.with_name("out.csv"))
    assert done.exit_code == 1
    assert reason in done.stderr
    assert not path.with_name("out.csv").exists()


@pytest.mark.parametrize("name", ["rows.xlsx", "rows", "export.csv"])
def test_the_output_is_a_new_csv_file(checked: tuple[Path, Path], name: str) -> None:
    """A file that is there may have somebody's corrections, or be the export."""
    path, results = checked
    done = run("fix", path, results, "-o", path.with_name(name))
    assert done.exit_code == 2
    assert "exists already" in done.stderr or "must end in .csv" in done.stderr
    assert path.read_bytes() == MIXED


def test_an_earlier_output_is_named(
    checked: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has named it, so the message says which file it is and what to do."""
    path, results = checked
    monkeypatch.chdir(path.parent)
    assert run("fix", path, results).exit_code == 0
    done = run("fix", path, results)
    assert done.exit_code == 2
    assert "Error: rows-to-fix-export.csv exists already" in done.stderr
    assert "Move or delete it, or name another file with -o." in done.stderr


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        pytest.param(
            csv_of(row()), 0, "There is no row that you can correct.\n", id="no row is wrong"
        ),
        pytest.param(b"Cj0KCQiAexample0001,1001,2026-11-20\n" * 2, 1, "the whole file", id="all"),
    ],
)
def test_without_rows_to_correct_nothing_is_written(
    tmp_path: Path, content: bytes, code: int, said: str
) -> None:
    """Of a file that is wrong as a whole, the message says what to do with it."""
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    results = run_check("--json", path).stdout_bytes
    done = run("fix", path, "-", "-o", tmp_path / "out.csv", stdin=results)
    assert (done.exit_code, said in done.stderr) == (code, True)
    assert not (tmp_path / "out.csv").exists()


def test_no_live_formula_is_written(fix: Any) -> None:
    """What a spreadsheet would calculate becomes text, which is read like the cell."""
    cells = {"Note": '=HYPERLINK("https://example.com")', "order_id": "=1+1"}
    bad = {**BAD_TIME, **cells}
    header, written = table(fix(csv_of(bad)))
    assert [written[header.index(each)] for each in cells] == [f"'{v}" for v in cells.values()]


def test_a_name_with_a_quote_starts_no_command(tmp_path: Path) -> None:
    """The line to copy has the address of the file as one argument."""
    path, results = tmp_path / "export.csv", tmp_path / "results.json"
    path.write_bytes(MIXED)
    document = validate(MIXED)
    name = "a'; touch planted; '\x1b[31m.csv"
    document["source"] |= {"bucket": "in", "name": name, "generation": "7", "crc32c": "AAAAAA=="}
    results.write_text(json.dumps(document))
    done = run("fix", path, results, "-o", tmp_path / "rows.csv")
    command = done.output.partition("To get it: ")[2].strip()
    _, _, _, address, place = shlex.split(command)
    assert (address, place) == ("gs://in/a'; touch planted; '\\x1b[31m.csv#7", ".")
    assert "\x1b" not in done.output


def test_the_name_of_the_output_says_whose_rows_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep recognizes it by this name, so it is that of the upload, not of the local copy."""
    monkeypatch.chdir(tmp_path)
    Path("copy.csv").write_bytes(MIXED)
    document = json.loads(run_check("--json", "copy.csv").stdout)
    document["source"]["name"] = "shop/sales-2026-11-27.csv.gz"
    Path("results.json").write_text(json.dumps(document))
    done = run("fix", "copy.csv", "results.json")
    assert done.output.startswith("rows-to-fix-sales-2026-11-27.csv: "), done.output
    assert Path("rows-to-fix-sales-2026-11-27.csv").exists()


def test_a_name_that_no_file_can_have_is_no_traceback(
    checked: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object may have a NUL in its name, and what a terminal obeys."""
    file, results = checked
    monkeypatch.chdir(file.parent)
    document = json.loads(results.read_text("utf-8"))
    document["source"]["name"] = "shop/sales\0\33[31m\n.csv"
    results.write_text(json.dumps(document), "utf-8")
    done = run("fix", file, results)
    assert done.exit_code == 0, done.output
    assert (file.parent / "rows-to-fix-sales[31m.csv").exists()


def test_the_output_has_the_permissions_of_other_new_files(checked: tuple[Path, Path]) -> None:
    """Whoever may read the files that this user writes may read this one."""
    before = os.umask(0o027)
    try:
        output = checked[0].with_name("out.csv")
        assert run("fix", *checked, "-o", output).exit_code == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(output.stat().st_mode) == 0o640


def test_results_of_another_file_are_refused_if_no_row_is_wrong(tmp_path: Path) -> None:
    """Size and checksum are compared before anything is said of the rows."""
    good, other = tmp_path / "good.csv", tmp_path / "other.csv"
    good.write_bytes(csv_of(row()))
    other.write_bytes(csv_of(row(), BAD_TIME))
    results = run_check("--json", good).stdout_bytes
    done = run("fix", other, "-", "-o", tmp_path / "out.csv", stdin=results)
    assert done.exit_code == 1
    assert f"{other} is not the file of these results" in done.stderr
    assert "No row needs" not in done.output


def test_a_message_of_google_moves_no_cursor(fix: Any) -> None:
    """A control character in the detail of a problem is written out."""

    def colour(document: dict[str, Any]) -> None:
        document["rows"][0]["errors"][0]["detail"] = "\x1b[31mred"

    _, bad = table(fix(csv_of(BAD_TIME), change=colour))
    assert "(\\x1b[31mred)" in bad[0]
