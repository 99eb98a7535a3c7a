"""Click IDs: the gclid, gbraid and wbraid columns → the one click ID that each row sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lib.rules.chunk_cells import ChunkCells
from lib.rules.conversion_actions import ActionRule
from lib.rules.plain_text import plain_text
from lib.rules.row_problems import RowProblems
from lib.rules.values.cells import RuleError
from lib.rules.values.click_ids import SHORTEST, check_click_id, is_plain_click_id

CLICK_IDS: Final = ("gclid", "gbraid", "wbraid")


def read_and_choose(
    chunk: ChunkCells, actions: Sequence[ActionRule], problems: RowProblems
) -> tuple[list[str], list[str], list[str]]:
    """Return the gclid, gbraid and wbraid of each row. At most one of them is not ""."""
    gclids, gbraids, wbraids = (
        read_click_ids(chunk.column(field), field, problems) for field in CLICK_IDS
    )
    choose_click_ids(gclids, gbraids, wbraids, actions, problems)
    return gclids, gbraids, wbraids


def read_click_ids(cells: Sequence[str], field: str, problems: RowProblems) -> list[str]:
    """Return the click ID in each cell, or "" if there is no usable one."""
    if not any(cells):
        return list(cells)
    click_ids = []
    for row, cell in enumerate(cells):
        if cell and not is_plain_click_id(cell):
            cell = plain_text(cell, field, problems.with_placeholders) or ""
            try:
                cell = check_click_id(cell, field) if cell else ""
            except RuleError as error:
                problems.warn(row, error.code, field)
                cell = ""
            if cell and len(cell) < SHORTEST:
                problems.warn(row, "CLICK_ID_TOO_SHORT", field)
        click_ids.append(cell)
    return click_ids


def choose_click_ids(
    gclids: list[str],
    gbraids: list[str],
    wbraids: list[str],
    actions: Sequence[ActionRule],
    problems: RowProblems,
) -> None:
    """Keep only one click ID in each row: gclid, otherwise gbraid, otherwise wbraid.

    Google refuses a gbraid together with a wbraid (GBRAID_WBRAID_BOTH_SET), and refuses either
    of them for an action that counts one conversion per click. A gclid together with one of them is
    not documented. The row may still have an email address or a phone number, so only the click ID
    is left out.
    """
    if not (any(gbraids) or any(wbraids)):
        return
    for row, (gbraid, wbraid) in enumerate(zip(gbraids, wbraids, strict=True)):
        if not (gbraid or wbraid):
            continue
        column = "gbraid" if gbraid else "wbraid"
        if gclids[row]:
            problems.warn(row, "GCLID_AND_BRAID", column)
            gbraids[row] = wbraids[row] = ""
        elif actions[row].one_per_click:
            problems.warn(row, "BRAID_ON_ONE_PER_CLICK", column)
            gbraids[row] = wbraids[row] = ""
        elif gbraid and wbraid:
            problems.warn(row, "BOTH_BRAIDS", "wbraid")
            wbraids[row] = ""
