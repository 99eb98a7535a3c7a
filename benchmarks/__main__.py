"""`python -m benchmarks [--quick]`: prints JSON lines, or a table on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click
from rich.console import Console
from rich.table import Table

from benchmarks import cold_start, hostile, quota_share, results, row_path, whole_path
from benchmarks.figures import Figure
from sandbox.up import Sandbox


def measure(quick: bool) -> Iterator[Figure]:
    """All figures, in the order of their measurement."""
    yield from row_path.measure(quick)
    yield from results.measure(quick)
    yield from quota_share.measure(quick)
    with Sandbox(function=False) as sandbox:
        sandbox.state.check_rows = False
        yield from cold_start.measure(quick, sandbox)
    yield from whole_path.measure(quick)
    yield from hostile.measure(quick)


@click.command()
@click.option("--quick", is_flag=True, help="Fewer repetitions; takes about two minutes.")
def main(quick: bool) -> None:
    """Measure the function's speed, memory and cost. Exit code 1: a target is missed."""
    console = Console()
    table = Table("Figure", "Value", "Unit", "Target", "", "From", title="Benchmarks")
    figures = []
    for figure in measure(quick):
        figures.append(figure)
        if console.is_terminal:
            console.print(f"[dim]{figure.name} {figure.value:.3g}[/dim]")
            mark = "[green]ok[/green]" if figure.ok else "[red]missed[/red]"
            what = f"{figure.target.what}: {figure.notes}"
            value = f"{figure.value:.4g}"
            table.add_row(figure.name, value, figure.target.unit, str(figure.target), mark, what)
        else:
            print(json.dumps(figure.as_json()), flush=True)
    if console.is_terminal:
        console.print(table)
    sys.exit(not all(figure.ok for figure in figures))


if __name__ == "__main__":
    main()
