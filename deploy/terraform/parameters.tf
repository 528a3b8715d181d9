# Made from template.yaml by `make terraform`. Edit the template instead.

variable "encryption" {
  description = "Enabled sets the key. Disabled clears it: sessions are then encrypted by TLS only, and the console's password reset (AWS-PasswordReset), which needs the key, stops working."
  type        = string
  default     = "Enabled"
  nullable    = false

  validation {
    condition     = contains(["Enabled", "Disabled"], var.encryption)
    error_message = "The value of encryption must be one of Enabled, Disabled."
  }
}

variable "kms_key_id" {
  description = "Key ARN, key id, alias name (alias/...) or alias ARN of a symmetric customer managed key of this Region. A key of another account must be given by its key ARN. Leave empty with create_key or with Disabled."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.kms_key_id) <= 320
    error_message = "The value of kms_key_id must have at most 320 characters."
  }

  validation {
    condition     = can(regex("^$|^arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)$|^alias/[A-Za-z0-9/_-]+$|^(mrk-)?[A-Za-z0-9-]+$", var.kms_key_id))
    error_message = "The value of kms_key_id must be a key ARN, a key id, an alias name (alias/...) or an alias ARN."
  }
}

variable "create_key" {
  description = "true creates a key, with yearly rotation and the alias alias/NAME/session-manager. Terraform refuses to destroy it (prevent_destroy), because that would make what it encrypted unreadable."
  type        = bool
  default     = false
  nullable    = false
}

variable "consumer_accounts" {
  description = "Accounts that the policy of the created key admits, besides this account, to the actions that sessions need. Their own IAM policies decide which of their principals may use the key."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(join(",", var.consumer_accounts)) <= 2048
    error_message = "The value of consumer_accounts must have at most 2,048 characters."
  }

  validation {
    condition     = can(regex("^$|^[0-9]{12}(,[0-9]{12})*$", join(",", var.consumer_accounts))) && alltrue([for item in var.consumer_accounts : !strcontains(item, ",")])
    error_message = "The value of consumer_accounts must be account ids of twelve digits."
  }
}

variable "user_role_names" {
  description = "Names, without their paths, of the roles of this account that start sessions. The module attaches a managed policy with kms:GenerateDataKey to them before it switches the key on."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = can(regex("^$|^[A-Za-z0-9_+=.@-]{1,64}(,[A-Za-z0-9_+=.@-]{1,64})*$", join(",", var.user_role_names))) && alltrue([for item in var.user_role_names : !strcontains(item, ",")]) && alltrue([for name in var.user_role_names : !startswith(name, "AWSReservedSSO_")])
    error_message = "The value of user_role_names must be names of roles. IAM Identity Center alone can change a role whose name begins with AWSReservedSSO_, so add the statement to its permission set instead."
  }
}

variable "node_role_names" {
  description = "Names, without their paths, of the roles of managed nodes (instance profiles, hybrid activations, Default Host Management). The module attaches a managed policy with kms:Decrypt to them before it switches the key on."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = can(regex("^$|^[A-Za-z0-9_+=.@-]{1,64}(,[A-Za-z0-9_+=.@-]{1,64})*$", join(",", var.node_role_names))) && alltrue([for item in var.node_role_names : !strcontains(item, ",")]) && alltrue([for name in var.node_role_names : !startswith(name, "AWSReservedSSO_")])
    error_message = "The value of node_role_names must be names of roles. IAM Identity Center alone can change a role whose name begins with AWSReservedSSO_, so add the statement to its permission set instead."
  }
}

variable "grant_key_arns" {
  description = "ARNs of the keys in the two managed policies. They are needed if user_role_names or node_role_names are given without create_key. A policy cannot name an alias, so give the ARN of the key here even if kms_key_id is an alias. If they change, the old policies stay until the document has changed."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = can(regex("^$|^arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+(,arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)*$", join(",", var.grant_key_arns))) && alltrue([for item in var.grant_key_arns : !strcontains(item, ",")])
    error_message = "The value of grant_key_arns must be key ARNs."
  }
}

