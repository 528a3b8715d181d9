"""Stands before the two servers where neither plays AWS's part, for Systems Manager, KMS, IAM, STS, AWS Config and
Organizations.

Every call goes on as it came, signature and all: Systems Manager's to moto, the others to ministack. Besides:

- A KMS call on another account's key by its ARN is answered as AWS does, from the owner's account if the key
  policy admits the caller's account; ministack knows the caller's own keys only. The caller's own policies have
  been checked by ministack then. Statements of the key policy that name a role do not count: a role cannot be told
  from its signature.
- A KMS call of a role that ministack denies is decided anew by ``local/permissions.py``: ministack knows no
  condition keys of KMS, and takes each for absent. Known here are the key's aliases and tags, the encryption context
  by its names and values, the role, its tags and its account, and the organizations; each other key is absent. That
  a call is allowed where AWS would deny it, by a Deny on one of these keys, is not noticed, nor is a grant.
- ListAliases needs no key policy, and of another account's key it is refused; ministack lists nothing of that. Which
  error AWS gives there is not published.
- IAM's policy simulator is played by ``local/simulator.py``: ministack's takes no context and lists no condition
  keys as missing. The permission to ask is checked by ministack.
- The organization of each account is the one that was put here (``PUT /_local/world``), none by default; to
  ministack every account has one of its own. The permission to ask is checked by ministack.
- A KMS dry run ends as AWS ends it, in an error; ministack makes the call.
- The managed nodes and the sessions are those that were put here (``PUT /_local/world``): moto knows neither
  call, and ministack only nodes with a container each. Their permissions are checked by ministack.
- A key can have been made earlier than today, likewise.
- What a rule of AWS Config is told is kept, to be read (``GET /_local/world``): neither server takes it.
- What ministack denies because it looks for a permission on `*`, where AWS looks for one on the role, the
  instance profile or the service setting itself, is decided anew on that.
- A trust policy that asks for a role by aws:PrincipalArn is met by the role's sessions; ministack compares with
  the ARN of the session, so it gets to see both while the role is assumed.

``python -m local.front PORT MINISTACK MOTO REGION``, in the client environment.
"""

import http.client
import json
import re
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local import simulator
from local.permissions import Caller, Context, Decision, Request, Unsupported, as_list, decide, key_admits
from local.simulator import identity_policies

WORLD = "/_local/world"
# What AWS allows on another account's key, as far as it is played here.
ACROSS_ACCOUNTS = ("DescribeKey", "ListGrants", "GenerateDataKey", "Decrypt")
HOP_BY_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding", "server", "date")


@dataclass
class World:
    """What is told to the front because no server keeps it."""

    # As DescribeInstanceInformation lists them.
    nodes: list[dict] = field(default_factory=list)
    # As DescribeSessions lists them.
    sessions: list[dict] = field(default_factory=list)
    # Key ARN to seconds since 1970.
    created: dict[str, float] = field(default_factory=dict)
    # Account to the id of its organization.
    organizations: dict[str, str] = field(default_factory=dict)
    # What PutEvaluations was called with, oldest first.
    evaluations: list[dict] = field(default_factory=list)


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
    def parameters(self) -> dict:
        try:
            parameters = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return parameters if isinstance(parameters, dict) else {}

    def _target(self) -> tuple[str, str]:
        service, _, action = self.headers.get("x-amz-target", "").partition(".")
        return service, action

    def scope(self) -> list[str]:
        """Access key, date, Region, service of the signature."""
        credential = self.headers.get("authorization", "").partition("Credential=")[2].partition(",")[0]
        return credential.split("/")


@dataclass(frozen=True)
class Reply:
    """A server's answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> dict:
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            return {}

    @property
    def error(self) -> str:
        """AWS's code for what went wrong; empty where nothing did."""
        return str(self.json().get("__type", "unknown")).rpartition("#")[2] if self.status >= 400 else ""

    def denied(self) -> tuple[str, str] | None:
        """Account and name of the role that was denied."""
        if self.status < 400 or b"AccessDenied" not in self.body:
            return None
        role = re.search(rb"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/", self.body)
        return (role[1].decode(), role[2].decode()) if role else None


def answer(value: dict, status: int = 200) -> Reply:
    return Reply(status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(value).encode())


def refusal(code: str, message: str, status: int = 400) -> Reply:
    return answer({"__type": code, "message": message}, status)


