"""`fix FILE RESULTS`: the rows to correct, as they are in the file, ready to be dropped."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import os
import shlex
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import google_crc32c
import pytest
from click.testing import CliRunner, Result

from lib.catalogue.codes import lookup
from lib.cli.commands import main
from lib.results.document import SCHEMA_VERSION
from tests.cli.validating import BASE, NOW, csv_of, row, validate, with_profiles
from tests.workbooks import workbook

BAD_TIME = row(gclid="Cj0KCQiAexample0002", conversion_date_time="yesterday")
MIXED = csv_of(row(), BAD_TIME, row(gclid="organic", email="nobody"), row(), row(gclid="a" * 20))
OURS = ["problem", "what to do", "line"]


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    with TemporaryDirectory() as folder:
        given = with_profiles([*map(str, arguments)], Path(folder))
        return CliRunner().invoke(main, given, input=stdin)


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
        arguments: list[str | Path] = ["check", "--json", "--now", NOW.isoformat(), path]
        if profile is not None:
            profiles = tmp_path / "profiles.json"
            document = {
                "default": {"destination": "google_ads", "customer_id": "1234567890", **profile}
            }
            # With a byte order mark, as some editors on Windows write it.
            profiles.write_text(json.dumps(document), "utf-8-sig")
            options = ["--profiles", profiles]
        document = json.loads(run(*arguments, *options).stdout)
        change(document)
        results = tmp_path / f"{name}.results.json"
        results.write_text(json.dumps(document))
        done = run("fix", path, results, "-o", tmp_path / output, *options)
        assert done.exit_code == 0, done.output
        return tmp_path / output

    return fixed


def table(path: Path, encoding: str = "utf-8", delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding), newline=""), delimiter=delimiter))


def outcomes(content: bytes, profile: dict[str, Any] | None = None) -> dict[str, int]:
    return {k: n for k, n in validate(content, profile)["counts"].items() if n}


def test_the_rows_to_correct_are_written_as_they_are(fix: Any) -> None:
    """Our columns are in front of the file's own, and rows without an error are left out."""
    header, *rows = table(fix(MIXED))
    original = list(csv.reader(io.StringIO(MIXED.decode())))
    assert header == [*OURS, *original[0]]
    assert [each[2] for each in rows] == ["3", "4"]
    assert [each[3:] for each in rows] == [original[2], original[3]]
    assert rows[0][0].startswith("The date and time cannot be read")
    assert 'Column: "conversion_date_time".' in rows[0][0]
    assert rows[0][1].startswith("Write it as")
    assert "The email address is not valid" in rows[1][0], "a warning says why a row has nothing"


def test_the_corrected_file_is_dropped_as_it_is(fix: Any) -> None:
    """Our columns are neither an error nor a note, and the corrected row would be sent."""
    path = fix(csv_of(row(), BAD_TIME))
    corrected = path.read_bytes().replace(b"yesterday", b"2026-11-20 10:00:00+00:00")
    document = validate(corrected, {"ad_user_data": "GRANTED"})
    assert (document["notes"], document["counts"]["ok"]) == ([], 1)


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
def test_encoding_and_dialect_are_those_of_the_file(
    fix: Any, encoding: str, delimiter: str, line_end: str
) -> None:
    """The output has the encoding, byte order mark, delimiter, quotes and line ends of the file."""
    lines = [
        "Parameters:TimeZone=America/Chicago",
        delimiter.join(["gclid", "Conversion Name", "Conversion Time", "Größe"]),
        delimiter.join(["Cj0KCQiAexample0001", "Käufe", "2026-11-20 10:00", '"ä"']),
        delimiter.join(["Cj0KCQiAexample0002", '"Käufe"', "gestern", f'"ö{delimiter}""ü"""']),
    ]
    content = line_end.join([*lines, ""]).encode(encoding)
    output = fix(content).read_bytes()
    text = output.decode(encoding)
    parameters, header, bad, end = text.split(line_end)
    assert (parameters, end) == (lines[0], "")
    assert header == delimiter.join(OURS) + delimiter + lines[1]
    assert bad.endswith(f"{delimiter}4{delimiter}{lines[3]}")
    assert outcomes(output) == {"rows": 1, "rejected": 1}
    assert output.startswith(content[:2]) or not encoding.startswith("utf-16")


