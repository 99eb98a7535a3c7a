# What a person must know, and how they hear of it. docs/operate.md has a section for every alert.
#
# Two kinds of alert policies:
# - A log line that names a problem alerts at once (`log_alerts`). Its notification says which file, what
#   happened and what to do. Cloud Monitoring sends at most 20 of these a day for each policy, and one per
#   `every` for the same file and problem: https://cloud.google.com/monitoring/quotas
# - A metric alerts if something is missing, or adds up (`metric_alerts`). Cloud Monitoring waits at most 23.5
#   hours for something that is missing (https://cloud.google.com/monitoring/alerts/metric-absence), and knows
#   no weekends. So the sweep itself looks for the file that did not come.

locals {
  # Every event that lib/adapters/logging.py marks as ALERT. Keys are event names. A problem that lasts logs
  # its line again and again: it has `every`.
  event_alerts = {
    run_stopped = {
      title    = "A file was stopped"
      severity = "ERROR"
      what     = "The account, the profile or the file is wrong, so the rest of the file was not sent. The results document says what is wrong and what to do."
    }
    rows_failing = {
      title    = "Many rows of a file fail"
      severity = "WARNING"
      what     = "At least ${local.failing_rows_least} rows of the file, and more than ${local.failing_rows_ratio * 100} % of them (without skipped rows), were rejected or failed. The report says why."
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
      every    = "21600s"
      what     = "No action needed; files wait and continue automatically when the daily quota resets."
    }
    sweep_failed = {
      title    = "The sweep failed"
      severity = "WARNING"
      every    = "7200s"
      what     = "Deferred rows and files whose event was lost wait until a sweep succeeds."
    }
    settings_invalid = {
      title    = "A setting, a permission or a bucket is wrong"
      severity = "CRITICAL"
      every    = "7200s"
      what     = "Files wait. The detail names every variable, permission or bucket that is wrong or missing, and what to do."
    }
    # Its threshold is LATE_AFTER in lib/run/redelivery.py.
    run_late = {
      title    = "A file is late"
      severity = "WARNING"
      every    = "7200s"
      what     = "Attempts still fail 10 minutes after the event of the file, or after its follow-up was due. The code says why, the action what to do if it lasts."
    }
    # Its threshold is UNFINISHED_AFTER in lib/followup/unfinished.py.
    file_unfinished = {
      title    = "A file has no results"
      severity = "ERROR"
      every    = "7200s"
      what     = "An hour after its upload, the file still has no results. It is the oldest such file."
    }
    follow_up_blocked = {
      title    = "A follow-up cannot continue"
      severity = "ERROR"
      every    = "7200s"
      what     = "Rows cannot be sent again, or Google cannot be asked what it has counted, until somebody fixes the cause."
    }
    events_missing = {
      title    = "No events arrive"
      severity = "ERROR"
      every    = "7200s"
      what     = "No event has started the file: only the sweep finds it. The trigger, or one of its permissions, may be gone. The sweep processes the files later."
    }
    # Its thresholds are the settings no_file_*.
    no_file = {
      title    = "No file"
      severity = "ERROR"
      every    = "21600s"
      what     = "A file is expected, and none has arrived. The detail says since when."
    }
    # Its thresholds are LEFT_AFTER and LEFT_UNTIL in lib/followup/left_files.py.
    file_ignored = {
      title    = "A file is not processed"
      severity = "WARNING"
      every    = "86400s"
      what     = "The name of the file says that it is still being written, or hidden, but it has been there for an hour. Its rows are not sent."
    }
    concern = {
      title    = "Somebody must know"
      severity = "ERROR"
      what     = "Something that shows only over time, or by absence. The sweep tells it once, daily, and when it is over."
    }
    announce_failed = {
      title    = "A message was not published"
      severity = "WARNING"
      what     = "The file is complete, but the message about it could not be published."
    }
    # Its thresholds are those of rows_failing.
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
      every    = "7200s"
      what     = "The software has a bug. The file is retried for 24 hours. The detail says where the error happened."
    }
  }

  # What Cloud Run says itself. The texts are those of https://cloud.google.com/run/docs/troubleshooting
  platform_alerts = {
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

  failing_rows_least = coalesce(var.settings.failing_rows_least, 5)
  failing_rows_ratio = coalesce(var.settings.failing_rows_ratio, 0.2)

  # In a notification → in the log line.
  labels = { file = "run_id", code = "code", detail = "detail", action = "action", report = "report" }

  log_alerts = merge(
    {
      for event, alert in local.event_alerts : event => merge(alert, {
        every   = try(alert.every, "300s")
        filter  = "${local.logs_of_functions} AND jsonPayload.event=\"${event}\""
        labels  = { for label, field in local.labels : label => "jsonPayload.${field}" }
        subject = "$${log.extracted_label.file} $${log.extracted_label.code}"
        says    = "File: $${log.extracted_label.file}\n\nCode: $${log.extracted_label.code}\n\nDetail: $${log.extracted_label.detail}\n\nWhat to do: $${log.extracted_label.action}\n\n[Report](${local.results_address}/$${log.extracted_label.report}), as soon as the file has results"
      })
    },
    {
      for name, alert in local.platform_alerts : name => merge(alert, {
        every   = "3600s"
        filter  = "${local.logs_of_functions} AND ${alert.filter}"
        subject = "$${log.extracted_label.service}"
        says    = join("\n\n", [for label in keys(alert.labels) : "${title(label)}: $${log.extracted_label.${label}}"])
      })
    },
  )

  results_address = "https://storage.cloud.google.com/${google_storage_bucket.output.name}"
  logs_address    = "https://console.cloud.google.com/logs/query"

  # Events that are counted.
  counted_events = ["run_finished", "run_stopped", "run_stale", "run_redelivered", "request_retry", "rows_failing", "sweep_finished", "sweep_failed"]

  # `counts` in the last log line of a run.
  row_counts = ["rows", "uploaded", "duplicate", "rejected", "failed", "deferred", "skipped", "not_attempted"]

  # Other numbers in log lines: metric → event, field, unit.
  numbers = {
    not_counted    = { event = "run_updated", field = "not_counted", unit = "1" }
    chunk_seconds  = { event = "chunk_sent", field = "seconds", unit = "s" }
    oldest_seconds = { event = "sweep_finished", field = "oldest_unfinished_seconds", unit = "s" }
  }

  # The objective: this share of all files has results in time. A stopped file has results, too.
  objective       = 99 # percent
  results_seconds = 1800

  has_results = "jsonPayload.event=(\"run_finished\" OR \"run_stopped\" OR \"run_stale\")"

  # Other counted lines: metric → what it counts.
  counted_lines = {
    files_with_results = { what = "Files with results.", filter = local.has_results }
    files_late         = { what = "Files whose results came late.", filter = "${local.has_results} AND jsonPayload.since_arrival_seconds>${local.results_seconds}" }
    # One line is one notification, unless there are more than 20 a day.
    notified_files = { what = "Alerts that are about a single file.", filter = "jsonPayload.event=(${join(" OR ", [for event, alert in local.event_alerts : "\"${event}\"" if !can(alert.every)])})" }
  }

  logs_of_functions = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"${google_cloudfunctions2_function.ingest.name}\" OR \"${google_cloudfunctions2_function.sweep.name}\")"

  # Metric → its name in PromQL, where / and - become _.
  # https://cloud.google.com/monitoring/promql/promql-mapping
  series = {
    for metric in concat(
      local.counted_events,
      keys(local.counted_lines),
      [for outcome in local.row_counts : "rows_${outcome}_sum"],
      [for number in keys(local.numbers) : "${number}_bucket"],
      [for number in keys(local.numbers) : "${number}_sum"],
    ) :
    metric => "logging_googleapis_com:user_${replace(var.name, "-", "_")}_${metric}{monitored_resource=\"cloud_run_revision\"}"
  }

  # The longest time between two sweeps of the schedule, in minutes. First the minutes and the hours, in their
  # order: 100 more makes all of them as long, so that they can be sorted as texts.
  sweep_fields = [
    for index, most in [59, 23] : [
      for text in sort(distinct(flatten([
        for part in split(",", split(" ", var.sweep_schedule)[index]) : [
          for found in regexall("^(\\*|[0-9]+)(-[0-9]+)?(/[0-9]+)?$", part) : [
            for number in range(
              found[0] == "*" ? 0 : tonumber(found[0]),
              1 + (found[1] != null ? tonumber(trimprefix(found[1], "-")) : found[0] == "*" || found[2] != null ? most : tonumber(found[0])),
              found[2] != null ? tonumber(trimprefix(found[2], "/")) : 1,
            ) : tostring(100 + number)
          ]
        ]
      ]))) : tonumber(text) - 100
    ]
  ]
  sweep_minutes = local.sweep_fields[0]
  sweep_hours   = local.sweep_fields[1]
  sweep_gaps = {
    minutes = [for index, at in slice(local.sweep_minutes, 1, length(local.sweep_minutes)) : at - local.sweep_minutes[index]]
    hours   = [for index, at in concat(slice(local.sweep_hours, 1, length(local.sweep_hours)), [local.sweep_hours[0] + 24]) : at - local.sweep_hours[index]]
  }
  sweep_interval_minutes = max(
    60 * max(local.sweep_gaps.hours...) - local.sweep_minutes[length(local.sweep_minutes) - 1] + local.sweep_minutes[0],
    local.sweep_gaps.minutes...
  )
}

