"""The patterns of parameters accept exactly what AWS accepts. What AWS would refuse later fails before anything is made."""

import re
from pathlib import Path

import pytest

from local.paths import ROOT, TEMPLATE
from local.template import load

STACKSET = ROOT / "deploy" / "stackset.yaml"
KEY = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"
each_template = pytest.mark.parametrize("path", [TEMPLATE, STACKSET], ids=lambda path: path.stem)


def accepts(path: Path, name: str, value: str) -> bool:
    parameter = load(path.read_text())["Parameters"][name]
    return len(value) <= parameter["MaxLength"] and re.search(parameter["AllowedPattern"], value) is not None


@each_template
@pytest.mark.parametrize("schedule", [
    "rate(1 minute)", "rate(1 hour)", "rate(1 day)", "rate(2 minutes)", "rate(5 hours)", "rate(10 days)", "rate(90 minutes)",
    "cron(0 6 * * ? *)", "cron(15 10 ? * MON-FRI *)", "cron(*/10 * ? * MON-FRI *)", "cron(0/15 0,6,12 1-7/2 JAN,JUL ? *)",
    "cron(0 9 ? * 2#1 *)", "cron(0 12 L * ? 2026-2030)", "cron(0 12 3W * ? *)", "cron(0 12 ? * 6L *)", "cron(0 23 31 12 ? 2199)",
])
def test_a_schedule_that_eventbridge_takes_is_accepted(path: Path, schedule: str) -> None:
    assert accepts(path, "Schedule", schedule)


@each_template
@pytest.mark.parametrize("schedule", [
    "", "rate(1 hours)", "rate(5 hour)", "rate(1 minutes)", "rate(2 day)", "rate(0 hours)", "rate(-1 hours)", "rate(01 hour)", "rate(1.5 hours)",
    "rate(1 week)", "rate(1  hour)", "rate(1 hour) ", "1 hour", "at(2026-12-01T00:00:00)",
    "cron()", "cron(x)", "cron(0 6 * * ?)", "cron(0 6 * * * *)", "cron(0 6 ? * ? *)", "cron(60 6 * * ? *)", "cron(0 24 * * ? *)",
    "cron(0 6 32 * ? *)", "cron(0 6 0 * ? *)", "cron(0 6 * 13 ? *)", "cron(0 6 ? * 8 *)", "cron(0 6 ? * MON#6 *)", "cron(0 6 * * ? 1969)",
    "cron(0 6 * * ? 2200)", "cron(0 6 * * ? * *)", "cron(0 6 1- * ? *)", "cron(0/0 6 * * ? *)",
])
def test_a_schedule_that_eventbridge_refuses_is_refused_before_anything_is_made(path: Path, schedule: str) -> None:
    assert not accepts(path, "Schedule", schedule)


@each_template
def test_a_role_may_have_every_path_that_iam_allows(path: Path) -> None:
    signs = "".join(map(chr, range(0x21, 0x7f)))
    for given in ("", "Reader", "team/Reader", f"{signs}/Reader", f"{'p' * 510}/{'r' * 64}"):
        assert accepts(path, "KeyPolicyReaderRoleArn", given and f"arn:aws-us-gov:iam::111122223333:role/{given}")
    for refused in ("arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:role/a b", "arn:aws:iam::1:role/a", "arn:aws:iam::111122223333:user/a"):
        assert not accepts(path, "KeyPolicyReaderRoleArn", refused)


@each_template
def test_only_key_arns_go_into_policies(path: Path) -> None:
    for given in ("", KEY, f"{KEY},{KEY.replace('222222222222', '333333333333')}"):
        assert accepts(path, "AdditionalKeyArns", given)
    for refused in ("*", "alias/session", KEY.replace("key/", "alias/"), f"{KEY},*", f"{KEY}, {KEY}", f"{KEY},", f",{KEY}", f"{KEY}*", KEY.rpartition("/")[2]):
        assert not accepts(path, "AdditionalKeyArns", refused)


@each_template
def test_the_parameter_with_the_key_s_arn_is_no_record_and_has_a_name_that_aws_takes(path: Path) -> None:
    for given in ("", "/session-kms/SSM-SessionManagerRunShell/key-arn", "/platform/session-key", "session-key", "/session-kms-key"):
        assert accepts(path, "KeyArnParameterName", given)
    for refused in (
        "/session-kms/SSM-SessionManagerRunShell", "/aws/session", "aws-session", "/AWS/session", "ssm-key", "/Ssm/key", "/a//b", "/a/", "a/b", "/", "key arn",
        "/" + "/".join("abcdefghijklmnop"),
    ):
        assert not accepts(path, "KeyArnParameterName", refused)
