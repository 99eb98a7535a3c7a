# What a person must know, and how they hear of it. docs/operate.md has a section for every policy.
#
# The function decides, and these policies only carry its log lines: one for the concerns of each severity, two
# for what cannot wait for a sweep. It writes at most 18 lines a day for a severity, since Cloud Monitoring sends
# at most 20 notifications a day for a policy: https://cloud.google.com/monitoring/quotas
# What only the platform sees has policies of its own: a crash, a refused call, a sweep or a job that stands still.

locals {
  # Log lines that alert at once: policy → its events. A problem that lasts logs its line again and again, so
  # the same file and problem notify once in two hours.
  at_once = {
    file_failed = {
      title    = "A file was not processed"
      severity = "ERROR"
      what     = "A file was stopped or became too old, or deferred rows are lost with their file. Its results document says what is wrong."
      events   = ["run_stopped", "run_stale", "deferred_rows_failed"]
    }
    function_failing = {
      title    = "The function does not work as it should"
      severity = "CRITICAL"
      what     = "Files wait: a setting, a permission or a bucket is wrong, a service does not answer, the daily quota is used up, a sweep failed, or the software has a bug."
      events   = ["settings_invalid", "unexpected_error", "sweep_failed", "run_late", "quota_exhausted"]
    }
  }

  # What Cloud Run says itself. The texts are those of https://cloud.google.com/run/docs/troubleshooting
  platform = {
    service_crashed = {
      title    = "A function crashed"
      severity = "ERROR"
      what     = "An instance ran out of memory, was killed, or did not start. The file is delivered again."
      filter   = "(log_id(\"run.googleapis.com/varlog/system\") OR log_id(\"run.googleapis.com/requests\") OR log_id(\"run.googleapis.com/stderr\")) AND textPayload=~\"Memory limit of|Container called exit.[1-9]|[Tt]erminated on signal|Uncaught signal|failed to start|was sent SIGKILL|malformed or connection to the instance had an error|terminated because it reached the maximum\""
      labels   = { service = "resource.labels.service_name", detail = "textPayload" }
    }
    calls_refused = {
      title    = "Cloud Run refuses calls"
      severity = "CRITICAL"
      what     = "The trigger or the scheduler may not call the function. Files wait for the sweep, or the sweep does not run."
      filter   = "log_id(\"run.googleapis.com/requests\") AND httpRequest.status=(401 OR 403)"
      labels   = { service = "resource.labels.service_name", status = "httpRequest.status" }
    }
  }

  # Label of a notification → field of the log line.
  concern_labels = { for name in ["told", "title", "key", "detail", "action", "since", "link"] : name => "jsonPayload.${name}" }
  at_once_labels = merge({ for name in ["event", "code", "detail", "action", "report"] : name => "jsonPayload.${name}" }, { file = "jsonPayload.run_id" })

  # Policies that match a log line. `$${log.extracted_label.NAME}` in a text is the label of the line.
  log_policies = merge(
    {
      for severity in ["CRITICAL", "ERROR", "WARNING"] : "concerns_${lower(severity)}" => {
        title    = "Somebody must know (${severity})"
        severity = severity
        every    = "300s"
        filter   = "jsonPayload.event=\"concern\" AND severity=${severity}"
        labels   = local.concern_labels
        subject  = "$${log.extracted_label.title} ($${log.extracted_label.told})"
        says     = "$${log.extracted_label.detail}\n\nSince: $${log.extracted_label.since}\n\nWhat to do: $${log.extracted_label.action}\n\n[Open](<$${log.extracted_label.link}>)\n\nConcern: $${log.extracted_label.key}"
      }
    },
    {
      for name, policy in local.at_once : name => merge(policy, {
        every   = "7200s"
        filter  = "jsonPayload.event=(${join(" OR ", [for event in policy.events : "\"${event}\""])})"
        labels  = local.at_once_labels
        subject = "$${log.extracted_label.event} $${log.extracted_label.file} $${log.extracted_label.code}"
        says    = "${policy.what}\n\nEvent: $${log.extracted_label.event}\n\nFile: $${log.extracted_label.file}\n\nCode: $${log.extracted_label.code}\n\nDetail: $${log.extracted_label.detail}\n\nWhat to do: $${log.extracted_label.action}\n\n[Report](${local.results_address}/$${log.extracted_label.report}), as soon as the file has results"
      })
    },
    {
      for name, policy in local.platform : name => merge(policy, {
        every   = "3600s"
        subject = "$${log.extracted_label.service}"
        says    = join("\n\n", concat([policy.what], [for label in keys(policy.labels) : "${title(label)}: $${log.extracted_label.${label}}"]))
      })
    },
  )

  # Policy → where to read on.
  runbook = {
    for name, section in merge({ for name in keys(local.log_policies) : name => startswith(name, "concerns_") ? "concerns" : name }, { sweep_silent = "sweep_silent", sftp_failed = "sftp_failed" }) :
    name => var.runbook_url == null ? "docs/operate.md, section ${section}" : "[${section}](${var.runbook_url}#${section})"
  }

  results_address   = "https://storage.cloud.google.com/${google_storage_bucket.output.name}"
  logs_address      = "https://console.cloud.google.com/logs/query"
  logs_of_functions = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"${google_cloudfunctions2_function.ingest.name}\" OR \"${google_cloudfunctions2_function.sweep.name}\")"

  # The objective on the dashboard: this share of all files has results in time. A stopped file has results, too.
  objective       = 99 # percent
  results_seconds = 1800
  has_results     = "jsonPayload.event=(\"run_finished\" OR \"run_stopped\" OR \"run_stale\")"

  # Only what a chart shows is counted: lines of an event, files, and numbers in lines.
  counted_events = ["run_finished", "run_stopped", "run_stale", "run_redelivered", "request_retry", "sweep_finished", "sweep_failed"]
  row_counts     = ["uploaded", "duplicate", "rejected", "failed", "deferred", "skipped", "not_attempted"]
  numbers = {
    not_counted    = { event = "run_updated", field = "not_counted", unit = "1" }
    chunk_seconds  = { event = "chunk_sent", field = "seconds", unit = "s" }
    oldest_seconds = { event = "sweep_finished", field = "oldest_unfinished_seconds", unit = "s" }
  }
  metrics = merge(
    { for event in local.counted_events : event => { filter = "jsonPayload.event=\"${event}\"", field = "", unit = "1" } },
    {
      files_with_results = { filter = local.has_results, field = "", unit = "1" }
      files_late         = { filter = "${local.has_results} AND jsonPayload.since_arrival_seconds>${local.results_seconds}", field = "", unit = "1" }
    },
    { for outcome in local.row_counts : "rows/${outcome}" => { filter = local.has_results, field = "counts.${outcome}", unit = "1" } },
    { for name, number in local.numbers : name => { filter = "jsonPayload.event=\"${number.event}\"", field = number.field, unit = number.unit } },
  )

  # Metric → its name in PromQL, where / and - become _.
  # https://cloud.google.com/monitoring/promql/promql-mapping
  series = {
    for metric in flatten([for name, metric in local.metrics : metric.field == "" ? [name] : ["${name}_sum", "${name}_bucket"]]) :
    replace(metric, "/", "_") => "logging_googleapis_com:user_${replace("${var.name}/${metric}", "/[/-]/", "_")}{monitored_resource=\"cloud_run_revision\"}"
  }

  # The longest time between two sweeps of the schedule, in minutes: of */15 * * * * it is 15, of hours 60, of hours
  # such as */6 it is 360, and of anything else a day.
  sweep_interval_minutes = try(
    tonumber(regex("^[*]/([0-9]+) [*] ", var.sweep_schedule)[0]),
    60 * tonumber(replace(regex("^[0-9*,/-]+ [*](/[0-9]+)? ", var.sweep_schedule)[0], "/", "")),
    can(regex("^[0-9*,/-]+ [*] ", var.sweep_schedule)) ? 60 : 24 * 60,
  )
}

