# Runs the module on mocked providers: no cloud, no credentials. `.github/workflows/terraform.yml` runs it on the
# supported versions. NOT RUN where this was written: no current Terraform was there.

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = { email = "a@acme-conversions.iam.gserviceaccount.com", member = "serviceAccount:a@acme-conversions.iam.gserviceaccount.com" }
  }
}

mock_provider "archive" {}
mock_provider "time" {}

variables {
  project_id = "acme-conversions"
  region     = "europe-west1"
  profiles   = { default = { destination = "google_ads", customer_id = "123-456-7890", expect = "any time", action = "Offline sale", time_zone = "Europe/Berlin" } }
}

run "a_first_apply" {
  assert {
    condition     = google_cloudfunctions2_function.ingest.name == "conversions-ingest" && length(google_storage_bucket.input) == 1
    error_message = "A first apply creates the function and the bucket of the files."
  }
}

run "the_same_again" {
  command = plan
}

run "another_region" {
  command = plan

  variables {
    region = "europe-west3"
  }

  expect_failures = [terraform_data.deployment]
}

run "another_name" {
  command = plan

  variables {
    name = "uploads"
  }

  expect_failures = [terraform_data.deployment]
}

run "a_misspelled_setting" {
  command = plan

  variables {
    settings = { list_all_row = true }
  }

  expect_failures = [var.settings]
}

run "half_an_instance" {
  command = plan

  variables {
    max_instances = 2.5
  }

  expect_failures = [var.max_instances]
}

run "every_option" {
  command = plan

  variables {
    labels                = { team = "marketing" }
    profile_editors       = ["group:marketing@example.com"]
    notification_channels = ["projects/acme-conversions/notificationChannels/1"]
    settings              = { accepted_suffixes = [".csv"], list_all_rows = true }
    network               = { vpc_connector = "projects/acme-network/locations/europe-west1/connectors/c" }
    retention_days        = { input = 14 }
    kms_key               = "projects/acme-keys/locations/europe-west1/keyRings/r/cryptoKeys/k"
    sftp_servers          = { crm = { host = "sftp.example.com", user = "acme", known_hosts = "sftp.example.com ssh-ed25519 AAAA" } }
  }

  assert {
    condition     = google_secret_manager_secret.google_ads.deletion_protection
    error_message = "A plan must not destroy a secret."
  }
}
