"""Checks the policies of the templates with parliament: unknown actions, resources that do not fit.

``python -m local.policy_lint [TEMPLATE...]``, in parliament's own environment (``target/venv/parliament``). The
policies are rendered for several choices of parameters. Each conditional part is present in one of them and absent in
another.
"""

import json
import sys
from pathlib import Path
from typing import Any

import parliament
from parliament import analyze_policy_string, enhance_finding, override_config

from local.lint_exceptions import PARLIAMENT, Policy
from local.paths import ALL_TEMPLATES
from local.template import CHOICES, Resolver, has_loops, load, loops_unrolled

# The property that holds the policy of a resource.
DOCUMENTS = {
    "AWS::IAM::ManagedPolicy": "PolicyDocument", "AWS::KMS::Key": "KeyPolicy", "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument", "AWS::IAM::Policy": "PolicyDocument",
}

LOOPS = {"ConsumerAccounts": "222222222222", "Regions": "eu-west-1"}


def rendered(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The policy documents, by a name made of resource, policy and choice of parameters."""
    policies: dict[str, dict[str, Any]] = {}
    if has_loops(template):
        template = loops_unrolled(template, LOOPS)
    for choice, parameters in CHOICES.items():
        known = {name: value for name, value in parameters.items() if name in template["Parameters"]}
        resolver = Resolver(template, known)
        for logical_id, resource in template["Resources"].items():
            if not resolver.exists(logical_id):
                continue
            if resource["Type"] in DOCUMENTS:
                policies[f"{logical_id} ({choice})"] = resolver.resolve(resource["Properties"][DOCUMENTS[resource["Type"]]])
            if resource["Type"] == "AWS::IAM::Role":
                for policy in resolver.resolve(resource["Properties"].get("Policies", [])):
                    policies[f"{logical_id}/{policy['PolicyName']} ({choice})"] = policy["PolicyDocument"]
    return policies


def findings(name: str, policy: dict[str, Any]) -> dict[Policy, str]:
    """The findings of parliament and of its community auditors on a policy, each with its text."""
    analysed = analyze_policy_string(json.dumps(policy), include_community_auditors=True)
    return {
        Policy(name, finding.issue, action): f"{enhance_finding(finding).severity} {finding.issue}: {finding.detail or finding.title}"
        for finding in analysed.findings
        for action in _actions(finding.detail)
    }


def _actions(detail: Any) -> list[str]:
    """The actions that do not fit their resources, which are in the detail of such a finding."""
    named = [item["action"] for item in detail if isinstance(item, dict) and "action" in item] if isinstance(detail, list) else []
    return named or [""]


def main(*templates: Path) -> int:
    policies: dict[tuple[str, str], dict[str, Any]] = {}
    for template in templates:
        found = rendered(load(template.read_text()))
        print(f"{template.name}: {len(found)} policies")
        policies |= {(template.name, name): policy for name, policy in found.items()}
    count, matched = 0, set()
    # This file holds the titles of the community auditors' findings.
    override_config(Path(parliament.__file__).parent / "community_auditors" / "config_override.yaml")
    for (file, name), policy in policies.items():
        for finding, text in findings(name.partition(" (")[0], policy).items():
            matched.add(finding)
            if finding not in PARLIAMENT:
                count += 1
                print(f"{file}: {name}: {text}")
    # Only a run over all templates can tell that an exception is not needed any more.
    unused = PARLIAMENT - matched if set(templates) >= set(ALL_TEMPLATES) else set()
    for exception in sorted(unused):
        print(f"the exception {exception.issue} for {exception.name} matches no finding")
    print(f"parliament: {len(policies)} policies, {count} findings")
    return 1 if count or unused or not policies else 0


if __name__ == "__main__":
    sys.exit(main(*([Path(name) for name in sys.argv[1:]] or ALL_TEMPLATES)))
