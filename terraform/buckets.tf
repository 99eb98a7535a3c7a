# Four buckets, because a reader of one has no business in the others, and because what is written
# to the input bucket starts the function: nothing of ours may ever be written there.

locals {
  bucket_prefix = coalesce(var.bucket_prefix, "${var.project_id}-${var.name}")
}

resource "google_storage_bucket" "input" {
  #checkov:skip=CKV_GCP_62:Usage logs are the old way; audit_reads turns on audit logs, which name the reader.
  name                        = "${local.bucket_prefix}-input"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # A file that is overwritten while it is read stays readable: a run reads one generation.
  versioning {
    enabled = true
  }

  # Raw personal data: a version that is deleted is gone.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    condition {
      age = var.input_retention_days
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    # Longer than any event is retried (24 hours) or the sweep looks back.
    condition {
      days_since_noncurrent_time = coalesce(var.settings.sweep_max_age_days, 7) + 1
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

  depends_on = [google_project_service.required]
}

resource "google_storage_bucket" "output" {
  #checkov:skip=CKV_GCP_62:Usage logs are the old way; audit_reads turns on audit logs, which name the reader.
  name                        = "${local.bucket_prefix}-output"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Results are written again when deferred rows have been sent; the earlier ones stay for a while.
  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      age = var.results_retention_days
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

  depends_on = [google_project_service.required]
}

# The ledger: claims, leases and chunk markers.
resource "google_storage_bucket" "state" {
  #checkov:skip=CKV_GCP_62:Usage logs are the old way; audit_reads turns on audit logs, which name the reader.
  #checkov:skip=CKV_GCP_78:A lease is renewed every 20 seconds; versions of it would only cost. Generations guard it.
  name                        = "${local.bucket_prefix}-state"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # For the same reason.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    # Longer than any retry, deferral or sweep (validated in variables.tf).
    condition {
      age            = var.state_retention_days
      matches_prefix = [local.state_prefix]
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.required]
}

# The function's code and the profiles document. Not the input bucket: that would start the function.
resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:Usage logs are the old way; audit_reads turns on audit logs, which name the reader.
  name                        = "${local.bucket_prefix}-source"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Who changed a profile, and what it was before.
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

  depends_on = [google_project_service.required]
}

resource "google_storage_bucket_object" "profiles" {
  bucket       = google_storage_bucket.source.name
  name         = "config/profiles.json"
  content_type = "application/json"

  # Unset attributes are left out, so that the function's own defaults hold.
  content = jsonencode({
    for name, profile in var.profiles :
    name => { for key, value in profile : key => value if value != null }
  })
}
