"""A gateway before ministack and moto. It answers for both if neither does what AWS does.

It serves Systems Manager, KMS, IAM, STS, EC2, AWS Config, Organizations and Account Management. It sends each call on
unchanged, signature included: calls of Systems Manager to moto, all others to ministack. moto does not know the credentials
of ministack, so the gateway tells it the account. It changes these answers:

- KMS, key of another account by its ARN: ministack knows only the keys of the caller's account, so the gateway asks
  again in the owner's account if the key policy admits the caller's account. ministack has checked the caller's own
  policies by then. A statement of the key policy that names a role does not count, because a signature does not show
  the role.
- KMS, role that ministack denies: ministack knows no condition keys of KMS and treats each as absent, so the gateway
  decides with ``local/policy_evaluator.py``. That evaluator knows the key's aliases and tags, the names and values of
  the encryption context, the role, its tags and its account, and the organizations. Every other condition key is
  absent. Two errors of ministack remain: a call that a Deny on one of these condition keys refuses is allowed, and
  grants are ignored.
- KMS, ListAliases: it needs no permission in a key policy, and it fails for a key of another account. ministack does
  neither. AWS does not publish which error it returns then.
- KMS, dry run: it ends in an error, as in AWS. ministack makes the call.
- KMS, DescribeKey: the creation date of a key can be set to an earlier day (``PUT /_local/state``).
- IAM, SimulatePrincipalPolicy: ``local/simulator.py`` answers, because the simulator of ministack takes no context
  and lists no missing condition keys. ministack checks the permission.
- IAM, Organizations and Account Management, calls for which ministack asks for a permission on `*`: AWS asks for one on the
  role, the instance profile, the service setting, the unit or the account, so the gateway decides a denial again on that
  resource.
- STS, AssumeRole: if a trust policy names a role in aws:PrincipalArn, AWS admits the sessions of the role. ministack
  compares the ARN of the session, so the gateway lists both ARNs in the trust policy during the call.
- Organizations, DescribeOrganization: it returns the organization of the account that was set
  (``PUT /_local/state``), and by default there is none. In ministack every account has one of its own. ministack
  checks the permission.
- Organizations, lists, and Account Management, ListRegions: they come in pages, and an account has the Regions enabled that
  were set. In all other Regions the credentials of that account are unknown. See ``local/organization.py``.
- Systems Manager, managed nodes and sessions: it returns those that were set (``PUT /_local/state``), because moto
  knows neither call and ministack lists only nodes that have a container. ministack checks the permission. They are those
  of every account and Region, or of each one apart.
- Systems Manager, GetDocument: ministack checks the permission, because moto checks none.
- EC2, DescribeVpcEndpoints, DescribeInstances and DescribeSecurityGroups: see ``local/network.py``. ministack checks
  the permission.
- AWS Config, PutEvaluations: the gateway stores the evaluations (``GET /_local/state``). Neither server takes them.

``python -m local.gateway PORT MINISTACK MOTO REGION``, in the client environment.
"""

import http.client
import json
import re
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local import network, organization, simulator
from local.policy_evaluator import Caller, Context, Decision, Request, UnsupportedError, as_list, decide, key_policy_allows
from local.simulator import identity_policies

STATE_PATH = "/_local/state"
# Calls on a key of another account that the gateway supports.
CROSS_ACCOUNT_ACTIONS = ("DescribeKey", "ListGrants", "GenerateDataKey", "Decrypt")
HOP_BY_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding", "server", "date")


