# The policies of users and nodes. The function ignores this member of the input. It makes the input change when the policies
# are replaced, so that Terraform destroys the old ones only after it has called the function.
locals {
  requires = concat(values(aws_iam_policy.users)[*].arn, values(aws_iam_policy.nodes)[*].arn)
}

# Asks the function for what the variables want, after everything else is made. It is destroyed first, and the function then
# gives the document back as `on_delete` says.
#
# `triggers` is not used: it would replace the resource, and so give the document back in between. To ask again, change
# `revision`.
resource "aws_lambda_invocation" "session_encryption" {
  function_name   = aws_lambda_function.this.function_name
  lifecycle_scope = "CRUD"
  input           = jsonencode(merge(local.properties, { requires = local.requires }))

  lifecycle {
    # After a refused update Terraform's state holds the input that was refused, and no result. Without this, the next plan
    # would find nothing to do.
    postcondition {
      condition     = can(jsondecode(self.result).documentName)
      error_message = "The function refused the last change or could not make it. Put the variables back, or change `revision` to ask again."
    }
  }

  # Everything that no reference orders.
  depends_on = [
    aws_cloudwatch_event_target.function,
    aws_cloudwatch_metric_alarm.this,
    aws_config_config_rule.compliance,
    aws_iam_role_policy.function,
    aws_iam_role_policy_attachment.nodes,
    aws_iam_role_policy_attachment.users,
    aws_kms_alias.this,
    aws_lambda_function_event_invoke_config.events,
    aws_lambda_function_event_invoke_config.function,
    aws_lambda_permission.events,
    aws_sqs_queue_policy.failed_events,
    aws_ssm_parameter.key_arn,
  ]
}
