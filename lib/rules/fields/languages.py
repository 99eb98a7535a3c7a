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
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Final

from lib.rules.values.cells import without_accents

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


# Words in names, which say what a column is about. They rank what the cells make a candidate, and
# alone decide nothing (`lib.rules.roles`), so they may be more than the names above.

_EAST_ASIAN: Final = r"[\u3040-\u9fff\uac00-\ud7af]"
_SEAM: Final = re.compile(
    rf"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?={_EAST_ASIAN})|(?<={_EAST_ASIAN})(?=[A-Za-z])"
)
"""Where a word ends without a sign: `closedAt`, `案件ID`."""
_LETTERS: Final = re.compile(r"[^\W\d_]+")


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, plain: `Gross_Betrag (EUR)`, `closedAt` → their parts."""
    return tuple(_LETTERS.findall(without_accents(_SEAM.sub(" ", name)).casefold()))


class Words:
    """Words about one thing, in all languages: `net`, beginnings (`refund*`), ends (`*betrag`),
    parts (`*erstatt*`), and several in a row (`unit_price`). A word without Latin letters is found
    inside others too: Japanese puts no spaces between them."""

    def __init__(self, listed: str) -> None:
        words = without_accents(listed).casefold().split()
        self._words = frozenset(word for word in words if word.isalpha())
        self._beginnings = tuple(word[:-1] for word in words if word[-1] == "*" != word[0])
        self._ends = tuple(word[1:] for word in words if word[0] == "*" != word[-1])
        parts = (word.strip("*") for word in words if word[0] == word[-1] == "*")
        self._inner = (*parts, *(word for word in self._words if min(word) > "\u0370"))
        self._rows = tuple(f" {word.replace('_', ' ')}" for word in words if "_" in word)

    def match(self, words: Iterable[str]) -> bool:
        """Return whether one of these words, or several in a row, is about it."""
        words = tuple(words)
        if any(
            word in self._words or word.startswith(self._beginnings) or word.endswith(self._ends)
            for word in words
        ):
            return True
        text = f" {' '.join(words)}"
        return any(row in text for row in self._rows) or any(each in text for each in self._inner)


AMOUNT_WORDS: Final = Words(
    """
    amount* value values total* price prices revenue turnover proceeds income gross net worth sum
    gmv acv tcv arr mrr premium donation
    *betrag *betrage *summe *wert *preis *umsatz *umsatze *erlos *honorar *entgelt brutto* netto*
    montant* valeur prix chiffre recette* somme
    importe* monto valor precio ingreso* suma facturado
    importo valore prezzo ricavo ricavi ammontare somma incasso fatturato
    *bedrag *waarde *prijs *omzet *totaal opbrengst som
    montante preco quantia receita
    kwota wartosc cena suma
    *belopp *beløb *beløp *pris *summa *varde *værdi *verdi omsattning *hinta arvo
    castka hodnota osszeg ertek valoare pret tutar fiyat bedel
    сумма сума цена ціна стоимость вартість ποσο αξια
    金額 価格 売上 合計 值段 金额 價格 价格 总额 總額 总价 금액 가격 매출
    """
)
"""An amount of money, perhaps without cents or a currency."""

OTHER_PERSON_WORDS: Final = Words(
    """
    shipping ship delivery recipient receiver consignee owner agent seller rep assigned tracking
    dialed dialled target propietari* proprietari* vendedor* vendeur*
    liefer* versand* empfanger* livraison destinataire envio entrega destinatario spedizione
    levering bezorg* ontvanger dostawa odbiorca leverans* mottagare teslimat alici
    доставк* получател* 수령 배송 配送 届 送付 收件 收货 收貨
    """
)
"""The person who gets the parcel or has sold it."""

PHONE_WORDS: Final = Words(
    """
    phone* telephone* telefo* telepho* tel mobil* mobiel movil* handy* cell celular* cellulare gsm
    cep whatsapp whats_app komorka телефон* мобильн 電話 携帯 电话 手机 전화 טלפון נייד
    """
)
AREA_CODE_WORDS: Final = Words(
    "ddd area_code vorwahl indicatif codigo_area prefijo prefisso netnummer"
)

PART_WORDS: Final = Words(
    """
    subtotal subtotals zwischensumme sous_total unit_price item_price lineitem line_item line
    *einzelpreis *stuckpreis prix_unitaire precio_unitario prezzo_unitario stuksprijs
    expected estimat* est forecast* weighted projected potential target goal converted original
    previous old monthly weekly
    erwartet* geschatzt* prognos* gewichtet* *voraussichtlich* *anzahlung monatlich*
    prevu* estime* pondere* esperad* estimad* ponderad* previst* stimat* ponderat* attes*
    verwacht* geschat* gewogen
    fee fees cost costs commission* deposit profit budget tip
    *gebuhr *gebuhren *kosten provision* gewinn kosten
    frais cout couts acompte benefice coste costes comision* costo costi commissione kosten
    custo custos comissao lucro
    """
)
"""An amount that is not the value of the sale if the file has one."""

NO_VALUE_WORDS: Final = Words(
    """
    tax taxes vat gst mwst ust *steuer tva iva btw imposta impuesto* impost* podatek moms
    shipping freight delivery postage *versand *versandkosten *porto livraison envio spedizione
    verzend* frete
    discount* *rabatt remise descuento* sconto korting desconto *nachlass coupon* voucher gutschein
    refund* *erstatt* rembours* reembols* rimbors* terugbetaal* estorn* cashback
    margin margins *marge margen margine ip
    probability likelihood confidence *wahrscheinlichkeit probabilit* probabilidad* waarschijnlijk*
    score scores scoring rating *punkte
    quantity quantities qty count units pieces items *menge *anzahl stuck stk cantidad quantit*
    aantal quantidade pcs
    balance outstanding open unpaid due saldo solde *offen *offener *restbetrag
    weight *gewicht poids peso exchange *kurs rate taux tasa tasso koers
    percent percentage prozent pct
    latitude longitude lat lon lng breitengrad langengrad
    distance duration dauer duree duracion durata duur minutes seconds hours stunden days tage
    annual_revenue company_revenue salary employees employee mitarbeiter age alter year jahr
    limit stock version spend cpc cpl cpa campaign
    税金 送料 手数料 割引 値引 ポイント 数量 個数 単価 运费 折扣 税额 세금 배송 할인 수량
    """
)
"""A number or an amount that is never the value of a sale."""

TAX_SIDE_WORDS: Final = Words(
    """
    inc incl* exc excl* inkl* exkl* ohne mit zzgl before after without with ex net gross netto
    brutto hors ht ttc sans sin con senza zonder met sem com bez utan uden
    """
)
"""`Total excl. VAT` is no tax, although its name has the word."""

SALE_DATE_WORDS: Final = Words(
    """
    won win closed close closing paid payment sold sale sales signed signature completed completion
    invoice invoiced order ordered purchase purchased booked booking deal transaction converted
    conversion contract closedate
    gewonnen* *abschluss* abgeschlossen geschlossen bezahlt *zahlung *zahlungs* *verkauf* verkauft
    unterzeichn* unterschrieben *rechnung *rechnungs* *bestell* *auftrag* *kauf* gebucht *buchung*
    *beleg*
    gagne* gain cloture ferme fermeture paye* paiement vente vendu* signe* facture* commande* achat
    ganad* cierre cerrad* pagad* pago venta vendid* firma firmad* factura* pedido compra*
    vint* vincita chiusura chius* pagat* pagamento vendita vendut* firmat* fattura* ordine acquist*
    gesloten sluiting* *afsluit* betaald* *betaling* verkocht* *verkoop* getekend *factuur* *order*
    aankoop*
    ganho fechamento fechad* fecho venda assinatura fatura
    zaplac* zapłac* sprzeda* zamkn* wygran* faktur* zamowien*
    betald* betalt* vunnet vunnen salgs* försälj* købt
    受注 成約 支払 購入 注文 契約 成交 付款 签约 下单 수주 결제 구매 계약
    """
)
"""The moment at which a sale is won, paid or signed."""

CREATED_WORDS: Final = Words(
    """
    creat* added inquiry enquiry received submitted submission registered registration signup
    opened entered *erstell* angelegt* *anlage* *anfrage* *eingang* eingegangen erfasst*
    crea cree creee criad* criac* *aangemaakt* *gemaakt* invoer*
    utworz* skapad* oprettet opprettet 作成 登録 创建 생성
    """
)
"""The moment at which a record or a lead began, which is often long before the sale."""

OTHER_DATE_WORDS: Final = Words(
    """
    settl* payout* released liberac* liquidac*
    modif* updat* chang* edit* activity active contacted last latest next birth* birthday dob due
    expected estimat* est forecast* planned target ship* fulfil* deliver* renew* expir* start starts
    end ends begin lost cancel* refund* follow followup reminder remind import* export* sync*
    generat* report* trial click* clicked assigned assignment seen visit* session viewed sent mail
    email call called meeting task void* dispute* disput* until valid from to
    *geander* *anderung* *aktualisier* letzte* *aktivitat* nachste* *geburt* fallig* *erwartet*
    geplant* *versand* versendet *liefer* *verlanger* *ablauf* *verloren* *stornier* *storno*
    *erstatt* *wiedervorlage* *beginn *ende *frist gultig* voraussichtlich* klick*
    dernier* prochain* naissance echeance prevu* expedi* livraison renouvel* perdu* annul* rembours*
    relance debut fin mis maj
    ultim* proxim* nacimiento vencimiento esperad* previs* envio entrega renova* caducidad perdid*
    anula* reembols* seguimiento inicio actualiz*
    prossim* nascita scadenza attes* spedizione consegna rinnov* perso persa perdit* rimbors*
    inizio fine aggiorn*
    laatst* *volgende* geboort* verwacht* verzend* lever* *vernieuw* *verloop* *verval* verlor*
    geannuleer* terugbetaal* bijgewerkt gewijzigd
    nascimento cancelad* estorn* atualiz*
    更新 変更 生年月日 次回 予定 修改 생년월일
    """
)
"""A moment that is not that of the sale."""

TIME_WORDS: Final = Words(
    """
    *date date dates *datum *datums time timestamp datetime *zeit *zeitpunkt *zeitstempel fecha hora
    data ora heure horodatage tijd tijdstip moment on at am le el il op em dzien czas *dato
    日付 日時 日期 时间 날짜 일시
    """
)
"""A date or a time."""

ORDER_WORDS: Final = Words(
    """
    order* invoice* transaction* receipt* booking* reservation* purchase* contrat* contract*
    payment_id merchant_reference
    *beleg* *rechnung* *auftrag* *bestell* *vorgang* *buchung* *vertrag*
    facture* commande* pedido* factura* ordine* fattura* factuur* fatura* reserva* zamowien*
    faktur* transac* orden ordem siparis* objednav* ordre* umow* smlouv* avtal* sozlesme* szerzodes*
    договор* 注文 受注 订单 주문 заказ* счет*
    """
)
"""What an order ID names."""

DEAL_WORDS: Final = Words(
    """
    deal* opportunit* sale sales *verkaufschance* affaire negocio* trattativ* verkoopkans*
    oportunidad* oportunidade* job* policy* appointment* 商談 案件 商机 商機 거래
    """
)
RECORD_WORDS: Final = Words(
    """
    record* *datensatz* case* ticket* quote* project* projekt* lead*
    *angebot* devis preventiv* presupuest* orcament* offert* wycen* nabidk* teklif* 見積
    """
)
"""What an ID may name in place of an order: a deal, or a record of another kind."""

ID_WORDS: Final = Words(
    """
    id ids number no nr num key code ref reference referenz *nummer *nr numero *kennung guid uuid
    nro identif* codigo codice numer numarasi cislo номер 番号 编号 號碼 編號 号码 번호
    """
)


def is_id(words: Sequence[str]) -> bool:
    """Return whether words speak of an ID: `Deal ID`, or `N. contratto`, but not `N.` alone."""
    return ID_WORDS.match(words) or (
        "n" in words[:1] and (ORDER_WORDS.match(words) or RECORD_WORDS.match(words))
    )


OTHER_ID_WORDS: Final = Words(
    """
    contact* account* owner* customer* client* card user* person* company* *kunde* *kunden*
    patient* pacient* pazient* guest* gast* huesped* student* alumn* eleve* member* mitglied*
    kontakt* besitzer associated campaign* click* refund* product* session* transfer* line item*
    lineitem* invoiced status checksum date visitor* ip url hash* keyword* adgroup sku phone tel*
    zip postal iban vat tax fiscal* agent rep artic* artik* artig* *steuer* detail* position* 詳細
    """
)
"""Whose ID it is if not that of the sale: it may be the same in another sale."""

PERSON_WORDS: Final = Words(
    """
    contact* owner* customer* client* user* person* company* agent* rep assigned* staff team tech*
    technician* employee* practitioner* provider* by title salutation city town region country
    *kunde* *kunden* kontakt* besitzer mitarbeiter* anrede ort stadt land bundesland firma
    klant* contactpersoon medewerker* plaats stad aanhef
    cliente* contacto* responsable responsavel vendedor* ciudad cidade uf provincia pais
    commercial* civilite ville pays societe titolo citta paese
    """
)
"""A column of people, companies or places: whether a row counts does not depend on them."""

KIND_WORDS: Final = Words(
    """
    type kind art belegart vart *ungsart *tragsart *gangsart kontaktart *typ category class
    record_type document_type tipo genre soort rodzaj
    disposition result won lost valid qualified test
    pipeline* funnel* funil embudo *trichter entonnoir trechter lejek воронка
    種別 区分 状態 ステータス 类型 状态 구분 상태
    """
)
"""A column that may say of what kind a row is."""

CHANNEL_WORDS: Final = Words(
    "channel* canal* canale *kanal kanal* kanaal kanał канал チャネル 渠道 채널"
)
"""Where something was sold: an order of a marketplace follows no ad."""

NO_COUNTS_WORDS: Final = Words(
    """
    fulfil* ship* deliver* *versand* *liefer* livraison envio spedizione verzend* email mail sms
    newsletter sync* marital consent opt verification task risk fraud
    """
)
"""A status that is not about the sale: a paid order whose parcel is pending is a sale."""

NAME_WORDS: Final = Words(
    "name names *name prenom nom nombre apellido* nome sobrenome naam *naam firma company owner"
)
"""The name of somebody or something: a customer may be called Test."""

REFUND_WORDS: Final = Words(
    """
    refund* *erstatt* rembours* reembols* rimbors* terugbetaal* terugbetaling estorn* returned
    chargeback* disputed 返金 退款 환불
    """
)
CANCEL_WORDS: Final = Words("cancel* *stornier* *storno* annul* anula* geannuleer* void* 取消 취소")
OWN_SHARE_WORDS: Final = Words(
    """
    commission* provision* profit* earnings gewinn* courtage comision* comissao benefice beneficio
    lucro guadagno commissione winst prowizja
    """
)
"""What a business gets of the price: for some, it is the value of a sale."""
STAGE_WORDS: Final = Words("*stage* *phase* *stufe* etape* etapa* *fase* stadium")
"""A column whose values follow one another. Those of a status or of a pipeline do not."""
