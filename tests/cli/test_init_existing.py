"""`init FILE` with a profile that is there already: an edit is an edit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from lib.cli.commands import main
from lib.cli.header_words import DECIDES, likely_successor
from lib.cli.init.document import Document, NotSaved, changes
from lib.cli.init.rows import Decider, are_fates, conditions_of, read_deciders
from tests.cli.person import Person

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = {  # google.json has no columns
    "hubspot": "hubspot_deals.csv",
    "lead_stages": "lead_stages.csv",
    "pipedrive": "pipedrive_deals_de.csv",
    "salesforce": "salesforce_report.csv",
    "paypal": "paypal_activity.csv",
    "shop_de": "semicolon_decimal_comma.csv",
    "shop_refunds": "shop_refunds.csv",
    "shopify": "shopify_orders.csv",
    "stripe": "stripe_payments.csv",
    "woocommerce": "woocommerce_orders.csv",
    "xero": "xero_invoices.csv",
    "zoho": "zoho_deals.csv",
}
EXPORTS = [each.parent.name for each in REPOSITORY.glob("tests/exports/*/profile.json")]
SALES = """\
Stage,Time,Other time,Amount,Code,Order,Mail,Kind
Won,2026-11-20 10:00:00,2026-11-19 09:00:00,1999.50,EUR,1001,ann@example.com,New
Won,2026-11-20 11:00:00,2026-11-19 08:00:00,5050.50,EUR,1002,bob@example.com,New
Lead,2026-11-20 12:00:00,2026-11-19 07:00:00,-5050.50,EUR,1003,cy@example.com,New
"""
GOOGLE = {"destination": "google_ads", "customer_id": "1234567890"}
PROFILE: dict[str, Any] = {
    **GOOGLE,
    "expect": "any time",
    "action": "Sale",
    "columns": {
        "conversion_date_time": "Time",
        "conversion_value": "Amount",
        "order_id": "Order",
        "email": "Mail",
    },
    "conversions": [{"rows": {"Stage": ["Won"]}}],
    "skip": {"Stage": ["Lead", "Renewal"]},
    "currency_code": "EUR",
    "time_zone": "UTC",
    "ad_user_data": "GRANTED",
}


def reopen(folder: Path, content: str = SALES, **keys: Any) -> Person:
    """Open the page for this file, with the profile in the document."""
    profile = {key: value for key, value in {**PROFILE, **keys}.items() if value is not None}
    (folder / "profiles.json").write_text(json.dumps({"default": profile}), "utf-8")
    (folder / "deals.csv").write_text(content, "utf-8")
    return Person(folder / "deals.csv", folder / "profiles.json")


NOTHING: tuple[list[str], list[str]] = ([], [])


def differences(person: Person) -> tuple[list[str], list[str]]:
    """What the page says it would change."""
    return changes(person.session.document.written_profile or {}, person.session.draft.document())


def suggestions(person: Person) -> dict[str, str]:
    """What the page suggests for each column."""
    return {row.name: row.suggestion for row in person.page.columns if row.suggestion}


def _played(kind: str, name: str) -> tuple[Path, Path, str]:
    if kind == "examples":
        folder = REPOSITORY / "examples"
        return folder / "profiles" / f"{name}.json", folder / EXAMPLES[name], name
    export = REPOSITORY / "tests/exports" / name
    (data,) = (each for each in export.iterdir() if each.suffix != ".json")
    return export / "profile.json", data, ""


@pytest.mark.parametrize(
    "kind, name", [*(("examples", n) for n in EXAMPLES), *(("exports", n) for n in sorted(EXPORTS))]
)
def test_a_profile_that_nobody_changes_stays_as_it_is(kind: str, name: str, tmp_path: Path) -> None:
    """Nothing is missing, the page names no change, and the document stays byte for byte."""
    path, data, key = _played(kind, name)
    document = json.loads(path.read_text("utf-8"))
    if not key:
        document, key = {"export": document}, "export"
    written = json.dumps(document, indent=1)
    (tmp_path / "profiles.json").write_text(written, "utf-8")
    person = Person(data, tmp_path / "profiles.json", key)
    person.press("q.expect.text", person.page.controls["q.expect.text"].value)
    assert (person.open(), differences(person)) == ([], NOTHING)
    assert not person.page.draft.by_hand
    person.save()
    assert (tmp_path / "profiles.json").read_text("utf-8") == written


def test_any_value_that_the_profile_leaves_out_is_shown_as_left_out(tmp_path: Path) -> None:
    """Rows with an empty cell are sent, and those with a filled one are not."""
    filled = "Kind\nWon,2026-11-20 10:00:00,2026-11-19 09:00:00,1,EUR,1000,dee@example.com,\n"
    person = reopen(tmp_path, SALES.replace("Kind\n", filled), skip={"Kind": ["*"]})
    control = person.value("Kind", "any other value")
    assert control.value == "out"
    assert "sent" not in {offer.value for offer in control.options}
    assert differences(person) == NOTHING


def test_another_api_sends_its_refunds_itself(tmp_path: Path) -> None:
    """The profile would be wrong if it named a second API for them."""
    person = reopen(tmp_path, destination="data_manager", adjustments_via="google_ads", action="1")
    assert differences(person) == NOTHING
    person.answer("destination", "Google Ads API")
    assert "adjustments_via" not in person.save()


def test_values_that_this_file_lacks_stay(tmp_path: Path) -> None:
    """A new stage is one answer, and last week's stages keep theirs."""
    person = reopen(tmp_path, SALES.replace("cy@", "cy@").replace("Lead", "Won (self-serve)"))
    assert person.open() == ["“Stage”: 1 to decide"]
    (rows,) = person.page.deciders.values()
    assert [(row.text, row.rows, row.control.is_open) for row in rows] == [
        ("Won (self-serve)", 1, True),
        ("Won", 2, False),
        ("Lead", 0, False),
        ("Renewal", 0, False),
        ("any other value", 0, False),
    ]
    person.decide("Stage", **{"Won (self-serve)": "a sale"})
    assert differences(person) == ([], ["entry, 1, rows, Stage: Won (self-serve)"])
    profile = person.save()
    assert profile["conversions"] == [{"rows": {"Stage": ["Won", "Won (self-serve)"]}}]
    assert profile["skip"] == {"Stage": ["Lead", "Renewal"]}


