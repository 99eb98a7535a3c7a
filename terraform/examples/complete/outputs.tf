output "input_bucket" {
  value = module.conversions.input_bucket
}

output "output_bucket" {
  value = module.conversions.output_bucket
}

output "overview" {
  value = module.conversions.overview
}

output "state_bucket" {
  value = module.conversions.state_bucket
}

output "function_service_account" {
  value = module.conversions.function_service_account
}

output "secret" {
  value = module.conversions.secret
}

output "add_secret_version" {
  value = module.conversions.add_secret_version
}

output "profiles" {
  value = module.conversions.profiles
}

output "run_sweep" {
  value = module.conversions.run_sweep
}
