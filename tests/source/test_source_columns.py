"""Which column means which field."""

from __future__ import annotations

import pytest

from lib.source.columns import map_columns, shown
from lib.source.errors import SourceError
from lib.source.fields import FIELDS, field_of, header_key, is_field

GOOGLE = (
    "Google Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency,"
    "Order ID,Email,Phone Number,Ad User Data,Ad Personalization"
)
HUBSPOT = "Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Amount,Close Date"
SALESFORCE = (
    "Id,FirstName,LastName,Email,Phone,MobilePhone,Google_Click_ID__c,CloseDate,Amount,"
    "CurrencyIsoCode,MailingStreet,MailingCity,MailingState,MailingPostalCode,MailingCountry"
)
# Contract of the file: the canonical names, which are header names too.
CANONICAL_NAMES = (
    "gclid gbraid wbraid email phone hashed_email hashed_phone_number first_name last_name street "
    "city region postal_code country_code conversion_action conversion_date_time time_zone "
    "conversion_value currency_code order_id ad_user_data ad_personalization "
    "conversion_environment customer_type user_ip_address session_attributes_encoded "
    "session_attributes_key_value_pairs merchant_id feed_country_code feed_language_code "
    "local_transaction_cost items external_attribution_credit external_attribution_model "
    "customer_id event_source"
)
CANONICAL = CANONICAL_NAMES.split()


def fields(header, **own):
    names = header.split(",")
    return {field: names[index] for field, index in map_columns(names, own).fields.items()}


def test_catalogue():
    """The catalogue holds the canonical fields, each with a description and names of its own."""
    assert [field.name for field in FIELDS] == CANONICAL
    assert all(field.description.endswith(".") for field in FIELDS)
    names = [(header_key(alias), field.name) for field in FIELDS for alias in field.aliases]
    names += [(header_key(alias), field.name) for field in FIELDS for alias in field.fallbacks]
    for key, name in names:
        meaning = field_of(key)
        assert meaning is not None
        assert meaning[0] == name, key


SPELLED_ONLY = ("customer_id", "time_zone")


@pytest.mark.parametrize("name", [name for name in CANONICAL if name not in SPELLED_ONLY])
@pytest.mark.parametrize(
    "spelled", [str, str.upper, str.title, lambda name: name.replace("_", " ") + " :"]
)
def test_canonical_names(name, spelled):
    """Canonical names are found whatever their case and punctuation."""
    extra = "wbraid" if name == "gclid" else "gclid"
    assert fields(f"{extra},{spelled(name)}")[name] == spelled(name)


def test_google_template():
    """Google's template maps whole."""
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
    """A HubSpot export maps as it comes; its second phone is a second identifier."""
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
    """A Salesforce export maps as it comes, custom fields with their suffix `__c` too."""
    columns = map_columns(SALESFORCE.split(","), {})
    assert columns.unknown == ("Id",)
    mapped = (
        "first_name last_name email phone phone_2 gclid conversion_date_time conversion_value "
        "currency_code street city region postal_code country_code"
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
    """The names that CRMs and public templates use, and numbered columns."""
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
def test_namesakes_of_a_numbered_field_are_numbered(header, mapped):
    """Two columns "Phone Number" are two phone numbers, also where the profile names them."""
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
        ("email,Billing Street,Mailing Street", "street", "Mailing Street"),
        ("email,IP,IP Address", "user_ip_address", "IP Address"),
    ],
)
def test_one_of_several_addresses_is_chosen(header, field, chosen):
    """A contact's and an account's address in one export don't stop the file."""
    names = header.split(",")
    columns = map_columns(names, {})
    assert names[columns.fields[field]] == chosen
    assert len(columns.unknown) == 1


@pytest.mark.parametrize(
    "header", ["Amount Currency", "value currency", "Order Currency", "Transaction Currency"]
)
def test_the_currency_of_an_amount_is_known(header):
    """Salesforce exports it beside every amount."""
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
def test_a_contacts_time_zone_is_not_the_conversions(header, known):
    """CRMs have a column of that name; a profile can say that it's the right one."""
    assert ("time_zone" in map_columns(["gclid", header], {}).fields) is known
    assert "time_zone" in map_columns(["gclid", header], {"time_zone": header}).fields


@pytest.mark.parametrize("header", ["name", "id", "Email 0", "Email 17", "gclid 2", "notes", "%"])
def test_unknown_columns(header):
    """Columns whose name says too little are named as unknown."""
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