def test_a_renamed_column_is_one_more_name(tmp_path: Path) -> None:
    """Last week's file goes on, and so does what was answered about its cells."""
    person = reopen(tmp_path, SALES.replace("Amount", "Deal value"), decimal_sign=".")
    assert person.open() == ["“Amount” is gone"]
    assert "q.conversion_value" not in person.page.controls
    assert suggestions(person)["Deal value"] == "conversion_value"
    person.mean("Deal value", "conversion_value")
    assert differences(person) == ([], ["columns, value of the sale: Deal value"])
    profile = person.save()
    assert profile["columns"]["conversion_value"] == ["Amount", "Deal value"]
    assert profile["decimal_sign"] == "."
    assert reopen(tmp_path, SALES, columns=profile["columns"]).open() == []


def test_a_longer_name_is_likelier_than_a_similar_one(tmp_path: Path) -> None:
    """ "Subtotal" would take the tax off each value, and an empty column has none."""
    content = SALES.replace("Amount", "Subtotal,Sale Amount,Amount Due")
    rows = content.splitlines()
    at = rows[0].split(",").index("Subtotal")
    for number, line in enumerate(rows[1:], 1):
        cells = line.split(",")
        rows[number] = ",".join([*cells[: at + 1], cells[at], "", *cells[at + 1 :]])
    person = reopen(tmp_path, "\n".join(rows), decimal_sign=".")
    assert suggestions(person)["Sale Amount"] == "conversion_value"


