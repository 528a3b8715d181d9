"""IAM's policy simulator, played on the identity policies that ministack keeps.

It answers on one action and one resource, as the product asks, and knows no condition key but what it is told. Those
that it was not told are listed as missing if a statement on this action and this resource asks for them; AWS does not
say whether those of other statements are listed as well. Boundaries and service control policies are not played.

Across accounts a call is allowed only if both sides allow it, says the API reference, and the other side is not
simulated. So nothing is allowed there, and what the principal's own policies come to stands in EvalDecisionDetails.
What AWS calls them there is not published.
"""

from xml.sax.saxutils import escape

from local.permissions import Context, Decision, Policy, Request, decide, missing_keys


def answer(iam, form: dict[str, str]) -> bytes:
    """The answer to SimulatePrincipalPolicy, for a client with the rights of the account's root."""
    policies = identity_policies(iam, form["PolicySourceArn"])
    request = Request(form["ActionNames.member.1"], form.get("ResourceArns.member.1", "*"), _context(form))
    is_across_accounts = request.resource.split(":")[4:5] not in ([], [""], form["PolicySourceArn"].split(":")[4:5])
    return _rendered(request, decide(policies, request), missing_keys(policies, request), is_across_accounts).encode()


def identity_policies(iam, principal: str) -> list[Policy]:
    """The policies of a role or user, those of a user's groups included; none of one that is not there."""
    kind, *_, name = principal.split(":")[5].split("/")
    try:
        policies = _policies_of(iam, kind, name)
        groups = iam.list_groups_for_user(UserName=name)["Groups"] if kind == "user" else []
    except iam.exceptions.NoSuchEntityException:
        return []
    return policies + [policy for group in groups for policy in _policies_of(iam, "group", group["GroupName"])]


def _policies_of(iam, kind: str, name: str) -> list[Policy]:
    whose = {f"{kind.capitalize()}Name": name}
    policies = [
        Policy(f"{kind}_{name}_{inline}", getattr(iam, f"get_{kind}_policy")(PolicyName=inline, **whose)["PolicyDocument"])
        for inline in getattr(iam, f"list_{kind}_policies")(**whose)["PolicyNames"]
    ]
    for attached in getattr(iam, f"list_attached_{kind}_policies")(**whose)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
        policies.append(Policy(attached["PolicyName"], document))
    return policies


def _context(form: dict[str, str]) -> Context:
    """What the simulation is told of the call."""
    context = {}
    number = 1
    while f"ContextEntries.member.{number}.ContextKeyName" in form:
        entry = f"ContextEntries.member.{number}"
        values = [value for name, value in form.items() if name.startswith(f"{entry}.ContextKeyValues.member.")]
        context[form[f"{entry}.ContextKeyName"].lower()] = values
        number += 1
    return context


def _rendered(request: Request, own: Decision, missing: list[str], is_across_accounts: bool) -> str:
    def members(items: list[str]) -> str:
        return "".join(f"<member>{item}</member>" for item in items)

    resource = f"<EvalResourceName>{escape(request.resource)}</EvalResourceName>"
    matched = f"<MatchedStatements>{members([f'<SourcePolicyId>{escape(policy)}</SourcePolicyId>' for policy in own.by])}</MatchedStatements>"
    word = "implicitDeny" if is_across_accounts and own.word == "allowed" else own.word
    details = f"<entry><key>IAM Policy</key><value>{own.word}</value></entry>" if is_across_accounts else ""
    details = f"<EvalDecisionDetails>{details}</EvalDecisionDetails>"
    # Of a resource that is named, says the API reference, they stand with its result.
    absent = f"<MissingContextValues>{members([escape(key) for key in missing])}</MissingContextValues>"
    specific = members([f"{resource}<EvalResourceDecision>{word}</EvalResourceDecision>{matched}{absent}{details}"])
    result = (
        f"<EvalActionName>{escape(request.action)}</EvalActionName>{resource}<EvalDecision>{word}</EvalDecision>"
        f"{matched}<MissingContextValues/>{details}<ResourceSpecificResults>{specific}</ResourceSpecificResults>"
    )
    return (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult>'
        f"<EvaluationResults>{members([result])}</EvaluationResults><IsTruncated>false</IsTruncated>"
        "</SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
    )
