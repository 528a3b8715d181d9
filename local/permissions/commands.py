"""What each command of the command line calls.

A test compares the names with those of ``session-kms --help``, and runs commands on a local AWS to see what they call.
"""

from dataclasses import dataclass

NOBODY = "none, and no credentials"


def _of(service: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{service}:{name}" for name in names)


STATUS = (*_of("ssm", "DescribeDocument", "GetDocument", "GetParameter"), "kms:DescribeKey")
# The reads of the optional checks. What cannot be read is unknown.
READS = (
    *_of("kms", "GetKeyPolicy", "ListGrants", "ListResourceTags", "ListAliases"),
    *_of("iam", "SimulatePrincipalPolicy", "GetInstanceProfile", "GetRole", "GetUser"),
    *_of("ssm", "DescribeInstanceInformation", "GetServiceSetting", "DescribeSessions", "GetDocument"),
    *_of(
        "ec2", "DescribeIamInstanceProfileAssociations", "DescribeInstances", "DescribeVpcEndpoints", "DescribeSubnets", "DescribeRouteTables",
        "DescribeNatGateways", "DescribeSecurityGroups",
    ),
    "organizations:DescribeOrganization",
)
WRITES = (*_of("ssm", "UpdateDocument", "UpdateDocumentDefaultVersion", "ListDocumentVersions", "DeleteDocument", "PutParameter"),)


@dataclass(frozen=True)
class Command:
    """The actions of a command, those of other commands that it includes, and what else there is to say."""

    actions: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    note: str = ""


COMMANDS: dict[str, Command] = {
    "status": Command(STATUS),
    "keys": Command(_of("kms", "ListKeys", "ListAliases", "DescribeKey")),
    "check": Command(
        ("kms:DescribeKey", "ssm:DescribeDocument", "ssm:GetDocument", "ssm:GetParameter"),
        note=(
            "as far as you have them, [the reads](#the-reads): what cannot be read is unknown. sts:AssumeRole on the role of `--reader-role`, "
            "iam:GetAccountAuthorizationDetails for `--list-policies`. With `--policy` none, "
            "and no credentials"
        ),
    ),
    "plan": Command(includes=("status", "check")),
    "apply": Command((*WRITES, "ssm:CreateDocument"), ("plan",)),
    "clear": Command(WRITES, ("status",)),
    "release": Command((*WRITES, "ssm:DeleteParameter"), ("status",)),
    "audit": Command(
        ("sts:AssumeRole",),
        note=(
            "sts:AssumeRole on the role of `--role`, which has the reads ([below](#the-audit)). For your own account without `--role`, these reads "
            "themselves. organizations:ListRoots, organizations:ListOrganizationalUnitsForParent and organizations:ListAccountsForParent for "
            "`--organization`, account:ListRegions for `--regions enabled`, s3:GetObject and s3:ListBucket for `--from s3://…`. None with "
            "`--from DIR`, and no credentials unless the format is `asff` or `ocsf`"
        ),
    ),
    "key-report": Command(
        _of("kms", "DescribeKey", "GetKeyPolicy", "ListGrants"),
        note="kms:ListResourceTags, kms:ListAliases and organizations:DescribeOrganization if the key's policy asks for them",
    ),
    "evaluate": Command(note=NOBODY),
}
# Commands that ask nobody anything, and have no row.
ASK_NOTHING = ("completions", "man")
