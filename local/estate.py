"""An organization in the local AWS: accounts in organizational units, each with Session Manager in several Regions, in
every state that an audit tells apart.

The end-to-end tests of the audit compare its report with what is seeded here. Every account and Region has a ``Place``,
which says what the report has to say.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local import organization
from local.fleets import document
from local.paths import AUDIT_ROLE_TEMPLATE
from local.seed import DOCUMENT, PREFERENCES, USER_ROLE, role_arn
from local.servers import ACCOUNT, LocalAws
from local.stacks import Stack

AUDIT_ROLE = "session-kms-audit"
EXTERNAL_ID = "example-bank/audit"
REGIONS = ("eu-west-1", "us-east-1", "eu-central-1", "ap-southeast-2", "il-central-1")
# A Region that half of the accounts have not enabled.
OPTIONAL_REGION = "il-central-1"
UNITS = ("Root/Workloads/Production", "Root/Workloads/Development", "Root/Sandbox")
NODE_ROLE = "HybridNodes"
AT_ONCE = 4


@dataclass(frozen=True)
class Kind:
    """What an account and Region are made to be, and what the audit has to say of them."""

    name: str
    state: str
    # How many keys the document has; None for no document.
    keys: int | None = 0
    # The roles that are locked out.
    locked_out: tuple[str, ...] = ()
    # Why the account and Region cannot be read.
    reason: str = ""


ENCRYPTED = Kind("encrypted", "encrypted", 1)
UNENCRYPTED = Kind("unencrypted", "unencrypted")
USED = Kind("used by somebody who may", "encrypted", 1)
LOCKED_OUT_USER = Kind("used by somebody who may not", "lockedOut", 1, locked_out=(USER_ROLE,))
LOCKED_OUT_NODE = Kind("with a node that may not", "lockedOut", 1, locked_out=(NODE_ROLE,))
KEY_DISABLED = Kind("key disabled", "sessionsFail", 1)
FOREIGN_KEY = Kind("key of another account", "encrypted", 1)
KINDS = (
    ENCRYPTED,
    UNENCRYPTED,
    Kind("no document", "unencrypted", None),
    Kind("drifted", "drifted", 1),
    Kind("drifted to no key", "drifted"),
    USED,
    LOCKED_OUT_USER,
    LOCKED_OUT_NODE,
    KEY_DISABLED,
    Kind("key pending deletion", "sessionsFail", 1),
    Kind("two versions with different keys", "encrypted", 2),
    Kind("default version without a key", "unencrypted", 1),
    FOREIGN_KEY,
    Kind("refused key of another account", "unknown", 1),
)
NO_ROLE = Kind("no role", "unreadable", None, reason="roleNotAssumed")
OTHER_EXTERNAL_ID = Kind("role with another external id", "unreadable", None, reason="roleNotAssumed")
DENIED = Kind("denied", "unreadable", None, reason="denied")
REGION_NOT_ENABLED = Kind("Region not enabled", "unreadable", None, reason="regionNotEnabled")
# Every so many accounts, one cannot be read, for one of these reasons.
UNREADABLE = (NO_ROLE, OTHER_EXTERNAL_ID, DENIED)
READABLE_IN_ROW = 4


@dataclass
class Place:
    """An account and a Region of the organization."""

    account: str
    region: str
    kind: Kind
    name: str
    unit: str
    # The key of the document, by ARN.
    key: str = ""

    @property
    def id(self) -> str:
        return f"{self.account}/{self.region}"


@dataclass
class Estate:
    """The organization."""

    aws: LocalAws
    places: list[Place] = field(default_factory=list)
    # What the gateway is told.
    created: dict[str, float] = field(default_factory=dict)
    apart: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)

    def of_kind(self, kind: Kind) -> list[Place]:
        return [place for place in self.places if place.kind == kind]

    def accounts(self) -> list[str]:
        return sorted({place.account for place in self.places})

    def publish(self) -> None:
        """Tell the gateway what is in each place."""
        self.aws.update_state(created=self.created, places=self.apart)

    # Changes between two audits

    def disable_key(self, place: Place) -> None:
        """Disable the key of a place, after which every session there fails."""
        self.aws.client("kms", place.account, place.region).disable_key(KeyId=place.key)
        place.kind = KEY_DISABLED

    def clear(self, place: Place) -> None:
        """Turn encryption off in a place that nobody owns."""
        put_document(self.aws, place, "")
        place.key = ""
        place.kind = UNENCRYPTED

    def encrypt(self, place: Place) -> None:
        """Turn encryption on in a place."""
        place.key = self.make_key(place)
        put_document(self.aws, place, place.key)
        place.kind = ENCRYPTED
        self.publish()

    # Parts of a place

    def make_key(self, place: Place, policy: str = "") -> str:
        """Make a key that looks a year old, in the account and Region of a place."""
        policy = policy or document(root_statement(place.account))
        key = self.aws.client("kms", place.account, place.region).create_key(Policy=policy)["KeyMetadata"]["Arn"]
        self.created[key] = time.time() - 365 * 86_400
        return key

    def seed(self, place: Place, foreign: dict[str, Place]) -> None:
        """Make a place what its kind says."""
        aws, kind = self.aws, place.kind.name
        kms = aws.client("kms", place.account, place.region)
        if place.kind.reason in ("roleNotAssumed", "regionNotEnabled"):
            return
        if kind.endswith("key of another account"):
            owner = foreign[place.region]
            admitted = [root_statement(owner.account)]
            if place.kind == FOREIGN_KEY:
                actions = ["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt", "kms:ListGrants"]
                admitted.append(root_statement(place.account) | {"Sid": "Consumer", "Action": actions})
            place.key = self.make_key(owner, document(*admitted))
        elif kind not in ("unencrypted", "no document", "drifted to no key"):
            place.key = self.make_key(place)
        if kind == "no document":
            return
        put_document(aws, place, "" if kind == "default version without a key" else place.key, is_new=True)
        match kind:
            case "drifted" | "drifted to no key":
                put_record(aws, place, self.make_key(place))
            case "used by somebody who may" | "used by somebody who may not":
                self.apart[place.id] = {"sessions": [session(place.account)]}
            case "with a node that may not":
                self.apart[place.id] = {"nodes": [hybrid_node(len(self.apart))]}
            case "key disabled":
                kms.disable_key(KeyId=place.key)
            case "key pending deletion":
                kms.schedule_key_deletion(KeyId=place.key, PendingWindowInDays=7)
            case "two versions with different keys":
                place.key = self.make_key(place)
                put_document(aws, place, place.key, is_default=False)
            case "default version without a key":
                put_document(aws, place, place.key, is_default=False)


def seed_estate(aws: LocalAws, accounts: int, functions: str) -> Estate:
    """Make an organization of so many accounts, this one among them, each with the audit role for these functions.

    ``functions`` is the output FunctionRoleArns of audit.yaml.
    """
    estate = Estate(aws)
    made = make_accounts(aws, accounts)
    kinds = 0
    enabled = {}
    for number, (account, name, unit) in enumerate(made):
        # This account, which is the first one, can be read.
        of_account = UNREADABLE[number // (READABLE_IN_ROW + 1) % len(UNREADABLE)] if number % (READABLE_IN_ROW + 1) == 1 else None
        enabled[account] = [region for region in REGIONS if region != OPTIONAL_REGION or number % 2 == 0]
        for region in REGIONS:
            kind = of_account or (KINDS[kinds % len(KINDS)] if region in enabled[account] else REGION_NOT_ENABLED)
            if of_account == DENIED and region not in enabled[account]:
                kind = REGION_NOT_ENABLED
            kinds += kind in KINDS
            estate.places.append(Place(account, region, kind, name, unit))
    aws.update_state(organizations={account: organization.ID for account, *_ in made}, enabled_regions=enabled)
    foreign = {region: Place(ACCOUNT, region, ENCRYPTED, "", "") for region in REGIONS}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda account: seed_account(estate, account, functions), estate.accounts()))
        list(pool.map(lambda place: estate.seed(place, foreign), estate.places))
    for account in estate.accounts():
        allow_use(estate, account)
    estate.publish()
    return estate


def make_accounts(aws: LocalAws, count: int) -> list[tuple[str, str, str]]:
    """Make organizational units and accounts, and return the id, name and unit of each account. One more is suspended."""
    organizations = aws.client("organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    units = {"Root": root}
    for path in UNITS:
        names = path.split("/")
        for depth in range(1, len(names)):
            parent, whole = "/".join(names[:depth]), "/".join(names[: depth + 1])
            if whole not in units:
                units[whole] = organizations.create_organizational_unit(ParentId=units[parent], Name=names[depth])["OrganizationalUnit"]["Id"]
    accounts = [(ACCOUNT, "Master Account", "Root")]
    for number in range(1, count + 1):
        name, unit = f"team-{number:03}", UNITS[number % len(UNITS)]
        status = organizations.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]
        organizations.move_account(AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=units[unit])
        accounts.append((status["AccountId"], name, unit))
    suspended, *_ = accounts.pop()
    organizations.close_account(AccountId=suspended)
    return accounts


def seed_account(estate: Estate, account: str, functions: str) -> None:
    """Make the roles of an account."""
    kinds = {place.kind for place in estate.places if place.account == account}
    iam = estate.aws.client("iam", account)
    for role in (USER_ROLE, NODE_ROLE):
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(trust))
    if NO_ROLE in kinds:
        return
    parameters = {
        "AuditFunctionRoleArns": functions, "OrganizationId": "", "ExternalId": "another" if OTHER_EXTERNAL_ID in kinds else EXTERNAL_ID,
    }
    stack = Stack(estate.aws, "session-kms-audit-role", AUDIT_ROLE_TEMPLATE.read_text(), parameters, account=account)
    status = stack.create()
    if status != "CREATE_COMPLETE":
        raise AssertionError(f"{account}: {status}: {stack.failures()}")
    if DENIED in kinds:
        deny = {"Effect": "Deny", "Action": "ssm:*", "Resource": "*"}
        iam.put_role_policy(RoleName=AUDIT_ROLE, PolicyName="deny", PolicyDocument=document(deny))


def allow_use(estate: Estate, account: str) -> None:
    """Let the users of an account use the keys of the places where they may."""
    keys = [place.key for place in estate.of_kind(USED) if place.account == account]
    if keys:
        allow = {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": keys}
        estate.aws.client("iam", account).put_role_policy(RoleName=USER_ROLE, PolicyName="keys", PolicyDocument=document(allow))


def root_statement(account: str) -> dict[str, Any]:
    """The statement of a key policy that leaves the key to an account's own policies."""
    return {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}


