# Made from template.yaml by `make terraform`. Edit the template instead.

# The conditions of the template.
locals {
  encrypts                 = var.encryption == "Enabled"
  creates_key              = var.create_key
  has_additional_documents = var.additional_documents != ""
  has_additional_keys      = length(var.additional_key_arns) > 0
  reserves_concurrency     = var.reserved_concurrency != 0
  admits_consumers         = length(var.consumer_accounts) > 0
  names_grant_keys         = length(var.grant_key_arns) > 0
  grants_here              = var.grant_region == "" || var.grant_region == local.region
  grants_users             = local.grants_here && length(var.user_role_names) > 0
  grants_nodes             = local.grants_here && length(var.node_role_names) > 0
  finds_users              = var.discover_users
  reads_session_documents  = local.finds_users && var.read_session_documents
  finds_nodes              = var.discover_nodes
  reads_network            = local.finds_nodes && var.read_network
  reads_principal_tags     = var.read_principal_tags
  reads_roles              = local.finds_users || local.finds_nodes || local.reads_principal_tags
  reads_key_policy         = var.read_key_policy
  simulates                = var.simulate_identities
  reads_organization       = var.read_organization
  reads_key_tags           = var.read_key_tags
  reads_key_aliases        = var.read_key_aliases
  tries_key                = var.dry_run
  tries_additional_keys    = local.tries_key && local.has_additional_keys
  has_reader               = var.key_policy_reader_role_arn != ""
  has_permissions_boundary = var.permissions_boundary_arn != ""
  publishes_key_arn        = local.encrypts && var.key_arn_parameter_name != ""
  has_standby              = var.standby_kms_key_id != ""
  follows_config_rules     = length(var.config_rule_names) > 0
  is_config_rule           = var.config_rule
  follows_security_hub     = var.security_hub
  names_action             = var.security_hub_action_arn != ""
  reports                  = var.report_destination_arn != ""
  reports_here             = var.report_destination_arn == "event-bus/default"
  encrypts_reports         = var.report_topic_key_arn != ""
  has_alarm_topic          = var.alarm_topic_arn != ""
  runs_hourly              = var.schedule == "rate(1 hour)"
}

# What the template's rules refuse: a message for each.
locals {
  broken_rules = [for item in [
    (var.encryption == "Enabled" && (var.kms_key_id == "" && !var.create_key)) ? "encryption Enabled needs a key. Give kms_key_id, or set create_key to true." : null,
    (var.create_key && var.kms_key_id != "") ? "create_key makes a key of its own. Leave kms_key_id empty, or set create_key to false." : null,
    (var.encryption == "Disabled" && var.kms_key_id != "") ? "encryption Disabled takes no key. Leave kms_key_id empty, or set encryption to Enabled." : null,
    (var.encryption == "Disabled" && var.standby_kms_key_id != "") ? "encryption Disabled takes no standby key. Leave standby_kms_key_id empty, or set encryption to Enabled." : null,
    (var.on_key_trouble == "Standby" && var.standby_kms_key_id == "") ? "on_key_trouble Standby needs a standby key. Give standby_kms_key_id." : null,
    (var.standby_kms_key_id != "" && var.on_key_trouble != "Standby") ? "standby_kms_key_id is for on_key_trouble Standby. Set it, or leave standby_kms_key_id empty." : null,
    (var.security_hub_action_arn != "" && !var.security_hub) ? "security_hub_action_arn needs security_hub. Set it to true, or leave security_hub_action_arn empty." : null,
    ((!(length(var.user_role_names) == 0 && length(var.node_role_names) == 0)) && (!(var.create_key || length(var.grant_key_arns) > 0))) ? "user_role_names and node_role_names need the ARN of the key, because a policy cannot be granted on an alias. Give it by grant_key_arns, or set create_key to true." : null,
    (length(var.grant_key_arns) > 0 && (length(var.user_role_names) == 0 && length(var.node_role_names) == 0)) ? "grant_key_arns is for the roles of user_role_names and node_role_names. Give at least one." : null,
    (length(var.consumer_accounts) > 0 && !var.create_key) ? "consumer_accounts is for the policy of the key that the module creates. Set create_key to true, or admit the accounts in the policy of the existing key." : null,
    (var.report_topic_key_arn != "" && var.report_destination_arn == "") ? "report_topic_key_arn is for the topic that gets the reports. Give report_destination_arn too." : null,
    (var.key_policy_reader_external_id != "" && var.key_policy_reader_role_arn == "") ? "key_policy_reader_external_id is for the reader role. Give key_policy_reader_role_arn too." : null,
  ] : item if item != null]
}