variable "grant_region" {
  description = "For modules in several Regions of an account, which share the account's roles: the one Region whose module attaches the two policies, with the keys of all Regions in grant_key_arns. If it is empty, the module of each Region attaches its own policies."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.grant_region) <= 32
    error_message = "The value of grant_region must have at most 32 characters."
  }

  validation {
    condition     = can(regex("^$|^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.grant_region))
    error_message = "The value of grant_region must be empty or the name of a Region."
  }
}

variable "preflight" {
  description = "Enforce refuses the key if a principal that needs it is known to be refused. Strict also refuses it if anything is unknown, so all checks that read must be on, with their permissions, and what policies ask for must be read or given by Context. Warn only reports. Off checks only the key itself."
  type        = string
  default     = "Enforce"
  nullable    = false

  validation {
    condition     = contains(["Strict", "Enforce", "Warn", "Off"], var.preflight)
    error_message = "The value of preflight must be one of Strict, Enforce, Warn, Off."
  }
}

variable "users" {
  description = "ARNs of roles and users that start sessions and must be able to use the key, in addition to those in the session history."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "nodes" {
  description = "ARNs of roles of nodes that must be able to use the key, in addition to those of the present nodes."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "exempt" {
  description = "ARNs, * and ? allowed, of principals whose failure is reported and blocks nothing."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "discover_users" {
  description = "true checks the access of everybody who started a session in the last 30 days that this document's key encrypts, and of the role of just-in-time node access, if the account has it. Port forwarding, SSH, ECS Exec and sessions of other documents do not use the key. It adds ssm:DescribeSessions, and iam:GetRole on this account's roles."
  type        = bool
  default     = true
  nullable    = false
}

variable "read_session_documents" {
  description = "true reads a document with which somebody started a session, if only its content tells whether the key encrypts such a session; with false that is unknown. It needs discover_users. It adds ssm:GetDocument on this account's documents."
  type        = bool
  default     = true
  nullable    = false
}

variable "discover_nodes" {
  description = "true checks the access of the role by which every managed node works, and that its agent can encrypt. With Default Host Management on, simulate_identities tells whether that is the role of the instance profile or the one of Default Host Management. It adds ssm:DescribeInstanceInformation, ssm:GetServiceSetting on Default Host Management's role, ec2:DescribeIamInstanceProfileAssociations, iam:GetInstanceProfile and iam:GetRole."
  type        = bool
  default     = true
  nullable    = false
}

variable "read_network" {
  description = "true checks that EC2 nodes can reach KMS, and the access of the roles of stopped instances; with false both are unknown. It needs discover_nodes. It adds ec2:DescribeInstances, DescribeVpcEndpoints, DescribeSubnets, DescribeRouteTables, DescribeNatGateways and DescribeSecurityGroups, which IAM cannot limit."
  type        = bool
  default     = true
  nullable    = false
}

variable "read_key_policy" {
  description = "true checks that the key policy and the grants admit each principal. It adds kms:GetKeyPolicy and kms:ListGrants on this account's keys and on the keys given by ARN."
  type        = bool
  default     = true
  nullable    = false
}

variable "simulate_identities" {
  description = "true checks that each principal's own policies, permissions boundary and service control policies allow its call, and finds the role by which a node works. It adds iam:SimulatePrincipalPolicy on this account's roles and users."
  type        = bool
  default     = true
  nullable    = false
}

variable "dry_run" {
  description = "true makes both calls of a session as dry runs with the function's own role. This shows that the key works, and says nothing about other principals. It adds kms:GenerateDataKey and kms:Decrypt, which IAM cannot limit to dry runs; they are limited to session ids that no session has. With false neither call is made. With Strict, the key's policy must then admit the function's role too."
  type        = bool
  default     = false
  nullable    = false
}

variable "context" {
  description = "What is known of the condition keys of every call of every user and node, as a JSON object: a value, a list of values, or null for a condition key that no call has, for example jsonencode({ \"aws:SourceVpce\" = null }). The function takes it on trust, and the report says which verdicts rest on it."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^$|^\\s*\\{[\\s\\S]*\\}\\s*$", var.context))
    error_message = "The value of context must be empty or a JSON object."
  }
}

variable "read_organization" {
  description = "true reads the id of this account's organization if a policy asks for aws:PrincipalOrgID or aws:ResourceOrgID; with false they are unknown. It adds organizations:DescribeOrganization, which IAM cannot limit further."
  type        = bool
  default     = true
  nullable    = false
}

variable "read_principal_tags" {
  description = "true reads the tags of users and roles if a policy asks for aws:PrincipalTag; with false they are unknown, except those of roles that discover_users or discover_nodes may read. It adds iam:GetRole and iam:GetUser on this account's roles and users."
  type        = bool
  default     = true
  nullable    = false
}

variable "read_key_tags" {
  description = "true reads the key's tags if a policy asks for aws:ResourceTag, as the managed policy of just-in-time node access does; with false they are unknown. It adds kms:ListResourceTags on this account's keys. The reader role reads those of another account's key."
  type        = bool
  default     = true
  nullable    = false
}

variable "read_key_aliases" {
  description = "true reads the key's aliases if a policy asks for kms:ResourceAliases; with false they are unknown. It adds kms:ListAliases, which IAM cannot limit further. The reader role reads those of another account's key."
  type        = bool
  default     = true
  nullable    = false
}

variable "key_policy_reader_role_arn" {
  description = "ARN of the role in the key's account that may read the key's policy, grants, tags and aliases: output ReaderRoleArn of template-key-access.yaml. It adds sts:AssumeRole on this one role. Leave it empty for a key of this account."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.key_policy_reader_role_arn) <= 640
    error_message = "The value of key_policy_reader_role_arn must have at most 640 characters."
  }

  validation {
    condition     = can(regex("^$|^arn:aws[a-z0-9-]*:iam::[0-9]{12}:role/[!-~]+$", var.key_policy_reader_role_arn))
    error_message = "The value of key_policy_reader_role_arn must be empty or the ARN of a role."
  }
}

variable "key_policy_reader_external_id" {
  description = "The external id that the reader role requires. It is no secret: whoever may describe the module or the role can read it."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^$|^[A-Za-z0-9_+=,.@:/-]{2,}$", var.key_policy_reader_external_id)) && length(var.key_policy_reader_external_id) <= 1224
    error_message = "The value of key_policy_reader_external_id must be empty, or 2 to 1224 letters, digits and _+=,.@:/-."
  }
}

