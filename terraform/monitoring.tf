# What people hear of, and how. docs/alerts.md has a section for every kind of open problem and every alert.
#
# Each sweep logs a line (`open_problem`) for every problem, as long as the problem lasts. Cloud Monitoring does the rest:
# it knows since when a problem is open, tells people once a day, and says when it is over.

locals {
  severities        = toset(["ERROR", "WARNING"])
  logs_of_functions = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"${google_cloudfunctions2_function.ingest.name}\" OR \"${google_cloudfunctions2_function.sweep.name}\")"

  # What cannot wait for a sweep: a grant or a setting is gone, or the software has failed.
  events_at_once = ["settings_invalid", "unexpected_error", "sweep_failed"]
  # The words of Cloud Run: https://cloud.google.com/run/docs/troubleshooting
  crashes = "Memory limit of|Container called exit.[1-9]|[Tt]erminated on signal|Uncaught signal|failed to start|was sent SIGKILL|malformed or connection to the instance had an error|terminated because it reached the maximum"
  # Line of a notification → field of the log line. `$${log.extracted_label.NAME}` in a text is its value.
  labels_at_once = {
    event   = "jsonPayload.event"
    file    = "jsonPayload.run_id"
    detail  = "jsonPayload.detail"
    action  = "jsonPayload.action"
    service = "resource.labels.service_name"
    says    = "textPayload"
    status  = "httpRequest.status"
  }

  overview_address = "https://storage.cloud.google.com/${google_storage_bucket.output.name}/index.html"
  # Alert → a link to its section. The section of an open problem is its kind.
  read_on = {
    for alert, section in { open_problem = "$${metric.label.kind}", function_failing = "function_failing", sweep_silent = "sweep_silent", sftp_failed = "sftp_failed" } :
    alert => var.docs_url == null ? "What to do: docs/alerts.md, section ${section}" : "[What it means and what to do](${var.docs_url}/alerts.md#${section})"
  }
}

check "notification_channels" {
  assert {
    condition     = length(var.notification_channels) > 0
    error_message = "notification_channels is empty: alerts appear only in the console, and nobody is notified."
  }
}

# ── open problems ─────────────────────────────────────────────────────────────────────────────

resource "google_logging_metric" "open_problems" {
  for_each = local.severities

  project     = var.project_id
  name        = "${var.name}/open_problems_${lower(each.key)}"
  description = "Log lines about open problems of the severity ${each.key}."
  filter      = "${local.logs_of_functions} AND jsonPayload.event=\"open_problem\" AND severity=${each.key}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    # The section in docs/alerts.md.
    labels {
      key = "kind"
    }
    # The first folder of the file, or default.
    labels {
      key = "profile"
    }
  }

  label_extractors = {
    kind    = "EXTRACT(jsonPayload.kind)"
    profile = "EXTRACT(jsonPayload.profile)"
  }
}

# A policy can name a metric only some time after its creation.
resource "time_sleep" "metrics" {
  create_duration = "120s"

  depends_on = [google_logging_metric.open_problems]
}

resource "google_monitoring_alert_policy" "open_problems" {
  for_each = local.severities

  project               = var.project_id
  display_name          = "${var.name}: A problem is open (${each.key})"
  combiner              = "OR"
  severity              = each.key
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = "open_problem_${lower(each.key)}"

    condition_threshold {
      filter                  = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.open_problems[each.key].name}\" AND resource.type=\"cloud_run_revision\""
      comparison              = "COMPARISON_GT"
      threshold_value         = 0
      duration                = "60s"
      evaluation_missing_data = "EVALUATION_MISSING_DATA_INACTIVE"

      # Over an hour: a problem is over when several sweeps in a row have not logged it.
      aggregations {
        alignment_period     = "3600s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.kind", "metric.label.profile"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: $${metric.label.kind} ($${metric.label.profile})"
    content   = "Open problem: $${metric.label.kind}\n\nProfile: $${metric.label.profile}\n\n[Overview: the files, what is at stake, and the next step](${local.overview_address})\n\n${local.read_on.open_problem}"
  }

  alert_strategy {
    auto_close           = "86400s"
    notification_prompts = ["OPENED", "CLOSED"]

    dynamic "notification_channel_strategy" {
      for_each = length(var.notification_channels) > 0 ? [1] : []

      content {
        notification_channel_names = var.notification_channels
        renotify_interval          = "86400s"
      }
    }
  }

  depends_on = [time_sleep.metrics]
}

# ── the functions ─────────────────────────────────────────────────────────────────────────────

resource "google_monitoring_alert_policy" "function_failing" {
  project               = var.project_id
  display_name          = "${var.name}: The function does not work as it should"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = "function_failing"

    condition_matched_log {
      filter           = "${local.logs_of_functions} AND (jsonPayload.event=(${join(" OR ", [for event in local.events_at_once : "\"${event}\""])}) OR textPayload=~\"${local.crashes}\" OR httpRequest.status=(401 OR 403))"
      label_extractors = { for label, field in local.labels_at_once : label => "EXTRACT(${field})" }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: The function does not work as it should $${log.extracted_label.event}"
    content   = "${join("\n\n", [for label in keys(local.labels_at_once) : "${title(label)}: $${log.extracted_label.${label}}"])}\n\n${local.read_on.function_failing}"
  }

  alert_strategy {
    auto_close = "86400s"

    # A problem that lasts logs its line again and again.
    notification_rate_limit {
      period = "3600s"
    }
  }

  depends_on = [time_sleep.services]
}

# Without a sweep, no problem is logged: silence would look as if all were well.
resource "google_monitoring_alert_policy" "sweep_silent" {
  project               = var.project_id
  display_name          = "${var.name}: The sweep does not run"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = "sweep_silent"

    # `or vector(0)`: no data at all is exactly the case to detect. A sweep may take 27 minutes, so the next one may end
    # this long after it was due. `increase` extrapolates, so its results are compared with halves.
    condition_prometheus_query_language {
      query                     = "(sum(increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=\"${google_cloudfunctions2_function.sweep.name}\",response_code=\"200\"}[10m])) or vector(0)) < 0.5"
      duration                  = "${60 * (local.sweep_minutes + 18)}s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: The sweep does not run"
    content   = "No sweep has finished for ${local.sweep_minutes + 28} minutes. Until it runs again, nobody hears of open problems, and deferred rows wait.\n\n${local.read_on.sweep_silent}"
  }

  alert_strategy {
    auto_close = "86400s"

    dynamic "notification_channel_strategy" {
      for_each = length(var.notification_channels) > 0 ? [1] : []

      content {
        notification_channel_names = var.notification_channels
        renotify_interval          = "86400s"
      }
    }
  }

  depends_on = [google_cloud_scheduler_job.sweep]
}
