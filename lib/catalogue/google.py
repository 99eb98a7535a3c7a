"""Codes of Google's APIs about which we decide something, or know more than Google's message says.

A code is here if its outcome is not `failed`, if nobody has to act, or if its action is concrete,
such as a key of the profile. For any other code, `lookup` has one text, and Google's message says
what is wrong.

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
_NO_VARIABLE = "The account has no enabled custom variable with this name."
_OTHER_ACCOUNT = (
    "Check customer_id in the profile: the account does not know most of the click IDs. If it is "
    "right, check whether the export has the click IDs of another account, or has changed them."
)
_REPORT = "Report it at the project's issue tracker, with the run_id of the results."

_TEXTS: Final[tuple[tuple[CodeText, str], ...]] = (
    # Temporary
    (
        transient(
            "A temporary error occurred at Google, or it received too many requests. It may have "
            "taken the rows nevertheless; each counts once.",
            RETRIED_AUTOMATICALLY,
        ),
        """
        CONCURRENT_MODIFICATION DEADLINE_EXCEEDED EXPIRED_PAGE_TOKEN INTERNAL_ERROR
        PROCESSING_ERROR_REASON_INTERNAL_ERROR RPC_DEADLINE_TOO_SHORT TRANSIENT_ERROR UNAVAILABLE
        EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION
        EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION RESOURCE_TEMPORARILY_EXHAUSTED
        """,
    ),
    (
        transient(
            "Google's quota is used up, for a minute or for the day.",
            f"{RETRIED_AUTOMATICALLY} If it happens often, apply to Google for a higher quota.",
        ),
        "RESOURCE_EXHAUSTED",
    ),
    (
        deferred(
            "The ad click, the call or the conversion action is less than 6 hours old, so Google "
            "does not know it yet.",
            _RETRIED_LATER,
        ),
        """
        TOO_RECENT_EVENT TOO_RECENT_CALL TOO_RECENT_CONVERSION_ACTION
        CONVERSION_ACTION_TOO_RECENTLY_CREATED
        PROCESSING_ERROR_REASON_DESTINATION_TOO_RECENTLY_CREATED
        PROCESSING_ERROR_REASON_TOO_RECENT_CALL PROCESSING_ERROR_REASON_TOO_RECENT_CLICK
        """,
    ),
    (
        deferred(
            "The conversion is less than 24 hours old. Google adjusts it only after that.",
            _RETRIED_LATER,
        ),
        "TOO_RECENT_CONVERSION",
    ),
    (
        retried(
            "Google found no conversion with this order ID, or this gclid and conversion time, "
            "for this conversion action. It may not find one that it got less than a day ago.",
            "Check that the adjustment has the conversion action and the order ID of its sale. If "
            "the sale was never uploaded, ignore this. A row that is deferred is sent again, so it "
            "needs no action.",
        ),
        "CONVERSION_NOT_FOUND",
    ),
    # The credentials and the project
    (
        account("Google refuses the credentials of the function.", NEW_CREDENTIALS),
        """
        AUTHENTICATION_ERROR AUTHORIZATION_ERROR CLOUD_PROJECT_NOT_FOUND
        GOOGLE_ACCOUNT_AUTHENTICATION_FAILED GOOGLE_ACCOUNT_COOKIE_INVALID GOOGLE_ACCOUNT_DELETED
        GOOGLE_ACCOUNT_USER_AND_ADS_USER_MISMATCH INVALID_EMAIL_ADDRESS LOGIN_COOKIE_INVALID
        LOGIN_COOKIE_REQUIRED OAUTH_TOKEN_DISABLED OAUTH_TOKEN_EXPIRED OAUTH_TOKEN_HEADER_INVALID
        OAUTH_TOKEN_INVALID OAUTH_TOKEN_REVOKED SERVICE_ACCESS_DENIED UNAUTHENTICATED
        USER_ID_INVALID
        """,
    ),
    (
        account(
            "The credentials were created without access to this API.",
            "Ask your engineer to create a new refresh token with the scope "
            "https://www.googleapis.com/auth/datamanager, and to store it in the secret.",
        ),
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    ),
    (
        account(
            "Google does not let the Google Cloud project of the credentials use the API.",
            "Ask your engineer to enable the API in that project, and to check the project's "
            "organization and the role roles/serviceusage.serviceUsageConsumer.",
        ),
        """
        CLOUD_PROJECT_NOT_UNDER_ORGANIZATION ORGANIZATION_NOT_APPROVED ORGANIZATION_NOT_RECOGNIZED
        PROJECT_DISABLED SERVICE_DISABLED USER_PROJECT_DENIED
        """,
    ),
    (
        account(
            "Google does not accept the developer token, and no longer needs one.",
            "Ask your engineer to remove developer_token from the secret.",
        ),
        """
        DEVELOPER_TOKEN_INVALID DEVELOPER_TOKEN_NOT_ON_ALLOWLIST DEVELOPER_TOKEN_PROHIBITED
        ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN
        """,
    ),
    (
        account(
            "Google lets the Google Cloud project of the credentials use test accounts only.",
            "Apply to Google for Explorer, Basic or Standard access for this project.",
        ),
        "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION DEVELOPER_TOKEN_NOT_APPROVED",
    ),
    (
        account("Google has shut down the API version that the function uses.", UPDATE_FUNCTION),
        "DEVELOPER_TOKEN_PARAMETER_MISSING UNSUPPORTED_VERSION",
    ),
    # The account
    (
        account(
            "The account does not exist, or the user behind the credentials may not open it or "
            "upload to it.",
            "Check customer_id in the profile. If it is right, give the user or service account "
            "behind the credentials standard access in Google Ads (Admin > Access and security), "
            "or write the manager account as login_customer_id.",
        ),
        """
        ACTION_NOT_PERMITTED METRIC_ACCESS_DENIED NOT_ADS_USER PERMISSION_DENIED
        USER_PERMISSION_DENIED WRITE_ACCESS_DENIED
        """,
    ),
    (
        account(
            "The customer ID is not that of a Google Ads account that can receive conversions.",
            "Correct customer_id in the profile: the ten digits of the account that has the "
            "conversion action.",
        ),
        """
        ACCESS_DENIED_FOR_ACCOUNT_TYPE CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT
        CLIENT_CUSTOMER_ID_INVALID CUSTOMER_NOT_FOUND DESTINATION_ACCOUNT_TYPE_MISMATCH
        INVALID_CUSTOMER_ID INVALID_RESOURCE_NAME MISMATCHED_ACCOUNT_TYPE
        UNSUPPORTED_OPERATING_ACCOUNT_FOR_DATA_PARTNER
        """,
    ),
    (
        account(
            "The manager account in login_customer_id is missing or does not fit the account.",
            "Correct login_customer_id in the profile, or remove it if the credentials belong to "
            "the account itself. The two accounts must be linked in Google Ads.",
        ),
        """
        DIFFERENT_LOGIN_ACCOUNTS_NOT_ALLOWED_FOR_DATA_PARTNER INVALID_LOGIN_CUSTOMER_ID
        INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION
        LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT
        LOGIN_CUSTOMER_ID_PARAMETER_MISSING OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH
        UNSUPPORTED_LINKED_ACCOUNT_FOR_DATA_PARTNER
        """,
    ),
    (
        account(
            "The account is not enabled, or was closed.",
            "Enable the account in Google Ads, or correct customer_id.",
        ),
        """
        ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT CUSTOMER_NOT_ENABLED INCOMPLETE_SIGNUP
        MUTATE_NOT_PERMITTED_FOR_CUSTOMER
        """,
    ),
    (
        account(
            "The account has not accepted Google's terms for customer data.",
            "Accept them in Google Ads (Goals > Settings > Customer data terms).",
        ),
        """
        CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS
        DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED
        PROCESSING_ERROR_REASON_DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED
        TERMS_AND_CONDITIONS_NOT_SIGNED
        """,
    ),
    (
        account(
            "Enhanced conversions for leads are turned off in the account.",
            "Turn them on in Google Ads (Goals > Settings > Enhanced conversions for leads).",
        ),
        """
        CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS
        DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS
        """,
    ),
    (
        account(
            "Google does not let these credentials use the feature. Since 15 June 2026, it takes "
            "uploads through the Google Ads API only from those who uploaded before.",
            'Write "destination": "data_manager" in the profile. If Google refuses only some '
            'rows, write "omit_session_and_ip": true instead. If it refuses only adjustments, '
            "retract the conversions in Google Ads.",
        ),
        "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE",
    ),
    (
        account(
            "The ad click belongs to an account that the credentials cannot open.",
            "Upload the row in a file of a profile whose customer_id is that account, or link "
            "that account to the manager account.",
        ),
        "UNAUTHORIZED_CUSTOMER",
    ),
    (
        account(
            "Google does not accept uploads of this kind from this account, or from the user "
            "behind the credentials. Its message says why.",
            "Correct what Google's message names, or ask your contact at Google.",
        ),
        """
        ACCESS_PROHIBITED ACCOUNT_INELIGIBLE_FOR_STORE_SALES ADVANCED_PROTECTION_NOT_ENROLLED
        CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS
        DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS
        EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED INVALID_LINKED_CUSTOMER_ID MISSING_TOS
        NOT_ALLOWLISTED TWO_STEP_VERIFICATION_NOT_ENROLLED
        """,
    ),
    # The conversion action
    (
        account(
            "The account does not have this conversion action, or the ad click belongs to another "
            "account.",
            "Correct the conversion action in the profile or the file, or customer_id: it must be "
            "the account that owns the conversion action.",
        ),
        "INVALID_CONVERSION_ACTION_ID INVALID_DESTINATION NO_CONVERSION_ACTION_FOUND",
    ),
    (
        account(
            "The type of the conversion action does not fit the rows.",
            "Name a conversion action of the type Import > Track conversions from clicks, or from "
            "calls for calls. An adjustment needs the conversion action of its conversion; "
            "conversions from calls cannot be adjusted.",
        ),
        "INVALID_CONVERSION_ACTION_TYPE",
    ),
    (
        account(
            "The conversion action always uses its default value, so the value of a conversion "
            "cannot be changed.",
            VALUE_OF_EACH,
        ),
        "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE",
    ),
    (
        account(_NO_VARIABLE, ENABLE_VARIABLE),
        "CUSTOM_VARIABLE_NOT_ENABLED CUSTOM_VARIABLE_NOT_FOUND",
    ),
    (
        failed(_NO_VARIABLE, ENABLE_VARIABLE),
        "PROCESSING_ERROR_REASON_CUSTOM_VARIABLE_NOT_ENABLED",
    ),
    (
        account(
            "The conversion action uses external attribution, which is not supported.",
            "Use a conversion action without external attribution.",
        ),
        "PROCESSING_ERROR_REASON_EXTERNAL_ATTRIBUTION_DATA_MISSING",
    ),
    (
        failed(
            "The conversion action counts one conversion per click, so it does not accept a "
            "gbraid or wbraid.",
            COUNT_EVERY,
        ),
        """
        ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID
        PROCESSING_ERROR_REASON_ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID
        """,
    ),
    # The request
    (
        file(
            "Google refuses the form of the whole request. This is a mistake in the function, not "
            "in the file.",
            _REPORT,
        ),
        """
        DUPLICATE_DESTINATION_REFERENCE IMMUTABLE_FIELD_FOR_UPDATE INVALID_FILTER INVALID_JOB_ID
        INVALID_PAGE_TOKEN INVALID_UPDATE_MASK MULTIPLE_DATA_TYPES_NOT_ALLOWED OPERATION_REQUIRED
        PARTIAL_FAILURE_MODE_REQUIRED REQUEST_SIZE_LIMIT_EXCEEDED REQUEST_TOO_LARGE
        RESPONSE_SIZE_LIMIT_EXCEEDED TOO_MANY_ACTION_OPERATIONS TOO_MANY_ADJUSTMENTS_IN_REQUEST
        TOO_MANY_CONVERSIONS_IN_REQUEST TOO_MANY_DESTINATIONS TOO_MANY_EVENTS
        TOO_MANY_MUTATE_OPERATIONS
        """,
    ),
    (
        account("Google refuses something that the function is not meant to send.", _REPORT),
        """
        CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCEMENT
        MUTATE_NOT_ALLOWED THIRD_PARTY_USER_DATA_NOT_ALLOWED
        """,
    ),
    (
        file(
            "Google has no status of this request: it is too old, or it was only a check.",
            "No action needed; the outcomes of the rows stay as they are.",
        ),
        "INVALID_REQUEST_ID REQUEST_TOO_OLD",
    ),
    # Counted before
    (
        duplicate(
            "Google already has this conversion: its order ID, or its click or call with this "
            "conversion time.",
            _COUNTED_ONCE,
        ),
        """
        CALL_CONVERSION_ALREADY_EXISTS CLICK_CONVERSION_ALREADY_EXISTS CONVERSION_ALREADY_ENHANCED
        DUPLICATE_ENHANCEMENT_IN_REQUEST ORDER_ID_ALREADY_IN_USE
        PROCESSING_ERROR_REASON_DUPLICATE_GCLID
        """,
    ),
    (
        duplicate(
            "Google has already counted a conversion with this order ID. If this row has another "
            "value, Google has kept the old one.",
            'No action needed, unless the row corrects a value. Then set "adjustments_via": '
            '"google_ads" in the profile.',
        ),
        "PROCESSING_ERROR_REASON_DUPLICATE_TRANSACTION_ID",
    ),
    (
        duplicate(
            "Another row of the file has the same order ID, or the same click or call and the "
            "same conversion time.",
            "Give each conversion its own order ID and conversion time. If both rows are the same "
            "conversion, no action is needed.",
        ),
        """
        DUPLICATE_CALL_CONVERSION_IN_REQUEST DUPLICATE_CLICK_CONVERSION_IN_REQUEST
        DUPLICATE_ORDER_ID
        """,
    ),
    (
        duplicate(
            "The conversion is already retracted, and stays so.",
            "No action needed. Google accepts no adjustment of a retracted conversion.",
        ),
        "CONVERSION_ALREADY_RETRACTED",
    ),
    (
        duplicate(
            "Another adjustment of the conversion has the same time: in this file, or one that "
            "Google already has. If this row has another value, Google has not taken it.",
            "Upload the row with a later adjustment time if its value is a different one. "
            "Otherwise no action is needed.",
        ),
        "DUPLICATE_ADJUSTMENT_IN_REQUEST RESTATEMENT_ALREADY_EXISTS",
    ),
    (
        superseded(
            "Google already has a later adjustment of this conversion. That one counts.",
            "No action needed. If the value of this row is right, upload it with a later "
            "adjustment time.",
        ),
        "MORE_RECENT_RESTATEMENT_FOUND",
    ),
    # The row
    (
        failed("Google cannot read the click ID.", COMPLETE_CLICK_ID),
        """
        PROCESSING_ERROR_REASON_INVALID_AD_IDENTIFIERS PROCESSING_ERROR_REASON_INVALID_GBRAID
        PROCESSING_ERROR_REASON_INVALID_GCLID PROCESSING_ERROR_REASON_INVALID_WBRAID
        UNPARSEABLE_GBRAID UNPARSEABLE_GCLID UNPARSEABLE_WBRAID
        """,
    ),
    (
        failed(
            "The conversion time is before the ad click or call.",
            "Check the conversion time. A date without a time counts as midnight.",
            if_most=(
                'Check the time zone in the profile, for example "time_zone": "America/Chicago", '
                "or in the file if it names one. If the file has only dates, export the times too."
            ),
        ),
        """
        CONVERSION_PRECEDES_CALL CONVERSION_PRECEDES_EVENT
        PROCESSING_ERROR_REASON_CONVERSION_PRECEDES_CLICK
        """,
    ),
    (
        failed(
            "The ad click or call is older than the conversion window of the conversion action.",
            LONGER_WINDOW,
            if_most=(
                "Export and upload more often, ideally every day. These rows came too late. If "
                "customers often take longer, set a longer conversion window for the conversion "
                "action in Google Ads."
            ),
            is_too_late=True,
        ),
        """
        EXPIRED_CALL EXPIRED_EVENT PROCESSING_ERROR_REASON_EXPIRED_CALL
        PROCESSING_ERROR_REASON_EXPIRED_CLICK
        """,
    ),
    (
        failed(
            "Google does not accept the conversion time: it is too long ago, or in the future.",
            "Check the conversion time and its time zone. Upload conversions sooner, ideally "
            "every day.",
            if_most=(
                "Export and upload more often, ideally every day. If the times are wrong, check "
                "time_zone and date_order in the profile."
            ),
        ),
        "EVENT_TIME_INVALID PROCESSING_ERROR_REASON_EVENT_TOO_OLD",
    ),
    (
        failed(
            "Google found no ad click for this row. The conversion may not come from a Google Ads "
            "campaign.",
            "Check that the click ID belongs to this account; a few such rows are normal.",
            if_most=_OTHER_ACCOUNT,
        ),
        "EVENT_NOT_FOUND PROCESSING_ERROR_REASON_INVALID_CLICK",
    ),
    (
        failed(
            "Google found no ad click for the conversion. This is normal for rows without a click "
            "ID: most of these people did not click an ad.",
            "Check that the click ID is complete and belongs to this account. Without a click ID, "
            "no action is needed.",
            if_most=f"{_OTHER_ACCOUNT} Without click IDs, no action is needed.",
        ),
        "PROCESSING_ERROR_REASON_CLICK_NOT_FOUND",
    ),
    (
        failed(
            "Google found no such phone call.",
            "Check the caller's number and the start of the call. Google knows only calls to its "
            "forwarding numbers.",
        ),
        "CALL_NOT_FOUND PROCESSING_ERROR_REASON_INVALID_CALL",
    ),
    (
        failed(
            "The ad click or call belongs to another Google Ads account.",
            "Upload the row in a file of a profile whose customer_id is that account.",
            if_most=_OTHER_ACCOUNT,
        ),
        """
        INVALID_AD_IDENTIFIER_FOR_ACCOUNT INVALID_CUSTOMER_FOR_CALL INVALID_CUSTOMER_FOR_CLICK
        PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER
        PROCESSING_ERROR_REASON_INVALID_OPERATING_ACCOUNT_FOR_CLICK
        """,
    ),
    (
        failed(
            "Conversion tracking was off in the account at the time of the ad click or call.",
            "No action needed; these rows cannot be counted. Check that conversion tracking is on "
            "now.",
        ),
        """
        CONVERSION_TRACKING_NOT_ENABLED_AT_CALL_TIME
        CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME
        """,
    ),
    (
        failed("Google cannot use a hashed email address or phone number.", PLAIN_VALUES),
        "INVALID_HEX_ENCODING INVALID_SHA256_FORMAT INVALID_USER_IDENTIFIER",
    ),
    (
        failed(
            "The person has refused consent, or the account's default setting does.",
            "No action needed; Google must not use such conversions. If it is a mistake, check "
            "the column with the consent, and the default setting in Google Ads.",
        ),
        "PROCESSING_ERROR_REASON_DENIED_CONSENT",
    ),
    (
        failed(
            "Google does not know whether the person has consented.",
            "Name the column with the consent under columns in the profile (ad_user_data), or "
            "write one consent for all rows there.",
        ),
        "PROCESSING_ERROR_REASON_NO_CONSENT PROCESSING_ERROR_REASON_UNKNOWN_CONSENT",
    ),
    (
        failed(
            "The person did not consent to tracking on an Apple device.",
            "Leave out conversions of people who did not consent: list them under skip in the "
            "profile.",
        ),
        "CONVERSION_NOT_COMPLIANT_WITH_ATT_POLICY",
    ),
    (
        failed(
            "The conversion is more than 54 days old, so Google no longer adjusts it.",
            "No action needed; the conversion keeps its value. Upload adjustments sooner.",
        ),
        "CONVERSION_EXPIRED",
    ),
    (
        failed(
            "The tag on your website counted the conversion. Google adjusts it only by its order "
            "ID.",
            "Add the order ID that the tag sends as the transaction ID.",
        ),
        "MISSING_ORDER_ID_FOR_WEBPAGE",
    ),
    # Warnings
    (
        warning(
            "Google accepted the row, but its email address or phone number matches no ad click. "
            "This is normal for some of the rows.",
            "No action needed. If most rows have this warning, check that the email addresses and "
            "phone numbers are complete.",
        ),
        "CLICK_NOT_FOUND",
    ),
    (
        warning(
            "A custom variable is not enabled in the account, or its value is not one of the "
            "predefined ones, so Google left it out.",
            "Create, enable or extend it in Google Ads (Goals > Custom variables), or correct or "
            "remove its column.",
        ),
        """
        PROCESSING_WARNING_REASON_CUSTOM_VARIABLE_NOT_ENABLED
        PROCESSING_WARNING_REASON_CUSTOM_VARIABLE_NOT_PREDEFINED
        WARNING_REASON_CUSTOM_VARIABLE_NOT_ENABLED WARNING_REASON_CUSTOM_VARIABLE_NOT_PREDEFINED
        """,
    ),
    (
        warning("A hash is not a SHA-256 hash, so Google left it out.", PLAIN_VALUES),
        "WARNING_REASON_INVALID_SHA256_FORMAT",
    ),
)
"""What several codes mean, also of both APIs, and the codes."""

TABLE: Final[dict[str, CodeText]] = {code: text for text, codes in _TEXTS for code in codes.split()}