variable "key_policy" {
  description = "The policy of another account's key as JSON text, if no role may read it. The key's grants, tags and aliases are unknown then."
  type        = string
  default     = ""
  nullable    = false
}

variable "document_name" {
  description = "The Session document to edit. Session Manager reads its regional preferences from SSM-SessionManagerRunShell. If you change this name, list the present one in additional_documents: after the change the function restores the old document."
  type        = string
  default     = "SSM-SessionManagerRunShell"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,128}$", var.document_name))
    error_message = "The value of document_name must be 3 to 128 letters, digits, dots, hyphens or underscores."
  }
}

variable "create_document" {
  description = "true creates a document that does not exist. With false such a name is refused as a typing error. The regional preferences, SSM-SessionManagerRunShell, are created in any case."
  type        = bool
  default     = false
  nullable    = false
}

variable "on_delete" {
  description = "What destroying the module does: Restore sets the previous key setting again, Clear turns encryption off, Retain leaves the key set. The document is never deleted, and other settings never change."
  type        = string
  default     = "Restore"
  nullable    = false

  validation {
    condition     = contains(["Restore", "Clear", "Retain"], var.on_delete)
    error_message = "The value of on_delete must be one of Restore, Clear, Retain."
  }
}

variable "on_conflict" {
  description = "Fail refuses a document that somebody else owns, and names the owner. TakeOver makes direct calls, and so Terraform, its owner."
  type        = string
  default     = "Fail"
  nullable    = false

  validation {
    condition     = contains(["Fail", "TakeOver"], var.on_conflict)
    error_message = "The value of on_conflict must be one of Fail, TakeOver."
  }
}

