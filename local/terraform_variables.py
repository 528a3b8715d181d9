"""The variables of the Terraform module that stand for parameters of ``template.yaml``, with their validations."""

import re
from typing import Any

from local.hcl import Expression, rendered, string
from local.terraform_translator import Translator, snake

# Parameters that the module does not have. Its README gives the reasons.
LEFT_OUT = ("KeyEventsAccounts",)
# A parameter of CloudFormation holds no more than this. A variable has no such limit.
LONGEST_PARAMETER = 4096
# Terraform's regular expressions (RE2) look at nothing but the text that they match, and repeat at most 1,000 times.
RE2 = {
    "KeyPolicyReaderExternalId": ("^$|^[A-Za-z0-9_+=,.@:/-]{2,}$", "length({0}) <= 1224"),
    "UserRoleNames": (r"^$|^[A-Za-z0-9_+=.@-]{1,64}(,[A-Za-z0-9_+=.@-]{1,64})*$", "alltrue([for name in {0} : !startswith(name, \"AWSReservedSSO_\")])"),
    "NodeRoleNames": (r"^$|^[A-Za-z0-9_+=.@-]{1,64}(,[A-Za-z0-9_+=.@-]{1,64})*$", "alltrue([for name in {0} : !startswith(name, \"AWSReservedSSO_\")])"),
    "KeyArnParameterName": (
        "^$|^(/?[A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+){2,15})$",
        '!can(regex("^/?([aA][wW][sS]|[sS][sS][mM])", {0})) && !can(regex("^/session-kms/[^/]+$", {0}))',
    ),
}
# What a description says of stacks that is otherwise in Terraform.
DESCRIPTIONS = {
    "CreateKey": (
        "true creates a key, with yearly rotation and the alias alias/NAME/session-manager. Terraform refuses to destroy it "
        "(prevent_destroy), because that would make what it encrypted unreadable."
    ),
    "UserRoleNames": (
        "Names, without their paths, of the roles of this account that start sessions. The module attaches a managed policy with "
        "kms:GenerateDataKey to them before it switches the key on."
    ),
    "NodeRoleNames": (
        "Names, without their paths, of the roles of managed nodes (instance profiles, hybrid activations, Default Host Management). The "
        "module attaches a managed policy with kms:Decrypt to them before it switches the key on."
    ),
    "GrantKeyArns": (
        "ARNs of the keys in the two managed policies. They are needed if user_role_names or node_role_names are given without create_key. A "
        "policy cannot name an alias, so give the ARN of the key here even if kms_key_id is an alias. If they change, the old policies "
        "stay until the document has changed."
    ),
    "GrantRegion": (
        "For modules in several Regions of an account, which share the account's roles: the one Region whose module attaches the two "
        "policies, with the keys of all Regions in grant_key_arns. If it is empty, the module of each Region attaches its own policies."
    ),
    "Context": (
        "What is known of the condition keys of every call of every user and node, as a JSON object: a value, a list of values, or null for "
        "a condition key that no call has, for example jsonencode({ \"aws:SourceVpce\" = null }). The function takes it on trust, and the "
        "report says which verdicts rest on it."
    ),
    "KeyPolicy": (
        "The policy of another account's key as JSON text, if no role may read it. The key's grants, tags and aliases are unknown then."
    ),
    "DocumentName": (
        "The Session document to edit. Session Manager reads its regional preferences from SSM-SessionManagerRunShell. If you change this "
        "name, list the present one in additional_documents: after the change the function restores the old document."
    ),
    "CreateDocument": (
        "true creates a document that does not exist. With false such a name is refused as a typing error. The regional preferences, "
        "SSM-SessionManagerRunShell, are created in any case."
    ),
    "OnDelete": (
        "What destroying the module does: Restore sets the previous key setting again, Clear turns encryption off, Retain leaves the key set. "
        "The document is never deleted, and other settings never change."
    ),
    "OnConflict": (
        "Fail refuses a document that somebody else owns, and names the owner. TakeOver makes direct calls, and so Terraform, its owner."
    ),
    "Revision": "Any text. If you change it, Terraform calls the function again, which repairs drift.",
    "AdditionalDocuments": (
        "Name of a further document, or an IAM pattern of names (* and ?), that this function may manage: for stacks that use it as their "
        "ServiceToken, and while document_name changes. If it is empty, the function manages only document_name."
    ),
    "AdditionalKeyArns": (
        "ARNs of keys of other accounts that this function may read in addition to kms_key_id: for stacks that use it as their "
        "ServiceToken, and to restore such a key (on_delete Restore). The rules match the events of these keys too. An event pattern has "
        "2,048 characters by default, and a role 10,240 in its policies, enough for some 10 keys here."
    ),
    "KeyArnParameterName": (
        "Name of a parameter in Parameter Store that the module makes with the ARN of the key, for others, such as "
        "/session-kms/SSM-SessionManagerRunShell/key-arn. With encryption Disabled there is no such parameter. Empty for none."
    ),
    "ConsumerAccounts": (
        "Accounts that the policy of the created key admits, besides this account, to the actions that sessions need. Their own IAM policies "
        "decide which of their principals may use the key."
    ),
    "ConfigRuleNames": "Names of AWS Config rules whose non-compliance makes the function check and repair. Empty for none.",
    "Users": "ARNs of roles and users that start sessions and must be able to use the key, in addition to those in the session history.",
    "Nodes": "ARNs of roles of nodes that must be able to use the key, in addition to those of the present nodes.",
    "Exempt": "ARNs, * and ? allowed, of principals whose failure is reported and blocks nothing.",
}


