"""Codes of the Google Ads API: kind (`lib.catalogue.kinds`), meaning and action.

Holds the values of ConversionUploadErrorEnum, ConversionAdjustmentUploadErrorEnum and other enums
that an upload or the account preflight can return:
https://developers.google.com/google-ads/api/reference/rpc/latest/errors
"""

from typing import Final

from lib.catalogue.kinds import (
    CodeText,
    account,
    deferred,
    duplicate,
    failed,
    file,
    retried,
    superseded,
    transient,
    warning,
)
from lib.catalogue.texts import COMPLETE_CLICK_ID, REPLACE_CREDENTIALS, SOFTWARE_ERROR, TIME_ZONE

TITLE: Final = "Google Ads API"

_RETRIED_AUTOMATICALLY = "No action needed; retried automatically."
_WITHOUT_EXTERNAL_ATTRIBUTION = "Use a conversion action without external attribution."
_RETRIED_AFTER_6_HOURS = "No action needed; retried automatically after 6 hours."
_COUNTED_ONCE = "No action needed; Google counts the conversion once."
_UPDATE_SOFTWARE = "Ask the engineer who deployed the function to update the software."
_REMOVE_DEVELOPER_TOKEN = (
    "Ask the engineer who deployed the function to remove developer_token from the secret; Google "
    "no longer needs it."
)
_GIVE_STANDARD_ACCESS = "Give this user at least standard access in Google Ads."
_UPLOAD_SOONER = "Upload conversions sooner, ideally every day."
_CHECK_CONVERSION_TIME = "Check the conversion time: write it as 2026-11-24 14:05:07+01:00."
_CHECK_ACTION_OF_ROW = "Check the conversion action of the row."
_WRITE_ACTION_IN_FULL = (
    "Write the conversion action as customers/1234567890/conversionActions/987654321, or use its "
    "ID or its name."
)
_CORRECT_NAMED_FIELD = "Correct the field that Google's message names."
_FILL_IN_NAMED_FIELD = "Fill in the field that Google's message names."

_ACTION_NAME_MALFORMED = "A resource name, such as that of the conversion action, is malformed."
_FIELD_MISSING = "A required field is missing."
_VALUE_NOT_IN_LIST = "A value is not one of the words that Google accepts for its field."
_TIME_UNREADABLE = "Google cannot read the conversion time."
_ENHANCEMENT_ONLY = (
    "The error concerns enhancements of conversions, which this software never sends."
)
_TOO_MANY_OPERATIONS = "The request contains too many operations."
_REQUEST_TOO_LARGE = "The request is too large."