@pytest.mark.parametrize(
    "old, meaning, names, successor",
    [
        ("Amount", "conversion_value", ["Amount (incl. GST)", "Deal Value"], "Deal Value"),
        ("Amount", "conversion_value", ["Sale Amount", "Deal Value"], ""),
        ("Total", "conversion_value", ["Subtotal", "Total TTC", "Brutto Total"], ""),
        ("Total TTC", "conversion_value", ["Total", "Order Total TTC"], "Order Total TTC"),
        ("金額（税抜）", "conversion_value", ["税抜金額", "金額（税込）"], ""),
        ("Close Date", "conversion_date_time", ["Create Date", "Won Date"], "Won Date"),
        ("Create Date", "conversion_date_time", ["Creation Date", "Close Date"], "Creation Date"),
        ("Deal Stage", DECIDES, ["Deal Name", "Deal Status"], "Deal Status"),
        ("Deal Stage", DECIDES, ["Pipeline", "Deal Status"], ""),
        ("Buchungsnr.", "order_id", ["Buchungs-Nr.", "Kunde"], "Buchungs-Nr."),
    ],
)
def test_a_successor_is_the_only_one_that_can_be_it(
    old: str, meaning: str, names: list[str], successor: str
) -> None:
    """By its name, or else by similar letters. A word of tax makes it another amount."""
    assert likely_successor([old], meaning, names) == successor


def test_a_column_that_nothing_replaces_can_be_given_up(tmp_path: Path) -> None:
    """The address of the deal's owner is not that of the customer, and the page says what else can
    be chosen. It suggests no column that decides as long as several can be the one that is gone."""
    header, *rows = SALES.splitlines()
    rows = [f"{row},me@example.com,{kind}" for row in rows for kind in ("Deal", "Demo") * 2]
    person = reopen(
        tmp_path,
        "\n".join([f"{header.replace('Stage', 'Status')},Owner Email,Type", *rows]),
        columns={**PROFILE["columns"], "email_2": "Secondary Email"},
    )
    assert person.open()[:2] == ["“Secondary Email” is gone", "“Stage” is gone"]
    assert suggestions(person) == {}
    assert "or “not used any more”" in person.html


def test_a_column_whose_name_is_there_twice_now_is_replaced(tmp_path: Path) -> None:
    """Its name goes: a file that has it twice would be stopped."""
    header, *rows = SALES.splitlines()
    rows = [f"{row},me@example.com,{number}@example.com" for number, row in enumerate(rows)]
    person = reopen(tmp_path, "\n".join([f"{header},Mail,Work", *rows]))
    assert person.open() == ["“Mail” is repeated"]
    person.mean("Work", "email")
    assert person.save()["columns"]["email"] == "Work"


def test_a_renamed_column_that_decides_replaces_the_old_name(tmp_path: Path) -> None:
    """Its values keep their answers. The page says that older files are stopped."""
    person = reopen(tmp_path, SALES.replace("Stage", "Status"))
    assert "files with this one are stopped from then on" in person.html
    assert suggestions(person)["Status"] == "decides"
    person.mean("Status", "decides")
    profile = person.save()
    assert profile["conversions"] == [{"rows": {"Status": ["Won"]}}]
    assert profile["skip"] == {"Status": ["Lead", "Renewal"]}


def test_a_column_that_is_gone_may_be_used_no_more(tmp_path: Path) -> None:
    """Then no file needs it."""
    columns = {**PROFILE["columns"], "gclid": "Order"}
    person = reopen(tmp_path, SALES.replace("Mail", "Person"), columns=columns)
    (gone,) = person.page.gone
    person.press(gone.control.name, "")
    assert "email" not in person.save()["columns"]


def test_what_no_control_is_about_stays(tmp_path: Path) -> None:
    """The page shows the profile as it is saved."""
    keys = {
        "derive_order_id": False,
        "validate_only": True,
        "event_source": "WEB",
        "columns": {**PROFILE["columns"], "email_2": ["Mail 2", "Code"]},
    }
    person = reopen(tmp_path, **keys)
    assert "Nothing will be counted" in person.html
    person.answer("expect", "every 3 hours")
    profile = person.save()
    assert {key: profile[key] for key in keys} == keys
    assert differences(person) == NOTHING


