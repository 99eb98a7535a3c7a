locals {
  # How often the sweep looks for missed files, sends deferred rows, and says which problems are open. A problem
  # counts as over if no sweep has logged it for an hour.
  sweep_minutes = 15
}

resource "google_cloud_scheduler_job" "sweep" {
  project     = var.project_id
  name        = "${var.name}-sweep"
  region      = var.region
  description = "Calls the sweep."
  schedule    = "*/${local.sweep_minutes} * * * *"
  time_zone   = "Etc/UTC"

  # The same as the function's timeout; also the longest time that Cloud Scheduler can wait.
  attempt_deadline = "${local.sweep_timeout_seconds}s"

  # The next scheduled call is soon enough.
  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = google_cloudfunctions2_function.sweep.service_config[0].uri

    oidc_token {
      service_account_email = local.accounts.scheduler.email
      audience              = google_cloudfunctions2_function.sweep.service_config[0].uri
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.scheduler]
}
