"""What CloudFormation needs to make, change and delete each type of resource in the templates.

AWS publishes no list that fits: the schemas of resource types name what their handlers may call, which is more. This
list follows from what the templates set, and a test holds that each type has a row and each action exists.
"""

_TAGS_OF_CLOUDWATCH = ("cloudwatch:TagResource", "cloudwatch:UntagResource", "cloudwatch:ListTagsForResource")


def _of(service: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{service}:{name}" for name in names)


TYPES: dict[str, tuple[str, ...]] = {
    "AWS::CloudFormation::StackSet": _of(
        "cloudformation", "CreateStackSet", "DescribeStackSet", "UpdateStackSet", "DeleteStackSet", "CreateStackInstances",
        "UpdateStackInstances", "DeleteStackInstances", "ListStackInstances", "DescribeStackSetOperation", "ListStackSetOperations",
    ),
    "AWS::CloudWatch::Alarm": _of("cloudwatch", "PutMetricAlarm", "DescribeAlarms", "DeleteAlarms") + _TAGS_OF_CLOUDWATCH,
    "AWS::Config::ConfigRule": _of("config", "PutConfigRule", "DescribeConfigRules", "DeleteConfigRule"),
    "AWS::Events::EventBusPolicy": _of("events", "PutPermission", "RemovePermission", "DescribeEventBus"),
    "AWS::Events::Rule": _of("events", "PutRule", "DescribeRule", "DeleteRule", "PutTargets", "RemoveTargets", "ListTargetsByRule"),
    "AWS::IAM::ManagedPolicy": _of(
        "iam", "CreatePolicy", "GetPolicy", "GetPolicyVersion", "CreatePolicyVersion", "ListPolicyVersions", "DeletePolicyVersion",
        "AttachRolePolicy", "DetachRolePolicy", "ListEntitiesForPolicy",
    ),
    "AWS::IAM::Policy": _of("iam", "PutRolePolicy", "GetRolePolicy", "DeleteRolePolicy"),
    "AWS::IAM::Role": _of(
        "iam", "CreateRole", "GetRole", "UpdateRole", "UpdateAssumeRolePolicy", "PutRolePolicy", "GetRolePolicy", "ListRolePolicies",
        "DeleteRolePolicy", "ListAttachedRolePolicies", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "TagRole",
        "UntagRole", "DeleteRole", "PassRole",
    ),
    "AWS::KMS::Alias": _of("kms", "CreateAlias", "UpdateAlias", "DeleteAlias", "ListAliases"),
    "AWS::KMS::Key": _of(
        "kms", "CreateKey", "DescribeKey", "UpdateKeyDescription", "PutKeyPolicy", "GetKeyPolicy", "EnableKeyRotation",
        "GetKeyRotationStatus", "TagResource", "UntagResource", "ListResourceTags",
    ),
    "AWS::Lambda::Alias": _of("lambda", "CreateAlias", "GetAlias", "UpdateAlias", "DeleteAlias"),
    "AWS::Lambda::EventInvokeConfig": _of(
        "lambda", "PutFunctionEventInvokeConfig", "GetFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig",
        "DeleteFunctionEventInvokeConfig",
    ),
    "AWS::Lambda::Permission": _of("lambda", "AddPermission", "RemovePermission", "GetPolicy"),
    "AWS::Logs::LogGroup": _of(
        "logs", "CreateLogGroup", "DescribeLogGroups", "PutRetentionPolicy", "DeleteRetentionPolicy", "DeleteLogGroup", "TagResource",
        "UntagResource", "ListTagsForResource",
    ),
    "AWS::S3::Bucket": _of(
        "s3", "CreateBucket", "PutEncryptionConfiguration", "PutBucketPublicAccessBlock", "PutBucketVersioning", "PutLifecycleConfiguration",
        "PutBucketOwnershipControls", "PutBucketTagging", "GetBucketTagging", "DeleteBucket",
    ),
    "AWS::S3::BucketPolicy": _of("s3", "PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"),
    "AWS::SQS::Queue": _of(
        "sqs", "CreateQueue", "GetQueueUrl", "GetQueueAttributes", "SetQueueAttributes", "DeleteQueue", "TagQueue", "UntagQueue", "ListQueueTags",
    ),
    "AWS::SQS::QueuePolicy": _of("sqs", "GetQueueAttributes", "SetQueueAttributes"),
    "AWS::SSM::Parameter": _of(
        "ssm", "PutParameter", "GetParameters", "DeleteParameter", "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource",
    ),
    "AWS::Scheduler::Schedule": (*_of("scheduler", "CreateSchedule", "GetSchedule", "UpdateSchedule", "DeleteSchedule"), "iam:PassRole"),
    "AWS::Scheduler::ScheduleGroup": _of("scheduler", "CreateScheduleGroup", "GetScheduleGroup", "DeleteScheduleGroup", "TagResource"),
    "AWS::Serverless::Function": (
        *_of(
            "lambda", "CreateFunction", "GetFunction", "GetFunctionConfiguration", "UpdateFunctionCode", "UpdateFunctionConfiguration",
            "PutFunctionConcurrency", "DeleteFunctionConcurrency", "DeleteFunction", "TagResource", "UntagResource", "ListTags",
        ),
        "iam:PassRole", "s3:GetObject",
    ),
    "AWS::Serverless::StateMachine": (
        *_of(
            "states", "CreateStateMachine", "DescribeStateMachine", "UpdateStateMachine", "DeleteStateMachine", "TagResource", "UntagResource",
            "ListTagsForResource",
        ),
        "iam:PassRole",
    ),
    "Custom::SessionEncryption": ("lambda:InvokeFunction",),
    "Custom::SessionKey": ("lambda:InvokeFunction",),
    "Custom::SessionKeyAccess": ("lambda:InvokeFunction",),
}

# Whoever deploys needs these, with or without a service role.
CALLER: dict[str, tuple[str, ...]] = {
    "CloudFormation, on the stack, on SAM's `aws-sam-cli-managed-default` and on the transform `Serverless-2016-10-31`": _of(
        "cloudformation", "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DescribeStacks", "DescribeStackEvents",
        "GetTemplateSummary", "GetTemplate", "DeleteStack",
    ),
    "SAM's bucket, and the first time its creation": _of(
        "s3", "PutObject", "GetObject", "CreateBucket", "PutEncryptionConfiguration", "PutBucketVersioning", "PutBucketPolicy",
        "PutBucketTagging", "PutBucketPublicAccessBlock",
    ),
}