def in_words_of_terraform(text: str, parameters: dict[str, Any]) -> str:
    """A description with variables for parameters, and without stacks."""
    for name in sorted(parameters, key=len, reverse=True):
        if snake(name) != name.lower():
            text = re.sub(rf"\b{name}\b", snake(name), text)
    text = re.sub(r"\bEncryption (?=Enabled|Disabled)", "encryption ", text)
    text = text.replace("set Encryption to", "set encryption to")
    return text.replace("this stack", "this module").replace("the stack", "the module").replace("The stack", "The module")


def variables_file(template: dict[str, Any], header: str) -> str:
    """The variables that stand for parameters."""
    translator = Translator(template)
    parts = [header]
    for name, definition in template["Parameters"].items():
        if name not in LEFT_OUT:
            parts.append(_variable(translator, name, definition))
    return "\n".join(parts)


def _variable(translator: Translator, name: str, definition: dict[str, Any]) -> str:
    kind = translator.kind(name)
    description = DESCRIPTIONS.get(name) or in_words_of_terraform(definition["Description"], translator.parameters)
    default = definition["Default"]
    value: Any = default
    if kind == "bool":
        value = default == "true"
    elif kind == "list":
        value = default.split(",") if default else []
    type_name = "list(string)" if kind == "list" else kind
    lines = [f'variable "{snake(name)}" {{', f"  description = {string(description)}", f"  type        = {type_name}", f"  default     = {rendered(value, 2)}",
             "  nullable    = false"]
    for condition, message in _validations(translator, name, definition):
        lines += ["", "  validation {", f"    condition     = {condition}", f"    error_message = {string(message)}", "  }"]
    return "\n".join([*lines, "}", ""])


def _validations(translator: Translator, name: str, definition: dict[str, Any]) -> list[tuple[str, str]]:
    """The conditions of a variable, each with its message, which has to be a sentence."""
    kind, variable = translator.kind(name), f"var.{snake(name)}"
    text = f'join(",", {variable})' if kind == "list" else variable
    found = []
    allowed = definition.get("AllowedValues")
    if allowed and kind != "bool":
        words = ", ".join(map(str, allowed))
        found.append((f"contains({rendered(Expression('[' + ', '.join(_literal(one) for one in allowed) + ']'), 4)}, {variable})",
                      f"The value of {snake(name)} must be one of {words}."))
    if "MinValue" in definition:
        low, high = definition["MinValue"], definition["MaxValue"]
        found.append((f"{variable} >= {low} && {variable} <= {high} && floor({variable}) == {variable}",
                      f"The value of {snake(name)} must be a whole number from {low} to {high}."))
    if definition.get("MaxLength", LONGEST_PARAMETER) < LONGEST_PARAMETER:
        longest = definition["MaxLength"]
        found.append((f"length({text}) <= {longest}", f"The value of {snake(name)} must have at most {longest:,} characters."))
    if "AllowedPattern" in definition:
        pattern, more = RE2.get(name, (definition["AllowedPattern"], ""))
        if "(?" in pattern or re.search(r"\{(\d+,)?\d{4,}\}", pattern):
            raise ValueError(f"Terraform cannot read the pattern of {name}")
        condition = f"can(regex({string(pattern)}, {text}))"
        if kind == "list":
            condition += f' && alltrue([for item in {variable} : !strcontains(item, ",")])'
        if more:
            condition += " && " + more.format(variable)
        constraint = in_words_of_terraform(definition["ConstraintDescription"], translator.parameters).replace(", separated by commas without spaces", "")
        found.append((condition, f"The value of {snake(name)} {constraint.strip()}."))
    return found


def _literal(value: Any) -> str:
    return string(value) if isinstance(value, str) else str(value)
