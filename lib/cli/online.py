"""Google from the command line: the sandbox of this folder, or a real account.

Only `--online` gets here, and a real account is opened only by `--credentials`. Google's client
libraries are imported here, because the installed command does without them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click
import msgspec

from lib.config.settings import Settings, SettingsError, endpoint_variables, variable_of

if TYPE_CHECKING:
    from lib.destinations.connections import Destinations

_SANDBOX: Final = Path(".sandbox/current.json")
"""Where `python -m sandbox up` says how it is used (docs/sandbox.md)."""

_UNUSED: Final = {"INPUT_BUCKET": "unused-input", "OUTPUT_BUCKET": "unused-output"}


def _not_empty(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Refuse a variable of a script that is not set: it would mean the sandbox."""
    if value == "":
        raise click.BadParameter("it is empty. Write the name of a file or of a secret.")
    return value


credentials_option = click.option(
    "--credentials",
    metavar="FILE",
    callback=_not_empty,
    help="With --online: the google-ads.yaml of a real account, or its secret "
    "(projects/PROJECT/secrets/NAME) [default: the sandbox that runs in this folder].",
)


class Online(NamedTuple):
    """The connections, and where they lead to. `profiles`: the file with those of the sandbox."""

    destinations: Destinations
    place: str
    profiles: str = ""


def go_online(credentials: str | None) -> Online:
    """Return the connections; none is made yet. Errors are those of a command (exit code 1)."""
    if credentials is None:
        environment = _sandbox_here()
        # Google's client libraries find the local Google by these. Each reads them only once.
        os.environ.update(environment)
        place = "the local sandbox of this folder, which only plays Google"
    else:
        is_secret = credentials.startswith("projects/")
        if not is_secret:
            _refuse_unreadable(credentials)
        key = variable_of("credentials_secret" if is_secret else "credentials_path")
        kept = {*endpoint_variables().values(), "SECRET_MANAGER_ENDPOINT"} & os.environ.keys()
        environment = {**_UNUSED, key: credentials, **{each: os.environ[each] for each in kept}}
        place = "Google"
    try:
        settings = Settings.from_environment(environment)
        from lib.adapters.logging import quiet_libraries
        from lib.adapters.secrets import has_login, read_credentials
        from lib.destinations.connections import Destinations
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    except ImportError:
        raise click.ClickException(
            "--online needs Google's client libraries. In a clone of this project's repository, "
            "run `make demo` once, and then `.venv/bin/python -m lib` instead of this command."
        ) from None
    quiet_libraries()
    if credentials is not None and _needs_login(credentials) and not has_login():
        raise click.ClickException(
            "This computer has no application default credentials. Run `gcloud auth "
            "application-default login`; to try what the function itself may do, add "
            "--impersonate-service-account=ADDRESS (docs/deploy.md)."
        )
    destinations = Destinations(settings, lambda: read_credentials(settings))
    return Online(destinations, place, "" if credentials else settings.profiles)


def _refuse_unreadable(path: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        text = f"{path}: {error.strerror or 'cannot be read'}"
        raise click.BadParameter(text, param_hint="--credentials") from None


def _needs_login(credentials: str) -> bool:
    """Return whether a secret or a google-ads.yaml uses the login of this computer."""
    if credentials.startswith("projects/"):
        return True
    text = Path(credentials).read_text("utf-8", "replace")
    wanted = "^use_application_default_credentials: *[\"']?true"
    return re.search(wanted, text, re.M | re.I) is not None


class _Current(msgspec.Struct):
    """What this reads of `.sandbox/current.json`."""

    env: dict[str, str]


def _sandbox_here() -> dict[str, str]:
    try:
        return msgspec.json.decode(_SANDBOX.read_bytes(), type=_Current).env
    except (OSError, ValueError, msgspec.MsgspecError):
        raise click.ClickException(
            "No sandbox runs in this folder. Start one with `python -m sandbox up` in another "
            "terminal, or add --credentials to use a real account."
        ) from None
