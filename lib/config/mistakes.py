"""Error messages for settings and profiles.

pydantic finds the errors, but its own messages are about types and patterns. The messages here say
what is wrong and what to write instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from lib.destinations import registry

FORMS = {
    "destination": " or ".join(registry.names()),
    "customer_id": "the 10 digits of a Google Ads account, such as 123-456-7890",
    "login_customer_id": "the 10 digits of a Google Ads account, such as 123-456-7890",
    "currency_code": "three capital letters, such as EUR",
    "phone_region": "two capital letters, such as DE",
    "GOOGLE_ADS_SECRET": "projects/PROJECT/secrets/NAME, with or without /versions/VERSION",
}
"""Field → the format that it requires."""

_WORDS = {
    "missing": "not set. Set it.",
    "string_type": "not text. Write it as text, in quotes.",
    "string_pattern_mismatch": "wrong format. Write {form}.",
    "string_too_short": "too few characters (minimum: {min_length}). Write a longer value.",
    "string_too_long": "too many characters (maximum: {max_length}). Write a shorter value.",
    "bool_type": "neither true nor false. Write true or false.",
    "bool_parsing": "neither true nor false. Write true or false.",
    "int_parsing": "not a whole number. Write a whole number.",
    "float_type": "not a number. Write a number.",
    "float_parsing": "not a number. Write a number.",
    "finite_number": "not a finite number. Write a number.",
    "greater_than": "too small. Write a number greater than {gt:g}.",
    "greater_than_equal": "too small. Write {ge:g} or more.",
    "less_than_equal": "too large. Write {le:g} or less.",
    "literal_error": "not an allowed value. Write {expected}.",
    "dict_type": 'not an object. Write {{"field": "column name"}}.',
    "model_type": 'not an object. Write {{"key": "value"}}.',
    "tuple_type": "not a list. Write [...].",
    "value_error": "{error}",
}
"""pydantic's type of error → our message. No message quotes the value, which may be a secret."""


def lines(
    error: ValidationError,
    model: type[BaseModel],
    *,
    shows_values: bool = False,
) -> list[str]:
    """One line per error in the values of a `model`: the field, then what is wrong and what to do.
    `shows_values`: with the value, which is no secret."""
    listed = []
    for problem in error.errors(include_url=False):
        message = _message(problem, model)
        if not problem["loc"]:  # a contradiction of several keys, which names them itself
            listed.append(message)
            continue
        value = problem["input"]
        is_shown = shows_values and isinstance(value, (str, int, float))
        shown = f"{json.dumps(value, ensure_ascii=False)}: " if is_shown else ""
        listed.append(f"{_path(problem['loc'])}: {shown}{message}")
    return listed


def _path(places: Sequence[str | int]) -> str:
    """Return where a value is: `conversions[1].columns.gclid`."""
    path = ""
    for place in places:
        path += f"[{place}]" if isinstance(place, int) else f".{place}"
    return path.removeprefix(".")


def _message(problem: Any, model: type[BaseModel]) -> str:
    """Return what is wrong with a value and what to write, without the name of its key."""
    name = str(problem["loc"][-1]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        if len(problem["loc"]) > 1:
            return "not known here. Remove it."
        return f"not a {model.__name__.lower()} key. {nearest(name, model.model_fields)}"
    if problem["type"] == "missing" and name in FORMS:
        return f"not set. Write {FORMS[name]}."
    words = _WORDS.get(problem["type"])
    if words is None:
        return str(problem["msg"])
    return words.format(**{"form": FORMS.get(name, "the right format"), **problem.get("ctx", {})})


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what to write instead of an unknown name."""
    near = get_close_matches(name.casefold(), known, 1)
    return f"Did you mean {near[0]}?" if near else "Remove it."
