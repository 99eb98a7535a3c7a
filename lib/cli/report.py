"""`report RESULTS`: makes the report for people of a results document."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Final

import click

from lib.cli.files import replacing
from lib.cli.terminal import TaughtCommand, mention
from lib.errors import NotResults

_EXAMPLES: Final = """
\b
Examples:
  Make a page of a results document that you have downloaded:
    {program} report deals.csv.1795521600000001.results.json

\b
  Show what a file would get, before you upload it:
    {program} check --profiles p.json --json leads.csv \\
      | {program} report - -o leads.html

Exit code: 0 if the report was written. 1 if RESULTS is no results document. 2 if the command is
wrong.
"""


@click.command(
    "report", cls=TaughtCommand, epilog=_EXAMPLES, short_help="Write the report for people."
)
@click.argument("results", metavar="RESULTS", type=click.File("rb"))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; its name ends in .html [default: RESULTS with this ending; for -, "
    "report.html].",
)
def report_command(results: IO[bytes], output: Path | None) -> None:
    """Write the report on RESULTS, a results document (- reads it from standard input).

    The report is one HTML page. It shows the problems by cause, and loads nothing from anywhere.
    """
    from lib.results.report import report_of  # jinja2 takes long to import

    name = getattr(results, "name", "<stdin>")
    if name == "<stdin>":
        name = "standard input"
        output = output or Path("report.html")
    output = output or Path(name).with_suffix(".html")
    if output.suffix.lower() != ".html":
        raise click.BadParameter("its name must end in .html.", param_hint="-o")
    if output.exists() and Path(name).exists() and output.samefile(name):
        raise click.BadParameter(f"{output} is RESULTS. Name another file.", param_hint="-o")
    try:
        page = report_of(results)
    except NotResults as error:
        raise click.ClickException(
            f"{name} is no results document that this version reads: {error}."
        ) from None
    with replacing(output) as copy:  # a link is replaced, not what it leads to
        copy.write(page.encode("utf-8"))
    mention(f"Wrote {output}", err=False)
