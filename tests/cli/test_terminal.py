"""The commands on any terminal: Ctrl-C, closed pipes, code pages, narrow windows, odd names."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lib.cli.files import replacing
from tests.cli.validating import csv_of, row, run, run_check, words_of_check

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-m", "lib"]
MANY_PROBLEMS = csv_of(
    row(conversion_date_time="yesterday", conversion_value="?"),
    row(gclid="", email="nobody", currency_code="Gulden"),
    row(gclid="organic", phone="1", Übergröße="x"),
)


def test_a_closed_pipe_ends_the_command_quietly(tmp_path: Path) -> None:
    """`| head` prints no traceback."""
    path = tmp_path / "export.csv"
    path.write_bytes(MANY_PROBLEMS)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, *words_of_check(tmp_path, path, path)],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_ctrl_c_ends_the_page_of_init(tmp_path: Path) -> None:
    """It says that nothing was saved, without a traceback."""
    (tmp_path / "export.csv").write_bytes(csv_of(row()))
    terminal, stdin = pty.openpty()
    # A job in the background, such as a build, ignores Ctrl-C, and so would its child.
    listens = "signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"import runpy, signal; {listens}; runpy.run_module('lib', run_name='__main__')"
    profiles = str(tmp_path / "p.json")
    command = subprocess.Popen(
        [*COMMAND[:3], "-c", program, "init", str(tmp_path / "export.csv"), "--profiles", profiles],
        cwd=ROOT,
        env={**os.environ, "SSH_CONNECTION": "here there"},  # it opens no browser
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert command.stdout is not None
        _, address = next(command.stdout), next(command.stdout)
        page = HTTPConnection(urlsplit(address.strip()).netloc, timeout=60)
        page.request("GET", "/")
        page.getresponse()  # the page is served now
        page.close()
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=60)
    finally:
        command.kill()
        command.communicate()
    os.close(terminal)
    os.close(stdin)
    assert (command.returncode, err) == (0, "")
    assert out.endswith("Nothing was saved.\n")


def test_a_file_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    """The line names the file and the reason."""
    (tmp_path / "export.csv").write_bytes(csv_of(row()))
    (tmp_path / "results.json").write_bytes(
        run_check(tmp_path / "export.csv", "--json").stdout_bytes
    )
    page = tmp_path / "missing" / "page.html"
    done = run("report", tmp_path / "results.json", "-o", page)
    assert done.exit_code == 1
    assert done.stderr == f"Error: Cannot read or write {page}: No such file or directory.\n"


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    """If it cannot be completed, what was there stays, and nothing else is left behind."""
    path = tmp_path / "rows.csv"
    path.write_text("before")

    def write_half() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_half()
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [
        ("rows.csv", "before")
    ]


def test_a_code_page_without_arrows_is_enough(tmp_path: Path) -> None:
    """On a Windows-1252 terminal, an arrow is a question mark, and accents are kept."""
    path = tmp_path / "Übergröße.csv"
    path.write_bytes(MANY_PROBLEMS)
    result = run_check(path, charset="cp1252")
    assert result.exit_code == 1, result.output
    shown = result.stdout_bytes.decode("cp1252")
    assert "? Owner of the export: Write it as" in shown
    assert "Übergröße" in shown


def test_no_code_is_cut_and_no_line_is_longer_than_80_columns(tmp_path: Path) -> None:
    """Codes and columns can be searched for in the output, and lines fit into 80 columns."""
    path = tmp_path / "export.csv"
    path.write_bytes(MANY_PROBLEMS)
    lines = run_check(path).stdout.splitlines()[1:]  # below the path
    assert max(map(len, lines)) <= 80
    assert {"NO_CLICK_ID_OR_IDENTIFIER", "INVALID_DATE"} <= {line.split(" ")[0] for line in lines}
    assert not [line for line in lines if line.endswith(" ")]


def test_a_name_with_control_characters_does_not_reach_the_terminal(tmp_path: Path) -> None:
    """A terminal would obey an escape sequence in the name of a file."""
    path = tmp_path / "a\x1b[31m.csv"
    path.write_bytes(csv_of(row()))
    result = run_check(path)
    assert result.exit_code == 0
    assert "\x1b" not in result.output


def test_a_message_about_a_name_is_not_obeyed_either(tmp_path: Path) -> None:
    """What ends a command with an error is escaped like everything else."""
    path = tmp_path / "a\x1b[31m.json"
    path.write_bytes(b"{}")
    done = run("report", path)
    assert (done.exit_code, "\x1b" in done.output) == (1, False)
    assert r"a\x1b[31m.json is no results document" in done.output
