"""`init FILE`: asks, shows everything, and writes a profile for files like this one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from lib.catalogue.texts import number_of_rows
from lib.cli.escaping import in_shell, on_terminal
from lib.cli.files import replacing
from lib.cli.init.asking import EndOfInput, Quit, ask, read_value, say
from lib.cli.init.draft import Draft, read_constant
from lib.cli.init.look import WrongAnswer, nearest
from lib.cli.init.questions import QUESTIONS, Question, questions
from lib.cli.init.review import show
from lib.cli.init.trial import try_out
from lib.cli.options import now_option
from lib.cli.terminal import AdvancedOption, TaughtCommand, mention, program_name
from lib.config.profile import ACTION_DEFAULT, Profile, choose_profile, read_profiles
from lib.destinations import registry
from lib.errors import PermanentError
from lib.rules.fields import BY_NAME, is_field
from lib.rules.selection import ANY_OTHER
from lib.source.errors import SourceError

_EXAMPLES: Final = """
\b
Examples:
  Answer the questions, look at the screen that follows, and save with s:
    {program} init deals.csv

\b
  The same for the files of the folder crm, in the document of your profiles.
  If the profile is there already, its screen is shown at once:
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

Exit code: 0 if the profile is saved, or you end with q. 1 if the file cannot be read, or would be
stopped. 2 if an option is wrong, or an answer is missing and nobody gives it.
"""

_INTRODUCTION: Final = """\
init asks what the columns and rows of {file} mean, and then shows what Google would get.
Nothing is uploaded, and nothing is written before you answer s on that screen. q quits at every
question."""

_ENCODINGS: Final = (
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
_OPTIONS: Final = {
    **{q.key: q.option.split()[0] for q in QUESTIONS if q.option},
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
    for question in reversed([question for question in QUESTIONS if question.option]):
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
@click.option("--yes", is_flag=True, help="Ask nothing, and save.")
@_repeated(
    "--column",
    "columns",
    metavar="FIELD=COLUMN",
    help="Column of a field; nothing after = if there is none. Can be repeated.",
)
@_repeated(
    "--rows",
    metavar="COLUMN=VALUE",
    help="Rows that are sales; all if every row is one. Write ==VALUE for a value that only other "
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
    file: Path, output: Path, name: str, yes: bool, now: datetime, **given: Any
) -> None:
    """Write a profile for files like FILE: which columns and rows of it mean what.

    There is one question for each decision. Then one screen shows each answer with samples, how
    many conversions Google gets, and their sum. A number changes an answer, s saves. Nothing is
    sent, and no account is read.
    """
    document, existing = _read_profiles(output, name)
    profile = _with_constants(existing.document() if existing else {}, given)
    try:
        draft = Draft(name, file, profile)
        if existing:
            draft.answered.update(q.id for q in [*questions(draft)] if q.is_open(draft))
        elif draft.sample.is_guessed:
            raise SourceError("NOT_TEXT", "the file does not say how its letters are decoded")
        _apply(draft, given)
        if yes:
            _save_unasked(draft, now)
        else:
            if existing is None:
                say(_INTRODUCTION.format(file=on_terminal(file.name)))
            _ask_all(draft, now)
    except Quit:
        say("Nothing was saved.")
        return
    except EndOfInput:
        options = "".join(f"\n  {option}" for option in _missing(draft) or ["--yes"])
        raise click.UsageError(f"Nobody answers, and these options are missing:{options}") from None
    except SourceError as error:
        text = f"{file.name}: {error.detail or error.code}."
        if "decoded" in text:
            text += f" Name the encoding: {_ENCODINGS}."
        raise click.ClickException(text) from None
    if existing is None or draft.document() != existing.document():
        document[name] = draft.document()
    with replacing(output) as stream:
        stream.write(f"{json.dumps(document, ensure_ascii=False, indent=2)}\n".encode())
    place = f"--profiles {in_shell(str(output))} --profile {in_shell(name)}"
    mention(
        f'Saved the profile "{name}" in {output}. To see each row of a file:\n'
        f"  {program_name()} check {place} {in_shell(str(file))}",
        err=False,
    )


def _read_profiles(path: Path, name: str) -> tuple[dict[str, Any], Profile | None]:
    """Return the profiles that are there already, and the one of this name."""
    content = path.read_bytes() if path.exists() else b""
    if any(line.lstrip().startswith(b"//") for line in content.splitlines()):
        text = f"{path} has comments, which would be lost. Name another file, and copy from it."
        raise click.BadParameter(text, param_hint="--profiles")
    try:
        document = read_profiles(content, str(path))
        existing = choose_profile(document, f"{name}/") if name in document else None
    except PermanentError as error:
        raise click.BadParameter(error.detail, param_hint="--profiles") from None
    if not name or "/" in name:
        raise click.BadParameter("not the name of a folder.", param_hint="--profile")
    if existing is not None and not existing.names_columns:
        text = (
            f'"{name}" names no columns: files of Google\'s templates need no init. Run check, and '
            "correct the profile by hand."
        )
        raise click.BadParameter(text, param_hint="--profile")
    return document, existing


# ── options ──────────────────────────────────────────────────────────────────────────────────


def _with_constants(profile: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the profile with the keys that options set."""
    profile = {**profile}
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
            rows = _by_column(draft, [pair for pair in given["rows"] if pair != ("all", "")])
            draft.set_entries([{"rows": rows}] if rows else [{}])
            draft.answered.add(("rows", None))
        option = "--skip"
        for column, values in _by_column(draft, given["skip"]).items():
            draft.skip(column, values)
            draft.answered.add(("skip", None))
    except WrongAnswer as error:
        raise click.BadParameter(str(error), param_hint=option) from None
    draft.answered |= {(q.name, None) for q in QUESTIONS if q.option and given[q.key] is not None}