# ── metrics ───────────────────────────────────────────────────────────────────────────────────

resource "google_logging_metric" "events" {
  for_each = toset(local.counted_events)

  project     = var.project_id
  name        = "${var.name}/${each.value}"
  description = "Log lines with the event ${each.value}."
  filter      = "${local.logs_of_functions} AND jsonPayload.event=\"${each.value}\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

resource "google_logging_metric" "lines" {
  for_each = local.counted_lines

  project     = var.project_id
  name        = "${var.name}/${each.key}"
  description = each.value.what
  filter      = "${local.logs_of_functions} AND ${each.value.filter}"

  label_extractors = {
    event = "EXTRACT(jsonPayload.event)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key         = "event"
      value_type  = "STRING"
      description = "Name of the event."
    }
  }
}

resource "google_logging_metric" "rows" {
  for_each = toset(local.row_counts)

  project         = var.project_id
  name            = "${var.name}/rows/${each.value}"
  description     = "Rows of finished runs: ${each.value}."
  filter          = "${local.logs_of_functions} AND ${local.has_results}"
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

check "notification_channels" {
  assert {
    condition     = length(var.notification_channels) > 0
    error_message = "notification_channels is empty: alerts appear only in the console, and nobody is notified."
  }
}

resource "google_monitoring_alert_policy" "logs" {
  for_each = local.log_alerts

  project               = var.project_id
  display_name          = "${var.name}: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = var.notification_channels

  conditions {
    display_name = each.key

    condition_matched_log {
      filter           = each.value.filter
      label_extractors = { for label, field in each.value.labels : label => "EXTRACT(${field})" }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: ${each.value.title}: ${each.value.subject}"
    content   = "${each.value.what}\n\n${each.value.says}\n\nMore: ${local.runbook[each.key]}\n\n[Log lines](${local.logs_address};query=${replace(urlencode(each.value.filter), "+", "%20")}?project=${var.project_id})"
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = each.value.every
    }
  }

  depends_on = [time_sleep.services]
}

locals {
  # Alert → where to read on.
  runbook = {
    for name in concat(keys(local.log_alerts), keys(local.metric_alerts)) :
    name => var.runbook_url == null ? "docs/operate.md, section ${name}" : "[${name}](${var.runbook_url}#${name})"
  }

  late_share = {
    for window in ["5m", "30m", "1h", "6h"] :
    window => "sum(increase(${local.series.files_late}[${window}])) / sum(increase(${local.series.files_with_results}[${window}]))"
  }

  # Fewer late files have their own alerts, run_late and file_unfinished.
  late_files_least = 3

  # https://sre.google/workbook/alerting-on-slos/: how many times faster than allowed the budget is used up,
  # in a long and in a short window.
  burn_rates = {
    results_late_fast = { title = "Many results come late", long = "1h", short = "5m", rate = 14.4, severity = "ERROR" }
    results_late_slow = { title = "Results come late for hours", long = "6h", short = "30m", rate = 6, severity = "WARNING" }
  }

  # `increase` extrapolates, so its results are compared with halves.
  metric_alerts = merge(
    {
      rows_failing_hourly = {
        title    = "Many rows of small files fail"
        severity = "WARNING"
        what     = "At least ${local.failing_rows_least} of an hour's rows, and more than ${local.failing_rows_ratio * 100} % of them (without skipped rows), were rejected or failed, in files too small for an alert of their own. `codes` in the results documents says why."
        query    = "((sum(increase(${local.series.rows_rejected_sum}[1h])) + sum(increase(${local.series.rows_failed_sum}[1h]))) / (sum(increase(${local.series.rows_rows_sum}[1h])) - sum(increase(${local.series.rows_skipped_sum}[1h])) > 0) > ${local.failing_rows_ratio} and sum(increase(${local.series.rows_rejected_sum}[1h])) + sum(increase(${local.series.rows_failed_sum}[1h])) > ${local.failing_rows_least - 0.5}) unless sum(increase(${local.series.rows_failing}[1h])) > 0"
        wait     = "0s"
      }
      # `or vector(0)`: no data at all is exactly the case to detect. A sweep works for up to 27 minutes. So
      # the next one can end this long after the time of the schedule. A new deployment has as long for its first.
      sweep_silent = {
        title    = "The sweep is not running"
        severity = "ERROR"
        what     = "No sweep has finished for ${local.sweep_interval_minutes + 28} minutes; the schedule has one every ${local.sweep_interval_minutes} minutes. Until it runs again, lost events, deferred rows and missing files go unnoticed."
        query    = "(sum(increase(${local.series.sweep_finished}[10m])) or vector(0)) < 0.5"
        wait     = "${60 * (local.sweep_interval_minutes + 18)}s"
      }
      notifications_capped = {
        title    = "More problems than notifications"
        severity = "ERROR"
        what     = "Cloud Monitoring sends at most 20 notifications a day for each alert, and today there were nearly as many, or more. Look at the log lines, or at the [overview of all files](${local.results_address}/index.html)."
        query    = "sum by (event) (increase(${local.series.notified_files}[1d])) > 18"
        wait     = "0s"
      }
    },
    {
      for name, burn in local.burn_rates : name => {
        title    = burn.title
        severity = burn.severity
        what     = "${local.objective} % of all files should have results within ${local.results_seconds / 60} minutes. In the last ${burn.long}, at least ${local.late_files_least} files were late, and the error budget was used up ${burn.rate} times as fast as allowed."
        query    = "${local.late_share[burn.long]} > ${format("%.3f", burn.rate * (100 - local.objective) / 100)} and ${local.late_share[burn.short]} > ${format("%.3f", burn.rate * (100 - local.objective) / 100)} and sum(increase(${local.series.files_late}[${burn.long}])) > ${local.late_files_least - 0.5}"
        wait     = "0s"
      }
    },
  )
}

resource "google_monitoring_alert_policy" "metrics" {
  for_each = local.metric_alerts

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
    content   = "${each.value.what}\n\nMore: ${local.runbook[each.key]}"
  }

  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [
    google_cloud_scheduler_job.sweep,
    google_logging_metric.events,
    google_logging_metric.lines,
    google_logging_metric.rows,
  ]
}

# ── objective ─────────────────────────────────────────────────────────────────────────────────

resource "google_monitoring_custom_service" "files" {
  project      = var.project_id
  service_id   = "${var.name}-files"
  display_name = "${var.name}: files"

  depends_on = [time_sleep.services]
}

resource "google_monitoring_slo" "results" {
  project             = var.project_id
  service             = google_monitoring_custom_service.files.service_id
  slo_id              = "results-in-time"
  display_name        = "${local.objective} % of files have results within ${local.results_seconds / 60} minutes"
  goal                = local.objective / 100
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      bad_service_filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.lines["files_late"].name}\" resource.type=\"cloud_run_revision\""
      total_service_filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.lines["files_with_results"].name}\" resource.type=\"cloud_run_revision\""
    }
  }
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
