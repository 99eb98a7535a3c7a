# ../../variables.tf describes them. Unset ones have the module's defaults.

variable "project_id" {
  type = string
}

variable "region" {
  type = string
}

variable "name" {
  type    = string
  default = null
}

variable "bucket_prefix" {
  type    = string
  default = null
}

variable "labels" {
  type    = any
  default = null
}

variable "profiles" {
  type = any
}

variable "settings" {
  type    = any
  default = null
}

variable "profile_editors" {
  type    = any
  default = null
}

variable "profile_readers" {
  type    = any
  default = null
}

variable "google_ads_secret_version" {
  type    = string
  default = null
}

variable "uploaders" {
  type    = any
  default = null
}

variable "readers" {
  type    = any
  default = null
}

variable "grant_storage_agent" {
  type    = bool
  default = null
}

variable "audit_reads" {
  type    = bool
  default = null
}

variable "existing_input_bucket" {
  type    = any
  default = null
}

variable "service_accounts" {
  type    = any
  default = null
}

variable "kms_key" {
  type    = string
  default = null
}

variable "vpc_connector" {
  type    = string
  default = null
}

variable "vpc_egress" {
  type    = string
  default = null
}

variable "build_worker_pool" {
  type    = string
  default = null
}

variable "force_destroy" {
  type    = bool
  default = null
}

variable "sftp_servers" {
  type    = any
  default = null
}

variable "sftp_image" {
  type    = string
  default = null
}

variable "input_retention_days" {
  type    = number
  default = null
}

variable "results_retention_days" {
  type    = number
  default = null
}

variable "state_retention_days" {
  type    = number
  default = null
}

variable "max_instances" {
  type    = number
  default = null
}

variable "sweep_minutes" {
  type    = number
  default = null
}

variable "notification_channels" {
  type    = any
  default = null
}

variable "docs_url" {
  type    = string
  default = null
}
