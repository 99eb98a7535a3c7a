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

variable "network" {
  type    = any
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

variable "retention_days" {
  type    = any
  default = null
}

variable "max_instances" {
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
