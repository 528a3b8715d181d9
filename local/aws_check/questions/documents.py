"""Systems Manager's documents: duplicate content, the lock by version, stored text, versions."""

import itertools
import json
from typing import Any

from botocore.exceptions import ClientError

from local.aws_check.account import Account, error_code
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed, different
from local.aws_check.cleanup import unless_gone

DUPLICATE = "DuplicateDocumentContent"
ACTIONS = ("ssm:CreateDocument", "ssm:UpdateDocument", "ssm:GetDocument", "ssm:DescribeDocument", "ssm:DeleteDocument")
DESCRIPTION = "Made by make aws-check of session-kms"
UNKNOWN: dict[str, Any] = {"x-unknown-setting": "kept"}
YAML = """# A comment that has to stay.
schemaVersion: "1.0"
description: Made by make aws-check of session-kms
sessionType: Standard_Stream
inputs:
  kmsKeyId: ""   # no key
  idleSessionTimeout: '{minutes}'
  x-unknown-setting: kept
"""
_numbers = itertools.count(1)


class Document:
    """A Session document of the run. It is deleted at the end."""

    def __init__(self, account: Account, text: str, form: str = "JSON") -> None:
        self.account = account
        self.name = f"{account.id}-{next(_numbers)}"
        self.form = form
        self.latest = 1
        self.ssm = account.client("ssm")
        account.cleanup.add(
            f"document {self.name}", unless_gone(self.ssm.delete_document, Name=self.name),
            account.command(f"ssm delete-document --name {self.name}"),
        )
        self.ssm.create_document(Name=self.name, DocumentType="Session", DocumentFormat=form, Content=text)
        self._wait()

    def update(self, text: str, version: int | None = None) -> str:
        """Write a version after the latest one, or after another; return the code of the error, or an empty text."""
        try:
            answer = self.ssm.update_document(
                Name=self.name, Content=text, DocumentFormat=self.form, DocumentVersion=str(version or self.latest)
            )
        except ClientError as error:
            return error_code(error)
        self.latest = int(answer["DocumentDescription"]["DocumentVersion"])
        self._wait()
        return ""

    def is_duplicate(self, text: str) -> bool:
        """Whether AWS refuses the text as a duplicate. Otherwise it becomes the latest version."""
        code = self.update(text)
        if code not in ("", DUPLICATE):
            raise NotSettledError(f"UpdateDocument ended in {code}")
        return code == DUPLICATE

    def text(self, form: str = "", **version: str) -> str:
        return str(self.ssm.get_document(Name=self.name, DocumentFormat=form or self.form, **version)["Content"])

    def describe(self) -> dict[str, Any]:
        description: dict[str, Any] = self.ssm.describe_document(Name=self.name)["Document"]
        return description

    def _wait(self) -> None:
        def is_active() -> bool:
            answer = self.ssm.get_document(Name=self.name, DocumentVersion=str(self.latest), DocumentFormat=self.form)
            if answer.get("Status") == "Failed":
                raise NotSettledError(f"version {self.latest} of a test document failed: {answer.get('StatusInformation')}")
            return answer.get("Status") in (None, "Active")

        if not self.account.wait_for(is_active, 60, pause=1):
            raise NotSettledError(f"version {self.latest} of a test document does not become active")


def content(minutes: int, description: str = DESCRIPTION, **inputs: Any) -> dict[str, Any]:
    return {
        "schemaVersion": "1.0",
        "description": description,
        "sessionType": "Standard_Stream",
        "inputs": {"kmsKeyId": "", "idleSessionTimeout": str(minutes), **inputs},
    }


def duplicate_content(account: Account) -> Answer:
    first, second = json.dumps(content(20), indent=2), json.dumps(content(30), indent=2)
    document = Document(account, first)
    document.is_duplicate(second)
    # If AWS accepts it, it is the latest version, and the variants below differ from that one.
    earlier, same = document.is_duplicate(first), document.is_duplicate(document.text(DocumentVersion=str(document.latest)))
    spaced = document.is_duplicate(f"{first}\n \t")
    reordered = document.is_duplicate(json.dumps(dict(reversed(content(20).items())), indent=2))
    marked = document.is_duplicate(json.dumps(content(20, f"{DESCRIPTION} [session-kms version 9]"), indent=2))
    yaml = Document(account, YAML.format(minutes=20), "YAML")
    yaml.is_duplicate(YAML.format(minutes=30))
    yaml_earlier = yaml.is_duplicate(YAML.format(minutes=20))
    yaml_marked = yaml.is_duplicate(YAML.format(minutes=20).replace("of session-kms\n", "of session-kms [session-kms version 9]\n"))
    return duplicates(earlier, same, spaced, reordered, marked or yaml_marked, yaml_earlier)


