"""The mapping from column names to fields."""

from __future__ import annotations

import pytest

from lib.model.fields import CUSTOM_VARIABLE
from lib.rules.fields import FIELDS
from lib.source import header as header_module
from lib.source.errors import SourceError
from lib.source.header import shown
from lib.source.vocabulary import header_key, vocabulary_of

GOOGLE = (
    "Google Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency,"
    "Order ID,Email,Phone Number,Ad User Data,Ad Personalization"
)
HUBSPOT = "Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Amount,Close Date"
SALESFORCE = (
    "Id,FirstName,LastName,Email,Phone,MobilePhone,Google_Click_ID__c,CloseDate,Amount,"
    "CurrencyIsoCode,MailingStreet,MailingCity,MailingState,MailingPostalCode,MailingCountry"
)
# The contract of input files: the canonical field names, which are also header names.
CANONICAL_NAMES = (
    "gclid gbraid wbraid email phone hashed_email hashed_phone_number first_name last_name "
    "postal_code country_code conversion_action conversion_date_time time_of_day "
    "time_zone conversion_value currency_code order_id ad_user_data ad_personalization "
    "conversion_environment customer_type user_ip_address "
    "landing_page_user_agent session_attributes_encoded "
    "session_attributes_key_value_pairs merchant_id feed_country_code feed_language_code "
    "local_transaction_cost items "
    "event_source adjustment_type adjustment_date_time adjusted_value "
    "adjusted_value_currency caller_id call_start_date_time"
)
CANONICAL = CANONICAL_NAMES.split()


def map_columns(header, own):
    """Find our fields in a header, one of which must identify a click or a person."""
    columns = header_module.map_columns(header, own, FIELDS)
    if not header_module.identifying_columns(columns.fields, FIELDS):
        detail = header_module.known_and_unknown(header, columns)
        raise SourceError("NO_USABLE_COLUMN", detail)
    return columns


def fields(header, **own):
    names = header.split(",")
    return {field: names[index] for field, index in map_columns(names, own).fields.items()}


def test_catalogue():
    """`FIELDS` holds the canonical fields, each with a description and unambiguous names."""
    assert [field.name for field in FIELDS if field.name != CUSTOM_VARIABLE] == CANONICAL
    assert all(field.description.endswith(".") for field in FIELDS)
    names = [(header_key(alias), field.name) for field in FIELDS for alias in field.aliases]
    names += [(header_key(alias), field.name) for field in FIELDS for alias in field.fallbacks]
    for key, name in names:
        meaning = vocabulary_of(FIELDS).meaning(key)
        assert meaning is not None
        assert meaning[0] == name, key


SPELLED_ONLY = ("time_zone",)
STANDS_IN = ("time_of_day",)


@pytest.mark.parametrize(
    "name", [name for name in CANONICAL if name not in SPELLED_ONLY + STANDS_IN]
)
@pytest.mark.parametrize(
    "spelled", [str, str.upper, str.title, lambda name: name.replace("_", " ") + " :"]
)
def test_canonical_names(name, spelled):
    """Canonical names are recognized in any case and with any punctuation."""
    extra = "wbraid" if name == "gclid" else "gclid"
    assert fields(f"{extra},{spelled(name)}")[name] == spelled(name)


def test_google_template():
    """Every column of Google's template is mapped."""
    assert list(fields(GOOGLE)) == [
        "gclid",
        "conversion_action",
        "conversion_date_time",
        "conversion_value",
        "currency_code",
        "order_id",
        "email",
        "phone",
        "ad_user_data",
        "ad_personalization",
    ]


def test_hubspot_export():
    """A HubSpot export is mapped unchanged, and its second phone is a second identifier."""
    columns = map_columns([*HUBSPOT.split(","), "hs_google_click_id"], {})
    assert columns.unknown == ("Record ID",)
    assert list(columns.fields) == [
        "first_name",
        "last_name",
        "email",
        "phone",
        "conversion_value",
        "gclid",
        "phone_2",
        "conversion_date_time",
    ]


