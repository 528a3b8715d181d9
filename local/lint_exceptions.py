"""The findings of the validators that are accepted, each with its reason. Every other finding fails ``make lint``.

An exception that no longer matches a finding fails too. cfn-lint reads its one exception from the metadata of
deploy/key-events.yaml: it invents values for a loop over accounts, which are no account ids.
"""

from typing import NamedTuple


class Policy(NamedTuple):
    """A finding of parliament on a policy, which has the name of its resource and its own."""

    name: str
    issue: str
    # The one action that the finding is about. Empty for a finding on the policy as a whole.
    action: str = ""


class Setting(NamedTuple):
    """A finding of checkov on a resource."""

    template: str
    resource: str
    check: str


PARLIAMENT = {
    # The function may assume one role, and that role only reads.
    Policy("FunctionRole/key-policy-reader", "CREDENTIALS_EXPOSURE"),
    # The statement for emulators of AWS, which authorise a call on the alias that it names.
    Policy("FunctionRole/key", "RESOURCE_MISMATCH", "kms:DescribeKey"),
    # The stack of the trials allows the call by the alias, whether IAM decides it on the key or on the alias.
    Policy("UseOfTheKey", "RESOURCE_MISMATCH", "kms:DescribeKey"),
    # The functions of the audit may assume one role in each account, and that role only reads.
    Policy("WorkerRole/audit-role", "CREDENTIALS_EXPOSURE"),
    Policy("ReportRole/audit-role", "CREDENTIALS_EXPOSURE"),
    # parliament knows this action on executions of Express workflows only. The children are Standard executions.
    Policy("ChildExecutionsPolicy", "RESOURCE_MISMATCH", "states:DescribeExecution"),
    # In a key policy, `*` is the key itself, and a key whose policy gives the account no kms:* could become unmanageable.
    Policy("Key", "RESOURCE_STAR"),
    Policy("Key", "PERMISSIONS_MANAGEMENT_ACTIONS"),
}

CHECKOV = {
    # "encrypted by a KMS key": SQS encrypts these queues with its own key (SqsManagedSseEnabled). A customer managed key
    # would have to admit EventBridge and Lambda, and with it failed events would be lost just when keys fail.
    Setting("template.yaml", "FailedEvents", "CKV_AWS_27"),
    Setting("key-events.yaml", "UndeliveredEvents", "CKV_AWS_27"),
    # The same, and the stack exists for minutes: it holds the events that its own test resources cause.
    Setting("stack.yaml", "Events", "CKV_AWS_27"),
    # "rotation": the key is scheduled for deletion minutes after it was made.
    Setting("stack.yaml", "Key", "CKV_AWS_7"),
    # "a dead letter queue": the queue of failed events is the destination of both event invoke configurations, which
    # keeps the reason of the failure too. checkov looks at the function only.
    Setting("template.yaml", "Function", "CKV_AWS_116"),
    # The same: only CloudFormation invokes this function, and reports a request without an answer itself. A queue would
    # only keep the signed addresses of answers.
    Setting("template-key-access.yaml", "Function", "CKV_AWS_116"),
    # The same: Step Functions waits for each answer, and keeps the reason of a failure.
    Setting("audit.yaml", "WorkerFunction", "CKV_AWS_116"),
    Setting("audit.yaml", "ReportFunction", "CKV_AWS_116"),
    # "inside a VPC": the functions call AWS's services only, and accept no connection. In a VPC they would depend on
    # endpoints, and their failure would be one more reason why nobody notices trouble with a key.
    Setting("template.yaml", "Function", "CKV_AWS_117"),
    Setting("template-key-access.yaml", "Function", "CKV_AWS_117"),
    Setting("audit.yaml", "WorkerFunction", "CKV_AWS_117"),
    Setting("audit.yaml", "ReportFunction", "CKV_AWS_117"),
    # "encrypted environment variables": Lambda encrypts them with its own key, and they hold names and ARNs, which are no
    # secrets. With a customer managed key the function could not start if that key had trouble.
    Setting("template.yaml", "Function", "CKV_AWS_173"),
    Setting("template-key-access.yaml", "Function", "CKV_AWS_173"),
    Setting("audit.yaml", "WorkerFunction", "CKV_AWS_173"),
    Setting("audit.yaml", "ReportFunction", "CKV_AWS_173"),
    # "a limit on concurrent executions": accounts with a small quota cannot reserve any. In template.yaml a parameter
    # reserves it; here one request at a time is usual.
    Setting("template-key-access.yaml", "Function", "CKV_AWS_115"),
    # The state machine limits how many pairs are audited at once, and invokes the other function once at a time.
    Setting("audit.yaml", "WorkerFunction", "CKV_AWS_115"),
    Setting("audit.yaml", "ReportFunction", "CKV_AWS_115"),
    # "log group encrypted by a KMS key": CloudWatch Logs encrypts with its own key, and the log holds no secrets. The log
    # has to say why a key fails, so it does not depend on one.
    Setting("template.yaml", "FunctionLogGroup", "CKV_AWS_158"),
    Setting("template-key-access.yaml", "FunctionLogGroup", "CKV_AWS_158"),
    Setting("audit.yaml", "FunctionLogGroup", "CKV_AWS_158"),
    # "access logging": the bucket is read by the security team of the audit account, which can log its reads by CloudTrail's
    # data events. A log of its own would need one more bucket.
    Setting("audit.yaml", "Bucket", "CKV_AWS_18"),
    # "access logging": the bucket holds public code. A log of its reads would need one more bucket in each Region;
    # CloudTrail's data events can log them.
    Setting("code-bucket.yaml", "Code", "CKV_AWS_18"),
    # "only specific principals": with an organization the principal is everybody, and conditions name the organization and
    # the roles. IAM accepts no organization and no pattern as a principal.
    Setting("template-key-access.yaml", "ReaderRole", "CKV_AWS_60"),
}
