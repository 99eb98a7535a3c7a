# ── project and names ───────────────────────────────────────────────────────────────────────────

variable "project_id" {
  type        = string
  description = "Google Cloud project for all resources."

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
  type        = any
  nullable    = false
  description = "Profile name → what the rows of its files do not say. The name is the first folder of the object, or default: docs/profiles.md."

  validation {
    condition     = try(length(var.profiles) > 0 && alltrue([for name in keys(var.profiles) : can(regex("^[^/]+$", name))]), false)
    error_message = "profiles needs at least one profile: { default = { ... } }. A name is a folder of the input bucket, so it must not contain a slash. Check the profiles themselves with `offline-conversions check --profiles`."
  }
}

variable "settings" {
  # Unset attributes keep the defaults, which are defined only in lib/config/settings.py.
  type        = any
  default     = {}
  nullable    = false
  description = "Settings of the function that differ from its defaults: docs/settings.md."

  validation {
    # The function checks their values. A name that it does not read would change nothing, without a word.
    condition = length(setsubtract(keys(var.settings), [
      "accepted_suffixes", "ignored_suffixes", "ignored_prefixes", "max_file_bytes", "max_file_lines",
      "deadline_margin_seconds", "request_timeout_seconds", "window", "defer_hours", "max_defer_hours",
      "sweep_grace_minutes", "list_all_rows", "read_diagnostics",
    ])) == 0
    error_message = "settings has a name that the function does not read: docs/settings.md lists them."
  }
}

variable "profile_editors" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "IAM members that may edit the profiles without Terraform, such as group:marketing@example.com. With any, Terraform writes only the first version."

  validation {
    condition     = alltrue([for m in var.profile_editors : can(regex("^(user|group|serviceAccount|principal|principalSet):.+$", m))])
    error_message = "Each member must begin with user:, group:, serviceAccount:, principal: or principalSet:. Public access is not allowed."
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
  description = "Grant Cloud Storage's service agent the permission to publish events, on the whole project. False in all deployments of a project but one, or if somebody else grants it."
}

# ── rules of an organization ──────────────────────────────────────────────────────────────────────
# docs/deploy.md, "In an organization with rules of its own", says what each of them needs.

variable "existing_input_bucket" {
  type        = object({ name = string, location = optional(string) })
  default     = null
  description = "Bucket that exists already and receives the files, with its location if it is not region. Its versioning and its lifecycle stay as they are."

  validation {
    condition     = !contains([for kind in ["output", "state", "source"] : "${var.project_id}-${var.name}-${kind}"], try(var.existing_input_bucket.name, ""))
    error_message = "existing_input_bucket must not be the bucket of the results, the state or the code: each object in it starts the function."
  }
}

variable "service_accounts" {
  type        = map(string)
  default     = {}
  nullable    = false
  description = "Email addresses of service accounts that exist already: function, trigger, scheduler, builder, sftp."

  validation {
    condition     = alltrue([for name, email in var.service_accounts : contains(["function", "trigger", "scheduler", "builder", "sftp"], name) && (email == null || can(regex("[.]iam[.]gserviceaccount[.]com$", email)))])
    error_message = "service_accounts may name function, trigger, scheduler, builder and sftp; each address ends in .iam.gserviceaccount.com."
  }
}

variable "kms_key" {
  type        = string
  default     = null
  description = "Key in Cloud KMS that encrypts buckets, images, functions and secrets: projects/P/locations/REGION/keyRings/R/cryptoKeys/K."

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/${var.region}/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key must be projects/P/locations/REGION/keyRings/R/cryptoKeys/K, in the same region as everything else."
  }
}

variable "network" {
  type = object({
    vpc_connector     = optional(string)
    vpc_egress        = optional(string, "ALL_TRAFFIC")
    build_worker_pool = optional(string)
  })
  default     = {}
  nullable    = false
  description = "Serverless VPC Access connector for what the functions send (projects/P/locations/REGION/connectors/C), what goes through it (ALL_TRAFFIC, or PRIVATE_RANGES_ONLY, which Google's APIs are not), and the private pool of Cloud Build that builds them (projects/P/locations/REGION/workerPools/W)."

  validation {
    condition     = var.network.vpc_connector == null || can(regex("^projects/[^/]+/locations/${var.region}/connectors/[^/]+$", var.network.vpc_connector))
    error_message = "network.vpc_connector must be projects/P/locations/REGION/connectors/C, in the same region as everything else."
  }

  validation {
    condition     = contains(["ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"], var.network.vpc_egress)
    error_message = "network.vpc_egress must be ALL_TRAFFIC or PRIVATE_RANGES_ONLY."
  }

  validation {
    condition     = var.network.build_worker_pool == null || can(regex("^projects/[^/]+/locations/[^/]+/workerPools/[^/]+$", var.network.build_worker_pool))
    error_message = "network.build_worker_pool must be projects/P/locations/REGION/workerPools/W."
  }
}