def _apply_column(draft: Draft, field: str, name: str) -> None:
    """Take a column as the answer to the question of its field, or as that of another field."""
    if not is_field(field):
        raise WrongAnswer(f"{field} is not a field.{nearest(field, BY_NAME)}")
    column = draft.sample.column(name) if name else None
    for question in QUESTIONS:
        if question.name == field:
            draft.answered.add(question.id)
            column = question.checked(column) if column else None
    draft.set_column(field, column)


def _by_column(draft: Draft, pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the values of each column. Raises `WrongAnswer` for one that no row has."""
    listed: dict[str, list[str]] = {}
    for name, text in pairs:
        column = draft.sample.column(name)
        value = ANY_OTHER if text == ANY_OTHER else read_value(column, text)
        listed.setdefault(column.name, []).append(value)
    return listed


# ── with and without somebody who answers ────────────────────────────────────────────────────


def _ask_all(draft: Draft, now: datetime) -> None:
    """Ask what is open, and show everything, until the person saves.

    Raises `Quit`, or `EndOfInput` if the input ends before.
    """
    while True:
        while question := next((q for q in questions(draft) if q.is_open(draft)), None):
            question.ask(draft)
        asked = [*questions(draft)]
        trial = try_out(draft.file, draft.document(), now)
        show(asked, draft, trial)
        prompt = "\nA number changes an answer, s saves, q quits without saving"
        chosen = ask(prompt, partial(_choice, asked))
        if chosen is not None:
            chosen.ask(draft)
        elif not trial.stop:
            return
        else:
            say("It cannot be saved yet: the file would be stopped.")


def _choice(asked: Sequence[Question], text: str) -> Question | None:
    """Return the question of a number; None for `s`."""
    if text.lower() == "s":
        return None
    if text.isdecimal() and 1 <= int(text) <= len(asked):
        return asked[int(text) - 1]
    raise WrongAnswer(f"Answer with a number from 1 to {len(asked)}, s or q.")


def _missing(draft: Draft) -> list[str]:
    """Return the options of the open questions. One that needs none is answered with "none"."""
    return [q.options for q in questions(draft) if not q.is_optional and q.is_open(draft)]


def _save_unasked(draft: Draft, now: datetime) -> None:
    """Show what the options amount to. Raises if they are not enough, or would stop the file."""
    if _missing(draft):
        raise EndOfInput
    trial = try_out(draft.file, draft.document(), now)
    if trial.profile is None:
        raise click.UsageError(trial.stop)
    if trial.stop:
        raise click.ClickException(f"The file would be stopped: {trial.stop}")
    if lines := trial.refused.get(("rejected", "NO_ENTRY_FITS")):
        raise click.UsageError(
            f"{number_of_rows(len(lines))} (line {lines[0]}, ...) fit neither --rows nor --skip. "
            "Add --skip for each value that is left out."
        )
    show([*questions(draft)], draft, trial)
