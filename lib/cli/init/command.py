"""`init FILE`: writes a profile for files like this one, on a page or by options."""

from __future__ import annotations

import os
import platform
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from lib.catalogue.texts import EMPTY_SHOWN, number_of_rows
from lib.cli.escaping import in_shell, on_terminal
from lib.cli.init.draft import Draft, read_constant
from lib.cli.init.look import Column, WrongAnswer, nearest
from lib.cli.init.questions import QUESTIONS, answer_as_saved, checked_column, needed_questions
from lib.cli.init.rows import OUT, Decider, Fate
from lib.cli.options import now_option
from lib.cli.terminal import AdvancedOption, TaughtCommand, is_own_screen, mention, program_name
from lib.config.profile import ACTION_DEFAULT
from lib.destinations import registry
from lib.errors import SourceError
from lib.model.spelling import comparable
from lib.rules.fields import BY_NAME, is_field
from lib.rules.selection import ANY_OTHER
from lib.source.header import NOT_DECODED

if TYPE_CHECKING:
    from lib.cli.init.document import Document
    from lib.cli.init.server import Server

_EXAMPLES: Final = """
\b
Examples:
  Open the page, say what the columns mean, and save:
    {program} init deals.csv

\b
  The same for the files of the folder crm, in the document of your profiles.
  If the profile is there already, the page shows what is new in the file:
    {program} init deals.csv --profiles profiles.json --profile crm

\b
  Answer by options in a script. It says what is missing:
    {program} init deals.csv --yes --rows "Deal Stage=Closed Won" \\
      --skip "Deal Stage=Closed Lost" --time-zone America/Chicago \\
      --column "conversion_date_time=Close Date" \\
      --column conversion_value=Amount --decimal-sign . --currency USD \\
      --column "order_id=Record ID" --column "gclid=Google ad click id" \\
      --ad-user-data GRANTED --destination {destination} --action "Closed deal" \\
      --customer-id 123-456-7890 --expect "every day by 06:30 America/Chicago"

Exit code: 0 if the profile is saved, or you end with Ctrl-C. 1 if the file cannot be read, or would
be stopped. 2 if an option is wrong, or an answer is missing and nobody gives it.
"""

_ENCODING_HINT: Final = (
    "--encoding windows-1252 for Western Europe, windows-1250 for Central Europe, windows-1251 for "
    "Cyrillic, shift_jis for Japan, gb18030 for China, cp850 for old programs in Western Europe"
)
_MORE_OPTIONS: Final = {
    "login_customer_id": ("--login-customer-id", "ID", "Manager account that gives access."),
    "encoding": ("--encoding", "NAME", "Of the letters, such as windows-1252 [default: detected]."),
    "delimiter": ("--delimiter", "CHARACTER", "Between two cells [default: detected]."),
    "sheet": ("--sheet", "NAME", "Sheet of a workbook [default: the first one]."),
}
"""Keys of the profile for which there is no question → option, what it takes, help."""
_WITH_OPTION: Final = [q for q in QUESTIONS if q.option and q.of != "correction"]
_OPTIONS: Final = {
    **{q.key: q.option.split()[0] for q in _WITH_OPTION},
    **{key: option for key, (option, _, _) in _MORE_OPTIONS.items()},
}
"""Key of the profile → option."""


def _pairs(
    context: click.Context, option: click.Parameter, value: Sequence[str]
) -> list[tuple[str, str]]:
    """`Stage=Closed Won` → ("Stage", "Closed Won"), `all` → ("all", "")."""
    pairs = []
    for text in value:
        name, equals, rest = text.partition("=")
        if not equals and (option.name, name) != ("rows", "all"):
            raise click.BadParameter(f"write it as {option.make_metavar(context)}.")
        pairs.append((name.strip(), rest.strip()))
    return pairs


_repeated = partial(click.option, multiple=True, callback=_pairs)


def _constants(command: Any) -> Any:
    """Add the options for keys of the profile. The help of most is the question."""
    for key, (option, metavar, text) in reversed(_MORE_OPTIONS.items()):
        add = click.option(option, key, metavar=metavar, help=text, cls=AdvancedOption)
        command = add(command)
    for question in reversed(_WITH_OPTION):
        option, metavar = question.option.split()
        text = question.text.format(which="a sale")
        if question.typed:
            text += f" Give {question.typed}."
        if question.key == "value":
            text = f"Value of each sale, or {ACTION_DEFAULT}."
        command = click.option(option, question.key, metavar=metavar, help=text)(command)
    return command


