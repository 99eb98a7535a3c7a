"""Codes of the Data Manager API: kind (`lib.catalogue.kinds`), meaning and action.

`TABLE` holds each ErrorReason (except those that `lib.catalogue.google_ads` also has),
ProcessingErrorReason, ProcessingWarningReason and WarningReason that a conversion upload can meet:
https://developers.google.com/data-manager/api/reference/rpc/google.ads.datamanager.v1
"""

from typing import Final

from lib.catalogue.kinds import (
    CodeText,
    account,
    deferred,
    duplicate,
    failed,
    file,
    transient,
    warning,
)
from lib.catalogue.texts import COMPLETE_CLICK_ID, SOFTWARE_ERROR, TIME_ZONE

TITLE: Final = "Data Manager API"

_READ_MESSAGE = "Read Google's message, which the results document shows with this code."
_CORRECT_NAMED_FIELD = "Correct the field that Google's message names."
_CHECK_HASHES = (
    "Check how the hashes in the file were created. It is better to put the original values into "
    "the email and phone columns, where they are hashed before they are sent."
)
_WRITE_COUNTRY_CODE = "Write the country's two-letter code, such as US."
_CORRECT_CUSTOMER_ID = "Correct customer_id in the profile."
_USE_ACCOUNT_OF_CLICK = (
    "Upload the row to the Google Ads account that the ad belongs to: move it to a file of a "
    "profile with that customer_id."
)
_ACCEPT_ENHANCED_CONVERSIONS_TERMS = "Accept the terms in Google Ads under Goals > Settings."
_COPY_MERCHANT_ID = (
    "Copy the ID from the top of the page in Merchant Center into the merchant_id column."
)
_ENABLE_CUSTOM_VARIABLE = (
    "Enable it in Google Ads under Goals > Custom variables, or remove its column from the file."
)
_STATE_CONSENT = "Add the ad_user_data column to the file, or set ad_user_data in the profile."
_CHECK_WITH_LINTER = "Check the file on your own computer: offline-conversions check FILE."
_RETRIED_AFTER_SIX_HOURS = (
    "No action needed; retried automatically after 6 hours, while the results document has the "
    "status waiting. If the conversion is still not counted after that, upload the file again."
)
_UPLOAD_WITHIN_THE_WINDOW = (
    "Upload conversions sooner. If sales take longer than that, set a longer conversion window for "
    "the conversion action in Google Ads."
)
_ROW_ACCEPTED = "No action needed; Google accepted the row."
_WARNING_ONLY = "No action needed; a warning does not stop a conversion from being counted."
_OUTCOMES_UNCHANGED = "No action needed; the outcomes of the rows stay as they are."

