# ── project and names ───────────────────────────────────────────────────────────────────────────

variable "project_id" {
  type        = string
  description = "Google Cloud project for all resources. Google Ads grants API access to this project."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is not valid. Use 6 to 30 lower-case letters, digits and hyphens, such as acme-conversions."
  }
}

variable "region" {
  type        = string
  description = "Region of buckets, functions, trigger, secret and scheduler, such as europe-west1."

  validation {
    # With a multi-region such as EU, the functions and the trigger would need different regions.
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a single region such as europe-west1 or us-central1."
  }
}

variable "name" {
  type        = string
  default     = "conversions"
  nullable    = false
  description = "Prefix of all resource names. Two deployments in one project need different names."

  validation {
    # Service account IDs have at most 30 characters; the suffixes used here have up to 10.
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name is not valid. Use 3 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "bucket_prefix" {
  type        = string
  default     = null
  description = "Prefix of the bucket names, which must be unique worldwide. Unset: <project_id>-<name>."

  validation {
    condition     = var.bucket_prefix == null || can(regex("^[a-z0-9][a-z0-9-]{1,53}$", var.bucket_prefix))
    error_message = "bucket_prefix is not valid. Use 2 to 54 lower-case letters, digits and hyphens; suffixes such as -output are added."
  }
}

variable "labels" {
  type        = map(string)
  default     = {}
  nullable    = false
  description = "Labels for every resource that supports labels, such as { team = \"marketing\" }."

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "Labels must be lower-case letters, digits, hyphens and underscores, at most 63; a key begins with a letter."
  }
}

# ── profiles and settings ───────────────────────────────────────────────────────────────────────

variable "profiles" {
  type = map(object({
    destination         = optional(string)
    customer_id         = optional(string)
    login_customer_id   = optional(string)
    conversion_action   = optional(string)
    time_zone           = optional(string)
    currency_code       = optional(string)
    phone_region        = optional(string)
    ad_user_data        = optional(string)
    ad_personalization  = optional(string)
    day_first           = optional(bool)
    decimal_comma       = optional(bool)
    headers             = optional(map(list(string)))
    include             = optional(map(list(string)))
    exclude             = optional(map(list(string)))
    refunds             = optional(map(list(string)))
    actions             = optional(map(map(object({ action = string, value = optional(number), time = optional(string) }))))
    adjustments_via     = optional(string)
    encoding            = optional(string)
    delimiter           = optional(string)
    sheet               = optional(string)
    header_row          = optional(number)
    hold_open_last_line = optional(bool)
    order_ids           = optional(string)
    derive_order_id     = optional(bool)
    validate_only       = optional(bool)
    expect              = optional(string)
    omit_session_and_ip = optional(bool)
    event_source        = optional(string)
    source              = optional(string)
  }))
  description = "Profile name → values for everything that a row does not state. The name is the first folder of the object; default is for files outside any folder. docs/profiles.md explains every attribute."

  validation {
    condition     = length(var.profiles) > 0 && alltrue([for name in keys(var.profiles) : can(regex("^[^/]+$", name))])
    error_message = "profiles needs at least one profile. A name is a folder of the input bucket, so it must not contain a slash."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.destination == null ? true : contains(["google_ads", "data_manager"], p.destination)])
    error_message = "destination must be google_ads or data_manager."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.adjustments_via == null ? true : contains(["google_ads", "data_manager"], p.adjustments_via)])
    error_message = "adjustments_via must be google_ads or data_manager."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.customer_id == null || can(regex("^[0-9]{3}-?[0-9]{3}-?[0-9]{4}$", p.customer_id))])
    error_message = "customer_id must be ten digits, with or without dashes, such as 123-456-7890."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.login_customer_id == null || can(regex("^[0-9]{3}-?[0-9]{3}-?[0-9]{4}$", p.login_customer_id))])
    error_message = "login_customer_id must be ten digits, with or without dashes, such as 123-456-7890."
  }

  validation {
    # The Data Manager API cannot look up an action's ID: every row of every file would be rejected.
    condition     = alltrue([for p in values(var.profiles) : coalesce(p.destination, "google_ads") != "data_manager" || p.conversion_action == null || can(regex("^(customers/[0-9]+/conversionActions/)?[0-9]+$", p.conversion_action))])
    error_message = "conversion_action of a data_manager profile must be the action's numeric ID (ctId in the address of its page), such as 1234567. The Data Manager API does not accept names."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.currency_code == null || can(regex("^[A-Z]{3}$", p.currency_code))])
    error_message = "currency_code must be three capital letters, such as EUR."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.phone_region == null || can(regex("^[A-Z]{2}$", p.phone_region))])
    error_message = "phone_region must be two capital letters, such as DE."
  }

  validation {
    condition     = alltrue(flatten([for p in values(var.profiles) : [for c in [p.ad_user_data, p.ad_personalization] : c == null ? true : contains(["GRANTED", "DENIED"], c)]]))
    error_message = "ad_user_data and ad_personalization must be GRANTED or DENIED."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.order_ids == null ? true : contains(["keep", "integer"], p.order_ids)])
    error_message = "order_ids must be keep or integer."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.time_zone == null || can(regex("^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", p.time_zone))])
    error_message = "time_zone must be an IANA name such as America/Chicago."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.delimiter == null || can(regex("^(.|tab|\\\\t)$", p.delimiter))])
    error_message = "delimiter must be one character, or tab."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.sheet != ""])
    error_message = "sheet must be the name of a sheet. Leave it out for the first one."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.header_row == null ? true : p.header_row >= 1 && p.header_row <= 50 && floor(p.header_row) == p.header_row])
    error_message = "header_row must be the line of the column names, from 1 to 50."
  }

  validation {
    condition     = alltrue(flatten([for p in values(var.profiles) : try([for column, words in p.refunds : length(setintersection(words, try(p.exclude[column], []))) == 0], [])]))
    error_message = "refunds lists a value of a column that exclude lists too. Remove it from exclude."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.actions == null ? true : length(p.actions) == 1 && p.conversion_action == null])
    error_message = "actions must name exactly one column, and a profile with actions must not set conversion_action."
  }

  validation {
    condition     = alltrue(flatten([for p in values(var.profiles) : try([for column in keys(p.actions) : !contains(concat(keys(coalesce(p.include, {})), keys(coalesce(p.exclude, {}))), column)], [])]))
    error_message = "actions names a column that include or exclude lists too. Remove it there: values that actions does not list are skipped."
  }

  validation {
    condition     = alltrue(flatten([for p in values(var.profiles) : try([for stage in flatten([for stages in values(p.actions) : values(stages)]) : stage.value == null ? true : stage.value >= 0], [])]))
    error_message = "A value in actions must be 0 or more."
  }

  validation {
    # As for conversion_action.
    condition     = alltrue(flatten([for p in values(var.profiles) : try([for stage in flatten([for stages in values(p.actions) : values(stages)]) : coalesce(p.destination, "google_ads") != "data_manager" || can(regex("^(customers/[0-9]+/conversionActions/)?[0-9]+$", stage.action))], [])]))
    error_message = "An action in actions of a data_manager profile must be the action's numeric ID (ctId in the address of its page), such as 1234567. The Data Manager API does not accept names."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.event_source == null ? true : contains(["WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"], p.event_source)])
    error_message = "event_source must be WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER."
  }

  validation {
    condition     = alltrue([for p in values(var.profiles) : p.source == null ? true : p.source == "web" && coalesce(p.destination, "google_ads") == "data_manager" && contains(["WEB", "OTHER"], coalesce(p.event_source, "OTHER"))])
    error_message = "source may be web, in a profile with destination = \"data_manager\" and without another event_source than WEB."
  }
}