BY_HAND: dict[str, Any] = {
    "conversions": [
        {"rows": {"Stage": ["Won"], "Kind": ["New"]}},
        {
            "rows": {"Stage": ["Lead"]},
            "send": "retraction",
            "columns": {"adjustment_date_time": "Time"},
        },
        {"rows": {"Stage": ["Won"], "Kind": ["Old"]}, "action": "Renewal"},
    ],
    "skip": None,
}


def test_rows_that_were_written_by_hand_stay_as_they_are(tmp_path: Path) -> None:
    """No menu says what they say, so they are changed in the document, and all else here."""
    person = reopen(tmp_path, **BY_HAND)
    assert "were written by hand" in person.html
    assert not person.page.deciders
    person.answer("expect", "every 3 hours")
    profile = person.save()
    assert (profile["conversions"], profile.get("skip")) == (BY_HAND["conversions"], None)


def test_a_value_of_an_entry_hides_the_column_of_the_profile(tmp_path: Path) -> None:
    """A profile that somebody has written is shown as a run reads it."""
    lead = {"rows": {"Stage": ["Lead"]}, "action": "Lead", "value": 50}
    person = reopen(
        tmp_path,
        conversions=[*PROFILE["conversions"], lead],
        skip={"Stage": ["Renewal"]},
        value="action_default",
    )
    assert person.page.controls["q.1.conversion_value.text"].value == "50"
    assert "(Lead), 50.00 EUR" in person.html
    person.answer("conversion_value", "Amount", 1)
    assert person.save()["conversions"][1]["columns"] == {"conversion_value": "Amount"}


# ── the document ─────────────────────────────────────────────────────────────────────────────

WRITTEN = """\
// The profiles of Ann.
{
  // The shop.
  "shop": {"destination": "x", "note": "a { and a }"},
  "crm": {
    "destination": "google_ads"
  }, "last": {}
}
"""


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_the_text_of_one_profile_is_replaced(tmp_path: Path, mark: str, newline: str) -> None:
    """Comments elsewhere stay, and so do line ends and a byte order mark."""
    path = tmp_path / "profiles.json"
    written = mark + WRITTEN.replace("\n", newline)
    path.write_bytes(written.encode())
    Document(path, "crm").save({"a": [1]})
    text = '{\n    "a": [\n      1\n    ]\n  }'.replace("\n", newline)
    old = f'{{{newline}    "destination": "google_ads"{newline}  }}'
    assert path.read_bytes().decode() == written.replace(old, text)
    Document(path, "new").save({"b": 2})
    assert "// The shop." in path.read_text("utf-8-sig")
    assert Document(path, "new").profiles["new"] == {"b": 2}


@pytest.mark.parametrize("before", [None, "", "{}", "// Nothing yet.\n{\n}\n", "// Nothing yet.\n"])
def test_a_new_document_has_one_profile(tmp_path: Path, before: str | None) -> None:
    """Whether the file is there or not, and with its comments."""
    path = tmp_path / "profiles.json"
    if before is not None:
        path.write_text(before)
    Document(path, "crm").save({"a": 1})
    text = path.read_text()
    assert Document(path, "other").profiles == {"crm": {"a": 1}}
    assert ("// Nothing yet." in text) == ("//" in (before or ""))


def test_comments_inside_the_profile_would_be_lost(tmp_path: Path) -> None:
    """So it is not saved."""
    person = reopen(tmp_path)
    path = tmp_path / "profiles.json"
    path.write_text(
        json.dumps({"default": PROFILE}, indent=2).replace('  "action"', '  // Ann\n"action"')
    )
    person = Person(tmp_path / "deals.csv", path)
    person.answer("expect", "every 3 hours")
    with pytest.raises(NotSaved, match="has comments, which would be lost"):
        person.save()
    assert "// Ann" in path.read_text()


def test_what_others_save_meanwhile_stays(tmp_path: Path) -> None:
    """Another profile of the document is none of this page's business."""
    person = reopen(tmp_path)
    path = tmp_path / "profiles.json"
    Document(path, "other").save({"a": 1})
    person.answer("expect", "every 3 hours")
    assert person.save()["expect"] == "every 3 hours"
    assert json.loads(path.read_text())["other"] == {"a": 1}


