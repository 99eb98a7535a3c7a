"""`init FILE`: asks, shows everything, and writes a profile for files like this one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from lib.catalogue.texts import number_of_rows
from lib.cli.escaping import in_shell, on_terminal
from lib.cli.files import replacing
from lib.cli.init.asking import EndOfInput, Quit, ask, read_value, say
from lib.cli.init.draft import HOW_FILES_ARE_WRITTEN, Draft, read_constant
from lib.cli.init.look import WrongAnswer, nearest
from lib.cli.init.questions import ENCODINGS, QUESTIONS, Question, questions
from lib.cli.init.review import show
from lib.cli.init.trial import try_out
from lib.cli.options import now_option
from lib.cli.terminal import AdvancedOption, TaughtCommand, mention, program_name
from lib.config.profile import ACTION_DEFAULT, choose_profile, read_profiles
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

_MORE_OPTIONS: Final = (
    ("login_customer_id", "--login-customer-id ID", "Manager account that gives access."),
    ("delimiter", "--delimiter CHARACTER", "Between two cells [default: detected]."),
    ("sheet", "--sheet NAME", "Sheet of a workbook [default: the first one]."),
)
"""Keys of the profile for which there is no question: key, option, help."""
_OPTIONS: Final = {
    **{q.key: q.option.split() for q in QUESTIONS if q.option},
    **{key: option.split() for key, option, _ in _MORE_OPTIONS},
}
"""Key → option, and what it takes."""
_ADVANCED: Final = (*HOW_FILES_ARE_WRITTEN, "login_customer_id")


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


def _constants(command: Any) -> Any:
    """Add the options for keys of the profile. The help of most is the question."""
    helps = {
        q.key: (q.text + f" Give {q.typed}." * bool(q.typed)).format(which="a sale")
        for q in QUESTIONS
    }
    helps |= {key: text for key, _, text in _MORE_OPTIONS}
    helps["value"] = f"Value of each sale, or {ACTION_DEFAULT}."
    for key, (option, metavar) in reversed(_OPTIONS.items()):
        cls = AdvancedOption if key in _ADVANCED else click.Option
        command = click.option(option, key, metavar=metavar, help=helps[key], cls=cls)(command)
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
@click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_pairs,
    metavar="FIELD=COLUMN",
    help="Column of a field; nothing after = if there is none. Can be repeated.",
)
@click.option(
    "--rows",
    multiple=True,
    callback=_pairs,
    metavar="COLUMN=VALUE",
    help="Rows that are sales; all if every row is one. Write ==VALUE for a value that only other "
    "files have. Can be repeated.",
)
@click.option(
    "--skip",
    multiple=True,
    callback=_pairs,
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
    document = _document(output)
    existing = _existing(document, name)
    profile = {
        **deepcopy(existing),
        **{key: given[key] for key in HOW_FILES_ARE_WRITTEN if given[key]},
    }
    try:
        draft = Draft(name, file, profile)
        if name in document:
            draft.answered.update(q.id for q in [*questions(draft)] if q.is_open(draft))
        _apply(draft, given)
        if yes:
            _save_unasked(draft, now)
        else:
            if name not in document:
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
            text += f" Name the encoding: --encoding {' or '.join(ENCODINGS)}."
        raise click.ClickException(text) from None
    changed = draft.document()
    document[name] = document[name] if changed == existing else changed
    with replacing(output) as stream:
        stream.write(f"{json.dumps(document, ensure_ascii=False, indent=2)}\n".encode())
    place = f"--profiles {in_shell(str(output))} --profile {in_shell(name)}"
    mention(
        f'Saved the profile "{name}" in {output}. To see each row of a file:\n'
        f"  {program_name()} check {place} {in_shell(str(file))}",
        err=False,
    )


# ── options ──────────────────────────────────────────────────────────────────────────────────


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
        names = {question.key: question.name for question in QUESTIONS}
        for key, written in _OPTIONS.items():
            option = written[0]
            if given[key] is not None:
                value = read_constant(key, given[key], draft.profile.get("destination"))
                draft.set_constant(key, value)
                draft.answered.add((names.get(key, key), None))
    except WrongAnswer as error:
        raise click.BadParameter(str(error), param_hint=option) from None


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


# ── the document of profiles ─────────────────────────────────────────────────────────────────


def _document(path: Path) -> dict[str, Any]:
    """Return the profiles that are there already."""
    if not path.exists():
        return {}
    content = path.read_bytes()
    if any(line.lstrip().startswith(b"//") for line in content.splitlines()):
        text = f"{path} has comments, which would be lost. Name another file, and copy from it."
        raise click.BadParameter(text, param_hint="--profiles")
    try:
        return read_profiles(content, str(path))
    except PermanentError as error:
        raise click.BadParameter(error.detail, param_hint="--profiles") from None


def _existing(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the profile of this name as it is written, or an empty one."""
    if not name or "/" in name:
        raise click.BadParameter("not the name of a folder.", param_hint="--profile")
    if name not in document:
        return {}
    try:
        profile = choose_profile(document, f"{name}/")
    except PermanentError as error:
        raise click.BadParameter(error.detail, param_hint="--profiles") from None
    if not profile.names_columns:
        text = (
            f'"{name}" names no columns: files of Google\'s templates need no init. Run check, and '
            "correct the profile by hand."
        )
        raise click.BadParameter(text, param_hint="--profile")
    return profile.document()