variable "revision" {
  description = "Any text. If you change it, Terraform calls the function again, which repairs drift."
  type        = string
  default     = "1"
  nullable    = false

  validation {
    condition     = length(var.revision) <= 128
    error_message = "The value of revision must have at most 128 characters."
  }
}

variable "additional_documents" {
  description = "Name of a further document, or an IAM pattern of names (* and ?), that this function may manage: for stacks that use it as their ServiceToken, and while document_name changes. If it is empty, the function manages only document_name."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.additional_documents) <= 128
    error_message = "The value of additional_documents must have at most 128 characters."
  }

  validation {
    condition     = can(regex("^$|^[a-zA-Z0-9_.-]{3,}[a-zA-Z0-9_.*?-]*$", var.additional_documents))
    error_message = "The value of additional_documents must be empty, or begin with three letters, digits, dots, hyphens or underscores."
  }
}

variable "additional_key_arns" {
  description = "ARNs of keys of other accounts that this function may read in addition to kms_key_id: for stacks that use it as their ServiceToken, and to restore such a key (on_delete Restore). The rules match the events of these keys too. An event pattern has 2,048 characters by default, and a role 10,240 in its policies, enough for some 10 keys here."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(join(",", var.additional_key_arns)) <= 800
    error_message = "The value of additional_key_arns must have at most 800 characters."
  }

  validation {
    condition     = can(regex("^$|^arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+(,arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)*$", join(",", var.additional_key_arns))) && alltrue([for item in var.additional_key_arns : !strcontains(item, ",")])
    error_message = "The value of additional_key_arns must be key ARNs."
  }
}

variable "on_key_trouble" {
  description = "What happens if the key is disabled, pending deletion or deleted. Alert raises an alert, and changes nothing. Standby lets standby_kms_key_id stand in until the key is usable again. Clear turns encryption off until then."
  type        = string
  default     = "Alert"
  nullable    = false

  validation {
    condition     = contains(["Alert", "Standby", "Clear"], var.on_key_trouble)
    error_message = "The value of on_key_trouble must be one of Alert, Standby, Clear."
  }
}

variable "standby_kms_key_id" {
  description = "The standby key for on_key_trouble Standby, in the forms of kms_key_id. It is checked like the first key."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.standby_kms_key_id) <= 320
    error_message = "The value of standby_kms_key_id must have at most 320 characters."
  }

  validation {
    condition     = can(regex("^$|^arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)$|^alias/[A-Za-z0-9/_-]+$|^(mrk-)?[A-Za-z0-9-]+$", var.standby_kms_key_id))
    error_message = "The value of standby_kms_key_id must be a key ARN, a key id, an alias name (alias/...) or an alias ARN."
  }
}

variable "key_arn_parameter_name" {
  description = "Name of a parameter in Parameter Store that the module makes with the ARN of the key, for others, such as /session-kms/SSM-SessionManagerRunShell/key-arn. With encryption Disabled there is no such parameter. Empty for none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.key_arn_parameter_name) <= 900
    error_message = "The value of key_arn_parameter_name must have at most 900 characters."
  }

  validation {
    condition     = can(regex("^$|^(/?[A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+){2,15})$", var.key_arn_parameter_name)) && !can(regex("^/?([aA][wW][sS]|[sS][sS][mM])", var.key_arn_parameter_name)) && !can(regex("^/session-kms/[^/]+$", var.key_arn_parameter_name))
    error_message = "The value of key_arn_parameter_name must be empty or the name of a parameter, which begins with neither aws nor ssm, and which is not the record of a document, /session-kms/DOCUMENT."
  }
}

