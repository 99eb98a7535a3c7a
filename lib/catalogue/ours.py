"""Our own codes: kind (see `lib.catalogue.codes`), meaning, what to do."""

from typing import Final

_SHOWN = "Open the file at the lines shown"

TABLE: Final[dict[str, tuple[str, str, str]]] = {
    # Identifiers
    "INVALID_EMAIL": (
        "warning",
        "An e-mail address isn't one: it needs exactly one @ with something on both sides, and "
        "nothing around it. It was left out.",
        "Write one bare address in a cell, further ones into a column email_2, or leave it empty. "
        "The row is still sent if it has a click id or another identifier.",
    ),
    "INVALID_PHONE": (
        "warning",
        "A phone number can't be one in its country: too short, too long, or without its area "
        "code. It was left out.",
        "Write it with + and the country code, or correct it, or leave it empty.",
    ),
    "PHONE_MAYBE_INTERNATIONAL": (
        "warning",
        "A phone number without + begins with its country's own calling code. It was taken for a "
        "number within the country, as it would be dialled there.",
        "Write + before the country code.",
    ),
    "PHONE_REGION_MISSING": (
        "warning",
        "A phone number has no + and country code, and nothing says in which country it is, or its "
        "country can't be read. It was left out, because a guess would match other people.",
        "Add a country column or correct its cell, or set phone_region in the profile.",
    ),
    "INVALID_DIGEST": (
        "warning",
        "A hashed column holds something that isn't a SHA-256 digest of 64 hex digits, or the "
        "digest of an empty cell. It was left out.",
        "Put raw values into the email and phone columns, where they're hashed; leave it empty if "
        "there is none.",
    ),
    "INVALID_NAME": (
        "warning",
        "A given or family name is empty. The address was left out.",
        "Fill in all of first name, last name, country and postal code, or none.",
    ),
    "EMPTY_POSTAL_CODE": (
        "warning",
        "The postal code is empty. The address was left out.",
        "Fill in all of first name, last name, country and postal code, or none.",
    ),
    "INVALID_REGION": (
        "warning",
        "The country isn't one of ISO 3166-1 (two letters, such as US).",
        "Write the country's two-letter code.",
    ),
    "ADDRESS_INCOMPLETE": (
        "warning",
        "An address needs first name, last name, country and postal code. It was left out.",
        "Fill in all four, or none.",
    ),
    "TOO_MANY_IDENTIFIERS": (
        "warning",
        "The row has more user identifiers than Google takes. The first ones were sent.",
        "Keep the best ones: at most five for Google Ads, ten for the Data Manager API.",
    ),
    "INVALID_CLICK_ID": (
        "warning",
        "A click id holds white space, a place holder such as null, a number or a date, or "
        "characters that no click id has. It was left out.",
        "Check the export: the id must be stored as it stood in the landing page's address; leave "
        "it empty if there is none.",
    ),
    "UNREADABLE_FAILURE": (
        "failed",
        "Google refused the request partly, in a form that this version can't read, so none of its "
        "rows is called uploaded.",
        "Update the function; then drop the file again: rows that were counted end as duplicates.",
    ),
    "CLICK_IN_ACCOUNT": (
        "warning",
        "The account knows this click (asked because CHECK_CLICK_OWNERSHIP is on).",
        "Check that the conversion action belongs to this account and that the conversion lies "
        "within its look-back window.",
    ),
    "CLICK_NOT_IN_ACCOUNT": (
        "warning",
        "The account has no such click in the 30 days before the conversion (asked because "
        "CHECK_CLICK_OWNERSHIP is on).",
        "Send the row with the account that the ad belongs to.",
    ),
    "NO_CLICK_ID_OR_IDENTIFIER": (
        "rejected",
        "The row has no click id, e-mail address or phone number that can be used, so Google "
        "couldn't find the ad click. If it has one, its warning says why that was left out.",
        "Add a gclid, gbraid or wbraid, or an e-mail address or phone number.",
    ),
    "BOTH_BRAIDS": (
        "warning",
        "The row has both a gbraid and a wbraid, and Google takes one of them. Only the gbraid was "
        "sent.",
        "Keep the one that the landing page's address had.",
    ),
    "GCLID_AND_BRAID": (
        "warning",
        "The row has a gclid and a gbraid or wbraid. Only the gclid was sent.",
        "Nothing, unless the gclid is the wrong one.",
    ),
    "BRAID_ON_ONE_PER_CLICK": (
        "warning",
        "A gbraid or wbraid can't be used with a conversion action that counts one conversion "
        "per click. It was left out.",
        "Set the action's count to Every, or use another action for these rows. The row is still "
        "sent if it has an e-mail address or a phone number.",
    ),
    # Time
    "TIME_MISSING": (
        "rejected",
        "The row has no conversion time.",
        "Fill in when the conversion happened, with its time zone.",
    ),
    "INVALID_DATE": (
        "rejected",
        "The conversion time can't be read as a date and a time.",
        "Write it as 2026-11-24 14:05:07+01:00, or in another of the formats in docs/input.md. A "
        "number such as 46350.59 is how Excel stores a date: format the column as text or as a "
        "date before saving.",
    ),
    "DATE_WITHOUT_ZONE": (
        "rejected",
        "The conversion time has no time zone, and neither the file nor the profile has one.",
        "Set time_zone in the profile, or begin the file with Parameters:TimeZone=Area/City.",
    ),
    "DATE_ORDER_MISMATCH": (
        "rejected",
        "Dates seem to be day first (as in 20/11/2026), but day_first isn't set in the profile; or "
        "they seem to be month first, and it is. Rows that read both ways are held back too.",
        "Set day_first in the profile: true for 24/11/2026, false for 11/24/2026.",
    ),
    "UNKNOWN_TIME_ZONE": (
        "rejected",
        "The time zone isn't known.",
        "Write an IANA name such as America/Chicago, or an offset such as -05:00.",
    ),
    "UNKNOWN_ZONE_OF_FILE": (
        "note",
        "The time zone in the file's Parameters line isn't known. Rows whose time has no zone of "
        "its own, nor one in a time_zone column, were refused.",
        "Write Parameters:TimeZone= with an IANA name such as America/Chicago or an offset such as "
        "-0500, or take the line out: the profile's time_zone counts then.",
    ),
    "AMBIGUOUS_LOCAL_TIME": (
        "warning",
        "The local time happened twice, as clocks were set back. The first one was taken.",
        "Export times with their offset to be exact.",
    ),
    "NONEXISTENT_LOCAL_TIME": (
        "warning",
        "The local time was skipped, as clocks were set forward. The offset before the change "
        "was taken.",
        "Check the export's time zone.",
    ),
    "DATE_WITHOUT_TIME": (
        "warning",
        "The conversion has a date without a time; midnight was taken. Google refuses it if the "
        "click came later on that day.",
        "Export the time too, in the same column: a separate one isn't read.",
    ),
    "FUTURE_DATE": (
        "rejected",
        "The conversion time lies in the future.",
        "Check the date, the time zone of the file, and day_first in the profile if the day comes "
        "before the month.",
    ),
    "TOO_OLD": (
        "rejected",
        "The conversion is more than 90 days old; Google doesn't count it any more.",
        "Upload conversions sooner, best every day. If the date is a later one, set day_first in "
        "the profile.",
    ),
    "OLDER_THAN_LOOKBACK": (
        "warning",
        "The conversion is older than the look-back window of its conversion action. Google may "
        "refuse it as EXPIRED_EVENT, if the time from click to conversion is longer than that.",
        "Upload sooner, or lengthen the action's click-through window (at most 90 days).",
    ),
    # Value, order, words
    "INVALID_CONVERSION_VALUE": (
        "rejected",
        "The value isn't a number.",
        "Write a plain number such as 1234.50, or leave it empty: the action's own value counts "
        "then.",
    ),
    "NEGATIVE_VALUE": (
        "rejected",
        "The value is negative.",
        "Leave refunds out; they're adjustments, not conversions.",
    ),
    "DECIMAL_SIGN_MISMATCH": (
        "rejected",
        "The number is written with the other decimal sign than the profile says.",
        "Set decimal_comma in the profile: true for 1.234,50, false for 1,234.50.",
    ),
    "AMBIGUOUS_VALUE": (
        "rejected",
        "The value has three decimals, which its currency hasn't: it may be thousands.",
        "Write 1234 or 1.23, or set decimal_comma in the profile: true if 1.234 is a thousand and "
        "more, false if 1,234 is.",
    ),
    "CURRENCY_CONTRADICTS": (
        "rejected",
        "The currency beside the value isn't that of the row's currency column, or of the profile.",
        "Correct the one or the other, or give the file a currency column.",
    ),
    "INVALID_CURRENCY": (
        "rejected",
        "The currency isn't an ISO 4217 code in use.",
        "Write three letters, such as EUR, or leave it empty.",
    ),
    "ORDER_ID_LOOKS_LIKE_EMAIL": (
        "rejected",
        "The order id looks like an e-mail address; Google refuses personal data there.",
        "Export the order's own number, or leave it empty.",
    ),
    "ORDER_ID_LOOKS_LIKE_PHONE": (
        "rejected",
        "The order id looks like a phone number, or is the row's own; Google refuses personal data "
        "there.",
        "Export the order's own number, or leave it empty.",
    ),
    "ORDER_ID_PLACEHOLDER": (
        "warning",
        "The order id says that there is none (N/A, null, 0). It was left out, as all such rows "
        "would count as one order.",
        "Leave it empty.",
    ),
    "ORDER_ID_SHORTENED": (
        "rejected",
        "The order id is a number that a spreadsheet has shortened to the form 1.2E+11. Orders "
        "with the same first digits would count as one.",
        "Export again, and format the column as text before saving.",
    ),
    "ORDER_ID_TOO_LONG": (
        "rejected",
        "The order id is longer than 512 characters.",
        "Check that the column is the right one.",
    ),
    "INVALID_CONSENT": (
        "rejected",
        "The consent isn't Granted or Denied. The row was held back, because a denial that is "
        "misread would be a grant.",
        "Write Granted or Denied, or leave the cell empty.",
    ),
    "INVALID_CONVERSION_ENVIRONMENT": (
        "warning",
        "The conversion environment isn't APP or WEB. It was left out.",
        "Write APP or WEB, or leave the cell empty.",
    ),
    "INVALID_CUSTOMER_TYPE": (
        "warning",
        "The customer type isn't NEW or RETURNING. It was left out.",
        "Write NEW or RETURNING, or leave the cell empty.",
    ),
    "INVALID_EVENT_SOURCE": (
        "warning",
        "The event source isn't WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER. It was left out.",
        "Write one of them, or set event_source in the profile.",
    ),
    "INVALID_IP_ADDRESS": (
        "warning",
        "The IP address isn't one of version 4 or 6. It was left out.",
        "Export the address alone, without port or network mask.",
    ),
    "INVALID_SESSION_ATTRIBUTES": (
        "warning",
        "The session attributes can't be read. They were left out.",
        "Store what Google's script returns as it is, or key=value pairs with Google's keys.",
    ),
    "BOTH_SESSION_ATTRIBUTES": (
        "rejected",
        "The row has session attributes in both forms; Google takes one of them.",
        "Keep the encoded ones.",
    ),
    "INVALID_CART_ITEMS": (
        "warning",
        "The cart's items can't be read. It was left out.",
        "Write id:quantity:price;id:quantity:price, or a JSON list.",
    ),
    "MERCHANT_ID_NOT_NUMERIC": (
        "warning",
        "The Merchant Center id isn't a number. It was left out.",
        "Copy it from the top of the Merchant Center.",
    ),
    "INVALID_FEED_LANGUAGE": (
        "warning",
        "The language of the product feed isn't an ISO 639-1 code. It was left out.",
        "Write two letters, such as en.",
    ),
    "INVALID_ATTRIBUTION_CREDIT": (
        "warning",
        "The external attribution credit isn't a number from 0 to 1. It was left out.",
        "Write the click's share of the conversion, such as 0.5.",
    ),
    "INVALID_ATTRIBUTION_MODEL": (
        "warning",
        "The name of the external attribution model is empty or longer than 64 characters. "
        "It was left out.",
        "Write the model's name.",
    ),
    "CUSTOM_VARIABLE_LOOKS_LIKE_EMAIL": (
        "warning",
        "A custom variable holds an e-mail address; Google refuses personal data there. "
        "It was left out.",
        "Take it out of that column.",
    ),
    "CUSTOM_VARIABLE_LOOKS_LIKE_PHONE": (
        "warning",
        "A custom variable holds a phone number; Google refuses personal data there. "
        "It was left out.",
        "Take it out of that column.",
    ),
    "CUSTOM_VARIABLE_TOO_LONG": (
        "warning",
        "A custom variable is longer than 100 characters. It was left out.",
        "Shorten it.",
    ),
    "UNKNOWN_CUSTOM_VARIABLE": (
        "warning",
        "The account has no enabled custom variable of this name. It was left out.",
        "Create or enable it in Google Ads (Goals > Custom variables), or correct the column's "
        "name.",
    ),
    "CUSTOM_VARIABLES_WITH_IDENTIFIERS": (
        "rejected",
        "Google drops conversions that have custom variables beside e-mail addresses or phone "
        "numbers.",
        "Send these rows with one or the other.",
    ),
    "EXTERNAL_ATTRIBUTION_WITH_IDENTIFIERS": (
        "rejected",
        "External attribution can't stand beside e-mail addresses or phone numbers.",
        "Send these rows with one or the other.",
    ),
    "EXTERNAL_ATTRIBUTION_WITH_ORDER_ID": (
        "rejected",
        "External attribution can't stand beside an order id.",
        "Leave the order id of these rows empty.",
    ),
    "REPEATED_LINE": (
        "duplicate",
        "The row repeats an earlier line of the file: the same click and time, or the same order "
        "id, for the same conversion action.",
        "Nothing. If both are real, give each its own order id and time.",
    ),
    "REPEATED_WITH_OTHER_VALUE": (
        "duplicate",
        "The row repeats an earlier line of the file (the same click and time, or the same order "
        "id, for the same conversion action) with another value. Only the earlier one was sent.",
        "Export one row per order with the sum of its values, or give each line its own order id "
        "and time.",
    ),
    "REPEATED_REFUSED_LINE": (
        "rejected",
        "The row repeats an earlier line of the file (the same click and time, or the same order "
        "id, for the same conversion action). That line was refused, so neither was counted.",
        "Mend or remove that line, or drop this row in a file of its own.",
    ),
    # Action and account
    "ACTION_MISSING": (
        "rejected",
        "Neither the row nor the profile names a conversion action.",
        "Fill in the column conversion_action (Google's template calls it Conversion Name), or set "
        "conversion_action in the profile.",
    ),
    "UNKNOWN_ACTION": (
        "rejected",
        "The account has no conversion action of this name or id.",
        "Compare the name, letter by letter, with Goals > Conversions in Google Ads.",
    ),
    "ACTION_NAME_NOT_RESOLVABLE": (
        "rejected",
        "The conversion action is given by its name, and nobody can be asked for its id: the "
        "account's settings can't be read with these credentials, or the route is the Data Manager "
        "API, which has no such question.",
        "Write the action's numeric id (Google Ads shows it in the address of the action's page, "
        "as ctId), or give the credentials read access to the account.",
    ),
    "ACTION_NOT_ENABLED": (
        "rejected",
        "The conversion action is removed or hidden.",
        "Enable it in Google Ads, or name another one.",
    ),
    "ACTION_WRONG_TYPE": (
        "rejected",
        "The conversion action isn't one for imports from clicks.",
        "Create an action of the kind Import > Track conversions from clicks, and name that one.",
    ),
    "ROW_CUSTOMER_ID_MISSING": (
        "rejected",
        "The row's customer_id is empty, and the profile has none.",
        "Fill in the Google Ads account, or set customer_id in the profile.",
    ),
    "ROW_CUSTOMER_ID_INVALID": (
        "rejected",
        "The row's customer_id isn't a Google Ads account number.",
        "Write its ten digits, with or without dashes.",
    ),
    "TOO_MANY_ACCOUNTS": (
        "file",
        "The customer_id column names more Google Ads accounts than a file may have. It probably "
        "holds the CRM's own customer numbers.",
        "Rename the column, or split the file by account.",
    ),
    "CUSTOMER_ID_MISSING": (
        "file",
        "Nothing says which Google Ads account the file is for.",
        "Set customer_id in the profile, or add a customer_id column.",
    ),
    "CONVERSION_CUSTOMER_DIFFERS": (
        "note",
        "Conversions of this account are kept by its manager account; they were sent there.",
        "Nothing. To silence this, set customer_id to that account.",
    ),
    "ZONE_DIFFERS": (
        "note",
        "The file's time zone isn't the account's.",
        "Nothing, if the file's is right: every time is sent with its offset.",
    ),
    "PREFLIGHT_NOT_PERMITTED": (
        "note",
        "The account's settings couldn't be read, so they weren't checked before the upload.",
        "Give the credentials read access to the account. Until then conversion actions must be "
        "given by their ids, not by their names.",
    ),
    # The file, row by row
    "TOO_FEW_CELLS": (
        "rejected",
        "The line has fewer cells than the header.",
        f"{_SHOWN}: a delimiter or a quote is missing.",
    ),
    "TOO_MANY_CELLS": (
        "rejected",
        "The line has more cells than the header, or something below a column without a name at "
        "its end.",
        f"{_SHOWN}: a value with the delimiter inside needs quotes.",
    ),
    "UNCLOSED_QUOTE": (
        "rejected",
        "A quote opens on this line and never closes.",
        f"{_SHOWN} and close it; a quote inside quotes is written twice.",
    ),
    "BROKEN_QUOTING": (
        "rejected",
        "Something follows a closing quote within its cell.",
        f"{_SHOWN}; a quote inside quotes is written twice.",
    ),
    "UNDECODABLE": (
        "rejected",
        "The line holds bytes that aren't text in the file's encoding.",
        "Export the file as UTF-8, or set encoding in the profile.",
    ),
    "NUL_BYTE": (
        "rejected",
        "The line holds a NUL byte, which no text has.",
        "Export the file again; it may be damaged.",
    ),
    "CELL_TOO_LARGE": (
        "rejected",
        "A cell is larger than any value can be.",
        f"{_SHOWN}: a closing quote may be missing.",
    ),
    "RECORD_TOO_LONG": (
        "rejected",
        "The line is longer than any row can be.",
        f"{_SHOWN}: a closing quote or a line break may be missing.",
    ),
    # The file as a whole
    "EMPTY_FILE": ("file", "The file is empty.", "Check the export."),
    "NOT_TEXT": (
        "file",
        "The file isn't text: a workbook, an archive, a picture.",
        "Save it as CSV.",
    ),
    "CORRUPT_GZIP": (
        "file",
        "The compressed file is damaged or cut short.",
        "Compress it and upload it again.",
    ),
    "FILE_TOO_LARGE": (
        "file",
        "The file is larger than allowed, once uncompressed.",
        "Split it, or raise the limit (MAX_FILE_BYTES).",
    ),
    "UNKNOWN_ENCODING": (
        "file",
        "The profile's encoding doesn't exist.",
        "Correct encoding in the profile, or take it out: it's detected.",
    ),
    "UNKNOWN_DELIMITER": (
        "file",
        "The profile's delimiter can't be one.",
        "Correct delimiter in the profile, or take it out: it's detected.",
    ),
    "NO_HEADER": (
        "file",
        "The first line names no known column.",
        "Begin the file with column names (docs/input.md), and take out title lines above them. If "
        "your names are others, give them in the profile's headers.",
    ),
    "UNREADABLE_HEADER": (
        "file",
        "The line of column names can't be read: endless, undecodable, or with an open quote.",
        "Export the file again as CSV in UTF-8.",
    ),
    "TOO_MANY_COLUMNS": (
        "file",
        "The file has more columns than allowed.",
        "Export only the columns that are needed.",
    ),
    "DUPLICATE_COLUMN": (
        "file",
        "Two columns are for the same field.",
        "Rename or remove one. If their names differ, the profile's headers can say which one "
        "counts.",
    ),
    "NO_USABLE_COLUMN": (
        "file",
        "No column holds a click id, an e-mail address or a phone number.",
        "Add one (docs/input.md), or set headers in the profile.",
    ),
    "NO_TIME_COLUMN": (
        "file",
        "The file has no column for the conversion time.",
        "Add a column named conversion_date_time, or name yours in the profile's headers.",
    ),
    "NO_ROWS": ("file", "The file has column names and no rows.", "Check the export."),
    "STALE": (
        "file",
        "The file was still unfinished long after it arrived, and was given up. Rows that had "
        "been sent until then have their outcome; the others were not attempted.",
        "Find out why in the log (docs/operate.md), and drop the file again: rows that were "
        "counted already end as duplicates.",
    ),
    "SOURCE_GONE": (
        "file",
        "The file was deleted or overwritten before it could be read to its end.",
        "Upload it again under a new name; keep files until their results are there.",
    ),
    "UNKNOWN_COLUMNS": (
        "note",
        "Some columns aren't known and were ignored.",
        "If one of them is needed, correct its name, or give it in the profile's headers.",
    ),
    "CONSENT_NOT_STATED": (
        "note",
        "Neither the file nor the profile says whether people consented (ad_user_data). Google may "
        "not be able to attribute such conversions, and highly recommends to state it.",
        "Add a column ad_user_data with Granted or Denied. Where it is the same for everybody in "
        "the file, ad_user_data in the profile can state it.",
    ),
    "API_VERSION_ENDS_SOON": (
        "note",
        "Google will switch off the version of its API that this function uses.",
        "Deploy a release that uses a newer version before that day (docs/operate.md).",
    ),
    "MAYBE_SENT": (
        "note",
        "An earlier attempt at this file died. Some rows called not attempted may have reached "
        "Google before that.",
        "Drop the file again: rows that were counted end as duplicates.",
    ),
    "BLANK_RECORDS": ("note", "Blank lines were skipped.", "Nothing."),
    "ENCODING_GUESSED": (
        "note",
        "The file isn't UTF-8; it was read as Windows-1252. Letters with accents come out wrong if "
        "it is something else.",
        "Export as UTF-8, or set encoding in the profile.",
    ),
    "ADDRESS_COLUMNS_MISSING": (
        "note",
        "Names were not sent: an address needs columns for first name, last name, country and "
        "postal code.",
        "Add the columns that are missing, or nothing.",
    ),
    "ADDRESS_NOT_SENT": (
        "note",
        "Names and addresses were not sent: the Google Ads API takes only e-mail addresses and "
        "phone numbers here.",
        "Nothing. The Data Manager route uses them (destination in the profile).",
    ),
    "AD_PERSONALIZATION_NOT_SENT": (
        "note",
        "Consent to ad personalization was not sent: click conversions take ad_user_data only.",
        "Nothing. The Data Manager route sends it.",
    ),
    "EVENT_SOURCE_NOT_SENT": (
        "note",
        "The event source was not sent: the Google Ads API has no field for it.",
        "Nothing. The Data Manager route sends it.",
    ),
    "CONVERSION_ENVIRONMENT_NOT_SENT": (
        "note",
        "The conversion environment was not sent: the Data Manager API has no field for it.",
        "Nothing. The event source says something alike.",
    ),
    "EXTERNAL_ATTRIBUTION_NOT_SENT": (
        "note",
        "External attribution was not sent: the Data Manager API has no field for it.",
        "Use a conversion action without it, or the Google Ads API (destination in the profile).",
    ),
    # What the Data Manager API says later
    "COUNTED_LATER": (
        "note",
        "Google took these rows, but hasn't counted them yet, for a reason that passes: their ad "
        "clicks were less than 6 hours old, or something went wrong at Google.",
        "Nothing: they're sent again by themselves, and this document is replaced. Rows that were "
        "counted go with them, and count once.",
    ),
    "NOT_COUNTED": (
        "note",
        "Google took these rows, but when it processed them it didn't count them. It tells how "
        "many and why, not which.",
        "Read the codes of processing in this document, and correct their cause. Then drop the "
        "file again: what was counted counts once.",
    ),
    "NOT_SENT_AGAIN": (
        "note",
        "These rows shared a request with rows that Google didn't count yet, and couldn't be sent "
        "again with them: without an order id and a gclid Google might count them twice, or the "
        "file is gone, or Google refuses them now. Some of them may not be counted.",
        "Give rows an order id, or leave derive_order_id of the profile on.",
    ),
    # Settings, secrets, the platform
    "UNKNOWN_PROFILE": (
        "file",
        "No profile has the name of the folder that the file lies in.",
        "Move the file, or add the profile.",
    ),
    "INVALID_PROFILE": (
        "file",
        "The profile has mistakes; they're listed in the detail.",
        "Correct the profile.",
    ),
    "SECRET_NOT_SET": (
        "account",
        "No credentials for Google Ads are configured.",
        "Set GOOGLE_ADS_SECRET to the secret's version.",
    ),
    "SECRET_NOT_FOUND": (
        "account",
        "The secret with the Google Ads credentials doesn't exist, or its version is disabled.",
        "Correct GOOGLE_ADS_SECRET, or add a version.",
    ),
    "SECRET_NOT_READABLE": (
        "account",
        "The function may not read the secret with the Google Ads credentials.",
        "Give its service account roles/secretmanager.secretAccessor on that secret.",
    ),
    "SECRET_INVALID": (
        "account",
        "The secret isn't a usable google-ads.yaml.",
        "Store a complete google-ads.yaml as a new version.",
    ),
    "SECRET_MANAGER_UNAVAILABLE": (
        "transient",
        "Secret Manager didn't answer.",
        "Nothing; it's tried again.",
    ),
    "CREDENTIALS_REFUSED": (
        "account",
        "Google refused the credentials: expired, revoked, or of a deleted client.",
        "Make a new refresh token or key, and store it in the secret.",
    ),
    "CREDENTIALS_UNAVAILABLE": (
        "transient",
        "Google's token service didn't answer.",
        "Nothing; it's tried again.",
    ),
    "API_UNAVAILABLE": (
        "transient",
        "Google's API didn't answer, or not in time.",
        "Nothing; it's tried again.",
    ),
    "DAILY_QUOTA": (
        "transient",
        "The project's operations of the day are used up.",
        "Nothing; it's tried again. If it happens often, apply for a higher access level.",
    ),
    "STORAGE_FORBIDDEN": (
        "file",
        "The function may not read or write in a bucket.",
        "Give its service account access to the input, output and state buckets.",
    ),
    "STORAGE_UNAVAILABLE": (
        "transient",
        "Cloud Storage didn't answer.",
        "Nothing; it's tried again.",
    ),
    "LEASE_HELD": (
        "transient",
        "Another delivery of the same event is at work on the file.",
        "Nothing.",
    ),
    "LEASE_LOST": (
        "transient",
        "Another attempt took the file over.",
        "Nothing.",
    ),
    "DEADLINE": (
        "transient",
        "The time of this attempt was up; the next one goes on from where it stopped.",
        "Nothing.",
    ),
    # The Data Manager route
    "REFUSAL_NOT_LOCATED": (
        "deferred",
        "Google refused a request without naming a row, and the rows at fault weren't found within "
        "the requests that a chunk may cost. This row may well be good.",
        "Nothing; it will be sent again among fewer rows.",
    ),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": (
        "account",
        "The credentials weren't given access to the Data Manager API.",
        "Make a new refresh token with the scope https://www.googleapis.com/auth/datamanager, and "
        "store it in the secret (docs/data-manager.md).",
    ),
    "SERVICE_DISABLED": (
        "account",
        "The API isn't enabled in the Google Cloud project that the credentials belong to.",
        "Enable it there: gcloud services enable datamanager.googleapis.com (or "
        "googleads.googleapis.com for the other route).",
    ),
    "USER_PROJECT_DENIED": (
        "account",
        "The credentials may not use the Google Cloud project's quota.",
        "Give them roles/serviceusage.serviceUsageConsumer in that project.",
    ),
}
