# Optional: one message per processed file, for systems that react to results.
resource "google_pubsub_topic" "results" {
  #checkov:skip=CKV_GCP_83:A message contains an object's name and counts, no personal data; Google's own keys are sufficient.
  count = var.announce ? 1 : 0

  project = var.project_id
  name    = "${var.name}-results"
  labels  = var.labels

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [time_sleep.services]
}
