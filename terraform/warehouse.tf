# Optional: results in BigQuery. Pub/Sub writes the message of each file into a table, and BigQuery reads the
# problems of the rows from the results documents themselves. docs/integrations.md has queries.

locals {
  warehouse = var.warehouse ? { dataset = replace(var.name, "-", "_") } : {}

  # The columns are the fields of docs/message.schema.json, and what Pub/Sub adds to a message.
  file_columns = concat(
    [
      { name = "bucket", type = "STRING", mode = "REQUIRED" },
      { name = "name", type = "STRING", mode = "REQUIRED" },
      { name = "status", type = "STRING", mode = "REQUIRED" },
      {
        name = "counts"
        type = "RECORD"
        mode = "REQUIRED"
        fields = [
          for count in ["rows", "uploaded", "duplicate", "rejected", "failed", "deferred", "skipped", "not_attempted", "warnings", "ok", "awaiting", "unmatched"] :
          { name = count, type = "INT64", mode = "NULLABLE" }
        ]
      },
      { name = "not_counted", type = "INT64", mode = "NULLABLE" },
    ],
    [for name, type in { subscription_name = "STRING", message_id = "STRING", publish_time = "TIMESTAMP", attributes = "JSON" } : { name = name, type = type, mode = "NULLABLE" }],
  )
}

resource "google_bigquery_dataset" "results" {
  #checkov:skip=CKV_GCP_81:The tables contain counts, codes and order IDs; kms_key sets a key of your own.
  for_each = local.warehouse

  project                    = var.project_id
  dataset_id                 = each.value
  location                   = var.region
  labels                     = var.labels
  description                = "Results of the conversion upload ${var.name}."
  delete_contents_on_destroy = var.force_destroy

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key[*]

    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  depends_on = [time_sleep.services]
}

resource "google_bigquery_table" "messages" {
  #checkov:skip=CKV_GCP_80:The key of the dataset applies to the table.
  #checkov:skip=CKV_GCP_121:The table is protected unless force_destroy is set.
  for_each = local.warehouse

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.results[each.key].dataset_id
  table_id            = "messages"
  labels              = var.labels
  description         = "One row for each message about a file."
  deletion_protection = !var.force_destroy
  schema              = jsonencode(local.file_columns)

  time_partitioning {
    type  = "DAY"
    field = "publish_time"
  }
}

resource "google_bigquery_table_iam_member" "pubsub" {
  for_each = local.warehouse

  project    = var.project_id
  dataset_id = google_bigquery_dataset.results[each.key].dataset_id
  table_id   = google_bigquery_table.messages[each.key].table_id
  role       = "roles/bigquery.dataEditor"
  member     = "serviceAccount:service-${local.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  # A replaced table has lost its grants.
  lifecycle {
    replace_triggered_by = [google_bigquery_table.messages[each.key].id]
  }
}

resource "time_sleep" "warehouse" {
  for_each = local.warehouse

  create_duration = "60s"

  depends_on = [google_bigquery_table_iam_member.pubsub]
}

resource "google_pubsub_subscription" "warehouse" {
  for_each = local.warehouse

  project = var.project_id
  name    = "${var.name}-warehouse"
  topic   = google_pubsub_topic.results[0].id
  labels  = var.labels

  # Messages that cannot be written, such as after somebody has changed the table.
  message_retention_duration = "604800s"

  bigquery_config {
    table               = "${var.project_id}.${google_bigquery_table.messages[each.key].dataset_id}.${google_bigquery_table.messages[each.key].table_id}"
    use_table_schema    = true
    write_metadata      = true
    drop_unknown_fields = true
  }

  # Never deleted for lack of traffic.
  expiration_policy {
    ttl = ""
  }

  depends_on = [time_sleep.warehouse]
}

# The last message of each file: a message can arrive twice, and a later one has newer counts.
resource "google_bigquery_table" "files" {
  #checkov:skip=CKV_GCP_80:A view contains no data of its own, only a query.
  #checkov:skip=CKV_GCP_121:A view contains no data of its own, only a query.
  for_each = local.warehouse

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.results[each.key].dataset_id
  table_id            = "files"
  labels              = var.labels
  description         = "The newest counts of each file."
  deletion_protection = false

  view {
    use_legacy_sql = false
    query          = templatefile("${path.module}/warehouse_files.sql", { table = "${var.project_id}.${each.value}.${google_bigquery_table.messages[each.key].table_id}" })
  }
}

# Each line of the results documents is a text: no comma separates columns, and no quotation mark has a meaning.
resource "google_bigquery_table" "lines" {
  #checkov:skip=CKV_GCP_80:The data stays in the output bucket, which has the key.
  #checkov:skip=CKV_GCP_121:The data stays in the output bucket, and is not deleted.
  for_each = local.warehouse

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.results[each.key].dataset_id
  table_id            = "result_lines"
  labels              = var.labels
  description         = "The lines of all results documents. Query the view problems instead."
  deletion_protection = false

  external_data_configuration {
    source_uris   = ["gs://${google_storage_bucket.output.name}/*.results.json"]
    source_format = "CSV"
    autodetect    = false
    schema        = jsonencode([{ name = "text", type = "STRING", mode = "NULLABLE" }])

    csv_options {
      quote           = ""
      field_delimiter = "\u0001"
    }
  }
}

resource "google_bigquery_table" "problems" {
  #checkov:skip=CKV_GCP_80:A view contains no data of its own, only a query.
  #checkov:skip=CKV_GCP_121:A view contains no data of its own, only a query.
  for_each = local.warehouse

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.results[each.key].dataset_id
  table_id            = "problems"
  labels              = var.labels
  description         = "One row for each error and warning of a row of a file."
  deletion_protection = false

  view {
    use_legacy_sql = false
    query          = templatefile("${path.module}/warehouse_problems.sql", { table = "${var.project_id}.${each.value}.${google_bigquery_table.lines[each.key].table_id}" })
  }
}