def test_salesforce_export():
    """A Salesforce export is mapped unchanged, including custom fields with the suffix `__c`."""
    columns = map_columns(SALESFORCE.split(","), {})
    assert columns.unknown == ("Id", "MailingStreet", "MailingCity", "MailingState")
    mapped = (
        "first_name last_name email phone phone_2 gclid conversion_date_time conversion_value "
        "currency_code postal_code country_code"
    )
    assert set(columns.fields) == set(mapped.split())


@pytest.mark.parametrize(
    "header, field",
    [
        ("google click identifier", "gclid"),
        ("Google ad click id", "gclid"),
        ("GCLID__c", "gclid"),
        ("date", "conversion_date_time"),
        ("Converted At", "conversion_date_time"),
        ("amount", "conversion_value"),
        ("revenue", "conversion_value"),
        ("Transaction ID", "order_id"),
        ("email-address", "email"),
        ("E-Mail", "email"),
        ("Customer Email", "email"),
        ("mobile", "phone"),
        ("Given name", "first_name"),
        ("Family name", "last_name"),
        ("Postcode", "postal_code"),
        ("ZIP", "postal_code"),
        ("email_2", "email_2"),
        ("Email 2", "email_2"),
        ("Phone Number (3)", "phone_3"),
        ("hashed_email_4", "hashed_email_4"),
        ("Email 1", "email"),
        ("custom_variable.Plan", "custom_variable.Plan"),
        ("Custom Variable: Plan B", "custom_variable.Plan B"),
    ],
)
def test_aliases(header, field):
    """Names from CRMs and public templates are recognized, and so are numbered columns."""
    extra = "wbraid" if field == "gclid" else "gclid"
    assert fields(f"{extra},{header}")[field] == header


@pytest.mark.parametrize(
    "header, mapped",
    [
        ("gclid,Phone Number,Phone Number", {"phone": 1, "phone_2": 2}),
        ("Email,gclid,email,EMAIL", {"email": 0, "email_2": 2, "email_3": 3}),
        ("Phone,Phone,Mobile,gclid", {"phone": 0, "phone_2": 1, "phone_3": 2}),
    ],
)
def test_columns_with_the_same_name_are_numbered(header, mapped):
    """Two columns "Phone Number" are two phone numbers, even if the profile names them."""
    own = {"phone": "Phone Number"} if "Number" in header else {}
    found = map_columns(header.split(","), own).fields
    assert {field: at for field, at in found.items() if field != "gclid"} == mapped


@pytest.mark.parametrize(
    "header, field, chosen",
    [
        ("email,Mailing Country,Billing Country", "country_code", "Mailing Country"),
        ("email,Billing Country,Mailing Country", "country_code", "Mailing Country"),
        ("email,Mailing Country,Country", "country_code", "Country"),
        ("email,Billing Zip/Postal Code,Mailing Zip", "postal_code", "Mailing Zip"),
        ("email,IP,IP Address", "user_ip_address", "IP Address"),
    ],
)
def test_one_of_several_addresses_is_chosen(header, field, chosen):
    """An export with the addresses of both contact and account is accepted; one of them is used."""
    names = header.split(",")
    columns = map_columns(names, {})
    assert names[columns.fields[field]] == chosen
    assert len(columns.unknown) == 1


@pytest.mark.parametrize(
    "header", ["Amount Currency", "value currency", "Order Currency", "Transaction Currency"]
)
def test_the_currency_column_of_an_amount_is_recognized(header):
    """The currency column that Salesforce exports with every amount is recognized."""
    assert fields(f"gclid,Amount,{header}")["currency_code"] == header


@pytest.mark.parametrize(
    "header, known",
    [
        ("time_zone", True),
        ("Conversion Time Zone", True),
        ("Time Zone", False),
        ("TIME_ZONE", False),
        ("timezone", False),
    ],
)
def test_a_contacts_time_zone_is_ignored(header, known):
    """A CRM's time zone column is ignored unless the profile names it."""
    assert ("time_zone" in map_columns(["gclid", header], {}).fields) is known
    assert "time_zone" in map_columns(["gclid", header], {"time_zone": header}).fields


