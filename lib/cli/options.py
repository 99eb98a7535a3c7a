"""The option --now, which several commands have."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from lib.cli.terminal import AdvancedOption


def _parse_now(context: click.Context, option: click.Parameter, value: str | None) -> datetime:
    if value is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("not a time. Write it as 2026-11-24T18:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


now_option = click.option(
    "--now",
    cls=AdvancedOption,
    callback=_parse_now,
    metavar="TIME",
    help="Act as if it were this time: ISO 8601, in UTC unless it has an offset [default: now].",
)
