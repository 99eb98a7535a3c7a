"""Names of columns in exports of HubSpot, Salesforce, Pipedrive, Zoho and Dynamics, by language.

For English, only the names that `identity` and `conversion` do not declare. A name that also means
something else (`Cantidad` is an amount or a number of pieces) is left out, and so are the names of
estimates (`Est. Revenue`): an expected sale is not a sale.

Checked against the documentation: HubSpot's German and Dutch names
(https://knowledge.hubspot.com/de/crm-deals/hubspots-default-deal-properties). The names that begin
with `deal deal` or `deal datum` are Pipedrive's, as programs that read its exports have them. The
others follow the usual translations of these products and were not checked against an export.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import Final

_CONSENT: Final = re.compile(
    r"consent|einwillig|zustimmung|consenso|toestemming|\bopt[ _-]?in\b|gdpr|dsgvo"
)
"""In English, French, Spanish and Portuguese: consent, consentement, consentimiento, ..."""

Names = Mapping[str, tuple[str, ...]]
"""Language → names, the best one first."""


def all_names(by_language: Names) -> tuple[str, ...]:
    """Return the names of all languages. Names that several languages share occur once.

    The first names of all languages come before their second names, and so on: the rank of a name
    must not depend on its language.
    """
    by_rank = zip_longest(*by_language.values())
    return tuple(dict.fromkeys(name for names in by_rank for name in names if name))


CLOSE_DATE: Final[Names] = {
    "en": (
        *("actual close date", "won time", "deal won time", "date won", "closing date", "paid at"),
        *("deal deal closed on",),
    ),
    "de": (
        *("tatsächliches abschlussdatum", "gewonnen am", "deal datum des gewonnenen deals"),
        *("abschlussdatum", "schlusstermin", "abgeschlossen am", "geschlossen am", "datum"),
        *("deal deal abgeschlossen am",),
    ),
    "fr": (
        *("date de clôture réelle", "date de fermeture réelle", "date de gain"),
        *("date de clôture", "date de fermeture"),
    ),
    "es": ("fecha de cierre real", "fecha de ganado", "fecha de cierre", "fecha"),
    "it": (
        *("data di chiusura effettiva", "data di chiusura reale", "data di vincita"),
        *("data di chiusura", "data chiusura"),
    ),
    "nl": (
        *("werkelijke sluitingsdatum", "gewonnen op", "sluitingsdatum", "afsluitdatum"),
        *("gesloten op",),
    ),
    "pt": (
        *("data de fechamento real", "data de ganho", "data de fechamento", "data de fecho"),
        *("data de encerramento",),
    ),
}

CREATE_DATE: Final[Names] = {
    "en": (
        *("create date", "created date", "created at", "created on", "created time"),
        *("date created", "creation date", "created", "deal created", "deal deal created"),
    ),
    "de": (
        *("erstellungsdatum", "erstelldatum", "erstellt am", "erstellt um", "erstellungszeit"),
        *("deal deal erstellt",),
    ),
    "fr": ("date de création", "créé le", "créée le", "heure de création"),
    "es": ("fecha de creación", "creado el", "hora de creación"),
    "it": ("data di creazione", "data creazione", "creato il", "ora di creazione"),
    "nl": ("aanmaakdatum", "gemaakt op", "aangemaakt op", "datum gemaakt", "datum aangemaakt"),
    "pt": ("data de criação", "criado em", "hora da criação", "hora de criação"),
}

VALUE: Final[Names] = {
    "en": ("actual revenue",),
    "de": ("betrag", "tatsächlicher umsatz", "umsatz", "wert", "deal-wert", "gesamtbetrag"),
    "fr": ("montant", "revenu réel", "chiffre d'affaires réel", "valeur", "montant total"),
    "es": ("importe", "monto", "ingresos reales", "valor", "importe total"),
    "it": ("importo", "ammontare", "ricavi effettivi", "valore", "importo totale"),
    "nl": ("bedrag", "werkelijke opbrengst", "werkelijke omzet", "waarde", "totaalbedrag"),
    "pt": ("valor", "montante", "quantia", "receita real", "valor total"),
}

CURRENCY: Final[Names] = {
    "en": ("deal currency of value",),
    "de": ("währung", "währungscode", "deal-währung", "transaktionswährung"),
    "fr": ("devise", "code de devise", "code devise", "devise de la transaction"),
    "es": ("moneda", "divisa", "código de moneda", "código de divisa"),
    "it": ("valuta", "codice valuta"),
    "nl": ("valuta", "valutacode"),
    "pt": ("moeda", "código da moeda", "código de moeda"),
}

EMAIL: Final[Names] = {
    "en": ("person email", "person email work", "person email home", "person email other"),
    "de": ("e-mail-adresse", "geschäftliche e-mail", "private e-mail"),
    "fr": ("adresse e-mail", "courriel", "adresse électronique", "adresse de messagerie"),
    "es": ("correo electrónico", "correo", "dirección de correo electrónico"),
    "it": ("indirizzo e-mail", "posta elettronica"),
    "nl": ("e-mailadres", "zakelijke e-mail"),
    "pt": ("endereço de e-mail", "correio eletrónico", "correio eletrônico"),
}

PHONE: Final[Names] = {
    "en": (
        *("person phone", "person phone work", "person phone mobile", "person phone home"),
        *("person phone other",),
    ),
    "de": (
        *("telefon", "telefonnummer", "mobiltelefon", "mobiltelefonnummer", "mobilnummer"),
        *("handy", "handynummer", "mobil", "geschäftstelefon", "telefon geschäftlich"),
        *("person telefon",),
    ),
    "fr": (
        *("téléphone", "numéro de téléphone", "téléphone portable", "téléphone mobile"),
        *("numéro de téléphone mobile", "numéro de portable", "téléphone professionnel", "tél"),
    ),
    "es": (
        *("teléfono", "número de teléfono", "móvil", "teléfono móvil", "celular"),
        *("número de teléfono móvil", "número de móvil", "teléfono celular"),
    ),
    "it": (
        *("telefono", "numero di telefono", "cellulare", "telefono cellulare"),
        *("numero di cellulare", "numero di telefono cellulare"),
    ),
    "nl": (
        *("telefoon", "telefoonnummer", "mobiel", "mobiele telefoon", "mobiel nummer"),
        *("mobiel telefoonnummer",),
    ),
    "pt": (
        *("telefone", "número de telefone", "celular", "telemóvel", "telefone celular"),
        *("número de celular", "número de telefone celular"),
    ),
}

FIRST_NAME: Final[Names] = {
    "de": ("vorname",),
    "fr": ("prénom",),
    "es": ("nombre de pila", "nombre"),
    "it": ("nome",),
    "nl": ("voornaam",),
    "pt": ("primeiro nome", "nome próprio", "nome"),
}

LAST_NAME: Final[Names] = {
    "de": ("nachname", "familienname"),
    "fr": ("nom de famille", "nom"),
    "es": ("apellidos", "apellido"),
    "it": ("cognome",),
    "nl": ("achternaam",),
    "pt": ("sobrenome", "apelido", "último nome"),
}

POSTAL_CODE: Final[Names] = {
    "de": ("postleitzahl", "plz"),
    "fr": ("code postal",),
    "es": ("código postal",),
    "it": ("codice postale", "codice di avviamento postale", "cap"),
    "nl": ("postcode",),
    "pt": ("cep", "código postal"),
}

COUNTRY: Final[Names] = {
    "de": ("land", "land/region", "ländercode"),
    "fr": ("pays", "pays/région", "code pays"),
    "es": ("país", "país/región", "código de país"),
    "it": ("paese", "paese/regione", "paese/area geografica", "codice paese"),
    "nl": ("land", "land/regio", "landcode"),
    "pt": ("país", "país/região", "código do país"),
}


def is_consent_column(header: str) -> bool:
    """Return whether a column is probably about consent: `Marketing consent`, `Einwilligung`."""
    return _CONSENT.search(header.casefold()) is not None
