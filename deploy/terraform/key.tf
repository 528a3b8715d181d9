# The key, and who may use it.

locals {
  key_is_arn      = can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.kms_key_id))
  standby_is_arn  = can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.standby_kms_key_id))
  created_key_arn = one(aws_kms_key.this[*].arn)
  given_key_arn   = local.key_is_arn ? var.kms_key_id : one(data.aws_kms_key.given[*].arn)
  # Empty with encryption off: no event has an empty ARN.
  key_arn         = !local.encrypts ? "" : local.creates_key ? local.created_key_arn : local.given_key_arn
  standby_key_arn = local.standby_is_arn ? var.standby_kms_key_id : one(data.aws_kms_key.standby[*].arn)
}

# The ARNs of keys that are given by an alias or an id.
data "aws_kms_key" "given" {
  count = local.encrypts && !local.creates_key && var.kms_key_id != "" && !local.key_is_arn ? 1 : 0

  key_id = var.kms_key_id
}

data "aws_kms_key" "standby" {
  count = local.has_standby && !local.standby_is_arn ? 1 : 0

  key_id = var.standby_kms_key_id
}

resource "aws_kms_key" "this" {
  count = local.creates_key ? 1 : 0

  description             = "Session Manager sessions (${var.name})"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode(local.created_key_policy)
  # Just-in-time node access may use only keys that have this tag.
  tags = merge(var.tags, { SystemsManagerJustInTimeNodeAccessManaged = "true" })

  lifecycle {
    # Deleting the key would make what it encrypted unreadable.
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "this" {
  count = local.creates_key ? 1 : 0

  name          = "alias/${var.name}/session-manager"
  target_key_id = aws_kms_key.this[0].key_id
}

resource "aws_ssm_parameter" "key_arn" {
  count = local.publishes_key_arn ? 1 : 0

  name        = var.key_arn_parameter_name
  description = "The key that encrypts Session Manager sessions"
  type        = "String"
  value       = local.key_arn
  tags        = var.tags
}

# The policies of users and nodes are replaced if their keys change, and never edited. Terraform creates the new ones, then
# asks the function, and only then destroys the old ones: sessions use the old key until the document has changed, and go
# on with it if the function refuses the new one. The order rests on `create_before_destroy`, and on the invocation, which
# depends on the policies.
locals {
  granted      = sha1(join(",", concat(local.creates_key ? ["created"] : [], var.grant_key_arns)))
  user_grants  = local.grants_users ? toset([local.granted]) : toset([])
  node_grants  = local.grants_nodes ? toset([local.granted]) : toset([])
  user_granted = { for pair in setproduct(local.user_grants, toset(var.user_role_names)) : "${pair[1]}/${pair[0]}" => { grant = pair[0], role = pair[1] } }
  node_granted = { for pair in setproduct(local.node_grants, toset(var.node_role_names)) : "${pair[1]}/${pair[0]}" => { grant = pair[0], role = pair[1] } }
}

resource "aws_iam_policy" "users" {
  for_each = local.user_grants

  name_prefix = "${var.name}-users-"
  description = "What users need to start Session Manager sessions that a key encrypts"
  policy      = jsonencode(local.user_policy)
  tags        = var.tags

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = var.on_delete != "Retain"
      error_message = "With on_delete Retain the document keeps the key when the module is destroyed, and destroying would take the policies away that sessions need. Attach policies outside of this module, and leave user_role_names and node_role_names empty."
    }
  }
}

resource "aws_iam_role_policy_attachment" "users" {
  for_each = local.user_granted

  role       = each.value.role
  policy_arn = aws_iam_policy.users[each.value.grant].arn

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_policy" "nodes" {
  for_each = local.node_grants

  name_prefix = "${var.name}-nodes-"
  description = "What nodes need for Session Manager sessions that a key encrypts"
  policy      = jsonencode(local.node_policy)
  tags        = var.tags

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = var.on_delete != "Retain"
      error_message = "With on_delete Retain the document keeps the key when the module is destroyed, and destroying would take the policies away that sessions need. Attach policies outside of this module, and leave user_role_names and node_role_names empty."
    }
  }
}

resource "aws_iam_role_policy_attachment" "nodes" {
  for_each = local.node_granted

  role       = each.value.role
  policy_arn = aws_iam_policy.nodes[each.value.grant].arn

  lifecycle {
    create_before_destroy = true
  }
}