variable "settings" {
  # Unset attributes keep the defaults, which are defined only in lib/config/settings.py.
  type = object({
    accepted_suffixes             = optional(list(string))
    ignored_suffixes              = optional(list(string))
    ignored_prefixes              = optional(list(string))
    max_file_bytes                = optional(number)
    max_file_lines                = optional(number)
    max_attempts_without_progress = optional(number)
    deadline_margin_seconds       = optional(number)
    lease_seconds                 = optional(number)
    request_timeout_seconds       = optional(number)
    window                        = optional(number)
    max_event_age_hours           = optional(number)
    defer_hours                   = optional(number)
    max_defer_hours               = optional(number)
    sweep_grace_minutes           = optional(number)
    sweep_max_age_days            = optional(number)
    list_all_rows                 = optional(bool)
    read_diagnostics              = optional(bool)
    check_click_ownership         = optional(bool)
    failing_rows_ratio            = optional(number)
    failing_rows_least            = optional(number)
    heartbeat_url                 = optional(string)
    notices_hour                  = optional(number)
    no_file_hours                 = optional(number)
    no_file_grace_minutes         = optional(number)
    no_file_weekdays              = optional(list(string))
    no_file_holidays              = optional(list(string))
    no_file_time_zone             = optional(string)
    no_file_folders               = optional(list(string))
  })
  default     = {}
  nullable    = false
  description = "Settings of the function that differ from its defaults. docs/settings.md explains each setting."

  # The rest of the validations refuse what the function would refuse when it starts.
  validation {
    condition     = alltrue([for words in [var.settings.accepted_suffixes, var.settings.ignored_suffixes, var.settings.ignored_prefixes, var.settings.no_file_weekdays, var.settings.no_file_holidays, var.settings.no_file_folders] : words == null || try(length(words) > 0 && alltrue([for word in words : can(regex("^[^,\\s]([^,]*[^,\\s])?$", word))]), false)])
    error_message = "A list in settings needs at least one word, without commas and without spaces around it. Leave the list out for the default."
  }

  validation {
    condition     = alltrue([for n in [var.settings.max_file_bytes, var.settings.max_file_lines, var.settings.max_attempts_without_progress, var.settings.window, var.settings.failing_rows_least] : n == null || try(floor(n) == n, false)])
    error_message = "max_file_bytes, max_file_lines, max_attempts_without_progress, window and failing_rows_least must be whole numbers."
  }

  validation {
    condition     = alltrue([for n in [var.settings.max_file_bytes, var.settings.max_file_lines, var.settings.lease_seconds, var.settings.request_timeout_seconds, var.settings.max_event_age_hours, var.settings.defer_hours, var.settings.max_defer_hours, var.settings.sweep_max_age_days] : coalesce(n, 1) > 0])
    error_message = "Sizes, times and ages in settings must be more than 0."
  }

  validation {
    condition     = coalesce(var.settings.sweep_grace_minutes, 30) >= 0
    error_message = "sweep_grace_minutes must be at least 0."
  }

  validation {
    # Less than local.ingest_timeout_seconds: no row would ever be sent.
    condition     = coalesce(var.settings.deadline_margin_seconds, 40) >= 0 && coalesce(var.settings.deadline_margin_seconds, 40) < 540
    error_message = "deadline_margin_seconds must be 0 or more, and less than the function's 540 seconds."
  }

  validation {
    condition     = coalesce(var.settings.window, 8) >= 1 && coalesce(var.settings.window, 8) <= 64
    error_message = "window must be 1 to 64."
  }

  validation {
    condition     = coalesce(var.settings.max_attempts_without_progress, 5) >= 2
    error_message = "max_attempts_without_progress must be at least 2."
  }

  validation {
    condition     = coalesce(var.settings.max_event_age_hours, 20) < 24
    error_message = "max_event_age_hours must be less than the 24 hours after which the platform drops an event."
  }

  validation {
    condition     = coalesce(var.settings.failing_rows_ratio, 0.2) > 0 && coalesce(var.settings.failing_rows_ratio, 0.2) < 1
    error_message = "failing_rows_ratio must be between 0 and 1, such as 0.2."
  }

  validation {
    condition     = coalesce(var.settings.failing_rows_least, 5) >= 1
    error_message = "failing_rows_least must be 1 or more."
  }

  validation {
    condition     = can(regex("^https?://[^ ]+$", coalesce(var.settings.heartbeat_url, "https://example.com")))
    error_message = "heartbeat_url must be an address such as https://hc-ping.com/...."
  }

  validation {
    condition     = var.settings.notices_hour == null || try(contains(range(24), var.settings.notices_hour), false)
    error_message = "notices_hour must be an hour of the day, 0 to 23."
  }

  validation {
    condition     = coalesce(var.settings.no_file_hours, 24) > 0 && coalesce(var.settings.no_file_grace_minutes, 30) >= 0
    error_message = "no_file_hours must be more than 0, such as 24, and no_file_grace_minutes not less."
  }

  validation {
    condition     = alltrue([for day in coalesce(var.settings.no_file_weekdays, ["mon"]) : contains(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], day)])
    error_message = "no_file_weekdays must be mon, tue, wed, thu, fri, sat or sun."
  }

  validation {
    condition     = alltrue([for day in coalesce(var.settings.no_file_holidays, ["12-25"]) : can(regex("^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$", day)) && can(timeadd("${length(day) == 5 ? "2024-" : ""}${day}T00:00:00Z", "0s"))])
    error_message = "no_file_holidays must be dates such as 12-25 (each year) or 2027-03-29."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", coalesce(var.settings.no_file_time_zone, "UTC")))
    error_message = "no_file_time_zone must be an IANA name such as Europe/Berlin."
  }
}

