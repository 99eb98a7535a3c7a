# Two functions from one source: a new file's event calls `ingest`, Cloud Scheduler calls `sweep`.

locals {
  root = "${path.module}/.."

  # An allowlist, so that a credential file in the folder never gets into the archive.
  source_files = concat(
    ["main.py", "requirements.txt"],
    sort(fileset(local.root, "lib/**/*.py")),
    sort(fileset(local.root, "lib/catalogue/*.ini")),
    sort(fileset(local.root, "lib/**/templates/*")),
  )

  # Of the files, not of the archive: it is the same on every machine, and known before the archive exists.
  source_hash = sha256(join("\n", [for name in local.source_files : "${name} ${filesha256("${local.root}/${name}")}"]))
  archive     = "${path.module}/.build/${local.source_hash}.zip"

  state_prefix = "_state/"

  # The platform's maximum for an event-driven function.
  ingest_timeout_seconds = 540

  # One sweep works for up to 1500 s; the rest is for a cold start and the last answers in flight.
  sweep_time_limit_seconds = 1500
  sweep_timeout_seconds    = 1800

  # The measured peak of a run is under 256 MiB for any file size (benchmarks/).
  memory = "512Mi"
  cpu    = "1"

  # GOOGLE_ADS_CONFIGURATION_FILE_PATH and the two *_ENDPOINT variables are for local use only: never set.
  environment = merge(
    {
      GOOGLE_CLOUD_PROJECT     = var.project_id
      INPUT_BUCKET             = local.input_bucket.name
      OUTPUT_BUCKET            = google_storage_bucket.output.name
      STATE_BUCKET             = google_storage_bucket.state.name
      STATE_PREFIX             = local.state_prefix
      PROFILES                 = "gs://${local.profiles_bucket}/${local.profiles_object}"
      GOOGLE_ADS_SECRET        = "${google_secret_manager_secret.google_ads.id}/versions/latest"
      TIME_LIMIT_SECONDS       = tostring(local.ingest_timeout_seconds)
      SWEEP_TIME_LIMIT_SECONDS = tostring(local.sweep_time_limit_seconds)
      # One heap for all threads: with glibc's default, one per thread, the peak is a quarter higher.
      MALLOC_ARENA_MAX = "1"
    },
    # The function reads lists as comma-separated text.
    { for key, value in var.settings : upper(key) => try(join(",", value), tostring(value)) if value != null },
  )
}

# With new code, `plan` leaves the archive to `apply`, because the two may run on different machines.
resource "terraform_data" "source" {
  input = local.archive
}

data "archive_file" "source" {
  type             = "zip"
  output_path      = local.archive
  output_file_mode = "0644"

  dynamic "source" {
    for_each = local.source_files

    content {
      filename = source.value
      content  = file("${local.root}/${source.value}")
    }
  }

  depends_on = [terraform_data.source]
}

resource "google_storage_bucket_object" "source" {
  bucket = google_storage_bucket.source.name
  # The hash gives new content a new object name, and a new object triggers a new build of the function.
  name   = "source/${local.source_hash}.zip"
  source = local.archive

  lifecycle {
    # The hash of the archive. Another release of the provider may compress the same files differently.
    ignore_changes = [detect_md5hash]
  }

  depends_on = [data.archive_file.source]
}

resource "google_artifact_registry_repository" "images" {
  project       = var.project_id
  repository_id = var.name
  location      = var.region
  format        = "DOCKER"
  description   = "Images of the functions."
  labels        = var.labels
  kms_key_name  = var.kms_key

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"

    most_recent_versions {
      keep_count = 5
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [time_sleep.services]
}

resource "google_cloudfunctions2_function" "ingest" {
  project      = var.project_id
  name         = "${var.name}-ingest"
  location     = var.region
  description  = "Uploads the conversions of every file that arrives in ${local.input_bucket.name}."
  labels       = var.labels
  kms_key_name = var.kms_key

  build_config {
    runtime           = "python313"
    entry_point       = "ingest"
    service_account   = local.accounts.builder.id
    docker_repository = google_artifact_registry_repository.images.id
    worker_pool       = var.network.build_worker_pool

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    available_memory = local.memory
    available_cpu    = local.cpu
    timeout_seconds  = local.ingest_timeout_seconds

    # One file per instance, so that the file gets all of its memory and CPU.
    max_instance_request_concurrency = 1
    max_instance_count               = var.max_instances
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    vpc_connector                    = var.network.vpc_connector
    vpc_connector_egress_settings    = var.network.vpc_connector == null ? null : var.network.vpc_egress
    all_traffic_on_latest_revision   = true
    service_account_email            = local.accounts.function.email
    environment_variables            = local.environment
  }

  event_trigger {
    event_type = "google.cloud.storage.object.v1.finalized"
    # Without a retry policy, a failed event is dropped at once; with it, it is retried for 24 hours.
    retry_policy          = "RETRY_POLICY_RETRY"
    trigger_region        = lower(local.input_bucket.location)
    service_account_email = local.accounts.trigger.email

    event_filters {
      attribute = "bucket"
      value     = local.input_bucket.name
    }
  }

  depends_on = [time_sleep.grants]
}

resource "google_cloudfunctions2_function" "sweep" {
  project      = var.project_id
  name         = "${var.name}-sweep"
  location     = var.region
  description  = "Processes files whose event was lost, and sends deferred rows."
  labels       = var.labels
  kms_key_name = var.kms_key

  build_config {
    runtime           = "python313"
    entry_point       = "sweep"
    service_account   = local.accounts.builder.id
    docker_repository = google_artifact_registry_repository.images.id
    worker_pool       = var.network.build_worker_pool

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    available_memory = local.memory
    available_cpu    = local.cpu
    timeout_seconds  = local.sweep_timeout_seconds

    # One sweep at a time: a call during a sweep gets a 429, and the next scheduled call is soon enough.
    max_instance_request_concurrency = 1
    max_instance_count               = 1
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    vpc_connector                    = var.network.vpc_connector
    vpc_connector_egress_settings    = var.network.vpc_connector == null ? null : var.network.vpc_egress
    all_traffic_on_latest_revision   = true
    service_account_email            = local.accounts.function.email
    environment_variables            = local.environment
  }

  depends_on = [time_sleep.grants]
}