@pytest.mark.parametrize("header", ["name", "id", "Email 0", "Email 17", "gclid 2", "notes", "%"])
def test_unknown_columns(header):
    """Columns with an unclear name are reported as unknown."""
    assert map_columns(["gclid", header], {}).unknown == (header,)


@pytest.mark.parametrize(
    "header, named",
    [
        ("gclid,Google Click ID", ["gclid", "Google Click ID"]),
        ("email,value,E-mail address", ["email", "E-mail address"]),
        ("gclid,Amount,Amount", ["Amount"]),
        ("gclid,amount,revenue", ["amount", "revenue"]),
        ("gclid,value,total", ["value", "total"]),
        ("gclid,conversion_value,Revenue", ["conversion_value", "Revenue"]),
        ("Email 1,Email", ["Email 1", "Email"]),
        ("gclid,custom_variable.A,Custom Variable: A", ["custom_variable.A"]),
    ],
)
def test_two_columns_for_one_field(header, named):
    """Two columns for one field stop the file, and both are named."""
    with pytest.raises(SourceError) as error:
        fields(header)
    assert error.value.code == "DUPLICATE_COLUMN"
    assert all(f'"{name}"' in error.value.detail for name in named)


def test_profile_headers_take_precedence():
    """A header from the profile takes precedence; a column with an alias is then unknown."""
    header = ["Klick", "gclid", "Betrag", "email"]
    columns = map_columns(header, {"gclid": ("klick",), "conversion_value": ["Wert", "BETRAG"]})
    assert columns.fields == {"gclid": 0, "conversion_value": 2, "email": 3}
    assert columns.unknown == ("gclid",)


def test_profile_header_of_another_field():
    """A profile can assign a column to another field than the one that its name suggests."""
    assert fields("gclid,date,order date", conversion_date_time="order date", order_id="date") == {
        "gclid": "gclid",
        "conversion_date_time": "order date",
        "order_id": "date",
    }


@pytest.mark.parametrize(
    ("header", "off", "used", "unknown"),
    [
        ("gclid,Currency,amount", "currency_code", {"gclid", "conversion_value"}, ()),
        ("gclid,Amount Currency,amuont", "currency_code", {"gclid"}, ("amuont",)),
        ("gclid,email,Work Email,email_2", "email", {"gclid"}, ()),
        ("gclid,email,email_2", "email_2", {"gclid", "email"}, ()),
        ("gclid,custom_variable.Plan", "custom_variable.Plan", {"gclid"}, ()),
    ],
)
def test_profile_switches_a_field_off(header, off, used, unknown):
    """A field without names in the profile is not read, and its columns are not called unknown."""
    columns = map_columns(header.split(","), {off: ()})
    assert columns.fields.keys() == used
    assert columns.unknown == unknown


@pytest.mark.parametrize(
    ("header", "times"),
    [
        ("gclid,Date,Time", {"conversion_date_time": "Date", "time_of_day": "Time"}),
        ("gclid,Close Date,Time", {"conversion_date_time": "Close Date", "time_of_day": "Time"}),
        ("gclid,Timestamp,Time", {"conversion_date_time": "Timestamp", "time_of_day": "Time"}),
        ("gclid,Time", {"conversion_date_time": "Time"}),
    ],
)
def test_a_time_column_beside_a_date_column(header, times):
    """A column `Time` has the time of day, or the whole time if there is no other column."""
    assert fields(header) == {"gclid": "gclid", **times}
    assert map_columns(["gclid", "Time (UTC)"], {}).units == {"conversion_date_time": "UTC"}


@pytest.mark.parametrize(
    ("header", "of_the_day"),
    [
        ("gclid,Create Date,Time", False),
        ("gclid,Datum,Time", False),
        ("gclid,Close Date (UTC),Time", False),
        ("gclid,Date,Time", True),
        ("gclid,Close Date,Time", True),
    ],
)
def test_a_time_column_with_whole_times_goes_before_unclear_columns(header, of_the_day):
    """If `Time` contains dates, it is the conversion time, unless another column clearly is."""
    columns = header_module.map_columns(
        header.split(","), {}, FIELDS, stands_alone=lambda column: True
    )
    assert columns.fields["conversion_date_time"] == (1 if of_the_day else 2)
    assert ("time_of_day" in columns.fields) is of_the_day
    if not of_the_day:
        assert columns.choices["conversion_date_time"][0] == '"Time" (column 3)'


