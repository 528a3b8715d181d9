"""What Systems Manager says of nodes and of sessions that are there already. Nothing is made."""

from typing import Any

from local.aws_check.account import Account
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed, different

SETTING = "/ssm/managed-instance/default-ec2-instance-management-role"
JUST_IN_TIME_ROLE = "SSM-JustInTimeAccessTokenRole"


def default_host_role(account: Account) -> Answer:
    ssm = account.client("ssm")
    try:
        value = ssm.get_service_setting(SettingId=SETTING)["ServiceSetting"].get("SettingValue", "$None")
    except ssm.exceptions.ServiceSettingNotFound:
        value = "$None"
    if value in ("", "$None"):
        raise NotSettledError("Default Host Management is off in this account and Region")
    pages = ssm.get_paginator("describe_instance_information").paginate()
    instances = [node for page in pages for node in page["InstanceInformationList"] if node["InstanceId"].startswith("i-")]
    associations = account.client("ec2").get_paginator("describe_iam_instance_profile_associations").paginate()
    with_profile = {one["InstanceId"] for page in associations for one in page["IamInstanceProfileAssociations"]}
    return host_role(value, [node for node in instances if node["InstanceId"] not in with_profile])


def host_role(setting: str, nodes: list[dict[str, Any]]) -> Answer:
    """The answer, from the items of DescribeInstanceInformation of EC2 nodes that have no instance profile."""
    if not nodes:
        raise NotSettledError("no managed EC2 node works without an instance profile here")
    named = {str(node.get("IamRole") or "").rpartition("/")[2] for node in nodes}
    if named == {""}:
        return as_assumed("IamRole is empty for nodes under Default Host Management")
    if named <= {"", setting.rpartition("/")[2]}:
        return as_assumed("IamRole names the role of Default Host Management")
    return different(f"IamRole of nodes without an instance profile is {' and '.join(sorted(named - {''}))}, and not the role of the setting")


def just_in_time_owner(account: Account) -> Answer:
    ssm = account.client("ssm")
    sessions = [
        session
        for state in ("Active", "History")
        for page in ssm.get_paginator("describe_sessions").paginate(State=state)
        for session in page["Sessions"]
    ]
    return owner(sessions)


def owner(sessions: list[dict[str, Any]]) -> Answer:
    """The answer, from the items of DescribeSessions."""
    owners = [str(session.get("Owner", "")) for session in sessions if session.get("AccessType") == "JustInTime"]
    if not owners:
        raise NotSettledError(f"none of the {len(sessions)} sessions in the history was approved just in time")
    by_role = [one for one in owners if f":assumed-role/{JUST_IN_TIME_ROLE}/" in one]
    if len(by_role) == len(owners):
        return as_assumed(f"the owner is a session of {JUST_IN_TIME_ROLE}")
    kind = owners[0].split(":")[-1].split("/")[0] or "nobody"
    return as_assumed(f"the owner is the person who asked ({kind}), and not {JUST_IN_TIME_ROLE}; AccessType tells such sessions")


QUESTIONS = (
    Question(
        "default-host-role", "IamRole of a node under Default Host Management is empty or names that role", default_host_role,
        ("ssm:GetServiceSetting", "ssm:DescribeInstanceInformation", "ec2:DescribeIamInstanceProfileAssociations"),
    ),
    Question(
        "just-in-time-owner", "AccessType tells sessions that were approved just in time, whoever is their owner", just_in_time_owner,
        ("ssm:DescribeSessions",),
    ),
)