# ── metrics ───────────────────────────────────────────────────────────────────────────────────

resource "google_logging_metric" "lines" {
  for_each = local.metrics

  project         = var.project_id
  name            = "${var.name}/${each.key}"
  description     = each.value.field == "" ? "Log lines: ${each.key}." : "The field ${each.value.field} of log lines."
  filter          = "${local.logs_of_functions} AND ${each.value.filter}"
  value_extractor = each.value.field == "" ? null : "EXTRACT(jsonPayload.${each.value.field})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = each.value.field == "" ? "INT64" : "DISTRIBUTION"
    unit        = each.value.unit
  }

  dynamic "bucket_options" {
    for_each = compact([each.value.field])

    content {
      exponential_buckets {
        num_finite_buckets = 60
        growth_factor      = 1.5
        scale              = 0.05
      }
    }
  }
}

# ── alerts ────────────────────────────────────────────────────────────────────────────────────

check "notification_channels" {
  assert {
    condition     = length(var.notification_channels) > 0
    error_message = "notification_channels is empty: alerts appear only in the console, and nobody is notified."
  }
}

resource "google_monitoring_alert_policy" "logs" {
  for_each = local.log_policies

  project               = var.project_id
  display_name          = "${var.name}: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = each.key

    condition_matched_log {
      filter           = "${local.logs_of_functions} AND ${each.value.filter}"
      label_extractors = { for label, field in each.value.labels : label => "EXTRACT(${field})" }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: ${each.value.subject}"
    content   = "${each.value.says}\n\nMore: ${local.runbook[each.key]}\n\n[Log lines](${local.logs_address};query=${replace(urlencode("${local.logs_of_functions} AND ${each.value.filter}"), "+", "%20")}?project=${var.project_id})"
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = each.value.every
    }
  }

  depends_on = [time_sleep.services]
}

