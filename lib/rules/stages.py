"""Stages: words that say whether a row of an export is a conversion, in the exports' languages.

They never decide about a row. They only show which columns a row filter should know about: a lost
deal or a refunded order that is sent as a sale looks like any other row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

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
)
"""In English, German, French, Spanish, Italian, Dutch and Portuguese, in this order everywhere. The
last part of a compound: `Zahlungsstatus`, `dealstage`."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NOT_WON: Final = _listed(
    """
    lost failed failure refunded refund cancelled canceled void voided chargeback open pending
    declined rejected disputed dispute expired abandoned unpaid uncaptured incomplete deleted
    disqualified unqualified returned reversed dead draft missed unanswered voicemail
    verloren fehlgeschlagen gescheitert erstattet teilerstattet ruckerstattet erstattung
    ruckerstattung storniert abgebrochen abgelehnt offen ausstehend ungultig ruckbuchung unbezahlt
    gekundigt
    perdu perdue echoue echouee echec rembourse remboursee remboursement annule annulee ouvert
    ouverte refuse refusee impaye impayee attente litige
    perdido perdida fallido fallida reembolsado reembolsada reembolso devuelto devuelta cancelado
    cancelada anulado anulada abierto abierta rechazado rechazada pendiente contracargo disputa
    perso persa perduto perduta fallito fallita rimborsato rimborsata rimborso annullato annullata
    aperto aperta rifiutato rifiutata attesa stornato stornata contestazione
    mislukt terugbetaald terugbetaling geannuleerd afgewezen geweigerd openstaand vervallen
    falhado falhou falha aberto aberta recusado recusada rejeitado rejeitada pendente estornado
    estornada estorno devolvido devolvida
    """
)
_WON: Final = _listed(
    """
    won paid succeeded success successful completed complete captured converted answered
    gewonnen bezahlt erfolgreich abgeschlossen
    gagne gagnee paye payee reussi reussie
    ganado ganada pagado pagada completado completada
    vinto vinta pagato pagata completato completata
    betaald voltooid geslaagd
    ganho ganha pago paga concluido concluida
    """
)
_PAID_IN_WOOCOMMERCE: Final = _listed("wc processing")
"""`wc-processing`: the order is paid, and not yet shipped."""
_NEGATIONS: Final = _listed("not no non nicht pas niet nao")
_PARTS: Final = _listed(
    """
    partial partially partly teilweise partiel partielle partiellement parcial parcialmente parziale
    parzialmente gedeeltelijk deels
    """
)
_FILLERS: Final = _listed(
    """
    closed close deal opportunity order payment customer lead by in call wc processing
    geschlossen auftrag zahlung
    ferme fermee en affaire
    cerrado cerrada negocio venta
    chiuso chiusa trattativa
    gesloten afgesloten
    fechado fechada venda
    """
)
_ALL_WORDS: Final = _NOT_WON | _WON | _NEGATIONS | _PARTS | _FILLERS
_MOST_WORDS: Final = 4
_LONGEST: Final = 80
_LETTERS: Final = re.compile(r"[^\W\d_]+")


def is_stage_column(header: str) -> bool:
    """Return whether a column probably contains stages: `Deal Stage`, `Zahlungsstatus`.

    Shopify's `Fulfillment Status` does not: a paid order whose parcel is pending is a sale.
    """
    words = _words(header)
    is_about_parcels = any(word.startswith("fulfil") for word in words)
    return not is_about_parcels and any(word.endswith(_COLUMN_ENDINGS) for word in words)


@lru_cache(maxsize=1_024)
def stage_of(cell: str) -> Stage | None:
    """Return what a cell of such a column says about its row; None: nothing known."""
    if len(cell) > _LONGEST:
        return None
    words = set(_words(cell))
    negated = not words.isdisjoint(_NEGATIONS)
    if not words.isdisjoint(_NOT_WON):
        return None if negated else "not_won"
    if words.issuperset(_PAID_IN_WOOCOMMERCE):
        return "won"
    if words.isdisjoint(_WON) or not words.isdisjoint(_PARTS):
        return None
    return "not_won" if negated else "won"


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
