"""Mistakes in settings and profiles, in words that their author can act on.

pydantic finds them; its own phrases are about types and patterns.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

FORMS = {
    "customer_id": "the digits of a Google Ads account, such as 123-456-7890",
    "login_customer_id": "the digits of a Google Ads account, such as 123-456-7890",
    "currency_code": "three capital letters, such as EUR",
    "phone_region": "two capital letters, such as DE",
    "google_ads_secret": "projects/PROJECT/secrets/NAME, or that and /versions/VERSION",
    "announce_topic": "projects/PROJECT/topics/NAME",
}
"""Fields with a pattern → what it asks for."""

_WORDS = {
    "missing": "must be set",
    "string_type": "must be text",
    "string_pattern_mismatch": "must be {form}",
    "string_too_short": "must have {min_length} or more characters",
    "string_too_long": "must have no more characters than {max_length}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than_equal": "must be {le:g} or less",
    "literal_error": "must be {expected}",
    "dict_type": "must be an object: {{...}}",
    "tuple_type": "must be a name, or a list of names",
    "value_error": "{error}",
}
"""pydantic's kinds of errors → our words. None of them holds the value: it might be a secret."""


def lines(
    error: ValidationError, model: type[BaseModel], spell: Callable[[str], str] = str
) -> list[str]:
    """One line per problem of a `model`: which setting, as `spell` writes it, and what is wrong."""
    return [
        f"{'.'.join(spell(str(part)) for part in problem['loc'])}: {_said(problem, model)}"
        for problem in error.errors(include_input=False, include_url=False)
    ]


def _said(problem: Any, model: type[BaseModel]) -> str:
    name = str(problem["loc"][-1]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(name.casefold(), model.model_fields, 1)
        if not near:
            return f"not a key of a {model.__name__.lower()} (docs/profiles.md names them)"
        return f"not a key of a {model.__name__.lower()}; did you mean {near[0]}?"
    words = _WORDS.get(problem["type"])
    if words is None:
        return str(problem["msg"])
    return words.format(**{"form": FORMS.get(name, "written otherwise"), **problem.get("ctx", {})})