def test_a_file_with_spaces_after_its_delimiters_keeps_them(fix: Any) -> None:
    """`a, "b"` is read with its spaces, so our columns have them too."""
    content = b'gclid, conversion_action, conversion_date_time\nCj0KCQiAexample01, "1, 2", soon\n'
    output = fix(content).read_bytes()
    assert output.splitlines()[0].startswith(b"problem, what to do, line, gclid, ")
    assert outcomes(output) == {"rows": 1, "rejected": 1}


BROKEN_QUOTES = csv_of(row(), row()).replace(b",1001,", b',"1001,', 1)


def test_a_row_with_broken_quotes_is_refused_until_its_mark_is_deleted(fix: Any) -> None:
    """Its cells are a guess that could fit the header, so a person must look at them."""
    content = fix(BROKEN_QUOTES).read_bytes()
    document = validate(content)
    assert document["counts"]["rejected"] == document["counts"]["rows"] == 1
    assert "WRONG_NUMBER_OF_CELLS" in document["codes"]


def test_a_row_with_broken_quotes_is_shown_cell_by_cell(fix: Any) -> None:
    """Its cells are written with correct quotes, so it hides no row below it, and a mark follows.
    Without the mark, the row is sent."""
    path = fix(BROKEN_QUOTES)
    (_, bad) = table(path)
    assert bad[3:-1] == ["Cj0KCQiAexample0001", "1001", "2026-11-20 10:00:00+00:00"]
    compared = path.read_bytes().replace(f",{bad[-1]}".encode(), b"")
    assert outcomes(compared) == {"rows": 1, "ok": 1}


@pytest.mark.parametrize("broken", [b'"10"01,', b'"1001,x', b'"1001,x,y'])
def test_a_row_with_broken_quotes_is_refused_whatever_its_cells_are(
    fix: Any, broken: bytes
) -> None:
    """The guess can have fewer or more cells than the header."""
    content = csv_of(row(), row()).replace(b"1001,", broken, 1)
    counts = outcomes(fix(content).read_bytes())
    assert counts["rejected"] == counts["rows"]


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


def test_a_compressed_file_can_be_fixed_and_the_output_compressed(fix: Any) -> None:
    """gzip is read by its content, and written if the name of the output says so."""
    plain = fix(gzip.compress(MIXED), "export.csv.gz").read_bytes()
    packed = fix(gzip.compress(MIXED), "export.csv.gz", "rows.csv.gz").read_bytes()
    assert gzip.decompress(packed) == plain


def test_the_rows_of_a_workbook_become_csv(fix: Any) -> None:
    """Its cells are written as they were read, with the line of the sheet."""
    content = workbook(
        [
            [
                "gclid",
                "conversion_action",
                "conversion_date_time",
                "conversion_value",
                "currency_code",
            ],
            ["Cj0KCQiAexample0001", 1001, "2026-11-20 10:00Z", 12.5, "EUR"],
            [],
            ["Cj0KCQiAexample0002", 1001, "2026-11-20 10:00Z", 1234.5, "Gulden"],
        ]
    )
    profile = {"decimal_sign": ","}
    path = fix(content, "export.xlsx", profile=profile)
    _, bad = table(path, "utf-8-sig")
    assert bad[2:] == ["4", "Cj0KCQiAexample0002", "1001", "2026-11-20 10:00Z", "1234,5", "Gulden"]
    assert path.read_bytes().count(b"\r\n") == 2
    assert outcomes(path.read_bytes().replace(b"Gulden", b"EUR"), profile) == {"rows": 1, "ok": 1}


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


