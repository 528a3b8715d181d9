# The function, its role, and what calls it.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

# What the locals of generated.tf refer to.
locals {
  partition          = data.aws_partition.current.partition
  region             = data.aws_region.current.id
  account            = data.aws_caller_identity.current.account_id
  function_name      = aws_lambda_function.this.function_name
  function_role_arn  = aws_iam_role.function.arn
  log_group_arn      = "${aws_cloudwatch_log_group.function.arn}:*"
  failed_events_arn  = aws_sqs_queue.failed_events.arn
  failed_events_name = aws_sqs_queue.failed_events.name
}

resource "aws_lambda_function" "this" {
  function_name     = var.name
  description       = "Owns which KMS key encrypts Session Manager sessions"
  filename          = var.zip_file
  source_code_hash  = var.zip_file == null ? null : filebase64sha256(var.zip_file)
  s3_bucket         = var.s3_bucket
  s3_key            = var.s3_key
  s3_object_version = var.s3_object_version
  runtime           = "provided.al2023"
  handler           = "bootstrap"
  architectures     = [var.architecture]
  memory_size       = 256
  # A request usually takes less than a second. The rest is for throttled calls and slow documents.
  timeout                        = 120
  reserved_concurrent_executions = local.reserves_concurrency ? var.reserved_concurrency : -1
  role                           = aws_iam_role.function.arn
  tags                           = var.tags

  environment {
    variables = local.environment
  }

  # The level of the application's log is not set: above INFO, Lambda would drop the lines of metrics. The function itself
  # respects LOG_LEVEL.
  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  lifecycle {
    precondition {
      condition     = length(local.broken_rules) == 0
      error_message = join(" ", local.broken_rules)
    }

    precondition {
      condition     = (var.zip_file == null) != (var.s3_bucket == null) && (var.s3_bucket == null) == (var.s3_key == null)
      error_message = "Give the function's code either by zip_file, or by s3_bucket and s3_key."
    }
  }
}

resource "aws_iam_role" "function" {
  name_prefix          = "${var.name}-"
  description          = "What session-kms may do, on the documents and keys of its module"
  permissions_boundary = !local.has_permissions_boundary ? null : startswith(var.permissions_boundary_arn, "policy/") ? "arn:${local.partition}:iam::${local.account}:${var.permissions_boundary_arn}" : var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "lambda.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = { for name, policy in local.policies : name => policy if policy != null }

  name   = each.key
  role   = aws_iam_role.function.id
  policy = jsonencode(each.value)
}

# The log group outlives the module: it holds the reports on refused keys. The end of its name is another one each time.
resource "aws_cloudwatch_log_group" "function" {
  name_prefix       = "/aws/lambda/${var.name}-"
  retention_in_days = var.log_retention
  skip_destroy      = true
  tags              = var.tags
}

resource "aws_lambda_function_event_invoke_config" "function" {
  function_name                = aws_lambda_function.this.function_name
  qualifier                    = "$LATEST"
  maximum_event_age_in_seconds = 600
  maximum_retry_attempts       = 2

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failed_events.arn
    }
  }

  # Lambda refuses a destination that the role may not write to.
  depends_on = [aws_iam_role_policy.function]
}

# Events invoke this alias, whose destination gets each report together with its event.
resource "aws_lambda_alias" "events" {
  name             = "events"
  description      = "Events invoke this alias, whose destination gets each event with its report"
  function_name    = aws_lambda_function.this.function_name
  function_version = "$LATEST"
}

resource "aws_lambda_function_event_invoke_config" "events" {
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.events.name
  # The function reads the present state for every event, so a late event does no harm. The schedule comes again.
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = 2

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failed_events.arn
    }

    dynamic "on_success" {
      for_each = local.reports ? [local.reports_here ? "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/default" : var.report_destination_arn] : []

      content {
        destination = on_success.value
      }
    }
  }

  depends_on = [aws_iam_role_policy.function]
}

resource "aws_lambda_permission" "events" {
  statement_id  = "events"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.events.name
  principal     = "events.amazonaws.com"
  source_arn    = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${var.name}-*"
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = { for name, rule in local.rules : name => rule if rule != null }

  name                = "${var.name}-${each.key}"
  description         = each.value.description
  event_pattern       = each.value.event_pattern == null ? null : jsonencode(each.value.event_pattern)
  schedule_expression = each.value.schedule_expression
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "function" {
  for_each = aws_cloudwatch_event_rule.this

  rule      = each.value.name
  target_id = "function"
  arn       = aws_lambda_alias.events.arn

  dead_letter_config {
    arn = aws_sqs_queue.failed_events.arn
  }
}

# The queue holds requests that the function could not answer, and events that could not be handled or delivered. A
# request of CloudFormation holds its signed answer address, which is valid for two hours at most: until then, whoever may
# read this queue can answer instead of the function.
resource "aws_sqs_queue" "failed_events" {
  name                      = "${var.name}-failed-events"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "failed_events" {
  queue_url = aws_sqs_queue.failed_events.url
  policy    = jsonencode(local.queue_policy)
}

# AWS Config invokes the function itself: its events hold a result token, which must reach no destination.
resource "aws_config_config_rule" "compliance" {
  count = local.is_config_rule ? 1 : 0

  name        = "${var.name}-compliance"
  description = "Session Manager sessions are encrypted with the wanted key, and the key can be used. With encryption off the document does not comply, even if that is wanted"
  tags        = var.tags

  source {
    owner             = "CUSTOM_LAMBDA"
    source_identifier = aws_lambda_function.this.arn

    source_detail {
      event_source                = "aws.config"
      message_type                = "ScheduledNotification"
      maximum_execution_frequency = "One_Hour"
    }
  }

  depends_on = [aws_lambda_permission.config]
}

resource "aws_lambda_permission" "config" {
  count = local.is_config_rule ? 1 : 0

  statement_id   = "config"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  principal      = "config.amazonaws.com"
  source_account = local.account
}
