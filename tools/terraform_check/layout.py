"""The layout of `terraform fmt`: indents and aligned equals signs.

Follows `formatIndent` and `formatCells` of https://github.com/hashicorp/hcl/blob/main/hclwrite/format.go.
Inside an expression, only double spaces are checked, because other mistakes are rare there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_DOUBLE_SPACE = re.compile(r"(?<=\S) {2,}(?=\S)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its indent, split at the first `=` whose value ends on the line."""

    lead: str
    assigned: str
    comment: str
    brackets: int


def canonical(text: str) -> str:
    """The file as `terraform fmt` writes it. Heredocs are not supported (terraform/ has none)."""
    lines = [_cut(raw.strip()) for raw in text.splitlines()]
    indents = list(_indents(lines))
    widths = _aligned([len(line.lead) if line.assigned else None for line in lines])
    bodies = [
        f"{line.lead:<{width}} {line.assigned}" if line.assigned else line.lead
        for line, width in zip(lines, widths, strict=True)
    ]
    whole = [" " * indent + body for indent, body in zip(indents, bodies, strict=True)]
    ends = _aligned(
        [
            len(body) if line.comment and line.lead else None
            for line, body in zip(lines, whole, strict=True)
        ]
    )
    return "".join(
        (f"{body:<{end}} {line.comment}" if line.lead else body + line.comment).rstrip() + "\n"
        for line, body, end in zip(lines, whole, ends, strict=True)
    )


def problems(name: str, text: str) -> list[str]:
    """`file:line: the expected text` for each line that is not canonical."""
    wanted = canonical(text)
    if text == wanted:
        return []
    pairs = zip(text.splitlines(), wanted.splitlines(), strict=True)
    found = [
        f"{name}:{number}: layout: should be {right!r}"
        for number, (is_, right) in enumerate(pairs, 1)
        if is_ != right
    ]
    return found or [f"{name}: layout: wrong line endings, or a wrong end of the file"]


def _cut(raw: str) -> Line:
    """Split a stripped line into lead, assignment and comment; strings are not split."""
    brackets = 0
    equals = comment_at = -1
    for at, char in _code(raw):
        if char == "#" or raw.startswith("//", at):
            comment_at = at
            break
        if char in "([{":
            brackets += 1
        elif char in ")]}":
            brackets -= 1
        elif (
            char == "="
            and equals < 0
            and at > 0
            and raw[at + 1 : at + 2] not in ("=", ">")
            and raw[at - 1] not in "=!<>"
        ):
            equals, before = at, brackets
    comment = raw[comment_at:] if comment_at >= 0 else ""
    code = raw[:comment_at].rstrip() if comment_at >= 0 else raw
    code = _single_spaces(code)
    if equals >= 0:
        equals = next(at for at, char in _code(code) if char == "=")
        if brackets == before:
            return Line(code[:equals].rstrip(), code[equals:], comment, brackets)
        code = f"{code[:equals].rstrip()} {code[equals:]}"
    return Line(code, "", comment, brackets)


def _code(raw: str) -> Iterator[tuple[int, str]]:
    """The characters outside of strings. `${}` in a string counts as part of the string."""
    depth = 0  # of ${ in a string
    quoted: list[int] = []
    at = 0
    while at < len(raw):
        char = raw[at]
        if quoted and depth == quoted[-1]:
            if char == "\\":
                at += 1
            elif raw.startswith(("${", "%{"), at) and raw[at - 1] != char:
                depth += 1
                at += 1
            elif char == '"':
                quoted.pop()
        elif char == '"':
            quoted.append(depth)
        elif quoted and char == "}":
            depth -= 1
        elif quoted and char == "{":
            depth += 1
        elif not quoted:
            yield at, char
        at += 1


def _single_spaces(code: str) -> str:
    outside = {at for at, _ in _code(code)}
    return _DOUBLE_SPACE.sub(lambda m: " " if m.start() in outside else m.group(), code)


def _indents(lines: list[Line]) -> Iterator[int]:
    """Spaces before each line: two for each earlier line with more open than closed brackets."""
    open_: list[int] = []
    for line in lines:
        if line.brackets < 0:
            closed = -line.brackets
            while closed > 0 and open_:
                if closed < open_[-1]:
                    open_[-1] -= closed
                    break
                closed -= open_.pop()
        yield 2 * len(open_) if line.lead or line.comment else 0
        if line.brackets > 0:
            open_.append(line.brackets)


def _aligned(widths: list[int | None]) -> list[int]:
    """For each line, the largest width of its chain; a None ends a chain."""
    result = [0] * len(widths)
    start = 0
    for at in range(len(widths) + 1):
        if at == len(widths) or widths[at] is None:
            chain = [width for width in widths[start:at] if width is not None]
            result[start:at] = [max(chain, default=0)] * len(chain)
            start = at + 1
    return result