def test_a_profile_that_somebody_has_changed_is_not_overwritten_unseen(tmp_path: Path) -> None:
    """The answers stay, the page shows what they change now, and saving again replaces it."""
    first, second = reopen(tmp_path), Person(tmp_path / "deals.csv", tmp_path / "profiles.json")
    first.answer("expect", "every 3 hours")
    first.save()
    second.answer("expect", "every 5 hours")
    with pytest.raises(NotSaved, match="To replace it, save again"):
        second.save()
    assert "every 3 hours" in (tmp_path / "profiles.json").read_text()
    assert differences(second) == (["expect: every 3 hours"], ["expect: every 5 hours"])
    assert second.save()["expect"] == "every 5 hours"


@pytest.mark.parametrize(
    "document, said",
    [
        ("{", "is not valid JSON"),
        ('{"default": {"customer_id": "1"}}', 'profile "default": destination: not set'),
        (f'{{"default": {json.dumps(GOOGLE)}}}', "names no columns"),
    ],
)
def test_a_document_that_cannot_be_kept_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: str, said: str
) -> None:
    """Exit code 2, and the document stays as it is."""
    monkeypatch.chdir(tmp_path)
    Path("profiles.json").write_text(document)
    Path("deals.csv").write_text(SALES)
    done = CliRunner().invoke(main, ["init", "deals.csv"])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert Path("profiles.json").read_text() == document


def test_changes_are_said_in_words() -> None:
    """What was removed, and what was added, by what it is about."""
    new = {**PROFILE, "time_zone": "Europe/Berlin", "skip": {"Stage": ["Lead"], "Kind": [""]}}
    assert changes(PROFILE, new) == (
        ["left out, Stage: Renewal", "time_zone: UTC"],
        ["left out, Kind: (empty)", "time_zone: Europe/Berlin"],
    )


# ── fates ────────────────────────────────────────────────────────────────────────────────────

SENDS = st.sampled_from(["conversion", "retraction"])


@given(
    sends=st.lists(SENDS, min_size=1, max_size=3),
    columns=st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b", "c", "", "*"]),
            st.sampled_from(["0", "1", "2", "out", "any"]),
            min_size=1,
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_fates_that_are_written_are_read_as_the_same(
    sends: list[str], columns: list[dict[str, str]]
) -> None:
    """Whatever is read from a profile is written as it was, or the profile is one by hand."""
    deciders = [
        Decider(
            str(number),
            {v: int(f) % len(sends) if f.isdecimal() else f for v, f in fates.items()},  # type: ignore[misc]
        )
        for number, fates in enumerate(columns)
    ]
    skip, rows = conditions_of(deciders, [{"send": send} for send in sends])
    entries = [{"send": send, "rows": each} for send, each in zip(sends, rows, strict=True)]
    profile = {"conversions": entries, "skip": skip}
    if are_fates(profile):
        again = conditions_of(read_deciders(profile), entries)
        assert (sorted_values(again[0]), [*map(sorted_values, again[1])]) == (
            sorted_values(skip),
            [*map(sorted_values, rows)],
        )


def sorted_values(conditions: dict[str, list[str]]) -> dict[str, list[str]]:
    """The values of each column in one order."""
    return {column: sorted(values) for column, values in conditions.items()}


def test_a_column_of_refunds_takes_the_sales_of_another_column() -> None:
    """A refund may be of any sale; a value that nobody decided is in no list."""
    deciders = [
        Decider("Stage", {"Won": 0, "Lead": 1, "Lost": "out"}),
        Decider("Refunded", {"Yes": 2, "No": "any", "?": ""}),
    ]
    skip, rows = conditions_of(deciders, [{}, {}, {"send": "retraction"}])
    assert skip == {"Stage": ["Lost"]}
    assert rows == [
        {"Stage": ["Won"], "Refunded": ["No"]},
        {"Stage": ["Lead"], "Refunded": ["No"]},
        {"Stage": ["Won", "Lead"], "Refunded": ["Yes", "No"]},
    ]
