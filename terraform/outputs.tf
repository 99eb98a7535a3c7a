output "input_bucket" {
  description = "Files go here; the first folder chooses the profile."
  value       = google_storage_bucket.input.name
}

output "output_bucket" {
  description = "Results appear here, as <object name>.<generation>.results.json."
  value       = google_storage_bucket.output.name
}

output "state_bucket" {
  description = "The ledger. Nobody needs to look at it."
  value       = google_storage_bucket.state.name
}

output "function_service_account" {
  description = "Who the function is. Add it as a user to the Google Ads account when no OAuth client is used."
  value       = google_service_account.function.email
}

output "secret" {
  description = "Secret that waits for a google-ads.yaml."
  value       = google_secret_manager_secret.google_ads.secret_id
}

output "add_secret_version" {
  description = "Command that adds the google-ads.yaml of the current folder as the secret's newest version."
  value       = "gcloud secrets versions add ${google_secret_manager_secret.google_ads.secret_id} --project=${var.project_id} --data-file=google-ads.yaml"
}

output "results_topic" {
  description = "Topic with a message per finished file; null unless announce is true."
  value       = var.announce ? google_pubsub_topic.results[0].id : null
}

output "profiles" {
  description = "The profiles document as deployed; `python -m lib check --profiles` takes it."
  value       = "gs://${google_storage_bucket.source.name}/${google_storage_bucket_object.profiles.name}"
}

output "run_sweep" {
  description = "Command that runs the sweep now."
  value       = "gcloud scheduler jobs run ${google_cloud_scheduler_job.sweep.name} --project=${var.project_id} --location=${var.region}"
}

output "dashboard" {
  description = "Where to look."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${element(split("/", google_monitoring_dashboard.overview.id), 3)}?project=${var.project_id}"
}