variable "schedule" {
  description = "When the function checks everything, whatever events it got: an EventBridge rate(...) or cron(...) expression, such as rate(6 hours) or cron(0 6 * * ? *), at least once a day. An alarm fires if the function has handled neither a schedule nor a request for some three hours, or for some 25 hours with another value than the default."
  type        = string
  default     = "rate(1 hour)"
  nullable    = false

  validation {
    condition     = length(var.schedule) <= 256
    error_message = "The value of schedule must have at most 256 characters."
  }

  validation {
    condition     = can(regex("^rate\\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\\)$|^cron\\(((\\*|[0-5]?[0-9](-[0-5]?[0-9])?)(/[1-9][0-9]*)?)(,((\\*|[0-5]?[0-9](-[0-5]?[0-9])?)(/[1-9][0-9]*)?))* ((\\*|([01]?[0-9]|2[0-3])(-([01]?[0-9]|2[0-3]))?)(/[1-9][0-9]*)?)(,((\\*|([01]?[0-9]|2[0-3])(-([01]?[0-9]|2[0-3]))?)(/[1-9][0-9]*)?))* (((\\*|(0?[1-9]|[12][0-9]|3[01])(-(0?[1-9]|[12][0-9]|3[01]))?)(/[1-9][0-9]*)?|L|LW|(0?[1-9]|[12][0-9]|3[01])W)(,((\\*|(0?[1-9]|[12][0-9]|3[01])(-(0?[1-9]|[12][0-9]|3[01]))?)(/[1-9][0-9]*)?|L|LW|(0?[1-9]|[12][0-9]|3[01])W))* ((\\*|(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(-(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC))?)(/[1-9][0-9]*)?)(,((\\*|(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(-(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC))?)(/[1-9][0-9]*)?))* \\?|\\? ((\\*|(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(-(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC))?)(/[1-9][0-9]*)?)(,((\\*|(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(-(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC))?)(/[1-9][0-9]*)?))* ((\\*|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(-([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT))?)(/[1-9][0-9]*)?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)#[1-5])(,((\\*|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(-([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT))?)(/[1-9][0-9]*)?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)#[1-5]))*) ((\\*|(19[7-9][0-9]|2[01][0-9][0-9])(-(19[7-9][0-9]|2[01][0-9][0-9]))?)(/[1-9][0-9]*)?)(,((\\*|(19[7-9][0-9]|2[01][0-9][0-9])(-(19[7-9][0-9]|2[01][0-9][0-9]))?)(/[1-9][0-9]*)?))*\\)$", var.schedule))
    error_message = "The value of schedule must be rate(1 minute), rate(1 hour), rate(1 day), rate(N minutes), rate(N hours) or rate(N days) with N greater than 1, or cron(minutes hours day-of-month month day-of-week year), in which one of the two days is ?."
  }
}

variable "max_repairs_per_hour" {
  description = "How many repairs of a document the function makes within an hour before the breaker opens. It then leaves the document alone, and an alert names who keeps changing it. The schedule tries again when nobody has changed the document for an hour."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.max_repairs_per_hour >= 1 && var.max_repairs_per_hour <= 60 && floor(var.max_repairs_per_hour) == var.max_repairs_per_hour
    error_message = "The value of max_repairs_per_hour must be a whole number from 1 to 60."
  }
}

variable "config_rule_names" {
  description = "Names of AWS Config rules whose non-compliance makes the function check and repair. Empty for none."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(join(",", var.config_rule_names)) <= 900
    error_message = "The value of config_rule_names must have at most 900 characters."
  }

  validation {
    condition     = can(regex("^$|^[^, ]+(,[^, ]+)*$", join(",", var.config_rule_names))) && alltrue([for item in var.config_rule_names : !strcontains(item, ",")])
    error_message = "The value of config_rule_names must be names of rules."
  }
}

variable "config_rule" {
  description = "true adds an AWS Config rule that this function evaluates once an hour: whether sessions are encrypted with a usable key. With encryption Disabled they never are. AWS Config must be recording. It adds config:PutEvaluations, which IAM cannot limit to a rule."
  type        = bool
  default     = false
  nullable    = false
}

variable "security_hub" {
  description = "true makes the function check and repair after Security Hub's imported findings on the document and its keys, and after custom actions on them."
  type        = bool
  default     = false
  nullable    = false
}

