"""A Lambda runtime for the Python peer, as small as it can be, so that what is measured is the peer."""

import http.client
import json
import os
import time
from typing import Any

from handler import helper

INVOCATION = "/2018-06-01/runtime/invocation"


class Context:
    """What the handler asks of an invocation."""

    def __init__(self, headers: Any) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline - int(time.time() * 1000))


def main() -> None:
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        api.request("GET", f"{INVOCATION}/next")
        response = api.getresponse()
        event, context = json.loads(response.read()), Context(response.headers)
        helper(event, context)
        api.request("POST", f"{INVOCATION}/{context.aws_request_id}/response", b"null")
        api.getresponse().read()


main()
