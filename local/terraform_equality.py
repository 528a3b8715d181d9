"""Holds the Terraform module equal to ``template.yaml``.

Every resource of the template has a counterpart in the module, or a reason why it has none. The locals of the module are
evaluated for the choices of parameters of ``local/template.py``, and compared with what the template gives. The figures that
the resources of the module name themselves are compared too.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from local.paths import TEMPLATE
from local.template import ABSENT, CHOICES, PSEUDO, Resolver, load
from local.terraform_module import rule_end
from local.terraform_translator import Translator, camel, snake
from local.terraform_tree import Block, Locals, TreeError, evaluated
from local.terraform_variables import LEFT_OUT

# The resources of the module that stand for each resource of the template. The rules and the alarms stand for many.
COUNTERPARTS = {
    "SessionEncryption": ["aws_lambda_invocation.session_encryption"],
    "Key": ["aws_kms_key.this"],
    "KeyAlias": ["aws_kms_alias.this"],
    "KeyArnParameter": ["aws_ssm_parameter.key_arn"],
    "UserPolicy": ["aws_iam_policy.users", "aws_iam_role_policy_attachment.users"],
    "NodePolicy": ["aws_iam_policy.nodes", "aws_iam_role_policy_attachment.nodes"],
    "Function": ["aws_lambda_function.this"],
    "FunctionRole": ["aws_iam_role.function", "aws_iam_role_policy.function"],
    "FunctionLogGroup": ["aws_cloudwatch_log_group.function"],
    "FunctionInvokeConfig": ["aws_lambda_function_event_invoke_config.function"],
    "EventsAlias": ["aws_lambda_alias.events"],
    "EventsInvokeConfig": ["aws_lambda_function_event_invoke_config.events"],
    "EventsPermission": ["aws_lambda_permission.events"],
    "ComplianceRule": ["aws_config_config_rule.compliance"],
    "ComplianceRulePermission": ["aws_lambda_permission.config"],
    "FailedEvents": ["aws_sqs_queue.failed_events"],
    "FailedEventsPolicy": ["aws_sqs_queue_policy.failed_events"],
    # The data sources resolve the keys when Terraform plans.
    "SessionKey": ["data.aws_kms_key.given", "data.aws_kms_key.standby"],
}
OF_TYPE = {
    "AWS::Events::Rule": ["aws_cloudwatch_event_rule.this", "aws_cloudwatch_event_target.function"],
    "AWS::CloudWatch::Alarm": ["aws_cloudwatch_metric_alarm.this", "aws_cloudwatch_metric_alarm.silence"],
}
WITHOUT_COUNTERPART = {
    "KeyEventsPolicy": "Terraform's resource for the policy of an event bus replaces all of it, and the one for a single statement has no such condition",
}
# Where the account, Region and partition come from.
SURROUNDINGS = {"data.aws_partition.current", "data.aws_region.current", "data.aws_caller_identity.current"}

# Literals of the module, each with its property in the template.
FIGURES = [
    ("aws_lambda_function.this", ("description",), "Function", ("Description",)),
    ("aws_lambda_function.this", ("runtime",), "Function", ("Runtime",)),
    ("aws_lambda_function.this", ("handler",), "Function", ("Handler",)),
    ("aws_lambda_function.this", ("memory_size",), "Function", ("MemorySize",)),
    ("aws_lambda_function.this", ("timeout",), "Function", ("Timeout",)),
    ("aws_lambda_function.this", ("logging_config", "log_format"), "Function", ("LoggingConfig", "LogFormat")),
    ("aws_iam_role.function", ("assume_role_policy",), "FunctionRole", ("AssumeRolePolicyDocument",)),
    ("aws_lambda_function_event_invoke_config.function", ("qualifier",), "FunctionInvokeConfig", ("Qualifier",)),
    ("aws_lambda_function_event_invoke_config.function", ("maximum_event_age_in_seconds",), "FunctionInvokeConfig", ("MaximumEventAgeInSeconds",)),
    ("aws_lambda_function_event_invoke_config.function", ("maximum_retry_attempts",), "FunctionInvokeConfig", ("MaximumRetryAttempts",)),
    ("aws_lambda_function_event_invoke_config.events", ("maximum_event_age_in_seconds",), "EventsInvokeConfig", ("MaximumEventAgeInSeconds",)),
    ("aws_lambda_function_event_invoke_config.events", ("maximum_retry_attempts",), "EventsInvokeConfig", ("MaximumRetryAttempts",)),
    ("aws_lambda_alias.events", ("name",), "EventsAlias", ("Name",)),
    ("aws_lambda_alias.events", ("description",), "EventsAlias", ("Description",)),
    ("aws_lambda_alias.events", ("function_version",), "EventsAlias", ("FunctionVersion",)),
    ("aws_lambda_permission.events", ("action",), "EventsPermission", ("Action",)),
    ("aws_lambda_permission.events", ("principal",), "EventsPermission", ("Principal",)),
    ("aws_lambda_permission.config", ("action",), "ComplianceRulePermission", ("Action",)),
    ("aws_lambda_permission.config", ("principal",), "ComplianceRulePermission", ("Principal",)),
    ("aws_config_config_rule.compliance", ("description",), "ComplianceRule", ("Description",)),
    ("aws_config_config_rule.compliance", ("source", "owner"), "ComplianceRule", ("Source", "Owner")),
    ("aws_config_config_rule.compliance", ("source", "source_detail", "event_source"), "ComplianceRule", ("Source", "SourceDetails", "EventSource")),
    ("aws_config_config_rule.compliance", ("source", "source_detail", "message_type"), "ComplianceRule", ("Source", "SourceDetails", "MessageType")),
    (
        "aws_config_config_rule.compliance", ("source", "source_detail", "maximum_execution_frequency"), "ComplianceRule",
        ("Source", "SourceDetails", "MaximumExecutionFrequency"),
    ),
    ("aws_sqs_queue.failed_events", ("message_retention_seconds",), "FailedEvents", ("MessageRetentionPeriod",)),
    ("aws_sqs_queue.failed_events", ("sqs_managed_sse_enabled",), "FailedEvents", ("SqsManagedSseEnabled",)),
    ("aws_kms_key.this", ("enable_key_rotation",), "Key", ("EnableKeyRotation",)),
    ("aws_kms_key.this", ("deletion_window_in_days",), "Key", ("PendingWindowInDays",)),
    ("aws_ssm_parameter.key_arn", ("description",), "KeyArnParameter", ("Description",)),
    ("aws_ssm_parameter.key_arn", ("type",), "KeyArnParameter", ("Type",)),
    ("aws_iam_policy.users", ("description",), "UserPolicy", ("Description",)),
    ("aws_iam_policy.nodes", ("description",), "NodePolicy", ("Description",)),
]
# Values that a rule of the template asks for.
RULE_VALUES = [
    ("Encryption", "Disabled"), ("KmsKeyId", "alias/session-manager"), ("CreateKey", "true"), ("OnKeyTrouble", "Standby"),
    ("StandbyKmsKeyId", "alias/standby"), ("SecurityHub", "true"), ("SecurityHubActionArn", "arn:aws:securityhub:x:y:action/custom/z"),
    ("UserRoleNames", "Operator"), ("NodeRoleNames", "App"), ("GrantKeyArns", "arn:aws:kms:x:y:key/z"), ("ConsumerAccounts", "222222222222"),
    ("ReportDestinationArn", "event-bus/default"), ("ReportTopicKeyArn", "arn:aws:kms:x:y:key/z"), ("KeyPolicyReaderRoleArn", "arn:aws:iam::x:role/y"),
    ("KeyPolicyReaderExternalId", "id"),
]


class ModuleResolver(Resolver):
    """Resolves what only the module has to know."""

    def holds(self, condition: Any) -> bool:
        """Whether a condition of a rule holds."""
        return self._holds(condition)

    def _attribute(self, resource: str, attribute: str) -> Any:
        # The old policies stay until the document has changed, so the new ones do not name the key of that time.
        if attribute == "PresentKeyArn":
            return ABSENT
        return f"{resource}.{attribute}" if attribute == "QueueName" else super()._attribute(resource, attribute)


def problems(blocks: list[Block]) -> list[str]:
    """In what the module is not equal to the template."""
    template = load(TEMPLATE.read_text())
    found = [*_problems_of_counterparts(template, blocks), *_problems_of_variables(template, blocks), *_problems_of_figures(template, blocks)]
    found += _problems_of_rules(template, blocks)
    for choice, parameters in CHOICES.items():
        known = {name: value for name, value in parameters.items() if name in template["Parameters"]}
        try:
            found += [f"{choice}: {problem}" for problem in problems_of_choice(template, known, locals_of_choice(template, blocks, known))]
        except TreeError as error:
            found.append(f"{choice}: {error}")
    return found


def _problems_of_counterparts(template: dict[str, Any], blocks: list[Block]) -> Iterator[str]:
    present = {block.address() for block in blocks if block.kind in ("resource", "data")}
    wanted: set[str] = set(SURROUNDINGS)
    for name, resource in template["Resources"].items():
        counterparts = COUNTERPARTS.get(name) or OF_TYPE.get(resource["Type"], [])
        if not counterparts and name not in WITHOUT_COUNTERPART:
            yield f"{name} of the template has no counterpart in the module"
        wanted.update(counterparts)
    yield from (f"the module lacks {address}" for address in sorted(wanted - present))
    yield from (f"{address} of the module stands for nothing in the template" for address in sorted(present - wanted))


def _problems_of_variables(template: dict[str, Any], blocks: list[Block]) -> Iterator[str]:
    variables = {block.labels[0] for block in blocks if block.kind == "variable"}
    for parameter in template["Parameters"]:
        if (snake(parameter) in variables) == (parameter in LEFT_OUT):
            yield f"{parameter} of the template: the module has no such variable, or has one that it should not have"


def _problems_of_figures(template: dict[str, Any], blocks: list[Block]) -> Iterator[str]:
    resources = {block.address(): block for block in blocks if block.kind == "resource"}
    for address, path, name, property_path in FIGURES:
        wanted: Any = template["Resources"][name]["Properties"]
        for key in property_path:
            wanted = (wanted[0] if isinstance(wanted, list) else wanted)[key]
        if address not in resources:
            continue
        found = _literal(resources[address], path)
        if found != wanted:
            yield f"{address}: {'.'.join(path)} is {found}, and {name} of the template has {wanted}"


def _problems_of_rules(template: dict[str, Any], blocks: list[Block]) -> Iterator[str]:
    """Values that the rules of the template refuse and the module does not, or the other way round: each alone, and each two."""
    for values in [*combinations(RULE_VALUES, 1), *combinations(RULE_VALUES, 2)]:
        parameters = dict(values)
        resolver = ModuleResolver(template, parameters)
        wanted = sum(
            resolver.holds(rule["RuleCondition"]) and not resolver.holds(assertion["Assert"])
            for rule in template["Rules"].values()
            for assertion in rule["Assertions"]
        )
        try:
            found = len(locals_of_choice(template, blocks, parameters)["broken_rules"])
        except TreeError as error:
            yield f"local.broken_rules: {error}"
            return
        if found != wanted:
            yield f"local.broken_rules: {parameters} breaks {wanted} rules of the template, and {found} of the module"


def _literal(block: Block, path: tuple[str, ...]) -> Any:
    for name in path[:-1]:
        block = next(inner for inner in block.blocks if inner.kind == name)
    node = block.attributes.get(path[-1])
    if node is None:
        return None
    for call in node.find_data("function_call"):
        # A document of a policy, which Terraform is to write as JSON.
        return evaluated(call.children[2].children[0], {})
    return evaluated(node, {})


def variables_of_choice(template: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The values of the variables for a choice of parameters."""
    translator = Translator(template)
    values: dict[str, Any] = {"name": f"session-kms-{PSEUDO['AWS::StackId'].rsplit('/')[-1]}"}
    for name, definition in template["Parameters"].items():
        text = str(parameters.get(name, definition["Default"]))
        match translator.kind(name):
            case "bool":
                values[snake(name)] = text == "true"
            case "number":
                values[snake(name)] = int(text)
            case "list":
                values[snake(name)] = text.split(",") if text else []
            case _:
                values[snake(name)] = text
    return values


