module "conversions" {
  source = "../.."

  project_id            = var.project_id
  region                = var.region
  name                  = var.name
  labels                = var.labels
  profiles              = var.profiles
  settings              = var.settings
  profile_editors       = var.profile_editors
  uploaders             = var.uploaders
  readers               = var.readers
  grant_storage_agent   = var.grant_storage_agent
  existing_input_bucket = var.existing_input_bucket
  service_accounts      = var.service_accounts
  kms_key               = var.kms_key
  network               = var.network
  force_destroy         = var.force_destroy
  sftp_servers          = var.sftp_servers
  retention_days        = var.retention_days
  max_instances         = var.max_instances
  notification_channels = var.notification_channels
  docs_url              = var.docs_url
}
