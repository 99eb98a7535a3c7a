# Optional: one message per processed file, for systems that react to results.
resource "google_pubsub_topic" "results" {
  #checkov:skip=CKV_GCP_83:A message contains an object's name and counts, no personal data; kms_key sets a key of your own.
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
