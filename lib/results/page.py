"""HTML pages that work alone: no request to anywhere, and a policy that forbids any.

A page has its style and its script in itself. Its policy (CSP) allows exactly these two, by their
hash. So a name that looks like HTML is harmless twice over: jinja2 escapes it, and no browser would
run it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from lib.catalogue.texts import number_of, number_of_rows
from lib.model.money import ACCOUNT_CURRENCY, Sum, amount, most_frequent_first

_TEMPLATES = Path(__file__).parent / "templates"
_BACKTICKS = re.compile("`([^`]+)`")


def render(template: str, **content: Any) -> str:
    """Return the page that a template makes of its content. Everything in it is escaped."""
    return _template(template).render(content)


def bucket_address(bucket: str, name: str) -> str:
    """Return the address at which a person who may read the bucket opens an object."""
    return f"https://storage.cloud.google.com/{quote(bucket)}/{quote(name)}"


def share_of(count: int, total: int) -> str:
    """`99.9 %`, never `100 %` for less than everything, nor `0 %` for more than nothing."""
    if not count:
        return "0 %"
    if count == total:
        return "100 %"
    share = count * 100 / total
    if share < 0.1:
        return "< 0.1 %"
    return f"{min(share, 99.9):.1f} %" if share < 1 or share > 99 else f"{share:.0f} %"


def long_time(text: str | None) -> str:
    """`2026-11-24T12:00:04+00:00` → `24 November 2026, 12:00 UTC`; anything else as it is."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return text or ""
    offset = moment.utcoffset()
    zone = moment.strftime("%z") if offset else "UTC"
    return f"{moment.day} {moment.strftime('%B %Y, %H:%M')} {zone}"


def pretty_name(destination: str) -> str:
    """`some_api` → `Some Api`."""
    return destination.replace("_", " ").title()


def money(sums: Mapping[str, Sum], most: int = 3) -> str:
    """`16,100 USD, 12.50 EUR and 2 more currencies`: the currency of most rows comes first."""
    texts = [
        f"{amount(each.micros)}\u00a0{currency or f'({ACCOUNT_CURRENCY})'}"
        for currency, each in most_frequent_first(sums).items()
    ]
    more = len(texts) - most
    rest = f" and {more} more currenc{'y' if more == 1 else 'ies'}" if more > 0 else ""
    return ", ".join(texts[:most]) + rest


def _number(value: int) -> str:
    return f"{value:,}"


def _with_code(text: str) -> Markup:
    """Escape a text, and show what is between its backticks as code."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))


@functools.cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"long_time": long_time, "number": _number, "pretty_name": pretty_name}
    environment.filters["with_code"] = _with_code
    style = _read("page.css")
    script = _read("page.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    # Both are files of this folder, so they are no markup of a stranger.
    environment.globals |= {"style": Markup(style), "script": Markup(script), "policy": policy}
    environment.globals |= {"number_of": number_of, "number_of_rows": number_of_rows}
    return environment.get_template(name)


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
