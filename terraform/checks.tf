# Remembers what must not change, because nothing else in the plan says what a change would destroy.
resource "terraform_data" "deployment" {
  input = { project_id = var.project_id, region = var.region, name = var.name }

  lifecycle {
    ignore_changes = [input]

    postcondition {
      condition     = self.output.project_id == var.project_id && self.output.region == var.region && self.output.name == var.name
      error_message = "This deployment has ${join(", ", [for key, value in self.output : "${key} = \"${value}\""])}. None of them can change: Terraform would delete the buckets with all files, results and the state, and the secret with all its versions. Set the old values again. To move, deploy a second one: docs/operate.md, \"Moving\"."
    }
  }
}