variable "profile_editors" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "IAM members that may edit the profiles without Terraform, such as group:marketing@example.com. With any, the profiles are an object of their own, and Terraform writes only its first version."

  validation {
    condition     = alltrue([for m in var.profile_editors : can(regex("^(user|group|serviceAccount|principal|principalSet):.+$", m))])
    error_message = "Each member must begin with user:, group:, serviceAccount:, principal: or principalSet:. Public access is not allowed."
  }
}

variable "profile_readers" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "IAM members that may read the profiles that profile_editors edit."

  validation {
    condition     = alltrue([for m in var.profile_readers : can(regex("^(user|group|serviceAccount|principal|principalSet):.+$", m))])
    error_message = "Each member must begin with user:, group:, serviceAccount:, principal: or principalSet:. Public access is not allowed."
  }

  validation {
    condition     = length(var.profile_readers) == 0 || length(var.profile_editors) > 0
    error_message = "profile_readers needs profile_editors: without them, the profiles are only in Terraform's own bucket."
  }
}

variable "google_ads_secret_version" {
  type        = string
  default     = "latest"
  nullable    = false
  description = "Version of the secret with the google-ads.yaml: latest, or a number to pin a version."

  validation {
    condition     = can(regex("^(latest|[1-9][0-9]*)$", var.google_ads_secret_version))
    error_message = "google_ads_secret_version must be latest or the number of a version."
  }
}