@dataclass
class State:
    """What neither server stores. Tests set it, and read it."""

    # Items of DescribeInstanceInformation.
    nodes: list[dict[str, Any]] = field(default_factory=list)
    # Items of DescribeSessions.
    sessions: list[dict[str, Any]] = field(default_factory=list)
    # Items of DescribeVpcEndpoints.
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    # Creation dates: key ARN to seconds since 1970.
    created: dict[str, float] = field(default_factory=dict)
    # Account id to the id of its organization.
    organizations: dict[str, str] = field(default_factory=dict)
    # Account and Region, as `111122223333/eu-west-1`, to its own "nodes" and "sessions". If it is not empty, the fields above
    # do not count.
    places: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    # Account id to its enabled Regions. In an account that is not here every Region is enabled.
    enabled_regions: dict[str, list[str]] = field(default_factory=dict)
    # Parameters of each PutEvaluations call, oldest first.
    evaluations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """A request of an SDK."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def service(self) -> str:
        return self._target()[0]

    @property
    def action(self) -> str:
        return self._target()[1]

    @property
    def parameters(self) -> dict[str, Any]:
        try:
            parameters = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return parameters if isinstance(parameters, dict) else {}

    def _target(self) -> tuple[str, str]:
        service, _, action = self.headers.get("x-amz-target", "").partition(".")
        return service, action

    def scope(self) -> list[str]:
        """The scope of the signature: access key, date, Region, service."""
        credential = self.headers.get("authorization", "").partition("Credential=")[2].partition(",")[0]
        return credential.split("/")


@dataclass(frozen=True)
class Reply:
    """A server's answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> dict[str, Any]:
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            return {}

    @property
    def error(self) -> str:
        """AWS's error code, or an empty text if the call succeeded."""
        return str(self.json().get("__type", "unknown")).rpartition("#")[2] if self.status >= 400 else ""

    def denied(self) -> tuple[str, str] | None:
        """Account and name of the role that was denied, or None."""
        if self.status < 400 or b"AccessDenied" not in self.body:
            return None
        role = re.search(rb"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/", self.body)
        return (role[1].decode(), role[2].decode()) if role else None


def json_reply(value: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(value).encode())


def error_reply(code: str, message: str, status: int = 400) -> Reply:
    return json_reply({"__type": code, "message": message}, status)


