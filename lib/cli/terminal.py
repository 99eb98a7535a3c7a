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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from lib.cli.escaping import on_terminal

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C, as shells define it: 128 + SIGINT."""

PIPE_CLOSED: Final = 141
"""Exit code if the reader of the output has ended, as after `| head`: 128 + SIGPIPE."""

_DISK_IS_FULL: Final = (errno.ENOSPC, errno.EDQUOT)

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


def mention(text: str, *, err: bool = True) -> None:
    """Print what is neither an error nor the result."""
    click.echo(_lines_on_terminal(text), err=err)


def _lines_on_terminal(text: str) -> str:
    return "\n".join(map(on_terminal, text.split("\n")))


class AdvancedOption(click.Option):
    """An option that few people need. The help lists it apart."""

    def get_help_record(self, ctx: click.Context) -> None:
        """Return nothing for the list of the usual options."""


class TaughtCommand(click.Command):
    """A command whose help ends with its advanced options and with examples (`epilog`).

    In the examples, {program} is the name by which the program was started: offline-conversions or
    python -m lib.
    """

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the advanced options, and the examples."""
        advanced = [each for each in self.params if isinstance(each, AdvancedOption)]
        if advanced:
            with formatter.section("Advanced"):
                records = (click.Option.get_help_record(each, ctx) for each in advanced)
                formatter.write_dl([*filter(None, records)])
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

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, with everything printed at its end."""
        with _ending_in_words():
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()


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