def duplicates(earlier: bool, same: bool, spaced: bool, reordered: bool, marked: bool, yaml_earlier: bool) -> Answer:
    """The answer, from which contents AWS refuses as duplicates."""
    if marked:
        return different("AWS refuses a content that differs from every version in its description, so nothing makes a content unique")
    scope = "the content of any earlier version" if earlier else "the content of the latest version alone" if same else "no duplicate at all"
    by = "by meaning" if reordered else "by meaning or without white space" if spaced else "by bytes"
    yaml = "" if yaml_earlier == earlier else f"; YAML of an earlier version is {'refused' if yaml_earlier else 'accepted'}"
    compared = f", compared {by}" if earlier or same else ""
    return as_assumed(f"AWS refuses {scope}{compared}{yaml}; a mark in the description makes a content unique")


def document_lock(account: Account) -> Answer:
    document = Document(account, json.dumps(content(20)))
    document.is_duplicate(json.dumps(content(30)))
    return lock(document.update(json.dumps(content(40)), version=1))


def lock(code: str) -> Answer:
    """The answer, from the error of an update that names a version which is not the latest."""
    match code:
        case "InvalidDocumentVersion":
            return as_assumed("an update that names an older version than the latest fails with InvalidDocumentVersion")
        case "":
            return different("an update that names an older version than the latest succeeds, so it can overwrite another's change")
        case _:
            return different(f"an update that names an older version than the latest fails with {code}, which counts as a failure and no lost race")


def stored_text(account: Account) -> Answer:
    wrong = []
    padded = json.dumps(content(20, **UNKNOWN), indent=3) + "\n \t\n"
    if Document(account, padded).text() != padded:
        wrong.append("JSON does not come back byte for byte")
    text = YAML.format(minutes=20)
    document = Document(account, text, "YAML")
    if document.text() != text:
        wrong.append("YAML does not come back byte for byte")
    if document.describe().get("DocumentFormat") != "YAML":
        wrong.append("the description of a YAML document does not call it YAML")
    try:
        converted = json.loads(document.text("JSON"))
    except ValueError:
        wrong.append("GetDocument does not convert YAML to JSON")
    else:
        if converted.get("inputs", {}).get("x-unknown-setting") != "kept":
            wrong.append("GetDocument loses an unknown setting when it converts YAML to JSON")
    return different("; ".join(wrong)) if wrong else as_assumed("JSON and YAML come back byte for byte, and GetDocument converts YAML to JSON if asked to")


def default_version(account: Account) -> Answer:
    first, second = json.dumps(content(20)), json.dumps(content(30))
    document = Document(account, first)
    document.is_duplicate(second)
    described = document.describe()
    if (described["DefaultVersion"], described["LatestVersion"]) != ("1", "2"):
        return different(f"after an update the default version is {described['DefaultVersion']} and the latest {described['LatestVersion']}")
    if document.text() != first:
        return different("GetDocument without a version does not return the default version")
    return as_assumed("an update leaves the default version as it is, and GetDocument without a version returns the default version")


def deleted_version(account: Account) -> Answer:
    document = Document(account, json.dumps(content(20)))
    document.is_duplicate(json.dumps(content(30)))
    document.ssm.update_document_default_version(Name=document.name, DocumentVersion="2")
    document.ssm.delete_document(Name=document.name, DocumentVersion="1")
    try:
        if document.describe()["LatestVersion"] != "2" or document.text() != json.dumps(content(30)):
            return different("deleting the oldest version changes another one")
        document.text(DocumentVersion="1")
    except ClientError as error:
        if error_code(error) == "InvalidDocumentVersion":
            return as_assumed("DeleteDocument with a version deletes this version alone")
        if error_code(error) == "InvalidDocument":
            return _after_deletion(document)
        raise
    return different("DeleteDocument with a version leaves the version")


def _after_deletion(document: Document) -> Answer:
    try:
        document.describe()
    except ClientError as error:
        if error_code(error) == "InvalidDocument":
            return different("DeleteDocument with a version deletes the whole document")
        raise
    return as_assumed("DeleteDocument with a version deletes this version alone; the version is then an InvalidDocument")


QUESTIONS = (
    Question(
        "duplicate-content",
        "UpdateDocument may refuse the content of the latest or of any version, by bytes or by meaning; a mark in the description is accepted",
        duplicate_content, ACTIONS, seconds=180,
    ),
    Question("document-lock", "UpdateDocument with a version that is not the latest fails with InvalidDocumentVersion", document_lock, ACTIONS),
    Question("stored-text", "content comes back byte for byte in its own format, and YAML as JSON on request", stored_text, ACTIONS),
    Question("default-version", "an update does not change the default version, which GetDocument returns if no version is named", default_version, ACTIONS),
    Question(
        "deleted-version", "DeleteDocument with a version deletes that version alone", deleted_version, (*ACTIONS, "ssm:UpdateDocumentDefaultVersion"),
    ),
)