variable "security_hub_action_arn" {
  description = "ARN of the one custom action to follow, on any finding. If it is empty, the function follows every custom action on a finding on the document or the keys. It needs security_hub."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.security_hub_action_arn) <= 128
    error_message = "The value of security_hub_action_arn must have at most 128 characters."
  }

  validation {
    condition     = can(regex("^$|^arn:aws[a-z0-9-]*:securityhub:[a-z0-9-]+:[0-9]{12}:action/custom/[A-Za-z0-9]{1,20}$", var.security_hub_action_arn))
    error_message = "The value of security_hub_action_arn must be empty or the ARN of a custom action."
  }
}

variable "report_destination_arn" {
  description = "ARN of the EventBridge bus or SNS topic that gets the report on each event, with the event, as a Lambda destination. responsePayload.alert says whether somebody should act. AWS does not say whether destinations reach other accounts: if reports do not arrive, give event-bus/default, this account's own bus, and a rule on it that forwards them. Empty for none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.report_destination_arn) <= 320
    error_message = "The value of report_destination_arn must have at most 320 characters."
  }

  validation {
    condition     = can(regex("^$|^event-bus/default$|^arn:aws[a-z0-9-]*:(events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._/-]+|sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+)$", var.report_destination_arn))
    error_message = "The value of report_destination_arn must be empty, event-bus/default or the ARN of an event bus or of a topic that is not FIFO."
  }
}

variable "report_topic_key_arn" {
  description = "ARN of the customer managed key that encrypts the topic of report_destination_arn. It adds kms:GenerateDataKey* and kms:Decrypt on it, through SNS of this Region only. Leave it empty if there is none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.report_topic_key_arn) <= 128
    error_message = "The value of report_topic_key_arn must have at most 128 characters."
  }

  validation {
    condition     = can(regex("^$|^arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.report_topic_key_arn))
    error_message = "The value of report_topic_key_arn must be empty or a key ARN."
  }
}

variable "alarm_topic_arn" {
  description = "ARN of the SNS topic that the alarms notify. If a key encrypts the topic, its key policy has to admit cloudwatch.amazonaws.com, which alias/aws/sns never does. Empty for none; the alarms exist all the same."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.alarm_topic_arn) <= 320
    error_message = "The value of alarm_topic_arn must have at most 320 characters."
  }

  validation {
    condition     = can(regex("^$|^arn:aws[a-z0-9-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.alarm_topic_arn))
    error_message = "The value of alarm_topic_arn must be empty or the ARN of a topic."
  }
}

variable "architecture" {
  description = "Processor architecture of the function. The build has to be for the same one. Lambda has arm64 in most Regions and not in all of them: where the function cannot be created with it, build for x86_64."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The value of architecture must be one of arm64, x86_64."
  }
}

variable "log_level" {
  description = "The least severe log lines to keep."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["ERROR", "WARN", "INFO"], var.log_level)
    error_message = "The value of log_level must be one of ERROR, WARN, INFO."
  }
}

variable "log_retention" {
  description = "Days to keep the function's logs."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention)
    error_message = "The value of log_retention must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "reserved_concurrency" {
  description = "Concurrent executions to reserve for the function, 0 for none. Accounts with a small quota cannot reserve any; nothing depends on it."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.reserved_concurrency >= 0 && var.reserved_concurrency <= 100 && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "The value of reserved_concurrency must be a whole number from 0 to 100."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of a managed policy to set as the permissions boundary of the function's role, or policy/NAME for a policy of this account. Empty for none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.permissions_boundary_arn) <= 700
    error_message = "The value of permissions_boundary_arn must have at most 700 characters."
  }

  validation {
    condition     = can(regex("^$|^(arn:aws[a-z0-9-]*:iam::([0-9]{12}|aws):)?policy/[^:]+$", var.permissions_boundary_arn))
    error_message = "The value of permissions_boundary_arn must be empty, the ARN of a managed policy or policy/NAME."
  }
}