TABLE: Final[dict[str, CodeText]] = {
    # ConversionUploadError
    "UNSPECIFIED": failed(
        "Google gave no reason.",
        "Upload the row again. If it fails again, contact Google support with the request_ids "
        "from the results document.",
    ),
    "UNKNOWN": failed(
        "Google gave a reason that this version of the software does not know.",
        "Ask the engineer who deployed the function to update the software. Then upload the row "
        "again.",
    ),
    "TOO_MANY_CONVERSIONS_IN_REQUEST": file(
        "The request contains more than 2,000 conversions.",
        SOFTWARE_ERROR,
    ),
    "UNPARSEABLE_GCLID": failed(
        "Google cannot read the gclid.",
        COMPLETE_CLICK_ID,
    ),
    "CONVERSION_PRECEDES_EVENT": failed(
        "The ad click happened after the conversion time.",
        "Check the conversion time and its time zone. A date without a time counts as midnight.",
        if_most=TIME_ZONE,
    ),
    "EXPIRED_EVENT": failed(
        "The ad click is older than the click-through conversion window of the conversion action.",
        f"{_UPLOAD_SOONER} Or lengthen the click-through conversion window in Google Ads (at most "
        "90 days).",
    ),
    "TOO_RECENT_EVENT": deferred(
        "The ad click is less than 6 hours old.",
        _RETRIED_AFTER_6_HOURS,
    ),
    "EVENT_NOT_FOUND": failed(
        "Google found no ad click for this row. The conversion may not come from a Google Ads "
        "campaign.",
        "Check that the click ID belongs to this account. A few such rows are normal.",
    ),
    "UNAUTHORIZED_CUSTOMER": account(
        "The ad click belongs to an account that the credentials cannot access.",
        "Upload the row to the Google Ads account that the ad belongs to, or link that account to "
        "the manager account.",
    ),
    "TOO_RECENT_CONVERSION_ACTION": deferred(
        "The conversion action was created less than 6 hours ago.",
        _RETRIED_AFTER_6_HOURS,
    ),
    "CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME": failed(
        "Conversion tracking was off in the account of the ad when the ad click happened.",
        "No action needed; these rows cannot be counted, but clicks from now on are tracked.",
    ),
    "EXTERNAL_ATTRIBUTION_DATA_NOT_SET_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION": failed(
        "The conversion action requires external attribution data, which this function does not "
        "send.",
        _WITHOUT_EXTERNAL_ATTRIBUTION,
    ),
    "ORDER_ID_NOT_PERMITTED_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION": failed(
        "The row has an order ID, but a conversion action with external attribution does not "
        "accept one.",
        _WITHOUT_EXTERNAL_ATTRIBUTION,
    ),
    "ORDER_ID_ALREADY_IN_USE": duplicate(
        "Google has already counted a conversion with this order ID for this conversion action.",
        _COUNTED_ONCE,
    ),
    "DUPLICATE_ORDER_ID": duplicate(
        "Another row of the file has the same order ID.",
        "Give each order its own order ID. If both rows are the same order, no action is needed.",
    ),
    "TOO_RECENT_CALL": deferred(
        "The call is less than 6 hours old.",
        _RETRIED_AFTER_6_HOURS,
    ),
    "EXPIRED_CALL": failed(
        "The call is older than the conversion window of the conversion action.",
        _UPLOAD_SOONER,
    ),
    "CALL_NOT_FOUND": failed(
        "Google found no call or ad click for this row.",
        "Check the caller's phone number and the call start time. Google ignores calls without a "
        "Google forwarding number.",
    ),
    "CONVERSION_PRECEDES_CALL": failed(
        "The call happened after the conversion time.",
        "Check the conversion time, the call start time and their time zones.",
        if_most=TIME_ZONE,
    ),
    "CONVERSION_TRACKING_NOT_ENABLED_AT_CALL_TIME": failed(
        "Conversion tracking was off in the account when the call happened.",
        "Check that conversion tracking is on now. This call cannot be counted.",
    ),
    "UNPARSEABLE_CALLERS_PHONE_NUMBER": failed(
        "Google cannot read the caller's phone number.",
        "Write the caller's phone number with + and the country code, such as +12125550101.",
    ),
    "CLICK_CONVERSION_ALREADY_EXISTS": duplicate(
        "Google has already counted a conversion with this ad click and conversion time.",
        _COUNTED_ONCE,
    ),
    "CALL_CONVERSION_ALREADY_EXISTS": duplicate(
        "Google has already counted a conversion with this call and conversion time.",
        _COUNTED_ONCE,
    ),
    "DUPLICATE_CLICK_CONVERSION_IN_REQUEST": duplicate(
        "Another row of the file has the same ad click and conversion time.",
        "Give each conversion of the click its own conversion time. If both rows are the same "
        "conversion, no action is needed.",
    ),
    "DUPLICATE_CALL_CONVERSION_IN_REQUEST": duplicate(
        "Another row of the file has the same call and conversion time.",
        "Give each conversion of the call its own conversion time. If both rows are the same "
        "conversion, no action is needed.",
    ),
    "CUSTOM_VARIABLE_NOT_ENABLED": account(
        "A custom variable is not enabled in the account.",
        "Enable it in Google Ads under Goals > Custom variables, or remove its column from the "
        "file.",
    ),
    "CUSTOM_VARIABLE_VALUE_CONTAINS_PII": failed(
        "A custom variable contains personal data, which Google does not accept.",
        "Remove the personal data from the column of the custom variable.",
    ),
    "INVALID_CUSTOMER_FOR_CLICK": failed(
        "The ad click belongs to another Google Ads account.",
        "Upload the row to the Google Ads account that the ad belongs to: move it to a file "
        "of a profile with that customer_id.",
    ),
    "INVALID_CUSTOMER_FOR_CALL": failed(
        "The call belongs to another Google Ads account.",
        "Upload the row to the Google Ads account that the call belongs to.",
    ),
    "CONVERSION_NOT_COMPLIANT_WITH_ATT_POLICY": failed(
        "The conversion violates Apple's App Tracking Transparency policy, or the person did not "
        "consent to tracking.",
        "Leave out conversions of people who did not consent to tracking.",
    ),
    "CLICK_NOT_FOUND": warning(
        "Google accepted the row, but its email address or phone number matches no ad click. This "
        "is normal for some of the rows.",
        "No action needed. If most rows have this warning, check that the email addresses and "
        "phone numbers are complete.",
    ),
    "INVALID_USER_IDENTIFIER": failed(
        "Google cannot use a user identifier: it is not hashed, or was not normalized (brought "
        "into Google's format) before hashing.",
        "Check how the hashes in the file were created. It is better to put the original values "
        "into the email and phone columns, where they are hashed before they are sent.",
    ),
    "EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION_NOT_PERMITTED_WITH_USER_IDENTIFIER": failed(
        "The row has email addresses or phone numbers, but a conversion action with external "
        "attribution does not accept them.",
        _WITHOUT_EXTERNAL_ATTRIBUTION,
    ),
    "UNSUPPORTED_USER_IDENTIFIER": failed(
        "The row was sent with a user identifier other than an email address or a phone number. "
        "Google accepts only these two here.",
        SOFTWARE_ERROR,
    ),
    "GBRAID_WBRAID_BOTH_SET": failed(
        "The row has both a gbraid and a wbraid, but Google accepts only one of them.",
        "Keep the one from the landing page URL, and remove the other.",
    ),
    "UNPARSEABLE_WBRAID": failed(
        "Google cannot read the wbraid.",
        COMPLETE_CLICK_ID,
    ),
    "UNPARSEABLE_GBRAID": failed(
        "Google cannot read the gbraid.",
        COMPLETE_CLICK_ID,
    ),
    "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID": failed(
        "A gbraid or wbraid cannot be used with a conversion action that counts one conversion "
        "per click.",
        'Set the count of the conversion action to "Every" in Google Ads, or use another '
        "conversion action for these rows.",
    ),
    "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS": account(
        "Google's policies do not allow this account to use enhanced conversions.",
        "Ask your Google representative. Until then, send click IDs only.",
    ),
    "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS": account(
        "The account has not accepted the customer data terms.",
        "Accept the terms in Google Ads under Goals > Settings > Customer data terms.",
    ),
    "ORDER_ID_CONTAINS_PII": failed(
        "The order ID contains personal data, which Google does not accept.",
        "Export the order number instead, or leave the cell empty.",
    ),
    "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS": account(
        "Enhanced conversions for leads are turned off in the account.",
        "Turn them on in Google Ads under Goals > Settings > Enhanced conversions for leads.",
    ),
    "INVALID_JOB_ID": file(
        "The job ID of the upload is not between 1 and 2,147,483,647.",
        SOFTWARE_ERROR,
    ),
    "NO_CONVERSION_ACTION_FOUND": account(
        "The account does not have this conversion action, or the ad click belongs to an account "
        "that has no access to it.",
        "Correct the conversion action in the file or the profile if every row has this error; "
        "the conversion action must be in the account that manages the conversions. If only some "
        "rows have it, their ad clicks belong to another account.",
    ),
    "INVALID_CONVERSION_ACTION_TYPE": account(
        "The type of the conversion action does not fit the rows.",
        "Use a conversion action of the right type, and name it in the file or the profile: "
        "Import > Track conversions from clicks for conversions, Import > Track conversions from "
        "calls for calls. Adjustments use the conversion action of the conversion, but "
        "conversions from calls cannot be adjusted.",
    ),
    # ConversionAdjustmentUploadError: the values that conversions and calls cannot have
    "CONVERSION_ALREADY_RETRACTED": duplicate(
        "The conversion is already retracted. It stays retracted.",
        "No action needed. Google accepts no adjustment of a retracted conversion.",
    ),
    "CONVERSION_NOT_FOUND": retried(
        "Google found no conversion with this order ID, or with this gclid and conversion time, "
        "for this conversion action. It may not find one that it got less than a day ago.",
        "Check that the adjustment has the conversion action and the order ID of its conversion, "
        "and that the conversion was counted. If it was or will be uploaded today, no action is "
        "needed: the row is sent again after 24 hours, and fails only after two days. A conversion "
        "with an order ID can be adjusted only by it.",
    ),
    "CONVERSION_EXPIRED": failed(
        "The conversion is older than 54 days, so Google no longer adjusts it.",
        "No action needed; the conversion keeps its value. Upload adjustments sooner.",
    ),
    "ADJUSTMENT_PRECEDES_CONVERSION": failed(
        "The adjustment time is before the conversion time.",
        "Check the adjustment time and its time zone.",
    ),
    "MORE_RECENT_RESTATEMENT_FOUND": superseded(
        "Google already has an adjustment of this conversion with a later adjustment time. That "
        "one counts.",
        "No action needed. If the value in this row is the right one, upload it with an adjustment "
        "time after the one of the other adjustment.",
    ),
    "TOO_RECENT_CONVERSION": deferred(
        "The conversion is less than 24 hours old. Google adjusts it only after that.",
        "No action needed; retried automatically after 24 hours.",
    ),
    "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE": account(
        "The conversion action always uses its default value, so the value of a conversion cannot "
        "be corrected. Retractions are possible.",
        "Open the conversion action in Google Ads and set its value to: Use different values for "
        "each conversion.",
    ),
    "TOO_MANY_ADJUSTMENTS_IN_REQUEST": file(
        "The request contains more than 2,000 adjustments.",
        SOFTWARE_ERROR,
    ),
    "TOO_MANY_ADJUSTMENTS": failed(
        "The conversion was already adjusted as often as Google allows.",
        "Upload only the last correction of a conversion. This conversion keeps its value.",
    ),
    "RESTATEMENT_ALREADY_EXISTS": duplicate(
        "Google already has an adjustment of this conversion with the same adjustment time. If "
        "this row has another value, Google has not taken it.",
        "Upload the row with a later adjustment time if its value is a different one. Otherwise no "
        "action is needed.",
    ),
    "DUPLICATE_ADJUSTMENT_IN_REQUEST": duplicate(
        "Another row of the file adjusts the same conversion with the same adjustment time. If "
        "this row has another value, Google has not taken it.",
        "Give each adjustment of a conversion its own adjustment time. If both rows have the same "
        "value, no action is needed.",
    ),
    "CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT": account(
        _ENHANCEMENT_ONLY,
        SOFTWARE_ERROR,
    ),
    "GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET": failed(
        "The adjustment was sent with an order ID and with a gclid and conversion time. Google "
        "accepts only one of the two.",
        SOFTWARE_ERROR,
    ),
    "CONVERSION_ALREADY_ENHANCED": duplicate(_ENHANCEMENT_ONLY, SOFTWARE_ERROR),
    "DUPLICATE_ENHANCEMENT_IN_REQUEST": duplicate(_ENHANCEMENT_ONLY, SOFTWARE_ERROR),
    "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCEMENT": account(
        _ENHANCEMENT_ONLY,
        SOFTWARE_ERROR,
    ),
    "MISSING_ORDER_ID_FOR_WEBPAGE": failed(
        "A conversion of a website action can be adjusted only by its order ID.",
        "Add the order ID that the website's tag sent as the transaction ID.",
    ),
    # NotAllowlistedError
    "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE": account(
        "Google does not allow these credentials to use the feature. If every row has this error: "
        "Google has closed uploads of this kind through the Google Ads API to callers who did not "
        "use it before 15 June 2026. If only some rows have it: Google does not accept session "
        "attributes and IP addresses from new callers.",
        'Set "destination": "data_manager" in the profile. If Google '
        'refuses only session attributes or IP addresses, set "omit_session_and_ip": true instead. '
        "If Google refuses only adjustments, retract the conversions in Google Ads: the Data "
        "Manager API only corrects values.",
    ),
    # QuotaError
    "RESOURCE_EXHAUSTED": transient(
        "The API quota is used up: either the operations per day or the requests per minute.",
        "No action needed; retried automatically when the quota is renewed. If this happens "
        "often, apply to Google for a higher quota.",
    ),
    "ACCESS_PROHIBITED": account(
        "Google has blocked this access to the API.",
        "Check the API Center in Google Ads, or contact Google support.",
    ),
    "RESOURCE_TEMPORARILY_EXHAUSTED": transient(
        "Google received too many requests in a short time.",
        _RETRIED_AUTOMATICALLY,
    ),
    "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION": transient(
        "Google received too many expensive queries in a short time.",
        _RETRIED_AUTOMATICALLY,
    ),
    "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION": transient(
        "Google received too many expensive queries over a longer time.",
        _RETRIED_AUTOMATICALLY,
    ),
    # AuthenticationError
    "AUTHENTICATION_ERROR": account(
        "Google could not authenticate the request.",
        REPLACE_CREDENTIALS,
    ),
    "CLIENT_CUSTOMER_ID_INVALID": account(
        "The customer ID is not a number.",
        "Correct customer_id in the profile: it must have ten digits.",
    ),
    "CUSTOMER_NOT_FOUND": account(
        "No Google Ads account has this customer ID.",
        "Correct customer_id in the profile.",
    ),
    "GOOGLE_ACCOUNT_DELETED": account(
        "The Google account behind the credentials was deleted.",
        REPLACE_CREDENTIALS,
    ),
    "GOOGLE_ACCOUNT_COOKIE_INVALID": account(
        "The login of the Google account behind the credentials is not valid.",
        REPLACE_CREDENTIALS,
    ),
    "GOOGLE_ACCOUNT_AUTHENTICATION_FAILED": account(
        "Google could not authenticate the Google account behind the credentials.",
        REPLACE_CREDENTIALS,
    ),
    "GOOGLE_ACCOUNT_USER_AND_ADS_USER_MISMATCH": account(
        "The Google account behind the credentials is not the user that the request names.",
        REPLACE_CREDENTIALS,
    ),
    "LOGIN_COOKIE_REQUIRED": account("The request has no login.", REPLACE_CREDENTIALS),
    "NOT_ADS_USER": account(
        "The Google account behind the credentials has no access to any Google Ads account.",
        "Invite this Google account in Google Ads under Admin > Access and security.",
    ),
    "OAUTH_TOKEN_INVALID": account("The OAuth token is not valid.", REPLACE_CREDENTIALS),
    "OAUTH_TOKEN_EXPIRED": account("The OAuth token has expired.", REPLACE_CREDENTIALS),
    "OAUTH_TOKEN_DISABLED": account("The OAuth token is disabled.", REPLACE_CREDENTIALS),
    "OAUTH_TOKEN_REVOKED": account("The OAuth token was revoked.", REPLACE_CREDENTIALS),
    "OAUTH_TOKEN_HEADER_INVALID": account(
        "The OAuth token is malformed.",
        REPLACE_CREDENTIALS,
    ),
    "LOGIN_COOKIE_INVALID": account(
        "The login of the request is not valid.",
        REPLACE_CREDENTIALS,
    ),
    "INVALID_EMAIL_ADDRESS": account(
        "The Google account behind the credentials does not exist.",
        REPLACE_CREDENTIALS,
    ),
    "USER_ID_INVALID": account(
        "The user behind the credentials is not valid.",
        REPLACE_CREDENTIALS,
    ),
    "TWO_STEP_VERIFICATION_NOT_ENROLLED": account(
        "The Google Ads account requires 2-Step Verification for its users, and the user behind "
        "the credentials does not have it.",
        "Turn on 2-Step Verification for the Google account behind the credentials. Then ask the "
        "engineer who deployed the function to create new credentials.",
    ),
    "ADVANCED_PROTECTION_NOT_ENROLLED": account(
        "The Google Ads account requires Advanced Protection for its users, and the user behind "
        "the credentials does not have it.",
        "Turn on Advanced Protection for the Google account behind the credentials. Then ask the "
        "engineer who deployed the function to create new credentials.",
    ),
    "ORGANIZATION_NOT_RECOGNIZED": account(
        "Google does not recognize the Google Cloud organization of the project.",
        "Ask the administrator of the Google Cloud project to check its organization.",
    ),
    "ORGANIZATION_NOT_APPROVED": account(
        "The Google Cloud organization of the project is not approved for production access.",
        "Ask the administrator of the Google Cloud project to request this approval.",
    ),
    "ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN": account(
        "The developer token belongs to another Google Cloud organization than the project.",
        _REMOVE_DEVELOPER_TOKEN,
    ),
    "DEVELOPER_TOKEN_INVALID": account(
        "The developer token is not valid.",
        _REMOVE_DEVELOPER_TOKEN,
    ),
    # AuthorizationError
    "USER_PERMISSION_DENIED": account(
        "The user or service account behind the credentials has no access to the Google Ads "
        "account.",
        "Invite this user or service account in Google Ads under Admin > Access and security, or "
        "set login_customer_id in the profile to the manager account.",
    ),
    "DEVELOPER_TOKEN_NOT_ON_ALLOWLIST": account(
        "The developer token is not on Google's allowlist.",
        _REMOVE_DEVELOPER_TOKEN,
    ),
    "DEVELOPER_TOKEN_PROHIBITED": account(
        "The developer token does not belong to the Google Cloud project.",
        _REMOVE_DEVELOPER_TOKEN,
    ),
    "PROJECT_DISABLED": account(
        "The Google Cloud project is not allowed to use the Google Ads API.",
        "Enable the Google Ads API in the Google Cloud project, or ask its administrator to do so.",
    ),
    "AUTHORIZATION_ERROR": account(
        "Google refused to authorize the request.",
        REPLACE_CREDENTIALS,
    ),
    "ACTION_NOT_PERMITTED": account(
        "The user behind the credentials does not have permission for this in the account.",
        _GIVE_STANDARD_ACCESS,
    ),
    "INCOMPLETE_SIGNUP": account(
        "The sign-up of the account is not complete.",
        "Complete the sign-up in Google Ads.",
    ),
    "CUSTOMER_NOT_ENABLED": account(
        "The account is not enabled, or was closed.",
        "Enable the account in Google Ads, or correct customer_id.",
    ),
    "MISSING_TOS": account(
        "The terms of service of the Google Ads API are not signed.",
        "Ask the engineer who deployed the function to sign them in the Google Cloud console, "
        "under Google Ads APIs.",
    ),
    "DEVELOPER_TOKEN_NOT_APPROVED": account(
        "Your access to the API is for test accounts only.",
        "Apply to Google for Explorer, Basic or Standard access.",
    ),
    "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": account(
        "The Google Cloud project of the credentials can use test accounts only.",
        "Apply to Google for Explorer, Basic or Standard access for this Google Cloud project.",
    ),
    "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION": account(
        "The manager account in login_customer_id has no access to the account in customer_id.",
        "Correct login_customer_id, or link the two accounts in Google Ads.",
    ),
    "SERVICE_ACCESS_DENIED": account(
        "The credentials are not allowed to use this service of the API.",
        REPLACE_CREDENTIALS,
    ),
    "ACCESS_DENIED_FOR_ACCOUNT_TYPE": account(
        "The account does not belong to Google Ads but to another advertising system.",
        "Correct customer_id and login_customer_id.",
    ),
    "METRIC_ACCESS_DENIED": account(
        "The user behind the credentials is not allowed to read these metrics.",
        "Give this user read access to the account in Google Ads.",
    ),
    "CLOUD_PROJECT_NOT_UNDER_ORGANIZATION": account(
        "The Google Cloud project does not belong to the required organization.",
        "Ask the administrator of the Google Cloud project to check its organization.",
    ),
    "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": account(
        "The account is suspended.",
        "Resolve the suspension in Google Ads.",
    ),
    # HeaderError, RequestError
    "INVALID_LOGIN_CUSTOMER_ID": account(
        "The customer ID of the manager account is not valid.",
        "Correct login_customer_id: it must have ten digits.",
    ),
    "INVALID_LINKED_CUSTOMER_ID": account(
        "The customer ID of the linked account is not valid.",
        "Ask the engineer who deployed the function to correct or remove linked_customer_id in the "
        "secret.",
    ),
    "RESOURCE_NAME_MISSING": failed(
        "A resource name is missing, such as that of the conversion action.",
        _CHECK_ACTION_OF_ROW,
    ),
    "RESOURCE_NAME_MALFORMED": failed(_ACTION_NAME_MALFORMED, _WRITE_ACTION_IN_FULL),
    "BAD_RESOURCE_ID": failed(_ACTION_NAME_MALFORMED, _WRITE_ACTION_IN_FULL),
    "INVALID_CUSTOMER_ID": account(
        "The customer ID is not valid.",
        "Correct customer_id: it must have ten digits.",
    ),
    "OPERATION_REQUIRED": file("The request contains no operation.", SOFTWARE_ERROR),
    "RESOURCE_NOT_FOUND": failed(
        "Google cannot find something that the row names, such as the conversion action.",
        _CHECK_ACTION_OF_ROW,
    ),
    "INVALID_PAGE_TOKEN": file(
        "The token for the next page of query results is not valid.",
        SOFTWARE_ERROR,
    ),
    "EXPIRED_PAGE_TOKEN": transient(
        "The token for the next page of query results has expired.",
        _RETRIED_AUTOMATICALLY,
    ),
    "REQUIRED_FIELD_MISSING": failed(_FIELD_MISSING, _FILL_IN_NAMED_FIELD),
    "IMMUTABLE_FIELD": failed(
        "The request sets a field that cannot be changed.",
        SOFTWARE_ERROR,
    ),
    "TOO_MANY_MUTATE_OPERATIONS": file(_TOO_MANY_OPERATIONS, SOFTWARE_ERROR),
    "TOO_MANY_ACTION_OPERATIONS": file(_TOO_MANY_OPERATIONS, SOFTWARE_ERROR),
    "CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT": account(
        "The account is a manager account, which cannot do this.",
        "Set customer_id to the account that has the conversion action.",
    ),
    "CANNOT_MODIFY_FOREIGN_FIELD": failed(
        "The request sets a field that it cannot change.",
        SOFTWARE_ERROR,
    ),
    "INVALID_ENUM_VALUE": failed(_VALUE_NOT_IN_LIST, _CORRECT_NAMED_FIELD),
    "DEVELOPER_TOKEN_PARAMETER_MISSING": account(
        "The developer token is missing. Newer versions of the API do not need one.",
        _UPDATE_SOFTWARE,
    ),
    "LOGIN_CUSTOMER_ID_PARAMETER_MISSING": account(
        "The customer ID of the manager account is missing.",
        "Set login_customer_id in the profile.",
    ),
    "RPC_DEADLINE_TOO_SHORT": transient(
        "The time limit of the request was too short.",
        "No action needed; retried automatically. If this keeps happening, ask the engineer who "
        "deployed the function to raise REQUEST_TIMEOUT_SECONDS.",
    ),
    "UNSUPPORTED_VERSION": account(
        "Google has shut down the API version that this software uses.",
        _UPDATE_SOFTWARE,
    ),
    "CLOUD_PROJECT_NOT_FOUND": account(
        "Google cannot find the Google Cloud project of the credentials.",
        REPLACE_CREDENTIALS,
    ),
    "PARTIAL_FAILURE_MODE_REQUIRED": file(
        "The request was not in partial failure mode, which uploads require.",
        SOFTWARE_ERROR,
    ),
    # InternalError, DatabaseError, gRPC
    "INTERNAL_ERROR": transient(
        "An internal error occurred at Google. Google may have processed the request anyway; it "
        "counts each conversion once.",
        _RETRIED_AUTOMATICALLY,
    ),
    "ERROR_CODE_NOT_PUBLISHED": failed(
        "This API version does not have a code for Google's reason yet.",
        "Read Google's message, and ask the engineer who deployed the function to update the "
        "software.",
    ),
    "TRANSIENT_ERROR": transient(
        "A temporary error occurred at Google.",
        _RETRIED_AUTOMATICALLY,
    ),
    "DEADLINE_EXCEEDED": transient("Google took too long to answer.", _RETRIED_AUTOMATICALLY),
    "CONCURRENT_MODIFICATION": transient(
        "Another request changed the same data at the same time.",
        _RETRIED_AUTOMATICALLY,
    ),
    "DATA_CONSTRAINT_VIOLATION": failed(
        "The row contradicts data that Google already has.",
        "Upload the row again; Google then gives a more exact reason.",
    ),
    "REQUEST_TOO_LARGE": file(_REQUEST_TOO_LARGE, SOFTWARE_ERROR),
    "UNAVAILABLE": transient(
        "Google's API is temporarily unavailable.",
        _RETRIED_AUTOMATICALLY,
    ),
    "UNAUTHENTICATED": account("Google refused the credentials.", REPLACE_CREDENTIALS),
    # DateError
    "INVALID_FIELD_VALUES_IN_DATE": failed(
        "The date does not exist in the calendar.",
        _CHECK_CONVERSION_TIME,
    ),
    "INVALID_FIELD_VALUES_IN_DATE_TIME": failed(
        "The date or the time of day does not exist.",
        _CHECK_CONVERSION_TIME,
    ),
    "INVALID_STRING_DATE": failed("Google cannot read the date.", _CHECK_CONVERSION_TIME),
    "INVALID_STRING_DATE_TIME_MICROS": failed(_TIME_UNREADABLE, _CHECK_CONVERSION_TIME),
    "INVALID_STRING_DATE_TIME_SECONDS": failed(_TIME_UNREADABLE, _CHECK_CONVERSION_TIME),
    "INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET": failed(
        "Google cannot read the conversion time with its UTC offset.",
        _CHECK_CONVERSION_TIME,
    ),
    "EARLIER_THAN_MINIMUM_DATE": failed(
        "The date is earlier than Google accepts.",
        _UPLOAD_SOONER,
    ),
    "LATER_THAN_MAXIMUM_DATE": failed(
        "The date is later than Google accepts.",
        _CHECK_CONVERSION_TIME,
    ),
    # StringLengthError, StringFormatError, FieldError, RangeError and other field checks
    "EMPTY": failed(
        "A text field is empty.",
        _FILL_IN_NAMED_FIELD,
    ),
    "TOO_SHORT": failed(
        "A value is too short, such as an order ID of one character.",
        "Write the full value in the field that Google's message names.",
    ),
    "TOO_LONG": failed(
        "A value is too long.",
        "Shorten the value in the field that Google's message names.",
    ),
    "ILLEGAL_CHARS": failed(
        "A value contains characters that Google does not accept.",
        "Remove these characters from the field that Google's message names.",
    ),
    "INVALID_FORMAT": failed(
        "A value is not in the format that Google requires.",
        _CORRECT_NAMED_FIELD,
    ),
    "NOT_FOUND": failed(
        "Google cannot find something that the row or the profile names.",
        _CORRECT_NAMED_FIELD,
    ),
    "REQUIRED": failed(_FIELD_MISSING, _FILL_IN_NAMED_FIELD),
    "INVALID_VALUE": failed(
        "Google does not accept the value of a field.",
        _CORRECT_NAMED_FIELD,
    ),
    "VALUE_MUST_BE_UNSET": failed(
        "A field cannot be combined with the other fields of this row.",
        "Clear the field that Google's message names.",
    ),
    "REQUIRED_NONEMPTY_LIST": failed("A required list is empty.", SOFTWARE_ERROR),
    "FIELD_CANNOT_BE_CLEARED": failed(
        "The request clears a field that cannot be cleared.",
        SOFTWARE_ERROR,
    ),
    "BLOCKED_VALUE": failed("Google blocks the value of a field.", _CORRECT_NAMED_FIELD),
    "FIELD_CAN_ONLY_BE_CLEARED": failed(
        "The request sets a field that can only be cleared.",
        SOFTWARE_ERROR,
    ),
    "TOO_LOW": failed("A number is too small.", _CORRECT_NAMED_FIELD),
    "TOO_HIGH": failed("A number is too large.", _CORRECT_NAMED_FIELD),
    "UNSUPPORTED": failed(
        "Google does not accept this currency.",
        "Convert the value to a currency that Google Ads supports.",
    ),
    "TOO_FEW": failed("A list has too few entries.", SOFTWARE_ERROR),
    "TOO_MANY": failed(
        "A list has too many entries, such as user identifiers.",
        "Keep at most five email addresses and phone numbers in total per row.",
    ),
    "EMPTY_LIST": failed("A list is empty.", SOFTWARE_ERROR),
    "NULL_CONTENT": failed("A list contains an empty entry.", SOFTWARE_ERROR),
    "DUPLICATE_ELEMENT": failed(
        "A list contains the same entry twice.",
        "Remove one of the two entries from the field that Google's message names.",
    ),
    "DUPLICATE_TYPE": failed(
        "A list contains two entries of the same type.",
        SOFTWARE_ERROR,
    ),
    "ENUM_VALUE_NOT_PERMITTED": failed(_VALUE_NOT_IN_LIST, _CORRECT_NAMED_FIELD),
    "WRITE_ACCESS_DENIED": account(
        "The user behind the credentials has read-only access to the account.",
        _GIVE_STANDARD_ACCESS,
    ),
    "MUTATE_NOT_PERMITTED_FOR_CUSTOMER": account(
        "This account does not allow any changes.",
        "Check the account in Google Ads.",
    ),
    "MUTATE_NOT_ALLOWED": account(
        "Google does not allow this change.",
        SOFTWARE_ERROR,
    ),
    "REQUEST_SIZE_LIMIT_EXCEEDED": file(_REQUEST_TOO_LARGE, SOFTWARE_ERROR),
    "RESPONSE_SIZE_LIMIT_EXCEEDED": file(
        "Google's answer to the request would be too large.",
        SOFTWARE_ERROR,
    ),
}
