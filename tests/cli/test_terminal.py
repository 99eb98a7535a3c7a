"""The commands on any terminal: Ctrl-C, closed pipes, code pages, narrow windows, odd names."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lib.cli import terminal
from lib.cli.commands import main
from lib.cli.files import replacing
from tests.cli.validating import NOW, csv_of, row, with_profiles

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-m", "lib"]
MANY_PROBLEMS = csv_of(
    row(conversion_date_time="yesterday", conversion_value="?"),
    row(gclid="", email="nobody", currency_code="Gulden"),
    row(gclid="organic", phone="1", Übergröße="x"),
)


def run(*arguments: str | Path, charset: str = "utf-8", columns: int = 80) -> Result:
    """Run the check in this process, on a terminal with this code page and width."""
    runner = CliRunner(charset=charset, env={"COLUMNS": str(columns)})
    with tempfile.TemporaryDirectory() as folder:
        return runner.invoke(main, check(Path(folder), *arguments))


def check(folder: Path, *arguments: str | Path) -> list[str]:
    """Return the arguments of a check, with a profile in this folder."""
    return with_profiles(["check", "--now", NOW.isoformat(), *map(str, arguments)], folder)


@pytest.fixture
def _heeds_ctrl_c() -> Iterator[None]:
    """What a shell starts in the background ignores the signal, and so would the command."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _opened(pipe: Path, process: subprocess.Popen[str]) -> int:
    """Open a pipe for writing as soon as the process reads from it."""
    while True:
        with contextlib.suppress(OSError):  # the other end is not open yet
            opened = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            os.set_blocking(opened, True)
            return opened
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.usefixtures("_heeds_ctrl_c")
def test_ctrl_c_ends_with_130_and_without_a_traceback(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a file prints one word."""
    pipe = tmp_path / "endless.csv"
    os.mkfifo(pipe)
    command = [*COMMAND, *check(tmp_path, pipe)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        endless = _opened(pipe, process)
        with contextlib.suppress(BrokenPipeError):
            os.write(endless, csv_of(*[row()] * 5_000))  # more than a pipe holds, so it is read
            process.send_signal(signal.SIGINT)
            while True:
                os.write(endless, csv_of(row()))
        os.close(endless)
        _, stderr = process.communicate(timeout=180)
    assert (process.returncode, stderr) == (130, "Interrupted.\n")


def test_a_closed_pipe_ends_the_command_quietly(tmp_path: Path) -> None:
    """`| head` is no error: nothing is printed, and the exit code is not that of a bad file."""
    path = tmp_path / "export.csv"
    path.write_bytes(MANY_PROBLEMS)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, *check(tmp_path, path, path)],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
NO_SPACE = "No space left on device."


def with_profile(words: str, folder: Path) -> str:
    """Return a command, a check with its time and a profile in this folder."""
    if not words.startswith("check "):
        return words
    return " ".join(check(folder, *words.split()[1:]))


def run_apart(words: str, **streams: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    command = [*COMMAND, *words.split()]
    return subprocess.run(
        command, cwd=ROOT, stderr=subprocess.PIPE, check=False, text=True, **streams
    )


@FULL
@pytest.mark.parametrize("words", ["--help", "--version", "explain --format json", "check {}"])
def test_a_full_disk_is_said_in_one_line(tmp_path: Path, words: str) -> None:
    """What cannot be written is an error of one line, and never a success."""
    path = tmp_path / "export.csv"
    path.write_bytes(MANY_PROBLEMS)
    with open("/dev/full", "wb") as full:
        done = run_apart(with_profile(words.format(path), tmp_path), stdout=full)
    assert done.returncode == 1
    assert done.stderr == (
        "Error: Cannot write to standard output or to a temporary file in "
        f"{tempfile.gettempdir()}: {NO_SPACE}\n"
    )


@FULL
@pytest.mark.parametrize("words", ["report {}/results.json -o", "check {}/export.csv --html"])
def test_a_full_disk_is_named_by_the_file_on_it(tmp_path: Path, words: str) -> None:
    """The error of the system does not name the file that was written."""
    (tmp_path / "export.csv").write_bytes(csv_of(row()))
    results = run(tmp_path / "export.csv", "--json").stdout_bytes
    (tmp_path / "results.json").write_bytes(results)
    page = tmp_path / "page.html"
    page.symlink_to("/dev/full")
    words = f"{words.format(tmp_path)} {page}"
    done = run_apart(with_profile(words, tmp_path), stdout=subprocess.DEVNULL)
    assert done.returncode == 1
    assert done.stderr == f"Error: Cannot read or write {page}: {NO_SPACE}\n"


def test_a_file_that_appears_when_it_is_complete_is_named_too(tmp_path: Path) -> None:
    """`fix` writes next to it, under another name. Another error is not blamed on it."""
    for number, named in ((errno.ENOSPC, str(tmp_path / "rows.csv")), (errno.EIO, None)):
        with pytest.raises(OSError) as raised, replacing(tmp_path / "rows.csv"):
            raise OSError(number, os.strerror(number))
        assert raised.value.filename == named
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--help", 0, ""),
        ("explain", 0, ""),
        ("check {}", 0, ""),
        ("check --json {}", 0, ""),
        ("report -", 1, "Error: standard input is no results document"),
        ("init {}", 2, "Nobody answers, and these options are missing"),
    ],
)
def test_closed_streams_are_empty(tmp_path: Path, words: str, code: int, said: str) -> None:
    """`>&-` and `<&-` leave the program without a stream. It does what it would with /dev/null."""
    path = tmp_path / "export.csv"
    path.write_bytes(csv_of(row()))
    close = partial(os.closerange, 0, 2)
    done = run_apart(with_profile(words.format(path), tmp_path), preexec_fn=close)
    assert done.returncode == code, done.stderr
    assert (said in done.stderr) if said else not done.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(5, "Input/output error", "a.csv"), " a.csv: Input/output error."),
        (OSError("of a library"), "."),
    ],
)
def test_an_error_of_a_disk_ends_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    """If the error has none, the sentence ends before it."""

    def refuse(path: Path) -> bool:
        raise error

    monkeypatch.setattr(terminal, "_drop_output", lambda: None)
    monkeypatch.setattr(Path, "is_dir", refuse)
    result = run(tmp_path)
    assert (result.exit_code, result.stderr) == (1, f"Error: Cannot read or write{said}\n")


def test_a_code_page_without_arrows_is_enough(tmp_path: Path) -> None:
    """On a Windows-1252 terminal, arrows are written in ASCII, and accents are kept."""
    path = tmp_path / "Übergröße.csv"
    path.write_bytes(MANY_PROBLEMS)
    result = run(path, charset="cp1252")
    assert result.exit_code == 1, result.output
    shown = result.stdout_bytes.decode("cp1252")
    assert "-> Write it as" in shown
    assert "Übergröße" in shown


def test_no_code_is_cut_and_no_line_is_longer_than_80_columns(tmp_path: Path) -> None:
    """Codes and columns can be searched for in the output, and lines fit into 80 columns."""
    path = tmp_path / "export.csv"
    path.write_bytes(MANY_PROBLEMS)
    lines = run(path).stdout.splitlines()[1:]  # below the path
    assert max(map(len, lines)) <= 80
    assert {"NO_CLICK_ID_OR_IDENTIFIER", "INVALID_DATE"} <= {line.split(" ")[0] for line in lines}
    assert not [line for line in lines if line.endswith(" ")]


def test_standard_input_is_a_file(tmp_path: Path) -> None:
    """`-` reads standard input."""
    result = CliRunner().invoke(main, check(tmp_path, "-"), input=csv_of(row()))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("standard input\n")
    assert "1 row: 1 would be sent." in result.stdout


def test_a_folder_stands_for_the_files_that_the_function_would_open(tmp_path: Path) -> None:
    """Files in folders are checked in the order of their names; the others are named."""
    for name in ("b.csv", "shop/a.csv", "notes.pdf", ".hidden.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(csv_of(row()))
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    checked = [line for line in result.stdout.splitlines() if line.startswith(str(tmp_path))]
    assert checked == [f"{tmp_path}/b.csv", f"{tmp_path}/shop/a.csv"]
    assert "notes.pdf: the function would not accept the name" in result.stderr
    assert ".hidden.csv: the function would ignore this file" in result.stderr


def test_a_folder_without_files_fails(tmp_path: Path) -> None:
    """Nothing to check is an error, because nothing was checked."""
    (tmp_path / "notes.pdf").touch()
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "no file to check" in result.stderr


def test_a_name_with_control_characters_does_not_reach_the_terminal(tmp_path: Path) -> None:
    """A terminal would obey an escape sequence in the name of a file."""
    path = tmp_path / "a\x1b[31m.csv"
    path.write_bytes(csv_of(row()))
    result = run(path)
    assert result.exit_code == 0
    assert "\x1b" not in result.output


def test_a_message_about_a_name_is_not_obeyed_either(tmp_path: Path) -> None:
    """What ends a command with an error is escaped like everything else."""
    path = tmp_path / "a\x1b[31m.json"
    path.write_bytes(b"{}")
    done = CliRunner().invoke(main, ["report", str(path)])
    assert (done.exit_code, "\x1b" in done.output) == (1, False)
    assert r"a\x1b[31m.json is no results document" in done.output


def test_a_console_obeys_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A control character in a text, such as the name of a column, is written out."""
    terminal.Terminal().print("\x1b]0;title\x07 red\nnext line", soft_wrap=True, markup=False)
    assert capsys.readouterr().out == "\\x1b]0;title\\x07 red\nnext line\n"
