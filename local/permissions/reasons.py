"""Why each statement is there: by template, role and Sid. What depends on a parameter is read from the template."""

FUNCTION = "template.yaml"
KEY_ACCESS = "template-key-access.yaml"
AUDIT = "deploy/audit.yaml"
AUDIT_ROLE = "deploy/audit-role.yaml"
KEY_EVENTS = "deploy/key-events.yaml"

LOGS = "write its log"
AUDIT_KEY = "the key that encrypts the bucket, through S3 of the Region only"

REASONS: dict[tuple[str, str, str], str] = {
    (FUNCTION, "UserPolicy", "StartEncryptedSessions"): "a user's client gets the data key of a session",
    (FUNCTION, "NodePolicy", "TakePartInEncryptedSessions"): "a node's agent decrypts the data key of a session",
    (FUNCTION, "FunctionRole", "WriteLogs"): LOGS,
    (FUNCTION, "FunctionRole", "KeepFailedEvents"): "Lambda puts events that failed into the queue of failed events",
    (FUNCTION, "FunctionRole", "SendReports"): "Lambda sends reports to the bus or the topic. Only the action that fits is there",
    (FUNCTION, "FunctionRole", "EncryptReports"): "reports to a topic that this key encrypts, through SNS of the Region only",
    (FUNCTION, "FunctionRole", "AnswerConfig"): "evaluations of the rule of AWS Config",
    (FUNCTION, "FunctionRole", "ReadAndEditDocument"): (
        "read and edit the document. ssm:DeleteDocument deletes the oldest version if the history is full: IAM cannot limit it to "
        "versions, and the code always names one"
    ),
    (FUNCTION, "FunctionRole", "KeepRecord"): "the record: owner, wanted key, key from before, safeguards, repairs. A version of it is read by its number",
    (FUNCTION, "FunctionRole", "FindRecords"): "find the documents that have a record. Those of other functions are skipped",
    (FUNCTION, "FunctionRole", "ReadKeys"): (
        "resolve and check the key. With `ReadKeyPolicy`, read the key's side. A request may name any key of the account, and which key "
        "was there before is known only at run time"
    ),
    (FUNCTION, "FunctionRole", "DescribeAliases"): (
        "a key that is named by an alias. AWS authorizes the call on the key, so this has an effect in emulators of AWS only"
    ),
    (FUNCTION, "FunctionRole", "ReadKeysOfOtherAccounts"): "the same for further keys. AWS shows a key's policy to its own account only",
    (FUNCTION, "FunctionRole", "ReadKeyTags"): "tags, if a policy asks for `aws:ResourceTag`, as the managed policy of just-in-time node access does",
    (FUNCTION, "FunctionRole", "ReadKeyAliases"): "the key's aliases, if a policy asks for `kms:ResourceAliases`. IAM has no resource for the action",
    (FUNCTION, "FunctionRole", "TryKeys"): "dry runs, with an encryption context that no session has",
    (FUNCTION, "FunctionRole", "TryKeysOfOtherAccounts"): "the same with further keys",
    (FUNCTION, "FunctionRole", "ReadKeyPolicyOfAnotherAccount"): "exactly the reader role: policy, grants, tags and aliases of another account's key",
    (FUNCTION, "FunctionRole", "ListNodesAndInstanceProfiles"): "nodes, their agents, and their instance profiles. IAM has no resource for the actions",
    (FUNCTION, "FunctionRole", "ReadDefaultHostManagement"): "whether nodes work by the role of Default Host Management",
    (FUNCTION, "FunctionRole", "ReadInstanceProfiles"): "the role of an instance profile",
    (FUNCTION, "FunctionRole", "ReadNetwork"): (
        "whether EC2 nodes reach KMS, and stopped instances. Nothing is read if there are neither EC2 nodes nor instance profiles. IAM "
        "has no resource for the actions"
    ),
    (FUNCTION, "FunctionRole", "ListSessions"): "who started sessions in the last 30 days. IAM has no resource for a list of them",
    (FUNCTION, "FunctionRole", "ReadSessionDocuments"): "whether the key encrypts the sessions of a document whose name does not decide",
    (FUNCTION, "FunctionRole", "ReadRoles"): "a role's ARN with its path, its tags, and whether there is just-in-time node access",
    (FUNCTION, "FunctionRole", "ReadTagsOfUsers"): "tags, if a policy asks for `aws:PrincipalTag`",
    (FUNCTION, "FunctionRole", "ReadOrganization"): (
        "the organization's id, if a policy asks for `aws:PrincipalOrgID` or `aws:ResourceOrgID`. IAM has no resource for the action"
    ),
    (FUNCTION, "FunctionRole", "SimulatePolicies"): "the principals' own side, and the role by which a node works",

    (KEY_ACCESS, "ReaderRole", "ReadKey"): "what the functions of consumers read of the one key. They describe it by their own roles",
    (KEY_ACCESS, "ReaderRole", "ReadKeyAliases"): "the key's aliases, if a policy asks for them. IAM has no resource for the action",
    (KEY_ACCESS, "FunctionRole", "WriteLogs"): LOGS,
    (KEY_ACCESS, "FunctionRole", "ReadKey"): "the one key that the function checks",
    (KEY_ACCESS, "FunctionRole", "ReadKeyAliases"): "the key's aliases, if a policy asks for them. IAM has no resource for the action",
    (KEY_ACCESS, "FunctionRole", "ReadOrganization"): "the organization of the key, if a policy asks for `aws:ResourceOrgID`",

    (AUDIT_ROLE, "AuditRole", "ReadDocuments"): "the document of each Region. Which documents an account has is known only when it is audited",
    (AUDIT_ROLE, "AuditRole", "ReadRecords"): "whether session-kms is deployed, and what it wants",
    (AUDIT_ROLE, "AuditRole", "ReadKeysOfThisAccount"): "policies and tags of keys, which AWS shows to the key's own account only",
    (AUDIT_ROLE, "AuditRole", "ReadKeys"): "keys and their grants. A document can have another account's key, whose policy has to allow this too",
    (AUDIT_ROLE, "AuditRole", "ReadKeyAliases"): "aliases, if a policy asks for them. IAM has no resource for the action",
    (AUDIT_ROLE, "AuditRole", "ReadPrincipals"): "roles, their tags, and their own side",
    (AUDIT_ROLE, "AuditRole", "ReadUsers"): "the same for IAM users",
    (AUDIT_ROLE, "AuditRole", "ReadInstanceProfiles"): "the role of an instance profile",
    (AUDIT_ROLE, "AuditRole", "ListPrincipals"): (
        "policies of an account with many principals, who started sessions, the organization's id. IAM cannot limit these actions"
    ),
    (AUDIT_ROLE, "AuditRole", "ReadDefaultHostManagement"): "whether nodes work by the role of Default Host Management",
    (AUDIT_ROLE, "AuditRole", "ReadNodes"): "nodes, the networks between them and KMS, and the Regions that are enabled. IAM cannot limit these actions",

    (AUDIT, "StateMachineRole", "InvokeFunctions"): "the two functions of the audit",
    (AUDIT, "StateMachineRole", "ReadPairsAndWriteResults"): "the list of accounts and Regions, and their results, in the audit's bucket",
    (AUDIT, "StateMachineRole", "ReadFindings"): "the findings that are imported",
    (AUDIT, "StateMachineRole", "UseTheKeyOfTheBucket"): AUDIT_KEY,
    (AUDIT, "StateMachineRole", "ImportFindings"): "import findings into Security Hub of the audit's account and Region",
    (AUDIT, "StateMachineRole", "StartChildren"): "Distributed Map starts an execution of this state machine for each part of the list",
    (AUDIT, "StateMachineRole", "FollowChildren"): "follow, stop and repeat these executions",
    (AUDIT, "WorkerRole", "WriteLogs"): LOGS,
    (AUDIT, "WorkerRole", "AssumeAuditRole"): "the audit role in each account, and nothing else. Each session has a policy that only reads",
    (AUDIT, "ReportRole", "WriteLogs"): LOGS,
    (AUDIT, "ReportRole", "AssumeAuditRole"): "the Regions of an account, if AWS Organizations may not be asked about them",
    (AUDIT, "ReportRole", "ListRoots"): "where the list of accounts begins",
    (AUDIT, "ReportRole", "ListAccounts"): "the accounts and units of the organization",
    (AUDIT, "ReportRole", "ListRegions"): "the Regions that each account has enabled",
    (AUDIT, "ReportRole", "ReadAndWriteRuns"): "the results of a run, and its report",
    (AUDIT, "ReportRole", "ListRuns"): "without it S3 says of an object that does not exist that access is denied",
    (AUDIT, "ReportRole", "ReadAccounts"): "the object with the account ids, if `Accounts` names one",
    (AUDIT, "ReportRole", "UseTheKeyOfTheBucket"): AUDIT_KEY,
    (AUDIT, "ScheduleRole", "StartAudit"): "EventBridge Scheduler starts the audit",

    (KEY_EVENTS, "Role222222222222", "ForwardKeyEvents"): "the default event bus of the account that the rule forwards to. Each account has its own role",
}

# What is unknown if a parameter of a check is off or empty.
UNKNOWN_WITHOUT: dict[str, str] = {
    "ReadKeyPolicy": "whether the key's policy and grants admit users and nodes",
    "KeyPolicyReaderRoleArn": "the same for another account's key",
    "SimulateIdentities": "the principals' own side, and by which role a node works while Default Host Management is on",
    "DiscoverNodes": "nodes, and everything about them. Roles in `Nodes` are checked all the same",
    "ReadNetwork": "whether EC2 nodes reach KMS. Stopped instances are not seen",
    "DiscoverUsers": "users. Roles and users in `Users` are checked all the same",
    "ReadSessionDocuments": "whether the key encrypts the sessions of documents whose names do not decide",
    "ReadOrganization": "`aws:PrincipalOrgID` and `aws:ResourceOrgID`",
    "ReadPrincipalTags": "`aws:PrincipalTag/…`",
    "ReadKeyTags": "`aws:ResourceTag/…`",
    "ReadKeyAliases": "`kms:ResourceAliases`",
    "DryRun": "nothing. With it, `Strict` also asks for the dry run",
}
