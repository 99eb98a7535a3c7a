terraform {
  # Since 1.9, validations can refer to other variables.
  required_version = ">= 1.9.0, < 2.0.0"

  required_providers {
    # The tests check every argument against the schema of 6.50.
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50.0, < 7.0.0"
    }
    archive = {
      source  = "hashicorp/archive"
      version = ">= 2.6.0, < 3.0.0"
    }
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  default_labels = var.labels
}
