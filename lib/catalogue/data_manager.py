"""Codes of the Data Manager API: kind (see `lib.catalogue.codes`), meaning, what to do.

All of ErrorReason (save what `codes_google_ads` has too), ProcessingErrorReason,
ProcessingWarningReason and WarningReason:
https://developers.google.com/data-manager/api/reference/rpc/google.ads.datamanager.v1
"""

from typing import Final

_BUG = "Report it: this is a mistake of the software, not of the file."
_MESSAGE = "Google's message names the field; correct it."
_ACCESS = "Invite them in Google Ads, or set login_customer_id to the manager account."
_AUDIENCES = "Nothing for this file: it's about another use of the API than conversions."
_ENCRYPTION = "Nothing for this file: identifiers are hashed here, not encrypted."
_OTHER_IDS = "Nothing for this file: such ids aren't sent here."

TABLE: Final[dict[str, tuple[str, str, str]]] = {
    # ErrorReason
    "ERROR_REASON_UNSPECIFIED": (
        "failed",
        "Google gave no reason.",
        "Read Google's message beside it.",
    ),
    "PERMISSION_DENIED": (
        "account",
        "The credentials have no access to the account, or it doesn't exist.",
        _ACCESS,
    ),
    "INVALID_ARGUMENT": (
        "failed",
        "Something in the row isn't right.",
        _MESSAGE,
    ),
    "INVALID_HEX_ENCODING": (
        "failed",
        "A digest isn't written in hex digits.",
        "If the file holds digests, check how they were made; better send raw columns.",
    ),
    "INVALID_BASE64_ENCODING": (
        "failed",
        "A digest isn't written in base64.",
        _BUG,
    ),
    "INVALID_SHA256_FORMAT": (
        "failed",
        "A digest isn't one of SHA-256.",
        "If the file holds digests, check how they were made; better send raw columns.",
    ),
    "INVALID_POSTAL_CODE": (
        "failed",
        "The postal code isn't valid.",
        "Correct it, or leave the address out.",
    ),
    "INVALID_COUNTRY_CODE": (
        "failed",
        "The country isn't valid.",
        "Write its two-letter code.",
    ),
    "INVALID_USER_LIST_TYPE": (
        "file",
        "Type of the user list is not applicable for this request.",
        _AUDIENCES,
    ),
    "INVALID_AUDIENCE_MEMBER": (
        "file",
        "This audience member is not valid.",
        _AUDIENCES,
    ),
    "TOO_MANY_AUDIENCE_MEMBERS": (
        "file",
        "Maximum number of audience members allowed per request is 10,000.",
        _AUDIENCES,
    ),
    "TOO_MANY_USER_IDENTIFIERS": (
        "failed",
        "The row has more than ten user identifiers.",
        "Keep the best ten.",
    ),
    "TOO_MANY_DESTINATIONS": (
        "file",
        "The request has more than ten destinations.",
        _BUG,
    ),
    "INVALID_DESTINATION": (
        "account",
        "The account or conversion action of the profile isn't a valid destination.",
        "Correct customer_id and conversion_action.",
    ),
    "DATA_PARTNER_USER_LIST_MUTATE_NOT_ALLOWED": (
        "file",
        "Data Partner does not have access to the operating account owned userlist.",
        _AUDIENCES,
    ),
    "INVALID_MOBILE_ID_FORMAT": (
        "file",
        "Mobile ID format is not valid.",
        _AUDIENCES,
    ),
    "INVALID_USER_LIST_ID": (
        "file",
        "User list is not valid.",
        _AUDIENCES,
    ),
    "MULTIPLE_DATA_TYPES_NOT_ALLOWED": (
        "file",
        "The request mixes kinds of data.",
        _BUG,
    ),
    "DIFFERENT_LOGIN_ACCOUNTS_NOT_ALLOWED_FOR_DATA_PARTNER": (
        "account",
        "All destinations of a data partner need the same login account.",
        "Use one login_customer_id.",
    ),
    "TERMS_AND_CONDITIONS_NOT_SIGNED": (
        "account",
        "The account hasn't accepted the terms that this needs.",
        "Accept the customer data terms in Google Ads: Goals > Settings.",
    ),
    "INVALID_NUMBER_FORMAT": (
        "failed",
        "A number isn't written as one.",
        _MESSAGE,
    ),
    "INVALID_CONVERSION_ACTION_ID": (
        "account",
        "The account has no such conversion action.",
        "Correct the action in the file or the profile; it must be in the conversion account.",
    ),
    "INVALID_CURRENCY_CODE": (
        "failed",
        "Google doesn't take this currency.",
        "Write the three letters of ISO 4217.",
    ),
    "INVALID_EVENT": (
        "failed",
        "The row isn't a valid event.",
        _MESSAGE,
    ),
    "TOO_MANY_EVENTS": (
        "file",
        "The request has too many events.",
        _BUG,
    ),
    "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS": (
        "account",
        "Enhanced conversions for leads are off in the account.",
        "Turn them on in Google Ads: Goals > Settings > Enhanced conversions for leads.",
    ),
    "DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS": (
        "account",
        "Google's policies don't let this account use enhanced conversions.",
        "Ask your Google representative; until then send click ids only.",
    ),
    "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED": (
        "account",
        "The account hasn't accepted the terms of enhanced conversions.",
        "Accept them in Google Ads: Goals > Settings.",
    ),
    "DUPLICATE_DESTINATION_REFERENCE": (
        "file",
        "Two destinations of the request have one name.",
        _BUG,
    ),
    "UNSUPPORTED_OPERATING_ACCOUNT_FOR_DATA_PARTNER": (
        "account",
        "The data partner can't use this account.",
        "Correct customer_id, or ask the data partner.",
    ),
    "UNSUPPORTED_LINKED_ACCOUNT_FOR_DATA_PARTNER": (
        "account",
        "The data partner can't use this linked account.",
        "Correct login_customer_id, or ask the data partner.",
    ),
    "NO_IDENTIFIERS_PROVIDED": (
        "failed",
        "The row has neither a click id nor a user identifier.",
        "Add a click id, an e-mail address or a phone number.",
    ),
    "INVALID_PROPERTY_TYPE": (
        "file",
        "The property type is not supported.",
        _AUDIENCES,
    ),
    "INVALID_STREAM_TYPE": (
        "file",
        "The stream type is not supported.",
        _AUDIENCES,
    ),
    "LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT": (
        "account",
        "A linked account can be used by data partners only.",
        "Correct login_customer_id.",
    ),
    "OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH": (
        "account",
        "The login account must be the account itself here.",
        "Take login_customer_id out of the profile.",
    ),
    "EVENT_TIME_INVALID": (
        "failed",
        "The conversion time lies outside the window that Google takes.",
        "Check the time and its zone; upload conversions sooner.",
    ),
    "RESERVED_NAME_USED": (
        "failed",
        "A name is reserved by Google.",
        _MESSAGE,
    ),
    "INVALID_EVENT_NAME": (
        "failed",
        "The name of the event isn't supported.",
        _BUG,
    ),
    "NOT_ALLOWLISTED": (
        "account",
        "Google doesn't let this account use the feature.",
        "Ask your Google representative, or leave the column out that Google's message names.",
    ),
    "INVALID_REQUEST_ID": (
        "file",
        "The status of a request can't be asked for: it failed, or was a trial.",
        "Nothing.",
    ),
    "MULTIPLE_DESTINATIONS_FOR_GOOGLE_ANALYTICS_EVENT": (
        "file",
        "An event had 2 or more Google Analytics destinations.",
        _AUDIENCES,
    ),
    "FIELD_VALUE_TOO_LONG": (
        "failed",
        "A value is too long.",
        "Google's message names the field; shorten it.",
    ),
    "FIELD_VALUE_TOO_SHORT": (
        "failed",
        "A value is too short.",
        "Google's message names the field; write it out.",
    ),
    "TOO_MANY_ELEMENTS": (
        "failed",
        "A list has too many entries.",
        _MESSAGE,
    ),
    "TOO_FEW_ELEMENTS": (
        "failed",
        "A list has too few entries.",
        _MESSAGE,
    ),
    "ALREADY_EXISTS": (
        "failed",
        "It exists already.",
        _MESSAGE,
    ),
    "IMMUTABLE_FIELD_FOR_UPDATE": (
        "file",
        "A field can't be changed.",
        _BUG,
    ),
    "INVALID_RESOURCE_NAME": (
        "account",
        "The account's name in the request isn't valid.",
        "Correct customer_id.",
    ),
    "INVALID_FILTER": (
        "file",
        "A query isn't valid.",
        _BUG,
    ),
    "INVALID_UPDATE_MASK": (
        "file",
        "A change isn't described as it must be.",
        _BUG,
    ),
    "CANNOT_UPDATE_DISABLED_LICENSE": (
        "file",
        "Cannot update a license that has been disabled.",
        _AUDIENCES,
    ),
    "CANNOT_CREATE_LICENSE_FOR_SENSITIVE_USERLIST": (
        "file",
        "Sensitive user lists cannot be licensed to this client.",
        _AUDIENCES,
    ),
    "INSUFFICIENT_COST": (
        "file",
        "Cost too low for this license.",
        _AUDIENCES,
    ),
    "CANNOT_DISABLE_LICENSE": (
        "file",
        "Reseller license cannot be disabled since it is in use.",
        _AUDIENCES,
    ),
    "INVALID_CLIENT_ACCOUNT_ID": (
        "file",
        "Invalid client account id.",
        _AUDIENCES,
    ),
    "PRICING_ONLY_ZERO_COST_ALLOWED": (
        "file",
        "Non-zero cost not allowed for this client account.",
        _AUDIENCES,
    ),
    "PRICE_TOO_HIGH": (
        "file",
        "Cost too high for this license.",
        _AUDIENCES,
    ),
    "CUSTOMER_NOT_ALLOWED_TO_CREATE_LICENSE": (
        "file",
        "Customer not allowed to create license.",
        _AUDIENCES,
    ),
    "INVALID_PRICING_END_DATE": (
        "file",
        "Pricing end date is invalid for this license.",
        _AUDIENCES,
    ),
    "CANNOT_LICENSE_LOGICAL_LIST_WITH_LICENSED_OR_SHARED_SEGMENT": (
        "file",
        "Logical user list with shared or licensed segment cannot be licensed.",
        _AUDIENCES,
    ),
    "MISMATCHED_ACCOUNT_TYPE": (
        "account",
        "The account isn't of the kind that the request names.",
        "Correct customer_id.",
    ),
    "MEDIA_SHARE_COST_NOT_ALLOWED_FOR_LICENSE_TYPE": (
        "file",
        "License type does not support media share cost.",
        _AUDIENCES,
    ),
    "MEDIA_SHARE_COST_NOT_ALLOWED_FOR_CLIENT_CUSTOMER": (
        "file",
        "Client customer type does not support media share cost.",
        _AUDIENCES,
    ),
    "INVALID_MEDIA_SHARE_COST": (
        "file",
        "Invalid media share cost.",
        _AUDIENCES,
    ),
    "INVALID_COST_TYPE": (
        "file",
        "Invalid cost type.",
        _AUDIENCES,
    ),
    "MEDIA_SHARE_COST_NOT_ALLOWED_FOR_NON_COMMERCE_USER_LIST": (
        "file",
        "UserList type does not support media share cost.",
        _AUDIENCES,
    ),
    "MAX_COST_NOT_ALLOWED": (
        "file",
        "Max cost is only allowed for cost_type MEDIA_SHARE.",
        _AUDIENCES,
    ),
    "COMMERCE_AUDIENCE_CAN_ONLY_BE_DIRECTLY_LICENSED": (
        "file",
        "Commerce audience can only be directly licensed.",
        _AUDIENCES,
    ),
    "INVALID_DESCRIPTION": (
        "file",
        "The description is not valid.",
        _AUDIENCES,
    ),
    "INVALID_DISPLAY_NAME": (
        "file",
        "The display name is not valid.",
        _AUDIENCES,
    ),
    "DISPLAY_NAME_ALREADY_USED": (
        "file",
        "The display name is already being used for another user list for the account.",
        _AUDIENCES,
    ),
    "OWNERSHIP_REQUIRED_FOR_UPDATE": (
        "file",
        "Ownership is required to modify the user list.",
        _AUDIENCES,
    ),
    "USER_LIST_MUTATION_NOT_SUPPORTED": (
        "file",
        "The user list type is read-only and does not support mutation.",
        _AUDIENCES,
    ),
    "SENSITIVE_USER_LIST_IMMUTABLE": (
        "file",
        "A user list which is privacy sensitive or legal rejected cannot be mutated by "
        "external users.",
        _AUDIENCES,
    ),
    "BILLABLE_RECORD_COUNT_IMMUTABLE": (
        "file",
        "The remarketing user list's billable record field cannot be modified once it is set.",
        _AUDIENCES,
    ),
    "USER_LIST_NAME_RESERVED": (
        "file",
        "The user list name is reserved for system lists.",
        _AUDIENCES,
    ),
    "ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA": (
        "file",
        "The advertiser needs to be allowlisted to use remarketing lists created from "
        "advertiser uploaded data.",
        _AUDIENCES,
    ),
    "UNSUPPORTED_PARTNER_AUDIENCE_SOURCE": (
        "file",
        "The partner audience source is not supported for the user list type.",
        _AUDIENCES,
    ),
    "COMMERCE_PARTNER_NOT_ALLOWED": (
        "file",
        "Setting the commerce_partner field is only supported if the partner_audience_source "
        "is COMMERCE_AUDIENCE.",
        _AUDIENCES,
    ),
    "UNSUPPORTED_PARTNER_AUDIENCE_INFO": (
        "file",
        "The partner_audience_info field is not supported for the user list type.",
        _AUDIENCES,
    ),
    "PARTNER_MATCH_FOR_MANAGER_ACCOUNT_DISALLOWED": (
        "file",
        "Partner Match user lists cannot be created by manager accounts.",
        _AUDIENCES,
    ),
    "DATA_PARTNER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA": (
        "file",
        "The data partner is not allowlisted for THIRD_PARTY_PARTNER_DATA.",
        _AUDIENCES,
    ),
    "ADVERTISER_TOS_NOT_ACCEPTED": (
        "file",
        "The advertiser has not accepted the partner's terms of service.",
        _AUDIENCES,
    ),
    "ADVERTISER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA": (
        "file",
        "The advertiser is not allowlisted for THIRD_PARTY_PARTNER_DATA.",
        _AUDIENCES,
    ),
    "USER_LIST_TYPE_NOT_SUPPORTED_FOR_ACCOUNT": (
        "file",
        "This user list type is not supported for this account.",
        _AUDIENCES,
    ),
    "INVALID_COMMERCE_PARTNER": (
        "file",
        "The commerce_partner field is invalid.",
        _AUDIENCES,
    ),
    "CUSTOMER_NOT_ALLOWLISTED_FOR_COMMERCE_AUDIENCE": (
        "file",
        "The data provider is not allowlisted to create commerce audiences.",
        _AUDIENCES,
    ),
    "UNSUPPORTED_USER_LIST_UPLOAD_KEY_TYPES": (
        "file",
        "The user list upload key types are not supported.",
        _AUDIENCES,
    ),
    "UNSUPPORTED_INGESTED_USER_LIST_INFO_CONFIG": (
        "file",
        "The ingested user list info config is not supported.",
        _AUDIENCES,
    ),
    "UNSUPPORTED_ACCOUNT_TYPES_FOR_USER_LIST_TYPE": (
        "file",
        "The account types are not supported for the user list type.",
        _AUDIENCES,
    ),
    "UNSUPPORTED_ACCOUNT_TYPE_FOR_PARTNER_LINK": (
        "file",
        "The account types are not supported for the partner link.",
        _AUDIENCES,
    ),
    "MEMBERSHIP_DURATION_TOO_LONG": (
        "file",
        "The user list membership duration is too long.",
        _AUDIENCES,
    ),
    "INVALID_MERCHANT_ID": (
        "failed",
        "The Merchant Center id isn't valid.",
        "Copy it from the top of the Merchant Center.",
    ),
    "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": (
        "account",
        "The account lacks its declaration about political advertising in the EU.",
        "Make the declaration in Google Ads.",
    ),
    "ACCOUNT_INELIGIBLE_FOR_STORE_SALES": (
        "account",
        "The account can't take store sales.",
        "Set event_source to something else than IN_STORE, or ask your Google representative.",
    ),
    "INVALID_MERCHANT_FEED_LANGUAGE_CODE": (
        "failed",
        "The language of the product feed isn't valid.",
        "Write two letters, such as en.",
    ),
    "INVALID_REGION_CODE": (
        "failed",
        "The country isn't valid.",
        "Write its two-letter code.",
    ),
    "INVALID_SUBDIVISION_CODE": (
        "file",
        "The subdivision code is not valid.",
        _AUDIENCES,
    ),
    "INVALID_SUBCONTINENT_CODE": (
        "file",
        "The subcontinent code is not valid.",
        _AUDIENCES,
    ),
    "INVALID_CONTINENT_CODE": (
        "file",
        "The continent code is not valid.",
        _AUDIENCES,
    ),
    "INVALID_DEVICE_CATEGORY": (
        "file",
        "The device category is not valid.",
        _AUDIENCES,
    ),
    "BOTH_CLIENT_ID_AND_APP_INSTANCE_ID_NOT_ALLOWED": (
        "file",
        "Both app_instance_id and client_id are set.",
        _AUDIENCES,
    ),
    "GOOGLE_ANALYTICS_SUBPROPERTY_OR_ROLLUP_PROPERTY_NOT_ALLOWED": (
        "file",
        "The Google Analytics property is a subproperty or rollup property.",
        _AUDIENCES,
    ),
    "THIRD_PARTY_USER_DATA_NOT_ALLOWED": (
        "account",
        "Only data partners can send data of third parties.",
        _BUG,
    ),
    "INVALID_COUPON_CODE": (
        "failed",
        "The coupon code isn't valid.",
        _MESSAGE,
    ),
    "EVENT_SOURCE_AND_DESTINATION_MISMATCH": (
        "failed",
        "The event source doesn't fit the conversion action.",
        "Correct event_source in the file or the profile.",
    ),
    "DESTINATION_ACCOUNT_TYPE_MISMATCH": (
        "account",
        "The account isn't a Google Ads account.",
        "Correct customer_id.",
    ),
    "INVALID_CUSTOM_VARIABLE_VALUE": (
        "failed",
        "The value of a custom variable isn't valid.",
        "Google's message names it; correct it.",
    ),
    "CUSTOM_VARIABLE_NOT_FOUND": (
        "account",
        "The account has no custom variable of this name.",
        "Create it in Google Ads, or take its column out.",
    ),
    "TOO_MANY_USERS": (
        "file",
        "Maximum number of users allowed per request is 10,000.",
        _AUDIENCES,
    ),
    "BASELINE_LOCATION_AUTO_DETECTION_FAILED": (
        "file",
        "The location_auto_detection_enabled field of the request was set to true, but auto "
        "detection of baseline location failed.",
        _AUDIENCES,
    ),
    "INSIGHTS_MISSING_FOR_DIMENSION": (
        "file",
        "Insights missing for this dimension.",
        _AUDIENCES,
    ),
    "REQUIRED_PREREQUISITE_LINK_MISSING": (
        "file",
        "A required prerequisite link (such as a Google Ads link) must exist for the Google "
        "Analytics property to perform this operation.",
        _AUDIENCES,
    ),
    "INVALID_REMOVE_AS_OF_TIME": (
        "file",
        "The remove as of time must be in the past or present. Future timestamps are not "
        "permitted for removing audience members.",
        _AUDIENCES,
    ),
    "REQUEST_TOO_OLD": (
        "file",
        "The status of a request can be asked for during 50 days only.",
        "Nothing.",
    ),
    "CONVERSION_ACTION_TOO_RECENTLY_CREATED": (
        "deferred",
        "The conversion action was created a short time ago.",
        "Nothing; it will be sent again after 6 hours.",
    ),
    "INVALID_AD_IDENTIFIER_FOR_ACCOUNT": (
        "failed",
        "The click belongs to another Google Ads account.",
        "Send it with the account that the ad belongs to.",
    ),
    # ProcessingErrorReason
    "PROCESSING_ERROR_REASON_UNSPECIFIED": (
        "failed",
        "Google gave no reason.",
        "Send the rows again; if they fail again, ask Google with the request id.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_CUSTOM_VARIABLE": (
        "failed",
        "A custom variable isn't valid.",
        "Check the names and values of the custom variables.",
    ),
    "PROCESSING_ERROR_REASON_CUSTOM_VARIABLE_NOT_ENABLED": (
        "failed",
        "A custom variable isn't enabled in the account.",
        "Enable it in Google Ads (Goals > Custom variables), or take its column out.",
    ),
    "PROCESSING_ERROR_REASON_EVENT_TOO_OLD": (
        "failed",
        "The conversion is older than Google takes.",
        "Upload conversions sooner, best every day.",
    ),
    "PROCESSING_ERROR_REASON_DENIED_CONSENT": (
        "failed",
        "The person, or the account's default, denies the use of user data for ads.",
        "Nothing: such conversions mustn't be used. If it's wrong, check the consent column "
        "and the account's default.",
    ),
    "PROCESSING_ERROR_REASON_NO_CONSENT": (
        "failed",
        "There's no consent for Google's services.",
        "Add the ad_user_data column, or set ad_user_data in the profile.",
    ),
    "PROCESSING_ERROR_REASON_UNKNOWN_CONSENT": (
        "failed",
        "Google can't tell whether there's consent.",
        "Add the ad_user_data column, or set ad_user_data in the profile.",
    ),
    "PROCESSING_ERROR_REASON_DUPLICATE_GCLID": (
        "duplicate",
        "Google has already counted a conversion of this click at this time.",
        "Nothing: it counts once.",
    ),
    "PROCESSING_ERROR_REASON_DUPLICATE_TRANSACTION_ID": (
        "duplicate",
        "Google has already counted a conversion with this order id for this action.",
        "Nothing: it counts once.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_GBRAID": (
        "failed",
        "Google can't read the gbraid.",
        "Check that it's stored whole and in its own case.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_GCLID": (
        "failed",
        "Google can't read the gclid.",
        "Check that it's stored whole and in its own case, as in the landing page's address.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_MERCHANT_ID": (
        "failed",
        "The Merchant Center id isn't a number.",
        "Copy it from the top of the Merchant Center.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_WBRAID": (
        "failed",
        "Google can't read the wbraid.",
        "Check that it's stored whole and in its own case.",
    ),
    "PROCESSING_ERROR_REASON_INTERNAL_ERROR": (
        "transient",
        "Something went wrong at Google.",
        "Nothing while the document says waiting: it will be sent again. Later, drop the file "
        "again: Google counts each conversion once.",
    ),
    "PROCESSING_ERROR_REASON_DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED": (
        "account",
        "The account hasn't accepted the terms of enhanced conversions.",
        "Accept them in Google Ads: Goals > Settings.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_EVENT": (
        "failed",
        "The conversion isn't valid.",
        "Check the rows with the linter.",
    ),
    "PROCESSING_ERROR_REASON_INSUFFICIENT_MATCHED_TRANSACTIONS": (
        "failed",
        "Too few of the conversions match ad clicks.",
        "Check that addresses and numbers are whole.",
    ),
    "PROCESSING_ERROR_REASON_INSUFFICIENT_TRANSACTIONS": (
        "failed",
        "There are too few conversions.",
        "Send more at once.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_FORMAT": (
        "failed",
        "A value isn't written as Google wants it.",
        "Check the rows with the linter.",
    ),
    "PROCESSING_ERROR_REASON_DECRYPTION_ERROR": (
        "failed",
        "The event has a decryption error.",
        _ENCRYPTION,
    ),
    "PROCESSING_ERROR_REASON_DEK_DECRYPTION_ERROR": (
        "failed",
        "The DEK failed to be decrypted.",
        _ENCRYPTION,
    ),
    "PROCESSING_ERROR_REASON_INVALID_WIP": (
        "failed",
        "The WIP is formatted incorrectly or the WIP does not exist.",
        _ENCRYPTION,
    ),
    "PROCESSING_ERROR_REASON_INVALID_KEK": (
        "failed",
        "The KEK cannot decrypt data because it is the wrong KEK, or it does not exist.",
        _ENCRYPTION,
    ),
    "PROCESSING_ERROR_REASON_WIP_AUTH_FAILED": (
        "failed",
        "The WIP could not be used because it was rejected by its attestation condition.",
        _ENCRYPTION,
    ),
    "PROCESSING_ERROR_REASON_KEK_PERMISSION_DENIED": (
        "failed",
        "The system did not have the permissions needed to access the KEK.",
        _ENCRYPTION,
    ),
    "PROCESSING_ERROR_REASON_AWS_AUTH_FAILED": (
        "failed",
        "The system failed to authenticate with AWS.",
        _ENCRYPTION,
    ),
    "PROCESSING_ERROR_REASON_USER_IDENTIFIER_DECRYPTION_ERROR": (
        "failed",
        "Failed to decrypt the UserIdentifier data using the DEK.",
        _ENCRYPTION,
    ),
    "PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER": (
        "failed",
        "The click belongs to another Google Ads account.",
        "Send it with the account that the ad belongs to.",
    ),
    "PROCESSING_ERROR_REASON_ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID": (
        "failed",
        "A gbraid or wbraid can't be used with an action that counts one conversion per click.",
        "Set the action's count to Every, or use another action for these rows.",
    ),
    "PROCESSING_ERROR_REASON_MATCH_ID_NOT_FOUND": (
        "failed",
        "The match ID can not be found.",
        _OTHER_IDS,
    ),
    "PROCESSING_ERROR_REASON_USER_ID_NOT_FOUND_FOR_MATCH_ID": (
        "failed",
        "The user ID can not be found for the match ID.",
        _OTHER_IDS,
    ),
    "PROCESSING_ERROR_REASON_USER_ID_NOT_FOUND_FOR_GCLID": (
        "failed",
        "The user ID can not be found for the GCLID.",
        _OTHER_IDS,
    ),
    "PROCESSING_ERROR_REASON_USER_ID_NOT_FOUND_FOR_DCLID": (
        "failed",
        "The user ID can not be found for the DCLID.",
        _OTHER_IDS,
    ),
    "PROCESSING_ERROR_REASON_INVALID_AD_IDENTIFIERS": (
        "failed",
        "Some click ids aren't valid.",
        "Check that they're stored whole and in their own case.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_MOBILE_ID_FORMAT": (
        "failed",
        "A mobile id isn't valid.",
        "Nothing for this file: they aren't sent here.",
    ),
    "PROCESSING_ERROR_REASON_ORIGINAL_CONVERSIONS_NOT_FOUND": (
        "failed",
        "The conversions to be adjusted aren't found.",
        "Nothing for this file: adjustments aren't sent here.",
    ),
    "PROCESSING_ERROR_REASON_EVENT_ID_DECODE_ERROR": (
        "failed",
        "The event ID (dclid or impression ID) cannot be decoded.",
        _OTHER_IDS,
    ),
    "PROCESSING_ERROR_REASON_USER_ID_NOT_FOUND_FOR_IMPRESSION_ID": (
        "failed",
        "The user ID cannot be found for the given impression ID.",
        _OTHER_IDS,
    ),
    "PROCESSING_ERROR_REASON_USER_ID_NOT_FOUND": (
        "failed",
        "The user ID cannot be found.",
        _OTHER_IDS,
    ),
    "PROCESSING_ERROR_REASON_CONVERSION_PRECEDES_CLICK": (
        "failed",
        "The conversion time lies before the ad click.",
        "Check the time and its zone. A date without a time counts as midnight.",
    ),
    "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK": (
        "deferred",
        "The ad click is less than 6 hours old.",
        "Nothing while the document says waiting: it will be sent again after 6 hours. Later, drop "
        "the file again.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_CLICK": (
        "failed",
        "The click can't be used; perhaps it didn't come from a Google Ads campaign.",
        "Check that the click id belongs to this account. A few of these are normal.",
    ),
    "PROCESSING_ERROR_REASON_INVALID_OPERATING_ACCOUNT_FOR_CLICK": (
        "failed",
        "The click belongs to another Google Ads account.",
        "Send it with the account that the ad belongs to.",
    ),
    "PROCESSING_ERROR_REASON_CLICK_NOT_FOUND": (
        "failed",
        "Google finds no ad click for the conversion.",
        "A part is always like that. If it's most, check that ids, addresses and numbers are "
        "whole.",
    ),
    "PROCESSING_ERROR_REASON_EXTERNAL_ATTRIBUTION_DATA_MISSING": (
        "account",
        "The conversion action needs external attribution, which this API can't take.",
        "Use another action, or the Google Ads API (destination in the profile).",
    ),
    # ProcessingWarningReason
    "PROCESSING_WARNING_REASON_UNSPECIFIED": (
        "warning",
        "Google warned without a reason.",
        "Nothing.",
    ),
    "PROCESSING_WARNING_REASON_KEK_PERMISSION_DENIED": (
        "warning",
        "The system did not have the permissions needed to access the KEK.",
        _ENCRYPTION,
    ),
    "PROCESSING_WARNING_REASON_DEK_DECRYPTION_ERROR": (
        "warning",
        "The DEK failed to be decrypted.",
        _ENCRYPTION,
    ),
    "PROCESSING_WARNING_REASON_DECRYPTION_ERROR": (
        "warning",
        "The event has a decryption error.",
        _ENCRYPTION,
    ),
    "PROCESSING_WARNING_REASON_WIP_AUTH_FAILED": (
        "warning",
        "The WIP could not be used because it was rejected by its attestation condition.",
        _ENCRYPTION,
    ),
    "PROCESSING_WARNING_REASON_INVALID_WIP": (
        "warning",
        "The WIP is formatted incorrectly or the WIP does not exist.",
        _ENCRYPTION,
    ),
    "PROCESSING_WARNING_REASON_INVALID_KEK": (
        "warning",
        "The KEK cannot decrypt data because it is the wrong KEK, or it does not exist.",
        _ENCRYPTION,
    ),
    "PROCESSING_WARNING_REASON_USER_IDENTIFIER_DECRYPTION_ERROR": (
        "warning",
        "Failed to decrypt the UserIdentifier data using the DEK.",
        _ENCRYPTION,
    ),
    "PROCESSING_WARNING_REASON_INTERNAL_ERROR": (
        "warning",
        "Internal error.",
        "Nothing.",
    ),
    "PROCESSING_WARNING_REASON_AWS_AUTH_FAILED": (
        "warning",
        "The system failed to authenticate with AWS.",
        _ENCRYPTION,
    ),
    # WarningReason
    "WARNING_REASON_UNSPECIFIED": (
        "warning",
        "Google warned without a reason.",
        "Nothing.",
    ),
    "WARNING_REASON_CUSTOM_VARIABLE_NOT_ENABLED": (
        "warning",
        "A custom variable isn't enabled in the account.",
        "Enable it in Google Ads (Goals > Custom variables), or take its column out.",
    ),
    "WARNING_REASON_CUSTOM_VARIABLE_NOT_PREDEFINED": (
        "warning",
        "The value of a custom variable isn't one of those set up for it.",
        "Add the value in Google Ads, or correct it.",
    ),
    "WARNING_REASON_CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID": (
        "warning",
        "Cart data can't be used beside a gbraid or wbraid.",
        "Nothing: the conversion counts without it.",
    ),
    "WARNING_REASON_CART_DATA_ITEM_MERCHANT_PRODUCT_ID_MISSING": (
        "warning",
        "An item of the cart has no product id.",
        "Fill in the id of the item.",
    ),
    "WARNING_REASON_CART_DATA_ITEM_UNIT_PRICE_MISSING": (
        "warning",
        "An item of the cart has no price.",
        "Fill in the price of the item.",
    ),
    "WARNING_REASON_GENERIC": (
        "warning",
        "Google warned about something.",
        "Read Google's message beside it.",
    ),
    "WARNING_REASON_INVALID_CLIENT_ID": (
        "warning",
        "The client_id is invalid.",
        "Nothing for this file: the field isn't sent here.",
    ),
    "WARNING_REASON_INVALID_SUBDIVISION_CODE": (
        "warning",
        "The subdivision_code is invalid.",
        "Nothing for this file: the field isn't sent here.",
    ),
    "WARNING_REASON_INVALID_REGION_CODE": (
        "warning",
        "The region_code is invalid.",
        "Nothing for this file: the field isn't sent here.",
    ),
    "WARNING_REASON_INVALID_SUBCONTINENT_CODE": (
        "warning",
        "The subcontinent_code is invalid.",
        "Nothing for this file: the field isn't sent here.",
    ),
    "WARNING_REASON_INVALID_CONTINENT_CODE": (
        "warning",
        "The continent_code is invalid.",
        "Nothing for this file: the field isn't sent here.",
    ),
    "WARNING_REASON_INVALID_DEVICE_CATEGORY": (
        "warning",
        "The device category is invalid.",
        "Nothing for this file: the field isn't sent here.",
    ),
    "WARNING_REASON_INVALID_DEVICE_SCREEN_RESOLUTION": (
        "warning",
        "The device screen_height or screen_width is invalid.",
        "Nothing for this file: the field isn't sent here.",
    ),
    "WARNING_REASON_INVALID_MERCHANT_ID": (
        "warning",
        "The Merchant Center id isn't valid.",
        "Copy it from the top of the Merchant Center.",
    ),
}
