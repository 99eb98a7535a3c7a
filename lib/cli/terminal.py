"""How the commands behave on any terminal: help, Ctrl-C, pipes, full disks, code pages."""

from __future__ import annotations

import codecs
import errno
import inspect
import io
import os
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from lib import __version__
from lib.cli.escaping import on_terminal

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C, as shells define it: 128 + SIGINT."""

PIPE_CLOSED: Final = 141
"""Exit code if the reader of the output has ended, as after `| head`: 128 + SIGPIPE."""

_DISK_IS_FULL: Final = (errno.ENOSPC, errno.EDQUOT)

_HOW_MUCH: Final = f"{__name__}: how much to say"
"""What click's context keeps it under."""

_IN_ASCII: Final = {"→": "->", "←": "<-", "×": "x", "…": "...", "“": '"', "”": '"', "’": "'"}


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_IN_ASCII.get(each, "?") for each in text), error.end


codecs.register_error("lib.cli.in_ascii", _in_ascii)


class Terminal(Console):
    """A console that leaves a closed pipe to `Commands`, and obeys nothing in a text."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts with their control characters written out, and rich's own objects."""
        safe = (_lines_on_terminal(each) if isinstance(each, str) else each for each in objects)
        super().print(*safe, **options)

    def on_broken_pipe(self) -> None:
        """Called by rich if the reader of the output has ended."""
        raise BrokenPipeError


def is_own_screen() -> bool:
    """Return whether the output is only seen by the person who runs the command: it goes to a
    terminal, and not to a log that a pipeline keeps."""
    return sys.stdout.isatty() and not os.environ.get("CI")


def program_name() -> str:
    """Return the name by which the program was started."""
    context = click.get_current_context(silent=True)
    return (context and context.find_root().info_name) or "offline-conversions"


def paragraph(text: str, width: int, indent: int, hang: int = 0, style: str = "") -> Text:
    """Wrap a text between its words, so that no code and no name is cut. Nothing in it is obeyed.

    The lines after the first are indented by `hang` more.
    """
    lines = textwrap.wrap(
        on_terminal(text),
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return Text("\n".join(lines), style)


def _says(how_much: str) -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and context.meta.get(_HOW_MUCH) == how_much


def is_quiet() -> bool:
    """Return whether only errors are wanted, and the result that was asked for (`-q`)."""
    return _says("quiet")


def is_verbose() -> bool:
    """Return whether all there is to say is wanted (`-v`)."""
    return _says("verbose")


def mention(text: str, *, err: bool = True) -> None:
    """Print what is neither an error nor the result, unless somebody wants it quiet."""
    if not is_quiet():
        click.echo(_lines_on_terminal(text), err=err)


def step(text: str) -> None:
    """Print a step of the command to standard error, if somebody wants to know all."""
    if is_verbose():
        click.echo(on_terminal(text), err=True)


def _lines_on_terminal(text: str) -> str:
    return "\n".join(map(on_terminal, text.split("\n")))


def _keep_how_much(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_HOW_MUCH] = value


class TaughtCommand(click.Command):
    """A command with `-q` and `-v`, whose help ends with examples (`epilog`). In them, {program} is
    the name by which the program was started: offline-conversions or python -m lib."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for letter, word, text in (
            ("-q", "quiet", "Print only errors, and the result that was asked for."),
            ("-v", "verbose", "Say all there is to say, and what was done."),
        ):
            option = click.Option(
                [letter, f"--{word}", "how_much"],
                flag_value=word,
                is_eager=True,
                expose_value=False,
                callback=_keep_how_much,
                help=text,
            )
            self.params.append(option)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self.epilog:
            text = self.epilog.replace("{program}", ctx.find_root().info_name or "")
            formatter.write_paragraph()
            formatter.write_text(inspect.cleandoc(text))


class Commands(TaughtCommand, click.Group):
    """The group of all commands. Ctrl-C and a closed pipe end them without a traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line. Characters that the terminal lacks are replaced."""
        _open_closed_streams()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="lib.cli.in_ascii")
        return super().main(*args, **options)

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Read the command line, which may print the help or the version."""
        with _ending_in_words():
            return super().make_context(*args, **options)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words after the program. `help COMMAND` is `COMMAND --help`."""
        if args[:1] == ["help"]:
            args = [*(each for each in args[1:2] if each != "help"), "--help"]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, with everything printed at its end."""
        started = time.monotonic()
        with _ending_in_words():
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
                seconds = time.monotonic() - started
                versions = f"{program_name()} {__version__}, Python {sys.version.split()[0]}"
                step(f"{versions}: ended after {seconds:.1f} s.")


@contextmanager
def _ending_in_words() -> Iterator[None]:
    """End the program with a line and an exit code, whatever happens to its streams and files."""
    try:
        yield
    except click.ClickException as error:
        # It may quote the name of a file, or what stands in a document.
        vars(error)["message"] = _lines_on_terminal(error.message)
        raise
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _drop_output()
        raise click.exceptions.Exit(PIPE_CLOSED) from None
    except OSError as error:
        _drop_output()
        what = "read or write"
        if error.filename:
            what += f" {on_terminal(str(error.filename))}"
        elif error.errno in _DISK_IS_FULL:
            what = f"write to standard output or to a temporary file in {tempfile.gettempdir()}"
        why = f": {error.strerror}" if error.strerror else ""
        raise click.ClickException(f"Cannot {what}{why}.") from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name the file that is written if its disk is full: the error itself names none."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_IS_FULL:
            error.filename = error.filename or str(path)
        raise


def _open_closed_streams() -> None:
    """Open what `>&-` has closed as /dev/null, so that no file that is opened later gets its
    number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(nothing, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _drop_output() -> None:
    """Leave nothing to print: Python flushes the output when it exits, which would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
