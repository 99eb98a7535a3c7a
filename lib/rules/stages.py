"""Stages: words that say whether a row of an export is a conversion, in the exports' languages.

They never decide about a row. They only show which columns a row filter should know about: a lost
deal or a refunded order that is sent as a sale looks like any other row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

from lib.rules.fields.languages import Words
from lib.rules.values.cells import unwrap, without_accents

Stage = Literal["won", "not_won"]

_COLUMN_ENDINGS: Final = (
    *("stage", "status", "phase", "outcome"),
    *("stufe", "zustand", "ergebnis"),
    *("statut", "etape", "resultat"),
    *("estado", "estatus", "etapa", "fase", "resultado"),
    *("stato", "esito", "risultato"),
    *("stadium", "uitkomst"),
    *("situacao",),
    *("etap", "faza", "stav", "durum", "durumu", "статус", "стадия", "этап"),
    *("状況", "状態", "ステータス", "状态", "狀態", "상태"),
)
"""In English, German, French, Spanish, Italian, Dutch and Portuguese, in this order everywhere,
then in others. The last part of a compound: `Zahlungsstatus`, `dealstage`."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_INSIDE_NOT_WON: Final = (
    *("取消", "取り消し", "キャンセル", "返品", "返金", "失注", "見積", "未入金", "テスト"),
    *("退款", "退货", "失败", "취소", "환불", "실패"),
)
"""Parts of words in languages that write no spaces between them."""
_NOT_WON: Final = _listed(
    """
    lost failed failure refunded refund cancelled canceled void voided chargeback open pending
    declined rejected disputed dispute expired abandoned unpaid uncaptured incomplete deleted
    disqualified unqualified returned reversed dead draft missed unanswered voicemail chargebacks
    reversal noshow terminated withdrawn unsuccessful disapproved uninterested ineligible
    uncollectible
    verloren fehlgeschlagen gescheitert erstattet teilerstattet ruckerstattet erstattung
    ruckerstattung storniert abgebrochen abgelehnt offen ausstehend ungultig ruckbuchung unbezahlt
    gekundigt ruckzahlung rucklastschrift retourniert retoure reklamiert ruckgabe ruckgangig
    widerrufen zuruckgezogen storno stornorechnung rechnungskorrektur entwurf abgelaufen verfallen
    verworfen geloscht unqualifiziert disqualifiziert uninteressiert zahlungsfehler
    perdu perdue echoue echouee echec rembourse remboursee remboursement annule annulee ouvert
    ouverte refuse refusee impaye impayee attente litige annulation retourne retournee rejete
    rejetee expire expiree conteste contestee abandonne abandonnee disqualifie disqualifiee
    brouillon supprime supprimee
    perdido perdida fallido fallida reembolsado reembolsada reembolso devuelto devuelta cancelado
    cancelada anulado anulada abierto abierta rechazado rechazada pendiente contracargo disputa
    cancelacion devolucion vencido vencida caducado caducada expirado expirada descalificado
    descalificada borrador abandonado abandonada impagado impagada eliminado eliminada
    perso persa perduto perduta fallito fallita rimborsato rimborsata rimborso annullato annullata
    aperto aperta rifiutato rifiutata attesa stornato stornata contestazione annullamento scaduto
    scaduta respinto respinta abbandonato abbandonata bozza eliminato eliminata insoluto insoluta
    mislukt terugbetaald terugbetaling geannuleerd afgewezen geweigerd openstaand vervallen
    verlopen geretourneerd teruggestuurd onbetaald verwijderd afgekeurd betwist gediskwalificeerd
    ongekwalificeerd
    falhado falhou falha aberto aberta recusado recusada rejeitado rejeitada pendente estornado
    estornada estorno devolvido devolvida devolucao cancelamento desqualificado desqualificada
    rascunho excluido excluida
    anulowane anulowana anulowano anulowany zwrot korekta korygujaca utracone utracony utracona
    stracone stracony stracona przegrane przegrany przegrana odrzucone odrzucony odrzucona nieudane
    nieudany nieudana zwrocone zwrocony zwrocona oczekujace oczekujacy oczekujaca nieopłacone
    nieopłacony nieopłacona niezapłacone niezapłacony niezapłacona otwarte otwarty otwarta szkic
    makulerad avbruten annulleret kansellert annulleret zrusena zruseno iptal iade
    отменен отменена отменено возврат отказ
    """
)
_WON: Final = _listed(
    """
    won paid succeeded success successful completed complete captured converted answered sold
    gewonnen bezahlt erfolgreich abgeschlossen verkauft
    gagne gagnee paye payee reussi reussie vendu vendue
    ganado ganada pagado pagada completado completada vendido vendida
    vinto vinta pagato pagata completato completata venduto venduta
    betaald voltooid geslaagd afgerond verkocht
    ganho ganha pago paga concluido concluida
    wygrane wygrany wygrana opłacone opłacony opłacona zapłacone zapłacony zapłacona zrealizowane
    sprzedane sprzedany sprzedana
    """
)
_NOT_YET: Final = _listed(
    """
    quote quotes quotation quotations estimate estimates offer offers proforma reserved reservation
    tentative provisional test spam duplicate
    angebot angebote kostenvoranschlag reserviert reservierung vorgemerkt gutschrift duplikat
    dublette testbestellung testauftrag
    devis avoir reserve reservee reservation doublon
    presupuesto presupuestos cotizacion cotizaciones oferta reservado reservada prueba duplicado
    abono
    preventivo preventivi offerta riservato riservata prenotato prova duplicato
    offerte offertes gereserveerd concept creditnota creditfactuur dubbel testbestelling
    orcamento orcamentos cotacao teste
    oferty wycena zarezerwowane zarezerwowany zarezerwowana
    """
)
"""Words that mean no sale only alone: `Quote`, but neither `Quote accepted` nor `Test drive`."""
_TESTS: Final = Words(
    """
    test tests testing testbestell* testauftr* testorder* testkunde* teste testi teszt testow*
    testov* prueba* prova tes deneme тест テスト 测试 測試 테스트 اختبار تجريب
    """
)
_PHRASES: Final = tuple(
    map(
        _listed,
        (
            *("credit note", "credit memo", "nota credito", "charge back", "charged back"),
            *("awaiting payment", "wachtend betaling", "payment error", "erreur paiement"),
            *("error pago", "errore pagamento", "erro pagamento", "fout betaling"),
        ),
    )
)
"""Words that mean no sale together: `Awaiting shipment` is a sale."""
_WANTED: Final = _listed(
    """
    qualified interested interest lead sale sold show answer reply eligible valid accepted approved
    confirmed signed
    qualifiziert interessiert interesse auftrag verkauft gultig angenommen erreicht
    qualifie qualifiee interesse interessee vendu vendue valide accepte acceptee suite
    calificado calificada cualificado cualificada interesado interesada interes vendido vendida
    valido contesta aceptado aceptada
    qualificato qualificata interessato interessata venduto venduta risponde accettato accettata
    gekwalificeerd geinteresseerd verkocht geldig bereikt geaccepteerd
    qualificado qualificada interessado interessada atende aceito aceita
    zakwalifikowany zakwalifikowana zainteresowany zainteresowana
    """
)
"""Words that mean no sale after a negation: `Not qualified`, `No show`, `Kein Interesse`; but not
`Qualified, not called`."""
_ARTICLES: Final = _listed("a an de d yet")
_PAID_IN_WOOCOMMERCE: Final = _listed("wc processing")
"""`wc-processing`: the order is paid, and not yet shipped."""
_NEGATIONS: Final = _listed(
    "not no non nicht kein keine pas sans niet geen zonder nao sin sem senza nie"
)
_PARTS: Final = _listed(
    """
    partial partially partly teilweise partiel partielle partiellement parcial parcialmente parziale
    parzialmente gedeeltelijk deels
    """
)
_FILLERS: Final = _listed(
    """
    closed close deal opportunity order payment customer lead by in call wc processing sent invoice
    requested only
    geschlossen auftrag zahlung versendet gesendet erstellt bestellung
    ferme fermee en affaire envoye envoyee commande facture
    cerrado cerrada negocio venta enviado enviada pedido factura
    chiuso chiusa trattativa inviato inviata ordine fattura
    gesloten afgesloten verzonden verstuurd bestelling factuur
    fechado fechada venda encomenda fatura
    wysłana wysłano faktura zamowienie
    """
)
_ALL_WORDS: Final = frozenset[str]().union(
    *(_NOT_WON, _NOT_YET, *_PHRASES, _WANTED, _WON, _NEGATIONS, _ARTICLES, _PARTS, _FILLERS)
)
_MOST_WORDS: Final = 4
_LONGEST: Final = 80
_LONGEST_TEST: Final = 6
"""Words in what names a test. More are a sentence, such as a note about what a customer tests."""
_LABEL: Final = re.compile(r"(?<=[a-z])(?:label|name)$")
"""Salesforce's `STAGENAME`."""
_LETTERS: Final = re.compile(r"[^\W\d_]+")