@click.command(
    "init",
    cls=TaughtCommand,
    epilog=_EXAMPLES.replace("{destination}", next(iter(registry.names()))),
    short_help="Write the profile of a file.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--profiles",
    "output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default="profiles.json",
    show_default=True,
    help="Document of profiles, to which the profile is added.",
)
@click.option(
    "--profile",
    "name",
    metavar="NAME",
    default="default",
    show_default=True,
    help="Name of the profile: the folder of these files in the bucket.",
)
@click.option("--yes", is_flag=True, help="Open no page: save what the options say.")
@click.option(
    "--host",
    metavar="NAME",
    default="",
    cls=AdvancedOption,
    help="Another name by which the browser reaches this computer. PORT stands for the port.",
)
@_repeated(
    "--column",
    "columns",
    metavar="FIELD=COLUMN",
    help="Column of a field; nothing after = if there is none. Can be repeated.",
)
@_repeated(
    "--rows",
    metavar="COLUMN=VALUE",
    help="Rows that are sales; all if every row is one. COLUMN==VALUE: a value that only other "
    "files have. Can be repeated.",
)
@_repeated(
    "--skip",
    metavar="COLUMN=VALUE",
    help="Rows that are left out; * is any other value. Can be repeated.",
)
@_constants
@now_option
def init_command(
    file: Path, output: Path, name: str, yes: bool, host: str, now: datetime, **given: Any
) -> None:
    """Write a profile for files like FILE: which columns and rows of it mean what.

    A page in the browser shows the columns with a menu of meanings each, and beside them what
    Google would get. It is served on this computer, to nobody else. Nothing is sent, and no account
    is read. Options answer before the page opens, or, with --yes, without it.
    """
    from lib.cli.init.document import Document, NotSaved  # this and the page take long to import

    try:
        document = Document(output, name)
        existing = document.profile()
    except NotSaved as error:
        raise click.BadParameter(str(error), param_hint="--profiles") from None
    if not name or "/" in name:
        raise click.BadParameter("not the name of a folder.", param_hint="--profile")
    if existing is not None and not existing.names_columns:
        text = (
            f'"{name}" names no columns: files of Google\'s templates need no init. Run check, and '
            "correct the profile by hand."
        )
        raise click.BadParameter(text, param_hint="--profile")
    profile = _with_constants(deepcopy(document.written_profile or {}), given)
    try:
        draft = Draft(name, file, profile)
        if existing:
            answer_as_saved(draft)
        elif draft.sample.is_guessed:
            detail = f"it is not UTF-8. Without its encoding, it {NOT_DECODED}"
            raise SourceError("NOT_TEXT", detail)
        _apply(draft, given)
    except SourceError as error:
        text = f"{file.name}: {error.detail or error.code}."
        if error.detail.endswith(NOT_DECODED):
            text += f" Name the encoding: {_ENCODING_HINT}."
        raise click.ClickException(text) from None
    place = f"--profiles {in_shell(str(output))} --profile {in_shell(name)}"
    next_command = f"{program_name()} check {place} {in_shell(str(file))}"
    if yes or not _is_answered_here():
        _save_unasked(draft, document, now, is_asked=not yes)
    elif not _saved_on_page(draft, document, now, host):
        mention("Nothing was saved.", err=False)
        return
    text = f'Saved the profile "{name}" in {output}. To see each row of a file:\n  {next_command}'
    mention(text, err=False)


# ── options ──────────────────────────────────────────────────────────────────────────────────


