output "input_bucket" {
  description = "Bucket for input files; the first folder selects the profile."
  value       = local.input_bucket.name
}

output "output_bucket" {
  description = "Bucket for results, named <object name>.<generation>.results.json."
  value       = google_storage_bucket.output.name
}

output "overview" {
  description = "Link to the overview of all files, for accounts that may read the output bucket. If it answers 403 (Data Access logs are on), copy it: gcloud storage cp gs://OUTPUT_BUCKET/index.html ."
  value       = "https://storage.cloud.google.com/${google_storage_bucket.output.name}/index.html"
}

output "state_bucket" {
  description = "Bucket of the state, for internal use only."
  value       = google_storage_bucket.state.name
}

output "function_service_account" {
  description = "The function's identity. Add it as a user to the Google Ads account, unless you use an OAuth client."
  value       = local.accounts.function.email
}

output "secret" {
  description = "Secret that must contain a google-ads.yaml."
  value       = google_secret_manager_secret.google_ads.secret_id
}

output "add_secret_version" {
  description = "Command that adds the google-ads.yaml in the current folder as the secret's newest version."
  value       = "gcloud secrets versions add ${google_secret_manager_secret.google_ads.secret_id} --project=${var.project_id} --data-file=google-ads.yaml"
}

output "profiles" {
  description = "The deployed profiles document, for `offline-conversions check --profiles`."
  value       = "gs://${local.profiles_bucket}/${local.profiles_object}"
}

output "run_sweep" {
  description = "Command that runs the sweep now."
  value       = "gcloud scheduler jobs run ${google_cloud_scheduler_job.sweep.name} --project=${var.project_id} --location=${var.region}"
}
