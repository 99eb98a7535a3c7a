# A scheduled query that exports conversions to the function's input bucket. See docs/integrations.md.

variable "project_id" {
  type = string
}

variable "location" {
  description = "Location of the dataset, such as EU. The input bucket must be in it, or in a region of it."
  type        = string
}

variable "input_bucket" {
  description = "The output input_bucket of the function's module."
  type        = string
}

variable "dataset" {
  type = string
}

variable "table" {
  type = string
}

resource "google_service_account" "export" {
  project    = var.project_id
  account_id = "conversions-export"
}

# The query runs as a job, reads the table, and creates objects. It can neither read nor replace any.
resource "google_project_iam_member" "jobs" {
  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.export.member
}

resource "google_bigquery_dataset_iam_member" "read" {
  project    = var.project_id
  dataset_id = var.dataset
  role       = "roles/bigquery.dataViewer"
  member     = google_service_account.export.member
}

resource "google_storage_bucket_iam_member" "create" {
  bucket = var.input_bucket
  role   = "roles/storage.objectCreator"
  member = google_service_account.export.member
}

resource "google_bigquery_data_transfer_config" "export" {
  project              = var.project_id
  location             = var.location
  display_name         = "Conversions for Google Ads"
  data_source_id       = "scheduled_query"
  schedule             = "every day 05:00"
  service_account_name = google_service_account.export.email

  params = {
    query = templatefile("${path.module}/export_conversions.sql", {
      project_id   = var.project_id
      dataset      = var.dataset
      table        = var.table
      input_bucket = var.input_bucket
    })
  }

  depends_on = [
    google_project_iam_member.jobs,
    google_bigquery_dataset_iam_member.read,
    google_storage_bucket_iam_member.create,
  ]
}
