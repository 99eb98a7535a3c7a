# Without a provider block, so that this module works with `for_each` and `depends_on`. The caller sets up
# the providers; examples/complete is such a caller.

terraform {
  # Since 1.9, validations can refer to other variables.
  required_version = ">= 1.9.0, < 2.0.0"

  required_providers {
    # The tests check every argument against the schemas of 6.50, 7.41 and 8.7.
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50.0, < 9.0.0"
    }
    archive = {
      source  = "hashicorp/archive"
      version = ">= 2.7.1, < 3.0.0"
    }
    time = {
      source  = "hashicorp/time"
      version = ">= 0.13.1, < 1.0.0"
    }
  }
}