def is_stage_column(header: str) -> bool:
    """Return whether a column probably contains stages: `Deal Stage`, `Zahlungsstatus`.

    Shopify's `Fulfillment Status` does not: a paid order whose parcel is pending is a sale.
    """
    words = [_LABEL.sub("", word) or word for word in _words(header)]
    is_about_parcels = any(word.startswith("fulfil") for word in words)
    return not is_about_parcels and any(word.endswith(_COLUMN_ENDINGS) for word in words)


@lru_cache(maxsize=1_024)
def stage_of(cell: str) -> Stage | None:
    """Return what a cell of such a column says about its row; None: nothing known."""
    if len(cell) > _LONGEST:
        return None
    if not cell.isascii() and any(part in cell for part in _INSIDE_NOT_WON):
        return "not_won"
    in_order = _words(cell)
    words = set(in_order)
    negated = not words.isdisjoint(_NEGATIONS)
    if not words.isdisjoint(_NOT_WON):
        return None if negated else "not_won"
    if words.issuperset(_PAID_IN_WOOCOMMERCE):
        return "won"
    if negated and _is_denied(in_order):
        return "not_won"
    is_not_yet = not words.isdisjoint(_NOT_YET) and words <= _NOT_YET | _FILLERS | _ARTICLES
    if is_not_yet or any(words >= each for each in _PHRASES):
        return "not_won"
    if words.isdisjoint(_WON) or not words.isdisjoint(_PARTS):
        return None
    return "not_won" if negated else "won"


