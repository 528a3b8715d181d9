"""Checks the identity policies of the templates with parliament: unknown actions, misfit resources.

``python -m local.policies [TEMPLATE...]``, in parliament's own environment (``target/venv/parliament``). The
policies are rendered for choices of parameters under which each conditional part is once there and once not.
"""

import json
import sys
from pathlib import Path

import parliament
from parliament import analyze_policy_string, enhance_finding, override_config

from local.paths import TEMPLATES
from local.template import Resolver, load

# What a policy is for, and is reported all the same: the reader role is one role, and it only reads.
EXPECTED = {("FunctionRole/key-policy-reader", "CREDENTIALS_EXPOSURE")}

KEY = "arn:aws:kms:eu-west-1:222222222222:key/11111111-2222-3333-4444-555555555555"
OFF = dict.fromkeys(
    (
        "DiscoverUsers", "DiscoverNodes", "ReadKeyPolicy", "SimulateIdentities", "DryRun",
        "ReadOrganization", "ReadPrincipalTags", "ReadKeyTags", "ReadKeyAliases",
    ),
    "false",
)
# Parameters that a template does not have are left out.
CHOICES = {
    "least": {"KmsKeyId": "alias/session-manager", "KeyArn": KEY} | OFF,
    "default": {"KmsKeyId": "alias/session-manager", "KeyArn": KEY},
    "most": {
        "KmsKeyId": KEY,
        "KeyArn": KEY,
        "AdditionalDocuments": "Team-*",
        "AdditionalKeyArns": "arn:aws:kms:eu-west-1:333333333333:key/11111111-2222-3333-4444-555555555555",
        "DryRun": "true",
        "UserRoleNames": "Operator,Admin",
        "NodeRoleNames": "App",
        "GrantKeyArns": KEY,
        "KeyPolicyReaderRoleArn": "arn:aws:iam::222222222222:role/reader",
        "OnKeyTrouble": "Standby",
        "StandbyKmsKeyId": KEY,
        "ReportDestinationArn": "arn:aws:events:eu-west-1:123456789012:event-bus/default",
        "ConfigRule": "true",
    },
    "created": {
        "CreateKey": "true", "UserRoleNames": "Operator", "NodeRoleNames": "App", "KeyArn": KEY,
        "ReportDestinationArn": "arn:aws:sns:eu-west-1:123456789012:session-kms",
    },
}


def rendered(template: dict) -> dict[str, dict]:
    """The policy documents by a name that says role, policy and choice of parameters."""
    policies = {}
    for choice, parameters in CHOICES.items():
        known = {name: value for name, value in parameters.items() if name in template["Parameters"]}
        resolver = Resolver(template, known)
        for logical_id, resource in template["Resources"].items():
            if not resolver.exists(logical_id):
                continue
            if resource["Type"] == "AWS::IAM::ManagedPolicy":
                policies[f"{logical_id} ({choice})"] = resolver.resolve(resource["Properties"]["PolicyDocument"])
            if resource["Type"] == "AWS::IAM::Role":
                for policy in resolver.resolve(resource["Properties"].get("Policies", [])):
                    policies[f"{logical_id}/{policy['PolicyName']} ({choice})"] = policy["PolicyDocument"]
    return policies


def findings(name: str, policy: dict) -> list[str]:
    """What parliament has against a policy, its community's auditors included."""
    analysed = analyze_policy_string(json.dumps(policy), include_community_auditors=True)
    return [
        f"{enhance_finding(finding).severity} {finding.issue}: {finding.detail or finding.title}"
        for finding in analysed.findings
        if (name, finding.issue) not in EXPECTED
    ]


def main(*templates: Path) -> int:
    policies = {}
    for template in templates:
        found = rendered(load(template.read_text()))
        if not found:
            print(f"{template} holds no policy of a role", file=sys.stderr)
            return 1
        policies |= {(template.name, name): policy for name, policy in found.items()}
    count = 0
    # The titles of what the community's auditors find.
    override_config(Path(parliament.__file__).parent / "community_auditors" / "config_override.yaml")
    for (file, name), policy in policies.items():
        for finding in findings(name.partition(" (")[0], policy):
            count += 1
            print(f"{file}: {name}: {finding}")
    print(f"parliament: {len(policies)} policies, {count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(*([Path(name) for name in sys.argv[1:]] or TEMPLATES)))