variable "announce" {
  type        = bool
  default     = false
  nullable    = false
  description = "Publish a Pub/Sub message for every processed file (bucket, results object, status, counts)."
}

variable "notices" {
  type        = bool
  default     = false
  nullable    = false
  description = "Send news of files to correct and of concerns to people: Slack, Teams, Google Chat, Discord, mail, PagerDuty or a webhook. Creates the secret for the addresses; docs/operate.md shows how to fill it."
}

variable "warehouse" {
  type        = bool
  default     = false
  nullable    = false
  description = "Write the counts of every file to BigQuery, and let it read the problems of rows. Needs announce = true."

  validation {
    condition     = !var.warehouse || var.announce
    error_message = "warehouse needs announce = true: the messages are what it stores."
  }
}

# ── access ──────────────────────────────────────────────────────────────────────────────────────

variable "uploaders" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "IAM members that may add files to the input bucket, such as serviceAccount:crm@acme.iam.gserviceaccount.com."

  validation {
    condition     = alltrue([for m in var.uploaders : can(regex("^(user|group|serviceAccount|principal|principalSet):.+$", m))])
    error_message = "Each member must begin with user:, group:, serviceAccount:, principal: or principalSet:. Public access is not allowed."
  }
}

variable "readers" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "IAM members that may read the results."

  validation {
    condition     = alltrue([for m in var.readers : can(regex("^(user|group|serviceAccount|principal|principalSet):.+$", m))])
    error_message = "Each member must begin with user:, group:, serviceAccount:, principal: or principalSet:. Public access is not allowed."
  }
}

variable "grant_storage_agent" {
  type        = bool
  default     = true
  nullable    = false
  description = "Grant Cloud Storage's service agent the permission to publish events. The grant applies to the whole project: set this to false in all deployments of a project but one, or if somebody else grants it."
}

variable "audit_reads" {
  type        = bool
  default     = false
  nullable    = false
  description = "Write an audit log line for every read in Cloud Storage and Secret Manager. This replaces the project's own audit settings for the two services."
}

# ── rules of an organization ──────────────────────────────────────────────────────────────────────
# docs/deploy.md, "In an organization with rules of its own", says what each of them needs.