def test_a_stopped_file_may_have_rows_with_broken_quotes(fix: Any) -> None:
    """These rows have no code of their own, as no row was looked at."""

    def stop(document: dict[str, Any]) -> None:
        document["file_error"] = {"code": "CUSTOMER_NOT_ENABLED", "detail": "customer 1"}
        document["rows"] = [
            {"line": line, "record": line - 1, "outcome": "not_attempted"}
            | {"order_id": None, "errors": [], "warnings": []}
            for line in (2, 3, 4)
        ]

    content = csv_of(row(), row(), row()).replace(b"1001,", b'"1001,')
    content = content.replace(b'"1001', b"1001", 1)
    _, *rows = table(fix(content, change=stop))
    assert [each[2:5] for each in rows] == [
        [str(line), "Cj0KCQiAexample0001", "1001"] for line in (2, 3, 4)
    ]
    assert rows[1][6:] == ["Compare this row with the file and delete this cell"]


def test_what_nobody_can_correct_is_left_out(fix: Any) -> None:
    """Deferred rows, and rows that failed for a reason that nobody can change, are not written."""
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
            ]
        ]

    _, *rows = table(fix(csv_of(*[row()] * 4), change=validated))
    assert [each[2] for each in rows] == ["2"]
    assert rows[0][0] == "'=cmd()", "a spreadsheet would calculate it"


@pytest.fixture
def checked(tmp_path: Path) -> tuple[Path, Path]:
    """A file and its results."""
    path, results = tmp_path / "export.csv", tmp_path / "results.json"
    path.write_bytes(MIXED)
    results.write_text(run("check", "--json", "--now", NOW.isoformat(), path).stdout)
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


def test_an_object_without_md5_is_compared_by_its_crc32c(checked: tuple[Path, Path]) -> None:
    """Objects that were composed of parts have only this checksum."""
    path, results = checked
    document = json.loads(results.read_text())
    value = google_crc32c.Checksum(path.read_bytes())
    for crc32c, exit_code in [("AAAAAA==", 1), (base64.b64encode(value.digest()).decode(), 0)]:
        document["source"] |= {"md5": "", "crc32c": crc32c}
        results.write_text(json.dumps(document))
        assert run("fix", path, results, "-o", path.with_name("out.csv")).exit_code == exit_code


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


@pytest.mark.parametrize("name", ["rows.xlsx", "rows"])
def test_only_text_is_written(checked: tuple[Path, Path], name: str) -> None:
    """Another output than CSV is a usage error."""
    done = run("fix", *checked, "-o", checked[0].with_name(name))
    assert (done.exit_code, "its name must end in .csv" in done.stderr) == (2, True)


def test_an_existing_output_is_kept(checked: tuple[Path, Path]) -> None:
    """It may have somebody's corrections. `--force` replaces it."""
    path, results = checked
    output = path.with_name("out.csv")
    output.write_text("mine")
    assert run("fix", path, results, "-o", output).exit_code == 2
    assert output.read_text() == "mine"
    assert run("fix", path, results, "-o", output, "--force").exit_code == 0
    assert output.read_text() != "mine"


def test_nothing_is_written_if_no_row_is_wrong(tmp_path: Path) -> None:
    """A file without refused rows needs no other file."""
    path = tmp_path / "export.csv"
    path.write_bytes(csv_of(row()))
    results = run("check", "--json", "--now", NOW.isoformat(), path).stdout_bytes
    done = run("fix", path, "-", "-o", tmp_path / "out.csv", stdin=results)
    assert (done.exit_code, done.stderr) == (0, "No row needs to be corrected.\n")
    assert not (tmp_path / "out.csv").exists()


