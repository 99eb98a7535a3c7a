# What the variables of type `any` may contain: names, kinds and bounds, nested ones too. An object type would drop a
# misspelled attribute without a word, and `validate_onyl = true` would upload. tests/terraform compares all of it
# with the code.

locals {
  # Words for a kind of value → the pattern of its JSON.
  kinds = {
    "true or false"                                      = "\"?(true|false)\"?"
    "a whole number of 1 or more"                        = "\"?[1-9][0-9]*\"?"
    "a whole number of 2 or more"                        = "\"?([2-9]|[1-9][0-9]+)\"?"
    "a whole number from 1 to 50"                        = "\"?([1-9]|[1-4][0-9]|50)\"?"
    "a whole number from 1 to 64"                        = "\"?([1-9]|[1-5][0-9]|6[0-4])\"?"
    "an hour of the day, 0 to 23"                        = "\"?([0-9]|1[0-9]|2[0-3])\"?"
    "a number of more than 0"                            = "\"?([1-9][0-9]*([.][0-9]+)?|0[.]0*[1-9][0-9]*)\"?"
    "a number of 0 or more"                              = "[0-9]+([.][0-9]+)?"
    "a number of minutes, 0 or more"                     = "\"?[0-9]+([.][0-9]+)?\"?"
    "more than 0, and less than 24 hours"                = "\"?(0[.]0*[1-9][0-9]*|([1-9]|1[0-9]|2[0-3])([.][0-9]+)?)\"?"
    "0 or more, and less than the function's 540 s"      = "\"?([0-9]{1,2}|[1-4][0-9]{2}|5[0-3][0-9])([.][0-9]+)?\"?"
    "a number between 0 and 1, such as 0.2"              = "\"?0[.][0-9]*[1-9][0-9]*\"?"
    "a list of words without commas"                     = "\\[\"${local.word}\"(,\"${local.word}\")*\\]"
    "a list of mon, tue, wed, thu, fri, sat and sun"     = "\\[\"${local.day}\"(,\"${local.day}\")*\\]"
    "a list of dates such as 12-25 or 2027-03-29"        = "\\[\"${local.date}\"(,\"${local.date}\")*\\]"
    "text"                                               = "\".+\""
    "text or a number"                                   = "\".+\"|[0-9]+"
    "text, which may be empty"                           = "\".*\""
    "an address such as https://hc-ping.com/..."         = "\"https?://[^ ]+\""
    "an IANA name such as Europe/Berlin"                 = "\"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*\""
    "google_ads or data_manager"                         = "\"(google_ads|data_manager)\""
    "ten digits, with or without dashes: 123-456-7890"   = "\"?[0-9]{3}-?[0-9]{3}-?[0-9]{4}\"?"
    "three capital letters, such as EUR"                 = "\"[A-Z]{3}\""
    "two capital letters, such as DE"                    = "\"[A-Z]{2}\""
    "GRANTED or DENIED"                                  = "\"(GRANTED|DENIED)\""
    "one character, or tab"                              = "\"(.|\\\\.|tab|\\\\\\\\t|\\\\u00..)\""
    "web"                                                = "\"web\""
    "keep or integer"                                    = "\"(keep|integer)\""
    "WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER"        = "\"(WEB|APP|IN_STORE|PHONE|MESSAGE|OTHER)\""
    "{ name = ... }"                                     = "\\{.*\\}"
    "a value, or a list of values"                       = "${local.scalar}|\\[${local.scalar}(,${local.scalar})*\\]"
    "a value, or a list of values, which may be empty"   = "${local.scalar}|\\[(${local.scalar}(,${local.scalar})*)?\\]"
    "a column's name, or a list of names"                = "${local.text}|\\[(${local.text}(,${local.text})*)?\\]"
    "lines of ssh-keyscan: host ssh-ed25519 AAAA..."     = "\".*(ssh|ecdsa)-[a-z0-9-]+ AAAA.*\""
    "a folder without a slash at the end"                = "\"(.*[^/])?\""
    "a folder without a slash at its beginning or end"   = "\"([^/]|[^/].*[^/])?\""
    "a date such as 2026-11-24"                          = "\"(2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?\""
    "five cron fields, such as 10 * * * *"               = "\"[^ ]+( [^ ]+){4}\""
    "the name of a bucket, without gs://"                = "\"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]\""
    "an email address that ends in .gserviceaccount.com" = "\"[a-z0-9-]+@[a-z0-9-]+[.]iam[.]gserviceaccount[.]com\""
  }
  text   = "\"([^\"\\\\]|\\\\.)+\""
  scalar = "(\"([^\"\\\\]|\\\\.)*\"|true|false|-?[0-9.]+)"
  word   = "[^,\\s\"]([^,\"]*[^,\\s\"])?"
  day    = "(mon|tue|wed|thu|fri|sat|sun)"
  date   = "([0-9]{4}-)?[0-9]{2}-[0-9]{2}"

  setting_kinds = {
    accepted_suffixes             = "a list of words without commas"
    ignored_suffixes              = "a list of words without commas"
    ignored_prefixes              = "a list of words without commas"
    max_file_bytes                = "a whole number of 1 or more"
    max_file_lines                = "a whole number of 1 or more"
    max_attempts_without_progress = "a whole number of 2 or more"
    deadline_margin_seconds       = "0 or more, and less than the function's 540 s"
    lease_seconds                 = "a number of more than 0"
    request_timeout_seconds       = "a number of more than 0"
    window                        = "a whole number from 1 to 64"
    max_event_age_hours           = "more than 0, and less than 24 hours"
    defer_hours                   = "a number of more than 0"
    max_defer_hours               = "a number of more than 0"
    sweep_grace_minutes           = "a number of minutes, 0 or more"
    sweep_max_age_days            = "a number of more than 0"
    list_all_rows                 = "true or false"
    look_up_accounts              = "true or false"
    read_diagnostics              = "true or false"
    failing_rows_ratio            = "a number between 0 and 1, such as 0.2"
    failing_rows_least            = "a whole number of 1 or more"
    notices_hour                  = "an hour of the day, 0 to 23"
    heartbeat_url                 = "an address such as https://hc-ping.com/..."
    no_file_hours                 = "a number of more than 0"
    no_file_grace_minutes         = "a number of minutes, 0 or more"
    no_file_weekdays              = "a list of mon, tue, wed, thu, fri, sat and sun"
    no_file_holidays              = "a list of dates such as 12-25 or 2027-03-29"
    no_file_time_zone             = "an IANA name such as Europe/Berlin"
    no_file_folders               = "a list of words without commas"
  }

  profile_kinds = {
    destination         = "google_ads or data_manager"
    customer_id         = "ten digits, with or without dashes: 123-456-7890"
    login_customer_id   = "ten digits, with or without dashes: 123-456-7890"
    conversion_action   = "text or a number"
    time_zone           = "an IANA name such as Europe/Berlin"
    currency_code       = "three capital letters, such as EUR"
    phone_region        = "two capital letters, such as DE"
    ad_user_data        = "GRANTED or DENIED"
    ad_personalization  = "GRANTED or DENIED"
    day_first           = "true or false"
    decimal_comma       = "true or false"
    headers             = "{ name = ... }"
    include             = "{ name = ... }"
    exclude             = "{ name = ... }"
    refunds             = "{ name = ... }"
    actions             = "{ name = ... }"
    adjustments_via     = "google_ads or data_manager"
    encoding            = "text"
    delimiter           = "one character, or tab"
    sheet               = "text"
    header_row          = "a whole number from 1 to 50"
    hold_open_last_line = "true or false"
    order_ids           = "keep or integer"
    derive_order_id     = "true or false"
    validate_only       = "true or false"
    expect              = "text"
    omit_session_and_ip = "true or false"
    source              = "web"
    event_source        = "WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER"
  }

  # The fields that `headers` of a profile may name. Those in plural_fields may have a number, such as email_2.
  plural_fields = ["email", "phone", "hashed_email", "hashed_phone_number"]
  fields = concat(local.plural_fields, [for field in setproduct(local.plural_fields, range(2, 10)) : join("_", field)], [
    "gclid", "gbraid", "wbraid", "first_name", "last_name", "postal_code", "country_code",
    "conversion_action", "conversion_date_time", "time_of_day", "time_zone", "conversion_value", "currency_code",
    "order_id", "ad_user_data", "ad_personalization", "conversion_environment", "customer_type", "user_ip_address",
    "session_attributes_encoded", "session_attributes_key_value_pairs", "merchant_id", "feed_country_code",
    "feed_language_code", "local_transaction_cost", "items", "customer_id",
    "event_source", "landing_page_user_agent", "adjustment_type", "adjustment_date_time",
    "adjusted_value", "adjusted_value_currency", "caller_id", "call_start_date_time",
  ])

  # Every object: where it is, what it contains, the kinds of its attributes, and those that it needs.
  profiles = try({ for name, profile in var.profiles : name => profile }, {})
  objects = flatten([
    { at = "settings", given = var.settings, kinds = local.setting_kinds, needs = [] },
    { at = "profiles", given = var.profiles, kinds = { for name in keys(local.profiles) : name => "{ name = ... }" }, needs = [] },
    [for name, profile in local.profiles : flatten([
      { at = "profiles.${name}", given = profile, kinds = local.profile_kinds, needs = [] },
      [for rows, kind in {
        include = "a value, or a list of values"
        exclude = "a value, or a list of values, which may be empty"
        refunds = "a value, or a list of values"
        } : { at = "profiles.${name}.${rows}", given = profile[rows], kinds = { for column in keys(profile[rows]) : column => kind }, needs = keys(profile[rows]) } if can(keys(profile[rows]))
      ],
      [for headers in try([{ for field, names in profile.headers : field => names if !can(regex("^custom_variable[.].", field)) }], []) :
        { at = "profiles.${name}.headers", given = headers, kinds = { for field in local.fields : field => "a column's name, or a list of names" }, needs = keys(headers) }
      ],
      [for column, values in try({ for column, values in profile.actions : column => values }, {}) : flatten([
        { at = "profiles.${name}.actions.${column}", given = values, kinds = try({ for value in keys(values) : value => "{ name = ... }" }, {}), needs = [] },
        [for value, stage in try({ for value, stage in values : value => stage }, {}) :
          { at = "profiles.${name}.actions.${column}.${value}", given = stage, kinds = { action = "text or a number", value = "a number of 0 or more", time = "text" }, needs = ["action"] }
        ],
      ])],
    ])],
    [for name, server in try({ for name, server in var.sftp_servers : name => server }, {}) : {
      at    = "sftp_servers.${name}"
      given = server
      needs = ["host", "user", "known_hosts"]
      kinds = {
        host            = "text"
        user            = "text"
        known_hosts     = "lines of ssh-keyscan: host ssh-ed25519 AAAA..."
        port            = "a whole number of 1 or more"
        path            = "a folder without a slash at the end"
        folder          = "a folder without a slash at its beginning or end"
        done_folder     = "a folder without a slash at its beginning or end"
        since           = "a date such as 2026-11-24"
        min_age_minutes = "a number of minutes, 0 or more"
        schedule        = "five cron fields, such as 10 * * * *"
        timeout_seconds = "a whole number of 1 or more"
      }
    }],
    { at = "sftp_servers", given = var.sftp_servers, kinds = { for name in try(keys(var.sftp_servers), []) : name => "{ name = ... }" }, needs = [] },
    [for bucket in var.existing_input_bucket[*] : { at = "existing_input_bucket", given = bucket, kinds = { name = "the name of a bucket, without gs://", location = "text" }, needs = ["name"] }],
    { at = "service_accounts", given = var.service_accounts, kinds = { for name in ["function", "trigger", "scheduler", "builder", "sftp"] : name => "an email address that ends in .gserviceaccount.com" }, needs = [] },
  ])

  # Of the known names, the one that shares most pairs of letters with an unknown one, if it shares more than a quarter.
  unknown = flatten([for object in local.objects : [
    for name in try(keys(object.given), []) : {
      at = "${object.at}.${name}"
      shared = {
        for known in keys(object.kinds) : known =>
        length(setintersection([for i in range(length(known) - 1) : substr(known, i, 2)], [for i in range(length(name) - 1) : substr(name, i, 2)])) / max(length(known), length(name), 2)
      }
    } if !contains(keys(object.kinds), name)
  ]])

  # What lib/config/profile.py refuses because of several attributes together, in shorter words.
  contradictions = flatten([for name, profile in local.profiles : [
    for says, wrong in {
      "source = \"web\" needs destination = \"data_manager\", and no other event_source than WEB"                                        = try(profile.source == "web", false) && !(try(profile.destination == "data_manager", false) && contains(["WEB", "OTHER"], try(coalesce(profile.event_source), "OTHER")))
      "actions must name one column only"                                                                                                = try(length(profile.actions) > 1, false)
      "actions and conversion_action are both set: remove conversion_action"                                                             = try(length(profile.actions) > 0 && profile.conversion_action != null, false)
      "actions names a column that include or exclude lists too: remove it there, because values that actions does not list are skipped" = try(length(setintersection(keys(profile.actions), concat(try(keys(profile.include), []), try(keys(profile.exclude), [])))) > 0, false)
      "refunds lists a value that exclude lists too: remove it from exclude"                                                             = try(anytrue([for column, words in profile.refunds : length(setintersection(flatten([words]), flatten([profile.exclude[column]]))) > 0 if can(profile.exclude[column])]), false)
    } : "profiles.${name}: ${says}." if wrong
  ]])

  problems = distinct(concat(
    [for each in local.unknown : "${each.at} is not known.${join("", [for known, share in each.shared : " Did you mean ${known}?" if share == max(values(each.shared)...) && share > 0.25])}"],
    flatten([for object in local.objects : try(concat(
      [for name in setintersection(keys(object.given), keys(object.kinds)) : "${object.at}.${name} must be ${object.kinds[name]}." if object.given[name] != null && !can(regex("^(${local.kinds[object.kinds[name]]})$", jsonencode(object.given[name])))],
      [for name in object.needs : "${object.at}.${name} is missing." if try(object.given[name], null) == null],
    ), ["${object.at} must be { name = ... }."])]),
    [for day in try([for day in var.settings.no_file_holidays : day], []) : "settings.no_file_holidays must be dates that exist." if !can(timeadd("${length(day) == 5 ? "2024-" : ""}${day}T00:00:00Z", "0s"))],
    [for name, server in try({ for name, server in var.sftp_servers : name => server.since if server.since != "" }, {}) : "sftp_servers.${name}.since must be a date that exists." if !can(timeadd("${server}T00:00:00Z", "0s"))],
    local.contradictions,
  ))
}

# Remembers what must not change, because nothing else in the plan says what a change would destroy.
resource "terraform_data" "deployment" {
  input = { project_id = var.project_id, region = var.region, name = var.name, bucket_prefix = local.bucket_prefix }

  lifecycle {
    ignore_changes = [input]

    precondition {
      condition     = length(local.problems) == 0
      error_message = join("\n", local.problems)
    }

    postcondition {
      condition     = self.output.project_id == var.project_id && self.output.region == var.region && self.output.name == var.name && self.output.bucket_prefix == local.bucket_prefix
      error_message = "This deployment has ${join(", ", [for key, value in self.output : "${key} = \"${value}\""])}. None of them can change: Terraform would delete the buckets with all files, results and the ledger, and the secret with all its versions. Set the old values again. To move, deploy a second one: docs/changing.md, \"Moving\"."
    }
  }
}