variable "existing_input_bucket" {
  type = object({
    name     = string
    location = optional(string)
  })
  default     = null
  description = "Bucket that exists already and receives the files, instead of a new one. Its location must be given if it is not region. Its versioning and its lifecycle stay as they are."

  validation {
    condition     = var.existing_input_bucket == null || can(regex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", var.existing_input_bucket.name))
    error_message = "existing_input_bucket.name must be the name of a bucket, without gs://."
  }

  validation {
    condition     = !contains([for kind in ["output", "state", "source"] : "${coalesce(var.bucket_prefix, "${var.project_id}-${var.name}")}-${kind}"], try(var.existing_input_bucket.name, ""))
    error_message = "existing_input_bucket must not be the bucket of the results, the ledger or the code: each object in it starts the function."
  }
}

variable "service_accounts" {
  type = object({
    function  = optional(string)
    trigger   = optional(string)
    scheduler = optional(string)
    builder   = optional(string)
  })
  default     = {}
  nullable    = false
  description = "Email addresses of service accounts that exist already, instead of new ones. They get the same permissions."

  validation {
    condition     = alltrue([for email in values(var.service_accounts) : email == null || can(regex("^[a-z0-9-]+@[a-z0-9-]+[.]iam[.]gserviceaccount[.]com$", email))])
    error_message = "Each service account must be an email address that ends in .iam.gserviceaccount.com."
  }
}

variable "kms_key" {
  type        = string
  default     = null
  description = "Key in Cloud KMS that encrypts buckets, images, functions, secret and topic: projects/P/locations/REGION/keyRings/R/cryptoKeys/K."

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/${var.region}/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key must be projects/P/locations/REGION/keyRings/R/cryptoKeys/K, in the same region as everything else."
  }
}

variable "vpc_connector" {
  type        = string
  default     = null
  description = "Serverless VPC Access connector for everything that the functions send: projects/P/locations/REGION/connectors/C."

  validation {
    condition     = var.vpc_connector == null || can(regex("^projects/[^/]+/locations/${var.region}/connectors/[^/]+$", var.vpc_connector))
    error_message = "vpc_connector must be projects/P/locations/REGION/connectors/C, in the same region as everything else."
  }
}

variable "vpc_egress" {
  type        = string
  default     = "ALL_TRAFFIC"
  nullable    = false
  description = "What goes through vpc_connector: ALL_TRAFFIC, or PRIVATE_RANGES_ONLY, which Google's APIs are not."

  validation {
    condition     = contains(["ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"], var.vpc_egress)
    error_message = "vpc_egress must be ALL_TRAFFIC or PRIVATE_RANGES_ONLY."
  }
}

variable "build_worker_pool" {
  type        = string
  default     = null
  description = "Private pool of Cloud Build that builds the functions: projects/P/locations/REGION/workerPools/W."

  validation {
    condition     = var.build_worker_pool == null || can(regex("^projects/[^/]+/locations/[^/]+/workerPools/[^/]+$", var.build_worker_pool))
    error_message = "build_worker_pool must be projects/P/locations/REGION/workerPools/W."
  }
}

variable "force_destroy" {
  type        = bool
  default     = false
  nullable    = false
  description = "Let `terraform destroy` delete buckets that contain objects. Apply it before you destroy."
}

# ── ways in ─────────────────────────────────────────────────────────────────────────────────────