class Gateway:
    """Decides how each call is answered."""

    def __init__(self, ministack: str, moto: str, region: str) -> None:
        self.ministack = ministack
        self.moto = moto
        self.region = region
        self.state = State()
        self._trust_policy_lock = threading.Lock()
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._clients_lock = threading.Lock()
        # Access key to account. A key never changes its account.
        self._accounts: dict[str, str] = {}

    def handle(self, call: Call) -> Reply:
        if self.state.enabled_regions:
            _, _, region, service, *_ = call.scope()
            if organization.is_disabled(self.state.enabled_regions, self._caller(call), region, service):
                return _unknown_credentials(service)
        match call.service:
            case "" if call.path.startswith("/list"):
                return self._list_regions(call)
            case "":
                form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
                if call.scope()[3:4] == ["ec2"]:
                    return self._ec2(call, form)
                if form.get("Action") == "AssumeRole":
                    return self._assume_role(call, form["RoleArn"])
                reply = self._authorized_on(call, f"iam:{form.get('Action')}", _iam_resource(form))
                if form.get("Action") == "GetAccountAuthorizationDetails" and reply.status < 400:
                    iam = self._client("iam", self._account(call.scope()[0]))
                    return Reply(200, [("Content-Type", "text/xml")], simulator.with_boundaries(iam, reply.body))
                if form.get("Action") != "SimulatePrincipalPolicy" or reply.status >= 400:
                    return reply
                iam = self._client("iam", form["PolicySourceArn"].split(":")[4])
                return Reply(200, [("Content-Type", "text/xml")], simulator.answer(iam, form))
            case "TrentService":
                return self._kms(call)
            case "StarlingDoveService":
                return self._config(call)
            case "AWSOrganizationsV20161128":
                return self._organization_lists(call)
        match call.action:
            case "DescribeInstanceInformation":
                return self._list(call, "InstanceInformationList", self._of_place(call, "nodes", self.state.nodes))
            case "DescribeSessions":
                is_history = call.parameters.get("State") == "History"
                since = next((entry["value"] for entry in call.parameters.get("Filters", []) if entry["key"] == "InvokedAfter"), "")
                of_place = self._of_place(call, "sessions", self.state.sessions)
                sessions = [session for session in of_place if (session["Status"] == "Terminated") == is_history]
                return self._list(call, "Sessions", [_with_timestamp(session) for session in sessions if session["StartDate"] >= since])
            case "GetDocument":
                name = str(call.parameters.get("Name", ""))
                document = name if name.startswith("arn:") else f"arn:aws:ssm:{call.scope()[2]}:{{account}}:document/{name}"
                reply = self._authorized_on(call, "ssm:GetDocument", document)
                return reply if "AccessDenied" in reply.error else self._moto(call)
            case "GetServiceSetting" | "UpdateServiceSetting" | "ResetServiceSetting":
                setting = f"arn:aws:ssm:{call.scope()[2]}:{{account}}:servicesetting{call.parameters.get('SettingId')}"
                return self._authorized_on(call, f"ssm:{call.action}", setting)
        return self._moto(call)

    def _moto(self, call: Call) -> Reply:
        return send(self.moto, Call(call.path, call.headers | {"x-moto-account-id": self._caller(call)}, call.body))

    def _of_place(self, call: Call, name: str, otherwise: list[dict[str, Any]]) -> list[dict[str, Any]]:
        place = f"{self._caller(call)}/{call.scope()[2]}" if self.state.places else ""
        return organization.of_place(self.state.places, place, name, otherwise)

    def _authorized_on(self, call: Call, action: str, resource: str) -> Reply:
        """Send a call to ministack, and decide a denial again on the resource that AWS would check."""
        reply = send(self.ministack, call)
        denied = reply.denied()
        if denied is None or not resource:
            return reply
        account, role = denied
        simulated = self._client("iam", account).simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{account}:role/{role}", ActionNames=[action], ResourceArns=[resource.format(account=account)]
        )
        if simulated["EvaluationResults"][0]["EvalDecision"] != "allowed":
            return reply
        return self._as_root(account, call)

    def _ec2(self, call: Call, form: dict[str, str]) -> Reply:
        reply = send(self.ministack, call)
        if reply.status >= 400:
            return reply
        match form.get("Action"):
            case "DescribeVpcEndpoints":
                return Reply(200, reply.headers, network.describe_endpoints(self.state.endpoints, form))
            case "DescribeInstances":
                subnets = self._client("ec2", self._caller(call), call.scope()[2]).describe_subnets()["Subnets"]
                public = {subnet["SubnetId"] for subnet in subnets if subnet["MapPublicIpOnLaunch"]}
                return Reply(200, reply.headers, network.with_interfaces(reply.body, public))
            case "DescribeSecurityGroups":
                return Reply(200, reply.headers, network.with_named_groups(reply.body, form))
        return reply

    def _assume_role(self, call: Call, role: str) -> Reply:
        iam, name = self._client("iam", role.split(":")[4]), role.rpartition("/")[2]
        with self._trust_policy_lock:
            try:
                trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
            except iam.exceptions.NoSuchEntityException:
                return send(self.ministack, call)
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(_with_role_sessions(trust)))
            try:
                return send(self.ministack, call)
            finally:
                iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))

    def _list(self, call: Call, name: str, items: list[dict[str, Any]]) -> Reply:
        reply = send(self.ministack, call)
        return reply if "AccessDenied" in reply.error else json_reply({name: items})

    def _list_regions(self, call: Call) -> Reply:
        account = call.parameters.get("AccountId") or self._caller(call)
        of_call = f"arn:aws:account::{{account}}:account/{organization.ID}/{account}"
        if "AccountId" not in call.parameters:
            of_call = "arn:aws:account::{account}:account"
        reply = self._authorized_on(call, "account:ListRegions", of_call)
        if reply.status >= 400 or account not in self.state.enabled_regions:
            return reply
        asked, token = call.parameters.get("RegionOptStatusContains") or [], call.parameters.get("NextToken") or ""
        return json_reply(organization.with_states(reply.json(), self.state.enabled_regions[account], asked, token))

    def _organization_lists(self, call: Call) -> Reply:
        of_call = organization.resource(call.parameters.get("ParentId", ""))
        reply = self._authorized_on(call, f"organizations:{call.action}", of_call)
        if call.action in organization.LISTS and not reply.error:
            return json_reply(organization.page(reply.json(), organization.LISTS[call.action], call.parameters.get("NextToken") or ""))
        if call.action != "DescribeOrganization" or "AccessDenied" in reply.error:
            return reply
        account = self._caller(call)
        identifier = self.state.organizations.get(account)
        if identifier is None:
            return error_reply("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        # The first account that was set for an organization is its management account.
        management = next(member for member, other in self.state.organizations.items() if other == identifier)
        arn = f"arn:aws:organizations::{management}"
        return json_reply(
            {
                "Organization": {
                    "Id": identifier, "Arn": f"{arn}:organization/{identifier}", "FeatureSet": "ALL",
                    "MasterAccountArn": f"{arn}:account/{identifier}/{management}", "MasterAccountId": management,
                    "MasterAccountEmail": "aws@example.com", "AvailablePolicyTypes": [],
                }
            }
        )

    def _kms(self, call: Call) -> Reply:
        reply = self._reevaluate_denial(call, send(self.ministack, call))
        if call.action == "ListAliases" and not reply.error and self._names_foreign_key(call):
            return error_reply("NotFoundException", f"Key '{call.parameters['KeyId']}' does not exist")
        if reply.error == "NotFoundException" and call.action in CROSS_ACCOUNT_ACTIONS:
            reply = self._cross_account(call) or reply
        if call.parameters.get("DryRun"):
            return _dry_run(call, reply)
        if call.action == "DescribeKey" and not reply.error:
            metadata = reply.json()["KeyMetadata"]
            if metadata["Arn"] in self.state.created:
                return json_reply({"KeyMetadata": metadata | {"CreationDate": self.state.created[metadata["Arn"]]}})
        return reply

    def _config(self, call: Call) -> Reply:
        reply = send(self.ministack, call)
        if call.action != "PutEvaluations" or "AccessDenied" in reply.error:
            return reply
        if not call.parameters.get("ResultToken"):
            return error_reply("InvalidResultTokenException", "The result token is missing.")
        self.state.evaluations.append(call.parameters)
        return json_reply({"FailedEvaluations": []})

    def _cross_account(self, call: Call) -> Reply | None:
        """The answer on a key of another account, or None if the key is not of another account."""
        key = str(call.parameters.get("KeyId", ""))
        parts = key.split(":")
        access_key, _, region, *_ = call.scope()
        if len(parts) != 6 or not parts[5].startswith("key/") or parts[3] != region:
            return None
        owner, caller = parts[4], self._account(access_key)
        if owner == caller:
            return None
        request = Request(f"kms:{call.action}", key, self._context(call, Caller(caller), key))
        if not key_policy_allows(self._key_policy(key), Caller(caller), Decision("allowed"), request):
            return error_reply(
                "AccessDeniedException",
                f"User: arn:aws:iam::{caller}:root is not authorized to perform: kms:{call.action} on resource: {key} "
                f"because no resource-based policy allows the kms:{call.action} action",
            )
        return self._as_root(owner, call)

    def _reevaluate_denial(self, call: Call, reply: Reply) -> Reply:
        """Decide again, with the condition keys that ministack does not know, what it denied to a role."""
        denied = reply.denied()
        if denied is None:
            return reply
        account, name = denied
        if call.action == "ListAliases":
            # AWS asks for the permission on `*`, and ignores key policies.
            decision = decide(identity_policies(self._client("iam", account), f"arn:aws:iam::{account}:role/{name}"), Request("kms:ListAliases", "*"))
            return self._as_root(account, call) if decision.result == "allowed" else reply
        key = _key_arn(call, account)
        if not key:
            return reply
        iam = self._client("iam", account)
        try:
            caller = Caller(account, iam.get_role(RoleName=name)["Role"]["Arn"])
            request, policy = Request(f"kms:{call.action}", key, self._context(call, caller, key)), self._key_policy(key)
        except ClientError:
            # There is no such role or key.
            return reply
        if not key_policy_allows(policy, caller, decide(identity_policies(iam, caller.role), request), request):
            return reply
        return self._as_root(key.split(":")[4], call)

    def _names_foreign_key(self, call: Call) -> bool:
        parts = str(call.parameters.get("KeyId", "")).split(":")
        return len(parts) == 6 and parts[4] != self._caller(call)

    def _context(self, call: Call, caller: Caller, key: str) -> Context:
        """The condition keys of a KMS call."""
        owner, encryption_context = key.split(":")[4], call.parameters.get("EncryptionContext") or {}
        kms = self._client("kms", owner, key.split(":")[3])
        context = {
            "aws:PrincipalAccount": [caller.account],
            "kms:CallerAccount": [caller.account],
            "aws:PrincipalOrgID": self._organizations(caller.account),
            "aws:ResourceAccount": [owner],
            "aws:ResourceOrgID": self._organizations(owner),
            "aws:RequestedRegion": [call.scope()[2]],
            "aws:SecureTransport": ["true"],
            "aws:ViaAWSService": ["false"],
            "aws:PrincipalIsAWSService": ["false"],
            "kms:ResourceAliases": [alias["AliasName"] for alias in kms.list_aliases(KeyId=key)["Aliases"]],
            "kms:EncryptionContextKeys": list(encryption_context),
        }
        context |= {f"kms:EncryptionContext:{name}": [value] for name, value in encryption_context.items()}
        context |= {f"aws:ResourceTag/{tag['TagKey']}": [tag["TagValue"]] for tag in kms.list_resource_tags(KeyId=key)["Tags"]}
        if caller.role:
            role = self._client("iam", caller.account).get_role(RoleName=caller.role.rpartition("/")[2])["Role"]
            context |= {"aws:PrincipalArn": [caller.role], "aws:PrincipalType": ["AssumedRole"]}
            context |= {f"aws:PrincipalTag/{tag['Key']}": [tag["Value"]] for tag in role.get("Tags", [])}
        return {name.lower(): values for name, values in context.items() if values}

    def _organizations(self, account: str) -> list[str]:
        return [self.state.organizations[account]] if account in self.state.organizations else []

    def _key_policy(self, key: str) -> dict[str, Any]:
        return json.loads(self._client("kms", key.split(":")[4], key.split(":")[3]).get_key_policy(KeyId=key, PolicyName="default")["Policy"])

    def _as_root(self, account: str, call: Call) -> Reply:
        """Send the same call as the root user of an account."""
        _, _, region, service, *_ = call.scope()
        headers = {name: value for name, value in call.headers.items() if name in ("x-amz-target", "content-type")}
        request = AWSRequest("POST", f"{self.ministack}/", data=call.body, headers=headers)
        SigV4Auth(Credentials(account, "test"), service, region).add_auth(request)
        return send(self.ministack, Call("/", dict(request.headers.items()), call.body))

    def _client(self, service: str, account: str, region: str = "") -> Any:
        """A client of ministack with the rights of an account's root user. Clients are reused: making one is slow."""
        name = (service, account, region or self.region)
        with self._clients_lock:
            if name not in self._clients:
                self._clients[name] = boto3.client(
                    service, region_name=name[2], endpoint_url=self.ministack, aws_access_key_id=account,
                    aws_secret_access_key="test", config=Config(proxies={}, max_pool_connections=50),
                )
            return self._clients[name]

    def _caller(self, call: Call) -> str:
        """The account that signed a call."""
        return self._account(call.scope()[0])

    def _account(self, access_key: str) -> str:
        if access_key.isdigit():
            return access_key
        if access_key not in self._accounts:
            self._accounts[access_key] = self._client("sts", "000000000000").get_access_key_info(AccessKeyId=access_key)["Account"]
        return self._accounts[access_key]


def _unknown_credentials(service: str) -> Reply:
    """The answer in a Region that the caller's account has not enabled."""
    if service == "ec2":
        text = f"<Response><Errors><Error><Code>AuthFailure</Code><Message>{organization.UNKNOWN_TOKEN}</Message></Error></Errors></Response>"
        return Reply(401, [("Content-Type", "text/xml")], text.encode())
    return error_reply("UnrecognizedClientException", organization.UNKNOWN_TOKEN)


def _iam_resource(form: dict[str, str]) -> str:
    """The resource that AWS checks for a call that ministack decides on `*`; an empty text for other calls."""
    match form.get("Action"):
        case "SimulatePrincipalPolicy":
            return form["PolicySourceArn"]
        case "GetInstanceProfile":
            return f"arn:aws:iam::{{account}}:instance-profile/{form['InstanceProfileName']}"
    return ""


def _with_timestamp(session: dict[str, Any]) -> dict[str, Any]:
    """A session with its start date as seconds since 1970, as the service sends dates."""
    return session | {"StartDate": datetime.fromisoformat(session["StartDate"]).timestamp()}


def _dry_run(call: Call, reply: Reply) -> Reply:
    # A dry run that ignores the ciphertext succeeds without one.
    ignored = reply.error == "InvalidCiphertextException" and "IGNORE_CIPHERTEXT" in call.parameters.get("DryRunModifiers", [])
    if reply.error and not ignored:
        return reply
    return error_reply("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.", 412)


def _with_role_sessions(trust: dict[str, Any]) -> dict[str, Any]:
    """A trust policy whose conditions on aws:PrincipalArn name, beside each role, its sessions."""
    changed = json.loads(json.dumps(trust))
    for statement in as_list(changed["Statement"]):
        for keys in statement.get("Condition", {}).values():
            if "aws:PrincipalArn" in keys:
                arns = as_list(keys["aws:PrincipalArn"])
                sessions = [f"{arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/*" for arn in arns if ":role/" in arn]
                keys["aws:PrincipalArn"] = [*arns, *sessions]
    return changed


def _key_arn(call: Call, account: str) -> str:
    """The ARN of the key that a call names by its id or ARN; an empty text if it names no key, or an alias."""
    key = str(call.parameters.get("KeyId", ""))
    if ":key/" in key:
        return key
    return f"arn:aws:kms:{call.scope()[2]}:{account}:key/{key}" if key and not key.startswith(("alias/", "arn:")) else ""


def send(server: str, call: Call) -> Reply:
    """Send a call to a server unchanged. Its Host header stays the name for which it was signed."""
    address = urlsplit(server)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=300)
    try:
        connection.request("POST", call.path, body=call.body, headers=call.headers)
        response = connection.getresponse()
        headers = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP]
        return Reply(response.status, headers, response.read())
    finally:
        connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Ignore that a caller ended in the middle of a call."""


def server(port: int, gateway: Gateway) -> ThreadingHTTPServer:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Send each answer at once and in one piece. Otherwise each takes 40 ms longer.
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            call = Call(self.path, {name.lower(): value for name, value in self.headers.items()}, self._body())
            try:
                self._reply(gateway.handle(call))
            except OSError as error:
                self._reply(error_reply("ServiceUnavailableException", f"a server does not answer: {error}", 503))
            except UnsupportedError as error:
                self._reply(error_reply("UnsupportedHereException", str(error)))

        def do_PUT(self) -> None:
            update = json.loads(self._body())
            with lock:
                known = vars(gateway.state)
                gateway.state = State(**known | update | {"created": known["created"] | update.get("created", {})})
            self._reply(json_reply({}))

        def do_DELETE(self) -> None:
            self._body()
            with lock:
                gateway.state = State()
            self._reply(json_reply({}))

        def do_GET(self) -> None:
            self._reply(json_reply(vars(gateway.state)))

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _reply(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Log nothing: paths and bodies may hold secrets."""

    return _Server(("127.0.0.1", port), Handler)


def main(port: str, ministack: str, moto: str, region: str) -> None:
    server(int(port), Gateway(ministack, moto, region)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
