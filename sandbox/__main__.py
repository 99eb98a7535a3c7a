"""The command line of the sandbox: `python -m sandbox --help`."""

from __future__ import annotations

import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from sandbox.examples import WRITTEN_ON, is_example, moved_to
from sandbox.function import FunctionDidNotStart
from sandbox.running import (
    NotRunning,
    RequestRefused,
    Running,
    find,
    forget,
    remember,
    running_here,
)
from sandbox.show import printable, show_results, show_sandbox, wide_console

_SOURCE = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the function against local copies of Google's services: Cloud Storage, event delivery,
    the Google Ads API, the Data Manager API and Secret Manager.

    \b
    Watch a demonstration:
      python -m sandbox demo
    Try your own file:
      python -m sandbox up                                 (in one terminal)
      python -m sandbox drop my_export.csv --wait          (in another terminal)
    Use it from a script:
      python -m sandbox up --json > sandbox.json &
    """


def _pairs(context: click.Context, parameter: click.Parameter, value: Any) -> dict[str, str]:
    for pair in value:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} does not have the form KEY=VALUE")
    return dict(pair.split("=", 1) for pair in value)


@main.command()
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object when everything is ready."
)
@click.option(
    "--no-function", is_flag=True, help="Start Google's services only; run the function yourself."
)
@click.option(
    "--instances",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Instances of the function.",
)
@click.option(
    "--env",
    multiple=True,
    callback=_pairs,
    metavar="KEY=VALUE",
    help="Environment variable for the function. Can be repeated.",
)
@click.option("--directory", default=".", type=_SOURCE, help="Folder with the function's main.py.")
def up(
    as_json: bool, no_function: bool, instances: int, env: dict[str, str], directory: Path
) -> None:
    """Start everything and run until Ctrl-C or SIGTERM.

    \b
    python -m sandbox up
    python -m sandbox up --env WINDOW=2 --instances 3
    python -m sandbox up --json --no-function     (run the function yourself with "env")
    """
    from sandbox.up import Sandbox  # imports all of Google's client, which takes a second

    # A signal may come while the main thread begins to wait, with the lock of what it waits for. An
    # Event would then wait for itself; a SimpleQueue takes that.
    ended: SimpleQueue[int] = SimpleQueue()

    def end(number: int, frame: FrameType | None) -> None:
        ended.put(number)

    sandbox = Sandbox(function=not no_function, env=env, instances=instances, source=directory)
    try:
        with sandbox:
            signal.signal(signal.SIGINT, end)
            signal.signal(signal.SIGTERM, end)
            signal.signal(signal.SIGHUP, end)
            description = sandbox.description()
            if other := running_here():
                click.echo(
                    f"Another sandbox runs in this directory ({other}). From now on, `drop` uses "
                    "the new one; name the other with --control-url.",
                    err=True,
                )
            remember(description)
            if as_json:
                click.echo(json.dumps(description))
            else:
                show_sandbox(description, wide_console())
            sys.stdout.flush()
            ended.get()
            forget(description)
    except FunctionDidNotStart as problem:
        raise click.ClickException(str(problem)) from None


def _files(context: click.Context, parameter: click.Parameter, value: Any) -> tuple[Path, ...]:
    for path in value:
        if path.is_dir():
            raise click.BadParameter(
                f"{printable(path)} is a folder. Name the files in it: {printable(path / '*.csv')}"
            )
    return tuple(value)


@main.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), callback=_files
)
@click.option("--folder", help="Upload into this folder. The folder selects the profile.")
@click.option(
    "--profiles",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="First replace the profiles of the sandbox by those in this file.",
)
@click.option(
    "--wait",
    is_flag=True,
    help="Wait for the results and print them. Exit code 1: a file was stopped or timed out.",
)
@click.option(
    "--timeout", default=600.0, show_default=True, help="Longest wait for each file, in seconds."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one document per file.")
@click.option(
    "--control-url",
    help="URL of the sandbox's control API. Default: the sandbox started in this directory.",
)
def drop(
    files: tuple[Path, ...],
    folder: str | None,
    profiles: Path | None,
    wait: bool,
    timeout: float,
    as_json: bool,
    control_url: str | None,
) -> None:
    """Upload FILES to the input bucket of a running sandbox.

    With --wait, the exit code is 1 if a file was stopped (its results document has a file_error)
    or if its results do not appear in time. Rejected and failed rows do not change the exit code;
    find them in the results document.

    \b
    python -m sandbox drop examples/crm_export.csv --wait
    python -m sandbox drop a.csv b.csv --folder data_manager
    python -m sandbox drop deals.csv --profiles profiles.json --folder crm --wait
    """
    try:
        running = find(control_url)
        if profiles is not None:
            running.put("/profiles", profiles.read_bytes())
    except (NotRunning, RequestRefused) as problem:
        raise click.ClickException(str(problem)) from None
    console = wide_console()
    dropped = [_upload(running, path, folder) for path in files]
    events = running.get("/delivery")
    if notice := running.notice_on_events(events):
        click.echo(notice, err=True)
    # Lost events never lead to results, so waiting is useless.
    failed = wait and events["drop"]
    wait = wait and not events["drop"]
    for name, generation in dropped:
        if not wait:
            result = {"name": name, "generation": generation}
            click.echo(
                json.dumps(result)
                if as_json
                else f"Dropped {printable(name)} (generation {generation})"
            )
            continue
        try:
            # On stderr, so that a script can read stdout.
            with Console(stderr=True).status(
                f"Waiting for the results of {escape(printable(name))}"
            ):
                document = running.wait_for_results(name, generation, timeout)
        except TimeoutError as problem:
            click.echo(printable(problem), err=True)
            failed = True
            continue
        stopped_by = document.get("file_error")
        failed = failed or bool(stopped_by)
        if as_json:
            click.echo(json.dumps(document))
            if stopped_by:
                text = f"{name} was stopped: {stopped_by['code']}. {stopped_by.get('action', '')}"
                click.echo(printable(text.strip()), err=True)
        else:
            show_results(document, console)
            report, results = running.addresses_of_results(name, generation)
            click.echo(f"\nReport for people:  {report}\nResults document:   {results}")
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.",
)
def example(file: Path, output: Path) -> None:
    """Write FILE, one of the files in examples/, with its dates moved to today.

    Google counts only conversions of the last 90 days.

    \b
    python -m sandbox example examples/crm_export.csv -o export.csv
    """
    if not is_example(file):
        raise click.BadParameter(f"{printable(file)} is no export in examples/.", param_hint="FILE")
    output.write_bytes(moved_to(file, datetime.now(UTC).date()))
    click.echo(f"Wrote {printable(output)}")


def _upload(running: Running, path: Path, folder: str | None) -> tuple[str, int]:
    content, today = path.read_bytes(), datetime.now(UTC).date()
    if is_example(path) and today != WRITTEN_ON:
        content = moved_to(path, today)
        click.echo(
            f"{path.name}: this example is of {WRITTEN_ON}; its dates are moved to today.",
            err=True,
        )
    return running.upload(f"{folder}/{path.name}" if folder else path.name, content)


@main.command()
@click.option(
    "--route",
    type=click.Choice(["google_ads", "data_manager"]),
    default="google_ads",
    show_default=True,
    help="The API that receives the conversions.",
)
@click.option("--rows", default=5000, show_default=True, help="Data rows in the export.")
@click.option("--directory", default=".", type=_SOURCE, help="Folder with the function's main.py.")
@click.option(
    "--output",
    default=".demo",
    type=click.Path(path_type=Path),
    show_default=True,
    help="Folder for the export, the results and the function log.",
)
def demo(route: str, rows: int, directory: Path, output: Path) -> None:
    """Send a generated CRM export through the function, and check the results.

    \b
    python -m sandbox demo
    python -m sandbox demo --route data_manager --rows 20000
    """
    from sandbox.demo import run_demo  # imports `sandbox.up`

    try:
        sys.exit(run_demo(wide_console(), route, directory, output, rows))
    except FunctionDidNotStart as problem:
        raise click.ClickException(str(problem)) from None


if __name__ == "__main__":
    main()