def given_locals(resolver: Resolver) -> dict[str, Any]:
    """What the resources of the module give, as the resolver of the template gives it."""
    return {
        "partition": PSEUDO["AWS::Partition"],
        "region": PSEUDO["AWS::Region"],
        "account": PSEUDO["AWS::AccountId"],
        "function_name": "Function",
        "function_role_arn": resolver.resolve({"Fn::GetAtt": ["FunctionRole", "Arn"]}),
        "log_group_arn": resolver.resolve({"Fn::GetAtt": ["FunctionLogGroup", "Arn"]}),
        "failed_events_arn": resolver.resolve({"Fn::GetAtt": ["FailedEvents", "Arn"]}),
        "failed_events_name": resolver.resolve({"Fn::GetAtt": ["FailedEvents", "QueueName"]}),
        "created_key_arn": resolver.resolve({"Fn::GetAtt": ["Key", "Arn"]}),
        "key_arn": resolver.resolve({"Fn::GetAtt": ["SessionKey", "KeyArn"]}),
        "standby_key_arn": resolver.resolve({"Fn::GetAtt": ["SessionKey", "StandbyKeyArn"]}),
    }


def locals_of_choice(template: dict[str, Any], blocks: list[Block], parameters: Mapping[str, str]) -> Locals:
    """The locals of the module for a choice of parameters."""
    resolver = ModuleResolver(template, dict(parameters))
    return Locals(blocks, variables_of_choice(template, parameters), given_locals(resolver))


