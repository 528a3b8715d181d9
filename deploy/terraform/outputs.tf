locals {
  result = try(jsondecode(aws_lambda_invocation.session_encryption.result), null)
}

output "key_arn" {
  description = "The key that encrypts sessions. Users need kms:GenerateDataKey on it, nodes kms:Decrypt. Null with encryption off."
  value       = try(local.result.keyArn, null)
}

output "document_name" {
  description = "The preferences document."
  value       = try(local.result.documentName, null)
}

output "document_version" {
  description = "The version of the document that has the setting. It is the latest and the default version."
  value       = try(local.result.documentVersion, null)
}

output "previous_kms_key_id" {
  description = "The key setting from before, which on_delete Restore sets again. Empty for none."
  value       = try(local.result.previousKmsKeyId, null)
}

output "findings" {
  description = "A summary of the findings. The whole report is in the log group."
  value       = try(local.result.summary, null)
}

output "log_group_name" {
  description = "The function's log group, which holds the whole report of each check, and each decision."
  value       = aws_cloudwatch_log_group.function.name
}

output "user_policy_arn" {
  description = "The managed policy that lets roles start encrypted sessions. Null for none."
  value       = one(values(aws_iam_policy.users)[*].arn)
}

output "node_policy_arn" {
  description = "The managed policy that lets nodes take part in encrypted sessions. Null for none."
  value       = one(values(aws_iam_policy.nodes)[*].arn)
}

output "function_role_arn" {
  description = "The function's role, which a reader role in the key's account has to trust."
  value       = aws_iam_role.function.arn
}

output "function_arn" {
  description = "ServiceToken for Custom::SessionEncryption and Custom::SessionKeyAccess in stacks of this account and Region."
  value       = aws_lambda_function.this.arn
}

output "events_function_arn" {
  description = "The function for events and direct calls, whose reports go with the events to report_destination_arn. Do not use it as ServiceToken, because CloudFormation's requests hold a secret: use function_arn."
  value       = aws_lambda_alias.events.arn
}

output "failed_events_url" {
  description = "The queue of requests that could not be answered and events that could not be handled."
  value       = aws_sqs_queue.failed_events.url
}
