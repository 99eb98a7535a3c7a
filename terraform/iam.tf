# Who may do what. Roles are granted on buckets, the secret, the repository and the services. Each grant
# on the whole project has a comment that says why no narrower grant is possible.

locals {
  # The number is part of the names of the project's service agents.
  project_number = google_storage_bucket.source.project_number

  # Whoever edits the profiles may choose it later.
  uses_data_manager = local.profiles_are_edited || anytrue([for profile in values(var.profiles) : try(profile.destination, null) == "data_manager"])

  services = concat(
    [
      "artifactregistry.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
      "cloudscheduler.googleapis.com",
      "eventarc.googleapis.com",
      "googleads.googleapis.com",
      "iam.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
    ],
    local.uses_data_manager ? ["datamanager.googleapis.com"] : [],
  )
}

resource "google_project_service" "required" {
  for_each = toset(local.services)

  project = var.project_id
  service = each.value
  # Others in the project may use the service.
  disable_on_destroy = false
}

# Google enables a service, and creates its service agent, some time after it has answered.
resource "time_sleep" "services" {
  create_duration = "60s"
  triggers        = { services = join(" ", local.services) }

  depends_on = [google_project_service.required]
}

# ── identities ────────────────────────────────────────────────────────────────────────────────
# None of Google's default accounts is used: many organizations have removed their roles or the accounts.

locals {
  titles = merge(
    {
      function  = "the functions"
      trigger   = "delivers storage events"
      scheduler = "calls the sweep"
      builder   = "builds the functions"
    },
    length(var.sftp_servers) > 0 ? { sftp = "copies files from SFTP servers" } : {},
  )

  # The accounts that are created here, and those that exist already.
  emails = merge(
    { for name, account in google_service_account.created : name => account.email },
    { for name, email in var.service_accounts : name => email if email != null },
  )

  accounts = {
    for name, email in local.emails : name => {
      email  = email
      member = "serviceAccount:${email}"
      id     = "projects/${try(regex("@([^.]+)[.]", email)[0], var.project_id)}/serviceAccounts/${email}"
    }
  }
}

resource "google_service_account" "created" {
  for_each = { for name, title in local.titles : name => title if try(var.service_accounts[name], null) == null }

  project      = var.project_id
  account_id   = "${var.name}-${each.key}"
  display_name = "Conversion upload: ${each.value}"

  depends_on = [time_sleep.services]
}

# ── the function ──────────────────────────────────────────────────────────────────────────────

resource "google_storage_bucket_iam_member" "function" {
  for_each = {
    # Reads and lists files; cannot write, so it cannot start itself.
    input = { bucket = local.input_bucket.name, role = "roles/storage.objectViewer" }
    # objectUser, not objectCreator: replacing an object requires the permission to delete it, and the
    # overview of all files requires the permission to list them.
    output = { bucket = google_storage_bucket.output.name, role = "roles/storage.objectUser" }
    state  = { bucket = google_storage_bucket.state.name, role = "roles/storage.objectUser" }
    # The profiles document.
    source = { bucket = google_storage_bucket.source.name, role = "roles/storage.objectViewer" }
  }

  bucket = each.value.bucket
  role   = each.value.role
  member = local.accounts.function.member
}

resource "google_secret_manager_secret_iam_member" "function" {
  project   = var.project_id
  secret_id = google_secret_manager_secret.google_ads.id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.accounts.function.member
}

# On the project: the Data Manager API charges its calls to a project, so the permission to use that
# project's quota exists only on the project.
resource "google_project_iam_member" "function_data_manager" {
  count = local.uses_data_manager ? 1 : 0

  project = var.project_id
  role    = "roles/serviceusage.serviceUsageConsumer"
  member  = local.accounts.function.member
}

# ── the trigger ───────────────────────────────────────────────────────────────────────────────

resource "google_cloud_run_v2_service_iam_member" "trigger" {
  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.ingest.name
  role     = "roles/run.invoker"
  member   = local.accounts.trigger.member

  # A replaced function has lost its grants.
  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.ingest.id]
  }
}

# On the project: Eventarc checks this role before the trigger exists, and it cannot be granted on a trigger.
resource "google_project_iam_member" "trigger" {
  project = var.project_id
  role    = "roles/eventarc.eventReceiver"
  member  = local.accounts.trigger.member
}

# Google creates this service agent when somebody asks for it. Nothing refers to the answer: a data source
# that waits for another change has no value in the plan, and the grant would be destroyed and created again.
data "google_storage_project_service_account" "storage_agent" {
  project = var.project_id

  depends_on = [time_sleep.services]
}

# On the project: Cloud Storage publishes to a topic that Eventarc creates with the trigger, so no topic
# exists yet on which the role could be granted. All deployments in the project share this grant.
resource "google_project_iam_member" "storage_agent" {
  count = var.grant_storage_agent ? 1 : 0

  project = var.project_id
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${local.project_number}@gs-project-accounts.iam.gserviceaccount.com"

  depends_on = [data.google_storage_project_service_account.storage_agent]
}

# ── the scheduler ─────────────────────────────────────────────────────────────────────────────

resource "google_cloud_run_v2_service_iam_member" "scheduler" {
  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.sweep.name
  role     = "roles/run.invoker"
  member   = local.accounts.scheduler.member

  # A replaced function has lost its grants.
  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.sweep.id]
  }
}

# ── the build ─────────────────────────────────────────────────────────────────────────────────
# In new projects the default build account has no permissions, and in old ones it has far too many:
# https://cloud.google.com/build/docs/cloud-build-service-account-updates

resource "google_artifact_registry_repository_iam_member" "builder" {
  project    = var.project_id
  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = local.accounts.builder.member
}

# On the project: the permission to write logs cannot be granted on anything smaller.
resource "google_project_iam_member" "builder_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = local.accounts.builder.member
}

# On the project: the platform copies the archive to a bucket that it creates on the first deployment.
# The condition limits the role to that bucket and the source bucket.
resource "google_project_iam_member" "builder_sources" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = local.accounts.builder.member

  condition {
    title      = "function-sources"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-\") || resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.source.name}/\")"
  }
}

# ── waiting ───────────────────────────────────────────────────────────────────────────────────

# A grant usually works two minutes after Google has confirmed it:
# https://cloud.google.com/iam/docs/access-change-propagation
# A function that is built or called before that fails.
resource "time_sleep" "grants" {
  create_duration = "120s"

  # Other accounts need their grants again.
  triggers = {
    builder  = local.accounts.builder.email
    function = local.accounts.function.email
    trigger  = local.accounts.trigger.email
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.builder,
    google_project_iam_member.builder_logs,
    google_project_iam_member.builder_sources,
    google_project_iam_member.storage_agent,
    google_project_iam_member.trigger,
    google_secret_manager_secret_iam_member.function,
    google_storage_bucket_iam_member.function,
    google_storage_bucket_iam_member.function_profiles,
  ]
}

# ── people and systems ────────────────────────────────────────────────────────────────────────

# Uploaders can add files but cannot read any, not even their own.
resource "google_storage_bucket_iam_member" "uploaders" {
  for_each = toset(var.uploaders)

  bucket = local.input_bucket.name
  role   = "roles/storage.objectCreator"
  member = each.value
}

resource "google_storage_bucket_iam_member" "readers" {
  for_each = toset(var.readers)

  bucket = google_storage_bucket.output.name
  role   = "roles/storage.objectViewer"
  member = each.value
}
