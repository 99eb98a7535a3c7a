# Jobs that copy new files from SFTP servers to the input bucket, with rclone's own image.
# docs/integrations.md explains them. The private keys are added by hand, as the secret for Google Ads is.

locals {
  # Minutes between two runs. A schedule that does not run every hour counts as daily.
  minutes_between_runs = {
    for name, server in var.servers : name => try(
      tonumber(regex("^[*]/([0-9]+) [*] ", server.schedule)[0]),
      can(regex("^[^ ]+ [*] ", server.schedule)) ? 60 : 60 * tonumber(regex("^[^ ]+ [*]/([0-9]+) ", server.schedule)[0]),
      1440,
    )
  }
  # Two runs and some time: in a shorter window, a dead server would seem to recover between two runs.
  failed_minutes = { for name, minutes in local.minutes_between_runs : name => min(2 * minutes + 30, 1440) }

  environments = {
    for name, server in var.servers : name => {
      KNOWN_HOSTS                           = server.known_hosts
      VENDOR_PATH                           = server.path
      INPUT_BUCKET                          = var.input_bucket
      TAKEN_BUCKET                          = google_storage_bucket.marks.name
      FOLDER                                = server.folder
      DONE_FOLDER                           = server.done_folder
      SINCE                                 = server.since
      MIN_AGE_MINUTES                       = tostring(server.min_age_minutes)
      SETTLE_SECONDS                        = "60"
      RCLONE_CONFIG                         = "/dev/null"
      RCLONE_CONFIG_VENDOR_TYPE             = "sftp"
      RCLONE_CONFIG_VENDOR_HOST             = server.host
      RCLONE_CONFIG_VENDOR_PORT             = tostring(server.port)
      RCLONE_CONFIG_VENDOR_USER             = server.user
      RCLONE_CONFIG_VENDOR_KEY_FILE         = "/secrets/key"
      RCLONE_CONFIG_VENDOR_KNOWN_HOSTS_FILE = "/tmp/known_hosts"
      # Many servers allow SFTP only, and no commands.
      RCLONE_CONFIG_VENDOR_SHELL_TYPE        = "none"
      RCLONE_CONFIG_INPUT_TYPE               = "google cloud storage"
      RCLONE_CONFIG_INPUT_ENV_AUTH           = "true"
      RCLONE_CONFIG_INPUT_BUCKET_POLICY_ONLY = "true"
      RCLONE_CONFIG_INPUT_NO_CHECK_BUCKET    = "true"
    }
  }
}

# The marks of the files that were copied: empty objects, whose names are time, size and name of a file. They are
# kept, because a server that we may only read keeps its files for as long as it likes.
resource "google_storage_bucket" "marks" {
  project                     = var.project_id
  name                        = "${var.project_id}-${var.name}-sftp"
  location                    = var.region
  labels                      = var.labels
  force_destroy               = var.force_destroy
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  dynamic "encryption" {
    for_each = var.kms_key[*]

    content {
      default_kms_key_name = encryption.value
    }
  }
}

# objectUser, not objectCreator: a job compares a file with the object of the same name, and replaces it.
resource "google_storage_bucket_iam_member" "job" {
  for_each = {
    input = var.input_bucket
    marks = google_storage_bucket.marks.name
  }

  bucket = each.value
  role   = "roles/storage.objectUser"
  member = var.accounts.sftp.member
}

resource "google_secret_manager_secret" "key" {
  for_each = var.servers

  project   = var.project_id
  secret_id = "${var.name}-sftp-${each.key}"
  labels    = var.labels

  # A secret takes all its versions with it.
  deletion_protection = !var.force_destroy

  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key[*]

          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }
}

resource "google_secret_manager_secret_iam_member" "job" {
  for_each = var.servers

  project   = var.project_id
  secret_id = google_secret_manager_secret.key[each.key].id
  role      = "roles/secretmanager.secretAccessor"
  member    = var.accounts.sftp.member
}