variable "sftp_servers" {
  type = map(object({
    host            = string
    user            = string
    known_hosts     = string
    port            = optional(number)
    path            = optional(string)
    folder          = optional(string)
    done_folder     = optional(string)
    min_age_minutes = optional(number)
    schedule        = optional(string)
    timeout_seconds = optional(number)
  }))
  default     = {}
  nullable    = false
  description = "SFTP servers from which new files are copied to the input bucket. docs/sftp.md explains every attribute."

  validation {
    condition     = alltrue([for name in keys(var.sftp_servers) : can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", name))])
    error_message = "The name of an SFTP server is not valid. Use 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }

  validation {
    # Without a key of the server, every connection is refused.
    condition     = alltrue([for s in values(var.sftp_servers) : can(regex("(ssh|ecdsa)-[a-z0-9-]+ AAAA", s.known_hosts))])
    error_message = "known_hosts must be lines of ssh-keyscan, such as \"sftp.example.com ssh-ed25519 AAAA...\"."
  }

  validation {
    condition     = alltrue(flatten([for s in values(var.sftp_servers) : concat([for f in compact([s.path, s.folder, s.done_folder]) : !can(regex("/$", f))], [for f in compact([s.folder, s.done_folder]) : !can(regex("^/", f))])]))
    error_message = "path, folder and done_folder must not end with a slash, and folder and done_folder must not begin with one."
  }

  validation {
    condition     = alltrue([for s in values(var.sftp_servers) : s.schedule == null || length(split(" ", coalesce(s.schedule, "-"))) == 5])
    error_message = "schedule of an SFTP server needs five cron fields, such as 10 * * * *."
  }
}

variable "sftp_image" {
  type        = string
  default     = "rclone/rclone:1.75.2"
  nullable    = false
  description = "Image of rclone, 1.62 or newer: a version, or a digest to pin its content."

  validation {
    condition     = can(regex("(:[0-9]+[.][0-9.]+|@sha256:[0-9a-f]{64})$", var.sftp_image))
    error_message = "sftp_image must end with a version such as :1.75.2, or with a digest (@sha256:...)."
  }
}

# ── retention ───────────────────────────────────────────────────────────────────────────────────

variable "input_retention_days" {
  type        = number
  default     = 30
  nullable    = false
  description = "Days after which input files, which contain raw personal data, are deleted."

  validation {
    # The sweep looks back sweep_max_age_days for missed files; they must still exist.
    condition     = var.input_retention_days > coalesce(var.settings.sweep_max_age_days, 7)
    error_message = "input_retention_days must be more than settings.sweep_max_age_days (7 unless set)."
  }
}

variable "results_retention_days" {
  type        = number
  default     = 400
  nullable    = false
  description = "Days after which results documents are deleted."

  validation {
    # For the sweep, an input file without results is unfinished: it would send the rows again.
    condition     = var.results_retention_days >= coalesce(var.settings.sweep_max_age_days, 7) + 1
    error_message = "results_retention_days must be at least 1 more than settings.sweep_max_age_days (7 unless set)."
  }
}

variable "state_retention_days" {
  type        = number
  default     = 90
  nullable    = false
  description = "Days after which the ledger forgets a file. A forgotten file could be sent twice."

  validation {
    condition     = var.state_retention_days >= 30 && var.state_retention_days > 2 * coalesce(var.settings.sweep_max_age_days, 7) && 24 * var.state_retention_days > 2 * coalesce(var.settings.max_defer_hours, 48)
    error_message = "state_retention_days must be at least 30, and more than twice settings.sweep_max_age_days and settings.max_defer_hours."
  }
}

# ── capacity and schedule ───────────────────────────────────────────────────────────────────────

variable "max_instances" {
  type        = number
  default     = 4
  nullable    = false
  description = "Maximum number of files processed at the same time. Other files wait."

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 100
    error_message = "max_instances must be 1 to 100."
  }
}

variable "sweep_schedule" {
  type        = string
  default     = "*/15 * * * *"
  nullable    = false
  description = "When the sweep looks for missed files and sends deferred rows (cron, UTC)."

  validation {
    # Minutes and hours; every day. The alert sweep_silent follows them.
    condition     = can(regex("^[0-9*,/-]+ [0-9*,/-]+ [*] [*] [*]$", var.sweep_schedule)) && alltrue(flatten([for at, field in split(" ", var.sweep_schedule) : [for n in regexall("[0-9]+", field) : tonumber(n) <= try([59, 23][at], 0)]]))
    error_message = "sweep_schedule needs five cron fields (minute, hour, and * * * for every day), such as */15 * * * *."
  }
}

# ── alerts ──────────────────────────────────────────────────────────────────────────────────────

variable "notification_channels" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "Monitoring channels that receive alerts: projects/P/notificationChannels/N. Without a channel, alerts appear only in the console."

  validation {
    condition     = alltrue([for c in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", c))])
    error_message = "Each notification channel must be projects/<project>/notificationChannels/<number>."
  }
}

variable "runbook_url" {
  type        = string
  default     = null
  description = "Address of docs/operate.md where your colleagues can read it, such as https://github.com/acme/conversions/blob/main/docs/operate.md. Alerts link to its sections."

  validation {
    condition     = var.runbook_url == null || can(regex("^https://[^#]+$", var.runbook_url))
    error_message = "runbook_url must begin with https:// and have no #."
  }
}
