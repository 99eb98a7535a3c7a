terraform {
  required_version = ">= 1.9.0, < 2.0.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50.0, < 9.0.0"
    }
  }

  # `terraform init -backend-config=bucket=...` names the bucket, as docs/deploy.md shows.
  backend "gcs" {
    prefix = "offline-conversions"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}
