# The module that calls this one says which releases.

terraform {
  required_providers {
    google = {
      source = "hashicorp/google"
    }
  }
}
