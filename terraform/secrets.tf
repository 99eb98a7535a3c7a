# The secret without its value, because Terraform would store a value as readable text in its state.
# docs/deploy.md shows what it contains and the command that adds it.
resource "google_secret_manager_secret" "google_ads" {
  project   = var.project_id
  secret_id = "${var.name}-google-ads"
  labels    = var.labels

  # A secret takes all its versions with it.
  deletion_protection = !var.force_destroy

  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key[*]

          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [time_sleep.services]
}
