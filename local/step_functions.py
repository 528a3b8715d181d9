"""Runs ministack with what its Step Functions lack, with S3 as if it were called by TLS, and with a quicker reader of YAML.

``python -P local/step_functions.py``, in ministack's environment, in place of the program ``ministack``: it replaces these
parts of ministack, and then starts it. It imports nothing of the project.

- Distributed Map: ministack ignores ResultWriter, ItemBatcher, MaxConcurrencyPath and ToleratedFailurePercentagePath, and
  runs the remaining children of an execution that was stopped. Here results are written as AWS writes them, and a
  stopped or failed Map Run starts no more children.
- RedriveExecution: ministack does not know it. Here a redriven execution keeps the results of the states and children
  that succeeded.
- Quotas: ministack has none. Here a payload of more than 256 KiB and a history of more than 25,000 events fail the
  execution, as in AWS.
- Permissions of the state machine's role: ministack does not check them. Here they are checked for the functions that it
  invokes, for its reads and writes of objects, for its children, and for Security Hub.
- securityhub:BatchImportFindings: ministack has no Security Hub. Here the findings are checked, and appended to the file
  that SECURITY_HUB_FINDINGS names, one JSON object a line.
- TLS: ministack listens without it, so a bucket whose policy asks for it would refuse every call. Here each call of S3 is
  one by TLS for the policies.
- YAML: CloudFormation's templates are read by libyaml, which PyYAML has beside its slow reader in Python.
"""

import contextvars
import copy
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ministack import app
from ministack.core import iam_evaluator
from ministack.services import s3
from ministack.services import stepfunctions as states

PAYLOAD_BYTES = 262_144
HISTORY_EVENTS = 25_000
FINDINGS_IN_A_CALL = 100
# What a finding must have.
FINDING_FIELDS = (
    "AwsAccountId", "CreatedAt", "Description", "GeneratorId", "Id", "ProductArn", "Resources", "SchemaVersion", "Title", "UpdatedAt",
)
ENDED = ("FAILED", "ABORTED", "TIMED_OUT")
# ministack's own, which are called below.
run_execution, execute_task, add_event, handle_request = (
    states._run_execution, states._execute_task, states._add_event, states.handle_request
)
invoke_resource, resolve_condition_key = states._invoke_resource, iam_evaluator._resolve_condition_key
# The execution of this thread.
current: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("execution")


def error(name: str, cause: str) -> Exception:
    return states._ExecutionError(name, cause)


def checked(value: Any, what: str) -> Any:
    """The value, if it fits into a payload."""
    if len(json.dumps(value).encode()) > PAYLOAD_BYTES:
        raise error("States.DataLimitExceeded", f"{what} is larger than {PAYLOAD_BYTES} bytes")
    return value


# Permissions


def require(execution: dict[str, Any], action: str, resource: str) -> None:
    """Fail unless the role of the execution's state machine allows an action. Children have the role of their parent."""
    machine = states._state_machines[execution["stateMachineArn"].rpartition("/")[0] or execution["stateMachineArn"]]
    _, _, _, region, account, *_ = execution["stateMachineArn"].split(":")
    role = machine["roleArn"]
    name = role.rpartition("/")[2]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/states", principal_type="AssumedRole", principal_account=account,
        action=action, resource_arn=resource, region=region,
    )
    if iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account)).decision != "Allow":
        raise error("States.Permissions", f"{role} is not authorized to perform {action} on {resource}")


def condition_key(key: str, context: iam_evaluator.EvalContext) -> Any:
    """The value of a condition key."""
    if key.lower() == "aws:securetransport" and context.action.startswith("s3:"):
        return "true"
    return resolve_condition_key(key, context)


# Tasks


def execute_task_with_permissions(state: dict[str, Any], raw: Any, execution: dict[str, Any], context: dict[str, Any]) -> Any:
    name = context["State"]["Name"]
    kept = execution.setdefault("_states", {})
    if "mapRunArn" not in execution and name in kept:
        return copy.deepcopy(kept[name])
    token = current.set(execution)
    try:
        answer = execute_task(state, raw, execution, context)
    finally:
        current.reset(token)
    kept[name] = copy.deepcopy(answer)
    return answer


def invoke(resource: str, parameters: Any) -> Any:
    """Call a function or Security Hub by the role of the state machine."""
    execution = current.get()
    checked(parameters, "the input of a task")
    if resource.endswith("states:::lambda:invoke"):
        require(execution, "lambda:InvokeFunction", parameters["FunctionName"])
        return checked(invoke_resource(resource, parameters), "the output of a task")
    if resource.endswith("aws-sdk:securityhub:batchImportFindings"):
        return import_findings(execution, parameters["Findings"])
    return checked(invoke_resource(resource, parameters), "the output of a task")