class Front:
    """The way of each call."""

    def __init__(self, ministack: str, moto: str, region: str):
        self.ministack = ministack
        self.moto = moto
        self.region = region
        self.world = World()
        self._assuming = threading.Lock()
        self._clients: dict = {}
        self._connecting = threading.Lock()

    def serve(self, call: Call) -> Reply:
        match call.service:
            case "":
                form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
                if form.get("Action") == "AssumeRole":
                    return self._assumed(call, form["RoleArn"])
                reply = self._permitted(call, f"iam:{form.get('Action')}", _iam_resource(form))
                if form.get("Action") != "SimulatePrincipalPolicy" or reply.status >= 400:
                    return reply
                iam = self._client("iam", form["PolicySourceArn"].split(":")[4])
                return Reply(200, [("Content-Type", "text/xml")], simulator.answer(iam, form))
            case "TrentService":
                return self._kms(call)
            case "StarlingDoveService":
                return self._config(call)
            case "AWSOrganizationsV20161128":
                return self._organization(call)
        match call.action:
            case "DescribeInstanceInformation":
                return self._listed(call, "InstanceInformationList", self.world.nodes)
            case "DescribeSessions":
                over = call.parameters.get("State") == "History"
                since = next((entry["value"] for entry in call.parameters.get("Filters", []) if entry["key"] == "InvokedAfter"), "")
                sessions = [session for session in self.world.sessions if (session["Status"] == "Terminated") == over]
                return self._listed(call, "Sessions", [_dated(session) for session in sessions if session["StartDate"] >= since])
            case "GetServiceSetting" | "UpdateServiceSetting" | "ResetServiceSetting":
                setting = f"arn:aws:ssm:{call.scope()[2]}:{{account}}:servicesetting{call.parameters.get('SettingId')}"
                return self._permitted(call, f"ssm:{call.action}", setting)
        return send(self.moto, call)

    def _permitted(self, call: Call, action: str, resource: str) -> Reply:
        """A call to ministack, with a denial decided anew on the resource that AWS would look at."""
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

    def _assumed(self, call: Call, role: str) -> Reply:
        iam, name = self._client("iam", role.split(":")[4]), role.rpartition("/")[2]
        with self._assuming:
            try:
                trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
            except iam.exceptions.NoSuchEntityException:
                return send(self.ministack, call)
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(_with_sessions(trust)))
            try:
                return send(self.ministack, call)
            finally:
                iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))

    def _listed(self, call: Call, name: str, items: list[dict]) -> Reply:
        permitted = send(self.ministack, call)
        return permitted if "AccessDenied" in permitted.error else answer({name: items})

    def _organization(self, call: Call) -> Reply:
        permitted = send(self.ministack, call)
        if call.action != "DescribeOrganization" or "AccessDenied" in permitted.error:
            return permitted
        account = self._account(call.scope()[0])
        organization = self.world.organizations.get(account)
        if organization is None:
            return refusal("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        # The management account is the first that was named.
        management = next(member for member, its in self.world.organizations.items() if its == organization)
        arn = f"arn:aws:organizations::{management}"
        return answer(
            {
                "Organization": {
                    "Id": organization, "Arn": f"{arn}:organization/{organization}", "FeatureSet": "ALL",
                    "MasterAccountArn": f"{arn}:account/{organization}/{management}", "MasterAccountId": management,
                    "MasterAccountEmail": "aws@example.com", "AvailablePolicyTypes": [],
                }
            }
        )

    def _kms(self, call: Call) -> Reply:
        reply = self._decided_anew(call, send(self.ministack, call))
        if call.action == "ListAliases" and not reply.error and self._is_of_another_account(call):
            return refusal("NotFoundException", f"Key '{call.parameters['KeyId']}' does not exist")
        if reply.error == "NotFoundException" and call.action in ACROSS_ACCOUNTS:
            reply = self._across(call) or reply
        if call.parameters.get("DryRun"):
            return _dry_run(call, reply)
        if call.action == "DescribeKey" and not reply.error:
            metadata = reply.json()["KeyMetadata"]
            if metadata["Arn"] in self.world.created:
                return answer({"KeyMetadata": metadata | {"CreationDate": self.world.created[metadata["Arn"]]}})
        return reply

    def _config(self, call: Call) -> Reply:
        reply = send(self.ministack, call)
        if call.action != "PutEvaluations" or "AccessDenied" in reply.error:
            return reply
        if not call.parameters.get("ResultToken"):
            return refusal("InvalidResultTokenException", "The result token is missing.")
        self.world.evaluations.append(call.parameters)
        return answer({"FailedEvaluations": []})

    def _across(self, call: Call) -> Reply | None:
        """The answer about another account's key; none where it is not another's."""
        key = str(call.parameters.get("KeyId", ""))
        parts = key.split(":")
        access_key, _, region, *_ = call.scope()
        if len(parts) != 6 or not parts[5].startswith("key/") or parts[3] != region:
            return None
        owner, caller = parts[4], self._account(access_key)
        if owner == caller:
            return None
        request = Request(f"kms:{call.action}", key, self._context(call, Caller(caller), key))
        if not key_admits(self._key_policy(key), Caller(caller), Decision("allowed"), request):
            return refusal(
                "AccessDeniedException",
                f"User: arn:aws:iam::{caller}:root is not authorized to perform: kms:{call.action} on resource: {key} "
                f"because no resource-based policy allows the kms:{call.action} action",
            )
        return self._as_root(owner, call)

    def _decided_anew(self, call: Call, reply: Reply) -> Reply:
        """What ministack denies to a role, decided with the condition keys that it does not know."""
        denied = reply.denied()
        if denied is None:
            return reply
        account, name = denied
        if call.action == "ListAliases":
            # IAM looks at `*`, and at no key's policy.
            own = decide(identity_policies(self._client("iam", account), f"arn:aws:iam::{account}:role/{name}"), Request("kms:ListAliases", "*"))
            return self._as_root(account, call) if own.word == "allowed" else reply
        key = _key_arn(call, account)
        if not key:
            return reply
        iam = self._client("iam", account)
        try:
            caller = Caller(account, iam.get_role(RoleName=name)["Role"]["Arn"])
            request, policy = Request(f"kms:{call.action}", key, self._context(call, caller, key)), self._key_policy(key)
        except ClientError:
            # The role or the key is not there, or not any more.
            return reply
        if not key_admits(policy, caller, decide(identity_policies(iam, caller.role), request), request):
            return reply
        return self._as_root(key.split(":")[4], call)

    def _is_of_another_account(self, call: Call) -> bool:
        parts = str(call.parameters.get("KeyId", "")).split(":")
        return len(parts) == 6 and parts[4] != self._account(call.scope()[0])

    def _context(self, call: Call, caller: Caller, key: str) -> Context:
        """The condition keys of a KMS call."""
        owner, of_call = key.split(":")[4], call.parameters.get("EncryptionContext") or {}
        kms = self._client("kms", owner)
        context = {
            "aws:PrincipalAccount": [caller.account],
            "kms:CallerAccount": [caller.account],
            "aws:PrincipalOrgID": self._organizations(caller.account),
            "aws:ResourceAccount": [owner],
            "aws:ResourceOrgID": self._organizations(owner),
            "aws:RequestedRegion": [self.region],
            "aws:SecureTransport": ["true"],
            "aws:ViaAWSService": ["false"],
            "aws:PrincipalIsAWSService": ["false"],
            "kms:ResourceAliases": [alias["AliasName"] for alias in kms.list_aliases(KeyId=key)["Aliases"]],
            "kms:EncryptionContextKeys": list(of_call),
        }
        context |= {f"kms:EncryptionContext:{name}": [value] for name, value in of_call.items()}
        context |= {f"aws:ResourceTag/{tag['TagKey']}": [tag["TagValue"]] for tag in kms.list_resource_tags(KeyId=key)["Tags"]}
        if caller.role:
            role = self._client("iam", caller.account).get_role(RoleName=caller.role.rpartition("/")[2])["Role"]
            context |= {"aws:PrincipalArn": [caller.role], "aws:PrincipalType": ["AssumedRole"]}
            context |= {f"aws:PrincipalTag/{tag['Key']}": [tag["Value"]] for tag in role.get("Tags", [])}
        return {name.lower(): values for name, values in context.items() if values}

    def _organizations(self, account: str) -> list[str]:
        return [self.world.organizations[account]] if account in self.world.organizations else []

    def _key_policy(self, key: str) -> dict:
        return json.loads(self._client("kms", key.split(":")[4]).get_key_policy(KeyId=key, PolicyName="default")["Policy"])

    def _as_root(self, account: str, call: Call) -> Reply:
        """The same call, made by an account's root."""
        _, _, region, service, *_ = call.scope()
        kept = {name: value for name, value in call.headers.items() if name in ("x-amz-target", "content-type")}
        request = AWSRequest("POST", f"{self.ministack}/", data=call.body, headers=kept)
        SigV4Auth(Credentials(account, "test"), service, region).add_auth(request)
        return send(self.ministack, Call("/", dict(request.headers.items()), call.body))

    def _client(self, service: str, account: str):
        """A client of ministack with the rights of an account's root. To make one takes longer than to ask it."""
        with self._connecting:
            if (service, account) not in self._clients:
                self._clients[service, account] = boto3.client(
                    service, region_name=self.region, endpoint_url=self.ministack, aws_access_key_id=account,
                    aws_secret_access_key="test", config=Config(proxies={}, max_pool_connections=50),
                )
            return self._clients[service, account]

    def _account(self, access_key: str) -> str:
        return access_key if access_key.isdigit() else self._client("sts", "000000000000").get_access_key_info(AccessKeyId=access_key)["Account"]


def _iam_resource(form: dict[str, str]) -> str:
    """What IAM looks at for the calls that ministack decides on `*`; empty for others."""
    match form.get("Action"):
        case "SimulatePrincipalPolicy":
            return form["PolicySourceArn"]
        case "GetInstanceProfile":
            return f"arn:aws:iam::{{account}}:instance-profile/{form['InstanceProfileName']}"
    return ""


def _dated(session: dict) -> dict:
    """JSON has no dates: the service sends seconds."""
    return session | {"StartDate": datetime.fromisoformat(session["StartDate"]).timestamp()}


def _dry_run(call: Call, reply: Reply) -> Reply:
    # There is no ciphertext to read in a dry run that ignores it.
    ignored = reply.error == "InvalidCiphertextException" and "IGNORE_CIPHERTEXT" in call.parameters.get("DryRunModifiers", [])
    if reply.error and not ignored:
        return reply
    return refusal("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.", 412)


def _with_sessions(trust: dict) -> dict:
    """A trust policy whose conditions on aws:PrincipalArn name the sessions of a role beside the role."""
    changed = json.loads(json.dumps(trust))
    for statement in as_list(changed["Statement"]):
        for keys in statement.get("Condition", {}).values():
            if "aws:PrincipalArn" in keys:
                arns = as_list(keys["aws:PrincipalArn"])
                sessions = [f"{arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/*" for arn in arns if ":role/" in arn]
                keys["aws:PrincipalArn"] = [*arns, *sessions]
    return changed


def _key_arn(call: Call, account: str) -> str:
    """The key that a call names by its id or ARN; empty where it names none, or an alias."""
    key = str(call.parameters.get("KeyId", ""))
    if ":key/" in key:
        return key
    return f"arn:aws:kms:{call.scope()[2]}:{account}:key/{key}" if key and not key.startswith(("alias/", "arn:")) else ""


def send(server: str, call: Call) -> Reply:
    """Send a call to a server as it came. The name it was signed for stays the Host."""
    address = urlsplit(server)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=300)
    try:
        connection.request("POST", call.path, body=call.body, headers=call.headers)
        response = connection.getresponse()
        headers = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP]
        return Reply(response.status, headers, response.read())
    finally:
        connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A caller that was ended in the middle of a call is no error."""


def server(port: int, front: Front) -> ThreadingHTTPServer:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer goes out at once and as one: it would wait for 40 ms otherwise.
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self):
            call = Call(self.path, {name.lower(): value for name, value in self.headers.items()}, self._body())
            try:
                self._reply(front.serve(call))
            except OSError as error:
                self._reply(refusal("ServiceUnavailableException", f"a server does not answer: {error}", 503))
            except Unsupported as error:
                self._reply(refusal("NotPlayedHereException", str(error)))

        def do_PUT(self):
            told = json.loads(self._body())
            with lock:
                known = vars(front.world)
                front.world = World(**known | told | {"created": known["created"] | told.get("created", {})})
            self._reply(answer({}))

        def do_DELETE(self):
            self._body()
            with lock:
                front.world = World()
            self._reply(answer({}))

        def do_GET(self):
            self._reply(answer(vars(front.world)))

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _reply(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_):
            """Paths and bodies are no business of a log."""

    return _Server(("127.0.0.1", port), Handler)


def main(port: str, ministack: str, moto: str, region: str) -> None:
    server(int(port), Front(ministack, moto, region)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