@lru_cache(maxsize=1_024)
def says_test(cell: str) -> bool:
    """Return whether a few words name a test: `ZZ Test Campaign`. It may be a product, too."""
    words = _words(cell[:_LONGEST])
    return (
        len(words) <= _LONGEST_TEST
        and "@" not in cell
        and "://" not in cell
        and _TESTS.match(words)
    )


def _is_denied(words: Sequence[str]) -> bool:
    pairs = pairwise(word for word in words if word not in _ARTICLES)
    return any(one in _NEGATIONS and other in _WANTED for one, other in pairs)


@lru_cache(maxsize=1_024)
def is_partial(cell: str) -> bool:
    """Return whether a cell says that only a part was refunded: `partially_refunded`."""
    words = _words(cell[:_LONGEST])
    return any(word in _PARTS or word.startswith("teil") for word in words)


def is_harmless(cell: str) -> bool:
    """Return whether a cell may be shown: it has only words of this module, so no user data."""
    words = _words(cell)
    only_letters = not any(map(str.isdigit, cell))
    return only_letters and len(words) <= _MOST_WORDS and _ALL_WORDS.issuperset(words)


def _words(text: str) -> list[str]:
    """Return the words in lower case and without accents: `Rückerstattet` → `ruckerstattet`."""
    return _LETTERS.findall(without_accents(text).casefold())


def stages_in(cells: Mapping[str, int]) -> dict[str, int]:
    """Return the stages among these cells. Both have the form cell → number of rows.

    The key "" counts the cells that say "not won" and may not be shown.
    """
    counts: dict[str, int] = {}
    for cell, rows in cells.items():
        text = unwrap(cell, "word")
        stage = stage_of(text)
        key = text if stage and is_harmless(text) else ""
        if key or stage == "not_won":
            counts[key] = counts.get(key, 0) + rows
    return counts