def test_a_time_column_stands_in_for_no_field_that_is_switched_off():
    """A profile that switches the time column off gets no other column for it."""
    columns = map_columns(["gclid", "Time"], {"conversion_date_time": ()})
    assert columns.fields == {"gclid": 0, "time_of_day": 1}


def test_profile_header_missing_from_the_file():
    """If a profile's header is missing from the file, the aliases still apply."""
    assert fields("gclid,amount", conversion_value="Betrag")["conversion_value"] == "amount"


def test_profile_header_twice():
    """Two columns that the profile names for one field also stop the file."""
    with pytest.raises(SourceError, match="DUPLICATE_COLUMN"):
        fields("gclid,a,b", email=["a", "b"])


def test_vague_names_are_only_a_fallback():
    """A vague name is used only if no better name matches the field."""
    assert fields("gclid,Close Date")["conversion_date_time"] == "Close Date"
    columns = map_columns(["gclid", "Close Date", "Conversion Time", "value", "amount"], {})
    assert columns.unknown == ("Close Date", "value")


@pytest.mark.parametrize(
    "header",
    ["conversion_value,order_id", "date,first_name,last_name", "Conversion Name,notes"],
)
def test_no_usable_column(header):
    """A file without an identifying column is refused, and the error names the known columns."""
    with pytest.raises(SourceError) as error:
        fields(header)
    assert error.value.code == "NO_USABLE_COLUMN"
    assert header.split(",")[0] in error.value.detail
    assert fields("first_name,last_name,country,zip"), "an address identifies a person"


@pytest.mark.parametrize(
    "row",
    [
        "Cj0KCQ-one,jane@example.com,+1 212 555 0100,2026-11-20 10:00:00",
        "Jane,Doe,New York",
        "PHONE,jane@example.com,12.50",
        "Mobile,2026-11-20,12",
    ],
)
def test_row_instead_of_header(row):
    """A file without a header is refused, and the error repeats nothing from its first row."""
    with pytest.raises(SourceError) as error:
        fields(row)
    assert error.value.code == "NO_HEADER"
    assert not any(cell in str(error.value) for cell in row.split(","))


@pytest.mark.parametrize(
    "name, safe",
    [
        ("Lead score", "Lead score"),
        ("Q3 2026", "column 5"),
        ("Score 2026", "Score 2026"),
        ("jane@example.com", "column 5"),
        ("+1 212 555 0100", "column 5"),
        ("12", "column 5"),
        ("a" * 64, "column 5"),
        ("x" * 200, "column 5"),
        ("two\nlines", "column 5"),
        ("", "column 5"),
    ],
)
def test_names_that_may_be_data_are_not_shown(name, safe):
    """A column name that could be user data is replaced by the column's position."""
    assert shown(name, 4) == safe


def test_long_names_are_hidden_by_length():
    """A column name of a million digits is hidden because of its length alone."""
    assert shown("1" * 1_000_000 + "x", 0) == "column 1"


@pytest.mark.parametrize(
    "name, known",
    [
        ("email", True),
        ("email_2", True),
        ("email_9", True),
        ("email_10", False),
        ("email_1", False),
        ("gclid_2", False),
        ("custom_variable.Plan", True),
        ("custom_variable.", False),
        ("Email", False),
    ],
)
def test_is_field(name, known):
    """`is_field` accepts exactly the names that a profile may use for fields."""
    assert vocabulary_of(FIELDS).is_field(name) is known


