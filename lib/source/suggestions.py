"""The field that was probably meant by a misspelled name.

rapidfuzz is imported with the first name that is unknown: most files have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LETTERS_PER_TYPO: Final = 5
_LETTERS_PER_TYPO_OF_ALIAS: Final = 7
"""Most unknown columns are spelled correctly and hold no field of ours: "Stage" is not a misspelled
"State"."""

_MOST_TYPOS: Final = 2
"""Letters that are wrong, missing or added; two letters in the wrong order count once."""

_LIKENESS_IN_PROFILE: Final = 60.0
"""Percent. Every key under `headers` is meant to be a field, so a distant one helps too."""


def corrected(key: str, names: Sequence[str], aliases: Sequence[str]) -> str | None:
    """Return the name or alias that is misspelled as `key`, compared as a whole, or None.

    All of them are header keys (`lib.source.vocabulary.header_key`).
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    near = [
        process.extractOne(
            key,
            known,
            scorer=OSA.distance,
            score_cutoff=min(_MOST_TYPOS, len(key) // letters_per_typo),
        )
        for known, letters_per_typo in (
            (names, _LETTERS_PER_TYPO),
            (aliases, _LETTERS_PER_TYPO_OF_ALIAS),
        )
    ]
    nearest = min((found for found in near if found), key=lambda found: found[1], default=None)
    return None if nearest is None else str(nearest[0])


def closest(name: str, names: Sequence[str]) -> str | None:
    """Return the one of `names` that a profile probably means by `name`, or None."""
    from rapidfuzz import fuzz, process

    found = process.extractOne(name, names, scorer=fuzz.ratio, score_cutoff=_LIKENESS_IN_PROFILE)
    return str(found[0]) if found else None
