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
from lib.catalogue.texts import IF_IT_LASTS, NEW_CREDENTIALS, RETRIED_AUTOMATICALLY

TITLE: Final = "This function"

_GO_TO_LINE = "Open the file at the line shown"
_WRITE_QUOTE_TWICE = "Write a quotation mark inside quotation marks twice."
_FILL_IN_ADDRESS = (
    "Fill in first name, last name, country and postal code, or leave the names and the postal "
    "code empty."
)
_FILE_AGAIN = "the file again: rows that are already counted come back as duplicates."
_SUPPORTED_BY_DATA_MANAGER = (
    'No action needed. To send it, use a destination that supports it, such as "destination": '
    '"data_manager" in the profile.'
)

TABLE: Final[dict[str, CodeText]] = {
    # Identifiers
    "INVALID_EMAIL": warning(
        "The email address is not valid: it needs exactly one @ with text on both sides, and no "
        "other text. It is left out.",
        "Write one email address in the cell, and a second one into a column email_2, or leave the "
        "cell empty. The row is still sent if it has a click ID or another identifier.",
    ),
    "INVALID_PHONE": warning(
        "The phone number is not valid for its country: it is too short, too long or has no area "
        "code. The number is left out.",
        "Write the number with + and the country code, correct it, or leave the cell empty.",
    ),
    "PHONE_MAYBE_INTERNATIONAL": warning(
        "Ambiguous: the phone number has no +, but begins with its own country's calling code. It "
        "is sent as a national number, as it would be dialed within the country.",
        "Write + before the number if it begins with the country code. Otherwise no action is "
        "needed.",
    ),
    "PHONE_REGION_MISSING": rejected(
        "The phone number does not begin with + and a country code, and neither the row nor the "
        "profile says of which country it is. A guess would match other people.",
        'Write the country in the profile (for example "phone_region": "US"), or name its column '
        "under columns.",
    ),
    "INVALID_DIGEST": warning(
        "The hashed value is not a SHA-256 hash (64 hexadecimal digits), or it is the hash of an "
        "empty cell. It is left out.",
        "Put the original values into the email and phone columns, where they are hashed before "
        "they are sent. Leave the cell empty if there is no value.",
    ),
    "INVALID_NAME": warning(
        "The first or last name is empty. The postal address is left out.",
        _FILL_IN_ADDRESS,
    ),
    "EMPTY_POSTAL_CODE": warning(
        "The postal code is empty. The postal address is left out.",
        _FILL_IN_ADDRESS,
    ),
    "INVALID_REGION": warning(
        "The country is not a valid ISO 3166-1 country code (two letters, such as US). It is not "
        "used.",
        "Write the country's two-letter code, such as US.",
    ),
    "ADDRESS_INCOMPLETE": warning(
        "The postal address is incomplete: it needs first name, last name, country and postal "
        "code. The postal address is left out.",
        _FILL_IN_ADDRESS,
    ),
    "TOO_MANY_IDENTIFIERS": warning(
        "The row has more user identifiers (email addresses, phone numbers, postal address) than "
        "the API accepts. Only the first ones are sent.",
        "Keep the best ones: at most five for the Google Ads API, ten for the Data Manager API.",
    ),
    "INVALID_CLICK_ID": warning(
        "The click ID is not valid: it contains white space or wrong characters, has fewer than "
        "ten, or is a number, a date, words or a placeholder such as null. It is left out.",
        "Check that the export keeps the complete click ID, exactly as in the landing page URL. "
        "Leave the cell empty if there is no click ID.",
    ),
    "CLICK_ID_CUT_OFF": warning(
        "The click ID was cut off: it contains an ellipsis (...). It is left out.",
        "Export the whole click ID, and check that the field that stores it has room for it.",
    ),
    "UNREADABLE_FAILURE": failed(
        "Google refused part of the request, but this version of the software cannot read which "
        "rows. Rows that Google did not confirm are reported as failed.",
        "Ask the engineer who deployed the function to update the software. Then upload "
        f"{_FILE_AGAIN}",
    ),
    "NO_CLICK_ID_OR_IDENTIFIER": rejected(
        "The row has no usable click ID, email address or phone number, so Google cannot find the "
        "ad click. If it contains one, a warning says why it is left out.",
        "Add a click ID (gclid, gbraid or wbraid), an email address or a phone number. With the "
        "Data Manager API, you can also add a complete postal address, an IP address or session "
        "attributes.",
    ),
    "BOTH_BRAIDS": warning(
        "The row has both a gbraid and a wbraid, but Google accepts only one of them. Only the "
        "gbraid is sent.",
        "Keep the one from the landing page URL, and remove the other.",
    ),
    "GCLID_AND_BRAID": warning(
        "The row has a gclid and also a gbraid or wbraid. Only the gclid is sent.",
        "No action needed, unless the gclid is the wrong one.",
    ),
    "BRAID_ON_ONE_PER_CLICK": warning(
        "A gbraid or wbraid cannot be used with a conversion action that counts one conversion per "
        "click. It is left out. The row is still sent if it has another identifier.",
        'Set the count of the conversion action to "Every" in Google Ads, or use another '
        "conversion action for these rows.",
    ),
    # Time
    "TIME_MISSING": rejected(
        "The row has no conversion time.",
        "Fill in the conversion time with its time zone.",
    ),
    "INVALID_DATE": rejected(
        "The conversion time cannot be read as a date and time.",
        "Write it as in the other rows, or as 2026-11-24 14:05. A "
        "number such as 46350.59 is how Excel stores a date: format the column as text or as a "
        "date before saving.",
    ),
    "DATE_WITHOUT_ZONE": rejected(
        "The conversion time has no time zone, and neither the file nor the profile sets one.",
        'Set the time zone in the profile (for example "time_zone": "America/Chicago"), or begin '
        "the file with the line Parameters:TimeZone=America/Chicago.",
    ),
    "DATE_ORDER_MISMATCH": rejected(
        "The date does not have the order of day and month that the profile says (date_order).",
        "Write the date with the year first, such as 2026-11-20.",
        if_most='Write "date_order": "DMY" in the profile if 03/04/2026 means 3 April, or '
        '"date_order": "MDY" if it means March 4.',
    ),
    "DATE_ORDER_UNDECLARED": rejected(
        "The date can be read in two orders of day and month, and the profile does not say which.",
        'Write "date_order": "DMY" in the profile if 03/04/2026 means 3 April, or "date_order": '
        '"MDY" if it means March 4.',
    ),
    "UNKNOWN_TIME_ZONE": rejected(
        "The time zone of the row is not known.",
        "Write an IANA name such as America/Chicago, or an offset such as -05:00.",
    ),
    "UNKNOWN_ZONE_OF_FILE": note(
        "The time zone in the file's Parameters line is not known. Rows are rejected if neither "
        "their conversion time nor a time_zone column gives a time zone.",
        "Write an IANA name such as America/Chicago or an offset such as -0500. Or remove it to "
        "use the profile's time_zone.",
    ),
    "AMBIGUOUS_LOCAL_TIME": warning(
        "Ambiguous: this local time occurs twice, because the clocks were set back. The earlier "
        "one is used.",
        "Export conversion times with their UTC offset, such as -05:00.",
    ),
    "NONEXISTENT_LOCAL_TIME": warning(
        "This local time does not exist, because the clocks were set forward. The UTC offset from "
        "before the change is used.",
        "Check the time zone of the export.",
    ),
    "DATE_WITHOUT_TIME": warning(
        "The conversion time is a date without a time of day, so midnight is used. Google refuses "
        "the conversion if the ad click happened later on that day.",
        "Export the time too, in the same column, or name its column as time_of_day in the "
        "profile.",
    ),
    "INVALID_TIME_OF_DAY": warning(
        "The cell cannot be read as a time of day, so midnight is used. Google refuses the "
        "conversion if the ad click happened later on that day.",
        "Write it as 14:05:07 or 2:05 PM. A number such as 0.5868 is how Excel stores a time: "
        "format the column as text or as a time before saving.",
        if_most="Remove time_of_day from columns in the profile if the column does not contain "
        "times of day. If they are numbers such as 0.5868, format the column as text or as a time "
        "before saving.",
    ),
    "FUTURE_DATE": rejected(
        "The conversion time is in the future.",
        "Correct the date. Day and month may be swapped.",
        if_most="Check time_zone and date_order in the profile, or the time zone in the file.",
    ),
    "TOO_OLD": rejected(
        "The conversion is more than 90 days old, so Google no longer counts it.",
        "Correct the date if the actual one is more recent: day and month may be swapped. Upload "
        "conversions sooner, ideally every day.",
        if_most="Upload conversions sooner, ideally every day. If the actual dates are more "
        "recent, day and month are swapped: check date_order in the profile.",
    ),
    "OLDER_THAN_LOOKBACK": warning(
        "The conversion is older than the click-through conversion window of its conversion "
        "action. Google may refuse it (EXPIRED_EVENT), because the window begins at the click.",
        "Upload conversions sooner, ideally every day. Or lengthen the click-through conversion "
        "window in Google Ads (at most 90 days).",
    ),
    # Values, order IDs, fixed words
    "INVALID_CONVERSION_VALUE": rejected(
        "The value is not a number.",
        "Write a plain number, such as 1234.50. If the cell shows an error such as #REF!, correct "
        "the formula in the spreadsheet.",
    ),
    "NEGATIVE_VALUE": rejected(
        "The value is negative.",
        "Write the value of the sale as a positive number. A refund adjusts a conversion, and is "
        "none itself: write an entry of conversions with "
        '"send": "retraction" for such rows in the profile.',
    ),
    "DECIMAL_SIGN_MISMATCH": rejected(
        "The number does not have the decimal sign that the profile says (decimal_sign).",
        "Write the number as in the other rows.",
        if_most='Write "decimal_sign": "," in the profile for numbers such as 1.234,50, or '
        '"decimal_sign": "." for numbers such as 1,234.50.',
    ),
    "DECIMAL_SIGN_UNDECLARED": rejected(
        "The number can be read in two ways: 1.234 and 1,234 may have three decimals, or be a "
        "thousand and more. The profile does not say which.",
        'Write "decimal_sign": "." in the profile if 1,234 means one thousand two hundred and '
        'thirty-four, or "decimal_sign": "," if 1.234 means that.',
    ),
    "VALUE_MISSING": rejected(
        "The value is empty. Google would count the default value of the conversion action.",
        "Fill in the value.",
        if_most='Write "value": "action_default" in the profile if an empty cell means the value '
        "of the conversion action.",
    ),
    "CURRENCY_CONTRADICTS": rejected(
        "The currency written next to the value differs from the currency in the row's currency "
        "column or in the profile.",
        "Correct one of the two.",
        if_most="Correct currency_code in the profile.",
    ),
    "AMBIGUOUS_CURRENCY": rejected(
        "The sign next to the value, such as $ or kr, is used for several currencies, and neither "
        "the row nor the profile says which.",
        'Write the currency in the profile (for example "currency_code": "USD"), or name its '
        "column under columns.",
    ),
    "INVALID_CURRENCY": rejected(
        "The currency is not a current ISO 4217 code or name.",
        "Write the currency's three-letter code, such as EUR. An empty cell means the currency of "
        "the profile, or else that of the account.",
    ),
    "ORDER_ID_LOOKS_LIKE_EMAIL": rejected(
        "The order ID looks like an email address. Google refuses personal data in order IDs.",
        "Export the order number instead, or leave the cell empty.",
    ),
    "ORDER_ID_LOOKS_LIKE_PHONE": rejected(
        "The order ID looks like a phone number, or it is the phone number of the row. Google "
        "refuses personal data in order IDs.",
        "Export the order number instead, or leave the cell empty.",
    ),
    "ORDER_ID_SHORTENED": rejected(
        "The order ID is a number that a spreadsheet has shortened, such as 1.2E+11. Orders with "
        "the same first digits would count as one.",
        "Export the file again, and format the column as text before saving.",
    ),
    "ORDER_ID_TOO_LONG": rejected(
        "The order ID is longer than 512 characters.",
        "Check that the column contains order IDs.",
    ),
    "INVALID_CONSENT": rejected(
        "The consent cannot be read as Granted or Denied. The row is rejected, because a misread "
        "denial would count as consent.",
        "Write Granted or Denied, or leave the cell empty.",
    ),
    "INVALID_CONVERSION_ENVIRONMENT": warning(
        "The conversion environment is not APP or WEB. It is left out.",
        "Write APP or WEB, or leave the cell empty.",
    ),
    "INVALID_CUSTOMER_TYPE": warning(
        "The customer type is not NEW, RETURNING or REENGAGED. It is left out.",
        "Write one of these words, or leave the cell empty.",
    ),
    "INVALID_USER_AGENT": warning(
        "The user agent is too long, or it has characters that cannot be printed. It is left out.",
        "Export the user agent as the browser sends it, or leave the cell empty.",
    ),
    "WORD_NOT_SENT": warning(
        "This destination does not have the word in the cell, so it is left out.",
        _SUPPORTED_BY_DATA_MANAGER,
    ),
    "INVALID_EVENT_SOURCE": warning(
        "The event source is not WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER. It is left out.",
        "Write one of these words, or leave the cell empty.",
        if_most="Remove event_source from columns in the profile, and write one for all rows (for "
        'example "event_source": "PHONE").',
    ),
    "INVALID_IP_ADDRESS": warning(
        "The IP address is not a valid IPv4 or IPv6 address. It is left out.",
        "Export the IP address alone, without a port or a network mask.",
    ),
    "INVALID_SESSION_ATTRIBUTES": warning(
        "The session attributes cannot be read. They are left out.",
        "Store the value from Google's script unchanged, or write key=value pairs with the keys "
        "that Google defines.",
    ),
    "BOTH_SESSION_ATTRIBUTES": rejected(
        "The row has session attributes in both forms, but Google accepts only one of them.",
        "Keep session_attributes_encoded, and leave session_attributes_key_value_pairs empty.",
    ),
    "INVALID_CART_ITEMS": warning(
        "The cart items cannot be read. The cart data is left out.",
        "Write the items as id:quantity:price;id:quantity:price, or as a JSON list of objects with "
        "product_id, quantity and unit_price.",
    ),
    "MERCHANT_ID_NOT_NUMERIC": warning(
        "The Merchant Center ID is not a number. It is left out.",
        "Copy the ID from the top of the page in Merchant Center.",
    ),
    "INVALID_FEED_LANGUAGE": warning(
        "The language of the product feed is not an ISO 639-1 code. It is left out.",
        "Write two letters, such as en.",
    ),
    "CUSTOM_VARIABLE_LOOKS_LIKE_EMAIL": warning(
        "A custom variable contains an email address. It is left out, because Google refuses "
        "personal data in custom variables.",
        "Remove the email address from that column.",
    ),
    "CUSTOM_VARIABLE_LOOKS_LIKE_PHONE": warning(
        "A custom variable contains a phone number. It is left out, because Google refuses "
        "personal data in custom variables.",
        "Remove the phone number from that column.",
    ),
    "CUSTOM_VARIABLE_TOO_LONG": warning(
        "The value of a custom variable is longer than 100 characters. It is left out.",
        "Shorten it to at most 100 characters.",
    ),
    "UNKNOWN_CUSTOM_VARIABLE": warning(
        "The account has no enabled custom variable with this name. It is left out.",
        "Create or enable it in Google Ads under Goals > Custom variables, or correct the name of "
        "the column.",
    ),
    "CUSTOM_VARIABLES_WITH_IDENTIFIERS": rejected(
        "The row has custom variables and also email addresses or phone numbers. Google drops such "
        "conversions.",
        "Send these rows with custom variables, or with email addresses and phone numbers, but not "
        "with both.",
    ),
    "REPEATED_LINE": duplicate(
        "The row repeats an earlier line of the file: for the same conversion action, it has the "
        "same order ID, or the same click and time without an order ID that tells them apart.",
        "No action needed. If both conversions are real, give each one its own order ID and time.",
    ),
    "REPEATED_WITH_OTHER_VALUE": duplicate(
        "The row repeats an earlier line of the file with another value: for the same conversion "
        "action, it has the same order ID, or the same click and time without an order ID that "
        "tells them apart. Only the earlier line is sent.",
        "Export one row per order with the sum of its values, or give each line its own order ID "
        "and time. If the value of an order has changed, send an adjustment.",
    ),
    "SUPERSEDED_SALE": superseded(
        "Google already has a newer value of this order: a correction or a refund. The sale would "
        "undo it, so it is not sent. A note counts these rows.",
        "No action needed. If the correction was wrong, upload another one with a later time.",
    ),
    "AWAITS_CONVERSIONS": deferred(
        "The row adjusts a conversion, and the file also contains conversions. It is sent as soon "
        "as Google has answered all of them.",
        RETRIED_AUTOMATICALLY,
    ),
    "SUPERSEDED_ADJUSTMENT": superseded(
        "Another adjustment counts instead of this one, for the same conversion: a later one, or a "
        "retraction, which is final. The detail names its line, if it is in this file.",
        "No action needed.",
    ),
    "REPEATED_REFUSED_LINE": rejected(
        "The row repeats an earlier line of the file: for the same conversion action, it has the "
        "same order ID, or the same click and time without an order ID that tells them apart. The "
        "earlier line is refused, so neither of them is counted.",
        "Correct or remove the earlier line, or upload this row in a separate file.",
    ),
    "CLICK_AND_TIME_ALREADY_USED": failed(
        "Google counts only one conversion with the same click, time and conversion action, and "
        "already has one. It may be another order of the click, or this order from an earlier "
        "file.",
        "Give this order its own conversion time if Google has counted another one (one second "
        "later is enough), and upload it again. If it is the same order, no action is needed.",
    ),
    # Conversion action and account
    "ACTION_MISSING": rejected(
        "Neither the profile nor the row names a conversion action.",
        "Fill in the column conversion_action (Conversion Name in Google's template).",
        if_most='Write the conversion action in the profile (for example "action": "1001").',
    ),
    "UNKNOWN_ACTION": rejected(
        "The account has no conversion action with this name or ID.",
        "Compare the name letter by letter with Goals > Conversions in Google Ads.",
    ),
    "ACTION_NAME_NOT_RESOLVABLE": rejected(
        "The conversion action could not be looked up by its name: the credentials cannot read the "
        "account in the Google Ads API.",
        "Give the credentials the scope of the Google Ads API and read access to the account. Or "
        "write the conversion action's numeric ID (the number after ctId= in the URL of its page "
        "in Google Ads).",
    ),
    "ACTION_NOT_ENABLED": rejected(
        "The conversion action was removed or is hidden.",
        "Enable it in Google Ads, or name another conversion action.",
    ),
    "ACTION_WRONG_TYPE": rejected(
        "The conversion action does not accept imported click conversions.",
        "Create a conversion action of the type Import > Track conversions from clicks, and name "
        "it in the file or the profile.",
    ),
    "ACTION_OF_TAG": rejected(
        "The tag on your website counts the conversions of this conversion action, so a sale that "
        "is uploaded for it could count twice.",
        "Use a conversion action of the type Import > Track conversions from clicks. If the file "
        "adds data to conversions that the tag counts, use a profile for the Data Manager API "
        "whose source is web.",
    ),
    "ACTION_NOT_OF_TAG": rejected(
        'The profile sets "source": "web", but no tag on a website counts the conversions of this '
        "conversion action.",
        "Use the conversion action of the tag, or remove source from the profile.",
    ),
    "TAG_ORDER_ID_MISSING": rejected(
        'The profile sets "source": "web", and the row has no order ID. Google could not tell '
        "which conversion of the tag it is, and would count it a second time.",
        "Add the order ID that the tag on your website sends as the transaction ID, exactly as it "
        "is there.",
    ),
    "ACTION_FOR_CALLS": rejected(
        "The conversion action counts phone calls, and the row is a conversion from a click.",
        "Use a conversion action of the type Import > Track conversions from clicks. If these are "
        "conversions from calls, add the columns Caller's Phone Number and Call Start Time.",
    ),
    "ACTION_NOT_FOR_CALLS": rejected(
        "The row is a conversion from a call, and the conversion action does not count calls.",
        "Create a conversion action of the type Import > Track conversions from calls, and name it "
        "in the file or the profile.",
    ),
    "ACTION_NOT_ADJUSTABLE": rejected(
        "Google does not adjust conversions of this conversion action. It adjusts those that were "
        "imported from clicks, or counted by the tag on your website.",
        "Use the conversion action of the conversion that the row adjusts.",
    ),
    "ACTION_NEEDS_ORDER_ID": rejected(
        "Conversions of this conversion action come from the tag on your website. Google finds "
        "them only by their order ID, and the row has none.",
        "Add the order ID that the tag has sent as the transaction ID.",
    ),
    "ACTION_USES_DEFAULT_VALUE": rejected(
        "The row restates the value of a conversion, but its conversion action always uses the "
        "default value.",
        "Set the conversion action to use different values for each conversion, in Google Ads. Or "
        "send a retraction instead.",
    ),
    "ADJUSTMENT_TYPE_MISSING": rejected(
        "The row does not say whether it retracts or restates a conversion.",
        "Write RETRACT or RESTATE into adjustment_type.",
    ),
    "INVALID_ADJUSTMENT_TYPE": rejected(
        "The type of the adjustment is none that can be sent.",
        "Write RETRACT if the conversion no longer counts, or RESTATE if it has another value. "
        "Enhancements of conversions cannot be uploaded here.",
    ),
    "ADJUSTMENT_TIME_MISSING": rejected(
        "The row has no time of the adjustment. Google recognizes an adjustment by it, so the time "
        "of the upload cannot replace it.",
        "Fill in the time of the adjustment.",
    ),
    "ADJUSTED_VALUE_MISSING": rejected(
        "The row restates a conversion, but has no new value.",
        "Write the new total into adjusted_value, or write RETRACT if the conversion no longer "
        "counts.",
    ),
    "RETRACTION_WITH_VALUE": rejected(
        "The row retracts a conversion, but also has a new value. A retraction cannot be undone, "
        "so the row is not sent.",
        "Clear adjusted_value to retract the conversion. Write RESTATE to change its value.",
    ),
    "ADJUSTED_ON_THAT_DAY": warning(
        "The adjustment time is a date without a time of day. So the end of that day is used, or "
        "the time of the upload if it is on the same day.",
        "Export the time of day too: of two adjustments of one conversion on one day, the one that "
        "counts is not certain.",
    ),
    "RESTATED_TO_ZERO": warning(
        "The new value is 0. Google ignores later adjustments of this conversion.",
        "No action needed. If the conversion must not count at all, send a retraction instead.",
    ),
    "ADJUSTS_NO_CONVERSION": rejected(
        "The row does not say which conversion it adjusts.",
        "Add the order ID that was sent with the conversion. If it was sent without one, add its "
        "gclid and its conversion time.",
    ),
    "ADJUSTED_BEFORE_CONVERSION": rejected(
        "The time of the adjustment is before the time of the conversion.",
        "Correct the times. Check the time zone of both columns.",
    ),
    "ADJUSTED_TOO_LATE": rejected(
        "The conversion is too old: Google accepts adjustments up to 54 days after it.",
        "Upload adjustments sooner. The value of this conversion can no longer be changed.",
    ),
    "ADJUSTMENT_NEEDS_ORDER_ID": rejected(
        "The row has no order ID of its own. This destination would count a new conversion if it "
        "did not recognize the adjusted one.",
        "Add the order ID that was sent with the conversion. Or set "
        '"adjustments_via": "google_ads" in the profile.',
    ),
    "ADJUSTMENT_NEEDS_ORIGINAL": rejected(
        "This destination can restate a conversion only if the row has all of its data, also its "
        "time and an identifier. Other errors of the row say what is wrong with them.",
        "Set adjustments_via in the profile. Or restate from the file of the "
        "sales, in an entry of conversions.",
    ),
    "CALLER_ID_MISSING": rejected(
        "The row has no phone number of the caller.",
        "Fill in the number. A call without one cannot be matched: leave its row out.",
    ),
    "INVALID_CALLER_ID": rejected(
        "The phone number of the caller is not valid for its country.",
        "Write the number with + and the country code. A call without a number cannot be matched: "
        "leave its row out.",
    ),
    "CALLER_ID_WITHOUT_COUNTRY": rejected(
        "The phone number of the caller has no country code, and neither the row nor the profile "
        "names the country.",
        "Write the number with + and the country code, or add a column country_code.",
        if_most='Set the country in the profile (for example "phone_region": "US").',
    ),
    "CALLER_ID_HASHED": rejected(
        "The phone number of the caller is hashed. Google matches calls by the plain number.",
        "Export the plain number. It is hashed before it is sent wherever the API allows that.",
    ),
    "CALL_TIME_MISSING": rejected(
        "The row has no start of the call.",
        "Fill in call_start_date_time with its time zone.",
    ),
    "CONVERSION_BEFORE_CALL": rejected(
        "The conversion is before the start of its call.",
        "Correct the times. Check the time zone of both columns.",
    ),
    "CONVERSION_CUSTOMER_DIFFERS": note(
        "The manager account tracks the conversions of this account, so they are sent to the "
        "manager account.",
        "No action needed. To remove this note, set customer_id in the profile to the manager "
        "account.",
    ),
    "ZONE_DIFFERS": note(
        "The time zone of the file is not the time zone of the account.",
        "Check that the time zone of the file is correct. If so, no action is needed: every "
        "conversion time is sent with its offset.",
    ),
    "ACCOUNT_NOT_LOOKED_UP": note(
        "The conversion action could not be looked up in Google Ads, so nobody has checked that it "
        "exists, is enabled, and counts imports from clicks.",
        "Check its type in Google Ads: if the tag on your website counts it, these conversions "
        "count twice. To let the function check it, give the credentials the scope of the Google "
        "Ads API (https://www.googleapis.com/auth/adwords) and read access to the account.",
    ),
    "PREFLIGHT_NOT_PERMITTED": note(
        "The account's settings cannot be read, so they were not checked before the upload.",
        "Give the credentials read access to the account. Until then, write the IDs of conversion "
        "actions, not their names.",
    ),
    # The file, row by row
    "TOO_FEW_CELLS": rejected(
        "The line has fewer cells than the header.",
        f"{_GO_TO_LINE}: a delimiter or a quotation mark may be missing.",
    ),
    "TOO_MANY_CELLS": rejected(
        "The line has more cells than the header, or text in an unnamed column at its end.",
        f"{_GO_TO_LINE}: put a value that contains the delimiter in quotation marks.",
    ),
    "UNCLOSED_QUOTE": rejected(
        "A quotation mark opens on this line and is never closed, or the lines up to the one that "
        "closes it look like rows.",
        f"{_GO_TO_LINE} and close the quotation mark. {_WRITE_QUOTE_TWICE} If the marks are right, "
        "replace the line breaks in the cell with spaces.",
    ),
    "INSIDE_QUOTES": rejected(
        "The line may be a row, or belong to a cell of the rejected row above: it is inside "
        "quotation marks.",
        "Correct the row above: close its quotation mark, or replace the line breaks in its cell "
        "with spaces.",
    ),
    "BROKEN_QUOTING": rejected(
        "A cell has text after its closing quotation mark.",
        f"{_GO_TO_LINE} and correct the quotation marks. {_WRITE_QUOTE_TWICE}",
    ),
    "UNDECODABLE": rejected(
        "The line contains characters that cannot be read in the file's encoding.",
        "Correct the unreadable characters of the line, and save the file as UTF-8.",
        if_most="Export the file as UTF-8, or set its encoding in the profile (for example "
        '"encoding": "windows-1252").',
    ),
    "NUL_BYTE": rejected(
        "The line contains a NUL byte, which never occurs in text files.",
        "Export the file again; it may be damaged.",
    ),
    "CELL_TOO_LARGE": rejected(
        "A cell is longer than 32,767 characters.",
        f"{_GO_TO_LINE}: a closing quotation mark may be missing.",
    ),
    "RECORD_TOO_LONG": rejected(
        "The row is longer than one million characters.",
        f"{_GO_TO_LINE}: a closing quotation mark or a line break may be missing.",
    ),
    # The file as a whole
    "EMPTY_FILE": file("The file is empty.", "Check the export."),
    "FILE_NAME_NOT_ACCEPTED": file(
        "The file name does not end in an accepted suffix, so the file is not opened.",
        "Upload the data as a file whose name ends in .csv, .tsv, .txt or .xlsx, or in .csv.gz if "
        "it is compressed with gzip.",
    ),
    "NOT_TEXT": file(
        "The file is neither a table as text (CSV) nor an Excel workbook (.xlsx). It may be an old "
        "workbook, a web page, an archive or a picture, whatever its name is.",
        "Open it in Excel and save it as .xlsx or CSV, or export it again as CSV.",
    ),
    "ENCRYPTED_WORKBOOK": file(
        "The workbook is protected with a password and cannot be read.",
        "Remove the password in Excel (File, Info, Protect Workbook), and upload the file again.",
    ),
    "CORRUPT_WORKBOOK": file(
        "The workbook is damaged or incomplete.",
        "Open the file in Excel, save it as a new .xlsx or CSV file, and upload that file.",
    ),
    "WORKBOOK_TOO_LARGE": file(
        "The workbook is larger than allowed (about 200,000 rows).",
        "Save the sheet as CSV: a CSV file may have millions of rows.",
    ),
    "SHEET_NOT_FOUND": file(
        "The workbook has no sheet with the name in the profile.",
        "Correct sheet in the profile, or remove it to read the first sheet.",
    ),
    "CORRUPT_GZIP": file(
        "The compressed file is damaged or incomplete.",
        "Compress the file and upload it again.",
    ),
    "TOO_MANY_ROWS": file(
        "The file has more lines than allowed. Blank lines count too.",
        "Remove blank lines, or split the file. Or ask the engineer who deployed the function to "
        "raise the limit (MAX_FILE_LINES).",
    ),
    "TOO_MANY_MEMBERS": file(
        "The gzip file consists of more than one million members.",
        "Compress the whole file at once, not each row of it, and upload it again.",
    ),
    "FILE_TOO_LARGE": file(
        "After decompression, the file is larger than allowed.",
        "Split the file, or ask the engineer who deployed the function to raise the limit "
        "(MAX_FILE_BYTES).",
    ),
    "UNKNOWN_ENCODING": file(
        "The encoding in the profile is not known.",
        "Correct encoding in the profile, or remove it to have the encoding detected.",
    ),
    "UNKNOWN_DELIMITER": file(
        "The delimiter in the profile is not valid.",
        "Correct delimiter in the profile, or remove it to have the delimiter detected.",
    ),
    "NO_HEADER": file(
        "The line with the column names was not found: none of the first 50 lines has half of the "
        "names that the profile says. The detail names what is missing.",
        "Compare the names under columns in the profile with the export. If the "
        "file has no column names, export it with them.",
    ),
    "COLUMN_MISSING": file(
        "The file lacks columns that it must have. The detail names them, and those that it has.",
        "Correct the names in the profile, or export the columns again. If "
        "files may lack a column, list its field under optional.",
    ),
    "UNREADABLE_HEADER": file(
        "The line with the column names cannot be read: it is too long, contains unreadable "
        "characters, or has a quotation mark that is never closed.",
        "Export the file again as CSV in UTF-8.",
    ),
    "TOO_MANY_COLUMNS": file(
        "The file has more columns than allowed.",
        "Export only the columns that are needed.",
    ),
    "DUPLICATE_COLUMN": file(
        "Two columns have the same name, or names of the same field, so neither is certain.",
        "Rename or remove one of them, or name another column under columns in the profile.",
    ),
    "NO_USABLE_COLUMN": file(
        "No column contains a click ID, an email address, a phone number, or another value that "
        "identifies the click or the person.",
        "Add such a column, or name yours under columns in the profile. With the Data Manager "
        "API, the columns of a complete postal address, an IP address or session attributes are "
        "enough too.",
    ),
    "ADJUSTMENT_FILE": file(
        "The file contains adjustments (retractions and restatements of earlier conversions). This "
        "destination cannot send them, so nothing is sent.",
        'Set "adjustments_via": "google_ads" in the profile.',
    ),
    "CALL_FILE": file(
        "The file contains conversions from phone calls: callers' numbers and call times, but no "
        "click IDs. This destination cannot send them, so nothing is sent.",
        "Use a profile with another destination. If the phone column is the customer's own number "
        "and you want to match by it, name it under columns in the profile.",
    ),
    "NO_ROWS": file("The file has column names but no rows.", "Check the export."),
    "STALE": file(
        "The file was still unfinished long after it arrived, so processing stopped. Rows that "
        "were processed before keep their outcome.",
        f"Find the cause in the log of the function, then upload {_FILE_AGAIN}",
    ),
    "NO_PROGRESS": file(
        "Several attempts to process this file died, or ran out of time, without finishing a chunk "
        "of it. Rows that were processed before that keep their outcome. The others were not read "
        "again, and are not counted here.",
        "Check the file for blank lines, very long lines, and damage. If it is in order, split it. "
        f"Then upload {_FILE_AGAIN}",
    ),
    "SOURCE_GONE": file(
        "The file was deleted or overwritten before it was completely read.",
        "Upload it again under a new name, and keep files in the bucket until their results are "
        "there.",
    ),
    "CHECKSUM_MISMATCH": file(
        "What was read from Cloud Storage differs from what is stored there. Nothing was sent of a "
        "file up to 8 MiB. The chunks shown were sent of a larger file; their rows may have wrong "
        "values.",
        "Upload "
        + _FILE_AGAIN
        + " If it happens again, ask the engineer who deployed the function "
        "to check what is between the function and Cloud Storage.",
    ),
    "UNTERMINATED_LAST_LINE": deferred(
        "The last line of the file has no line end, so the upload may have broken in this row. It "
        "waits for 10 minutes, and is then sent as it is, unless the file has been uploaded again.",
        "No action needed. If your files always end like this, end the last line.",
    ),
    "LAST_LINE_REPLACED": not_attempted(
        "The last line of the file had no line end, and the file was uploaded again within "
        "10 minutes. This row is not sent from this upload.",
        "Find the row in the results of the newer upload; the detail names its generation.",
    ),
    "NO_FINAL_LINE_END": note(
        "The last line of the file has no line end. The function holds its row back for 10 "
        "minutes, because the upload may have broken there.",
        "Add a line end at the end of the file.",
    ),
    "FILTER_KEEPS_NO_ROW": note(
        "The profile skips every row of the file.",
        "Compare the values under skip in the profile with your export. If the file contains "
        f"conversions, correct the profile, and upload {_FILE_AGAIN}",
    ),
    "NO_ENTRY_FITS": rejected(
        "No entry of conversions in the profile fits the row, and skip does not list it. The "
        "detail names the columns that decide.",
        "List the row's value in the profile: under skip if such rows are not sent, or under rows "
        "in an entry of conversions.",
    ),
    "CONSENT_NOT_STATED": note(
        "Neither the file nor the profile states consent (ad_user_data). Google may not be able to "
        "attribute conversions without it.",
        'Add a column ad_user_data with Granted or Denied, or the line "ad_user_data": "GRANTED", '
        "at the top of the profile if everybody in the file has agreed.",
    ),
    "API_VERSION_ENDS_SOON": note(
        "Google will soon switch off the API version that this function uses.",
        "Ask the engineer who deployed the function to deploy a release with a newer API version "
        "before that day.",
    ),
    "RUNTIME_ENDS_SOON": note(
        "Google will soon stop supporting the Python version that this function runs on. Uploads "
        "continue, but without security patches.",
        "Ask the engineer who deployed the function to deploy a release with a newer runtime "
        "before that day.",
    ),
    "MAYBE_SENT": note(
        "An earlier attempt to process this file was interrupted. Some rows that are reported as "
        "not attempted, or are not counted here, may have reached Google before that.",
        f"Upload {_FILE_AGAIN}",
    ),
    "SUPERSEDED": not_attempted(
        "The same upload replaced this version of the file before it was completely read, as some "
        "upload programs do. The newer version is processed instead.",
        "No action needed. See the results of the newer version.",
    ),
    "PLACEHOLDERS": note(
        "Some cells contain a placeholder, such as N/A, null or -, instead of a value.",
        "Correct the export if these values exist. If they are really missing, no action is "
        "needed. To remove this note, leave the cells empty.",
    ),
    "REPORT_FOOTER": note(
        "The file ends with the footer of a report: a total, or lines about the report. They are "
        "skipped.",
        "No action needed; a footer contains no conversions.",
    ),
    "BLANK_RECORDS": note(
        "The file contains blank lines. They are skipped.",
        "No action needed; blank lines contain no data.",
    ),
    "SHEETS_NOT_READ": note(
        "The workbook has other sheets. Only its first sheet is read.",
        "Set sheet in the profile to the name of another sheet if the conversions are there.",
    ),
    "ENCODING_GUESSED": note(
        "The file is not UTF-8, so it is read as Windows-1252. If it has another encoding, letters "
        "with accents come out wrong.",
        'Export the file as UTF-8, or set its encoding in the profile (for example "encoding": '
        '"windows-1252").',
    ),
    "ADDRESS_COLUMNS_MISSING": note(
        "Names and postal codes are not sent: a postal address needs columns for first name, last "
        "name, country and postal code.",
        "Add the missing columns to send postal addresses. Otherwise no action is needed.",
    ),
    "COLUMN_NOT_SENT": note(
        "This destination has no field for some known columns, so they are not sent.",
        "No action needed. To send them, use a destination that supports them.",
    ),
    "ADDRESS_NOT_SENT": note(
        "This destination has no field for names and postal addresses, so they are not sent.",
        "No action needed. To send them, use a destination that supports them, such as "
        '"destination": "data_manager" in the profile.',
    ),
    "AD_PERSONALIZATION_NOT_SENT": note(
        "This destination has no field for consent to ad personalization, so it is not sent.",
        _SUPPORTED_BY_DATA_MANAGER,
    ),
    "EVENT_SOURCE_NOT_SENT": note(
        "This destination has no field for the event source, so it is not sent.",
        _SUPPORTED_BY_DATA_MANAGER,
    ),
    "CONVERSION_ENVIRONMENT_NOT_SENT": note(
        "This destination has no field for the conversion environment, so it is not sent.",
        "No action needed. The event source carries similar information.",
    ),
    # What the Data Manager API says later
    "ROWS_NOT_NAMED": deferred(
        "Google has not counted some of the rows that were sent together with this row yet, and "
        "does not say which ones. This row may be one of them.",
        f"{RETRIED_AUTOMATICALLY} A row that is already counted still counts once.",
    ),
    "NOT_SENT_AGAIN": warning(
        "Google did not count some of the rows that were sent together with this row, does not say "
        "which ones, and this row could not be sent again. It has no order ID and no gclid, so "
        "Google might count it twice; or the file no longer exists; or Google refuses the row now.",
        'Add order IDs to the rows, or keep "derive_order_id": true in the profile.',
    ),
    "NEARLY_NO_MATCHES": note(
        "Google found an ad click for nearly none of the rows that have no click ID.",
        "Check phone_region in the profile, and that the email and phone columns contain what "
        "their names say. If they contain hashes, export the original values instead.",
    ),
    "NOT_COUNTED": note(
        "Google accepted these rows but did not count them when it processed them. Google reports "
        "how many rows and why, but not which rows.",
        "Read the codes under processing in this document, and correct their causes. Then upload "
        "the file again: rows that are already counted count once.",
    ),
    # Settings, secrets, the platform
    "UNKNOWN_PROFILE": file(
        "No profile has the name of the file's first folder.",
        "Move the file to a folder that has a profile, or add a profile with the name of the "
        "folder.",
    ),
    "INVALID_PROFILE": file(
        "The profile is not valid. The detail lists what is wrong.",
        "Correct the profile.",
    ),
    "SECRET_NOT_SET": account(
        "No credentials for Google Ads are configured.",
        "Ask the engineer who deployed the function to set GOOGLE_ADS_SECRET to the version of "
        "the secret that contains them.",
    ),
    "SECRET_NOT_FOUND": account(
        "The secret with the Google Ads credentials does not exist, or its version is disabled.",
        "Ask the engineer who deployed the function to correct GOOGLE_ADS_SECRET, or to add a "
        "version to the secret.",
    ),
    "SECRET_NOT_READABLE": account(
        "The function is not allowed to read the secret with the Google Ads credentials.",
        "Ask the engineer who deployed the function to give its service account the role "
        "roles/secretmanager.secretAccessor on that secret.",
    ),
    "SECRET_INVALID": account(
        "The secret does not contain a usable google-ads.yaml.",
        "Ask the engineer who deployed the function to store a complete google-ads.yaml as a new "
        "version of the secret.",
    ),
    "SECRET_MANAGER_UNAVAILABLE": transient(
        "Secret Manager does not respond.",
        IF_IT_LASTS,
    ),
    "CREDENTIALS_REFUSED": account(
        "Google refuses the credentials: they have expired or were revoked, or their OAuth client "
        "was deleted.",
        NEW_CREDENTIALS,
    ),
    "CREDENTIALS_UNAVAILABLE": transient(
        "Google's token service does not respond.",
        IF_IT_LASTS,
    ),
    "API_UNAVAILABLE": transient(
        "Google's API does not respond, or does not respond in time.",
        IF_IT_LASTS,
    ),
    "DAILY_QUOTA": transient(
        "The daily quota of API operations is used up.",
        f"{RETRIED_AUTOMATICALLY} If this happens often, apply to Google for a higher access "
        "level.",
    ),
    "STORAGE_FORBIDDEN": file(
        "The function is not allowed to read from or write to a bucket.",
        "Ask the engineer who deployed the function to give its service account this permission "
        "again, for example with terraform apply. If a key, a retention policy or a hold is named, "
        "only what is said there helps.",
    ),
    "BUCKET_NOT_FOUND": file(
        "A bucket of the function does not exist.",
        "Ask the engineer who deployed the function to create the bucket again, for example with "
        "terraform apply, or to correct INPUT_BUCKET, OUTPUT_BUCKET or STATE_BUCKET.",
    ),
    "STORAGE_UNAVAILABLE": transient(
        "Cloud Storage does not respond.",
        IF_IT_LASTS,
    ),
    "LEASE_HELD": transient(
        "Another attempt (a second delivery of the same event) is already processing the file.",
        RETRIED_AUTOMATICALLY,
    ),
    "NEWER_VERSION": transient(
        "A newer version of the function works on this file, and has saved what this version "
        "cannot read.",
        "No action needed; wait for the deployment to end, then the newer version continues with "
        "the file. If an older version was deployed on purpose, ask the engineer who deployed the "
        "function to deploy the newer one again.",
    ),
    "STATE_UNREADABLE": transient(
        "The function cannot read a document in which it saves the state of a file, because "
        "somebody has changed it. The file waits; all other files go on.",
        "Ask the engineer who deployed the function to restore the document that the detail names, "
        "or else to delete it. A file whose document was deleted is sent again, and Google counts "
        "each row once.",
    ),
    "LEASE_LOST": transient(
        "Another attempt has taken over the file.",
        "No action needed; the other attempt continues with the file.",
    ),
    "DEADLINE": transient(
        "The time limit of this attempt is reached. The next attempt continues where this one "
        "stopped.",
        IF_IT_LASTS,
    ),
    "SHUTDOWN": transient(
        "The platform ended the instance of the function. The next attempt continues where this "
        "one stopped.",
        RETRIED_AUTOMATICALLY,
    ),
    # Requests of the Data Manager API
    "REFUSAL_NOT_LOCATED": deferred(
        "Google refused a request without naming the faulty rows, and the search for them reached "
        "its limit of requests. This row may be valid.",
        "No action needed; retried automatically, in a smaller request.",
    ),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": account(
        "The credentials have no access to the Data Manager API.",
        "Ask the engineer who deployed the function to create a new refresh token with the scope "
        "https://www.googleapis.com/auth/datamanager, and to store it in the secret.",
    ),
    "SERVICE_DISABLED": account(
        "The API is not enabled in the Google Cloud project that the credentials belong to.",
        "Ask the engineer who deployed the function to enable it there: gcloud services enable "
        "datamanager.googleapis.com (or googleads.googleapis.com for the Google Ads API).",
    ),
    "USER_PROJECT_DENIED": account(
        "The credentials are not allowed to use the Google Cloud project's quota.",
        "Ask the engineer who deployed the function to give them the role "
        "roles/serviceusage.serviceUsageConsumer in that project.",
    ),
}