@pytest.mark.parametrize(
    "header, unknown",
    [
        ("gclid,convertion_action", ["convertion_action (did you mean conversion_action?)"]),
        ("email,Close Date,glcid", ["glcid (did you mean gclid?)"]),
        ("email,Close Date,dclid", ["dclid"]),
        ("email,Close Date,DCLID", ["DCLID"]),
        ("gclid,Conversion Tme", ["Conversion Tme (did you mean conversion_date_time?)"]),
        ("gclid,Conversion Nmae", ["Conversion Nmae (did you mean conversion_action?)"]),
        ("gclid,Convrsion Valeue", ["Convrsion Valeue (did you mean conversion_value?)"]),
        ("gclid,Mailing Countri", ["Mailing Countri (did you mean country_code?)"]),
        ("email,Close Date,Deal Stage,Stage,Deal Name", ["Deal Stage", "Stage", "Deal Name"]),
        ("gclid,E-Mail Adress", ["E-Mail Adress (did you mean email?)"]),
        ("email,Close Date,e-mail adress", ["e-mail adress"]),
        ("gclid,Customer ID,Customer,Time Zone", ["Customer ID", "Customer", "Time Zone"]),
        ("email,Close Date,Contact ID,Contact Owner", ["Contact ID", "Contact Owner"]),
        ("email,gclid12345", ["column 2"]),
        ("gclid,Notizen,Betreuer", ["Notizen", "Betreuer"]),
    ],
)
def test_a_misspelled_column_gets_a_suggestion(header, unknown):
    """A suggestion is made unless the field has a column or the name is common in CRMs."""
    assert list(map_columns(header.split(","), {}).unknown) == unknown


@pytest.mark.parametrize(
    "header, field, unit",
    [
        ("Amount (USD)", "conversion_value", "USD"),
        ("Amount [usd]", "conversion_value", "USD"),
        ("Deal Value (€)", "conversion_value", "EUR"),
        ("Total (US$)", "conversion_value", "USD"),
        ("Amount in EUR", "conversion_value", "EUR"),
        ("revenue_eur", "conversion_value", "EUR"),
        ("Price - GBP", "conversion_value", "GBP"),
        ("Amount (ALL)", "conversion_value", "ALL"),
        ("Amount ($)", "conversion_value", None),
        ("Close Date (UTC)", "conversion_date_time", "UTC"),
        ("Close Date (America/New_York)", "conversion_date_time", "America/New_York"),
        ("Conversion Time (GMT+2)", "conversion_date_time", "GMT+2"),
        ("closed_at_utc", "conversion_date_time", "UTC"),
        ("Close Date (XYZT)", "conversion_date_time", "XYZT"),
        ("Google Ad Click-ID (GCLID)", "gclid", None),
        ("Klick-Kennung (GCLID)", "gclid", None),
        ("GCLID (Google Click ID)", "gclid", None),
        ("Lead GCLID", "gclid", None),
        ("Contact GBRAID", "gbraid", None),
        ("Email (Work)", "email", None),
        ("Phone (Mobile)", "phone", None),
    ],
)
def test_a_unit_in_a_header_is_understood(header, field, unit):
    """Brackets, a currency and a time zone in a header do not hide the field."""
    extra = "wbraid" if field != "wbraid" else "gclid"
    columns = map_columns([extra, header], {})
    assert columns.fields == {extra: 0, field: 1}
    assert columns.units == ({field: unit} if unit else {})
    assert columns.unclear == ()


@pytest.mark.parametrize(
    "header",
    [
        "Amount (thousands)",
        "Amount (000)",
        "Revenue (net)",
        "Close Date (expected)",
        "Date (MM/DD/YYYY)",
        "Time (DMY)",
        "Email (Owner)",
        "Phone (GCLID)",
        "Order ID (old)",
    ],
)
def test_an_unknown_unit_makes_a_column_unclear(header):
    """A column whose unit is not known is not used, and is named."""
    columns = map_columns(["gclid", header], {})
    assert columns.fields == {"gclid": 0}
    assert columns.unclear == columns.unknown == (header,)


@pytest.mark.parametrize("header", ["Value, all", "Total_top", "Owner (Email)", "Has GCLID (x)"])
def test_words_are_not_units(header):
    """Words that are also currency codes, and fields of another person, are not understood."""
    assert map_columns(["gclid", header], {}).fields == {"gclid": 0}


