# Metrics for the stable event names of lib/adapters/logging.py, alerts on the metrics, and a dashboard.
# docs/operate.md explains for every alert what it means and what to do.

locals {
  # Every event that lib/adapters/logging.py marks as ALERT. Keys are event names.
  event_alerts = {
    run_stopped = {
      title    = "A file was stopped"
      severity = "ERROR"
      what     = "The account, the profile or the file is wrong, so the rest of the file was not sent. The results document says what is wrong and what to do."
    }
    filter_mismatch = {
      title    = "A row filter does not fit a file"
      severity = "WARNING"
      what     = "The row filter of the profile skipped every row of a file, or lists a value that no row has. Conversions may be missing. The notes in the results document name the value."
    }
    run_stale = {
      title    = "A file became too old"
      severity = "ERROR"
      what     = "The file was still unfinished when its event became too old. Processing ended. Fix the cause, then drop the file again."
    }
    quota_exhausted = {
      title    = "The daily quota is used up"
      severity = "WARNING"
      what     = "No action needed; files wait and continue automatically when the daily quota resets."
    }
    sweep_failed = {
      title    = "The sweep failed"
      severity = "WARNING"
      what     = "Deferred rows and files whose event was lost wait until a sweep succeeds."
    }
    settings_invalid = {
      title    = "A setting, a permission or a bucket is wrong"
      severity = "CRITICAL"
      what     = "Files wait. The log line lists every variable, permission or bucket that is wrong or missing, and what to do."
    }
    # Its threshold is LATE_AFTER in lib/run/redelivery.py.
    run_late = {
      title    = "A file is late"
      severity = "WARNING"
      what     = "Attempts still fail 10 minutes after the event of a file, or after its follow-up was due. The log line says why, and what to do if it lasts."
    }
    follow_up_blocked = {
      title    = "A follow-up cannot continue"
      severity = "ERROR"
      what     = "Rows cannot be sent again, or Google cannot be asked what it has counted, until somebody fixes the cause. The log line says what to do."
    }
    events_missing = {
      title    = "No events arrive"
      severity = "ERROR"
      what     = "The newest files were not started by an event within 10 minutes. The trigger, or one of its permissions, may be gone. The sweep processes the files later."
    }
    announce_failed = {
      title    = "A message was not published"
      severity = "WARNING"
      what     = "The file is complete, but the message about it could not be published. The log line names the file, and says what to do."
    }
    # Its thresholds are ALERT_SHARE and ALERT_ROWS in lib/followup/later_outcomes.py.
    rows_not_counted = {
      title    = "Many rows are not counted"
      severity = "WARNING"
      what     = "The Data Manager API accepted the rows of a file, and reported later that it does not count many of them, for reasons that somebody can correct. The results document lists the rows."
    }
    deferred_rows_failed = {
      title    = "Deferred rows are lost with their file"
      severity = "ERROR"
      what     = "Rows waited to be sent, and their file was deleted or overwritten meanwhile. They are `failed`. Upload these rows again."
    }
    unexpected_error = {
      title    = "An unexpected error"
      severity = "ERROR"
      what     = "The software has a bug. The file is retried for 24 hours. The log line says where the error happened."
    }
  }

  # A few wrong rows are no reason to call somebody, even if the file is small.
  failing_rows_least = 5

  # Other events that are counted.
  counted_events = ["run_finished", "run_redelivered", "request_retry", "sweep_finished"]

  # `counts` in the last log line of a run.
  row_counts = ["rows", "uploaded", "duplicate", "rejected", "failed", "deferred", "skipped", "not_attempted"]

  # Other numbers in log lines: metric → event, field, unit.
  numbers = {
    not_counted    = { event = "run_updated", field = "not_counted", unit = "1" }
    chunk_seconds  = { event = "chunk_sent", field = "seconds", unit = "s" }
    oldest_seconds = { event = "sweep_finished", field = "oldest_unfinished_seconds", unit = "s" }
  }

  logs_of_functions = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"${google_cloudfunctions2_function.ingest.name}\" OR \"${google_cloudfunctions2_function.sweep.name}\")"

  # Metric → its name in PromQL, where / and - become _.
  # https://cloud.google.com/monitoring/promql/promql-mapping
  series = {
    for metric in concat(
      keys(local.event_alerts),
      local.counted_events,
      [for outcome in local.row_counts : "rows_${outcome}_sum"],
      [for number in keys(local.numbers) : "${number}_bucket"],
      [for number in keys(local.numbers) : "${number}_sum"],
    ) :
    metric => "logging_googleapis_com:user_${replace(var.name, "-", "_")}_${metric}{monitored_resource=\"cloud_run_revision\"}"
  }
}

