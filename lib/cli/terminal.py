"""How the commands behave on any terminal: what they print, their help, and how they end."""

from __future__ import annotations

import inspect
import io
import os
import shutil
import sys
import textwrap
from typing import Any

import click

from lib.cli.escaping import on_terminal


def is_own_screen() -> bool:
    """Return whether the output is only seen by the person who runs the command: it goes to a
    terminal, and not to a log that a pipeline keeps."""
    return sys.stdout.isatty() and not os.environ.get("CI")


def program_name() -> str:
    """Return the name by which the program was started."""
    context = click.get_current_context(silent=True)
    return (context and context.find_root().info_name) or "offline-conversions"


def paragraph(text: str, indent: int = 0, hang: int = 0) -> str:
    """Wrap a text between its words, so that no code and no name is cut. Nothing in it is obeyed.

    The lines after the first are indented by `hang` more.
    """
    return textwrap.fill(
        on_terminal(text),
        shutil.get_terminal_size().columns,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )


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
    """The group of all commands. An error of a file or a disk ends them with one line."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line. A character that the terminal lacks becomes a question mark."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            # It may quote the name of a file, or what stands in a document.
            vars(error)["message"] = _lines_on_terminal(error.message)
            raise
        except BrokenPipeError:  # as after `| head`: click ends the program quietly
            raise
        except OSError as error:
            what = f" {on_terminal(str(error.filename))}" if error.filename else ""
            why = f": {error.strerror}" if error.strerror else ""
            raise click.ClickException(f"Cannot read or write{what}{why}.") from None
