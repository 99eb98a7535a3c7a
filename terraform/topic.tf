# Optional: one message per processed file, for systems that react to results.
resource "google_pubsub_topic" "results" {
  count = var.announce ? 1 : 0

  project      = var.project_id
  name         = "${var.name}-results"
  labels       = var.labels
  kms_key_name = var.kms_key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [time_sleep.services]
}