findings_lock = threading.Lock()


def import_findings(execution: dict[str, Any], findings: list[dict[str, Any]]) -> dict[str, Any]:
    _, _, _, region, account, *_ = execution["stateMachineArn"].split(":")
    product = f"arn:aws:securityhub:{region}:{account}:product/{account}/default"
    require(execution, "securityhub:BatchImportFindings", product)
    if not 1 <= len(findings) <= FINDINGS_IN_A_CALL:
        raise error("SecurityHub.InvalidInputException", f"{len(findings)} findings, at most {FINDINGS_IN_A_CALL} are allowed")

    def problem(finding: dict[str, Any]) -> str:
        missing = [name for name in FINDING_FIELDS if not finding.get(name)]
        if not (finding.get("Severity") or finding.get("FindingProviderFields", {}).get("Severity")):
            missing.append("Severity")
        if missing:
            return f"{', '.join(missing)} missing"
        if finding["ProductArn"] != product or finding["AwsAccountId"] != account:
            return f"ProductArn {finding['ProductArn']} and AwsAccountId {finding['AwsAccountId']} are not the caller's"
        return ""

    refused = [
        {"Id": finding.get("Id", ""), "ErrorCode": "InvalidInput", "ErrorMessage": text} for finding in findings if (text := problem(finding))
    ]
    with findings_lock, Path(os.environ["SECURITY_HUB_FINDINGS"]).open("a") as file:
        file.writelines(json.dumps(finding) + "\n" for finding in findings if not problem(finding))
    return {"FailedCount": len(refused), "SuccessCount": len(findings) - len(refused), "FailedFindings": refused}


# Distributed Map


@dataclass
class Child:
    """A child of a Map Run: its record as an execution, and its result."""

    record: dict[str, Any]
    result: Any = None
    attempts: int = 0

    @property
    def status(self) -> str:
        return self.record["status"]


@dataclass
class MapRun:
    """A Map Run, which a redrive continues."""

    record: dict[str, Any]
    children: list[Child]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self) -> None:
        """Set the counts of the record."""
        statuses = [child.status for child in self.children]
        counts = {
            name.lower() if name != "TIMED_OUT" else "timedOut": statuses.count(name)
            for name in ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
        }
        for field_name in ("itemCounts", "executionCounts"):
            self.record[field_name] |= counts


def run_distributed_map(state: dict[str, Any], raw: Any, effective: Any, processor: dict[str, Any], execution: dict[str, Any], context: Any) -> Any:
    name = context["State"]["Name"]
    if name in execution.setdefault("_states", {}):
        return copy.deepcopy(execution["_states"][name])
    run = execution.setdefault("_runs", {}).get(name)
    if run is None:
        run = execution["_runs"][name] = start_map_run(state, effective, execution, context)
    else:
        run.record["redriveCount"] += 1
        run.record["status"] = "RUNNING"
    share = path_or_value(state, "ToleratedFailurePercentage", effective, 0)
    limit = len(run.children) * float(share) / 100

    def failed() -> int:
        return sum(1 for child in run.children if child.status == "FAILED")

    def one(child: Child) -> None:
        if execution["status"] != "RUNNING" or failed() > limit:
            return
        run_child(child, run, state, processor, execution, context)

    todo = [child for child in run.children if child.status != "SUCCEEDED"]
    for child in todo:
        child.record["status"] = "PENDING"
    with ThreadPoolExecutor(max_workers=int(path_or_value(state, "MaxConcurrency", effective, 0)) or 64) as pool:
        wait_for([pool.submit(contextvars.copy_context().run, one, child) for child in todo])
    run.count()
    if execution["status"] != "RUNNING":
        run.record["status"] = "ABORTED"
        return raw, None
    exceeded = failed() > limit
    run.record["status"] = "FAILED" if exceeded else "SUCCEEDED"
    result = write_results(state, run, effective, execution, context)
    if exceeded:
        raise error("States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded")
    output = states._apply_result_path(state, raw, states._apply_result_selector(state, result))
    answer = checked(states._apply_output_path(state, output, context), "the output of the Map"), states._next_or_end(state)
    execution["_states"][name] = copy.deepcopy(answer)
    return answer


