"""Notes on a file as a whole that need the file at hand: `check` and `init` show them.

These are mistakes after which a row goes out as if it were right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from lib.catalogue.texts import number_of
from lib.model.outcomes import Problem, RowOutcome
from lib.model.records import Conversion, Record, Row
from lib.run.plan import Plan

_FEWEST_ROWS: Final = 10
_MAX_SHARE_OF_ONE: Final = 0.8
"""What is in a larger share of the rows is no buyer's: it is the shop's, or a salesperson's."""
_MAX_PEOPLE: Final = 10_000
"""So many are counted at a time: of more, the rarest are forgotten. Whoever is in most rows stays,
and a file of any length needs the same memory."""
_OF_OTHERS: Final = re.compile(
    r"fb\.\d\.|IwAR|IwY2|IwZX|PAAa|PAZX"  # Meta
    r"|E\.C\.P\."  # TikTok
    r"|[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$"  # Microsoft
)


def is_of_other_network(click_id: str) -> bool:
    """Return whether a click ID is that of an ad network other than Google's."""
    return bool(_OF_OTHERS.match(click_id.strip()))


class FileNotes:
    """Looks at the rows of a file, chunk by chunk. It keeps digests and counts alone.

    Only click IDs are also looked at in rows that would be rejected: those of another network may
    be why. A skipped row is nobody's sale, so it does not matter what is in it.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._people: dict[str, Counter[str]] = {"email": Counter(), "phone": Counter()}
        self._worthless = 0
        self._clicks = 0
        self._foreign: Counter[str] = Counter()

    def add(
        self,
        plan: Plan,
        rows: Sequence[Row],
        listed: Sequence[RowOutcome],
        records: Mapping[int, Record],
    ) -> None:
        """Look at the rows of a chunk, at their outcomes, and at the records that would be sent, by
        line."""
        worthless = set()
        for line, record in records.items():
            if isinstance(record, Conversion):
                self._rows += 1
                if record.value == 0:
                    worthless.add(line)
                self._people["email"].update(record.hashed_emails)
                self._people["phone"].update(record.hashed_phones)
        for field, people in self._people.items():
            if len(people) > _MAX_PEOPLE:
                self._people[field] = Counter(dict(people.most_common(_MAX_PEOPLE // 10)))
        places = [plan.places[column] for column in plan.header.columns_of("conversion_value")]
        # If the cell is empty, it is the profile that says 0.
        self._worthless += sum(
            any(cells[place].strip() for place in places)
            for line, cells, *_ in rows
            if line in worthless
        )
        meant = {*records, *(row.line for row in listed if row.outcome != "skipped")}
        of_meant = [cells for line, cells, problem, _ in rows if line in meant and not problem]
        for column in plan.header.columns_of("gclid"):
            place = plan.places[column]
            texts = [cells[place].strip() for cells in of_meant]
            self._clicks += sum(map(bool, texts))
            self._foreign[plan.header.names["gclid"]] += sum(map(is_of_other_network, texts))

    def found(self) -> Sequence[Problem]:
        """Return what looks wrong."""
        notes = []
        for field, people in self._people.items():
            most = max(people.values(), default=0)
            if self._rows >= _FEWEST_ROWS and most >= _MAX_SHARE_OF_ONE * self._rows:
                detail = f"{field}: {most:,} of {self._rows:,} rows"
                notes.append(Problem("SAME_PERSON", "", detail))
        if self._worthless:
            notes.append(Problem("ZERO_VALUES", "", number_of(self._worthless, "sale")))
        for name, count in self._foreign.items():
            if count:
                notes.append(
                    Problem("FOREIGN_CLICK_IDS", "", f"{name}: {count:,} of {self._clicks:,}")
                )
        return notes
