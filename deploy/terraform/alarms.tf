# The alarms. They notify a topic if there is one.

locals {
  # An alarm on silence would fire before the function has handled anything, so it is made after the first request.
  first_alarms = { for name, alarm in local.alarms : name => alarm if name != "silence" }
  alarm_topics = local.has_alarm_topic ? [var.alarm_topic_arn] : []
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.first_alarms

  alarm_name          = "${var.name}-${replace(each.key, "_", "-")}"
  alarm_description   = each.value.alarm_description
  namespace           = each.value.namespace
  metric_name         = each.value.metric_name
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.evaluation_periods
  datapoints_to_alarm = each.value.datapoints_to_alarm
  threshold           = each.value.threshold
  comparison_operator = each.value.comparison_operator
  treat_missing_data  = each.value.treat_missing_data
  alarm_actions       = local.alarm_topics
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "silence" {
  alarm_name          = "${var.name}-silence"
  alarm_description   = local.alarms.silence.alarm_description
  namespace           = local.alarms.silence.namespace
  metric_name         = local.alarms.silence.metric_name
  dimensions          = local.alarms.silence.dimensions
  statistic           = local.alarms.silence.statistic
  period              = local.alarms.silence.period
  evaluation_periods  = local.alarms.silence.evaluation_periods
  datapoints_to_alarm = local.alarms.silence.datapoints_to_alarm
  threshold           = local.alarms.silence.threshold
  comparison_operator = local.alarms.silence.comparison_operator
  treat_missing_data  = local.alarms.silence.treat_missing_data
  alarm_actions       = local.alarm_topics
  tags                = var.tags

  depends_on = [aws_lambda_invocation.session_encryption]
}