# Everything that shows only over time hangs on the sweep, so this one is told again each day.
resource "google_monitoring_alert_policy" "sweep_silent" {
  project               = var.project_id
  display_name          = "${var.name}: The sweep is not running"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = "sweep_silent"

    # `or vector(0)`: no data at all is exactly the case to detect. A sweep works for up to 27 minutes. So
    # the next one can end this long after the time of the schedule. A new deployment has as long for its first.
    # `increase` extrapolates, so its results are compared with halves.
    condition_prometheus_query_language {
      query               = "(sum(increase(${local.series.sweep_finished}[10m])) or vector(0)) < 0.5"
      duration            = "${60 * (local.sweep_interval_minutes + 18)}s"
      evaluation_interval = "60s"
      # A metric becomes available only minutes after its creation, or even only after its first log line.
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "No sweep has finished for ${local.sweep_interval_minutes + 28} minutes; the schedule has one every ${local.sweep_interval_minutes} minutes. Until it runs again, lost events, deferred rows, missing files and rows that do not count go unnoticed.\n\nMore: ${local.runbook.sweep_silent}"
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

  depends_on = [google_cloud_scheduler_job.sweep, google_logging_metric.lines]
}

# ── dashboard ─────────────────────────────────────────────────────────────────────────────────

locals {
  # Title → legend → PromQL.
  charts = [
    {
      title = "Finished files"
      lines = { for event in ["run_finished", "run_stopped", "run_stale"] : event => "sum(increase(${local.series[event]}[$${__interval}]))" }
    },
    {
      title = "Rows by outcome"
      # `not_counted`: accepted rows that the Data Manager API later reported as not counted.
      lines = merge(
        { for outcome in local.row_counts : outcome => "sum(increase(${local.series["rows_${outcome}_sum"]}[$${__interval}]))" },
        { not_counted = "sum(increase(${local.series.not_counted_sum}[$${__interval}]))" },
      )
    },
    {
      title = "Files with results in time (objective: ${local.objective} %), in 28 days"
      lines = { share = "1 - (sum(increase(${local.series.files_late}[28d])) or vector(0)) / sum(increase(${local.series.files_with_results}[28d]))" }
    },
    {
      title = "API latency of a chunk (s)"
      lines = { for name, quantile in { median = 0.5, p95 = 0.95 } : name => "histogram_quantile(${quantile}, sum by (le) (rate(${local.series.chunk_seconds_bucket}[$${__interval}])))" }
    },
    {
      title = "Retries of requests and of files"
      lines = { for event in ["request_retry", "run_redelivered"] : event => "sum(increase(${local.series[event]}[$${__interval}]))" }
    },
    {
      title = "Age of the oldest unfinished file (s)"
      lines = { oldest = "histogram_quantile(1, sum by (le) (increase(${local.series.oldest_seconds_bucket}[1h])))" }
    },
    {
      title = "Sweeps"
      lines = { for event in ["sweep_finished", "sweep_failed"] : event => "sum(increase(${local.series[event]}[$${__interval}]))" }
    },
  ]
}

resource "google_monitoring_dashboard" "overview" {
  project = var.project_id
  dashboard_json = jsonencode({
    displayName = "Conversion upload: ${var.name}"
    mosaicLayout = {
      columns = 12
      tiles = [
        for index, chart in local.charts : {
          xPos   = 6 * (index % 2)
          yPos   = 4 * floor(index / 2)
          width  = 6
          height = 4
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [
                for name, query in chart.lines : { plotType = "LINE", legendTemplate = name, timeSeriesQuery = { prometheusQuery = query } }
              ]
            }
          }
        }
      ]
    }
  })

  depends_on = [time_sleep.services]
}
