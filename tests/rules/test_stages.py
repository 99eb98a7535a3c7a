"""The words by which stages and payment statuses are recognized."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.rules.stages import is_harmless, is_stage_column, says_test, stage_of, stages_in


@pytest.mark.parametrize(
    "header",
    [
        *("Stage", "Deal Stage", "dealstage", "Status", "Financial Status", "payment_status"),
        *("Lead Status", "Status Reason", "Zahlungsstatus", "Phase", "Statut", "\u00c9tape"),
        *("Estado", "Etapa del negocio", "Stato", "Fase", "Betaalstatus", "Situa\u00e7\u00e3o"),
    ],
)
def test_columns_of_stages(header: str) -> None:
    """The name of the column ends like stage or status, in any of the languages."""
    assert is_stage_column(header)


@pytest.mark.parametrize(
    "header",
    [
        *("", "Amount", "Close Date", "Closed Lost Reason", "Email", "Statistics", "42"),
        *("Fulfillment Status", "Lineitem fulfillment status"),
    ],
)
def test_other_columns(header: str) -> None:
    """Other columns are not searched for stages."""
    assert not is_stage_column(header)


@pytest.mark.parametrize(
    "cell, stage",
    [
        # HubSpot, Salesforce, Pipedrive, Zoho, Dynamics, Close
        *(("Closed Lost", "not_won"), ("closedlost", None), ("Closed Won", "won")),
        *(("lost", "not_won"), ("won", "won"), ("open", "not_won"), ("deleted", "not_won")),
        *(("Closed Lost to Competition", "not_won"), ("Canceled", "not_won")),
        # Shopify, Stripe
        *(("paid", "won"), ("partially_paid", None), ("partially_refunded", "not_won")),
        *(("refunded", "not_won"), ("voided", "not_won"), ("pending", "not_won")),
        *(("Failed", "not_won"), ("Paid", "won"), ("succeeded", "won"), ("expired", "not_won")),
        # WooCommerce, CallRail
        *(("wc-processing", "won"), ("wc-completed", "won"), ("processing", None)),
        *(("wc-on-hold", None), ("Answered Call", "won"), ("Missed Call", "not_won")),
        *(("Not answered", "not_won"), ("Voicemail", "not_won")),
        # Other languages
        *(("Verloren", "not_won"), ("Offen", "not_won"), ("R\u00fcckerstattet", "not_won")),
        *(("Perdu", "not_won"), ("Annul\u00e9e", "not_won"), ("Gagn\u00e9", "won")),
        *(("Cerrado perdido", "not_won"), ("Cerrada ganada", "won"), ("Devuelto", "not_won")),
        *(("Chiuso perso", "not_won"), ("Chiuso vinto", "won"), ("Rimborsato", "not_won")),
        *(("Gesloten - gewonnen", "won"), ("Mislukt", "not_won"), ("Betaald", "won")),
        *(("Fechado perdido", "not_won"), ("Ganho", "won"), ("Conclu\u00eddo", "won")),
        # Offers, drafts and tests; an offer that says more may be a sale
        *(("Quotation", "not_won"), ("Quote sent", "not_won"), ("Quote accepted", None)),
        *(("Test", "not_won"), ("Reserved", "not_won"), ("Special offer", None)),
        *(("Pedido de prueba", "not_won"), ("Prueba de manejo", None)),
        *(("Angebot versendet", "not_won"), ("Entwurf", "not_won"), ("Reserviert", "not_won")),
        *(("Devis envoy\u00e9", "not_won"), ("Brouillon", "not_won"), ("Sans suite", "not_won")),
        *(("Cotizaci\u00f3n enviada", "not_won"), ("Borrador", "not_won"), ("Vencida", "not_won")),
        *(("Preventivo", "not_won"), ("Bozza", "not_won"), ("Offerte verzonden", "not_won")),
        *(("Or\u00e7amento", "not_won"), ("Rascunho", "not_won"), ("Testbestelling", "not_won")),
        *(("Faktura proforma", "not_won"), ("Szkic", "not_won"), ("Utracona", "not_won")),
        *(("Wygrana", "won"), ("Op\u0142acone", "won"), ("Nieop\u0142acone", "not_won")),
        *(("Sold", "won"), ("Verkauft", "won"), ("Vendida", "won"), ("Nicht verkauft", "not_won")),
        # What takes money back, and what never came
        *(("Chargeback", "not_won"), ("Charge back", "not_won"), ("Credit note", "not_won")),
        *(("Nota de cr\u00e9dito", "not_won"), ("Gutschrift", "not_won"), ("Storno", "not_won")),
        *(("Retourniert", "not_won"), ("No-Show", "not_won"), ("Awaiting payment", "not_won")),
        *(("Awaiting shipment", None), ("Erreur de paiement", "not_won"), ("error", None)),
        # Denied words that alone say nothing
        *(("Not qualified", "not_won"), ("Qualified", None), ("Qualified, not called", None)),
        *(("Not a lead", "not_won"), ("Lead", None), ("Kein Interesse", "not_won")),
        *(("Pas d'int\u00e9ress\u00e9", "not_won"), ("Non qualifi\u00e9", "not_won")),
        *(("No interesado", "not_won"), ("Niet ge\u00efnteresseerd", "not_won")),
        *(("Sem interesse", "not_won"), ("Non interessata", "not_won"), ("Sin pagado", "not_won")),
        *(("Refunded without return", "not_won"), ("Non-EU sale", None)),
        # Negations, and words that only contain a stage
        *(("not paid", "not_won"), ("nicht bezahlt", "not_won"), ("not lost", None)),
        *(("Opened", None), ("Lostock", None), ("Contract sent", None), ("", None)),
        ("lost " + "x" * 80, None),
    ],
)
def test_stages(cell: str, stage: str | None) -> None:
    """Whole words decide, without regard to case and accents."""
    assert stage_of(cell) == stage


@pytest.mark.parametrize(
    "cell, is_test",
    [
        *(("ZZ Test Campaign", True), ("PRODUK TES", True), ("internal-test", True)),
        *(("Pedido de prueba", True), ("社内テスト", True), ("Тестовый заказ", True)),
        *(("Test drive", True), ("Testament", False), ("Contest", False), ("Latest", False)),
        *(("test@example.com", False), ("https://example.com/test", False), ("", False)),
        ("They want to test it for a week", False),
    ],
)
def test_words_for_tests(cell: str, is_test: bool) -> None:
    """A few words with one for tests, also if it may be a product: a person is asked."""
    assert says_test(cell) == is_test


@pytest.mark.parametrize(
    "cell, harmless",
    [
        ("Closed Lost", True),
        ("partially_refunded", True),
        ("Chiuso - perso", True),
        ("Lost to Ada Example", False),
        ("Lost 212-555-0100", False),
        ("lost@example.com", False),
        ("lost lost lost lost lost", False),
    ],
)
def test_only_known_words_are_shown(cell: str, harmless: bool) -> None:
    """A stage with any other word may contain user data, so only its number is shown."""
    assert is_harmless(cell) is harmless
    assert stages_in({f" {cell} ": 3}) == {cell if harmless else "": 3}


def test_a_wrapped_stage_is_shown_as_it_is_meant() -> None:
    """What spreadsheets add to a cell is left out, so that the profile can list the value."""
    assert stages_in({'="Closed Lost"': 2, "Closed\u00a0Lost": 1}) == {"Closed Lost": 3}


@given(st.dictionaries(st.text(), st.integers(1, 9)))
def test_no_other_text_is_kept(cells: dict[str, int]) -> None:
    """Whatever a column contains, the keys are stages of known words."""
    found = stages_in(cells)
    assert all(not key or (is_harmless(key) and stage_of(key)) for key in found)
    assert sum(found.values()) <= sum(cells.values())
