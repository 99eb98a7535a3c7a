"""The first rows of a file, and what a person has said → a profile with its reasons, and questions.

Which rows count is found first, then which column holds what. The other keys follow from how the
cells of these rows are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from tzlocal import get_localzone_name

from lib.cli.init.columns import find_columns
from lib.cli.init.counting_rows import FILTERS, find_counting_rows, narrowed
from lib.cli.init.countries import currency_code, phone_region, time_zone
from lib.cli.init.proposal import OPTIONS, Choice, Entry, Given, Proposal, Question, merge, question
from lib.cli.init.sample import Basis, Sample
from lib.cli.init.stage_actions import stages_of
from lib.config.profile import Profile
from lib.destinations import registry
from lib.errors import PermanentError
from lib.model.account import action_id_in
from lib.model.fields import ADDRESS_FIELDS, base_name
from lib.model.money import MICROS, amount
from lib.rules.fields import BY_NAME
from lib.rules.roles import fields_of
from lib.rules.values.cells import RuleError
from lib.rules.values.conversion_clock import MAX_AGE_DAYS
from lib.rules.values.dates import read_moment
from lib.rules.values.money import parse_value
from lib.run.plan import row_filter_of
from lib.run.reading import read_header, read_roles_of
from lib.source.errors import SourceError

_FIRST: Final = ("destination", "customer_id", "conversion_action", "include", "actions")
"""What is asked before everything else, in this order."""
_ORDER: Final = (
    *("destination", "customer_id", "login_customer_id", "conversion_action", "time_zone"),
    *("currency_code", "phone_region", "ad_user_data", "day_first", "decimal_comma", "encoding"),
    *("delimiter", "sheet", "header_row", "headers", *FILTERS, "actions"),
)

_SOON: Final = timedelta(days=1)
"""Clocks and time zones differ by less. A later time is in the future."""
_COUNTED_FOR: Final = timedelta(days=MAX_AGE_DAYS)
_LINES_NAMED: Final = 5


def local_zone() -> str:
    """Return the time zone of this computer: an IANA name; UTC if it has none."""
    return get_localzone_name() or "UTC"


def propose(sample: Sample, given: Given, now: datetime, local_zone: str) -> Proposal:
    """Return the profile for files like this one. Its questions are in the order in which they are
    asked: those that are needed come first."""
    destination = given.values.get("destination")
    can_retract = destination is None or registry.capabilities_of(destination).retracts
    counting = find_counting_rows(sample, given, can_retract=can_retract)
    columns, headers_part = find_columns(sample, counting.rows, given, now, counting.refund_time)
    filter_part, rows, _ = narrowed(sample, counting, columns, given)
    stages_part = stages_of(sample, given, columns)
    filters = filter_part.values().keys()
    basis = Basis(sample, rows, columns, now, local_zone, dict(given.values), filters)

    def inferred(*keys: str) -> Iterator[Proposal]:
        for key in keys:
            if not given.decides(key):
                part = _KEYS[key](basis)
                basis.known.update(part.values())
                yield part

    first = ("destination", "customer_id", "conversion_action")
    parts = [
        *inferred(*(first[:2] if given.values.get("actions") else first)),
        filter_part,
        stages_part,
        headers_part,
        *inferred("time_zone", "day_first", "decimal_comma", "encoding", "header_row"),
        *inferred("phone_region", "currency_code"),
    ]
    entries = [entry for part in parts for entry in part.entries]
    entries += [
        Entry(
            key,
            value,
            _reason(key, given, columns, local_zone),
            # It decides about money or time.
            is_assumed=key in given.by_default and key != "destination",
        )
        for key, value in given.values.items()
        if key not in ("headers", "actions", *FILTERS)
        and not (key == "conversion_action" and given.values.get("actions"))
    ]
    entries = sorted(merge(entries), key=lambda entry: _ORDER.index(entry.key))
    questions = [each for part in parts for each in part.questions]
    # On the rows that count depends everything else.
    questions.sort(key=_urgency)
    proposal = Proposal(tuple(entries), tuple(questions))
    return proposal if questions else _without_objections(sample, proposal)


def _urgency(question: Question) -> int:
    if question.key in _FIRST:
        return _FIRST.index(question.key)
    return len(_FIRST) + (not question.is_needed)


def _without_objections(sample: Sample, proposal: Proposal) -> Proposal:
    """Return the profile with an answer for each column to whose role a run would object."""
    profile = Profile.model_validate(proposal.values())
    try:
        header = read_header(sample.table, profile)
        row_filter = row_filter_of(sample.names, header, profile)
    except (SourceError, PermanentError):
        return proposal  # the check says what is wrong
    if header.kind != "conversion" or "conversion_date_time" not in header.fields:
        return proposal
    reading = read_roles_of(sample.table, header, profile, row_filter)
    entries = list(proposal.entries)
    for role, found in reading.items():
        for rival in found.rivals:
            name = sample.names[rival.column]
            if role == "counts":
                entries.append(Entry("exclude", {name: []}, f'"{name}": decides nothing.'))
                continue
            chosen = [sample.names[found.chosen.column]] if found.chosen else []
            held = fields_of(role)[0].name
            entries.append(Entry("headers", {held: chosen}, f'{held}: and not "{name}".'))
    merged = sorted(merge(entries), key=lambda entry: _ORDER.index(entry.key))
    return Proposal(tuple(merged))


def _reason(key: str, given: Given, columns: Mapping[str, int], local_zone: str) -> str:
    reason = given.reason(key)
    if key == "time_zone" and key in given.by_default:
        whose = "of this computer" if given.values[key] == local_zone else "for the file's country"
        return f"The default {whose}; {OPTIONS[key]} changes it."
    if key != "destination":
        return reason
    if key in given.by_default:
        is_open = registry.capabilities_of(given.values[key]).open_if == ""
        whom = "open to every account" if is_open else "not open to accounts that are new to it"
        reason = f"The default, {whom}; {OPTIONS[key]} changes it."
    return " ".join([reason, *_extras(given.values[key], columns)])


def _destination(basis: Basis) -> Proposal:
    """Return the API that can send the file, or a question if there are several: is the one open
    that is not open to everybody? Only that one sends refunds, and knows the names of actions."""
    able = [name for name in registry.names() if _can_send(name, basis)]
    if len(able) == 1:
        title = registry.capabilities_of(able[0]).title
        reason = f"Only the {title} can find a click, person or conversion by this file."
        return Proposal((Entry("destination", able[0], reason),))
    asked = {name: registry.capabilities_of(name).open_if for name in registry.names()}
    first = next(name for name, text in asked.items() if text)
    other = next(name for name, text in asked.items() if not text)
    action = str(basis.known.get("conversion_action", "0"))
    return question(
        "destination",
        f"{asked[first]} If you are not sure: no",
        choices=(Choice("yes", first), Choice("no", other)),
        default="no",
        is_needed=False,
        changes_what_is_sent="refunds" in basis.filters or action_id_in(action) is None,
    )


def _can_send(name: str, basis: Basis) -> bool:
    """Return whether a destination can send the columns by which Google finds a click or person."""
    can = registry.capabilities_of(name).of_kind(basis.sample.header.kind)
    if can is None or (can.restates_with_original and "conversion_date_time" not in basis.columns):
        return False
    bases = {base_name(field) for field in basis.columns} & can.fields.keys()
    if not bases.issuperset(ADDRESS_FIELDS):
        bases.difference_update(ADDRESS_FIELDS)
    return not can.identifying.isdisjoint(BY_NAME[base].target or base for base in bases)


def _extras(name: str, columns: Mapping[str, int]) -> Iterator[str]:
    """Yield what the file has that only other APIs can send."""
    known = registry.capabilities_of(name).fields
    for other in registry.names():
        fields = registry.capabilities_of(other).fields
        extra = [field for field in columns if field in fields and field not in known]
        if not columns.keys() >= set(ADDRESS_FIELDS):
            extra = [field for field in extra if field not in ADDRESS_FIELDS]
        if extra:
            yield f"{other} would also send {', '.join(extra)}."


def _customer_id(basis: Basis) -> Proposal:
    return question(
        "customer_id",
        "Google Ads account that receives the conversions",
        allowed="its number, such as 123-456-7890",
    )


def _conversion_action(basis: Basis) -> Proposal:
    if "conversion_action" in basis.columns:
        return Proposal()
    destination = basis.known.get("destination")
    text = "Conversion action: its name in Google Ads, or its ID"
    if destination and not registry.capabilities_of(destination).has_preflight:
        text = "Conversion action: its ID, the number after ctId= in its address in Google Ads"
    return question("conversion_action", text, allowed="its name or its ID")


def _encoding(basis: Basis) -> Proposal:
    table = basis.sample.table
    if "encoding" not in basis.sample.found and not table.text.encoding_guessed:
        return Proposal()
    reason = "The file does not state its encoding; its letters make sense with this one."
    return Proposal((Entry("encoding", table.text.encoding, reason),))


def _header_row(basis: Basis) -> Proposal:
    line = basis.sample.found.get("header_row")
    if line is None:
        return Proposal()
    reason = "The column names are in this line, and other lines are above it."
    return Proposal((Entry("header_row", line, reason),))


class _Evidence(NamedTuple):
    """What the cells show about two ways to read them: the lines of the cells that can be read only
    in the first way, only in the second, and in both with two meanings."""

    first: list[int]
    second: list[int]
    both: list[int]

    def proposal(self, key: str, what: str) -> Proposal | None:
        """Return the value of a key that says whether the second way is right: that of most cells
        (each is a `what`), or none if none speaks for the second way. None: the cells do not tell.
        """
        is_second = len(self.second) > len(self.first)
        if not self.second and (self.first or not self.both):
            return Proposal()
        if len(self.first) == len(self.second):
            return None
        lines, others = self.first, self.second
        if is_second:
            lines, others = others, lines
        return Proposal((Entry(key, is_second, self._why(lines, others, what)),))

    def _why(self, lines: Sequence[int], others: Sequence[int], what: str) -> str:
        """Return why the cells in these `lines` decide, and what happens to the others."""
        if not others:
            return f"The {what} in line {lines[0]} decides it."
        both = len(lines) + len(others)
        text = f"{len(lines):,} of {both:,} {what}s are only valid in this way. "
        listed = ", ".join(map(str, others[:_LINES_NAMED]))
        dots = ", ..." if len(others) > _LINES_NAMED else ""
        return f"{text}The others are rejected: line{'s'[: len(others) > 1]} {listed}{dots}."


def _evidence(read: Iterable[tuple[int, float | None, float | None]]) -> _Evidence:
    """Return the evidence of cells: their lines, and what they mean in both ways."""
    found = _Evidence([], [], [])
    for line, one, other in read:
        if one is None and other is None:
            continue
        if other is None:
            found.first.append(line)
        elif one is None:
            found.second.append(line)
        elif one != other:
            found.both.append(line)
    return found


def _day_first(basis: Basis) -> Proposal:
    """Return the order of day and month: most of the days over 12 decide."""
    times = basis.time_column
    if times is None:
        return Proposal()
    cells = [(row.line, row.cells[times]) for row in basis.sample.rows if row.cells[times]]
    evidence = _evidence((line, _moment(cell, False), _moment(cell, True)) for line, cell in cells)
    if (decided := evidence.proposal("day_first", "date")) is not None:
        return decided
    first, latest = ((basis.now + each).timestamp() for each in (-_COUNTED_FOR, _SOON))
    recent = {
        order: sum(first <= (_moment(cell, order) or 0) <= latest for _, cell in cells)
        for order in (False, True)
    }
    is_likely = recent[True] - recent[False] or basis.sample.table.delimiter == ";"
    example = next(cell for line, cell in cells if line == [*evidence.both, *evidence.first][0])
    return question(
        "day_first",
        f"Do the dates begin with the day? All can be read in both ways, such as {example}",
        choices=(Choice("yes", True), Choice("no", False)),
        default="yes" if is_likely > 0 else "no",
    )


def _moment(cell: str, day_first: bool) -> float | None:
    """Return the moment in Unix seconds; None: not readable in this order."""
    try:
        return read_moment(cell, UTC, day_first=day_first).instant
    except RuleError:
        return None


def _decimal_comma(basis: Basis) -> Proposal:
    """Return the decimal sign: most of the values such as 1,5 decide. Numbers of a workbook have
    none: a person has typed only its texts."""
    is_adjustment = basis.sample.header.kind == "adjustment"
    values = basis.columns.get("adjusted_value" if is_adjustment else "conversion_value")
    if values is None:
        return Proposal()
    cells = [
        (row.line, row.cells[values])
        for row in basis.sample.rows
        if row.cells[values] and values not in row.numbers
    ]
    evidence = _evidence((line, _amount(cell, False), _amount(cell, True)) for line, cell in cells)
    if (decided := evidence.proposal("decimal_comma", "value")) is not None:
        return decided
    example = next(cell for line, cell in cells if line == [*evidence.both, *evidence.second][0])
    meant = round((_amount(example, True) or 0) * MICROS)
    return question(
        "decimal_comma",
        f"Is the comma the decimal sign in the values, so that {example} is "
        f"{amount(meant, always_cents=True)}?",
        choices=(Choice("yes", True), Choice("no", False)),
        default="yes" if basis.sample.table.delimiter == ";" else "no",
    )


def _amount(cell: str, decimal_comma: bool) -> float | None:
    """Return the amount; None: not readable with this decimal sign."""
    try:
        return parse_value(cell, decimal_comma)
    except RuleError:
        return None


_KEYS: Final[Mapping[str, Callable[[Basis], Proposal]]] = {
    "destination": _destination,
    "customer_id": _customer_id,
    "conversion_action": _conversion_action,
    "time_zone": time_zone,
    "day_first": _day_first,
    "decimal_comma": _decimal_comma,
    "currency_code": currency_code,
    "encoding": _encoding,
    "header_row": _header_row,
    "phone_region": phone_region,
}
"""Key of a profile → what the file shows of it, unless a person has decided on it."""
