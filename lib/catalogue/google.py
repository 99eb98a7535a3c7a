"""Codes of Google's APIs about which we decide something, or know more than Google's message says.

A code is here if its outcome is not `failed`, if nobody has to act, or if its action is concrete,
such as a key of the profile. For any other code, `lookup` has one text, and Google's message says
what is wrong. Codes that mean the same, also in both APIs, share an entry.

All codes of the Google Ads API:
https://developers.google.com/google-ads/api/reference/rpc/latest/errors
All codes of the Data Manager API (ErrorReason, ProcessingErrorReason and the two of warnings):
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
    retried,
    superseded,
    transient,
    warning,
)
from lib.catalogue.texts import (
    COMPLETE_CLICK_ID,
    COPY_MERCHANT_ID,
    COUNT_EVERY,
    ENABLE_VARIABLE,
    LONGER_WINDOW,
    NEW_CREDENTIALS,
    PLAIN_VALUES,
    RETRIED_AUTOMATICALLY,
    UPDATE_FUNCTION,
    VALUE_OF_EACH,
)

_COUNTED_ONCE = "No action needed; Google counts the conversion once."
_RETRIED_LATER = f"{RETRIED_AUTOMATICALLY} If the row has failed in the end, upload it again."

# Temporary
_TEMPORARY = transient(
    "A temporary error occurred at Google. Google may have taken the rows nevertheless; each "
    "counts once.",
    RETRIED_AUTOMATICALLY,
)
_TOO_MANY_REQUESTS = transient(
    "Google received too many requests in a short time.", RETRIED_AUTOMATICALLY
)
_CLICK_TOO_RECENT = deferred(
    "The ad click or call is less than 6 hours old, so Google does not know it yet.", _RETRIED_LATER
)
_ACTION_TOO_RECENT = deferred(
    "The conversion action was created less than 6 hours ago.", _RETRIED_LATER
)

# The credentials and the project
_CREDENTIALS = account("Google refuses the credentials of the function.", NEW_CREDENTIALS)
_SIGN_IN = account(
    "The Google Ads account requires a safer sign-in (2-Step Verification or Advanced Protection) "
    "than the user behind the credentials has.",
    "Turn it on for that user. Then ask your engineer to create new credentials.",
)
_PROJECT = account(
    "Google does not let the Google Cloud project of the credentials use the API.",
    "Ask your engineer to enable the API in that project, and to check the project's organization "
    "and the role roles/serviceusage.serviceUsageConsumer.",
)
_DEVELOPER_TOKEN = account(
    "Google does not accept the developer token, and no longer needs one.",
    "Ask your engineer to remove developer_token from the secret.",
)
_TEST_ACCOUNTS_ONLY = account(
    "Google lets the Google Cloud project of the credentials use test accounts only.",
    "Apply to Google for Explorer, Basic or Standard access for this project.",
)
_OLD_VERSION = account(
    "Google has shut down the API version that the function uses.", UPDATE_FUNCTION
)

# The account
_NO_ACCESS = account(
    "The account does not exist, or the user behind the credentials cannot open it.",
    "Check customer_id in the profile. If it is right, invite the user or service account behind "
    "the credentials in Google Ads (Admin > Access and security), or write the manager account as "
    "login_customer_id.",
)
_TOO_FEW_RIGHTS = account(
    "The user behind the credentials may not do this in the account.",
    "Give this user standard access in Google Ads (Admin > Access and security).",
)
_CUSTOMER_ID = account(
    "The customer ID is not that of a Google Ads account that can receive conversions.",
    "Correct customer_id in the profile: the ten digits of the account that has the conversion "
    "action.",
)
_MANAGER = account(
    "The manager account in login_customer_id is missing or does not fit the account.",
    "Correct login_customer_id in the profile, or remove it if the credentials belong to the "
    "account itself. The two accounts must be linked in Google Ads.",
)
_NOT_OPEN = account(
    "The account is not enabled, or was closed.",
    "Enable the account in Google Ads, or correct customer_id.",
)
_TERMS = account(
    "The account has not accepted Google's terms for customer data.",
    "Accept them in Google Ads (Goals > Settings > Customer data terms).",
)
_LEADS_OFF = account(
    "Enhanced conversions for leads are turned off in the account.",
    "Turn them on in Google Ads (Goals > Settings > Enhanced conversions for leads).",
)
_POLICY = account(
    "Google's policies do not allow this account to use enhanced conversions.",
    "Ask your contact at Google. Until then, export click IDs only.",
)
_NO_ACTION_FOUND = account(
    "The account does not have this conversion action, or the ad click belongs to another account.",
    "Correct the conversion action in the profile or the file, or customer_id: it must be the "
    "account that owns the conversion action.",
)
_NO_VARIABLE = account(
    "The account has no enabled custom variable with this name.", ENABLE_VARIABLE
)
_NO_EXTERNAL = "Use a conversion action without external attribution."

# The request
_REPORT = "Report it at the project's issue tracker, with the run_id of the results."
_REQUEST = file(
    "Google refuses the form of the whole request. This is a mistake in the function, not in the "
    "file.",
    _REPORT,
)
_NEVER_SENT = account(
    "Google refuses something that the function is not meant to send.",
    _REPORT,
)
_NO_STATUS = file(
    "Google has no status of this request: it is too old, or it was only a check.",
    "No action needed; the outcomes of the rows stay as they are.",
)

# The row
_CLICK_COUNTED = duplicate(
    "Google has already counted a conversion with this click or call and this conversion time.",
    _COUNTED_ONCE,
)
_SAME_CLICK = duplicate(
    "Another row of the file has the same click or call and the same conversion time.",
    "Give each conversion its own conversion time. If both rows are the same conversion, no "
    "action is needed.",
)
_CLICK_ID = failed("Google cannot read the click ID.", COMPLETE_CLICK_ID)
_TOO_EARLY = failed(
    "The conversion time is before the ad click or call.",
    "Check the conversion time. A date without a time counts as midnight.",
    if_most=(
        'Correct the time zone in the profile, for example "time_zone": "America/Chicago", or in '
        "the file if it names one. If the file has only dates, export the times too."
    ),
)
_TOO_LATE = failed(
    "The ad click or call is older than the conversion window of the conversion action.",
    LONGER_WINDOW,
)
_TIME_REFUSED = failed(
    "Google does not accept the conversion time: it is too long ago, or in the future.",
    "Check the conversion time and its time zone. Upload conversions sooner, ideally every day.",
)
_NO_CLICK = failed(
    "Google found no ad click for this row. The conversion may not come from a Google Ads "
    "campaign.",
    "Check that the click ID belongs to this account. A few such rows are normal.",
)
_NO_CALL = failed(
    "Google found no such phone call.",
    "Check the caller's number and the start of the call. Google knows only calls to its "
    "forwarding numbers.",
)
_OTHER_ACCOUNT = failed(
    "The ad click or call belongs to another Google Ads account.",
    "Upload the row in a file of a profile whose customer_id is that account.",
)
_NOT_TRACKED = failed(
    "Conversion tracking was off in the account at the time of the ad click or call.",
    "No action needed; these rows cannot be counted. Check that conversion tracking is on now.",
)
_BRAID = failed(
    "The conversion action counts one conversion per click, so it does not accept a gbraid or "
    "wbraid.",
    COUNT_EVERY,
)
_HASH = failed("Google cannot use a hashed email address or phone number.", PLAIN_VALUES)
_PERSONAL_DATA = failed(
    "The order ID or a custom variable contains personal data, which Google refuses.",
    "Export the order number instead, or remove the personal data.",
)
_EXTERNAL = failed(
    "The conversion action uses external attribution, which the function does not support.",
    _NO_EXTERNAL,
)
_CONSENT = failed(
    "Google does not know whether the person has consented.",
    "Name the column with the consent under columns in the profile (ad_user_data), or write one "
    "consent for all rows there.",
)
_MERCHANT = "The Merchant Center ID is not valid."
_NO_REASON = failed(
    "Google gave no reason.",
    "Upload the row again. If it fails again, contact Google's support with the request_ids of "
    "the results.",
)

# Warnings
_VARIABLE_LEFT_OUT = warning(
    "A custom variable is not enabled in the account, so Google left it out.", ENABLE_VARIABLE
)
_VARIABLE_VALUE = warning(
    "The value of a custom variable is not one of its predefined values, so Google left it out.",
    "Add the value in Google Ads (Goals > Custom variables), or correct it in the file.",
)
_CART = warning(
    "An item in the cart has no product ID or no price.", "Add it to the item in the file."
)

TABLE: Final[dict[str, CodeText]] = {
    # Temporary
    "CONCURRENT_MODIFICATION": _TEMPORARY,
    "DEADLINE_EXCEEDED": _TEMPORARY,
    "EXPIRED_PAGE_TOKEN": _TEMPORARY,
    "INTERNAL_ERROR": _TEMPORARY,
    "PROCESSING_ERROR_REASON_INTERNAL_ERROR": _TEMPORARY,
    "RPC_DEADLINE_TOO_SHORT": _TEMPORARY,
    "TRANSIENT_ERROR": _TEMPORARY,
    "UNAVAILABLE": _TEMPORARY,
    "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION": _TOO_MANY_REQUESTS,
    "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION": _TOO_MANY_REQUESTS,
    "RESOURCE_TEMPORARILY_EXHAUSTED": _TOO_MANY_REQUESTS,
    "RESOURCE_EXHAUSTED": transient(
        "Google's quota is used up, for a minute or for the day.",
        f"{RETRIED_AUTOMATICALLY} If it happens often, apply to Google for a higher quota.",
    ),
    "TOO_RECENT_EVENT": _CLICK_TOO_RECENT,
    "TOO_RECENT_CALL": _CLICK_TOO_RECENT,
    "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK": _CLICK_TOO_RECENT,
    "PROCESSING_ERROR_REASON_TOO_RECENT_CALL": _CLICK_TOO_RECENT,
    "TOO_RECENT_CONVERSION_ACTION": _ACTION_TOO_RECENT,
    "CONVERSION_ACTION_TOO_RECENTLY_CREATED": _ACTION_TOO_RECENT,
    "PROCESSING_ERROR_REASON_DESTINATION_TOO_RECENTLY_CREATED": _ACTION_TOO_RECENT,
    "TOO_RECENT_CONVERSION": deferred(
        "The conversion is less than 24 hours old. Google adjusts it only after that.",
        _RETRIED_LATER,
    ),
    "CONVERSION_NOT_FOUND": retried(
        "Google found no conversion with this order ID, or this gclid and conversion time, for "
        "this conversion action. It may not find one that it got less than a day ago.",
        "Check that the conversion was counted, and that the adjustment has its conversion action "
        "and its order ID. If the conversion is from today, no action is needed: the row is sent "
        "again after 24 hours.",
    ),
    # The credentials and the project
    "AUTHENTICATION_ERROR": _CREDENTIALS,
    "AUTHORIZATION_ERROR": _CREDENTIALS,
    "CLOUD_PROJECT_NOT_FOUND": _CREDENTIALS,
    "GOOGLE_ACCOUNT_AUTHENTICATION_FAILED": _CREDENTIALS,
    "GOOGLE_ACCOUNT_COOKIE_INVALID": _CREDENTIALS,
    "GOOGLE_ACCOUNT_DELETED": _CREDENTIALS,
    "GOOGLE_ACCOUNT_USER_AND_ADS_USER_MISMATCH": _CREDENTIALS,
    "INVALID_EMAIL_ADDRESS": _CREDENTIALS,
    "LOGIN_COOKIE_INVALID": _CREDENTIALS,
    "LOGIN_COOKIE_REQUIRED": _CREDENTIALS,
    "OAUTH_TOKEN_DISABLED": _CREDENTIALS,
    "OAUTH_TOKEN_EXPIRED": _CREDENTIALS,
    "OAUTH_TOKEN_HEADER_INVALID": _CREDENTIALS,
    "OAUTH_TOKEN_INVALID": _CREDENTIALS,
    "OAUTH_TOKEN_REVOKED": _CREDENTIALS,
    "SERVICE_ACCESS_DENIED": _CREDENTIALS,
    "UNAUTHENTICATED": _CREDENTIALS,
    "USER_ID_INVALID": _CREDENTIALS,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": account(
        "The credentials were created without access to this API.",
        "Ask your engineer to create a new refresh token with the scope "
        "https://www.googleapis.com/auth/datamanager, and to store it in the secret.",
    ),
    "ADVANCED_PROTECTION_NOT_ENROLLED": _SIGN_IN,
    "TWO_STEP_VERIFICATION_NOT_ENROLLED": _SIGN_IN,
    "CLOUD_PROJECT_NOT_UNDER_ORGANIZATION": _PROJECT,
    "ORGANIZATION_NOT_APPROVED": _PROJECT,
    "ORGANIZATION_NOT_RECOGNIZED": _PROJECT,
    "PROJECT_DISABLED": _PROJECT,
    "SERVICE_DISABLED": _PROJECT,
    "USER_PROJECT_DENIED": _PROJECT,
    "DEVELOPER_TOKEN_INVALID": _DEVELOPER_TOKEN,
    "DEVELOPER_TOKEN_NOT_ON_ALLOWLIST": _DEVELOPER_TOKEN,
    "DEVELOPER_TOKEN_PROHIBITED": _DEVELOPER_TOKEN,
    "ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN": _DEVELOPER_TOKEN,
    "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": _TEST_ACCOUNTS_ONLY,
    "DEVELOPER_TOKEN_NOT_APPROVED": _TEST_ACCOUNTS_ONLY,
    "DEVELOPER_TOKEN_PARAMETER_MISSING": _OLD_VERSION,
    "UNSUPPORTED_VERSION": _OLD_VERSION,
    "MISSING_TOS": account(
        "The terms of service of the Google Ads API are not accepted.",
        "Ask your engineer to accept them in the Google Cloud console, under Google Ads APIs.",
    ),
    "ACCESS_PROHIBITED": account(
        "Google has blocked this access to the API.", "Contact Google's support."
    ),
    # The account
    "NOT_ADS_USER": _NO_ACCESS,
    "PERMISSION_DENIED": _NO_ACCESS,
    "USER_PERMISSION_DENIED": _NO_ACCESS,
    "ACTION_NOT_PERMITTED": _TOO_FEW_RIGHTS,
    "METRIC_ACCESS_DENIED": _TOO_FEW_RIGHTS,
    "WRITE_ACCESS_DENIED": _TOO_FEW_RIGHTS,
    "ACCESS_DENIED_FOR_ACCOUNT_TYPE": _CUSTOMER_ID,
    "CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT": _CUSTOMER_ID,
    "CLIENT_CUSTOMER_ID_INVALID": _CUSTOMER_ID,
    "CUSTOMER_NOT_FOUND": _CUSTOMER_ID,
    "DESTINATION_ACCOUNT_TYPE_MISMATCH": _CUSTOMER_ID,
    "INVALID_CUSTOMER_ID": _CUSTOMER_ID,
    "INVALID_RESOURCE_NAME": _CUSTOMER_ID,
    "MISMATCHED_ACCOUNT_TYPE": _CUSTOMER_ID,
    "UNSUPPORTED_OPERATING_ACCOUNT_FOR_DATA_PARTNER": _CUSTOMER_ID,
    "DIFFERENT_LOGIN_ACCOUNTS_NOT_ALLOWED_FOR_DATA_PARTNER": _MANAGER,
    "INVALID_LOGIN_CUSTOMER_ID": _MANAGER,
    "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION": _MANAGER,
    "LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT": _MANAGER,
    "LOGIN_CUSTOMER_ID_PARAMETER_MISSING": _MANAGER,
    "OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH": _MANAGER,
    "UNSUPPORTED_LINKED_ACCOUNT_FOR_DATA_PARTNER": _MANAGER,
    "INVALID_LINKED_CUSTOMER_ID": account(
        "The linked account in the secret is not valid.",
        "Ask your engineer to correct or remove linked_customer_id in the secret.",
    ),
    "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": _NOT_OPEN,
    "CUSTOMER_NOT_ENABLED": _NOT_OPEN,
    "INCOMPLETE_SIGNUP": _NOT_OPEN,
    "MUTATE_NOT_PERMITTED_FOR_CUSTOMER": _NOT_OPEN,
    "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS": _TERMS,
    "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED": _TERMS,
    "PROCESSING_ERROR_REASON_DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED": _TERMS,
    "TERMS_AND_CONDITIONS_NOT_SIGNED": _TERMS,
    "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS": _LEADS_OFF,
    "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS": _LEADS_OFF,
    "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS": _POLICY,
    "DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS": _POLICY,
    "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": account(
        "The account has not declared whether it runs political ads in the EU.",
        "Make the declaration in Google Ads.",
    ),
    "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE": account(
        "Google does not let these credentials use the feature. Since 15 June 2026, it takes "
        "uploads through the Google Ads API only from those who uploaded before.",
        'Write "destination": "data_manager" in the profile. If Google refuses only some rows, '
        'write "omit_session_and_ip": true instead. If it refuses only adjustments, retract the '
        "conversions in Google Ads.",
    ),
    "NOT_ALLOWLISTED": account(
        "Google does not allow this account to use the feature.",
        "Ask your contact at Google, or remove the column that Google's message names.",
    ),
    "ACCOUNT_INELIGIBLE_FOR_STORE_SALES": account(
        "The account may not upload store sales.",
        "Write another event_source than IN_STORE, or ask your contact at Google.",
    ),
    "UNAUTHORIZED_CUSTOMER": account(
        "The ad click belongs to an account that the credentials cannot open.",
        "Upload the row in a file of a profile whose customer_id is that account, or link that "
        "account to the manager account.",
    ),
    # The conversion action
    "INVALID_CONVERSION_ACTION_ID": _NO_ACTION_FOUND,
    "INVALID_DESTINATION": _NO_ACTION_FOUND,
    "NO_CONVERSION_ACTION_FOUND": _NO_ACTION_FOUND,
    "INVALID_CONVERSION_ACTION_TYPE": account(
        "The type of the conversion action does not fit the rows.",
        "Name a conversion action of the type Import > Track conversions from clicks, or from "
        "calls for calls. An adjustment needs the conversion action of its conversion; "
        "conversions from calls cannot be adjusted.",
    ),
    "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE": account(
        "The conversion action always uses its default value, so the value of a conversion cannot "
        "be changed.",
        VALUE_OF_EACH,
    ),
    "CUSTOM_VARIABLE_NOT_ENABLED": _NO_VARIABLE,
    "CUSTOM_VARIABLE_NOT_FOUND": _NO_VARIABLE,
    "PROCESSING_ERROR_REASON_CUSTOM_VARIABLE_NOT_ENABLED": failed(
        "The account has no enabled custom variable with this name.", ENABLE_VARIABLE
    ),
    "EXTERNAL_ATTRIBUTION_DATA_NOT_SET_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION": _EXTERNAL,
    "EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION_NOT_PERMITTED_WITH_USER_IDENTIFIER": _EXTERNAL,
    "ORDER_ID_NOT_PERMITTED_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION": _EXTERNAL,
    "PROCESSING_ERROR_REASON_EXTERNAL_ATTRIBUTION_DATA_MISSING": account(
        "The conversion action uses external attribution, which the Data Manager API does not "
        "support.",
        _NO_EXTERNAL,
    ),
    "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID": _BRAID,
    "PROCESSING_ERROR_REASON_ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID": _BRAID,
    "EVENT_SOURCE_AND_DESTINATION_MISMATCH": failed(
        "The event source does not fit the conversion action.",
        "Correct event_source in the profile or the file.",
    ),
    # The request
    "DUPLICATE_DESTINATION_REFERENCE": _REQUEST,
    "IMMUTABLE_FIELD_FOR_UPDATE": _REQUEST,
    "INVALID_FILTER": _REQUEST,
    "INVALID_JOB_ID": _REQUEST,
    "INVALID_PAGE_TOKEN": _REQUEST,
    "INVALID_UPDATE_MASK": _REQUEST,
    "MULTIPLE_DATA_TYPES_NOT_ALLOWED": _REQUEST,
    "OPERATION_REQUIRED": _REQUEST,
    "PARTIAL_FAILURE_MODE_REQUIRED": _REQUEST,
    "REQUEST_SIZE_LIMIT_EXCEEDED": _REQUEST,
    "REQUEST_TOO_LARGE": _REQUEST,
    "RESPONSE_SIZE_LIMIT_EXCEEDED": _REQUEST,
    "TOO_MANY_ACTION_OPERATIONS": _REQUEST,
    "TOO_MANY_ADJUSTMENTS_IN_REQUEST": _REQUEST,
    "TOO_MANY_CONVERSIONS_IN_REQUEST": _REQUEST,
    "TOO_MANY_DESTINATIONS": _REQUEST,
    "TOO_MANY_EVENTS": _REQUEST,
    "TOO_MANY_MUTATE_OPERATIONS": _REQUEST,
    "CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT": _NEVER_SENT,
    "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCEMENT": _NEVER_SENT,
    "MUTATE_NOT_ALLOWED": _NEVER_SENT,
    "THIRD_PARTY_USER_DATA_NOT_ALLOWED": _NEVER_SENT,
    "INVALID_REQUEST_ID": _NO_STATUS,
    "REQUEST_TOO_OLD": _NO_STATUS,
    # Counted before
    "CALL_CONVERSION_ALREADY_EXISTS": _CLICK_COUNTED,
    "CLICK_CONVERSION_ALREADY_EXISTS": _CLICK_COUNTED,
    "PROCESSING_ERROR_REASON_DUPLICATE_GCLID": _CLICK_COUNTED,
    "ORDER_ID_ALREADY_IN_USE": duplicate(
        "Google has already counted a conversion with this order ID.", _COUNTED_ONCE
    ),
    "PROCESSING_ERROR_REASON_DUPLICATE_TRANSACTION_ID": duplicate(
        "Google has already counted a conversion with this order ID. If this row has another "
        "value, Google has kept the old one.",
        'No action needed, unless the row corrects a value. Then set "adjustments_via": '
        '"google_ads" in the profile.',
    ),
    "DUPLICATE_CALL_CONVERSION_IN_REQUEST": _SAME_CLICK,
    "DUPLICATE_CLICK_CONVERSION_IN_REQUEST": _SAME_CLICK,
    "DUPLICATE_ORDER_ID": duplicate(
        "Another row of the file has the same order ID.",
        "Give each order its own order ID. If both rows are the same order, no action is needed.",
    ),
    "CONVERSION_ALREADY_ENHANCED": duplicate(
        "Google already has this data of the conversion.", _COUNTED_ONCE
    ),
    "CONVERSION_ALREADY_RETRACTED": duplicate(
        "The conversion is already retracted, and stays so.",
        "No action needed. Google accepts no adjustment of a retracted conversion.",
    ),
    "DUPLICATE_ADJUSTMENT_IN_REQUEST": duplicate(
        "Another row of the file adjusts the same conversion at the same time. Google has taken "
        "the value of one of them.",
        "Give each adjustment its own adjustment time. If both rows have the same value, no "
        "action is needed.",
    ),
    "DUPLICATE_ENHANCEMENT_IN_REQUEST": duplicate(
        "Another row of the file has the same data of the conversion.", _COUNTED_ONCE
    ),
    "RESTATEMENT_ALREADY_EXISTS": duplicate(
        "Google already has an adjustment of this conversion with the same time. If this row has "
        "another value, Google has not taken it.",
        "Upload the row with a later adjustment time if its value is a different one. Otherwise "
        "no action is needed.",
    ),
    "MORE_RECENT_RESTATEMENT_FOUND": superseded(
        "Google already has a later adjustment of this conversion. That one counts.",
        "No action needed. If the value of this row is right, upload it with a later adjustment "
        "time.",
    ),
    # The row
    "PROCESSING_ERROR_REASON_INVALID_AD_IDENTIFIERS": _CLICK_ID,
    "PROCESSING_ERROR_REASON_INVALID_GBRAID": _CLICK_ID,
    "PROCESSING_ERROR_REASON_INVALID_GCLID": _CLICK_ID,
    "PROCESSING_ERROR_REASON_INVALID_WBRAID": _CLICK_ID,
    "UNPARSEABLE_GBRAID": _CLICK_ID,
    "UNPARSEABLE_GCLID": _CLICK_ID,
    "UNPARSEABLE_WBRAID": _CLICK_ID,
    "CONVERSION_PRECEDES_CALL": _TOO_EARLY,
    "CONVERSION_PRECEDES_EVENT": _TOO_EARLY,
    "PROCESSING_ERROR_REASON_CONVERSION_PRECEDES_CLICK": _TOO_EARLY,
    "EXPIRED_CALL": _TOO_LATE,
    "EXPIRED_EVENT": _TOO_LATE,
    "PROCESSING_ERROR_REASON_EXPIRED_CALL": _TOO_LATE,
    "PROCESSING_ERROR_REASON_EXPIRED_CLICK": _TOO_LATE,
    "EVENT_TIME_INVALID": _TIME_REFUSED,
    "PROCESSING_ERROR_REASON_EVENT_TOO_OLD": _TIME_REFUSED,
    "EVENT_NOT_FOUND": _NO_CLICK,
    "PROCESSING_ERROR_REASON_INVALID_CLICK": _NO_CLICK,
    "PROCESSING_ERROR_REASON_CLICK_NOT_FOUND": failed(
        "Google found no ad click for the conversion. This is normal for rows without a click ID: "
        "most of these people did not click an ad.",
        "Check that the click ID is complete and belongs to this account. Without a click ID, no "
        "action is needed.",
    ),
    "CALL_NOT_FOUND": _NO_CALL,
    "PROCESSING_ERROR_REASON_INVALID_CALL": _NO_CALL,
    "INVALID_AD_IDENTIFIER_FOR_ACCOUNT": _OTHER_ACCOUNT,
    "INVALID_CUSTOMER_FOR_CALL": _OTHER_ACCOUNT,
    "INVALID_CUSTOMER_FOR_CLICK": _OTHER_ACCOUNT,
    "PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER": _OTHER_ACCOUNT,
    "PROCESSING_ERROR_REASON_INVALID_OPERATING_ACCOUNT_FOR_CLICK": _OTHER_ACCOUNT,
    "CONVERSION_TRACKING_NOT_ENABLED_AT_CALL_TIME": _NOT_TRACKED,
    "CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME": _NOT_TRACKED,
    "INVALID_HEX_ENCODING": _HASH,
    "INVALID_SHA256_FORMAT": _HASH,
    "INVALID_USER_IDENTIFIER": _HASH,
    "CUSTOM_VARIABLE_VALUE_CONTAINS_PII": _PERSONAL_DATA,
    "ORDER_ID_CONTAINS_PII": _PERSONAL_DATA,
    "PROCESSING_ERROR_REASON_DENIED_CONSENT": failed(
        "The person has refused consent, or the account's default setting does.",
        "No action needed; Google must not use such conversions. If it is a mistake, check the "
        "column with the consent, and the default setting in Google Ads.",
    ),
    "PROCESSING_ERROR_REASON_NO_CONSENT": _CONSENT,
    "PROCESSING_ERROR_REASON_UNKNOWN_CONSENT": _CONSENT,
    "CONVERSION_NOT_COMPLIANT_WITH_ATT_POLICY": failed(
        "The person did not consent to tracking on an Apple device.",
        "Leave out conversions of people who did not consent: list them under skip in the profile.",
    ),
    "ADJUSTMENT_PRECEDES_CONVERSION": failed(
        "The adjustment is earlier than the conversion.",
        "Check the adjustment time and its time zone.",
    ),
    "CONVERSION_EXPIRED": failed(
        "The conversion is more than 54 days old, so Google no longer adjusts it.",
        "No action needed; the conversion keeps its value. Upload adjustments sooner.",
    ),
    "MISSING_ORDER_ID_FOR_WEBPAGE": failed(
        "The tag on your website counted the conversion. Google adjusts it only by its order ID.",
        "Add the order ID that the tag sends as the transaction ID.",
    ),
    "INVALID_MERCHANT_ID": failed(_MERCHANT, COPY_MERCHANT_ID),
    "PROCESSING_ERROR_REASON_INVALID_MERCHANT_ID": failed(_MERCHANT, COPY_MERCHANT_ID),
    "ERROR_REASON_UNSPECIFIED": _NO_REASON,
    "PROCESSING_ERROR_REASON_UNSPECIFIED": _NO_REASON,
    "UNSPECIFIED": _NO_REASON,
    "ERROR_CODE_NOT_PUBLISHED": failed(
        "Google's reason is newer than this version of the function.",
        f"{UPDATE_FUNCTION} Until then, read Google's message.",
    ),
    # Warnings
    "CLICK_NOT_FOUND": warning(
        "Google accepted the row, but its email address or phone number matches no ad click. This "
        "is normal for some of the rows.",
        "No action needed. If most rows have this warning, check that the email addresses and "
        "phone numbers are complete.",
    ),
    "PROCESSING_WARNING_REASON_CUSTOM_VARIABLE_NOT_ENABLED": _VARIABLE_LEFT_OUT,
    "WARNING_REASON_CUSTOM_VARIABLE_NOT_ENABLED": _VARIABLE_LEFT_OUT,
    "PROCESSING_WARNING_REASON_CUSTOM_VARIABLE_NOT_PREDEFINED": _VARIABLE_VALUE,
    "WARNING_REASON_CUSTOM_VARIABLE_NOT_PREDEFINED": _VARIABLE_VALUE,
    "WARNING_REASON_CART_DATA_ITEM_MERCHANT_PRODUCT_ID_MISSING": _CART,
    "WARNING_REASON_CART_DATA_ITEM_UNIT_PRICE_MISSING": _CART,
    "WARNING_REASON_INVALID_MERCHANT_ID": warning(_MERCHANT, COPY_MERCHANT_ID),
    "WARNING_REASON_INVALID_SHA256_FORMAT": warning(
        "A hash is not a SHA-256 hash, so Google left it out.", PLAIN_VALUES
    ),
}
