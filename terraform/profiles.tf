# The profiles as an object that named people may edit. Without profile_editors, Terraform alone writes them
# (buckets.tf), and `profiles` in terraform.tfvars is what counts.

locals {
  profiles_are_edited = length(var.profile_editors) > 0

  # Unset attributes are left out, so that the function's own defaults apply.
  profiles_document = jsonencode({
    for name, profile in var.profiles :
    name => { for key, value in profile : key => value if value != null }
  })

  profiles_bucket = local.profiles_are_edited ? google_storage_bucket.profiles[0].name : google_storage_bucket.source.name
  profiles_object = local.profiles_are_edited ? "profiles.json" : google_storage_bucket_object.profiles.name
}

# A bucket of its own: whoever may list and edit the profiles must not see the code, or replace it.
resource "google_storage_bucket" "profiles" {
  count = local.profiles_are_edited ? 1 : 0

  project                     = var.project_id
  name                        = "${local.bucket_prefix}-profiles"
  location                    = var.region
  labels                      = var.labels
  force_destroy               = var.force_destroy
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Every edit can be undone. No rule deletes versions: they are small.
  versioning {
    enabled = true
  }

  dynamic "encryption" {
    for_each = var.kms_key[*]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [time_sleep.services]
}

# The first version only: an apply never undoes what somebody has edited. Without its last editor, the plan fails,
# because the profiles of terraform.tfvars, which may be years old, would apply again: docs/operate.md says what to do.
resource "google_storage_bucket_object" "edited_profiles" {
  count = local.profiles_are_edited ? 1 : 0

  bucket       = google_storage_bucket.profiles[0].name
  name         = "profiles.json"
  content_type = "application/json"
  content      = local.profiles_document

  lifecycle {
    ignore_changes  = all
    prevent_destroy = true
  }
}

# Listing is needed to open the bucket in the console, and this bucket has nothing else.
resource "google_storage_bucket_iam_member" "profile_readers" {
  for_each = toset(var.profile_editors)

  bucket = google_storage_bucket.profiles[0].name
  role   = "roles/storage.objectViewer"
  member = each.value
}

# objectUser, not objectCreator: replacing an object requires the permission to delete it. The condition
# limits the role to the one object.
resource "google_storage_bucket_iam_member" "profile_editors" {
  for_each = toset(var.profile_editors)

  bucket = google_storage_bucket.profiles[0].name
  role   = "roles/storage.objectUser"
  member = each.value

  condition {
    title      = "profiles-only"
    expression = "resource.name == \"projects/_/buckets/${google_storage_bucket.profiles[0].name}/objects/profiles.json\""
  }
}

resource "google_storage_bucket_iam_member" "function_profiles" {
  count = local.profiles_are_edited ? 1 : 0

  bucket = google_storage_bucket.profiles[0].name
  role   = "roles/storage.objectViewer"
  member = local.accounts.function.member
}