# ── metrics ───────────────────────────────────────────────────────────────────────────────────

resource "google_logging_metric" "events" {
  for_each = toset(concat(keys(local.event_alerts), local.counted_events))

  project     = var.project_id
  name        = "${var.name}/${each.value}"
  description = "Log lines with the event ${each.value}."
  filter      = "${local.logs_of_functions} AND jsonPayload.event=\"${each.value}\""

  label_extractors = {
    code = "EXTRACT(jsonPayload.code)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key         = "code"
      value_type  = "STRING"
      description = "Code from docs/codes.md, if the event has one."
    }
  }
}

resource "google_logging_metric" "rows" {
  for_each = toset(local.row_counts)

  project         = var.project_id
  name            = "${var.name}/rows/${each.value}"
  description     = "Rows of finished runs: ${each.value}."
  filter          = "${local.logs_of_functions} AND jsonPayload.event=(\"run_finished\" OR \"run_stopped\" OR \"run_stale\")"
  value_extractor = "EXTRACT(jsonPayload.counts.${each.value})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "1"
  }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 32
      growth_factor      = 2
      scale              = 1
    }
  }
}

resource "google_logging_metric" "numbers" {
  for_each = local.numbers

  project         = var.project_id
  name            = "${var.name}/${each.key}"
  description     = "The field ${each.value.field} of the event ${each.value.event}."
  filter          = "${local.logs_of_functions} AND jsonPayload.event=\"${each.value.event}\""
  value_extractor = "EXTRACT(jsonPayload.${each.value.field})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit
  }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 40
      growth_factor      = 1.5
      scale              = 0.05
    }
  }
}

# ── alerts ────────────────────────────────────────────────────────────────────────────────────

locals {
  alerts = merge(
    {
      for event, alert in local.event_alerts : event => merge(alert, {
        query = "sum by (code) (increase(${local.series[event]}[10m])) > 0"
        # The alert includes the query for its log lines.
        what = "${alert.what}\n\nLog lines: `${local.logs_of_functions} AND jsonPayload.event=\"${event}\"`"
        wait = "0s"
      })
    },
    {
      rows_failing = {
        title    = "Many rows fail"
        severity = "WARNING"
        what     = "At least ${local.failing_rows_least} of an hour's rows, and more than ${var.failing_rows_ratio * 100} % of them (without skipped rows), were rejected or failed. `codes` in the results documents says why."
        query    = "(sum(increase(${local.series.rows_rejected_sum}[1h])) + sum(increase(${local.series.rows_failed_sum}[1h]))) / (sum(increase(${local.series.rows_rows_sum}[1h])) - sum(increase(${local.series.rows_skipped_sum}[1h])) > 0) > ${var.failing_rows_ratio} and sum(increase(${local.series.rows_rejected_sum}[1h])) + sum(increase(${local.series.rows_failed_sum}[1h])) >= ${local.failing_rows_least}"
        wait     = "0s"
      }
      # `or vector(0)`: no data at all is exactly the case to detect.
      sweep_silent = {
        title    = "The sweep is not running"
        severity = "WARNING"
        what     = "No sweep has finished for two hours."
        query    = "(sum(increase(${local.series.sweep_finished}[1h])) or vector(0)) < 1"
        # A new deployment has no finished sweep yet.
        wait = "3600s"
      }
    },
    {
      for hours in var.no_file_hours[*] : "no_file" => {
        title    = "No file"
        severity = "WARNING"
        what     = "No file was processed for ${hours} hours."
        query    = "(sum(increase(${local.series.run_finished}[${hours}h])) or vector(0)) < 1"
        wait     = "0s"
      }
    },
  )
}

resource "google_monitoring_alert_policy" "alerts" {
  for_each = local.alerts

  project               = var.project_id
  display_name          = "${var.name}: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = var.notification_channels

  conditions {
    display_name = each.key

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = each.value.wait
      evaluation_interval = "60s"
      # A metric becomes available only minutes after its creation, or even only after its first log line.
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.what}\n\nWhat to do: docs/operate.md, section ${each.key}."
  }

  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [google_logging_metric.events, google_logging_metric.rows]
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
        { for outcome in slice(local.row_counts, 1, length(local.row_counts)) : outcome => "sum(increase(${local.series["rows_${outcome}_sum"]}[$${__interval}]))" },
        { not_counted = "sum(increase(${local.series.not_counted_sum}[$${__interval}]))" },
      )
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
                for name, query in chart.lines : {
                  plotType       = "LINE"
                  legendTemplate = name
                  timeSeriesQuery = {
                    prometheusQuery = query
                  }
                }
              ]
            }
          }
        }
      ]
    }
  })

  depends_on = [time_sleep.services]
}
