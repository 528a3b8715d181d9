"""Which ARN IAM sees for calls of Parameter Store."""

from typing import Any

from botocore.exceptions import ClientError

from local.aws_check.account import Account, allow, error_code
from local.aws_check.answer import Answer, Question, as_assumed, different
from local.aws_check.cleanup import unless_gone
from local.aws_check.permissions import trial


def _put(account: Account, name: str, value: str) -> None:
    ssm = account.client("ssm")
    account.cleanup.add(
        f"parameter {name}", unless_gone(ssm.delete_parameter, Name=name), account.command(f"ssm delete-parameter --name {name}")
    )
    ssm.put_parameter(Name=name, Value=value, Type="String")


def parameter_version(account: Account) -> Answer:
    name = f"/{account.id}/version"
    _put(account, name, "x")
    arn = account.arn("ssm", f"parameter{name}")

    def read(ssm: Any) -> object:
        return ssm.get_parameter(Name=f"{name}:1")

    tried = {"without": allow("ssm:GetParameter", arn), "with": allow("ssm:GetParameter", f"{arn}:*")}
    return version_arn(**trial(account, "ssm", read, allow("ssm:GetParameter", "*"), {f"{how}_version": one for how, one in tried.items()}))


def version_arn(without_version: bool, with_version: bool) -> Answer:
    """The answer, from what may read `name:version`: a permission on the parameter, one on `parameter:*`."""
    match without_version, with_version:
        case True, True:
            return as_assumed("a permission on either ARN lets a version be read")
        case True, False:
            return as_assumed("IAM sees the ARN of the parameter")
        case False, True:
            return as_assumed("IAM sees the ARN with the version")
    return different("neither a permission on the parameter nor one on its versions lets a version be read")


def path(account: Account) -> Answer:
    _put(account, f"/{account.id}/path", "x")
    arn = account.arn("ssm", f"parameter/{account.id}")

    def read(ssm: Any) -> object:
        return ssm.get_parameters_by_path(Path=f"/{account.id}")

    tried = {"bare": arn, "slash": f"{arn}/"}
    statements = {how: allow("ssm:GetParametersByPath", resource) for how, resource in tried.items()}
    return path_arn(**trial(account, "ssm", read, allow("ssm:GetParametersByPath", "*"), statements))


def path_arn(bare: bool, slash: bool) -> Answer:
    """The answer, from what may list a path: a permission on the path, one on the path with a slash at its end."""
    if not bare and not slash:
        return different("neither a permission on the path nor one on the path with a slash lets it be listed")
    return as_assumed("IAM accepts either ARN" if bare and slash else f"IAM sees the path {'with' if slash else 'without'} a slash at its end")


def versions(account: Account) -> Answer:
    ssm, name = account.client("ssm"), f"/{account.id}/versions"
    _put(account, name, "x")
    made = [ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)["Version"] for value in ("x", "y")]
    first = ssm.get_parameter(Name=f"{name}:1")["Parameter"]
    try:
        ssm.get_parameter(Name=f"{name}:9")
        missing = ""
    except ClientError as error:
        missing = error_code(error)
    return version_numbers(made, (first["Version"], first["Value"]), missing)


def version_numbers(made: list[int], first: tuple[int, str], missing: str) -> Answer:
    """The answer, from the versions of two writes, version 1 as read, and the error for a version that is not there."""
    if made != [2, 3]:
        return different(f"writes after version 1 make the versions {made}")
    if first != (1, "x"):
        return different("an earlier version does not come back by its number")
    if missing not in ("ParameterVersionNotFound", "ParameterNotFound"):
        return different(f"a version that is not there ends in {missing or 'no error'}")
    return as_assumed(f"each write makes the next version, also with the same value; a version that is not there is a {missing}")


ACTIONS = ("ssm:PutParameter", "ssm:DeleteParameter")
QUESTIONS = (
    Question(
        "parameter-versions", "each write of a parameter makes the next version, which can be read by its number", versions, (*ACTIONS, "ssm:GetParameter"),
    ),
    Question(
        "parameter-version-arn", "IAM sees the ARN of the parameter or the ARN with `:version`; the template allows both", parameter_version, ACTIONS,
        needs_stack=True,
    ),
    Question(
        "parameter-path-arn", "IAM sees the path without or with a slash at its end; the template allows both", path, ACTIONS, needs_stack=True,
    ),
)
