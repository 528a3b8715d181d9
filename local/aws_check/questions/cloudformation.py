"""What CloudFormation does: patterns of lists, exports, what a failed deployment leaves, service tokens, aliases."""

from typing import Any

from botocore.exceptions import ClientError

from local.aws_check import stack
from local.aws_check.account import Account, error_code
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed, different
from local.aws_check.cleanup import unless_gone

HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
ACTIONS = (
    "cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack", "cloudformation:DescribeStacks",
    "cloudformation:DescribeStackEvents",
)
KEY_ACTIONS = ("kms:CreateKey", "kms:PutKeyPolicy", "kms:DescribeKey", "kms:TagResource", "kms:ScheduleKeyDeletion", "kms:ListResourceTags")
LAMBDA_ACTIONS = (
    "iam:CreateRole", "iam:GetRole", "iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole", "iam:PassRole",
    "lambda:CreateFunction", "lambda:GetFunction", "lambda:DeleteFunction", "lambda:CreateAlias", "lambda:GetAlias", "lambda:DeleteAlias",
    "lambda:PutFunctionEventInvokeConfig", "lambda:GetFunctionEventInvokeConfig", "lambda:DeleteFunctionEventInvokeConfig", "lambda:InvokeFunction",
    "logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:DeleteLogGroup",
)


def pattern_of_list(account: Account) -> Answer:
    client, name = account.client("cloudformation"), f"{account.id}-pattern"
    template = stack.template({"Handle": HANDLE}, Parameters={"List": {"Type": "CommaDelimitedList", "AllowedPattern": "^[a-z]$"}})
    account.cleanup.add(
        f"stack {name}", lambda: stack.delete(account, name), account.command(f"cloudformation delete-stack --stack-name {name}")
    )

    def takes(text: str) -> bool:
        try:
            client.create_change_set(
                StackName=name, ChangeSetName=f"list-{len(text)}", ChangeSetType="CREATE", TemplateBody=template,
                Parameters=[{"ParameterKey": "List", "ParameterValue": text}],
            )
        except ClientError as error:
            if error_code(error) == "ValidationError":
                return False
            raise
        return True

    return list_pattern(takes("a,bb"), takes("a,b"))


def list_pattern(with_wrong_element: bool, right: bool) -> Answer:
    """The answer, from which lists a pattern for one letter accepts."""
    if right and not with_wrong_element:
        return as_assumed("AllowedPattern of a CommaDelimitedList holds for each element")
    if not right:
        return different("AllowedPattern of a CommaDelimitedList holds for the whole text, so lists of several elements are refused")
    return different("AllowedPattern of a CommaDelimitedList is ignored, so wrong elements come through")


def imported_export(account: Account) -> Answer:
    name = f"{account.id}-export"

    def exporting(value: str) -> str:
        return stack.template({"Handle": HANDLE}, Outputs={"Value": {"Value": value, "Export": {"Name": name}}})

    stack.create(account, name, exporting("one"))
    importing = stack.template({"Handle": HANDLE}, Outputs={"Value": {"Value": {"Fn::ImportValue": name}}})
    stack.create(account, f"{name}-user", importing)
    try:
        status, _ = stack.update(account, name, exporting("two"))
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
        status = "UPDATE_ROLLBACK_COMPLETE"
    return export_update(status)


def export_update(status: str) -> Answer:
    if status == "UPDATE_COMPLETE":
        return different("an export that another stack imports can change")
    return as_assumed("CloudFormation refuses to change an export while another stack imports it")


def _retained_key(account: Account) -> dict[str, Any]:
    """Make a stack that keeps its key and fails, and return the key's metadata and tags."""
    name = f"{account.id}-retain"
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}]}
    properties = {"Description": "For `make aws-check` of session-kms; it may be deleted", "KeyPolicy": policy}
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": properties},
        "Handle": HANDLE,
        # Nobody sends a signal, so it fails after a second.
        "Fails": {
            "Type": "AWS::CloudFormation::WaitCondition", "DependsOn": "Key", "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1", "Count": 1},
        },
    }
    kms = account.client("kms")
    known: list[str] = []

    def remove() -> None:
        for key in known or _keys(account, name):
            unless_gone(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=7)()

    account.cleanup.add(
        f"the key of stack {name}", remove,
        account.command("kms schedule-key-deletion --pending-window-in-days 7 --key-id <the key of the stack's event CREATE_COMPLETE>"),
    )
    status, _ = stack.begin(account, name, stack.template(resources))
    known += _keys(account, name)
    if status != "ROLLBACK_COMPLETE" or not known:
        raise NotSettledError(f"the stack that shall fail ended as {status}")
    metadata = kms.describe_key(KeyId=known[0])["KeyMetadata"]
    return {"state": metadata["KeyState"], "tags": [tag["TagKey"] for tag in kms.list_resource_tags(KeyId=known[0])["Tags"]]}