def test_a_file_that_is_wrong_as_a_whole_has_no_rows_to_fix(tmp_path: Path) -> None:
    """Without a header, no row can be corrected: the message says what to do with the file."""
    path = tmp_path / "export.csv"
    path.write_bytes(b"Cj0KCQiAexample0001,1001,2026-11-20\nCj0KCQiAexample0002,1001,2026-11-20\n")
    results = run("check", "--json", "--now", NOW.isoformat(), path).stdout_bytes
    done = run("fix", path, "-", "-o", tmp_path / "out.csv", stdin=results)
    assert done.exit_code == 1
    assert "the whole file" in done.stderr


def test_a_file_that_needs_its_profile_asks_for_it(tmp_path: Path) -> None:
    """With another delimiter, rows and columns would not be where the results say."""
    path, profiles = tmp_path / "export.csv", tmp_path / "profiles.json"
    path.write_bytes(csv_of(row(), BAD_TIME).replace(b",", b"~"))
    profiles.write_text(json.dumps({"default": {**BASE, "delimiter": "~"}}))
    with_profile = ["--profiles", profiles]
    results = run("check", "--json", "--now", NOW.isoformat(), path, *with_profile).stdout_bytes
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"default": BASE}))
    out = tmp_path / "out.csv"
    done = run("fix", path, "-", "-o", out, "--profiles", other, stdin=results)
    assert done.exit_code == 1
    assert "add --profiles" in done.stderr
    # The results have the profile with which they were made.
    assert run("fix", path, "-", "-o", out, stdin=results).exit_code == 0
    assert out.read_text().startswith("problem~what to do~line~gclid~")