def start_map_run(state: dict[str, Any], effective: Any, execution: dict[str, Any], context: Any) -> MapRun:
    if reader := state.get("ItemReader"):
        parameters = states._resolve_params_obj(reader["Parameters"], effective, context)
        require(execution, "s3:GetObject", f"arn:aws:s3:::{parameters['Bucket']}/{parameters['Key']}")
        items = states._read_map_items(reader, effective, context)
    else:
        items = states._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, context)
    if not isinstance(items, list):
        raise error("States.ItemReaderFailed", "the items are no array")
    _, _, _, region, account, _, machine = execution["stateMachineArn"].split(":")
    label, identifier = state["Label"], states.new_uuid()
    arn = f"arn:aws:states:{region}:{account}:mapRun:{machine}/{label}:{identifier}"
    require(execution, "states:StartExecution", execution["stateMachineArn"])
    children = []
    for index, item in enumerate(batches(items, state.get("ItemBatcher"))):
        selector = state.get("ItemSelector")
        scope = copy.deepcopy(context) | {"Map": {"Item": {"Index": index, "Value": item}}} if selector else context
        entry = states._resolve_params_obj(selector, effective, scope) if selector else item
        name = states.new_uuid()
        children.append(Child({
            "executionArn": f"arn:aws:states:{region}:{account}:execution:{machine}/{label}:{name}",
            "stateMachineArn": f"{execution['stateMachineArn']}/{label}", "name": name, "status": "PENDING", "startDate": states.now_iso(),
            "stopDate": None, "input": json.dumps(checked(entry, "the input of a child")), "output": None, "mapRunArn": arn, "events": [],
            "redriveCount": 0, "testCase": "", "mockAttempts": {},
        }))
    counts = dict.fromkeys(("failuresNotRedrivable", "pendingRedrive", "resultsWritten"), 0) | {"total": len(children)}
    run = MapRun({
        "mapRunArn": arn, "executionArn": execution["executionArn"], "status": "RUNNING", "startDate": states.now_iso(),
        "maxConcurrency": int(path_or_value(state, "MaxConcurrency", effective, 0)),
        "toleratedFailurePercentage": float(path_or_value(state, "ToleratedFailurePercentage", effective, 0)), "toleratedFailureCount": 0,
        "itemCounts": dict(counts), "executionCounts": dict(counts), "redriveCount": 0, "_stateMachineArn": f"{execution['stateMachineArn']}/{label}",
    }, children)
    run.count()
    states._map_runs[arn] = run.record
    return run


def path_or_value(state: dict[str, Any], name: str, effective: Any, default: int) -> Any:
    return states._resolve_path(state[f"{name}Path"], effective) if f"{name}Path" in state else state.get(name, default)


def batches(items: list[Any], batcher: dict[str, Any] | None) -> list[Any]:
    """The items of each child: one item, or as many as the batcher allows."""
    if not batcher:
        return items
    made: list[list[Any]] = []
    size = 0
    for item in items:
        length = len(json.dumps(item).encode()) + 1
        is_full = made and (len(made[-1]) >= batcher["MaxItemsPerBatch"] or size + length > batcher["MaxInputBytesPerBatch"])
        if not made or is_full:
            made.append([])
            size = len('{"Items":[]}')
        made[-1].append(item)
        size += length
    return [{"Items": batch} for batch in made]


def run_child(child: Child, run: MapRun, state: dict[str, Any], processor: dict[str, Any], execution: dict[str, Any], context: Any) -> None:
    record = child.record
    record["status"], record["redriveCount"] = "RUNNING", child.attempts
    child.attempts += 1
    states._executions[record["executionArn"]] = record
    with run.lock:
        run.count()
    record.pop("error", None)
    record.pop("cause", None)
    try:
        result = checked(
            states._run_sub_machine(processor["States"], processor["StartAt"], json.loads(record["input"]), record, copy.deepcopy(context)),
            "the output of a child",
        )
    except Exception as problem:
        name, cause = getattr(problem, "error", "States.Runtime"), getattr(problem, "cause", repr(problem))
        record.update(status="FAILED", error=name, cause=cause)
    else:
        child.result = result
        record.update(status="SUCCEEDED", output=json.dumps(result))
    if execution["status"] != "RUNNING" and record["status"] == "FAILED":
        record["status"] = "ABORTED"
    record["stopDate"] = states.now_iso()
    with run.lock:
        run.count()