def _keys(account: Account, name: str) -> list[str]:
    """The ids of the keys that a stack made."""
    try:
        events = stack.events(account, account.stack_ids.get(name, name))
    except ClientError:
        return []
    return sorted({event["PhysicalResourceId"] for event in events if event["LogicalResourceId"] == "Key" and event.get("PhysicalResourceId")})


def retain_on_failure(account: Account) -> Answer:
    return after_rollback(str(account.once("retained key", lambda: _retained_key(account))["state"]))


def after_rollback(state: str) -> Answer:
    if state == "Enabled":
        return as_assumed("a resource with DeletionPolicy Retain stays if its first deployment is rolled back")
    return different(f"after a first deployment that was rolled back, a key with DeletionPolicy Retain is {state}")


def retained_tags(account: Account) -> Answer:
    return tags_after_rollback(account.once("retained key", lambda: _retained_key(account))["tags"])


def tags_after_rollback(tags: list[str]) -> Answer:
    if "aws:cloudformation:stack-name" in tags:
        return as_assumed("a key that stays keeps the tag aws:cloudformation:stack-name, by which it can be found")
    return different("a key that stays does not have the tag aws:cloudformation:stack-name; find it by its description")


CODE = """
import json, urllib.request
def handler(event, context):
    body = {"Status": "SUCCESS", "PhysicalResourceId": "x"} | {k: event[k] for k in ("StackId", "RequestId", "LogicalResourceId")}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(request).read()
"""


def _function_stack(token: Any) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    function = {
        "Runtime": "python3.13", "Handler": "index.handler", "Timeout": 30, "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": CODE},
        "LoggingConfig": {"LogGroup": {"Ref": "Logs"}},
    }

    def events(qualifier: str) -> dict[str, Any]:
        properties = {"FunctionName": {"Ref": "Function"}, "Qualifier": qualifier, "MaximumRetryAttempts": 1}
        return {"Type": "AWS::Lambda::EventInvokeConfig", "DependsOn": "Alias", "Properties": properties}

    return stack.template({
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 1}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Alias": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Function"}, "FunctionVersion": "$LATEST", "Name": "events"}},
        "OfLatest": events("$LATEST"),
        "OfAlias": events("events"),
        "Resource": {"Type": "Custom::Check", "DependsOn": ["OfAlias", "OfLatest"], "Properties": {"ServiceToken": token, "ServiceTimeout": 120}},
    })


def _token(account: Account) -> tuple[str, str]:
    """Make a stack with a function and its alias. Return the stack's name and its status or reason."""
    name = f"{account.id}-token"
    return name, stack.begin(account, name, _function_stack({"Fn::GetAtt": ["Function", "Arn"]}))[1]


def latest_alias(account: Account) -> Answer:
    return alias_status(account.once("function", lambda: _token(account))[1])


def alias_status(status: str) -> Answer:
    if status == "CREATE_COMPLETE":
        return as_assumed("an alias may point to $LATEST, and has event settings of its own beside those of $LATEST")
    if status.startswith(("Alias:", "OfAlias:", "OfLatest:")):
        return different(f"an alias on $LATEST with its own event settings cannot be made: {status}")
    raise NotSettledError(f"the stack could not be made: {status}")


def service_token(account: Account) -> Answer:
    name, status = account.once("function", lambda: _token(account))
    if status != "CREATE_COMPLETE":
        raise NotSettledError(f"the stack could not be made: {status}")
    return token_update(*stack.update(account, name, _function_stack({"Ref": "Alias"})))


def token_update(status: str, reason: str) -> Answer:
    if status == "UPDATE_COMPLETE":
        return different("the ServiceToken of a custom resource can change")
    return as_assumed(f"the ServiceToken of a custom resource cannot change ({reason})")


QUESTIONS = (
    Question(
        "allowed-pattern-list", "AllowedPattern of a CommaDelimitedList holds for each element", pattern_of_list, ("cloudformation:CreateChangeSet", *ACTIONS),
    ),
    Question(
        "imported-export", "an export cannot change while another stack imports it", imported_export, (*ACTIONS, "cloudformation:ListImports"), seconds=600,
    ),
    Question(
        "retain-on-failure", "a resource with DeletionPolicy Retain stays if a first deployment is rolled back", retain_on_failure,
        (*ACTIONS, *KEY_ACTIONS), seconds=600,
    ),
    Question("retained-key-tags", "a key that stays keeps its tag aws:cloudformation:stack-name", retained_tags, (*ACTIONS, *KEY_ACTIONS), seconds=600),
    Question(
        "latest-alias", "an alias may point to $LATEST and have its own event settings", latest_alias, (*ACTIONS, *LAMBDA_ACTIONS), seconds=600,
    ),
    Question("service-token", "the ServiceToken of a custom resource cannot change", service_token, (*ACTIONS, *LAMBDA_ACTIONS), seconds=600),
)
