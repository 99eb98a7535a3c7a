"""Recognizes files that contain other records than click conversions.

A retraction that is read as a conversion would count as a sale. So the kind of a file is
determined before anything is sent, from its header and its first rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from lib.model.fields import FileKind
from lib.source.columns import quoted
from lib.source.errors import SourceError
from lib.source.vocabulary import header_key


def refuse_other_kind(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    known: Collection[int],
    identifying: Collection[int],
    kind: FileKind,
) -> None:
    """Raise `SourceError` if the file, or a part of its first `rows`, is of another kind.

    `known` are the columns that hold a field; `identifying` are those of them that identify a click
    or a person. The code is `kind.code`, or MIXED_KINDS if only some of the rows are of this kind.

        columns that only this kind has    ──▶ rows that fill them ──┐
        cells that only this kind has, such as RETRACT, in any       ├──▶ all, some or no rows
        column without a meaning           ──▶ rows that have them ──┘
    """
    unknown = [at for at, name in enumerate(header) if name and at not in known]
    names = set(map(header_key, kind.headers))
    marks = [at for at in unknown if header_key(header[at]) in names]
    excluding = () if kind.may_have_click_id else identifying
    # One such column beside a click ID can have another meaning.
    is_its_header = bool(marks) and (len(marks) > 1 or not identifying)
    worded = (
        [at for at in unknown if any(_word(row[at]) in kind.words for row in rows)]
        if kind.words
        else []
    )
    of_kind = [
        (is_its_header and _any_filled(row, marks) and not _any_filled(row, excluding))
        or any(_word(row[at]) in kind.words for at in worded)
        for row in rows
    ]
    if any(of_kind) or (is_its_header and not excluding):
        columns = ", ".join(quoted(header, at) for at in sorted({*marks, *worded}))
        raise SourceError(
            "MIXED_KINDS" if of_kind and not all(of_kind) else kind.code, f"columns: {columns}"
        )


def _any_filled(row: Sequence[str], columns: Iterable[int]) -> bool:
    return any(row[at].strip() for at in columns)


def _word(cell: str) -> str:
    return cell.strip().upper()