def put_document(aws: LocalAws, place: Place, key: str, is_new: bool = False, is_default: bool = True) -> None:
    """Make the preferences document with a key, or a new version of it."""
    ssm = aws.client("ssm", place.account, place.region)
    content = json.dumps(PREFERENCES | {"inputs": PREFERENCES["inputs"] | {"kmsKeyId": key}})
    if is_new:
        ssm.create_document(Name=DOCUMENT, DocumentType="Session", DocumentFormat="JSON", Content=content)
        return
    version = ssm.update_document(Name=DOCUMENT, Content=content, DocumentFormat="JSON", DocumentVersion="$LATEST")
    if is_default:
        ssm.update_document_default_version(Name=DOCUMENT, DocumentVersion=version["DocumentDescription"]["DocumentVersion"])


def put_record(aws: LocalAws, place: Place, wanted: str) -> None:
    """Make the record of a stack that wants another key."""
    stack = f"arn:aws:cloudformation:{place.region}:{place.account}:stack/session-kms/{place.account}"
    record = {
        "owner": {"stackId": stack, "logicalResourceId": "SessionEncryption"}, "wanted": wanted, "before": "",
        "there": {"kmsKeyId": "", "version": 1, "ours": False}, "onDelete": "Restore", "accepted": [],
    }
    aws.client("ssm", place.account, place.region).put_parameter(Name=f"/session-kms/{DOCUMENT}", Type="String", Value=json.dumps(record))


def session(account: str) -> dict[str, Any]:
    """A session that the user of an account started yesterday."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "SessionId": "session-0123456789abcdef0", "Owner": f"arn:aws:sts::{account}:assumed-role/{USER_ROLE}/alice", "Status": "Terminated",
        "StartDate": yesterday, "Target": "mi-0123456789abcdef0", "AccessType": "Standard",
    }


def hybrid_node(number: int) -> dict[str, Any]:
    """A managed node that is no instance of EC2."""
    return {
        "InstanceId": f"mi-{number:017x}", "PingStatus": "Online", "AgentVersion": "3.3.2299.0", "PlatformType": "Linux",
        "ResourceType": "ManagedInstance", "IamRole": NODE_ROLE,
    }


def locked_out(place: Place) -> list[str]:
    """The ARNs of the principals that the report has to name."""
    return [role_arn(name, place.account) for name in place.kind.locked_out]