resource "google_cloud_run_v2_job" "copy" {
  for_each = var.servers

  project             = var.project_id
  name                = "${var.name}-sftp-${each.key}"
  location            = var.region
  labels              = var.labels
  deletion_protection = false

  template {
    task_count  = 1
    parallelism = 1

    template {
      service_account = var.accounts.sftp.email
      timeout         = "${each.value.timeout_seconds}s"
      max_retries     = 0
      encryption_key  = var.kms_key

      dynamic "vpc_access" {
        for_each = var.network.vpc_connector[*]

        content {
          connector = vpc_access.value
          egress    = var.network.vpc_egress
        }
      }

      containers {
        image   = each.value.image
        command = ["/bin/sh"]
        args    = ["-c", file("${path.module}/sftp_pull.sh")]

        resources {
          limits = {
            cpu    = "1"
            memory = "512Mi"
          }
        }

        dynamic "env" {
          for_each = local.environments[each.key]

          content {
            name  = env.key
            value = env.value
          }
        }

        volume_mounts {
          name       = "key"
          mount_path = "/secrets"
        }
      }

      volumes {
        name = "key"

        secret {
          secret = google_secret_manager_secret.key[each.key].secret_id

          items {
            version = "latest"
            path    = "key"
          }
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.job, google_storage_bucket_iam_member.job]
}

resource "google_cloud_run_v2_job_iam_member" "scheduler" {
  for_each = var.servers

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.copy[each.key].name
  role     = "roles/run.invoker"
  member   = var.accounts.scheduler.member

  # A replaced job has lost its grants.
  lifecycle {
    replace_triggered_by = [google_cloud_run_v2_job.copy[each.key].id]
  }
}

resource "google_cloud_scheduler_job" "copy" {
  for_each = var.servers

  project     = var.project_id
  name        = "${var.name}-sftp-${each.key}"
  region      = var.region
  description = "Copies new files from ${each.value.host}."
  schedule    = each.value.schedule
  time_zone   = "Etc/UTC"

  # The next scheduled call is soon enough.
  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.copy[each.key].id}:run"

    oauth_token {
      service_account_email = var.accounts.scheduler.email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.scheduler]
}

# The same file can fail in every run. A run that fails while others succeed is no reason to call somebody. A job that
# does not run at all says nothing, so its absence is told, unless its schedule leaves out days.
resource "google_monitoring_alert_policy" "failed" {
  for_each = var.servers

  project               = var.project_id
  display_name          = "${var.name}: Files of the SFTP server ${each.key} are not copied"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  dynamic "conditions" {
    for_each = merge(
      { sftp_failed = join(" unless ", [for result in ["failed", "succeeded"] : "sum(increase(run_googleapis_com:job_completed_execution_count{monitored_resource=\"cloud_run_job\",job_name=\"${var.name}-sftp-${each.key}\",result=\"${result}\"}[${local.failed_minutes[each.key]}m])) > 0"]) },
      can(regex(" [*] [*] [*]$", each.value.schedule)) ? { sftp_silent = "(sum(increase(run_googleapis_com:job_completed_execution_count{monitored_resource=\"cloud_run_job\",job_name=\"${var.name}-sftp-${each.key}\"}[1d])) or vector(0)) < 0.5" } : {},
    )

    content {
      display_name = conditions.key

      condition_prometheus_query_language {
        query                     = conditions.value
        duration                  = conditions.key == "sftp_failed" ? "0s" : "3600s"
        evaluation_interval       = "60s"
        disable_metric_validation = true
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "The job that copies files from ${each.value.host} failed, and none of its runs in the last ${local.failed_minutes[each.key]} minutes succeeded; or it has not run for a day. Its log says which file, or that the server refused it.\n\n${var.read_on}"
  }

  alert_strategy {
    auto_close = "86400s"
  }
}