def test_a_column_with_a_unit_counts_only_without_a_plain_one():
    """A column with a unit never displaces a column without it, and is not unclear then."""
    columns = map_columns(["gclid", "value", "Amount (USD)", "Email (Owner)", "email"], {})
    assert columns.fields == {"gclid": 0, "conversion_value": 1, "email": 4}
    assert columns.unclear == ()
    assert columns.units == {}


@pytest.mark.parametrize(
    "header",
    [
        "Amount (USD),Amount (EUR)",
        "Betrag,Umsatz",
        "Währung,Währungscode",
        "Amount (USD),Amount (EUR),Betrag",
    ],
)
def test_several_less_clear_columns_for_one_field(header):
    """None of them is used, and they are named: a file that was accepted is not stopped."""
    columns = map_columns(["gclid", *header.split(",")], {})
    assert columns.fields == {"gclid": 0}
    (undecided,) = columns.undecided
    assert all(f'"{name}"' in undecided for name in header.split(",")[:2])


def test_a_unit_counts_in_a_column_that_the_profile_names():
    """The profile chooses the column, and its header still says the currency."""
    columns = map_columns(
        ["gclid", "Amount (USD)", "Amount (EUR)"], {"conversion_value": "Amount (EUR)"}
    )
    assert columns.units == {"conversion_value": "EUR"}


@pytest.mark.parametrize(
    "header, fields_of",
    [
        (
            "Datensatz-ID,Deal-Name,Vorname,Nachname,E-Mail-Adresse,Telefonnummer,Betrag,Währung,"
            "Abschlussdatum,Erstellungsdatum,Postleitzahl,Land/Region",
            "first_name last_name email phone conversion_value currency_code conversion_date_time "
            "postal_code country_code",
        ),
        (
            "Prénom,Nom,Adresse e-mail,Numéro de téléphone,Montant,Devise,Date de clôture,"
            "Date de création,Code postal,Pays",
            "first_name last_name email phone conversion_value currency_code conversion_date_time "
            "postal_code country_code",
        ),
        (
            "Nombre,Apellidos,Correo electrónico,Móvil,Importe,Moneda,Fecha de cierre,"
            "Fecha de creación,Código postal,País",
            "first_name last_name email phone conversion_value currency_code conversion_date_time "
            "postal_code country_code",
        ),
        (
            "Nome,Cognome,Indirizzo e-mail,Cellulare,Importo,Valuta,Data di chiusura,"
            "Data creazione,CAP,Paese",
            "first_name last_name email phone conversion_value currency_code conversion_date_time "
            "postal_code country_code",
        ),
        (
            "Voornaam,Achternaam,E-mailadres,Telefoonnummer,Bedrag,Valuta,Sluitingsdatum,"
            "Aanmaakdatum,Postcode,Land/regio",
            "first_name last_name email phone conversion_value currency_code conversion_date_time "
            "postal_code country_code",
        ),
        (
            "Primeiro nome,Sobrenome,Endereço de e-mail,Celular,Valor,Moeda,Data de fechamento,"
            "Data de criação,CEP,País",
            "first_name last_name email phone conversion_value currency_code conversion_date_time "
            "postal_code country_code",
        ),
        (
            "Deal - Title,Deal - Value,Deal - Currency,Deal - Won time,Deal - Deal created,"
            "Person - Email - Work,Person - Phone - Work",
            "conversion_value currency_code conversion_date_time email phone",
        ),
        (
            "Potential Customer,Actual Revenue,Actual Close Date,Est. Revenue,Est. Close Date,"
            "Created On,Email",
            "conversion_value conversion_date_time email",
        ),
        (
            "Tatsächlicher Umsatz,Tatsächliches Abschlussdatum,Geschätzter Umsatz,Erstellt am,"
            "E-Mail",
            "conversion_value conversion_date_time email",
        ),
    ],
)
def test_exports_of_crms_in_several_languages(header, fields_of):
    """Exports in six languages are mapped unchanged; a date of closing beats one of creation."""
    names = header.split(",")
    columns = map_columns(names, {})
    assert set(columns.fields) == set(fields_of.split())
    (chosen, *others) = columns.choices.get("conversion_date_time", [""])
    time = names[columns.fields["conversion_date_time"]]
    assert time in chosen or not others
    assert not any(word in time.lower() for word in ("creat", "cré", "creaz", "erstell", "aanma"))


