"""Codes of this function: kind (`lib.catalogue.kinds`), meaning and action."""

from typing import Final

from lib.catalogue.kinds import (
    CodeText,
    account,
    deferred,
    duplicate,
    failed,
    file,
    not_attempted,
    note,
    rejected,
    superseded,
    transient,
    warning,
)
from lib.catalogue.texts import (
    COMPLETE_CLICK_ID,
    COUNT_EVERY,
    ENABLE_VARIABLE,
    IF_IT_LASTS,
    LONGER_WINDOW,
    NEW_CREDENTIALS,
    PLAIN_VALUES,
    RETRIED_AUTOMATICALLY,
    UPDATE_FUNCTION,
    VALUE_OF_EACH,
)
from lib.model.adjustment_types import ADJUSTMENT_TYPES

# What to do about several codes
_FILE_AGAIN = "the file again: nothing counts twice."
_DATE_ORDER = (
    'Write "date_order": "DMY" in the profile if 03/04/2026 means 3 April, or "date_order": "MDY" '
    "if it means March 4."
)
_DECIMAL_SIGN = (
    'Write "decimal_sign": "," in the profile for numbers such as 1.234,50, or "decimal_sign": '
    '"." for numbers such as 1,234.50.'
)
_ENCODING = (
    'Export the file as UTF-8, or write its encoding in the profile, for example "encoding": '
    '"windows-1252".'
)
_CLICK_ACTION = "Use a conversion action of the type Import > Track conversions from clicks."
_MEANINGS = [f"{each.word} if {each.meaning}" for each in ADJUSTMENT_TYPES.values()]
_READ_ACCESS = "ask your engineer to let the credentials read the account in the Google Ads API."
_GO_TO_LINE = "Open the file at the line shown"

