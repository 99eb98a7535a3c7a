"""HTML pages that work alone: no request to anywhere, and a policy that forbids any.

A page has its style and its script in itself. Its policy (CSP) allows exactly these two, by their
hash. So a name that looks like HTML is harmless twice over: jinja2 escapes it, and no browser would
run it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lib.catalogue.texts import dashed, first_sentence, number_of, number_of_rows
from lib.results.sentences import money

_FOLDER: Final = Path(__file__).parent / "templates"
_STORAGE_PAGES: Final = "https://storage.cloud.google.com/"
_BACKTICKS: Final = re.compile("`([^`]+)`")


def render(template: str, **content: Any) -> str:
    """Return the page that a template makes of its content. Everything in it is escaped."""
    return TEMPLATES.get_template(template).render(content)


def bucket_address(bucket: str, name: str) -> str:
    """Return the address at which a person who may read the bucket opens an object."""
    return f"{_STORAGE_PAGES}{quote(bucket)}/{quote(name)}"


def copy_command(address: str) -> str:
    """Return the command for an object whose `bucket_address` answers 403, as it does where Data
    Access logs are on: `gcloud storage cp gs://out/a.json .`"""
    path = unquote(address.removeprefix(_STORAGE_PAGES))
    return f"gcloud storage cp {shlex.quote(f'gs://{path}')} ."


def share_of(count: int, total: int) -> str:
    """`98.3 %`, never `100 %` for less than everything, nor `0 %` for more than nothing."""
    share = count * 100 / total
    if share < 0.1:
        return "< 0.1 %"
    return f"{100 if count == total else min(round(share, 1), 99.9):g} %"


def long_time(text: str) -> str:
    """`2026-11-24T12:00:04+00:00` → `24 November 2026, 12:00 UTC`: all our times are in UTC."""
    moment = datetime.fromisoformat(text)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _without_underscores(name: str) -> str:
    """`not_attempted` → `not attempted`."""
    return name.replace("_", " ")


def _with_code(text: str) -> Markup:
    """Escape a text, and show what is between its backticks as code."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
"""The templates, and what they use besides their content."""
TEMPLATES.filters |= {
    "account": dashed,
    "copy_command": copy_command,
    "first_sentence": first_sentence,
    "hash": _hash,
    "long_time": long_time,
    "money": money,
    "number": "{:,}".format,
    "with_code": _with_code,
    "words": _without_underscores,
}
TEMPLATES.globals |= {
    "number_of": number_of,
    "number_of_rows": number_of_rows,
    "share_of": share_of,
    # Both are files of this folder, so they are no markup of a stranger.
    "style": Markup((_FOLDER / "page.css").read_text("utf-8")),
    "script": Markup((_FOLDER / "page.js").read_text("utf-8")),
}
