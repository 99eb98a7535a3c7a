# Optional: files from SFTP servers.
module "sftp" {
  source = "./modules/sftp"
  count  = length(var.sftp_servers) > 0 ? 1 : 0

  project_id            = var.project_id
  region                = var.region
  name                  = var.name
  labels                = var.labels
  kms_key               = var.kms_key
  network               = var.network
  force_destroy         = var.force_destroy
  notification_channels = var.notification_channels
  servers               = var.sftp_servers
  input_bucket          = local.input_bucket.name
  accounts              = local.accounts
  read_on               = local.read_on.sftp_failed

  depends_on = [time_sleep.services]
}