TABLE: Final[dict[str, CodeText]] = {
    # Click IDs, email addresses, phone numbers, addresses
    "NO_CLICK_ID_OR_IDENTIFIER": rejected(
        "The row has no click ID, email address or phone number that can be used.",
        "Add a click ID, an email address or a phone number. If there is none, delete the row "
        "from this file: Google cannot count it. The Data Manager API also accepts a complete "
        "postal address, an IP address or session attributes.",
    ),
    "INVALID_CLICK_ID": warning(
        "The click ID cannot be a real one: it has spaces, an ellipsis (...) or fewer than ten "
        "characters, or is a number, a date, words or a placeholder. It is left out.",
        COMPLETE_CLICK_ID,
    ),
    "SEVERAL_CLICK_IDS": warning(
        "The row has several click IDs, of which Google takes one: the gclid, or else the gbraid.",
        "No action needed, unless another one is right. Then leave only that one in the row.",
    ),
    "BRAID_ON_ONE_PER_CLICK": warning(
        "The conversion action counts one conversion per click, so it does not accept a gbraid or "
        "wbraid. It is left out.",
        COUNT_EVERY,
    ),
    "INVALID_EMAIL": warning(
        "The email address is not valid. It is left out.",
        "Write one email address in the cell, and nothing else. A second one needs a column of "
        "its own (email_2).",
    ),
    "INVALID_PHONE": warning(
        "The phone number is not valid for its country. It is left out.",
        "Correct the number, or write it with + and the country code.",
    ),
    "PHONE_MAYBE_INTERNATIONAL": warning(
        "The phone number has no +, but begins with the calling code of its country. It is sent "
        "as a national number.",
        "Write + before the number if it begins with the country code. Otherwise no action is "
        "needed.",
    ),
    "PHONE_REGION_MISSING": rejected(
        "The phone number has no country code, and its country is not known.",
        'Write the country in the profile, for example "phone_region": "US", or name the column '
        "of the country under columns. If the row states a country, correct it.",
    ),
    "INVALID_DIGEST": warning(
        "The hash is not a SHA-256 hash, or it is the hash of an empty cell. It is left out.",
        PLAIN_VALUES,
    ),
    "TOO_MANY_IDENTIFIERS": warning(
        "The row has more email addresses, phone numbers and postal addresses than Google "
        "accepts. Only the first ones are sent.",
        "Keep the best ones: at most five for the Google Ads API, ten for the Data Manager API.",
    ),
    "ADDRESS_INCOMPLETE": warning(
        "The postal address is incomplete. It is left out.",
        "Fill in first name, last name, country and postal code. Or leave the names and the "
        "postal code empty.",
    ),
    "INVALID_REGION": warning(
        "The country is not known. It is not used for the address or the phone number.",
        "Write its two-letter code, such as US. For phone numbers, a calling code such as +1 will "
        "do.",
    ),
    "INVALID_IP_ADDRESS": warning(
        "The IP address is not valid. It is left out.",
        "Export the IP address alone, without a port or a network mask.",
    ),
    "INVALID_SESSION_ATTRIBUTES": warning(
        "The session attributes cannot be read. They are left out.",
        "Export the value exactly as Google's script created it, or as key=value pairs with "
        "Google's keys.",
    ),
    "BOTH_SESSION_ATTRIBUTES": rejected(
        "The row has session attributes in two forms, and Google accepts only one.",
        "Keep session_attributes_encoded, and leave session_attributes_key_value_pairs empty.",
    ),
    "INVALID_USER_AGENT": warning(
        "The user agent is too long or has unprintable characters, so it is left out.",
        "Export it exactly as the browser sends it, or leave the cell empty.",
    ),
    # Time
    "TIME_MISSING": rejected(
        "The row has no time in this column.",
        "Fill in the time of the conversion, of the call, or of the adjustment.",
    ),
    "INVALID_DATE": rejected(
        "The date and time cannot be read.",
        "Write it as 2026-11-24 14:05. If it is a number such as 46350.59, format the column as "
        "a date before saving the spreadsheet.",
    ),
    "DATE_WITHOUT_ZONE": rejected(
        "The time has no time zone, and neither the file nor the profile names one.",
        'Write the time zone in the profile, for example "time_zone": "America/Chicago".',
    ),
    "DATE_ORDER_MISMATCH": rejected(
        "The date has another order of day and month than the profile says.",
        "Write the date with the year first, such as 2026-11-20.",
        if_most=_DATE_ORDER,
    ),
    "DATE_ORDER_UNDECLARED": rejected(
        "The date can be read in two ways, and the profile does not say whether the day or the "
        "month comes first.",
        _DATE_ORDER,
    ),
    "UNKNOWN_TIME_ZONE": rejected(
        "The time zone of the row is not known.",
        "Write a name such as America/Chicago, or an offset such as -05:00.",
    ),
    "UNKNOWN_ZONE_OF_FILE": note(
        "The time zone in the first line of the file (Parameters) is not known, so times without "
        "one of their own are rejected.",
        "Correct it, or remove it to use time_zone of the profile.",
    ),
    "CLOCKS_CHANGED": warning(
        "The clocks were changed at this time, so it occurs twice that day, or not at all. The "
        "offset from before the change is used.",
        "Export times with their offset, such as -05:00.",
    ),
    "DATE_WITHOUT_TIME": warning(
        "The cell has a date without a time, so midnight is used. Google refuses conversions that "
        "come before their ad click.",
        "Export the time too, or name its column as time_of_day in the profile.",
    ),
    "INVALID_TIME_OF_DAY": warning(
        "The time of day cannot be read, so midnight is used. Google refuses conversions that "
        "come before their ad click.",
        "Write it as 14:05:07 or 2:05 PM. If it is a number such as 0.5868, format the column "
        "as a time before saving the spreadsheet.",
        if_most=(
            "Check which column the profile names as time_of_day. If its cells are numbers such "
            "as 0.5868, format it as a time before saving the spreadsheet."
        ),
    ),
    "FUTURE_DATE": rejected(
        "The conversion time is in the future.",
        "Correct the date: day and month may be swapped.",
        if_most="Check time_zone and date_order in the profile.",
    ),
    "TOO_OLD": rejected(
        "The conversion is more than 90 days old, so Google no longer counts it.",
        "Upload conversions sooner, ideally every day. If the date is wrong, correct it: day and "
        "month may be swapped.",
        if_most=(
            "Upload conversions sooner, ideally every day. If the dates are wrong, check "
            "date_order in the profile."
        ),
    ),
    "OLDER_THAN_LOOKBACK": warning(
        "The conversion is older than the conversion window of its conversion action, so Google "
        "may refuse it.",
        LONGER_WINDOW,
    ),
    # Value and order ID
    "VALUE_MISSING": rejected(
        "The value is empty. Google would count the default value of the conversion action.",
        "Fill in the value.",
        if_most=(
            'Write "value": "action_default" in the profile if an empty cell means that default '
            "value."
        ),
    ),
    "INVALID_CONVERSION_VALUE": rejected(
        "The value is not a number.",
        "Write a plain number, such as 1234.50. If the cell shows an error such as #REF!, correct "
        "the formula.",
    ),
    "NEGATIVE_VALUE": rejected(
        "The value is negative.",
        'Write the value of a sale as a positive number. For refunds, add an entry with "send": '
        '"retraction" to conversions in the profile.',
    ),
    "DECIMAL_SIGN_MISMATCH": rejected(
        "The number has another decimal sign than the profile says.",
        "Write the number like in the other rows.",
        if_most=_DECIMAL_SIGN,
    ),
    "DECIMAL_SIGN_UNDECLARED": rejected(
        "The number can be read in two ways, such as 1,234 as a little more than one, or as more "
        "than a thousand. The profile does not say which is meant.",
        _DECIMAL_SIGN,
    ),
    "INVALID_CURRENCY": rejected(
        "The currency is not known.", "Write its three-letter code, such as EUR."
    ),
    "CURRENCY_CONTRADICTS": rejected(
        "The currency beside the value differs from the currency column or the profile.",
        "Correct one of the two.",
        if_most="Correct currency_code in the profile.",
    ),
    "AMBIGUOUS_CURRENCY": rejected(
        "The sign beside the value, such as $ or kr, stands for several currencies.",
        'Write the currency in the profile, for example "currency_code": "USD", or name its '
        "column under columns.",
    ),
    "ORDER_ID_IS_PERSONAL": rejected(
        "The order ID looks like an email address or a phone number. Google refuses personal data "
        "in order IDs.",
        "Export the order number instead, or leave the cell empty.",
    ),
    "ORDER_ID_SHORTENED": rejected(
        "A spreadsheet has shortened the order ID, as in 1.2E+11, so different orders would count "
        "as one.",
        "Format the column as text, and export the file again.",
    ),
    "ORDER_ID_TOO_LONG": rejected(
        "The order ID is longer than 512 characters.",
        "Check which column the profile names as order_id.",
    ),
    # Consent and other columns
    "INVALID_CONSENT": rejected(
        "The consent is neither Granted nor Denied. The row is rejected, because a misread "
        "refusal would count as consent.",
        "Write Granted or Denied, or leave the cell empty.",
    ),
    "UNKNOWN_WORD": warning(
        "The word in the cell is not one that Google knows, so it is left out.",
        "Write APP or WEB as conversion_environment; NEW, RETURNING or REENGAGED as "
        "customer_type; WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER as event_source. Or leave the "
        "cell empty.",
        if_most=(
            "Check which column the profile names for this field. The same event_source for all "
            'rows is written in the profile, for example "event_source": "PHONE".'
        ),
    ),
    "WORD_NOT_SENT": warning(
        "This destination does not know the word in the cell, so it is left out.",
        'No action needed. If you need it, use another destination, such as "destination": '
        '"data_manager" in the profile.',
    ),
    "INVALID_CART_ITEMS": warning(
        "The cart items cannot be read, so the cart data is left out.",
        "Write them as id:quantity:price;id:quantity:price, or as a JSON list with product_id, "
        "quantity and unit_price.",
    ),
    "MERCHANT_ID_NOT_NUMERIC": warning(
        "The Merchant Center ID is not a number, so it is left out.",
        "Copy the ID from the top of the page in Merchant Center.",
    ),
    "INVALID_FEED_LANGUAGE": warning(
        "The language of the product feed is not known, so it is left out.",
        "Write its two-letter code, such as en.",
    ),
    "CUSTOM_VARIABLE_IS_PERSONAL": warning(
        "A custom variable looks like an email address or a phone number. It is left out, because "
        "Google refuses personal data there.",
        "Remove the personal data from that column.",
    ),
    "CUSTOM_VARIABLE_TOO_LONG": warning(
        "A custom variable is longer than 100 characters, so it is left out.",
        "Shorten it to at most 100 characters.",
    ),
    "UNKNOWN_CUSTOM_VARIABLE": warning(
        "The account has no enabled custom variable with this name, so it is left out.",
        ENABLE_VARIABLE,
    ),
    "CUSTOM_VARIABLES_WITH_IDENTIFIERS": rejected(
        "The row has custom variables, and also email addresses or phone numbers. Google drops "
        "such conversions.",
        "Export the custom variables, or the email addresses and phone numbers, but not both.",
    ),
    # Which rows, and repeated ones
    "NO_ENTRY_FITS": rejected(
        "The profile does not say what such a row is: no entry fits it, and skip does not list it.",
        "Correct the profile with init FILE --profiles PROFILES: change the answer Rows. Or add "
        "the row's value yourself: under skip if such rows are not sent, or under rows in an entry "
        "of conversions.",
    ),
    "FILTER_KEEPS_NO_ROW": note(
        "The profile skips every row of the file.",
        "Compare the values under skip in the profile with the file. If it contains conversions, "
        f"correct the profile, and upload {_FILE_AGAIN}",
    ),
    "REPEATED_LINE": duplicate(
        "The row repeats an earlier line of the file: it has the same conversion action, and the "
        "same order ID or click and time.",
        "No action needed. If both are real conversions, give each one its own order ID and time.",
    ),
    "REPEATED_WITH_OTHER_VALUE": duplicate(
        "The row repeats an earlier line of the file, but with another value. Only the earlier "
        "line is sent.",
        "Export one row per order, with its whole value, or give each line its own order ID and "
        "time. If the value of an order has changed, send an adjustment.",
    ),
    "REPEATED_REFUSED_LINE": rejected(
        "The row repeats an earlier line of the file that is rejected, so neither of them counts.",
        "Correct or remove the earlier line, or upload this row in a separate file.",
    ),
    "CLICK_AND_TIME_ALREADY_USED": failed(
        "Google already has a conversion with this click and time, and counts only one. It may be "
        "another order of the click, or this order from an earlier file.",
        "Give this order its own conversion time, such as one second later, and upload it again. "
        "If Google already has this order, no action is needed.",
    ),
    "OLDER_THAN_CORRECTION": superseded(
        "Another refund or change of the same conversion counts instead of this row: a later one, "
        "or a retraction, which is final.",
        "No action needed. If that change is wrong, upload another one with a later time. A "
        "retraction cannot be undone.",
    ),
    "AWAITS_CONVERSIONS": deferred(
        "A refund or change waits until Google has answered the sales of this file.",
        RETRIED_AUTOMATICALLY,
    ),
    # Conversion action and account
    "ACTION_MISSING": rejected(
        "Neither the profile nor the row names a conversion action.",
        "Fill in the conversion action.",
        if_most='Write the conversion action in the profile, for example "action": "1001".',
    ),
    "UNKNOWN_ACTION": rejected(
        "The account has no conversion action with this name or ID.",
        "Copy its name from Google Ads (Goals > Conversions) into the row or the profile.",
        if_most=(
            "Copy its name from Google Ads (Goals > Conversions). Then run init FILE --profiles "
            "PROFILES, and change the answer Action."
        ),
    ),
    "ACTION_NAME_NOT_RESOLVABLE": rejected(
        "The conversion action cannot be looked up by its name, because the credentials cannot "
        "read the account in the Google Ads API.",
        "Write its ID instead, the number after ctId= in the address of its page in Google Ads. "
        f"Or {_READ_ACCESS}",
    ),
    "ACTION_NOT_ENABLED": rejected(
        "The conversion action was removed or is hidden.",
        "Enable it in Google Ads, or name another conversion action.",
    ),
    "ACTION_WRONG_TYPE": rejected(
        "The type of the conversion action does not fit the row.",
        f"{_CLICK_ACTION} Conversions from calls need the type Import > Track conversions from "
        'calls, and "send": "call" in their entry of conversions. An adjustment needs the '
        "conversion action of its conversion; those of calls cannot be adjusted.",
    ),
    "ACTION_OF_TAG": rejected(
        "The tag on your website counts this conversion action, so an uploaded sale could count "
        "twice.",
        f"{_CLICK_ACTION} If the file adds data to what the tag counts, use the Data Manager API "
        'and write "source": "web" in the profile.',
    ),
    "ACTION_NOT_OF_TAG": rejected(
        'The profile has "source": "web", but no tag on a website counts this conversion action.',
        "Use the conversion action of the tag, or remove source from the profile.",
    ),
    "TAG_ORDER_ID_MISSING": rejected(
        "The tag on your website counts this conversion action. Google finds its conversions only "
        "by their order ID, and the row has none.",
        "Add the order ID that the tag on your website sends as the transaction ID.",
    ),
    "ACTION_USES_DEFAULT_VALUE": rejected(
        "The row changes the value of a conversion, but its conversion action always uses the "
        "default value.",
        VALUE_OF_EACH,
    ),
    "CONVERSION_CUSTOMER_DIFFERS": note(
        "The manager account tracks the conversions of this account, so they are sent to the "
        "manager account.",
        "No action needed. To remove this note, write the manager account as customer_id in the "
        "profile.",
    ),
    "ZONE_DIFFERS": note(
        "The time zone of the file differs from the time zone of the account.",
        "Check that the time zone of the file is right. If it is, no action is needed.",
    ),
    "ACCOUNT_NOT_LOOKED_UP": note(
        "The conversion action could not be looked up in Google Ads, so its type and status were "
        "not checked.",
        "Check its type in Google Ads: if the tag on your website counts it, these conversions "
        f"count twice. To let the function check it, {_READ_ACCESS}",
    ),
    # Adjustments
    "INVALID_ADJUSTMENT_TYPE": rejected(
        "The row does not say of which type the adjustment is.",
        f"Write {', or '.join(_MEANINGS)}.",
    ),
    "ADJUSTED_VALUE_MISSING": rejected(
        "The row restates a conversion, but has no new value.",
        "Fill in the new total value. If the conversion no longer counts, write RETRACT.",
    ),
    "RETRACTION_WITH_VALUE": rejected(
        "The row retracts a conversion, but also has a new value. A retraction is final, so the "
        "row is not sent.",
        "Clear the new value to retract the conversion, or write RESTATE to change its value.",
    ),
    "ADJUSTED_ON_THAT_DAY": warning(
        "The adjustment time is a date without a time, so the end of that day is used (for today, "
        "the time of the upload).",
        "Export the time too: of two adjustments on one day, it is not certain which one counts.",
    ),
    "RESTATED_TO_ZERO": warning(
        "The new value is 0. Google ignores later adjustments of this conversion.",
        "No action needed. If the conversion must not count at all, send a retraction instead.",
    ),
    "ADJUSTS_NO_CONVERSION": rejected(
        "The row does not say which conversion it adjusts.",
        "Add the order ID of the conversion. If it was sent without one, add its gclid and its "
        "conversion time.",
    ),
    "TIMES_CONTRADICT": rejected(
        "The conversion is earlier than its call, or later than its adjustment.",
        "Correct the times, and check the time zone of both columns.",
    ),
    "ADJUSTED_TOO_LATE": rejected(
        "The conversion is more than 54 days old, so Google no longer adjusts it.",
        "Upload adjustments sooner. The value of this conversion can no longer be changed.",
        is_too_late=True,
    ),
    "ADJUSTMENT_NEEDS_ORIGINAL": rejected(
        "This destination restates a conversion by sending it again, so the row needs the order "
        "ID and all data of the sale. Other errors, if any, say what is wrong with them.",
        'Add the order ID and the data of the sale, or set "adjustments_via": "google_ads" in the '
        "profile.",
    ),
    "ADJUSTMENT_FILE": file(
        "The file contains adjustments, which this destination cannot send. Nothing is sent.",
        'Set "adjustments_via": "google_ads" in the profile.',
    ),
    # Calls
    "INVALID_CALLER_ID": rejected(
        "The row has no valid phone number of the caller, so Google cannot match the call.",
        "Write the number with + and the country code. If there is none, leave out the row.",
    ),
    "CALLER_ID_HASHED": rejected(
        "The phone number of the caller is hashed, but Google matches calls by the plain number.",
        "Export the plain number.",
    ),
    "CALL_FILE": file(
        "The file contains conversions from phone calls, which this destination cannot send. "
        "Nothing is sent.",
        "Use a profile with another destination. If the phone numbers are the customers' own, "
        "name their column as phone in the profile.",
    ),
    # Lines of the file
    "WRONG_NUMBER_OF_CELLS": rejected(
        "The line has fewer or more cells than the header.",
        f"{_GO_TO_LINE}: a delimiter or a quotation mark may be missing. A value that contains "
        "the delimiter must be in quotation marks.",
    ),
    "UNCLOSED_QUOTE": rejected(
        "A quotation mark opens on this line and is never closed, or the lines up to the one that "
        "closes it look like rows.",
        f"{_GO_TO_LINE}, and close the quotation mark. If it is right, replace the line breaks in "
        "the cell with spaces.",
    ),
    "INSIDE_QUOTES": rejected(
        "The line is inside the quotation marks of the rejected row above, so it may be a row or "
        "part of a cell.",
        "Correct the row above.",
    ),
    "BROKEN_QUOTING": rejected(
        "A cell has text after its closing quotation mark.",
        f"{_GO_TO_LINE}, and write each quotation mark inside a cell twice.",
    ),
    "UNDECODABLE": rejected(
        "The line contains characters that cannot be read in the file's encoding.",
        "Correct the unreadable characters, and save the file as UTF-8.",
        if_most=_ENCODING,
    ),
    "NUL_BYTE": rejected(
        "The line contains a NUL byte, which never occurs in text files.",
        "Export the file again; it may be damaged.",
    ),
    "RECORD_TOO_LONG": rejected(
        "A cell is longer than 32,767 characters, or the row is longer than one million.",
        f"{_GO_TO_LINE}: a closing quotation mark or a line break may be missing.",
    ),
    "UNTERMINATED_LAST_LINE": deferred(
        "The last line of the file has no line end, so the upload may have broken off there. The "
        "row waits for 10 minutes, and is then sent, unless the file has been uploaded again.",
        "No action needed. If your files always end like this, end the last line.",
    ),
    "PLACEHOLDERS": note(
        "Some cells contain a placeholder, such as N/A, null or -, instead of a value.",
        "Correct the export if these values exist. Otherwise no action is needed.",
    ),
    "REPORT_FOOTER": note(
        "The file ends with the footer of a report, such as a total. It is left out.",
        "No action needed; it contains no conversions.",
    ),
    # The file as a whole
    "EMPTY_FILE": file("The file has no rows.", "Check the export."),
    "FILE_NAME_NOT_ACCEPTED": file(
        "The file name does not end in an accepted suffix, so the file is not opened.",
        "Upload a file whose name ends in .csv, .tsv, .txt or .xlsx, or in .csv.gz if it is "
        "compressed.",
    ),
    "NOT_TEXT": file(
        "The file is neither CSV nor an Excel workbook (.xlsx), whatever its name is.",
        "Open it in Excel and save it as .xlsx or CSV, or export it again as CSV.",
    ),
    "ENCRYPTED_WORKBOOK": file(
        "The workbook is protected with a password.",
        "Remove the password in Excel, and upload the file again.",
    ),
    "CORRUPT_FILE": file(
        "The workbook or the compressed file is damaged or incomplete.",
        "Save or compress it again, and upload the new file.",
    ),
    "WORKBOOK_TOO_LARGE": file(
        "The workbook is larger than allowed (about 200,000 rows).",
        "Save the sheet as CSV: a CSV file may have millions of rows.",
    ),
    "SHEET_NOT_FOUND": file(
        "The workbook has no sheet with the name in the profile.",
        "Correct sheet in the profile, or remove it to read the first sheet.",
    ),
    "SHEETS_NOT_READ": note(
        "The workbook has other sheets. Only its first sheet is read.",
        "Write the name of another sheet as sheet in the profile if the conversions are there.",
    ),
    "FILE_TOO_LARGE": file(
        "The file is larger than allowed.",
        "Split the file, or ask your engineer to raise MAX_FILE_LINES or MAX_FILE_BYTES. If it is "
        "compressed row by row, compress it as a whole.",
    ),
    "ENCODING_GUESSED": note(
        "The file is not UTF-8, so it is read as Windows-1252. If that is wrong, letters with "
        "accents are wrong.",
        _ENCODING,
    ),
    "NO_HEADER": file(
        "None of the first 50 lines has half of the column names that the profile says.",
        "Compare the names under columns in the profile with the file. If the file has no column "
        "names, export it with them.",
    ),
    "COLUMN_MISSING": file(
        "The file lacks columns that it must have.",
        "Export the file again with these columns. Or ask your engineer to correct their names in "
        "the profile, or to list a field under optional if files may lack its column, or to remove "
        "it from columns if no file has it.",
    ),
    "UNREADABLE_HEADER": file(
        "The line with the column names cannot be read.", "Export the file again as CSV in UTF-8."
    ),
    "TOO_MANY_COLUMNS": file(
        "The file has more columns than allowed.", "Export only the columns that are needed."
    ),
    "DUPLICATE_COLUMN": file(
        "Two columns have the same name, or names of the same field, so it is not certain which "
        "one counts.",
        "Rename or remove one of them, or name another column in the profile.",
    ),
    "NO_USABLE_COLUMN": file(
        "No column contains a click ID, an email address, a phone number, or another value that "
        "identifies the click or the person.",
        "Add such a column, or name yours under columns in the profile.",
    ),
    "ADDRESS_COLUMNS_MISSING": note(
        "Names and postal codes are not sent, because a postal address needs first name, last "
        "name, country and postal code.",
        "Add the missing columns if you want to send postal addresses. Otherwise no action is "
        "needed.",
    ),
    "COLUMN_NOT_SENT": note(
        "This destination cannot send some of the columns, so they are left out.",
        'No action needed. If you need them, use another destination, such as "destination": '
        '"data_manager" in the profile.',
    ),
    "CONSENT_NOT_STATED": note(
        "Neither the file nor the profile states consent, so Google may not be able to use the "
        "conversions.",
        "Name the column with the consent under columns in the profile (ad_user_data), or write "
        '"ad_user_data": '
        '"GRANTED" if everybody in the file has agreed.',
    ),
    # What became of the file
    "STALE": file(
        "The file was still unfinished a week after it arrived, so it was stopped. Rows that were "
        "processed before keep their outcome.",
        f"Ask your engineer for the cause in the log of the function. Then upload {_FILE_AGAIN}",
    ),
    "NO_PROGRESS": file(
        "Several attempts to process the file ended without a result, so it was stopped. Rows "
        "that were "
        "processed before keep their outcome; the others are not counted here.",
        "Check the file for damage and for very long lines, or split it. Then upload "
        f"{_FILE_AGAIN}",
    ),
    "SOURCE_GONE": file(
        "The file was deleted or overwritten before it was completely read.",
        "Upload it again under a new name, and keep files in the bucket until their results are "
        "there.",
    ),
    "CHECKSUM_MISMATCH": file(
        "What was read from Cloud Storage differs from what is stored there. If rows were sent, "
        "their values may be wrong.",
        f"Upload {_FILE_AGAIN} If it happens again, ask your engineer what is between the "
        "function and Cloud Storage.",
    ),
    "MAYBE_SENT": note(
        "An earlier attempt to process the file was interrupted. Some rows that are not counted "
        "here may have reached Google before that.",
        f"Upload {_FILE_AGAIN}",
    ),
    "SUPERSEDED": not_attempted(
        "A newer upload has replaced this version of the file, or its unfinished last line.",
        "No action needed; the results of the newer version have the rows.",
    ),
    "LEASE_HELD": transient(
        "Another attempt is already processing the file.", RETRIED_AUTOMATICALLY
    ),
    "LEASE_LOST": transient("Another attempt has taken over the file.", RETRIED_AUTOMATICALLY),
    "DIED": transient(
        "An attempt to process the file crashed, or was ended from outside.",
        "No action needed; the next attempt continues where this one stopped. After five in a row, "
        "the file is stopped.",
    ),
    "DEADLINE": transient(
        "The time of this attempt is over. The next attempt continues where this one stopped.",
        IF_IT_LASTS,
    ),
    "SHUTDOWN": transient(
        "Cloud Run ended the function. The next attempt continues where this one stopped.",
        RETRIED_AUTOMATICALLY,
    ),
    "NEWER_VERSION": transient(
        "A newer version of the function has saved what this version cannot read.",
        "No action needed during a deployment: the newer version continues with the file. If it "
        "lasts, ask your engineer to deploy the newer version again.",
    ),
    "STATE_UNREADABLE": transient(
        "The function cannot read a document in which it saves the state of a file, because "
        "somebody has changed it. The file waits; all other files go on.",
        "Ask your engineer to restore the document that the detail names, or else to delete it. "
        "Then the file is sent again, and Google counts each row once.",
    ),
    # What Google says later
    "ANSWER_INCOMPLETE": failed(
        "Google's answer says nothing about this row, so it may or may not be counted. The rest of "
        "the file was not sent.",
        "Wait a day, and look in Google Ads whether conversions of this file have arrived. Then "
        "upload the file again: Google recognizes the rows that it has counted.",
    ),
    "UNREADABLE_FAILURE": failed(
        "Google refused part of the request, but this version of the function cannot read which "
        "rows. Rows that Google did not confirm are reported as failed.",
        f"{UPDATE_FUNCTION} Then upload {_FILE_AGAIN}",
    ),
    "REFUSAL_NOT_LOCATED": deferred(
        "Google refused a request without naming the faulty rows, and they have not been found "
        "yet. This row may be valid.",
        RETRIED_AUTOMATICALLY,
    ),
    "ROWS_NOT_NAMED": deferred(
        "Google has not counted some of the rows that were sent with this one, and does not say "
        "which. This row may be one of them.",
        f"{RETRIED_AUTOMATICALLY} A row that is already counted still counts once.",
    ),
    "NOT_SENT_AGAIN": warning(
        "Google did not count some of the rows that were sent with this one, and does not say "
        "which. This row could not be sent again: it might count twice, or its file is gone, or "
        "Google refuses it now.",
        'Add order IDs to the rows, or keep "derive_order_id": true in the profile.',
    ),
    "NOT_COUNTED": note(
        "Google accepted these rows, but did not count them later. It says how many and why, but "
        "not which ones.",
        "Read the codes under processing in the results, and correct their causes. Then upload "
        f"{_FILE_AGAIN}",
    ),
    "NEARLY_NO_MATCHES": note(
        "Google found an ad click for nearly none of the rows without a click ID.",
        "Check phone_region in the profile, and which columns it names as email and phone. If "
        "these contain hashes, export the original values instead.",
    ),
    "SUPPORT_ENDS_SOON": note(
        "Google will soon stop supporting what the function uses. From that day on, without its "
        "API version no upload works, and its Python version gets no security updates.",
        "Ask your engineer to update the function before that day.",
    ),
    # Settings, secrets, the platform
    "UNKNOWN_PROFILE": file(
        "No profile has the name of the file's first folder.",
        "Upload the file into a folder that has a profile, such as the one that is named here. Or "
        "ask your engineer to add a profile with the name of the folder.",
    ),
    "INVALID_PROFILE": file("The profile is not valid.", "Correct the profile."),
    "SECRET_NOT_FOUND": account(
        "The secret with the Google Ads credentials is not configured, does not exist, or its "
        "version is disabled.",
        "Ask your engineer to store the credentials in the secret, and to write its version in "
        "GOOGLE_ADS_SECRET.",
    ),
    "SECRET_NOT_READABLE": account(
        "The function may not read the secret with the Google Ads credentials.",
        "Ask your engineer to give the function's service account the role "
        "roles/secretmanager.secretAccessor on that secret.",
    ),
    "SECRET_INVALID": account(
        "The secret does not contain a usable google-ads.yaml.",
        "Ask your engineer to store a complete google-ads.yaml as a new version of the secret.",
    ),
    "SECRET_MANAGER_UNAVAILABLE": transient("Secret Manager does not respond.", IF_IT_LASTS),
    "CREDENTIALS_REFUSED": account(
        "Google refuses the credentials: they have expired or were revoked.", NEW_CREDENTIALS
    ),
    "CREDENTIALS_UNAVAILABLE": transient("Google's token service does not respond.", IF_IT_LASTS),
    "API_UNAVAILABLE": transient("Google's API does not respond in time.", IF_IT_LASTS),
    "DAILY_QUOTA": transient(
        "Google's quota for the day is used up.",
        f"{RETRIED_AUTOMATICALLY} If it happens often, apply to Google for a higher quota.",
    ),
    "STORAGE_FORBIDDEN": file(
        "The function may not read from or write to a bucket.",
        "Ask your engineer to give the function's service account the permission that the detail "
        "names. If it names a key, a retention policy or a hold, that must be changed.",
    ),
    "BUCKET_NOT_FOUND": file(
        "A bucket of the function does not exist.",
        "Ask your engineer to create the bucket again, or to correct INPUT_BUCKET, OUTPUT_BUCKET "
        "or STATE_BUCKET.",
    ),
    "STORAGE_UNAVAILABLE": transient("Cloud Storage does not respond.", IF_IT_LASTS),
}