def _with_constants(profile: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Set the keys of options. Return the profile without those that an option says are none."""
    for key, option in _OPTIONS.items():
        if given[key] is not None:
            try:
                profile[key] = read_constant(key, given[key], profile.get("destination"))
            except WrongAnswer as error:
                raise click.BadParameter(str(error), param_hint=option) from None
    return {key: value for key, value in profile.items() if value is not None}


def _apply(draft: Draft, given: Mapping[str, Any]) -> None:
    """Take the options as answers. Raises `click.BadParameter` for one that is refused."""
    option = "--column"
    try:
        for field, name in given["columns"]:
            _apply_column(draft, field, name)
        option = "--rows"
        if given["rows"]:
            _apply_rows(draft, [pair for pair in given["rows"] if pair != ("all", "")])
        option = "--skip"
        for column, text in given["skip"]:
            _decide_value(draft, draft.sample.column(column), text, OUT)
    except WrongAnswer as error:
        raise click.BadParameter(str(error), param_hint=option) from None
    draft.answered |= {(q.name, None) for q in _WITH_OPTION if given[q.key] is not None}


def _apply_column(draft: Draft, field: str, name: str) -> None:
    """Take the column of a field, which nobody need ask about. No name: it has no column."""
    if not is_field(field):
        raise WrongAnswer(f"{field} is not a field.{nearest(field, BY_NAME)}")
    column = checked_column(field, draft.sample.column(name)) if name else None
    draft.set_column(field, column)
    draft.answered.add((field, None))


def _apply_rows(draft: Draft, pairs: Sequence[tuple[str, str]]) -> None:
    """Let rows with these values be sales, and no others."""
    draft.answered.add(("rows", None))
    draft.set_entries([{}])
    for decider in draft.deciders:  # what a saved profile calls sales is not repeated; --skip stays
        decider.fates = {v: fate for v, fate in decider.fates.items() if fate == OUT}
    the_entry = 0  # a fate is OUT or the place of an entry
    for name, text in pairs:
        _decide_value(draft, draft.sample.column(name), text, the_entry)


def _decide_value(draft: Draft, column: Column, text: str, fate: Fate) -> None:
    """Decide what the rows with a value are. Raises `WrongAnswer` if no row has it (`=Expired` is a
    value that only other files have), or if --rows or the saved profile sends it."""
    decider = draft.decider(column.name)
    if decider is None:
        decider = Decider(column.name, passes=fate == OUT)  # --skip alone lets all others pass
        draft.deciders.append(decider)
    value = ANY_OTHER if text == ANY_OTHER else _read_value(draft, column, text)
    if fate == OUT and decider.listed(value) is not None and decider.fate_of(value) != OUT:
        raise WrongAnswer(f'"{on_terminal(text)}" is sent, by --rows or the saved profile.')
    draft.set_fate(decider, value, fate)


def _read_value(draft: Draft, column: Column, text: str) -> str:
    """Return a value as the file spells it, or what stands after `=`. Raises `WrongAnswer` if no
    row has it, with a similar value if nobody but its owner sees the screen."""
    values = [*draft.sample.cells_of(column)]
    written = {comparable(value or EMPTY_SHOWN): value for value in reversed(values)}
    if comparable(text or EMPTY_SHOWN) in written:
        return written[comparable(text or EMPTY_SHOWN)]
    if text.startswith("=") and text[1:].strip():
        return text[1:].strip()
    near = nearest(text, values) if is_own_screen() else ""
    raise WrongAnswer(
        f'No row has "{on_terminal(text)}" under "{on_terminal(column.name)}".{near} '
        f"Write ={on_terminal(text)} if other files have it."
    )


# ── without the page ─────────────────────────────────────────────────────────────────────────


def _missing(draft: Draft) -> list[str]:
    """Return the options of the open questions."""
    is_known = ("rows", None) in draft.answered
    missing = [] if is_known else ["--rows COLUMN=VALUE or --rows all"]
    return [*missing, *(q.script_options for q in needed_questions(draft) if q.is_open(draft))]


def _save_unasked(draft: Draft, document: Document, now: datetime, *, is_asked: bool) -> None:
    """Show what the options amount to, and save. Raises if they are not enough, or would stop the
    file."""
    from lib.cli.init.document import NotSaved
    from lib.cli.init.forecast import as_text
    from lib.cli.init.trial import try_out

    if options := _missing(draft) or (["--yes"] if is_asked else []):
        listed = "".join(f"\n  {option}" for option in options)
        raise click.UsageError(f"Nobody answers, and these options are missing:{listed}")
    trial = try_out(draft.sample, draft.document(), now)
    if trial.profile is None:
        raise click.UsageError(trial.stop)
    if trial.stop:
        raise click.ClickException(f"The file would be stopped: {trial.stop}")
    if lines := trial.refused.get(("rejected", "NO_ENTRY_FITS")):
        raise click.UsageError(
            f"{number_of_rows(len(lines))} (line {lines[0]}, ...) fit neither --rows nor --skip. "
            "Add --skip for each value that is left out."
        )
    for line in as_text(draft, trial):
        click.echo(line)
    try:
        document.save(draft.document())
    except NotSaved as error:
        raise click.ClickException(str(error)) from None


# ── the page ─────────────────────────────────────────────────────────────────────────────────

_CONSOLE_BROWSERS: Final = frozenset({"lynx", "w3m", "links", "elinks", "www-browser", "links2"})


def _saved_on_page(draft: Draft, document: Document, now: datetime, host: str) -> bool:
    """Serve the page until it is saved. Return whether it was, or the person pressed Ctrl-C."""
    from lib.cli.init.server import Server, Session

    session = Session(draft, document, now)
    server = Server(session, host)
    for line in _how_to_open(server):
        click.echo(line)
    if not host and _has_screen():
        webbrowser.open(server.address)
    server.run()
    if not session.is_saved:
        click.echo()  # the terminal shows ^C
    return session.is_saved


def _how_to_open(server: Server) -> Sequence[str]:
    lines = ["Open this address in your browser. It works once:", f"  {server.address}"]
    if _is_remote() and not server.host:
        port = server.port
        lines += [
            "From another computer, first forward the port there, in a second terminal:",
            f"  ssh -L {port}:127.0.0.1:{port} USER@THIS-COMPUTER",
        ]
    return [*lines, "Ctrl-C ends without saving. A closed page ends nothing."]


def _is_answered_here() -> bool:
    """Return whether a person is at the terminal, and no script waits for ever."""
    return sys.stdin.isatty()


def _is_remote() -> bool:
    """Return whether somebody works on this computer from another one."""
    return any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))


def _has_screen() -> bool:
    """Return whether a browser with windows can be opened here: never one in the terminal."""
    # Python in WSL finds browsers of Linux alone, and the person's browser is that of Windows.
    if _is_remote() or "microsoft" in platform.release().lower():
        return False
    if sys.platform not in ("darwin", "win32") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        name = getattr(webbrowser.get(), "name", "")
    except webbrowser.Error:
        return False
    return Path(str(name)).name not in _CONSOLE_BROWSERS
