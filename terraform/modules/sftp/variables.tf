# Each name means what it means in the module that calls this one.

variable "project_id" {
  type = string
}

variable "region" {
  type = string
}

variable "name" {
  type = string
}

variable "labels" {
  type = map(string)
}

variable "kms_key" {
  type        = string
  description = "Null for none."
}

variable "network" {
  type = object({ vpc_connector = string, vpc_egress = string })
}

variable "force_destroy" {
  type = bool
}

variable "notification_channels" {
  type = list(string)
}

variable "servers" {
  type = map(object({
    host            = string
    user            = string
    known_hosts     = string
    port            = number
    path            = string
    folder          = string
    done_folder     = string
    since           = string
    min_age_minutes = number
    schedule        = string
    timeout_seconds = number
    image           = string
  }))
  description = "sftp_servers, with all defaults filled in."
}

variable "input_bucket" {
  type        = string
  description = "Name of the bucket that receives the files."
}

variable "accounts" {
  type = object({
    sftp      = object({ email = string, member = string })
    scheduler = object({ email = string, member = string })
  })
  description = "Who runs the jobs, and who starts them."
}

variable "read_on" {
  type        = string
  description = "Last paragraph of the alert: where to read what to do."
}