# The input of the function: the properties of Custom::SessionEncryption.
locals {
  properties = { for name, value in {
    action                    = "reconcile"
    encryption                = var.encryption
    kmsKeyId                  = local.encrypts ? local.creates_key ? local.created_key_arn : var.kms_key_id : null
    documentName              = var.document_name
    createDocument            = var.create_document
    onDelete                  = var.on_delete
    onConflict                = var.on_conflict
    onKeyTrouble              = var.on_key_trouble
    standbyKmsKeyId           = local.has_standby ? var.standby_kms_key_id : null
    preflight                 = var.preflight
    users                     = var.users
    nodes                     = var.nodes
    exempt                    = var.exempt
    discoverUsers             = var.discover_users
    discoverNodes             = var.discover_nodes
    context                   = var.context
    keyPolicyReaderRoleArn    = var.key_policy_reader_role_arn
    keyPolicyReaderExternalId = var.key_policy_reader_external_id
    keyPolicy                 = var.key_policy
    revision                  = var.revision
  } : name => value if value != null }
}

# The policies of the function's role. A policy that is not wanted is null.
locals {
  policies = {
    logs = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = local.log_group_arn
        },
      ]
    }
    "failed-events" = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "KeepFailedEvents"
          Effect   = "Allow"
          Action   = "sqs:SendMessage"
          Resource = local.failed_events_arn
        },
      ]
    }
    reports = local.reports ? {
      Version = "2012-10-17"
      Statement = [for item in [
        {
          Sid      = "SendReports"
          Effect   = "Allow"
          Action   = join("events:PutEvents", split("events", join("sns:Publish", split("sns", split(":", "${var.report_destination_arn}::events")[2]))))
          Resource = local.reports_here ? "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/default" : var.report_destination_arn
        },
        local.encrypts_reports ? {
          Sid      = "EncryptReports"
          Effect   = "Allow"
          Action   = ["kms:GenerateDataKey*", "kms:Decrypt"]
          Resource = var.report_topic_key_arn
          Condition = {
            StringLike = {
              "kms:ViaService" = "sns.${local.region}.amazonaws.com*"
            }
          }
        } : null,
      ] : item if item != null]
    } : null
    "config-rule" = local.is_config_rule ? {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "AnswerConfig"
          Effect   = "Allow"
          Action   = "config:PutEvaluations"
          Resource = "*"
        },
      ]
    } : null
    document = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid    = "ReadAndEditDocument"
          Effect = "Allow"
          Action = [
            "ssm:DescribeDocument",
            "ssm:GetDocument",
            "ssm:ListDocumentVersions",
            "ssm:CreateDocument",
            "ssm:UpdateDocument",
            "ssm:UpdateDocumentDefaultVersion",
            "ssm:DeleteDocument",
          ]
          Resource = [for item in [
            "arn:${local.partition}:ssm:${local.region}:${local.account}:document/${var.document_name}",
            local.has_additional_documents ? "arn:${local.partition}:ssm:${local.region}:${local.account}:document/${var.additional_documents}" : null,
          ] : item if item != null]
        },
      ]
    }
    record = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid    = "KeepRecord"
          Effect = "Allow"
          Action = ["ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"]
          Resource = [for item in [
            "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/session-kms/${var.document_name}",
            "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/session-kms/${var.document_name}:*",
            local.has_additional_documents ? "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/session-kms/${var.additional_documents}" : null,
            local.has_additional_documents ? "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/session-kms/${var.additional_documents}:*" : null,
          ] : item if item != null]
        },
        {
          Sid    = "FindRecords"
          Effect = "Allow"
          Action = "ssm:GetParametersByPath"
          Resource = [
            "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/session-kms",
            "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/session-kms/",
          ]
        },
      ]
    }
    key = {
      Version = "2012-10-17"
      Statement = [for item in [
        {
          Sid    = "ReadKeys"
          Effect = "Allow"
          Action = [for item in [
            "kms:DescribeKey",
            local.reads_key_policy ? "kms:GetKeyPolicy" : null,
            local.reads_key_policy ? "kms:ListGrants" : null,
          ] : item if item != null]
          Resource = [
            "arn:${local.partition}:kms:${local.region}:${local.account}:key/*",
            "arn:${local.partition}:kms:${local.region}:${split(":", "${var.kms_key_id}::::${local.account}")[4]}:${split(":", "${var.kms_key_id}:::::key/*")[5]}",
            "arn:${local.partition}:kms:${local.region}:${split(":", "${var.standby_kms_key_id}::::${local.account}")[4]}:${split(":", "${var.standby_kms_key_id}:::::key/*")[5]}",
          ]
        },
        {
          Sid      = "DescribeAliases"
          Effect   = "Allow"
          Action   = "kms:DescribeKey"
          Resource = "arn:${local.partition}:kms:${local.region}:${local.account}:alias/*"
        },
        local.has_additional_keys ? {
          Sid    = "ReadKeysOfOtherAccounts"
          Effect = "Allow"
          Action = [for item in [
            "kms:DescribeKey",
            local.reads_key_policy ? "kms:ListGrants" : null,
          ] : item if item != null]
          Resource = var.additional_key_arns
        } : null,
        local.reads_key_tags ? {
          Sid      = "ReadKeyTags"
          Effect   = "Allow"
          Action   = "kms:ListResourceTags"
          Resource = "arn:${local.partition}:kms:${local.region}:${local.account}:key/*"
        } : null,
        local.reads_key_aliases ? {
          Sid      = "ReadKeyAliases"
          Effect   = "Allow"
          Action   = "kms:ListAliases"
          Resource = "*"
        } : null,
        local.tries_key ? {
          Sid    = "TryKeys"
          Effect = "Allow"
          Action = ["kms:GenerateDataKey", "kms:Decrypt"]
          Resource = [
            "arn:${local.partition}:kms:${local.region}:${local.account}:key/*",
            "arn:${local.partition}:kms:${local.region}:${split(":", "${var.kms_key_id}::::${local.account}")[4]}:${split(":", "${var.kms_key_id}:::::key/*")[5]}",
            "arn:${local.partition}:kms:${local.region}:${split(":", "${var.standby_kms_key_id}::::${local.account}")[4]}:${split(":", "${var.standby_kms_key_id}:::::key/*")[5]}",
          ]
          Condition = {
            StringEquals = {
              "kms:EncryptionContext:aws:ssm:SessionId" = "session-kms-00000000000000000"
              "kms:EncryptionContext:aws:ssm:TargetId"  = "i-00000000000000000"
            }
          }
        } : null,
        local.tries_additional_keys ? {
          Sid      = "TryKeysOfOtherAccounts"
          Effect   = "Allow"
          Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
          Resource = var.additional_key_arns
          Condition = {
            StringEquals = {
              "kms:EncryptionContext:aws:ssm:SessionId" = "session-kms-00000000000000000"
              "kms:EncryptionContext:aws:ssm:TargetId"  = "i-00000000000000000"
            }
          }
        } : null,
      ] : item if item != null]
    }
    "key-policy-reader" = local.has_reader ? {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ReadKeyPolicyOfAnotherAccount"
          Effect   = "Allow"
          Action   = "sts:AssumeRole"
          Resource = var.key_policy_reader_role_arn
        },
      ]
    } : null
    nodes = local.finds_nodes ? {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ListNodesAndInstanceProfiles"
          Effect   = "Allow"
          Action   = ["ssm:DescribeInstanceInformation", "ec2:DescribeIamInstanceProfileAssociations"]
          Resource = "*"
        },
        {
          Sid      = "ReadDefaultHostManagement"
          Effect   = "Allow"
          Action   = "ssm:GetServiceSetting"
          Resource = "arn:${local.partition}:ssm:${local.region}:${local.account}:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
        },
        {
          Sid      = "ReadInstanceProfiles"
          Effect   = "Allow"
          Action   = "iam:GetInstanceProfile"
          Resource = "arn:${local.partition}:iam::${local.account}:instance-profile/*"
        },
      ]
    } : null
    network = local.reads_network ? {
      Version = "2012-10-17"
      Statement = [
        {
          Sid    = "ReadNetwork"
          Effect = "Allow"
          Action = [
            "ec2:DescribeInstances",
            "ec2:DescribeVpcEndpoints",
            "ec2:DescribeSubnets",
            "ec2:DescribeRouteTables",
            "ec2:DescribeNatGateways",
            "ec2:DescribeSecurityGroups",
          ]
          Resource = "*"
        },
      ]
    } : null
    users = local.finds_users ? {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ListSessions"
          Effect   = "Allow"
          Action   = "ssm:DescribeSessions"
          Resource = "*"
        },
      ]
    } : null
    "session-documents" = local.reads_session_documents ? {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ReadSessionDocuments"
          Effect   = "Allow"
          Action   = "ssm:GetDocument"
          Resource = "arn:${local.partition}:ssm:${local.region}:${local.account}:document/*"
        },
      ]
    } : null
    roles = local.reads_roles ? {
      Version = "2012-10-17"
      Statement = [for item in [
        {
          Sid      = "ReadRoles"
          Effect   = "Allow"
          Action   = "iam:GetRole"
          Resource = "arn:${local.partition}:iam::${local.account}:role/*"
        },
        local.reads_principal_tags ? {
          Sid      = "ReadTagsOfUsers"
          Effect   = "Allow"
          Action   = "iam:GetUser"
          Resource = "arn:${local.partition}:iam::${local.account}:user/*"
        } : null,
      ] : item if item != null]
    } : null
    organization = local.reads_organization ? {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ReadOrganization"
          Effect   = "Allow"
          Action   = "organizations:DescribeOrganization"
          Resource = "*"
        },
      ]
    } : null
    identities = local.simulates ? {
      Version = "2012-10-17"
      Statement = [
        {
          Sid    = "SimulatePolicies"
          Effect = "Allow"
          Action = "iam:SimulatePrincipalPolicy"
          Resource = [
            "arn:${local.partition}:iam::${local.account}:role/*",
            "arn:${local.partition}:iam::${local.account}:user/*",
          ]
        },
      ]
    } : null
  }
}

# The environment of the function.
locals {
  environment = {
    LOG_LEVEL            = var.log_level
    FUNCTION_ROLE_ARN    = local.function_role_arn
    MAX_REPAIRS_PER_HOUR = tostring(var.max_repairs_per_hour)
    DRY_RUN              = tostring(var.dry_run)
    DOCUMENT_NAME        = var.document_name
    ADDITIONAL_DOCUMENTS = var.additional_documents
  }
}

# The policy of the queue of failed events.
locals {
  queue_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = local.failed_events_arn
        Condition = {
          Bool = {
            "aws:SecureTransport" = "false"
          }
        }
      },
      {
        Sid    = "UndeliveredEvents"
        Effect = "Allow"
        Principal = {
          Service = "events.amazonaws.com"
        }
        Action   = "sqs:SendMessage"
        Resource = local.failed_events_arn
        Condition = {
          ArnLike = {
            "aws:SourceArn" = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${var.name}-*"
          }
        }
      },
    ]
  }
}

# The policy of the key that the module creates.
locals {
  created_key_policy = {
    Version = "2012-10-17"
    Statement = [for item in [
      {
        Sid    = "AccountDecides"
        Effect = "Allow"
        Principal = {
          AWS = "arn:${local.partition}:iam::${local.account}:root"
        }
        Action   = "kms:*"
        Resource = "*"
      },
      local.admits_consumers ? {
        Sid    = "ConsumersUse"
        Effect = "Allow"
        Principal = {
          AWS = var.consumer_accounts
        }
        Action   = ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"]
        Resource = "*"
      } : null,
    ] : item if item != null]
  }
}

# The policies of the roles that start sessions, and of the roles of nodes.
locals {
  user_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "StartEncryptedSessions"
        Effect   = "Allow"
        Action   = "kms:GenerateDataKey"
        Resource = split(",", join(",", compact([local.creates_key ? local.created_key_arn : null, local.names_grant_keys ? join(",", var.grant_key_arns) : null])))
      },
    ]
  }
  node_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "TakePartInEncryptedSessions"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = split(",", join(",", compact([local.creates_key ? local.created_key_arn : null, local.names_grant_keys ? join(",", var.grant_key_arns) : null])))
      },
    ]
  }
}

# The rules of EventBridge, by the ends of their names. A rule that is not wanted is null.
locals {
  rules = {
    document = {
      description = "Somebody changed the preferences document"
      event_pattern = {
        source        = ["aws.ssm"]
        "detail-type" = ["AWS API Call via CloudTrail"]
        detail = {
          eventSource = ["ssm.amazonaws.com"]
          eventName   = ["CreateDocument", "UpdateDocument", "UpdateDocumentDefaultVersion", "DeleteDocument"]
          requestParameters = {
            name = [for item in [
              var.document_name,
              local.has_additional_documents ? {
                prefix = split("*", split("?", var.additional_documents)[0])[0]
              } : null,
            ] : item if item != null]
          }
          errorCode = [
            {
              exists = false
            },
          ]
          "$or" = [
            {
              userIdentity = {
                sessionContext = {
                  sessionIssuer = {
                    arn = [
                      {
                        exists = false
                      },
                    ]
                  }
                }
              }
            },
            {
              userIdentity = {
                sessionContext = {
                  sessionIssuer = {
                    arn = [
                      {
                        "anything-but" = local.function_role_arn
                      },
                    ]
                  }
                }
              }
            },
          ]
        }
      }
      schedule_expression = null
    }
    "key-call" = {
      description = "Somebody changed what a key of Session Manager can do, or for whom"
      event_pattern = {
        source        = ["aws.kms"]
        "detail-type" = ["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"]
        detail = {
          eventSource = ["kms.amazonaws.com"]
          "$or" = [
            {
              eventName = [
                "DisableKey",
                "ScheduleKeyDeletion",
                "PutKeyPolicy",
                "DeleteImportedKeyMaterial",
                "DeleteExpiredKeyMaterial",
                "DeleteKey",
                "EnableKey",
                "CancelKeyDeletion",
                "ImportKeyMaterial",
                "TagResource",
                "UntagResource",
              ]
            },
            {
              eventName = ["CreateGrant", "RevokeGrant", "RetireGrant"]
              userIdentity = {
                invokedBy = [
                  {
                    exists = false
                  },
                ]
              }
            },
          ]
          errorCode = [
            {
              exists = false
            },
          ]
          resources = {
            ARN = split(",", join(",", compact([local.key_arn, local.has_standby ? local.standby_key_arn : null, local.has_additional_keys ? join(",", var.additional_key_arns) : null])))
          }
        }
      }
      schedule_expression = null
    }
    "alias-call" = {
      description = "Somebody changed an alias of a key"
      event_pattern = {
        source        = ["aws.kms"]
        "detail-type" = ["AWS API Call via CloudTrail"]
        detail = {
          eventSource = ["kms.amazonaws.com"]
          eventName   = ["CreateAlias", "UpdateAlias", "DeleteAlias"]
          errorCode = [
            {
              exists = false
            },
          ]
        }
      }
      schedule_expression = null
    }
    "key-event" = {
      description = "A key of Session Manager was deleted, or its imported material expired"
      event_pattern = {
        source        = ["aws.kms"]
        "detail-type" = ["KMS CMK Deletion", "KMS Imported Key Material Expiration"]
        resources     = split(",", join(",", compact([local.key_arn, local.has_standby ? local.standby_key_arn : null, local.has_additional_keys ? join(",", var.additional_key_arns) : null])))
      }
      schedule_expression = null
    }
    record = {
      description = "Somebody wrote a record of session-kms"
      event_pattern = {
        source        = ["aws.ssm"]
        "detail-type" = ["Parameter Store Change"]
        detail = {
          name = [for item in [
            "/session-kms/${var.document_name}",
            local.has_additional_documents ? {
              prefix = "/session-kms/${split("*", split("?", var.additional_documents)[0])[0]}"
            } : null,
          ] : item if item != null]
          operation = ["Create", "Update"]
        }
      }
      schedule_expression = null
    }
    "record-deletion" = {
      description = "Somebody deleted a record of session-kms"
      event_pattern = {
        source        = ["aws.ssm"]
        "detail-type" = ["AWS API Call via CloudTrail"]
        detail = {
          eventSource = ["ssm.amazonaws.com"]
          eventName   = ["DeleteParameter", "DeleteParameters"]
          requestParameters = {
            "$or" = [
              {
                name = [for item in [
                  "/session-kms/${var.document_name}",
                  local.has_additional_documents ? {
                    prefix = "/session-kms/${split("*", split("?", var.additional_documents)[0])[0]}"
                  } : null,
                ] : item if item != null]
              },
              {
                names = [for item in [
                  "/session-kms/${var.document_name}",
                  local.has_additional_documents ? {
                    prefix = "/session-kms/${split("*", split("?", var.additional_documents)[0])[0]}"
                  } : null,
                ] : item if item != null]
              },
            ]
          }
          errorCode = [
            {
              exists = false
            },
          ]
          "$or" = [
            {
              userIdentity = {
                sessionContext = {
                  sessionIssuer = {
                    arn = [
                      {
                        exists = false
                      },
                    ]
                  }
                }
              }
            },
            {
              userIdentity = {
                sessionContext = {
                  sessionIssuer = {
                    arn = [
                      {
                        "anything-but" = local.function_role_arn
                      },
                    ]
                  }
                }
              }
            },
          ]
        }
      }
      schedule_expression = null
    }
    schedule = {
      description         = "The schedule on which session-kms checks the preferences document and its key"
      event_pattern       = null
      schedule_expression = var.schedule
    }
    config = local.follows_config_rules ? {
      description = "An AWS Config rule found something that does not comply"
      event_pattern = {
        source        = ["aws.config"]
        "detail-type" = ["Config Rules Compliance Change"]
        detail = {
          configRuleName = var.config_rule_names
          newEvaluationResult = {
            complianceType = ["NON_COMPLIANT"]
          }
        }
      }
      schedule_expression = null
    } : null
    action = local.follows_security_hub ? {
      description = "Somebody chose a custom action on a finding"
      event_pattern = { for name, value in {
        source        = ["aws.securityhub"]
        "detail-type" = ["Security Hub Findings - Custom Action"]
        resources     = local.names_action ? [var.security_hub_action_arn] : null
        detail = local.names_action ? null : {
          findings = {
            Resources = {
              Id = split(",", join(",", compact(["arn:${local.partition}:ssm:${local.region}:${local.account}:document/${var.document_name}", local.key_arn, local.has_standby ? local.standby_key_arn : null, local.has_additional_keys ? join(",", var.additional_key_arns) : null])))
            }
          }
        }
      } : name => value if value != null }
      schedule_expression = null
    } : null
    finding = local.follows_security_hub ? {
      description = "Security Hub CSPM has a finding on the preferences document or its key"
      event_pattern = {
        source        = ["aws.securityhub"]
        "detail-type" = ["Security Hub Findings - Imported"]
        detail = {
          findings = {
            RecordState = ["ACTIVE"]
            Resources = {
              Id = split(",", join(",", compact(["arn:${local.partition}:ssm:${local.region}:${local.account}:document/${var.document_name}", local.key_arn, local.has_standby ? local.standby_key_arn : null, local.has_additional_keys ? join(",", var.additional_key_arns) : null])))
            }
          }
        }
      }
      schedule_expression = null
    } : null
    "ocsf-finding" = local.follows_security_hub ? {
      description = "Security Hub has a finding on the preferences document or its key"
      event_pattern = {
        source        = ["aws.securityhub"]
        "detail-type" = ["Findings Imported V2"]
        detail = {
          findings = {
            resources = {
              uid = split(",", join(",", compact(["arn:${local.partition}:ssm:${local.region}:${local.account}:document/${var.document_name}", local.key_arn, local.has_standby ? local.standby_key_arn : null, local.has_additional_keys ? join(",", var.additional_key_arns) : null])))
            }
          }
        }
      }
      schedule_expression = null
    } : null
  }
}

# The alarms.
locals {
  alarms = {
    drift_found = {
      alarm_description   = "Somebody changed the key setting of the preferences document"
      namespace           = "session-kms"
      metric_name         = "DriftFound"
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    repair_refused = {
      alarm_description   = "The preferences document is not as wanted, and the function refused to repair it"
      namespace           = "session-kms"
      metric_name         = "RepairRefused"
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    breaker_open = {
      alarm_description   = "Somebody keeps changing the preferences document, so the function has stopped repairing it"
      namespace           = "session-kms"
      metric_name         = "BreakerOpen"
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    key_trouble = {
      alarm_description   = "The key of Session Manager cannot be used, or is about to become unusable"
      namespace           = "session-kms"
      metric_name         = "KeyTrouble"
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    checks_failed = {
      alarm_description   = "Somebody who needs the key is refused"
      namespace           = "session-kms"
      metric_name         = "ChecksFailed"
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    checks_unknown = {
      alarm_description   = "Something that the checks of access need cannot be read any more"
      namespace           = "session-kms"
      metric_name         = "ChecksUnknown"
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    alerts = {
      alarm_description   = "Somebody should act; the function's report and its log say why"
      namespace           = "session-kms"
      metric_name         = "Alerts"
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    errors = {
      alarm_description   = "The function failed"
      namespace           = "AWS/Lambda"
      metric_name         = "Errors"
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    failed_events = {
      alarm_description   = "Events that could not be handled wait in the queue of failed events"
      namespace           = "AWS/SQS"
      metric_name         = "ApproximateNumberOfMessagesVisible"
      statistic           = "Maximum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        QueueName = local.failed_events_name
      }
    }
    events_dropped = {
      alarm_description   = "Lambda dropped an event that was too old or had failed too often"
      namespace           = "AWS/Lambda"
      metric_name         = "AsyncEventsDropped"
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    reports_undelivered = {
      alarm_description   = "Lambda could not deliver a report to its destination, or a failed event to the queue"
      namespace           = "AWS/Lambda"
      metric_name         = "DestinationDeliveryFailures"
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    slowness = {
      alarm_description   = "The function takes nearly as long as its timeout"
      namespace           = "session-kms"
      metric_name         = "Duration"
      statistic           = "Maximum"
      period              = 300
      evaluation_periods  = 1
      threshold           = 96000
      comparison_operator = "GreaterThanOrEqualToThreshold"
      treat_missing_data  = "notBreaching"
      datapoints_to_alarm = null
      dimensions = {
        FunctionName = local.function_name
      }
    }
    silence = {
      alarm_description   = "The function has not handled its schedule"
      namespace           = "session-kms"
      metric_name         = "Guarded"
      statistic           = "Sum"
      period              = 3600
      evaluation_periods  = local.runs_hourly ? 3 : 25
      datapoints_to_alarm = local.runs_hourly ? 3 : 25
      threshold           = 1
      comparison_operator = "LessThanThreshold"
      treat_missing_data  = "breaching"
      dimensions = {
        FunctionName = local.function_name
      }
    }
  }
}