def write_results(state: dict[str, Any], run: MapRun, effective: Any, execution: dict[str, Any], context: Any) -> Any:
    """Write the results as ResultWriter does, and return what the Map state returns."""
    writer = state.get("ResultWriter")
    if not writer:
        return checked([child.result for child in run.children], "the results of the Map")
    parameters = states._resolve_params_obj(writer["Parameters"], effective, context)
    bucket, folder = parameters["Bucket"], f"{parameters['Prefix']}/{run.record['mapRunArn'].rpartition(':')[2]}"
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}

    def put(name: str, value: Any) -> dict[str, Any]:
        key, body = f"{folder}/{name}", json.dumps(value, separators=(",", ":")).encode()
        require(execution, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
        status, *_ = s3._put_object(bucket, key, body, {})
        if status >= 300:
            raise error("States.ResultWriterFailed", f"cannot write {key}")
        return {"Key": key, "Size": len(body)}

    for status, written in files.items():
        found = [exported(child) for child in run.children if child.status in ((status, "ABORTED") if status == "FAILED" else (status,))]
        if found:
            written.append(put(f"{status}_0.json", found))
    manifest = {"DestinationBucket": bucket, "MapRunArn": run.record["mapRunArn"], "ResultFiles": files}
    return {
        "MapRunArn": run.record["mapRunArn"], "ResultWriterDetails": {"Bucket": bucket, "Key": put("manifest.json", manifest)["Key"]},
    }


def exported(child: Child) -> dict[str, Any]:
    """A child as ResultWriter writes it."""
    record, has_succeeded = child.record, child.status == "SUCCEEDED"
    result = {
        "ExecutionArn": record["executionArn"], "Input": record["input"], "InputDetails": {"Included": True}, "Name": record["name"],
        "RedriveCount": record["redriveCount"], "RedriveStatus": "NOT_REDRIVABLE" if has_succeeded else "REDRIVABLE_BY_MAP_RUN",
        "StartDate": record["startDate"], "StateMachineArn": record["stateMachineArn"], "Status": record["status"],
    }
    if has_succeeded:
        result |= {"Output": record["output"], "OutputDetails": {"Included": True}, "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven"}
    if "error" in record:
        result |= {"Error": record["error"], "Cause": record["cause"]}
    if record["stopDate"]:
        result["StopDate"] = record["stopDate"]
    return result


# Executions


def run_attempt(arn: str) -> None:
    """Run an execution. A redrive waits until this attempt has ended."""
    with states._executions[arn].setdefault("_attempt", threading.Lock()):
        run_execution(arn)


def add_event_within_quotas(execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> None:
    for detail in (details or {}).values():
        for name, text in detail.items():
            if name in ("input", "output") and isinstance(text, str) and len(text.encode()) > PAYLOAD_BYTES:
                raise error("States.DataLimitExceeded", f"the {name} of an event is larger than {PAYLOAD_BYTES} bytes")
    if len(execution["events"]) >= HISTORY_EVENTS and kind != "ExecutionFailed":
        raise error("States.Runtime", f"the history has more than {HISTORY_EVENTS} events")
    add_event(execution, kind, details)


def redrive(data: dict[str, Any]) -> Any:
    execution = states._executions.get(data.get("executionArn"))
    if execution is None:
        return states.error_response_json("ExecutionDoesNotExist", f"Execution does not exist: {data.get('executionArn')}", 400)
    if execution["status"] not in ENDED or "mapRunArn" in execution:
        return states.error_response_json("ExecutionNotRedrivable", f"Execution is {execution['status']} and cannot be redriven", 400)
    with execution["_attempt"]:
        # The children that ran when the execution was stopped have ended.
        execution |= {"status": "RUNNING", "stopDate": None, "output": None}
    for name in ("error", "cause"):
        execution.pop(name, None)
    execution["redriveCount"] = execution.get("redriveCount", 0) + 1
    add_event(execution, "ExecutionRedriven", {"executionRedrivenEventDetails": {"redriveCount": execution["redriveCount"]}})
    scope = contextvars.copy_context()
    threading.Thread(target=scope.run, args=(run_attempt, execution["executionArn"]), daemon=True).start()
    return states.json_response({"redriveDate": states.now_iso()})


async def handle_request_with_redrive(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
    if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
        return states._finalize_response(await states.run_reentrant(redrive, json.loads(body), thread_name="redrive"))
    return await handle_request(method, path, headers, body, query)


def replace_parts() -> None:
    states._run_distributed_map = run_distributed_map
    states._execute_task = execute_task_with_permissions
    states._invoke_resource = invoke
    states._run_execution = run_attempt
    states._add_event = add_event_within_quotas
    states.handle_request = handle_request_with_redrive
    iam_evaluator._resolve_condition_key = condition_key
    # ministack loads its CloudFormation, which derives its reader from this one, with the first call.
    yaml.SafeLoader = yaml.CSafeLoader  # type: ignore[misc, assignment]


if __name__ == "__main__":
    replace_parts()
    app.main()
