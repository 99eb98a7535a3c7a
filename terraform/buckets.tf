# Four buckets, because a reader of one must not read the others, and because every object written to
# the input bucket starts the function: the function must never write there.

locals {
  bucket_prefix = "${var.project_id}-${var.name}"

  input_bucket = one(concat(
    [for bucket in google_storage_bucket.input : { name = bucket.name, location = bucket.location }],
    [for bucket in var.existing_input_bucket[*] : { name = bucket.name, location = coalesce(bucket.location, var.region) }],
  ))
}

resource "google_storage_bucket" "input" {
  count = var.existing_input_bucket == null ? 1 : 0

  project                     = var.project_id
  name                        = "${local.bucket_prefix}-input"
  location                    = var.region
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  # A run reads one generation, so a file that is overwritten during the run stays readable.
  versioning {
    enabled = true
  }

  # Raw personal data: a deleted version must not be recoverable.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    condition {
      age = var.retention_days.input
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    # Longer than events are repeated (24 hours), and longer than the sweep looks back (7 days).
    condition {
      days_since_noncurrent_time = 8
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = 2
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key[*]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [time_sleep.services]
}

resource "google_storage_bucket" "output" {
  project                     = var.project_id
  name                        = "${local.bucket_prefix}-output"
  location                    = var.region
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  # The sweep replaces results after it sends deferred rows; earlier versions are kept for 30 days.
  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      age = var.retention_days.results
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
    }
    action {
      type = "Delete"
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key[*]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [time_sleep.services]
}

# The state: runs, the markers of their chunks, and corrections (docs/recovery.md).
resource "google_storage_bucket" "state" {
  project                     = var.project_id
  name                        = "${local.bucket_prefix}-state"
  location                    = var.region
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  # What somebody has deleted or changed can be restored for seven days: docs/recovery.md says how. It has no raw data.
  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  # Longer than Google takes a sale (90 days) that a correction must not meet again.
  lifecycle_rule {
    condition {
      age            = 100
      matches_prefix = ["${local.state_prefix}corrections/"]
    }
    action {
      type = "Delete"
    }
  }

  # Later than anything can ask for them.
  lifecycle_rule {
    condition {
      age            = var.retention_days.state
      matches_prefix = ["${local.state_prefix}runs/", "${local.state_prefix}chunks/"]
    }
    action {
      type = "Delete"
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key[*]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [time_sleep.services]
}

# The function's code and the profiles document. They cannot be in the input bucket: writing them would
# start the function.
resource "google_storage_bucket" "source" {
  project                     = var.project_id
  name                        = "${local.bucket_prefix}-source"
  location                    = var.region
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  # Keeps the history of profile changes.
  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 90
      num_newer_versions         = 5
    }
    action {
      type = "Delete"
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key[*]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [time_sleep.services]
}

resource "google_storage_bucket_object" "profiles" {
  bucket       = google_storage_bucket.source.name
  name         = "config/profiles.json"
  content_type = "application/json"
  content      = local.profiles_document
}