def problems_of_choice(template: dict[str, Any], parameters: Mapping[str, str], values: Mapping[str, Any]) -> Iterator[str]:
    """In what the locals are not what the template gives for a choice of parameters."""
    resolver = ModuleResolver(template, dict(parameters))
    for name, wanted in expected(template, resolver).items():
        found = values[name]
        if isinstance(found, dict):
            found = {key: value for key, value in found.items() if value is not None}
        if name == "properties":
            found = {key: text for key, value in found.items() if (text := _text(value)) not in ("", [])}
        if found != wanted:
            yield f"local.{name} is not what the template gives:\n  {found}\n  {wanted}"


def expected(template: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    """What the locals have to be."""
    resources = template["Resources"]

    def of(name: str, *path: str) -> Any:
        value = resources[name]["Properties"]
        for key in path:
            value = value[key]
        return resolver.resolve(value)

    result: dict[str, Any] = {snake(name): resolver.condition(name) for name in template["Conditions"] if name != "AdmitsKeyEvents"}
    result["broken_rules"] = []
    result["environment"] = of("Function", "Environment", "Variables")
    result["queue_policy"] = of("FailedEventsPolicy", "PolicyDocument")
    result["created_key_policy"] = of("Key", "KeyPolicy")
    for name, policy in (("user_policy", "UserPolicy"), ("node_policy", "NodePolicy")):
        if resolver.exists(policy):
            result[name] = of(policy, "PolicyDocument")
    result["policies"] = {policy["PolicyName"]: policy["PolicyDocument"] for policy in of("FunctionRole", "Policies")}
    properties = {camel(name): _text(value) for name, value in of("SessionEncryption").items() if name not in ("ServiceToken", "ServiceTimeout", "Requires")}
    result["properties"] = {"action": "reconcile"} | {name: value for name, value in properties.items() if value not in ("", [])}
    result["rules"] = {
        rule_end(rule["Properties"]): {
            "description": rule["Properties"]["Description"],
            "event_pattern": resolver.resolve(rule["Properties"].get("EventPattern")),
            "schedule_expression": resolver.resolve(rule["Properties"].get("ScheduleExpression")),
        }
        for name, rule in resources.items()
        if rule["Type"] == "AWS::Events::Rule" and resolver.exists(name)
    }
    alarms = {name: alarm for name, alarm in resources.items() if alarm["Type"] == "AWS::CloudWatch::Alarm"}
    result["alarms"] = {snake(name.removesuffix("Alarm")): _alarm(resolver, alarm) for name, alarm in alarms.items()}
    return result


def _alarm(resolver: Resolver, alarm: dict[str, Any]) -> dict[str, Any]:
    properties = dict(alarm["Properties"])
    dimensions = properties.pop("Dimensions")
    properties.pop("AlarmActions")
    resolved = {snake(name): resolver.resolve(value) for name, value in properties.items()}
    return {"datapoints_to_alarm": None} | resolved | {"dimensions": {one["Name"]: resolver.resolve(one["Value"]) for one in dimensions}}


def _text(value: Any) -> Any:
    """A value as CloudFormation sends it: scalars are text, and an empty text in a list is nothing."""
    if isinstance(value, list):
        return [item for item in map(_text, value) if item != ""]
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
