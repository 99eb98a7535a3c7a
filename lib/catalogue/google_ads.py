"""Codes of the Google Ads API: kind (see `lib.catalogue.codes`), meaning, what to do.

All of ConversionUploadErrorEnum, and of the other enums what an upload or a query of the account's
settings can meet: https://developers.google.com/google-ads/api/reference/rpc/latest/errors
"""

from typing import Final

_WAIT = "Nothing; it's tried again by itself."
_BUG = "Report it: this is a mistake of the software, not of the file."
_TOKEN = "Make new credentials and store them in the secret."
_CLICK_AGE = "Upload conversions sooner, best every day."
_OWN_CLICK = "Send it with the account that the ad belongs to."
_NOT_USED = "Nothing for this file: it's about calls, which aren't uploaded here."
_DATE = "Check the conversion time; the formats are in docs/input.md."

TABLE: Final[dict[str, tuple[str, str, str]]] = {
    # ConversionUploadError
    "UNSPECIFIED": (
        "failed",
        "Google gave no reason.",
        "Send the row again; if it fails again, ask Google with the request id.",
    ),
    "UNKNOWN": (
        "failed",
        "Google gave a reason that this version doesn't know.",
        "Update the software, then send the row again.",
    ),
    "TOO_MANY_CONVERSIONS_IN_REQUEST": (
        "file",
        "The request held more than 2,000 conversions.",
        _BUG,
    ),
    "UNPARSEABLE_GCLID": (
        "failed",
        "Google can't read the gclid.",
        "Check that it's stored whole and in its own case, as in the landing page's address.",
    ),
    "CONVERSION_PRECEDES_EVENT": (
        "failed",
        "The conversion time lies before the ad click.",
        "Check the time and its zone. A date without a time counts as midnight.",
    ),
    "EXPIRED_EVENT": (
        "failed",
        "The ad click is older than the conversion action's click-through window.",
        f"{_CLICK_AGE} Or lengthen the window (at most 90 days).",
    ),
    "TOO_RECENT_EVENT": (
        "deferred",
        "The ad click is less than 6 hours old.",
        "Nothing; it will be sent again after 6 hours.",
    ),
    "EVENT_NOT_FOUND": (
        "failed",
        "Google finds no ad click for the row; perhaps it didn't come from a Google Ads campaign.",
        "Check that the click id belongs to this account. A few of these are normal.",
    ),
    "UNAUTHORIZED_CUSTOMER": (
        "account",
        "The click belongs to an account that the credentials can't reach.",
        "Upload to the account of the click, or link it to the manager account.",
    ),
    "TOO_RECENT_CONVERSION_ACTION": (
        "deferred",
        "The conversion action was created less than 6 hours ago.",
        "Nothing; it will be sent again after 6 hours.",
    ),
    "CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME": (
        "failed",
        "At the time of the click, conversion tracking wasn't on for the account of the click.",
        "Nothing for these rows; clicks from now on are tracked.",
    ),
    "EXTERNAL_ATTRIBUTION_DATA_SET_FOR_NON_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION": (
        "failed",
        "The row has external attribution, but the conversion action doesn't use it.",
        "Take the columns out, or set the action to external attribution.",
    ),
    "EXTERNAL_ATTRIBUTION_DATA_NOT_SET_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION": (
        "failed",
        "The conversion action needs external attribution, and the row has none.",
        "Add external_attribution_credit and external_attribution_model.",
    ),
    "ORDER_ID_NOT_PERMITTED_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION": (
        "failed",
        "An action with external attribution takes no order id.",
        "Leave the order id empty.",
    ),
    "ORDER_ID_ALREADY_IN_USE": (
        "duplicate",
        "Google has already counted a conversion with this order id for this action.",
        "Nothing: it counts once.",
    ),
    "DUPLICATE_ORDER_ID": (
        "duplicate",
        "Another row of the file has the same order id.",
        "Nothing, if they're the same order; otherwise give each its own id.",
    ),
    "TOO_RECENT_CALL": ("deferred", "The call is less than 6 hours old.", _NOT_USED),
    "EXPIRED_CALL": ("failed", "The call is older than the look-back window.", _NOT_USED),
    "CALL_NOT_FOUND": ("failed", "Google finds no call or click for the row.", _NOT_USED),
    "CONVERSION_PRECEDES_CALL": (
        "failed",
        "The conversion time lies before the call.",
        _NOT_USED,
    ),
    "CONVERSION_TRACKING_NOT_ENABLED_AT_CALL_TIME": (
        "failed",
        "At the time of the call, conversion tracking wasn't on.",
        _NOT_USED,
    ),
    "UNPARSEABLE_CALLERS_PHONE_NUMBER": (
        "failed",
        "Google can't read the caller's phone number.",
        _NOT_USED,
    ),
    "CLICK_CONVERSION_ALREADY_EXISTS": (
        "duplicate",
        "Google has already counted a conversion of this click at this time.",
        "Nothing: it counts once.",
    ),
    "CALL_CONVERSION_ALREADY_EXISTS": (
        "duplicate",
        "Google has already counted a conversion of this call at this time.",
        _NOT_USED,
    ),
    "DUPLICATE_CLICK_CONVERSION_IN_REQUEST": (
        "duplicate",
        "Another row of the file has the same click and time.",
        "Nothing, if they're the same conversion; otherwise their times must differ.",
    ),
    "DUPLICATE_CALL_CONVERSION_IN_REQUEST": (
        "duplicate",
        "Another row of the file has the same call and time.",
        _NOT_USED,
    ),
    "CUSTOM_VARIABLE_NOT_ENABLED": (
        "account",
        "A custom variable isn't enabled in the account.",
        "Enable it in Google Ads (Goals > Custom variables), or take its column out.",
    ),
    "CUSTOM_VARIABLE_VALUE_CONTAINS_PII": (
        "failed",
        "A custom variable holds personal data, which Google refuses.",
        "Take it out of that column.",
    ),
    "INVALID_CUSTOMER_FOR_CLICK": (
        "failed",
        "The click belongs to another Google Ads account.",
        _OWN_CLICK,
    ),
    "INVALID_CUSTOMER_FOR_CALL": (
        "failed",
        "The call belongs to another Google Ads account.",
        _NOT_USED,
    ),
    "CONVERSION_NOT_COMPLIANT_WITH_ATT_POLICY": (
        "failed",
        "The conversion breaks Apple's App Tracking Transparency policy, or the person didn't "
        "consent to tracking.",
        "Don't send conversions of people who didn't consent.",
    ),
    "CLICK_NOT_FOUND": (
        "warning",
        "The e-mail address or phone number matches no ad click; Google took the row. A part of "
        "the rows is always like that.",
        "Nothing. If it's most rows, check that addresses and numbers are whole.",
    ),
    "INVALID_USER_IDENTIFIER": (
        "failed",
        "Google can't use a user identifier: not hashed, or not normalized before.",
        "If the file holds digests, check how they were made; better send raw columns.",
    ),
    "EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION_NOT_PERMITTED_WITH_USER_IDENTIFIER": (
        "failed",
        "An action with external attribution takes no e-mail addresses or phone numbers.",
        "Leave them out, or use another action.",
    ),
    "UNSUPPORTED_USER_IDENTIFIER": (
        "failed",
        "Google takes only e-mail addresses and phone numbers here.",
        _BUG,
    ),
    "GBRAID_WBRAID_BOTH_SET": (
        "failed",
        "The row has both a gbraid and a wbraid.",
        "Keep the one that the landing page's address had.",
    ),
    "UNPARSEABLE_WBRAID": (
        "failed",
        "Google can't read the wbraid.",
        "Check that it's stored whole and in its own case.",
    ),
    "UNPARSEABLE_GBRAID": (
        "failed",
        "Google can't read the gbraid.",
        "Check that it's stored whole and in its own case.",
    ),
    "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID": (
        "failed",
        "A gbraid or wbraid can't be used with an action that counts one conversion per click.",
        "Set the action's count to Every, or use another action for these rows.",
    ),
    "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS": (
        "account",
        "Google's policies don't let this account use enhanced conversions.",
        "Ask your Google representative; until then send click ids only.",
    ),
    "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS": (
        "account",
        "The account hasn't accepted the customer data terms.",
        "Accept them in Google Ads: Goals > Settings > Customer data terms.",
    ),
    "ORDER_ID_CONTAINS_PII": (
        "failed",
        "The order id holds personal data, which Google refuses.",
        "Export the order's own number.",
    ),
    "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS": (
        "account",
        "Enhanced conversions for leads are off in the account.",
        "Turn them on in Google Ads: Goals > Settings > Enhanced conversions for leads.",
    ),
    "INVALID_JOB_ID": ("file", "The job id isn't between 1 and 2,147,483,647.", _BUG),
    "NO_CONVERSION_ACTION_FOUND": (
        "account",
        "The account has no such conversion action, or the click belongs to an account that has "
        "no access to it.",
        "If it's every row, correct the action in the file or the profile; it must be in the "
        "conversion account. If it's single rows, their clicks come from another account.",
    ),
    "INVALID_CONVERSION_ACTION_TYPE": (
        "account",
        "The conversion action isn't one for imports from clicks.",
        "Create an action of the kind Import > Track conversions from clicks, and name that one.",
    ),
    # NotAllowlistedError
    "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE": (
        "account",
        "Google doesn't let this caller use the feature. If it's every row: uploads by this API "
        "are closed to callers who didn't use it before 15 June 2026. If it's single rows: "
        "session attributes or IP addresses are closed to new callers.",
        'Set "destination": "data_manager" in the profile (docs/data-manager.md: what access that '
        'needs). If only session attributes or IP addresses are refused, "omit_session_and_ip": '
        "true leaves them out.",
    ),
    # QuotaError
    "RESOURCE_EXHAUSTED": (
        "transient",
        "The quota is used up: the day's operations, or requests of a minute.",
        "Nothing; it's tried again when the quota is renewed. If it happens often, apply for more.",
    ),
    "ACCESS_PROHIBITED": (
        "account",
        "Google has barred this access.",
        "Look into the API Center, or ask Google's support.",
    ),
    "RESOURCE_TEMPORARILY_EXHAUSTED": (
        "transient",
        "Too many requests in a short time.",
        _WAIT,
    ),
    "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION": (
        "transient",
        "Too many expensive queries in a short time.",
        _WAIT,
    ),
    "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION": (
        "transient",
        "Too many expensive queries over a longer time.",
        _WAIT,
    ),
    "PAYMENTS_PROFILE_ACTIVATION_RATE_LIMIT_EXCEEDED": (
        "account",
        "Too many accounts were activated for one payments profile.",
        "Wait a week, or ask Google Ads support.",
    ),
    # AuthenticationError
    "AUTHENTICATION_ERROR": ("account", "Google couldn't authenticate the request.", _TOKEN),
    "CLIENT_CUSTOMER_ID_INVALID": (
        "account",
        "The customer id isn't a number.",
        "Correct customer_id in the profile: ten digits.",
    ),
    "CUSTOMER_NOT_FOUND": (
        "account",
        "There's no Google Ads account with this customer id.",
        "Correct customer_id in the profile, or in the file if it has such a column.",
    ),
    "GOOGLE_ACCOUNT_DELETED": (
        "account",
        "The Google account behind the credentials is deleted.",
        _TOKEN,
    ),
    "GOOGLE_ACCOUNT_COOKIE_INVALID": ("account", "The Google account's login is invalid.", _TOKEN),
    "GOOGLE_ACCOUNT_AUTHENTICATION_FAILED": (
        "account",
        "Google couldn't authenticate the Google account.",
        _TOKEN,
    ),
    "GOOGLE_ACCOUNT_USER_AND_ADS_USER_MISMATCH": (
        "account",
        "The Google account isn't the user that the request names.",
        _TOKEN,
    ),
    "LOGIN_COOKIE_REQUIRED": ("account", "The request has no login.", _TOKEN),
    "NOT_ADS_USER": (
        "account",
        "The credentials belong to a Google account without access to any Google Ads account.",
        "Invite that account in Google Ads: Admin > Access and security.",
    ),
    "OAUTH_TOKEN_INVALID": ("account", "The OAuth token isn't valid.", _TOKEN),
    "OAUTH_TOKEN_EXPIRED": ("account", "The OAuth token has expired.", _TOKEN),
    "OAUTH_TOKEN_DISABLED": ("account", "The OAuth token is disabled.", _TOKEN),
    "OAUTH_TOKEN_REVOKED": ("account", "The OAuth token was revoked.", _TOKEN),
    "OAUTH_TOKEN_HEADER_INVALID": ("account", "The OAuth token is malformed.", _TOKEN),
    "LOGIN_COOKIE_INVALID": ("account", "The login isn't valid.", _TOKEN),
    "INVALID_EMAIL_ADDRESS": (
        "account",
        "The Google account of the credentials doesn't exist.",
        _TOKEN,
    ),
    "USER_ID_INVALID": ("account", "The user of the credentials isn't valid.", _TOKEN),
    "TWO_STEP_VERIFICATION_NOT_ENROLLED": (
        "account",
        "The account requires 2-Step Verification of its users.",
        "Turn it on for the Google account behind the credentials, then make new ones.",
    ),
    "ADVANCED_PROTECTION_NOT_ENROLLED": (
        "account",
        "The account requires Advanced Protection of its users.",
        "Turn it on for the Google account behind the credentials, then make new ones.",
    ),
    "ORGANIZATION_NOT_RECOGNIZED": (
        "account",
        "Google doesn't recognize the Cloud organization of the project.",
        "Ask the administrator of the Cloud project.",
    ),
    "ORGANIZATION_NOT_APPROVED": (
        "account",
        "The Cloud organization isn't approved for production access.",
        "Ask the administrator of the Cloud project.",
    ),
    "ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN": (
        "account",
        "The Cloud organization isn't the one of the developer token.",
        "Take developer_token out of the secret; it isn't needed any more.",
    ),
    "DEVELOPER_TOKEN_INVALID": (
        "account",
        "The developer token isn't valid.",
        "Take developer_token out of the secret; it isn't needed any more.",
    ),
    # AuthorizationError
    "USER_PERMISSION_DENIED": (
        "account",
        "The credentials have no access to the account.",
        "Invite them in Google Ads, or set login_customer_id to the manager account.",
    ),
    "DEVELOPER_TOKEN_NOT_ON_ALLOWLIST": (
        "account",
        "The developer token isn't on the allow-list.",
        "Take developer_token out of the secret; it isn't needed any more.",
    ),
    "DEVELOPER_TOKEN_PROHIBITED": (
        "account",
        "The developer token doesn't belong to the Cloud project.",
        "Take developer_token out of the secret; it isn't needed any more.",
    ),
    "PROJECT_DISABLED": (
        "account",
        "The Cloud project may not use the Google Ads API.",
        "Enable the API in the project, or ask its administrator.",
    ),
    "AUTHORIZATION_ERROR": ("account", "Google refused the authorization.", _TOKEN),
    "ACTION_NOT_PERMITTED": (
        "account",
        "The user of the credentials may not do this in the account.",
        "Give it at least standard access in Google Ads.",
    ),
    "INCOMPLETE_SIGNUP": (
        "account",
        "The account's sign-up isn't complete.",
        "Complete it in Google Ads.",
    ),
    "CUSTOMER_NOT_ENABLED": (
        "account",
        "The account isn't enabled, or was closed.",
        "Enable it in Google Ads, or correct customer_id.",
    ),
    "MISSING_TOS": (
        "account",
        "The API's terms of service aren't signed.",
        "Sign them in the Cloud console: Google Ads APIs.",
    ),
    "DEVELOPER_TOKEN_NOT_APPROVED": (
        "account",
        "The access is for test accounts only.",
        "Apply for Explorer, Basic or Standard access.",
    ),
    "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": (
        "account",
        "The Cloud project may use test accounts only.",
        "Apply for Explorer, Basic or Standard access for the project of the credentials.",
    ),
    "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION": (
        "account",
        "The manager account has no access to the account.",
        "Correct login_customer_id, or link the accounts.",
    ),
    "SERVICE_ACCESS_DENIED": ("account", "The caller may not use the service.", _TOKEN),
    "ACCESS_DENIED_FOR_ACCOUNT_TYPE": (
        "account",
        "The account isn't in Google Ads but in another ads system.",
        "Correct customer_id and login_customer_id.",
    ),
    "METRIC_ACCESS_DENIED": (
        "account",
        "The caller may not read these figures.",
        "Give the credentials read access to the account.",
    ),
    "CLOUD_PROJECT_NOT_UNDER_ORGANIZATION": (
        "account",
        "The Cloud project isn't under the required organization.",
        "Ask the administrator of the Cloud project.",
    ),
    "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": (
        "account",
        "The account is suspended.",
        "Resolve the suspension in Google Ads.",
    ),
    # HeaderError, RequestError
    "INVALID_LOGIN_CUSTOMER_ID": (
        "account",
        "The manager account's id isn't valid.",
        "Correct login_customer_id: ten digits.",
    ),
    "INVALID_LINKED_CUSTOMER_ID": ("account", "The linked account's id isn't valid.", _BUG),
    "RESOURCE_NAME_MISSING": (
        "failed",
        "A resource name is missing, such as the conversion action's.",
        "Check the conversion action of the row.",
    ),
    "RESOURCE_NAME_MALFORMED": (
        "failed",
        "A resource name, such as the conversion action's, isn't well-formed.",
        "Write it as customers/1234567890/conversionActions/987654321, or its id or name.",
    ),
    "BAD_RESOURCE_ID": (
        "failed",
        "A resource name, such as the conversion action's, isn't well-formed.",
        "Write it as customers/1234567890/conversionActions/987654321, or its id or name.",
    ),
    "INVALID_CUSTOMER_ID": (
        "account",
        "The customer id isn't valid.",
        "Correct customer_id: ten digits.",
    ),
    "OPERATION_REQUIRED": ("file", "The request has no operation.", _BUG),
    "RESOURCE_NOT_FOUND": (
        "failed",
        "Google doesn't find something that the row names, such as the conversion action.",
        "Check the conversion action of the row.",
    ),
    "INVALID_PAGE_TOKEN": ("file", "A token for the next page isn't valid.", _BUG),
    "EXPIRED_PAGE_TOKEN": ("transient", "A token for the next page has expired.", _WAIT),
    "INVALID_PAGE_SIZE": ("file", "A page size isn't valid.", _BUG),
    "PAGE_SIZE_NOT_SUPPORTED": ("file", "A page size was given that can't be.", _BUG),
    "REQUIRED_FIELD_MISSING": (
        "failed",
        "A required field is missing.",
        "Google's message names it; fill it in.",
    ),
    "IMMUTABLE_FIELD": ("failed", "A field can't be changed.", _BUG),
    "TOO_MANY_MUTATE_OPERATIONS": ("file", "The request has too many operations.", _BUG),
    "TOO_MANY_ACTION_OPERATIONS": ("file", "The request has too many operations.", _BUG),
    "CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT": (
        "account",
        "A manager account can't do this.",
        "Set customer_id to the account that has the conversion action.",
    ),
    "CANNOT_MODIFY_FOREIGN_FIELD": ("failed", "A field can't be changed from here.", _BUG),
    "INVALID_ENUM_VALUE": (
        "failed",
        "A word isn't one of those that Google takes.",
        "Google's message names the field; correct it.",
    ),
    "DEVELOPER_TOKEN_PARAMETER_MISSING": (
        "account",
        "The developer token is missing.",
        "Update the software: newer API versions don't need it.",
    ),
    "LOGIN_CUSTOMER_ID_PARAMETER_MISSING": (
        "account",
        "The manager account's id is missing.",
        "Set login_customer_id in the profile.",
    ),
    "VALIDATE_ONLY_REQUEST_HAS_PAGE_TOKEN": ("file", "A trial request has a page token.", _BUG),
    "CANNOT_RETURN_SUMMARY_ROW_FOR_REQUEST_WITHOUT_METRICS": (
        "file",
        "A query asked for a summary without figures.",
        _BUG,
    ),
    "CANNOT_RETURN_SUMMARY_ROW_FOR_VALIDATE_ONLY_REQUESTS": (
        "file",
        "A trial query asked for a summary.",
        _BUG,
    ),
    "INCONSISTENT_RETURN_SUMMARY_ROW_VALUE": ("file", "Pages of a query differ.", _BUG),
    "TOTAL_RESULTS_COUNT_NOT_ORIGINALLY_REQUESTED": ("file", "Pages of a query differ.", _BUG),
    "RPC_DEADLINE_TOO_SHORT": (
        "transient",
        "The request was given too little time.",
        "Nothing; it's tried again. If it stays, raise REQUEST_TIMEOUT_SECONDS.",
    ),
    "UNSUPPORTED_VERSION": (
        "account",
        "Google has switched off the API version that this software uses.",
        "Update the software.",
    ),
    "CLOUD_PROJECT_NOT_FOUND": (
        "account",
        "Google doesn't find the Cloud project of the credentials.",
        _TOKEN,
    ),
    "PARTIAL_FAILURE_MODE_REQUIRED": ("file", "The request wasn't in partial failure mode.", _BUG),
    # InternalError, DatabaseError, gRPC
    "INTERNAL_ERROR": (
        "transient",
        "Something went wrong at Google. The request may have been carried out all the same; "
        "Google counts each conversion once.",
        _WAIT,
    ),
    "ERROR_CODE_NOT_PUBLISHED": (
        "failed",
        "The reason has no code in this API version yet.",
        "Read Google's message; update the software.",
    ),
    "TRANSIENT_ERROR": ("transient", "Something went wrong at Google for a moment.", _WAIT),
    "DEADLINE_EXCEEDED": ("transient", "Google's answer took too long.", _WAIT),
    "CONCURRENT_MODIFICATION": (
        "transient",
        "Something else changed the same thing at the same time.",
        _WAIT,
    ),
    "DATA_CONSTRAINT_VIOLATION": (
        "failed",
        "The row contradicts data that Google has.",
        "Send it again: Google then gives a more exact reason.",
    ),
    "REQUEST_TOO_LARGE": ("file", "The request is too large.", _BUG),
    "UNAVAILABLE": ("transient", "Google's API can't be reached for the moment.", _WAIT),
    "UNAUTHENTICATED": ("account", "Google refused the credentials.", _TOKEN),
    # DateError
    "INVALID_FIELD_VALUES_IN_DATE": ("failed", "The date doesn't exist.", _DATE),
    "INVALID_FIELD_VALUES_IN_DATE_TIME": ("failed", "The date or time doesn't exist.", _DATE),
    "INVALID_STRING_DATE": ("failed", "Google can't read the date.", _DATE),
    "INVALID_STRING_DATE_TIME_MICROS": ("failed", "Google can't read the time.", _DATE),
    "INVALID_STRING_DATE_TIME_SECONDS": ("failed", "Google can't read the time.", _DATE),
    "INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET": (
        "failed",
        "Google can't read the time with its offset.",
        _DATE,
    ),
    "EARLIER_THAN_MINIMUM_DATE": ("failed", "The date is too early.", _CLICK_AGE),
    "LATER_THAN_MAXIMUM_DATE": ("failed", "The date is too late.", _DATE),
    "DATE_RANGE_MINIMUM_DATE_LATER_THAN_MAXIMUM_DATE": (
        "failed",
        "A range ends before it begins.",
        _BUG,
    ),
    "DATE_RANGE_MINIMUM_AND_MAXIMUM_DATES_BOTH_NULL": ("failed", "A range has no dates.", _BUG),
    "DATE_RANGE_ERROR_START_TIME_MUST_BE_THE_START_OF_A_DAY": (
        "failed",
        "A range must begin at the start of a day.",
        _BUG,
    ),
    "DATE_RANGE_ERROR_END_TIME_MUST_BE_THE_END_OF_A_DAY": (
        "failed",
        "A range must end at the end of a day.",
        _BUG,
    ),
    # StringLengthError, StringFormatError, FieldError, RangeError and other field checks
    "EMPTY": ("failed", "A text is empty.", "Google's message names the field; fill it in."),
    "TOO_SHORT": (
        "failed",
        "A text is too short, such as an order id of one character.",
        "Google's message names the field; write it out.",
    ),
    "TOO_LONG": (
        "failed",
        "A text is too long.",
        "Google's message names the field; shorten it.",
    ),
    "ILLEGAL_CHARS": (
        "failed",
        "A text holds characters that Google doesn't take.",
        "Google's message names the field; take them out.",
    ),
    "INVALID_FORMAT": (
        "failed",
        "A value isn't written as Google wants it.",
        "Google's message names the field; correct it.",
    ),
    "NOT_FOUND": (
        "failed",
        "Google doesn't find something that the row or the profile names.",
        "Google's message names the field; correct it.",
    ),
    "REQUIRED": (
        "failed",
        "A required field is missing.",
        "Google's message names it; fill it in.",
    ),
    "INVALID_VALUE": (
        "failed",
        "Google doesn't take the value of a field.",
        "Google's message names the field; correct it.",
    ),
    "VALUE_MUST_BE_UNSET": (
        "failed",
        "A field can't be set together with the others of this row.",
        "Google's message names it; leave it empty.",
    ),
    "REQUIRED_NONEMPTY_LIST": ("failed", "A required list is empty.", _BUG),
    "FIELD_CANNOT_BE_CLEARED": ("failed", "A field can't be cleared.", _BUG),
    "BLOCKED_VALUE": (
        "failed",
        "Google blocks the value of a field.",
        "Google's message names the field; correct it.",
    ),
    "FIELD_CAN_ONLY_BE_CLEARED": ("failed", "A field can only be cleared.", _BUG),
    "TOO_LOW": (
        "failed",
        "A number is too small.",
        "Google's message names the field; correct it.",
    ),
    "TOO_HIGH": (
        "failed",
        "A number is too large.",
        "Google's message names the field; correct it.",
    ),
    "UNSUPPORTED": (
        "failed",
        "Google doesn't take this currency.",
        "Convert the value to a currency that Google Ads knows.",
    ),
    "TOO_FEW": ("failed", "A list has too few entries.", _BUG),
    "TOO_MANY": (
        "failed",
        "A list has too many entries, such as user identifiers.",
        "Keep at most five e-mail addresses and phone numbers a row.",
    ),
    "EMPTY_LIST": ("failed", "A list is empty.", _BUG),
    "NULL_CONTENT": ("failed", "A list holds an empty entry.", _BUG),
    "DUPLICATE_ELEMENT": (
        "failed",
        "A list holds the same entry twice.",
        "Google's message names the field; take one out.",
    ),
    "DUPLICATE_TYPE": ("failed", "A list holds two entries of one kind.", _BUG),
    "ENUM_VALUE_NOT_PERMITTED": (
        "failed",
        "A word isn't one of those that Google takes.",
        "Google's message names the field; correct it.",
    ),
    "WRITE_ACCESS_DENIED": (
        "account",
        "The user of the credentials may only read in the account.",
        "Give it at least standard access in Google Ads.",
    ),
    "MUTATE_NOT_PERMITTED_FOR_CUSTOMER": (
        "account",
        "Nothing can be changed in this account.",
        "Look into the account in Google Ads.",
    ),
    "MUTATE_NOT_ALLOWED": ("account", "Google doesn't allow this change.", _BUG),
    "REQUEST_SIZE_LIMIT_EXCEEDED": ("file", "The request is too large.", _BUG),
    "RESPONSE_SIZE_LIMIT_EXCEEDED": ("file", "The answer would be too large.", _BUG),
}