def test_cloud_storage_needs_a_package(
    checked: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Google's client, the message says how to install it."""
    monkeypatch.setitem(sys.modules, "lib.adapters.download", None)
    done = run("fix", checked[0], "gs://bucket/export.csv.1.results.json")
    assert done.exit_code == 2
    assert 'pipx install --force "offline-conversions[gcs]"' in done.stderr


def fixed(tmp_path: Path, content: bytes) -> Result:
    """Check a file and fix it."""
    path, results = tmp_path / "export.csv", tmp_path / "results.json"
    path.write_bytes(content)
    profiles = tmp_path / "profiles.json"
    profiles.write_text(json.dumps({"default": {**BASE, "decimal_sign": "."}}))
    options = ["--profiles", profiles]
    results.write_text(run("check", "--json", "--now", NOW.isoformat(), path, *options).stdout)
    return run("fix", path, results, "-o", tmp_path / "rows-to-fix.csv", *options)


def priced(count: int, value: str) -> list[dict[str, str]]:
    price = {"conversion_value": value, "currency_code": "USD"}
    return [row(gclid=f"Cj0KCQiAexample{n:04}", **price) for n in range(count)]


def test_one_setting_is_not_offered_as_cells(tmp_path: Path) -> None:
    """If most rows have the same problem, the profile's line is named, and no row is written."""
    done = fixed(tmp_path, csv_of(*priced(2_000, "1.234,50")))
    assert done.exit_code == 1
    text = "2,000 of 2,000 rows have DECIMAL_SIGN_MISMATCH: this is one setting, not 2,000 cells."
    assert f"{text} {lookup('DECIMAL_SIGN_MISMATCH').if_most}" in done.output
    assert not (tmp_path / "rows-to-fix.csv").exists()


def test_other_rows_are_still_offered(tmp_path: Path) -> None:
    """Rows that have a wrong cell too are written, and the setting is named as well."""
    done = fixed(tmp_path, csv_of(*priced(8, "1.234,50"), BAD_TIME))
    assert done.exit_code == 0
    assert "1 row of 9" in done.output
    assert "8 of 9 rows have DECIMAL_SIGN_MISMATCH: this is one setting" in done.output


def test_few_cells_are_offered(tmp_path: Path) -> None:
    """The setting would break the other rows, so it is not advised."""
    done = fixed(tmp_path, csv_of(*priced(20, "1234.50"), *priced(2, "1.234,50")))
    assert (done.exit_code, "setting" in done.output) == (0, False)
    assert "Write decimal_sign" not in (tmp_path / "rows-to-fix.csv").read_text("utf-8")


@pytest.mark.parametrize("name", ["export.csv", "export.xlsx"])
def test_no_live_formula_is_written(fix: Any, name: str) -> None:
    """What a spreadsheet would calculate becomes text, which is read like the cell."""
    cells = {"Note": '=HYPERLINK("https://example.com")', "order_id": "=1+1"}
    bad = {**BAD_TIME, **cells}
    rows = [list(bad), list(bad.values())]
    content = csv_of(bad) if name.endswith("csv") else workbook(rows)
    header, written = table(fix(content, name), "utf-8-sig")
    assert [written[header.index(each)] for each in cells] == [f"'{v}" for v in cells.values()]


def test_a_name_with_a_quote_starts_no_command(tmp_path: Path) -> None:
    """The line to copy has the address of the file as one argument."""
    path, results = tmp_path / "export.csv", tmp_path / "results.json"
    path.write_bytes(MIXED)
    document = validate(MIXED)
    name = "a'; touch planted; '\x1b[31m.csv"
    document["source"] |= {"bucket": "in", "name": name, "generation": "7", "size": 1}
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
    document = json.loads(run("check", "--json", "--now", NOW.isoformat(), "copy.csv").stdout)
    document["source"]["name"] = "shop/sales-2026-11-27.csv.gz"
    Path("results.json").write_text(json.dumps(document))
    done = run("fix", "copy.csv", "results.json")
    assert done.output.startswith("rows-to-fix-sales-2026-11-27.csv: "), done.output
    assert Path("rows-to-fix-sales-2026-11-27.csv").exists()


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
@pytest.mark.parametrize("at", [0, 1])
def test_no_input_is_replaced(checked: tuple[Path, Path], link: str | None, at: int) -> None:
    """An output that is FILE or RESULTS, also by a link, is refused, even with --force."""
    path, results = checked
    before = [path.read_bytes(), results.read_bytes()]
    output = checked[at] if link is None else path.with_name("linked.csv")
    if link is not None:
        getattr(output, link)(checked[at])
    elif at == 1:
        output = results.rename(results.with_suffix(".csv"))
        results = output
    done = run("fix", path, results, "-o", output, "--force")
    assert (done.exit_code, "is a file that the command reads" in done.stderr) == (2, True)
    assert [path.read_bytes(), results.read_bytes()] == before


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
    results = run("check", "--json", "--now", NOW.isoformat(), good).stdout_bytes
    done = run("fix", other, "-", "-o", tmp_path / "out.csv", stdin=results)
    assert done.exit_code == 1
    assert f"{other} is not the file of these results" in done.stderr
    assert "No row needs" not in done.output


@pytest.mark.parametrize(
    "title", ["=cmd|'/c calc'!A1", "Deals,\"=cmd|'/c calc'!A1\"", '"=1,x', '"=cmd"!A1']
)
def test_a_title_is_no_formula(fix: Any, title: str) -> None:
    """A line above the header is written like a row: a spreadsheet would calculate it."""
    header = "gclid,conversion_action,conversion_date_time"
    content = f"{title}\n{header}\nCj0KCQiAexample0001,1001,yesterday\n".encode()
    first, *_ = table(fix(content))
    assert [each for each in first if each.startswith("=")] == []
    assert any(each.startswith("'=") for each in first)


def test_a_message_of_google_moves_no_cursor(fix: Any) -> None:
    """A control character in the detail of a problem is written out."""

    def colour(document: dict[str, Any]) -> None:
        document["rows"][0]["errors"][0]["detail"] = "\x1b[31mred"

    _, bad = table(fix(csv_of(BAD_TIME), change=colour))
    assert "(\\x1b[31mred)" in bad[0]
