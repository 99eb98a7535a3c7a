# The secrets without their values, because Terraform would store a value as readable text in its state.
# docs/deploy.md and docs/operate.md show what they contain and the commands that add it.
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

# The addresses of Slack, Teams, mail and others, to which the sweep sends news.
resource "google_secret_manager_secret" "notices" {
  count = var.notices ? 1 : 0

  project   = var.project_id
  secret_id = "${var.name}-notices"
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
