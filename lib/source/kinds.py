"""Recognizes files that contain other records than click conversions.

A retraction that is read as a conversion would count as a sale. So the kind of a file is
determined before anything is sent, from its header and its first rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from lib.model.fields import FileKind
from lib.source.errors import SourceError
from lib.source.visible_names import quoted
from lib.source.vocabulary import header_key


def columns_of_kind(
    header: Sequence[str],
    visible: Sequence[str],
    rows: Sequence[Sequence[str]],
    known: Collection[int],
    identifying: Collection[int],
    kind: FileKind,
    own_names: Collection[str] = (),
    of_clicks: Collection[int] = (),
) -> str:
    """Return the columns by which a file is of this kind, as they may be shown, or "".

    `visible` is the header without the names that may not be shown (`ColumnMap.visible`).
    `own_names` are the profile's names of columns that only this kind has.

    `known` are the columns that hold a field; `identifying` are those of them that identify a click
    or a person, `of_clicks` a click. Raises `SourceError` (MIXED_KINDS) if only some of the first
    `rows` are of it.

        columns that only this kind has    ──▶ rows that fill them ──┐
        cells that only this kind has, such as RETRACT, in any       ├──▶ all, some or no rows
        column without a meaning           ──▶ rows that have them ──┘
    """
    unknown = [at for at, name in enumerate(header) if name and at not in known]
    own = set(map(header_key, own_names))
    names = own.union(map(header_key, kind.headers))
    marks = [at for at in unknown if header_key(header[at]) in names]
    # With all columns of its own, a row is of this kind whoever the person is: beside the number of
    # a caller and the start of the call, an email address says nothing else.
    persons = of_clicks if len(marks) >= len(kind.fields) else identifying
    excluding = () if kind.may_have_click_id else set(persons).difference(marks)
    identifying = set(identifying).difference(marks)
    # One such column beside a click ID can have another meaning.
    is_certain = (
        len(marks) > 1 or not identifying or any(header_key(header[at]) in own for at in marks)
    )
    is_its_header = bool(marks) and is_certain
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
    if not any(of_kind) and (excluding or not is_its_header):
        return ""
    columns = ", ".join(
        quoted(header if at in marks else visible, at) for at in sorted({*marks, *worded})
    )
    if of_kind and not all(of_kind):
        raise SourceError("MIXED_KINDS", f"columns: {columns}")
    return columns


def _any_filled(row: Sequence[str], columns: Iterable[int]) -> bool:
    return any(row[at].strip() for at in columns)


def _word(cell: str) -> str:
    return cell.strip().upper()