variable "force_destroy" {
  type        = bool
  default     = false
  nullable    = false
  description = "Let `terraform destroy` delete buckets that contain objects, and the secrets. Apply it before you destroy."
}

# ── ways in ─────────────────────────────────────────────────────────────────────────────────────

variable "sftp_servers" {
  type = map(object({
    host            = string
    user            = string
    known_hosts     = string # lines of ssh-keyscan
    port            = optional(number, 22)
    path            = optional(string, "")
    folder          = optional(string, "")
    done_folder     = optional(string, "")
    since           = optional(string, "")
    min_age_minutes = optional(number, 5)
    # A run must end before the next one begins. So a job has no retries, and the schedule starts it again.
    schedule        = optional(string, "*/15 * * * *")
    timeout_seconds = optional(number, 840)
    # rclone 1.62 or newer, pinned by its digest. This is 1.75.2.
    image = optional(string, "rclone/rclone@sha256:2687085f718d3c628f7fdfb77c52a1d344332aed543110bb88088f2c70d43eb5")
  }))
  default     = {}
  nullable    = false
  description = "SFTP servers from which new files are copied to the input bucket: docs/integrations.md."

  validation {
    condition     = alltrue([for name in keys(var.sftp_servers) : can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", name))])
    error_message = "The name of an SFTP server is not valid. Use 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }

  validation {
    condition     = alltrue([for server in values(var.sftp_servers) : can(regex("(ssh|ecdsa)-[a-z0-9-]+ AAAA", server.known_hosts))])
    error_message = "known_hosts of an SFTP server must be lines of ssh-keyscan: host ssh-ed25519 AAAA..."
  }

  validation {
    condition     = alltrue([for server in values(var.sftp_servers) : !endswith(server.path, "/") && alltrue([for folder in [server.folder, server.done_folder] : trim(folder, "/") == folder])])
    error_message = "path of an SFTP server must not end with a slash; folder and done_folder must not begin with one either."
  }

  validation {
    condition     = alltrue([for server in values(var.sftp_servers) : server.since == "" || can(timeadd("${server.since}T00:00:00Z", "0s"))])
    error_message = "since of an SFTP server must be a date such as 2026-11-24."
  }

  validation {
    condition     = alltrue([for server in values(var.sftp_servers) : length(split(" ", server.schedule)) == 5])
    error_message = "schedule of an SFTP server must be five cron fields, such as 10 * * * *."
  }

  validation {
    condition     = alltrue([for server in values(var.sftp_servers) : can(regex("@sha256:[0-9a-f]{64}$", server.image))])
    error_message = "image of an SFTP server must end with a digest (@sha256:...), because a tag such as :1.75.2 can move."
  }
}

# ── retention ───────────────────────────────────────────────────────────────────────────────────

variable "retention_days" {
  type = object({
    input   = optional(number, 30)
    results = optional(number, 400)
    state   = optional(number, 60)
  })
  default     = {}
  nullable    = false
  description = "Days after which input files, which contain raw personal data, and results are deleted, and after which the function forgets a file. A forgotten file could be sent twice."

  validation {
    # For 7 days, the sweep looks for files that were missed, rows are sent again, and lost results are written again.
    condition     = alltrue([for days in [var.retention_days.input, var.retention_days.results] : floor(days) == days && days > 7])
    error_message = "retention_days.input and retention_days.results must be whole numbers, more than 7."
  }

  validation {
    # Far longer than an event is repeated, a row waits, or the sweep looks for a file.
    condition     = floor(var.retention_days.state) == var.retention_days.state && var.retention_days.state >= 30
    error_message = "retention_days.state must be a whole number, at least 30."
  }
}

# ── capacity ────────────────────────────────────────────────────────────────────────────────────

variable "max_instances" {
  type        = number
  default     = 4
  nullable    = false
  description = "Maximum number of files processed at the same time. Other files wait."

  validation {
    condition     = floor(var.max_instances) == var.max_instances && var.max_instances >= 1 && var.max_instances <= 100
    error_message = "max_instances must be a whole number from 1 to 100."
  }
}

# ── alerts ──────────────────────────────────────────────────────────────────────────────────────

variable "notification_channels" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "Monitoring channels that receive alerts: projects/P/notificationChannels/N. Without any, alerts appear only in the console."

  validation {
    condition     = alltrue([for c in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", c))])
    error_message = "Each notification channel must be projects/<project>/notificationChannels/<number>."
  }
}

variable "docs_url" {
  type        = string
  default     = null
  description = "Address of the folder docs where your colleagues read it, such as https://github.com/acme/conversions/blob/main/docs. Notifications link to its alerts.md."

  validation {
    condition     = var.docs_url == null || can(regex("^https://[^#]+[^#/]$", var.docs_url))
    error_message = "docs_url must begin with https://, and have no # and no slash at the end."
  }
}