def test_a_date_of_creation_is_the_last_resort():
    """Without another time, a date of creation is used, and named as a choice."""
    columns = map_columns(["gclid", "Created date (UTC)", "Owner"], {})
    assert columns.fields["conversion_date_time"] == 1
    assert columns.units == {"conversion_date_time": "UTC"}
    assert columns.choices == {"conversion_date_time": ('"Created date (UTC)" (column 2)',)}


@pytest.mark.parametrize(
    "header, chosen",
    [
        ("Create Date,Close Date", "Close Date"),
        ("Created At,Paid at", "Paid at"),
        ("Created date (UTC),Close Date (UTC)", "Close Date (UTC)"),
        ("Close Date (UTC),Conversion Date (UTC)", "Conversion Date (UTC)"),
        ("Erstellt am,Datum,Abschlussdatum", "Abschlussdatum"),
        ("timestamp,Close Date", "Close Date"),
    ],
)
def test_the_best_date_is_chosen_and_the_others_are_named(header, chosen):
    """Among less clear dates, the best one is used, and the choice names all of them."""
    names = ["gclid", *header.split(",")]
    columns = map_columns(names, {})
    assert names[columns.fields["conversion_date_time"]] == chosen
    first, *others = columns.choices["conversion_date_time"]
    assert first.startswith(f'"{chosen}"')
    assert len(others) == len(names) - 2


@pytest.mark.parametrize("header", ["Conversion Time,Create Date", "Close Date", "date,created"])
def test_a_clear_date_is_no_choice(header):
    """A conversion time, or a single date of closing, needs no note."""
    assert map_columns(["gclid", *header.split(",")], {}).choices == {}


@pytest.mark.parametrize(
    "header, fields_of",
    [
        ("email,Amount,Betrag", {"email": 0, "conversion_value": 1}),
        ("gclid,value,Umsatz,Deal-Wert", {"gclid": 0, "conversion_value": 1}),
        ("email,Nome,First Name,Nombre", {"email": 0, "first_name": 2}),
        ("email,Correo,Courriel", {"email": 0, "email_2": 1, "email_3": 2}),
    ],
)
def test_names_of_crms_never_displace_another_name(header, fields_of):
    """A name from a CRM export counts only if no other name is for its field."""
    assert map_columns(header.split(","), {}).fields == fields_of


def test_a_name_without_its_accents_is_less_clear():
    """A French column beside an English one of the same field is the second one, no duplicate."""
    columns = map_columns(["gclid", "Téléphone", "Tél", "Telephone"], {})
    assert columns.fields == {"gclid": 0, "phone": 3, "phone_2": 1, "phone_3": 2}


def test_accents_make_no_difference():
    """Accents count neither where they are composed nor where they are omitted."""
    for name in ("Téléphone", "Te\u0301le\u0301phone", "TELEPHONE"):
        assert map_columns(["gclid", name], {}).fields["phone"] == 1


def test_suggestions_for_a_wide_header_are_bounded():
    """A header of 1,000 columns takes no longer than one of 100, as only 100 are compared."""
    unknown = map_columns(["gclid", *["convertion_action"] * 1000], {}).unknown
    assert "did you mean" in unknown[0]
    assert "did you mean" not in unknown[-1]


def test_a_misspelled_identifying_column():
    """The file error contains the suggestion, because a refused header gets no notes."""
    with pytest.raises(SourceError) as error:
        map_columns(["glcid", "conversion_date_time"], {})
    assert error.value.code == "NO_USABLE_COLUMN"
    assert error.value.detail.endswith("unknown columns: glcid (did you mean gclid?)")


def test_a_single_column_may_mean_another_delimiter():
    """The error asks about the delimiter and does not quote the line, which could be a row."""
    with pytest.raises(SourceError) as error:
        map_columns(["gclid~email~conversion_date_time"], {})
    assert error.value.code == "NO_HEADER"
    assert "if the delimiter is not a comma, semicolon, tab or pipe" in error.value.detail
    assert "gclid~" not in error.value.detail
