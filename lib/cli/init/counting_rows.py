"""Which rows count, from the stages of deals and from columns of refunds and cancellations.

A refund adjusts its conversion, so a filter must not just drop its row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple

from lib.catalogue.texts import EMPTY, number_of_rows
from lib.cli.init.proposal import Choice, Entry, Given, Proposal, Question, merge
from lib.cli.init.sample import (
    Sample,
    SampleRow,
    amounts_of,
    begins_with,
    filled,
    is_nothing,
    is_sum,
    kind_of_cells,
)
from lib.rules.fields.languages import (
    CHANNEL_WORDS,
    ID_WORDS,
    KIND_WORDS,
    NAME_WORDS,
    NO_COUNTS_WORDS,
    PERSON_WORDS,
    words_of,
)
from lib.rules.roles import Candidate, candidates, names_stage
from lib.rules.row_filter import Condition, RowFilter
from lib.rules.stages import is_partial, is_stage_column, says_test, stage_of
from lib.rules.values.cells import RuleError
from lib.rules.values.enums import parse_consent
from lib.rules.values.order_ids import looks_personal
from lib.source.header import columns_named

_MOST_STAGES: Final = 40
"""A column with more different cells is no list of stages."""
_MOST_VALUES: Final = 10
_KEEPING: Final[tuple[Literal["include", "exclude"], ...]] = ("include", "exclude")
FILTERS: Final = (*_KEEPING, "refunds")
"""The keys of a profile that say which rows count, and as what."""
_CLEAR: Final = 4
"""Up to this rank, a column has words or a name that say whether a row counts."""
_FLAGS: Final = 6
"""Up to this rank, it is true or false."""
_MOST_COLUMNS: Final = 4
_MOST_FURTHER: Final = 12
_FEW_VALUES: Final = 12
_FEW: Final = 0.1
_MOST_OF_A_FLAG: Final = 2
_ON_HOLD: Final = ("on-hold", "on hold", "wc-on-hold")
"""Only WooCommerce has this status. There, `processing` and `completed` orders are paid."""
_REFUNDED: Final = ("refund", "erstatt", "rembours", "reembols", "rimbors", "terugbetaal", "estorn")
"""How words for refunds begin, in the languages of `lib.rules.stages`."""
_CANCELLED: Final = ("cancel", "stornier", "annul", "anula", "geannuleer")


@dataclass(frozen=True, slots=True)
class _Refunds:
    """The refunds in a sample: stages by column, and the column with the time of the refund.

    `why_not`: why the profile cannot have the key `refunds`.
    """

    stages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    time: int | None = None
    why_not: str = ""

    @property
    def are_sent(self) -> bool:
        """Whether the profile gets the key `refunds`."""
        return bool(self.stages) and not self.why_not

    @property
    def reason(self) -> str:
        """Why the profile has the key, or lacks it. The stages are no personal data."""
        stages = ", ".join(f'"{each}"' for values in self.stages.values() for each in values)
        if not self.why_not:
            return f"Rows with {stages} are refunds: they retract or restate their conversions."
        return f"Rows with {stages} are refunds, and are not sent: {self.why_not}."


class CountingRows(NamedTuple):
    """The keys of a profile that say which rows count, these rows of the sample, and the column
    with the time of a refund, if refunds are sent."""

    part: Proposal
    rows: Sequence[SampleRow]
    refund_time: int | None = None


Values = dict[str, list[str]]
"""Name of a column → some of its values."""


def find_counting_rows(sample: Sample, given: Given, *, can_retract: bool) -> CountingRows:
    """Return which rows count: by the words of the stages, or as a person says.

    `can_retract`: the destination can take refunds."""
    if sample.header.kind != "conversion":
        return CountingRows(Proposal(_given_entries(given)), sample.rows)
    deciding = _deciding_columns(sample)
    said = {name for key in FILTERS for name in given.values.get(key, ())}
    decisive = {sample.names[at] for at in (*deciding, *dict(_stages(sample)))}
    if given.values.get("actions") or not said.isdisjoint(decisive):
        entries = [*_given_entries(given), *_pinned(sample, deciding, given)]
        return CountingRows(Proposal(tuple(merge(entries))), _kept(sample, given.values))
    # What a person says about other columns, such as their value, leaves what the stages say.
    rows = _kept(sample, given.values)
    include: Values = {}
    filtered_by: list[int] = []
    reasons: list[str] = []
    for at, won in _stage_columns(sample):
        wanted = {each.casefold() for each in won}
        kept = [row for row in rows if row.cells[at].casefold() in wanted]
        has_other = any(stage_of(row.cells[at]) == "not_won" for row in rows)
        if kept and (not include or has_other):
            include[sample.names[at]] = won
            filtered_by.append(at)
            cells = (row.cells[at] for row in rows)
            others = [cell for cell in cells if cell.casefold() not in wanted]
            reasons.append(_on_stages(sample.names[at], others, len(rows)))
            rows = kept
    question = _question(sample, deciding, filtered_by, rows)
    is_left_open = "include" in given.left_out or (said and question and not question.is_needed)
    if question and not is_left_open:
        return CountingRows(Proposal(questions=(question,)), rows)
    excluded = None if include else _lost_stages(sample)
    refunds = _find_refunds(sample, rows, filtered_by, can_retract=can_retract)
    if excluded:
        column, lost = excluded
        rows = [row for row in rows if row.cells[column] not in lost]
    if refunds.stages and include and not refunds.are_sent:
        reasons.append(refunds.reason)
    entries = [*_given_entries(given)]
    entries += [Entry("include", include, "\n".join(reasons))] if include else []
    entries += _excluded(sample, excluded, refunds)
    if refunds.are_sent:
        entries.append(Entry("refunds", refunds.stages, refunds.reason))
    found = {"include": include, "exclude": {sample.names[excluded[0]]: 1} if excluded else {}}
    entries += _pinned(sample, deciding, Given(found))
    return CountingRows(Proposal(tuple(merge(entries))), rows, refunds.time)


def narrowed(
    sample: Sample, counting: CountingRows, columns: Mapping[str, int], given: Given
) -> CountingRows:
    """Return which rows count, without what was refunded or cancelled, without people who refused
    consent, and without sales of nothing unless a person wants them."""
    entries, questions = list(counting.part.entries), list(counting.part.questions)
    rows = counting.rows
    value = columns.get("conversion_value")
    for column, kept, reason in _undone(sample, rows, skips_refunds=counting.refund_time is None):
        name = sample.names[column]
        is_asked = any(name == each.column for q in questions for each in q.choices)
        if is_asked or any(name in given.values.get(key, ()) for key in FILTERS):
            continue
        if not _is_net(sample, rows, value, column):
            undone = [row.cells[column] for row in rows if not kept.keeps(row.cells[column])]
            if undone and not given.decides("include", name):
                questions.append(_question_about_undone(name, undone, kept))
            entries.append(Entry(kept.key, {name: kept.cells}, reason))
            rows = [row for row in rows if kept.keeps(row.cells[column])]
    # A file that names its conversion actions is made for Google, and is sent as it is.
    if "conversion_action" not in columns:
        at, refusals = _refusals(sample, rows, columns)
        if refusals and not _is_filtered(given, sample.names[at]):
            entries.append(_left_out(sample, rows, at, refusals, "of people who did not agree"))
            rows = [row for row in rows if row.cells[at] not in refusals]
        at, tests = _tests(sample, rows)
        is_decided = (
            _is_filtered(given, sample.names[at]) and sample.names[at] not in given.unchosen
        )
        if tests and not is_decided:
            questions.append(_question_about_tests(sample, rows, at, tests))
        zeros = _zeros(rows, value) if value is not None else []
        if value is not None and zeros and not _is_filtered(given, sample.names[value]):
            if given.decides("exclude", sample.names[value]):
                entries.append(_left_out(sample, rows, value, zeros, "of 0"))
                rows = [row for row in rows if row.cells[value] not in zeros]
            else:
                questions.append(_question_about_zeros(sample, rows, value, zeros))
    part = Proposal(tuple(merge(entries)), tuple(questions))
    return CountingRows(part, rows, counting.refund_time)


def _is_filtered(given: Given, name: str) -> bool:
    return any(name in given.values.get(key, ()) for key in _KEEPING)


def _left_out(
    sample: Sample, rows: Sequence[SampleRow], at: int, cells: Sequence[str], who: str
) -> Entry:
    name = sample.names[at]
    count = number_of_rows(sum(row.cells[at] in cells for row in rows))
    reason = f'"{name}": {count} {who} are not sent. --exclude changes it.'
    return Entry("exclude", {name: cells}, reason)


def _question_about_zeros(
    sample: Sample, rows: Sequence[SampleRow], at: int, zeros: Sequence[str]
) -> Question:
    name = sample.names[at]
    count = number_of_rows(sum(row.cells[at] in zeros for row in rows))
    return Question(
        key="exclude",
        where=name,
        text=f'{count} that count have the value 0 in "{name}". Are they sales?',
        option=f'--exclude "{name}={zeros[0]}", or --exclude "{name}" if they are',
        choices=(Choice("yes", []), Choice("no", zeros)),
        default="no",
        is_needed=False,
    )


def _question_about_tests(
    sample: Sample, rows: Sequence[SampleRow], at: int, tests: Sequence[str]
) -> Question:
    name = sample.names[at]
    count = sum(row.cells[at] in tests for row in rows)
    return Question(
        key="exclude",
        where=name,
        text=f'"{name}" speaks of a test in {count:,} of the rows that count, such as {tests[0]}. '
        "Are these sales?",
        option=f'--exclude "{name}={tests[0]}", or --exclude "{name}" if they are',
        choices=(Choice("yes", []), Choice("no", tests)),
        default="no" if count <= _FEW * len(rows) else "yes",
    )


class _Kept(NamedTuple):
    """The rows that were neither refunded nor cancelled, by the cells of a column."""

    key: Literal["include", "exclude"]
    cells: list[str]

    def keeps(self, cell: str) -> bool:
        return (cell in self.cells) == (self.key == "include")


def _question_about_undone(name: str, cells: Sequence[str], kept: _Kept) -> Question:
    by_cells = f'--{kept.key} "{name}={kept.cells[0]}"'
    return Question(
        key="include",
        where=name,
        text=f'{number_of_rows(len(cells))} that count have something in "{name}", such as '
        f"{cells[0]}. Are they sales?",
        option=f'{by_cells}, or --exclude "{name}" if they are',
        choices=(Choice("yes", []), Choice("no", cells)),
        default="no",
        is_needed=False,
        read=lambda choice: (
            {"exclude": {name: []}} if choice == "yes" else {kept.key: {name: kept.cells}}
        ),
    )


def _is_net(sample: Sample, rows: Sequence[SampleRow], value: int | None, refund: int) -> bool:
    """Return whether the value is what is left after the refund: another amount without it."""
    if value is None:
        return False
    cells = [row.cells for row in rows]
    refunds, rests = ([*amounts_of(cells, at)] for at in (refund, value))
    wholes = (amounts_of(cells, at) for at in range(len(sample.names)) if at != value)
    return any(refunds) and any(is_sum(whole, rests, refunds) for whole in wholes)


def _refusals(
    sample: Sample, rows: Sequence[SampleRow], columns: Mapping[str, int]
) -> tuple[int, list[str]]:
    """Return the column of consent, and its cells in rows of people who did not agree.

    If they refused in a column about another consent, such as marketing, an empty cell is none
    either: a box that nobody ticked."""
    at = columns.get("ad_user_data")
    if at is not None:
        return at, _denied(rows, at)
    cells = [row.cells for row in sample.rows]
    for each in candidates("consent", sample.names, cells, set(sample.header.fields.values())):
        at = each.column
        if sample.can_be_named(at) and all(map(_consent, filled(sample.rows, at))):
            values = dict.fromkeys(row.cells[at] for row in rows)
            refused = [cell for cell in values if _consent(cell) != "GRANTED"]
            return at, refused if _denied(rows, at) else []
    return 0, []


def _denied(rows: Sequence[SampleRow], at: int) -> list[str]:
    return [cell for cell in dict.fromkeys(filled(rows, at)) if _consent(cell) == "DENIED"]


def _consent(cell: str) -> str | None:
    try:
        return parse_consent(cell)
    except RuleError:
        return None


def _tests(sample: Sample, rows: Sequence[SampleRow]) -> tuple[int, list[str]]:
    """Return the cells with a word for tests, of the column that has them in most of the rows, and
    has the fewest others."""
    found = []
    for at in filter(sample.can_be_named, range(len(sample.names))):
        cells = Counter(row.cells[at] for row in rows)
        tests = [cell for cell in cells if says_test(cell)]
        if len(cells) > 1:
            found.append((sum(cells[each] for each in tests), -len(cells), at, tests))
    *_, column, tests = max(found, default=(0, 0, 0, []))
    return column, tests


def _zeros(rows: Sequence[SampleRow], at: int) -> list[str]:
    """Return the cells that are zero, if others are not."""
    cells = dict.fromkeys(filled(rows, at))
    zeros = [cell for cell in cells if is_nothing(cell)]
    return zeros if len(zeros) < len(cells) else []


# ── the columns that may decide, and the question about them ─────────────────────────────────────


def _deciding_columns(sample: Sample) -> list[int]:
    """Return the columns that may say whether a row counts, the clearest one first."""
    found = candidates(
        "counts", sample.names, [row.cells for row in sample.rows], sample.known_columns
    )
    usable = [each for each in found if sample.can_be_named(each.column) and _lists(sample, each)]
    # What marks refunds is asked about on its own, unless nothing else decides.
    usable = [each for each in usable if not _marks(sample, each.column)] or usable
    clear = [each.column for each in usable if each.rank <= _CLEAR]
    if not clear:
        clear = [each.column for each in usable if each.rank <= _FLAGS or _separates(sample, each)]
    return clear[:_MOST_COLUMNS]


def _further_columns(sample: Sample, deciding: Sequence[int]) -> list[int]:
    """Return the other columns with a few different values: first those named after stages, kinds
    or channels, then those with the fewest; of those that say the same in other words, one. Only
    their owner knows whether one decides, so she can choose too."""
    found = []
    for at in sample.free_columns():
        values = {row.cells[at] for row in sample.rows}
        is_few = 1 < len(values) <= min(_FEW_VALUES, len(sample.rows) // 2)
        is_text = kind_of_cells(sample.rows, at) is None or all(map(str.isdecimal, values))
        if at not in deciding and is_few and is_text and not _marks(sample, at):
            words = words_of(sample.names[at])
            may_divide = (
                names_stage(sample.names[at])
                or KIND_WORDS.match(words)
                or CHANNEL_WORDS.match(words)
            )
            if may_divide or not _is_about_people(sample, at):
                found.append((ID_WORDS.match(words), not may_divide, len(values), at))
    distinct: dict[tuple[int, ...], int] = {}
    for *_, at in sorted(found):
        first = {cell: row for row, cell in enumerate(row.cells[at] for row in sample.rows[::-1])}
        distinct.setdefault(tuple(first[row.cells[at]] for row in sample.rows), at)
    return list(distinct.values())[:_MOST_FURTHER]


def _lists(sample: Sample, candidate: Candidate) -> bool:
    """Return whether the cells of a column are words about sales, and neither amounts nor names of
    people or parcels."""
    at = candidate.column
    words = words_of(sample.names[at])
    is_named = NAME_WORDS.match(words) or _is_about_people(sample, at)
    is_about_others = NO_COUNTS_WORDS.match(words) or (
        is_named and not names_stage(sample.names[at])
    )
    return not is_about_others and kind_of_cells(sample.rows, at) is None


def _is_about_people(sample: Sample, at: int) -> bool:
    """Return whether a column has people, companies or places, and says nothing else of a row, as
    `Agent Disposition` or `New customer` do."""
    words = words_of(sample.names[at])
    if not PERSON_WORDS.match(words) or KIND_WORDS.match(words):
        return False
    values = {row.cells[at] for row in sample.rows if row.cells[at]}
    return len(values) > _MOST_OF_A_FLAG and not any(map(stage_of, values))


def _separates(sample: Sample, candidate: Candidate) -> bool:
    """Return whether another column is filled for some values of a column, and empty for others:
    only what was sold has a date of payment."""
    counts = Counter(row.cells[candidate.column] for row in sample.rows)
    for at in range(len(sample.names)):
        filled_rows = [row for row in sample.rows if row.cells[at]]
        if not _FEW < len(filled_rows) / len(sample.rows) < 1 - _FEW:
            continue
        found = Counter(row.cells[candidate.column] for row in filled_rows)
        shares = [found[value] / count for value, count in counts.items()]
        if all(each <= _FEW or each >= 1 - _FEW for each in shares):
            return True
    return False


def _question(
    sample: Sample, deciding: Sequence[int], filtered_by: Sequence[int], rows: Sequence[SampleRow]
) -> Question | None:
    """Return the question which values mean that a row is a sale, unless the words are clear: one
    column has stages, most of its rows are won or known, and no other column varies in them.

    If nothing looks as if it decides, only the further columns are asked about."""
    lines = {row.line for row in rows}
    others = [row for row in sample.rows if row.line not in lines]
    open_columns = [at for at in deciding if at not in filtered_by and _is_open(at, rows, others)]
    unknown = sum(_is_unknown(row.cells[at]) for at in filtered_by for row in others)
    is_known = bool(filtered_by) and unknown <= len(rows)
    is_vague = not filtered_by and not deciding
    if not open_columns and not (filtered_by and unknown) and not is_vague:
        return None
    further = _further_columns(sample, deciding)
    if is_vague and not further:
        return None
    is_clear = is_known and not any(_objects(sample, at, rows) for at in open_columns)
    shown = [*deciding, *further]
    choices = [
        Choice(value or EMPTY, value, number_of_rows(count), sample.names[at])
        for at in shown
        for value, count in Counter(row.cells[at] for row in sample.rows).most_common(_MOST_STAGES)
    ]
    question = Question(
        key="include",
        text="Which of these mean that a row is a sale? A column in which you choose nothing does "
        "not decide.",
        option="--include COLUMN=VALUE, or --exclude COLUMN if a column does not decide",
        choices=(*choices, Choice("all rows are sales", None, number_of_rows(len(sample.rows)))),
        takes_several=True,
        unlikely=frozenset(sample.names[at] for at in further if not is_vague),
        is_needed=not is_clear and not is_vague,
    )
    if is_vague:
        return replace(question, default=question.labels[-1])
    won = {(sample.names[at], row.cells[at]) for at in filtered_by for row in rows}
    labels = zip(question.labels, choices, strict=False)
    default = [label for label, each in labels if (each.column, each.value) in won]
    return replace(question, default=", ".join(default)) if is_clear else question


def _is_open(at: int, rows: Sequence[SampleRow], others: Sequence[SampleRow]) -> bool:
    """Return whether a column could divide the rows that count further. If no other row has their
    values, it only says the same in other words."""
    values = {row.cells[at] for row in rows}
    is_known = not others or not values.isdisjoint(row.cells[at] for row in others)
    return len(values) > 1 and is_known


def _objects(sample: Sample, at: int, rows: Sequence[SampleRow]) -> bool:
    """Return whether a column says that some of the rows are no sales, or has stages of its own."""
    cells = {row.cells[at] for row in rows}
    says_no = any(stage_of(cell) == "not_won" or says_test(cell) for cell in cells)
    return says_no or is_stage_column(sample.names[at])


def _pinned(sample: Sample, deciding: Sequence[int], said: Given) -> list[Entry]:
    """Return that the other columns, which look as if they decide, do not."""
    names = [sample.names[at] for at in deciding]
    keys = (*FILTERS, "actions")
    others = [name for name in names if not any(name in said.values.get(key, ()) for key in keys)]
    if not others:
        return []
    listed = ", ".join(f'"{each}"' for each in others)
    return [Entry("exclude", {each: [] for each in others}, f"{listed}: decides nothing.")]


def _given_entries(given: Given) -> tuple[Entry, ...]:
    """Return what a person has said. `actions` says itself which stages count."""
    by_action = given.values.get("actions", {})
    found = {
        key: {name: values for name, values in given.values[key].items() if name not in by_action}
        for key in FILTERS
        if key in given.values
    }
    return tuple(Entry(key, values, given.reason(key)) for key, values in found.items() if values)


def _find_refunds(
    sample: Sample, sales: Sequence[SampleRow], filtered_by: Iterable[int], *, can_retract: bool
) -> _Refunds:
    """Return the refunds. `filtered_by` are the columns by which the `sales` count."""
    found = {
        at: refunded
        for at, stages in _stages(sample)
        if (refunded := [each for each in stages if begins_with(each, _REFUNDED)])
    }
    if not found:
        return _Refunds()
    named = {sample.names[at]: values for at, values in found.items()}
    kinds = {
        at: kind_of_cells(sample.rows, at)
        for at in sample.free_columns()
        if begins_with(sample.names[at], _REFUNDED) and filled(sample.rows, at)
    }
    times = [at for at, kind in kinds.items() if kind == "date"]
    # An order that was refunded in part may keep the stage of a sale: only these columns tell.
    has_partial_stage = any(is_partial(each) for values in named.values() for each in values)
    tells_more = "amount" in kinds.values() and not has_partial_stage
    tells_more |= any(not is_nothing(row.cells[at]) for row in sales for at in kinds)
    if not can_retract:
        return _Refunds(named, why_not="the destination needs adjustments_via for them")
    if not times:
        return _Refunds(named, why_not="the file needs a column with the time of the refund")
    if tells_more:
        return _Refunds(
            named, why_not="orders that were refunded in part have no stage of their own"
        )
    if others := set(filtered_by) - found.keys():
        names = ", ".join(f'"{sample.names[at]}"' for at in sorted(others))
        return _Refunds(named, why_not=f"the filter on {names} would skip them")
    return _Refunds(named, times[0])


def _excluded(
    sample: Sample, excluded: tuple[int, list[str]] | None, refunds: _Refunds
) -> list[Entry]:
    """Return the key `exclude`, without the stages that are sent as refunds."""
    if not excluded:
        return []
    name, lost = sample.names[excluded[0]], excluded[1]
    sent = refunds.stages.get(name, ()) if refunds.are_sent else ()
    left = [each for each in lost if each not in sent]
    reason = "These values mean that a deal is open or lost. None in the sample means won."
    return [Entry("exclude", {name: left}, reason)] if left else []


def _on_stages(name: str, others: Sequence[str], rows: int) -> str:
    """Return the reason for a condition. `others` are the cells of the rows that do not count."""
    if not others:
        return f'"{name}": all rows have this value. Rows with another one would not count.'
    text = f'"{name}": {len(others):,} of {rows:,} rows have another value, so they do not count.'
    unknown = Counter(filter(_is_unknown, others))
    if not unknown:
        return text
    named = ", ".join(f'"{each}" ({count:,})' for each, count in unknown.most_common(_MOST_VALUES))
    return f"{text} Add those that are sales: {named}."


def _is_unknown(stage: str) -> bool:
    """Return whether nothing is known about a stage. It is named then: stages are not personal."""
    return bool(stage) and stage_of(stage) is None and not looks_personal(stage)


def _kept(sample: Sample, given: Mapping[str, Any]) -> Sequence[SampleRow]:
    """Apply a filter that a person gave. If its column does not exist, the check reports it."""
    rows = sample.rows
    stages = {name: list(values) for name, values in given.get("actions", {}).items()}
    given = {**given, "include": {**given.get("include", {}), **stages}}
    conditions = [
        Condition(name, columns[0], key, tuple(values))
        for key in _KEEPING
        for name, values in given.get(key, {}).items()
        if values and (columns := columns_named(name, sample.names))
    ]
    selected = RowFilter(conditions).select([(row.line, list(row.cells), None, 0) for row in rows])
    lines = {line for line, *_ in selected.rows}
    return [row for row in rows if row.line in lines]


def _stage_columns(sample: Sample) -> list[tuple[int, list[str]]]:
    """Return the columns with stages that mean won, and these stages, the clearest column first."""
    found = []
    for at, values in _stages(sample):
        won = [value for value in values if stage_of(value) == "won"]
        if any(value.casefold() in _ON_HOLD for value in values):
            won += [value for value in values if value.casefold() == "processing"]
        if won and len(won) <= _MOST_VALUES:
            spellings = {value.casefold(): value for value in reversed(won)}
            found.append((at, sorted(spellings.values(), key=won.index)))
    # With one value that means won, the column is the CRM's own status, not a pipeline's stage.
    return sorted(found, key=lambda each: (len(each[1]), each[0]))


def _lost_stages(sample: Sample) -> tuple[int, list[str]] | None:
    for at, values in _stages(sample):
        lost = [value for value in values if stage_of(value) == "not_won"]
        if lost and len(lost) <= _MOST_VALUES and len(lost) < len(values):
            return at, lost
    return None


def _stages(sample: Sample) -> Iterator[tuple[int, list[str]]]:
    """Yield the columns of stages with their different values, the most frequent ones first."""
    for at in sample.free_columns():
        if names_stage(sample.names[at]):
            counts = Counter(filled(sample.rows, at))
            if counts and len(counts) <= _MOST_STAGES:
                yield at, [value for value, _ in counts.most_common()]


def _marks(sample: Sample, at: int) -> list[str]:
    """Return the cells that mark some rows as refunded or cancelled: `Reembolso: Sim`."""
    if not begins_with(sample.names[at], (*_REFUNDED, *_CANCELLED)):
        return []
    cells = [row.cells[at] for row in sample.rows]
    if not all(_consent(cell) for cell in cells if cell):  # yes or no
        return []
    marked = [cell for cell in cells if _consent(cell) == "GRANTED"]
    # A tick in most rows says what may be refunded.
    return sorted(set(marked)) if 2 * len(marked) < len(cells) else []


def _undone(
    sample: Sample, rows: Sequence[SampleRow], *, skips_refunds: bool
) -> Iterator[tuple[int, _Kept, str]]:
    """Yield the columns with what was refunded or cancelled, which of their cells rows that count
    have (empty or zero) or lack (yes), and the reason. Columns of refunds are left out if refunds
    are sent."""
    both = ((_REFUNDED, ("amount", "date")), (_CANCELLED, ("date", "amount")))
    for stems, wanted in both if skips_refunds else both[1:]:
        columns = [
            (wanted.index(kind), len(sample.names[at]), at)
            for at in sample.free_columns()
            if begins_with(sample.names[at], stems)
            and (kind := kind_of_cells(sample.rows, at)) is not None
        ]
        if not columns:
            continue
        *_, at = min(columns)
        values = sorted({row.cells[at] for row in rows if is_nothing(row.cells[at])})
        if values and len(values) <= _MOST_VALUES:
            name = sample.names[at]
            reason = f'"{name}": in a row that counts, nothing is refunded or cancelled.'
            yield at, _Kept("include", values), reason
    for at in sample.free_columns():
        marks, name = _marks(sample, at), sample.names[at]
        if marks and (skips_refunds or begins_with(name, _CANCELLED)):
            reason = f'"{name}": rows with {", ".join(marks)} are no sales.'
            yield at, _Kept("exclude", marks), reason
