# Written by `python -m tools.terraform_check --write`.

module "conversions" {
  source = "../.."

  project_id                = var.project_id
  region                    = var.region
  name                      = var.name
  bucket_prefix             = var.bucket_prefix
  labels                    = var.labels
  profiles                  = var.profiles
  settings                  = var.settings
  profile_editors           = var.profile_editors
  profile_readers           = var.profile_readers
  google_ads_secret_version = var.google_ads_secret_version
  announce                  = var.announce
  notices                   = var.notices
  uploaders                 = var.uploaders
  readers                   = var.readers
  grant_storage_agent       = var.grant_storage_agent
  audit_reads               = var.audit_reads
  existing_input_bucket     = var.existing_input_bucket
  service_accounts          = var.service_accounts
  kms_key                   = var.kms_key
  vpc_connector             = var.vpc_connector
  vpc_egress                = var.vpc_egress
  build_worker_pool         = var.build_worker_pool
  force_destroy             = var.force_destroy
  sftp_servers              = var.sftp_servers
  sftp_image                = var.sftp_image
  input_retention_days      = var.input_retention_days
  results_retention_days    = var.results_retention_days
  state_retention_days      = var.state_retention_days
  max_instances             = var.max_instances
  sweep_schedule            = var.sweep_schedule
  notification_channels     = var.notification_channels
  runbook_url               = var.runbook_url
}
