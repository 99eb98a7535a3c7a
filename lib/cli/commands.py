"""The command line: the group of all commands."""

from __future__ import annotations

from typing import Final

import click

from lib import __version__
from lib.cli.check_command import check_command
from lib.cli.explain import explain_command
from lib.cli.fix import fix_command
from lib.cli.init.command import init_command
from lib.cli.report import report_command
from lib.cli.terminal import Commands

_EXAMPLES: Final = """
\b
Examples, from an export to the rows to correct:
    {program} init deals.csv --profiles profiles.json
    {program} check --profiles profiles.json deals.csv
    {program} fix deals.csv deals.results.json

The results are those of an upload, from the output bucket.
`{program} COMMAND --help` has more examples.
"""


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXAMPLES
)
@click.version_option(__version__, prog_name="offline-conversions")
def main() -> None:
    """Write profiles for files of offline conversions, check files, and get the rows to correct."""


for command in (init_command, check_command, explain_command, fix_command, report_command):
    main.add_command(command)
