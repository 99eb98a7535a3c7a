# What people hear of, and how. docs/alerts.md has a section for every kind of open problem and every alert.
#
# Each sweep logs a line (`open_problem`) for every problem, as long as the problem lasts. Cloud Monitoring does the rest:
# it knows since when a problem is open, and says when it begins and when it is over. Once a day, a sweep logs what is
# open (`open_problems_digest`), with the names of the files and the money.
#
# An instance that crashes, a call that is refused and a sweep that fails are no alerts of their own: the next attempt
# mends most of them, and those that it does not are open problems, or a sweep that is silent.

locals {
  severities        = toset(["ERROR", "WARNING"])
  logs_of_functions = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"${google_cloudfunctions2_function.ingest.name}\" OR \"${google_cloudfunctions2_function.sweep.name}\")"

  # `settings_invalid` is a problem of the deployment that an attempt finds before any sweep does.
  problem_events = ["open_problem", "settings_invalid"]
  # Fields of the line that become labels, and so parts of the notification. Each combination of their values is an
  # incident of its own, so the code chooses them from few values. Names of files and money are not among them.
  problem_labels = ["kind", "profile", "code", "title", "action"]

  overview_address = "https://storage.cloud.google.com/${google_storage_bucket.output.name}/index.html"
  # No Markdown: Google's subset of it has no code spans. The link is refused where Data Access logs are on.
  files_and_money = "[Overview: the files, the money, and the next step](${local.overview_address})\n\nIf the link answers 403, ask your engineer to run: gcloud storage cp gs://${google_storage_bucket.output.name}/index.html ."
  # No variable says whether an incident is over, so each notification says what its end means.
  when_to_act = "ERROR: act on the same day. WARNING: within the week. Nobody needs to act at night. RESOLVED: this problem is over, or it has become another one. The overview says whether the file was sent."
  # Alert → a link to its section. The section of an open problem is its kind.
  read_on = {
    for alert, section in { open_problem = "$${metric.label.kind}", open_problems_digest = "open_problems_digest", sweep_silent = "sweep_silent", sftp_failed = "sftp_failed" } :
    alert => var.docs_url == null ? "More: docs/alerts.md, section ${section}" : "[What it means and what to do](${var.docs_url}/alerts.md#${section})"
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
  filter      = "${local.logs_of_functions} AND jsonPayload.event=(${join(" OR ", [for event in local.problem_events : "\"${event}\""])}) AND severity=${each.key}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    dynamic "labels" {
      for_each = local.problem_labels

      content {
        key = labels.value
      }
    }
  }

  label_extractors = { for label in local.problem_labels : label => "EXTRACT(jsonPayload.${label})" }
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
        group_by_fields      = [for label in local.problem_labels : "metric.label.${label}"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    # A problem without a code must not leave a gap, so the code ends a line.
    subject = "${var.name}, $${metric.label.profile}: $${metric.label.title}"
    content = "$${metric.label.title}. Profile: $${metric.label.profile}.\n\nWhat to do while this is open: $${metric.label.action}\n\n${local.when_to_act}\n\n${local.files_and_money}\n\n${local.read_on.open_problem}\n\nFor your engineer: $${metric.label.kind} $${metric.label.code}"
  }

  alert_strategy {
    auto_close           = "86400s"
    notification_prompts = ["OPENED", "CLOSED"]
  }

  depends_on = [time_sleep.metrics]
}

# ── once a day: what is open ──────────────────────────────────────────────────────────────────

# Not Cloud Monitoring's own reminders (`renotify_interval`): whether they come is open
# (https://github.com/hashicorp/terraform-provider-google/issues/26442), and they could not name files and money.
resource "google_monitoring_alert_policy" "open_problems_digest" {
  project               = var.project_id
  display_name          = "${var.name}: Problems are still open"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = "open_problems_digest"

    condition_matched_log {
      filter           = "${local.logs_of_functions} AND jsonPayload.event=\"open_problems_digest\""
      label_extractors = { for label in ["count", "text"] : label => "EXTRACT(jsonPayload.${label})" }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: open problems: $${log.extracted_label.count}"
    content   = "$${log.extracted_label.text}\n\n${local.when_to_act}\n\n${local.files_and_money}\n\n${local.read_on.open_problems_digest}"
  }

  # The shortest of both: the line comes once a day, and tomorrow's is to be told too.
  alert_strategy {
    auto_close = "1800s"

    notification_rate_limit {
      period = "300s"
    }
  }

  depends_on = [time_sleep.services]
}

# ── the sweep ─────────────────────────────────────────────────────────────────────────────────

# Without a sweep, no problem is logged: silence would look as if all were well.
resource "google_monitoring_alert_policy" "sweep_silent" {
  project               = var.project_id
  display_name          = "${var.name}: The sweep does not run"
  combiner              = "OR"
  severity              = "ERROR"
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

  # A silent sweep logs no digest, so Cloud Monitoring is asked to remind people.
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