TABLE: Final[dict[str, CodeText]] = {
    # ErrorReason
    "ERROR_REASON_UNSPECIFIED": failed(
        "Google gave no reason.",
        _READ_MESSAGE,
    ),
    "PERMISSION_DENIED": account(
        "The account does not exist, or the credentials have no access to it.",
        "Check customer_id. If it is correct, invite the user or service account behind the "
        "credentials in Google Ads under Admin > Access and security, or set login_customer_id in "
        "the profile to the manager account.",
    ),
    "INVALID_ARGUMENT": failed(
        "A value in the row is not valid.",
        _CORRECT_NAMED_FIELD,
    ),
    "INVALID_HEX_ENCODING": failed(
        "A hash contains characters other than hexadecimal digits.",
        _CHECK_HASHES,
    ),
    "INVALID_BASE64_ENCODING": failed(
        "A hash is not valid base64.",
        SOFTWARE_ERROR,
    ),
    "INVALID_SHA256_FORMAT": failed(
        "A hash is not a SHA-256 hash (64 hexadecimal digits).",
        _CHECK_HASHES,
    ),
    "INVALID_POSTAL_CODE": failed(
        "The postal code is not valid.",
        "Correct the postal code, or leave the address out of the row.",
    ),
    "INVALID_COUNTRY_CODE": failed(
        "The country is not valid.",
        _WRITE_COUNTRY_CODE,
    ),
    "TOO_MANY_USER_IDENTIFIERS": failed(
        "The row has more than 10 user identifiers (email addresses, phone numbers, postal "
        "address).",
        "Keep the best 10 user identifiers of the row, and remove the others.",
    ),
    "TOO_MANY_DESTINATIONS": file(
        "The request has more than 10 destinations.",
        SOFTWARE_ERROR,
    ),
    "INVALID_DESTINATION": account(
        "This account or conversion action cannot receive the conversions.",
        "Correct customer_id and action in the profile, or the actions in the file. The account in "
        "customer_id must own the conversion action.",
    ),
    "MULTIPLE_DATA_TYPES_NOT_ALLOWED": file(
        "The request mixes different types of data.",
        SOFTWARE_ERROR,
    ),
    "DIFFERENT_LOGIN_ACCOUNTS_NOT_ALLOWED_FOR_DATA_PARTNER": account(
        "The request uses more than one login account (login_customer_id). A data partner must "
        "use the same one for all accounts that receive conversions.",
        "Use only one login_customer_id in the profile.",
    ),
    "TERMS_AND_CONDITIONS_NOT_SIGNED": account(
        "The account has not accepted the terms that this upload requires.",
        "Accept the terms in Google Ads under Goals > Settings > Customer data terms.",
    ),
    "INVALID_NUMBER_FORMAT": failed(
        "A number is not in a format that Google can read.",
        _CORRECT_NAMED_FIELD,
    ),
    "INVALID_CONVERSION_ACTION_ID": account(
        "The account has no conversion action with this ID.",
        "Correct the conversion action in the file or the profile. The account in customer_id "
        "must own the conversion action.",
    ),
    "INVALID_CURRENCY_CODE": failed(
        "Google does not accept this currency.",
        "Write the currency's three-letter ISO 4217 code, such as USD.",
    ),
    "INVALID_EVENT": failed(
        "The row is not a valid conversion.",
        _CORRECT_NAMED_FIELD,
    ),
    "TOO_MANY_EVENTS": file(
        "The request contains too many conversions.",
        SOFTWARE_ERROR,
    ),
    "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS": account(
        "Enhanced conversions for leads are turned off in the account.",
        "Turn them on in Google Ads under Goals > Settings > Enhanced conversions for leads.",
    ),
    "DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS": account(
        "Google's policies do not allow this account to use enhanced conversions.",
        "Ask your Google representative. Until then, send click IDs only.",
    ),
    "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED": account(
        "The account has not accepted the terms for enhanced conversions.",
        _ACCEPT_ENHANCED_CONVERSIONS_TERMS,
    ),
    "DUPLICATE_DESTINATION_REFERENCE": file(
        "Two destinations in the request have the same name.",
        SOFTWARE_ERROR,
    ),
    "UNSUPPORTED_OPERATING_ACCOUNT_FOR_DATA_PARTNER": account(
        "The data partner cannot use this account.",
        "Correct customer_id, or ask the data partner.",
    ),
    "UNSUPPORTED_LINKED_ACCOUNT_FOR_DATA_PARTNER": account(
        "The data partner cannot use this linked account.",
        "Correct login_customer_id, or ask the data partner.",
    ),
    "NO_IDENTIFIERS_PROVIDED": failed(
        "The row has neither a click ID nor a user identifier, such as an email address or a "
        "phone number.",
        "Add a click ID, an email address or a phone number.",
    ),
    "LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT": account(
        "Only data partners can use a linked account.",
        "Correct login_customer_id in the profile.",
    ),
    "OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH": account(
        "The login account (login_customer_id) must be the account that receives the conversions.",
        "Remove login_customer_id from the profile.",
    ),
    "EVENT_TIME_INVALID": failed(
        "The conversion time is outside the period that Google accepts.",
        "Check the conversion time and its time zone, and upload conversions sooner.",
    ),
    "RESERVED_NAME_USED": failed(
        "A name in the row is reserved by Google.",
        _CORRECT_NAMED_FIELD,
    ),
    "INVALID_EVENT_NAME": failed(
        "The event name is not supported.",
        SOFTWARE_ERROR,
    ),
    "NOT_ALLOWLISTED": account(
        "Google does not allow this account to use the feature.",
        "Ask your Google representative, or remove the column that Google's message names.",
    ),
    "INVALID_REQUEST_ID": file(
        "Google has no status for this request: the request failed, or it was sent with "
        "validate_only.",
        _OUTCOMES_UNCHANGED,
    ),
    "FIELD_VALUE_TOO_LONG": failed(
        "A value is too long.",
        "Shorten the value in the field that Google's message names.",
    ),
    "FIELD_VALUE_TOO_SHORT": failed(
        "A value is too short.",
        "Write the full value in the field that Google's message names.",
    ),
    "TOO_MANY_ELEMENTS": failed(
        "A list has too many entries.",
        _CORRECT_NAMED_FIELD,
    ),
    "TOO_FEW_ELEMENTS": failed(
        "A list has too few entries.",
        _CORRECT_NAMED_FIELD,
    ),
    "ALREADY_EXISTS": failed(
        "The item already exists at Google.",
        _CORRECT_NAMED_FIELD,
    ),
    "IMMUTABLE_FIELD_FOR_UPDATE": file(
        "The request changes a field that cannot be changed.",
        SOFTWARE_ERROR,
    ),
    "INVALID_RESOURCE_NAME": account(
        "The account in the request is not valid.",
        _CORRECT_CUSTOMER_ID,
    ),
    "INVALID_FILTER": file(
        "The filter of a query is not valid.",
        SOFTWARE_ERROR,
    ),
    "INVALID_UPDATE_MASK": file(
        "The request does not name the fields to change correctly.",
        SOFTWARE_ERROR,
    ),
    "MISMATCHED_ACCOUNT_TYPE": account(
        "The account is not of the type that the request states.",
        _CORRECT_CUSTOMER_ID,
    ),
    "INVALID_MERCHANT_ID": failed(
        "The Merchant Center ID is not valid.",
        _COPY_MERCHANT_ID,
    ),
    "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": account(
        "The account has not made its declaration about political advertising in the EU.",
        "Make the declaration in Google Ads.",
    ),
    "ACCOUNT_INELIGIBLE_FOR_STORE_SALES": account(
        "The account is not eligible for store sales.",
        "Set event_source to a value other than IN_STORE, or ask your Google representative.",
    ),
    "INVALID_MERCHANT_FEED_LANGUAGE_CODE": failed(
        "The language of the product feed is not valid.",
        "Write a two-letter language code, such as en.",
    ),
    "INVALID_REGION_CODE": failed(
        "The country is not valid.",
        _WRITE_COUNTRY_CODE,
    ),
    "THIRD_PARTY_USER_DATA_NOT_ALLOWED": account(
        "Only data partners can send user data of third parties.",
        SOFTWARE_ERROR,
    ),
    "INVALID_COUPON_CODE": failed(
        "The coupon code is not valid.",
        _CORRECT_NAMED_FIELD,
    ),
    "EVENT_SOURCE_AND_DESTINATION_MISMATCH": failed(
        "The event source does not match the conversion action.",
        "Correct event_source in the file or the profile.",
    ),
    "DESTINATION_ACCOUNT_TYPE_MISMATCH": account(
        "The account is not a Google Ads account.",
        _CORRECT_CUSTOMER_ID,
    ),
    "INVALID_CUSTOM_VARIABLE_VALUE": failed(
        "The value of a custom variable is not valid.",
        "Correct the custom variable that Google's message names.",
    ),
    "CUSTOM_VARIABLE_NOT_FOUND": account(
        "The account has no custom variable with this name.",
        "Create the custom variable in Google Ads under Goals > Custom variables, or remove its "
        "column from the file.",
    ),
    "REQUEST_TOO_OLD": file(
        "Google no longer has a status for this request: it keeps the status for only about 50 "
        "days.",
        _OUTCOMES_UNCHANGED,
    ),
    "CONVERSION_ACTION_TOO_RECENTLY_CREATED": deferred(
        "The conversion action was created too recently.",
        "No action needed; retried automatically after 6 hours.",
    ),
    "INVALID_AD_IDENTIFIER_FOR_ACCOUNT": failed(
        "The ad click belongs to another Google Ads account.",
        _USE_ACCOUNT_OF_CLICK,
    ),
    # ProcessingErrorReason
    "PROCESSING_ERROR_REASON_UNSPECIFIED": failed(
        "Google gave no reason.",
        "Upload the rows again. If they fail again, contact Google support with the request_ids "
        "from the results document.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_CUSTOM_VARIABLE": failed(
        "A custom variable is not valid.",
        "Check the names and values of the custom variables.",
    ),
    "PROCESSING_ERROR_REASON_CUSTOM_VARIABLE_NOT_ENABLED": failed(
        "A custom variable is not enabled in the account.",
        _ENABLE_CUSTOM_VARIABLE,
    ),
    "PROCESSING_ERROR_REASON_EVENT_TOO_OLD": failed(
        "The conversion is older than Google accepts.",
        "Upload conversions sooner, ideally every day.",
    ),
    "PROCESSING_ERROR_REASON_DENIED_CONSENT": failed(
        "The person, or the account's default setting, denies consent to the use of user data for "
        "ads.",
        "No action needed; Google must not use such conversions. If this is wrong, check the "
        "ad_user_data column and the account's default setting.",
    ),
    "PROCESSING_ERROR_REASON_NO_CONSENT": failed(
        "There is no consent for Google's services.",
        _STATE_CONSENT,
    ),
    "PROCESSING_ERROR_REASON_UNKNOWN_CONSENT": failed(
        "Google cannot determine whether there is consent.",
        _STATE_CONSENT,
    ),
    "PROCESSING_ERROR_REASON_DUPLICATE_GCLID": duplicate(
        "Google has already counted a conversion with this ad click and conversion time.",
        "No action needed; Google counts the conversion once.",
    ),
    "PROCESSING_ERROR_REASON_DUPLICATE_TRANSACTION_ID": duplicate(
        "Google has already counted a conversion with this order ID for this conversion action. If "
        "the row corrects its value, Google has kept the old one.",
        "No action needed, unless the row corrects a value. Then upload the correction through the "
        "Google Ads API.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_GBRAID": failed(
        "Google cannot read the gbraid.",
        COMPLETE_CLICK_ID,
    ),
    "PROCESSING_ERROR_REASON_INVALID_GCLID": failed(
        "Google cannot read the gclid.",
        COMPLETE_CLICK_ID,
    ),
    "PROCESSING_ERROR_REASON_INVALID_MERCHANT_ID": failed(
        "The Merchant Center ID is not a number.",
        _COPY_MERCHANT_ID,
    ),
    "PROCESSING_ERROR_REASON_INVALID_WBRAID": failed(
        "Google cannot read the wbraid.",
        COMPLETE_CLICK_ID,
    ),
    "PROCESSING_ERROR_REASON_INTERNAL_ERROR": transient(
        "An internal error occurred at Google.",
        "No action needed; retried automatically while the results document has the status "
        "waiting. If the conversions are still not counted after that, upload the file again: "
        "Google counts each conversion once.",
    ),
    "PROCESSING_ERROR_REASON_DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED": account(
        "The account has not accepted the terms for enhanced conversions.",
        _ACCEPT_ENHANCED_CONVERSIONS_TERMS,
    ),
    "PROCESSING_ERROR_REASON_INVALID_EVENT": failed(
        "The conversion is not valid.",
        _CHECK_WITH_LINTER,
    ),
    "PROCESSING_ERROR_REASON_INSUFFICIENT_MATCHED_TRANSACTIONS": failed(
        "Too few of the conversions match ad clicks.",
        "Check that the email addresses and phone numbers are complete.",
    ),
    "PROCESSING_ERROR_REASON_INSUFFICIENT_TRANSACTIONS": failed(
        "There are too few conversions.",
        "Send more conversions at a time.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_FORMAT": failed(
        "A value is not in the format that Google requires.",
        _CHECK_WITH_LINTER,
    ),
    "PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER": failed(
        "The ad click belongs to another Google Ads account.",
        _USE_ACCOUNT_OF_CLICK,
    ),
    "PROCESSING_ERROR_REASON_ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID": failed(
        "A gbraid or wbraid cannot be used with a conversion action that counts one conversion "
        "per click.",
        'Set the count of the conversion action to "Every" in Google Ads, or use another '
        "conversion action for these rows.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_AD_IDENTIFIERS": failed(
        "Some click IDs are not valid.",
        COMPLETE_CLICK_ID,
    ),
    "PROCESSING_ERROR_REASON_CONVERSION_PRECEDES_CLICK": failed(
        "The ad click happened after the conversion time.",
        "Check the conversion time and its time zone. A date without a time counts as midnight.",
        if_most=TIME_ZONE,
    ),
    "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK": deferred(
        "The ad click is less than 6 hours old.",
        _RETRIED_AFTER_SIX_HOURS,
    ),
    "PROCESSING_ERROR_REASON_INVALID_CLICK": failed(
        "Google cannot use the ad click. The conversion may not come from a Google Ads campaign.",
        "Check that the click ID belongs to this account. A few such rows are normal.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_OPERATING_ACCOUNT_FOR_CLICK": failed(
        "The ad click belongs to another Google Ads account.",
        _USE_ACCOUNT_OF_CLICK,
    ),
    "PROCESSING_ERROR_REASON_CLICK_NOT_FOUND": failed(
        "Google found no ad click for the conversion. This is normal for rows without a click ID: "
        "most of these people did not click an ad.",
        "Check that the click ID is complete and belongs to this Google Ads account. Without a "
        "click ID, no action is needed.",
    ),
    "PROCESSING_ERROR_REASON_EXTERNAL_ATTRIBUTION_DATA_MISSING": account(
        "The conversion action requires external attribution, which the Data Manager API does not "
        "support.",
        "Use a conversion action without external attribution.",
    ),
    "PROCESSING_ERROR_REASON_DESTINATION_TOO_RECENTLY_CREATED": deferred(
        "The conversion action is less than 6 hours old.",
        _RETRIED_AFTER_SIX_HOURS,
    ),
    "PROCESSING_ERROR_REASON_EXPIRED_CLICK": failed(
        "The ad click is older than the conversion window of the conversion action.",
        _UPLOAD_WITHIN_THE_WINDOW,
    ),
    "PROCESSING_ERROR_REASON_TOO_RECENT_CALL": deferred(
        "The call is less than 6 hours old.",
        _RETRIED_AFTER_SIX_HOURS,
    ),
    "PROCESSING_ERROR_REASON_EXPIRED_CALL": failed(
        "The call is older than the conversion window of the conversion action.",
        _UPLOAD_WITHIN_THE_WINDOW,
    ),
    "PROCESSING_ERROR_REASON_INVALID_CALL": failed(
        "Google found no such call, or cannot use it.",
        "Check the caller's phone number and the start of the call. Google only knows calls to its "
        "forwarding numbers.",
    ),
    # ProcessingWarningReason
    "PROCESSING_WARNING_REASON_UNSPECIFIED": warning(
        "Google gave a warning without a reason.",
        _WARNING_ONLY,
    ),
    "PROCESSING_WARNING_REASON_INTERNAL_ERROR": warning(
        "An internal error occurred at Google.",
        _WARNING_ONLY,
    ),
    "PROCESSING_WARNING_REASON_CUSTOM_VARIABLE_NOT_ENABLED": warning(
        "A custom variable is not enabled in the account. The variable is left out.",
        _ENABLE_CUSTOM_VARIABLE,
    ),
    "PROCESSING_WARNING_REASON_CUSTOM_VARIABLE_NOT_PREDEFINED": warning(
        "A custom variable does not exist in the account. The variable is left out.",
        "Create it in Google Ads under Goals > Custom variables, or remove its column.",
    ),
    # WarningReason
    "WARNING_REASON_UNSPECIFIED": warning(
        "Google gave a warning without a reason.",
        _ROW_ACCEPTED,
    ),
    "WARNING_REASON_CUSTOM_VARIABLE_NOT_ENABLED": warning(
        "A custom variable is not enabled in the account.",
        _ENABLE_CUSTOM_VARIABLE,
    ),
    "WARNING_REASON_CUSTOM_VARIABLE_NOT_PREDEFINED": warning(
        "The value of a custom variable is not one of its predefined values.",
        "Add the value in Google Ads, or correct it in the file.",
    ),
    "WARNING_REASON_CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID": warning(
        "Cart data cannot be used together with a gbraid or wbraid.",
        "No action needed; the conversion counts without its cart data.",
    ),
    "WARNING_REASON_CART_DATA_ITEM_MERCHANT_PRODUCT_ID_MISSING": warning(
        "An item in the cart has no product ID.",
        "Add the item's product ID in the items column.",
    ),
    "WARNING_REASON_CART_DATA_ITEM_UNIT_PRICE_MISSING": warning(
        "An item in the cart has no price.",
        "Add the item's price in the items column.",
    ),
    "WARNING_REASON_GENERIC": warning(
        "Google gave a warning.",
        _READ_MESSAGE,
    ),
    "WARNING_REASON_INVALID_MERCHANT_ID": warning(
        "The Merchant Center ID is not valid.",
        _COPY_MERCHANT_ID,
    ),
    # Google's discovery document has these, but the client library (0.9.4) does not.
    "WARNING_REASON_ADIDENTIFIER_NOT_USED": warning(
        "Google did not use one of the click IDs or other identifiers of the ad.",
        _ROW_ACCEPTED,
    ),
    "WARNING_REASON_CUSTOM_VARIABLES_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID": warning(
        "Custom variables cannot be used together with a gbraid or wbraid.",
        "No action needed; the conversion counts without its custom variables.",
    ),
    "WARNING_REASON_DUPLICATE_ELEMENTS": warning(
        "A list in the row has the same entry twice.",
        _ROW_ACCEPTED,
    ),
    "WARNING_REASON_FIELD_VALUE_TOO_LONG": warning(
        "A value is too long, so Google left it out.",
        "Shorten the value in the file.",
    ),
    "WARNING_REASON_FIELD_VALUE_TOO_SHORT": warning(
        "A value is too short, so Google left it out.",
        "Correct the value in the file.",
    ),
    "WARNING_REASON_INVALID_MERCHANT_FEED_LANGUAGE_CODE": warning(
        "The language of the product feed is not valid.",
        "Write the language code of the feed in Merchant Center, such as en.",
    ),
    "WARNING_REASON_INVALID_NUMBER_FORMAT": warning(
        "A number is not valid, so Google left it out.",
        "Correct the number in the file.",
    ),
    "WARNING_REASON_INVALID_SHA256_FORMAT": warning(
        "A hash is not a SHA-256 hash, so Google left it out.",
        "Correct the hash in the file, or send the plain value, which is hashed before it is sent.",
    ),
    "WARNING_REASON_TOO_MANY_ELEMENTS": warning(
        "A list in the row has too many entries. Google left some out.",
        "Shorten the list in the file.",
    ),
    "WARNING_REASON_VALUE_TOO_HIGH": warning(
        "A number is too high, so Google left it out.",
        "Correct the number in the file.",
    ),
    "WARNING_REASON_VALUE_TOO_LOW": warning(
        "A number is too low, so Google left it out.",
        "Correct the number in the file.",
    ),
}
