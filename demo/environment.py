"""The file with which a shell uses the local AWS that ``KEEP=1 make demo`` leaves up, and ends it."""

import shlex
from pathlib import Path

from local import seed
from local.package import bucket_of
from local.paths import RUNS
from local.servers import LocalAws

# A later demo replaces these files.
ENVIRONMENT = RUNS / "env.sh"
TEMPLATE = RUNS / "template.yaml"
# Variables that would lead the aws CLI past the credentials of the local AWS.
FOREIGN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CA_BUNDLE")
END = "end_local_aws"


def write_environment(aws: LocalAws, keys: seed.Keys, template: str, path: Path = ENVIRONMENT) -> None:
    """Write the file, and the template with the address of the uploaded code, which the file names."""
    TEMPLATE.write_text(template)
    variables = {
        **aws.environment(), "AWS_PAGER": "", "STACK_TEMPLATE": str(TEMPLATE), "STACK_BUCKET": bucket_of(), "FIRST_KEY": keys.first, "SECOND_KEY": keys.second,
    }
    groups = " ".join(f"-{child.pid}" for child in aws.children)
    path.write_text("\n".join([
        "# For a shell: source this file. It uses the local AWS of the last `KEEP=1 make demo`, and no account of AWS.",
        f"unset {' '.join(FOREIGN)}",
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        f"{END}() {{ kill -- {groups}; }}",
        "",
    ]))