def test_profile_headers_win():
    """A profile's header is the field's; a column with an alias is then just unknown."""
    header = ["Klick", "gclid", "Betrag", "email"]
    columns = map_columns(header, {"gclid": ("klick",), "conversion_value": ["Wert", "BETRAG"]})
    assert columns.fields == {"gclid": 0, "conversion_value": 2, "email": 3}
    assert columns.unknown == ("gclid",)


def test_profile_header_of_another_field():
    """A profile can give a column whose name is an alias to another field."""
    assert fields("gclid,date,order date", conversion_date_time="order date", order_id="date") == {
        "gclid": "gclid",
        "conversion_date_time": "order date",
        "order_id": "date",
    }


def test_profile_header_missing_from_the_file():
    """Where a profile's header doesn't occur, the aliases still count."""
    assert fields("gclid,amount", conversion_value="Betrag")["conversion_value"] == "amount"


def test_profile_header_twice():
    """Two columns with the profile's names for one field stop the file as well."""
    with pytest.raises(SourceError, match="DUPLICATE_COLUMN"):
        fields("gclid,a,b", email=["a", "b"])


def test_vague_names_yield():
    """A vague name counts only while nothing better means the field."""
    assert fields("gclid,Close Date")["conversion_date_time"] == "Close Date"
    columns = map_columns(["gclid", "Close Date", "Conversion Time", "value", "amount"], {})
    assert columns.unknown == ("Close Date", "value")


@pytest.mark.parametrize(
    "header",
    ["conversion_value,order_id", "date,first_name,last_name", "Conversion Name,notes"],
)
def test_no_usable_column(header):
    """A file by which no click and no person can be found is refused with what is known of it."""
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
    """A file without a header is refused without repeating anything of its first row."""
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
    """Only a name that can't be user data is repeated; another is called by its position."""
    assert shown(name, 4) == safe


def test_long_names_take_no_time():
    """A header of one endless digit string is judged by its length alone."""
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
    """Which names a profile may use as fields."""
    assert is_field(name) is known


@pytest.mark.parametrize(
    "header, known",
    [
        ("customer_id", True),
        ("Google Ads Customer ID", True),
        ("Customer ID", False),
        ("CustomerId", False),
        ("CUSTOMER_ID", False),
    ],
)
def test_a_crms_customer_number_is_no_account(header: str, known: bool) -> None:
    """Rows must not go to the Google Ads account that happens to have a CRM's customer number."""
    assert ("customer_id" in map_columns(["gclid", header], {}).fields) is known


@pytest.mark.parametrize(
    "header, unknown",
    [
        ("gclid,convertion_action", ["convertion_action (did you mean conversion_action?)"]),
        ("email,glcid", ["glcid (did you mean gclid?)"]),
        ("gclid,Conversion Tme", ["Conversion Tme (did you mean conversion_date_time?)"]),
        ("gclid,E-Mail Adress", ["E-Mail Adress (did you mean email?)"]),
        ("email,e-mail adress", ["e-mail adress"]),
        ("gclid,Customer ID,Customer,Time Zone", ["Customer ID", "Customer", "Time Zone"]),
        ("email,Contact ID,Contact Owner", ["Contact ID", "Contact Owner"]),
        ("email,gclid12345", ["column 2"]),
        ("gclid,Datum,Betrag", ["Datum", "Betrag"]),
    ],
)
def test_a_misspelt_column_is_noted_with_what_was_meant(header, unknown):
    """Not where another column holds the field, nor where the CRM means something of its own."""
    assert list(map_columns(header.split(","), {}).unknown) == unknown


def test_suggestions_for_a_wide_header_are_bounded():
    """A thousand columns cost no more than a hundred."""
    unknown = map_columns(["gclid", *["convertion_action"] * 1000], {}).unknown
    assert "did you mean" in unknown[0]
    assert "did you mean" not in unknown[-1]


def test_the_column_that_should_identify_may_be_misspelt():
    """The error of the file says so, as there is no note on a header that is refused."""
    with pytest.raises(SourceError) as error:
        map_columns(["glcid", "conversion_date_time"], {})
    assert error.value.code == "NO_USABLE_COLUMN"
    assert error.value.detail.endswith("not known: glcid (did you mean gclid?)")


def test_one_column_is_perhaps_another_delimiter():
    """Nothing of the line itself is said: it may be a row."""
    with pytest.raises(SourceError) as error:
        map_columns(["gclid~email~conversion_date_time"], {})
    assert error.value.code == "NO_HEADER"
    assert "is the delimiter a comma, semicolon, tab or pipe?" in error.value.detail
    assert "gclid~" not in error.value.detail
