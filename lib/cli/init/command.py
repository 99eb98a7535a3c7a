"""`init FILE`: asks, shows everything, and writes a profile for files like this one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
from pydantic import ValidationError

from lib.catalogue.texts import number_of_rows
from lib.cli.escaping import in_shell, on_terminal
from lib.cli.files import replacing
from lib.cli.init.answers import Answers, refuse_action
from lib.cli.init.asking import EndOfInput, Offer, ask, choose, near_value, say
from lib.cli.init.constants import CONSTANTS, read_constant
from lib.cli.init.look import Column, Sample, WrongAnswer, nearest, read_sample
from lib.cli.init.questions import is_open, questions
from lib.cli.init.review import show
from lib.cli.init.trial import Trial, try_out
from lib.cli.options import now_option
from lib.cli.terminal import AdvancedOption, TaughtCommand, mention, program_name
from lib.config import messages
from lib.config.profile import Profile, choose_profile, read_profiles
from lib.destinations import registry
from lib.errors import PermanentError
from lib.model.fields import comparable
from lib.rules.fields import field_named
from lib.rules.rows import ANY_OTHER
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

_READING: Final = ("encoding", "delimiter", "sheet")
_ENCODINGS: Final = {
    "windows-1252": "Western Europe",
    "windows-1250": "Central Europe",
    "windows-1251": "Cyrillic",
    "shift_jis": "Japan",
    "gb18030": "China",
    "cp850": "old programs in Western Europe",
}
"""What spreadsheets and shops write besides Unicode, and where."""


def _pairs(
    context: click.Context, option: click.Parameter, value: Sequence[str]
) -> list[tuple[str, str]]:
    """`Stage=Closed Won` → ("Stage", "Closed Won")."""
    pairs = []
    for text in value:
        name, equals, rest = text.partition("=")
        if not equals and (option.name, comparable(text)) != ("rows", "all"):
            raise click.BadParameter(f"write it as {option.make_metavar(context)}.")
        pairs.append((name.strip(), rest.strip()))
    return pairs


def _constants(command: Any) -> Any:
    for key, constant in reversed([*CONSTANTS.items()]):
        option, metavar = constant.option.split()
        cls = AdvancedOption if key in (*_READING, "login_customer_id") else click.Option
        command = click.option(option, key, metavar=metavar, help=constant.help, cls=cls)(command)
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
    help="Rows that are sales; all if every row is one. Can be repeated.",
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
    written = _existing(document, name)
    written |= {key: given[key] for key in _READING if given[key]}
    sample = _sample(file, written, may_ask=not yes)
    answers = Answers(sample, written)
    if name in document:
        _know_all(answers)
    _apply(answers, given)
    title = f'Profile "{name}" for {on_terminal(file.name)}'
    if yes:
        trial = _unasked(file, answers, now)
        show(title, [*questions(answers)], answers, trial)
    elif not _asked(file, answers, now, title):
        say("Nothing was saved.")
        return
    _save(output, document, name, answers.profile)
    place = f"--profiles {in_shell(str(output))} --profile {in_shell(name)}"
    mention(
        f'Saved the profile "{name}" in {output}. To see each row of a file:\n'
        f"  {program_name()} check {place} {in_shell(str(file))}",
        err=False,
    )


def _sample(file: Path, written: dict[str, Any], *, may_ask: bool) -> Sample:
    """Read the first rows. If the file does not state its encoding, ask for it, and keep it."""

    def read() -> Sample:
        return read_sample(file, {key: written[key] for key in _READING if key in written})

    try:
        sample = read()
        if not sample.is_guessed:
            return sample
        if not may_ask:
            raise EndOfInput
        written["encoding"] = choose(
            "The file does not say how its letters are stored. In which encoding are they?",
            [Offer(name, name, where) for name, where in _ENCODINGS.items()],
            partial(read_constant, "encoding"),
            "its name",
        )
        return read()
    except SourceError as error:
        text = f"{file}: {error.detail or error.code}."
        hint = f" Name the encoding: --encoding {' or '.join(_ENCODINGS)}."
        raise click.ClickException(text + hint * ("decoded" in text)) from None
    except EndOfInput:
        raise _lacks(["--encoding NAME, such as windows-1252"]) from None


# ── options ──────────────────────────────────────────────────────────────────────────────────


def _apply(answers: Answers, given: Mapping[str, Any]) -> None:
    """Take the options as answers. Raises `click.BadParameter` for one that is refused."""
    option = ""
    try:
        option = "--column"
        for field, column in given["columns"]:
            answers.set_column(field, answers.sample.column(column) if column else None)
            answers.answered.add(field)
        option = "--rows"
        if given["rows"]:
            rows = _by_column(answers, [pair for pair in given["rows"] if pair != ("all", "")])
            answers.profile.pop("conversions", None)
            if rows:
                answers.profile["conversions"] = [{"rows": rows}]
            answers.answered.add("rows")
        option = "--skip"
        for column, values in _by_column(answers, given["skip"]).items():
            answers.skip(column, values)
            answers.answered.add("left_out")
        for key, constant in CONSTANTS.items():
            option, _ = constant.option.split()
            if given[key] is not None:
                answers.set_constant(key, read_constant(key, given[key]))
                answers.answered.add("conversion_value" if key == "value" else key)
        option = "--action"
        if given["action"] is not None:
            refuse_action(answers.profile.get("destination"), given["action"])
    except WrongAnswer as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _by_column(answers: Answers, pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the values of each column. Raises `WrongAnswer` for a value that looks misspelled."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        column = answers.sample.column(name)
        known = [each for each, _ in column.values()]
        is_known = comparable(value) in map(comparable, known) or value == ANY_OTHER
        if not is_known and (nearest(value, known) or column.name not in found):
            raise WrongAnswer(f'No row has "{value}" under "{name}".{near_value(value, known)}')
        found.setdefault(column.name, []).append(value)
    return found


# ── with and without somebody who answers ────────────────────────────────────────────────────


def _asked(file: Path, answers: Answers, now: datetime, title: str) -> bool:
    """Ask what is open, and show everything, until somebody saves or ends. Return whether to save.

    Raises `click.UsageError` if the input ends before.
    """
    try:
        while True:
            while question := next((q for q in questions(answers) if is_open(q, answers)), None):
                question.ask(answers)
                answers.answered.add(question.key)
            trial = _trial(file, answers, now)
            listed = [*questions(answers)]
            show(title, listed, answers, trial)
            chosen = ask(
                "\nA number changes an answer, s saves, q ends without saving",
                partial(_choice, most=len(listed)),
            )
            if chosen == "q":
                return False
            if chosen != "s":
                listed[int(chosen) - 1].ask(answers)
                answers.answered.add(listed[int(chosen) - 1].key)
            elif isinstance(trial, Trial) and trial.stop is None:
                return True
            else:
                say("It cannot be saved yet: the file would be stopped.")
    except EndOfInput:
        if missing := _missing(answers):
            raise _lacks(missing) from None
        raise click.UsageError("Nobody answers. Add --yes to save.") from None


def _choice(text: str, most: int) -> str:
    answer = text.lower()
    if answer in ("s", "q") or (answer.isdecimal() and 1 <= int(answer) <= most):
        return answer
    raise WrongAnswer(f"Answer with a number from 1 to {most}, s or q.")


def _missing(answers: Answers) -> list[str]:
    """Return the options of the open questions. One that needs none is answered with "none"."""
    return [each.option for each in questions(answers) if each.option and is_open(each, answers)]


def _lacks(missing: Sequence[str]) -> click.UsageError:
    listed = "".join(f"\n  {option}" for option in missing)
    return click.UsageError(f"Nobody answers, and these options are missing:{listed}")


def _unasked(file: Path, answers: Answers, now: datetime) -> Trial:
    """Return what the options amount to. Raises `click.UsageError` if they are not enough."""
    if missing := _missing(answers):
        raise _lacks(missing)
    trial = _trial(file, answers, now)
    if isinstance(trial, str):
        raise click.UsageError(trial)
    if trial.stop is not None:
        raise click.ClickException(f"The file would be stopped: {trial.stop.detail}.")
    left = trial.refused.get(("rejected", "NO_ENTRY_FITS"))
    if left is not None:
        names = {name for entry in answers.entries for name in entry.get("rows", {})}
        options = " or ".join(f'--skip "{on_terminal(name)}=VALUE"' for name in names)
        lines = ", ".join(map(str, left.lines))
        raise click.UsageError(
            f"{number_of_rows(left.rows)} (lines {lines}) fit neither --rows nor --skip. Add "
            f"{options} for each value that is left out."
        )
    return trial


def _trial(file: Path, answers: Answers, now: datetime) -> Trial | str:
    """Return what a run would do, or why the answers are no profile."""
    answers.send_corrections()
    try:
        return try_out(file, Profile.model_validate(answers.profile), now)
    except ValidationError as error:
        return "\n".join(messages.lines(error, Profile))


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
        return choose_profile(document, f"{name}/").document()
    except PermanentError as error:
        raise click.BadParameter(error.detail, param_hint="--profiles") from None


def _know_all(answers: Answers) -> None:
    """Take an existing profile as the answers to all questions."""
    if not Profile.model_validate(answers.profile).names_columns:
        named: list[tuple[str, Column]] = [
            (field, column)
            for column in answers.sample.columns
            if (field := field_named(column.name)) is not None
        ]
        answers.profile["columns"] = {field: column.name for field, column in named}
    answers.answered.update(question.key for question in questions(answers))


def _save(path: Path, document: dict[str, Any], name: str, profile: Mapping[str, Any]) -> None:
    """Write the document with the profile, its keys in the order of the docs."""
    ordered = {key: profile[key] for key in Profile.model_fields if key in profile}
    text = json.dumps({**document, name: ordered}, ensure_ascii=False, indent=2)
    with replacing(path) as stream:
        stream.write(f"{text}\n".encode())
