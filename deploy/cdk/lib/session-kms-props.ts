import type { IRule } from 'aws-cdk-lib/aws-config';
import type { IEventBus, Schedule } from 'aws-cdk-lib/aws-events';
import type { IManagedPolicy, IRole, IUser, PolicyDocument } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Architecture, Code } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { KnownConditionKeys, LogRetention } from './property-types';

/**
 * The properties of `SessionKms`: the parameters of `template.yaml`, and the code.
 *
 * A value that is known only at deployment, a token, counts as given, and is not checked before.
 */
export interface SessionKmsProps {
  /** The code of the function: `Code.fromAsset` of the zip of the release for `architecture`, or `Code.fromBucket`. */
  readonly code: Code;

  /**
   * Enabled sets the key. Disabled clears it: sessions are then encrypted by TLS only, and the console's password reset
   * (AWS-PasswordReset), which needs the key, stops working.
   *
   * @default 'Enabled'
   */
  readonly encryption?: 'Enabled' | 'Disabled';

  /**
   * The key: a key of the app, or the key ARN, key id, alias name (alias/...) or alias ARN of a symmetric customer managed
   * key of this Region. A key of another account must be given by its key ARN. Leave it out with `createKey` or with
   * `encryption` Disabled.
   */
  readonly kmsKeyId?: string | IKey;

  /**
   * true creates a key in this stack, with yearly rotation and an alias that begins with alias/STACK/session-manager. The
   * key outlives the stack: deleting it would make what it encrypted unreadable.
   *
   * @default false
   */
  readonly createKey?: boolean;

  /**
   * Accounts that the policy of the created key admits, besides this account, to the actions that sessions need. Their own
   * IAM policies decide which of their principals may use the key.
   */
  readonly consumerAccounts?: string[];

  /**
   * Roles of this account that start sessions: names without their paths, or roles. The construct attaches a managed policy
   * with kms:GenerateDataKey to them before it switches the key on. The policy stays when the stack is deleted, and a role
   * cannot be deleted while it is attached. So let roles of the same stack use the key by `key.grant`, and make the
   * construct wait for them by `node.addDependency`.
   */
  readonly userRoleNames?: (string | IRole)[];

  /**
   * Roles of managed nodes (instance profiles, hybrid activations, Default Host Management): names without their paths, or
   * roles. The construct attaches a managed policy with kms:Decrypt to them before it switches the key on. It stays as the
   * one of `userRoleNames` does.
   */
  readonly nodeRoleNames?: (string | IRole)[];

  /**
   * The keys in the two managed policies: keys of the app, or ARNs. They are needed if `userRoleNames` or `nodeRoleNames`
   * are given without `createKey`. A policy cannot name an alias, so give the key here even if `kmsKeyId` is an alias. While
   * the key changes, the policies also name the old one, because sessions use it until the document has changed.
   */
  readonly grantKeyArns?: (string | IKey)[];

  /**
   * For stacks in several Regions of an account, which share the account's roles: the one Region whose stack attaches the
   * two policies, with the keys of all Regions in `grantKeyArns`. Without it the stack of each Region attaches its own
   * policies. A role takes 10 policies by default.
   */
  readonly grantRegion?: string;

  /**
   * Enforce refuses the key if a principal that needs it is known to be refused. Strict also refuses it if anything is
   * unknown, so all checks that read must be on, with their permissions, and what policies ask for must be read or given by
   * `context`. Warn only reports. Off checks only the key itself.
   *
   * @default 'Enforce'
   */
  readonly preflight?: 'Strict' | 'Enforce' | 'Warn' | 'Off';

  /**
   * Roles and users that start sessions and must be able to use the key, in addition to those in the session history. Give
   * those of other accounts, or outside the app, by their ARNs.
   */
  readonly users?: (string | IRole | IUser)[];

  /**
   * Roles of nodes that must be able to use the key, in addition to those of the present nodes. Give those of other
   * accounts, or outside the app, by their ARNs.
   */
  readonly nodes?: (string | IRole)[];

  /**
   * Principals whose failure is reported and blocks nothing. ARNs may have * and ?.
   */
  readonly exempt?: (string | IRole | IUser)[];

  /**
   * true checks the access of everybody who started a session in the last 30 days that this document's key encrypts, and of
   * the role of just-in-time node access, if the account has it. Port forwarding, SSH, ECS Exec and sessions of other
   * documents do not use the key. It adds ssm:DescribeSessions, and iam:GetRole on this account's roles.
   *
   * @default true
   */
  readonly discoverUsers?: boolean;

  /**
   * true reads a document with which somebody started a session, if only its content tells whether the key encrypts such a
   * session; with false that is unknown. It needs `discoverUsers`. It adds ssm:GetDocument on this account's documents.
   *
   * @default true
   */
  readonly readSessionDocuments?: boolean;

  /**
   * true checks the access of the role by which every managed node works, and that its agent can encrypt. With Default Host
   * Management on, `simulateIdentities` tells whether that is the role of the instance profile or the one of Default Host
   * Management. It adds ssm:DescribeInstanceInformation, ssm:GetServiceSetting on Default Host Management's role,
   * ec2:DescribeIamInstanceProfileAssociations, iam:GetInstanceProfile and iam:GetRole.
   *
   * @default true
   */
  readonly discoverNodes?: boolean;

  /**
   * true checks that EC2 nodes can reach KMS, and the access of the roles of stopped instances; with false both are unknown.
   * It needs `discoverNodes`. It adds ec2:DescribeInstances, DescribeVpcEndpoints, DescribeSubnets, DescribeRouteTables,
   * DescribeNatGateways and DescribeSecurityGroups, which IAM cannot limit.
   *
   * @default true
   */
  readonly readNetwork?: boolean;

  /**
   * true checks that the key policy and the grants admit each principal. It adds kms:GetKeyPolicy and kms:ListGrants on this
   * account's keys and on the keys given by ARN.
   *
   * @default true
   */
  readonly readKeyPolicy?: boolean;

  /**
   * true checks that each principal's own policies, permissions boundary and service control policies allow its call, and
   * finds the role by which a node works. It adds iam:SimulatePrincipalPolicy on this account's roles and users.
   *
   * @default true
   */
  readonly simulateIdentities?: boolean;

  /**
   * true makes both calls of a session as dry runs with the function's own role. This shows that the key works, and says
   * nothing about other principals. It adds kms:GenerateDataKey and kms:Decrypt, which IAM cannot limit to dry runs; they
   * are limited to session ids that no session has. With false neither call is made. With Strict, the key's policy must then
   * admit the function's role too.
   *
   * @default false
   */
  readonly dryRun?: boolean;

  /**
   * What is known of the condition keys of every call of every user and node: a value, a list of values, or null for a
   * condition key that no call has. For example { 'aws:PrincipalOrgPaths': ['o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/'],
   * 'aws:SourceVpce': null }. The function takes it on trust, and the report says which verdicts rest on it.
   */
  readonly context?: string | KnownConditionKeys;

  /**
   * true reads the id of this account's organization if a policy asks for aws:PrincipalOrgID or aws:ResourceOrgID; with
   * false they are unknown. It adds organizations:DescribeOrganization, which IAM cannot limit further.
   *
   * @default true
   */
  readonly readOrganization?: boolean;

  /**
   * true reads the tags of users and roles if a policy asks for aws:PrincipalTag; with false they are unknown, except those
   * of roles that `discoverUsers` or `discoverNodes` may read. It adds iam:GetRole and iam:GetUser on this account's roles
   * and users.
   *
   * @default true
   */
  readonly readPrincipalTags?: boolean;

  /**
   * true reads the key's tags if a policy asks for aws:ResourceTag, as the managed policy of just-in-time node access does;
   * with false they are unknown. It adds kms:ListResourceTags on this account's keys. The reader role reads those of another
   * account's key.
   *
   * @default true
   */
  readonly readKeyTags?: boolean;

  /**
   * true reads the key's aliases if a policy asks for kms:ResourceAliases; with false they are unknown. It adds
   * kms:ListAliases, which IAM cannot limit further. The reader role reads those of another account's key.
   *
   * @default true
   */
  readonly readKeyAliases?: boolean;

  /**
   * The role in the key's account that may read the key's policy, grants, tags and aliases: `readerRoleArn` of
   * `SessionKmsKeyAccess`. It adds sts:AssumeRole on this one role. Leave it out for a key of this account.
   */
  readonly keyPolicyReaderRoleArn?: string | IRole;

  /**
   * The external id that the reader role requires. It is no secret: whoever may describe the stack or the role can read it.
   */
  readonly keyPolicyReaderExternalId?: string;

  /**
   * The policy of another account's key, if no role may read it. The key's grants, tags and aliases are unknown then.
   */
  readonly keyPolicy?: string | PolicyDocument;

  /**
   * The Session document to edit. Session Manager reads its regional preferences from SSM-SessionManagerRunShell. Before you
   * change this name, list the present one in `additionalDocuments`: after the change the function restores the old
   * document, with the permissions of that time.
   *
   * @default 'SSM-SessionManagerRunShell'
   */
  readonly documentName?: string;

  /**
   * true creates a document that does not exist. With false such a name is refused as a typing error. The regional
   * preferences, SSM-SessionManagerRunShell, are created in any case.
   *
   * @default false
   */
  readonly createDocument?: boolean;

  /**
   * Restore sets the previous key setting again, Clear turns encryption off, Retain leaves the key set. The document is
   * never deleted, and other settings never change.
   *
   * @default 'Restore'
   */
  readonly onDelete?: 'Restore' | 'Clear' | 'Retain';

  /**
   * Fail refuses a document that another stack owns, and names that stack. TakeOver makes this stack its owner.
   *
   * @default 'Fail'
   */
  readonly onConflict?: 'Fail' | 'TakeOver';

  /**
   * Any text. If you change it, CloudFormation sends the function another request, which repairs drift.
   *
   * @default '1'
   */
  readonly revision?: string;

  /**
   * Name of a further document, or an IAM pattern of names (* and ?), that this function may manage: for custom resources
   * that have it as their service token, and while `documentName` changes. Without it the function manages only
   * `documentName`.
   */
  readonly additionalDocuments?: string;

  /**
   * Keys of other accounts that this function may read in addition to `kmsKeyId`: for custom resources that have it as their
   * service token, and to restore such a key (`onDelete` Restore). The rules match the events of these keys too, so also
   * list keys of this account that other custom resources use. An event pattern has 2,048 characters by default, and a role
   * 10,240 in its policies, enough for some 10 keys here.
   */
  readonly additionalKeyArns?: (string | IKey)[];

  /**
   * What happens if the key is disabled, pending deletion or deleted. Alert raises an alert, and changes nothing. Standby
   * lets `standbyKmsKeyId` stand in until the key is usable again. Clear turns encryption off until then.
   *
   * @default 'Alert'
   */
  readonly onKeyTrouble?: 'Alert' | 'Standby' | 'Clear';

  /**
   * The standby key for `onKeyTrouble` Standby, in the forms of `kmsKeyId`. It is checked like the first key.
   */
  readonly standbyKmsKeyId?: string | IKey;

  /**
   * Name of a parameter in Parameter Store that the stack makes with the ARN of the key, for other stacks, such as
   * /session-kms/SSM-SessionManagerRunShell/key-arn. With `encryption` Disabled there is no such parameter.
   */
  readonly keyArnParameterName?: string;

  /**
   * Accounts whose rules may forward the KMS events of their keys to this account's default event bus.
   */
  readonly keyEventsAccounts?: string[];

  /**
   * When the function checks everything, whatever events it got: a schedule of EventBridge, by rate or cron, at least once a
   * day. An alarm fires if the function has handled neither a schedule nor a request for some three hours, or for some 25
   * hours with another value than the default.
   *
   * @default 'rate(1 hour)'
   */
  readonly schedule?: string | Schedule;

  /**
   * How many repairs of a document the function makes within an hour before the breaker opens. It then leaves the document
   * alone, and an alert names who keeps changing it. The schedule tries again when nobody has changed the document for an
   * hour.
   *
   * @default 5
   */
  readonly maxRepairsPerHour?: number;

  /**
   * AWS Config rules whose non-compliance makes the function check and repair.
   */
  readonly configRuleNames?: (string | IRule)[];

  /**
   * true adds an AWS Config rule that this function evaluates once an hour: whether sessions are encrypted with a usable
   * key. With `encryption` Disabled they never are. AWS Config must be recording. It adds config:PutEvaluations, which IAM
   * cannot limit to a rule.
   *
   * @default false
   */
  readonly configRule?: boolean;

  /**
   * true makes the function check and repair after Security Hub's imported findings on the document and its keys, and after
   * custom actions on them.
   *
   * @default false
   */
  readonly securityHub?: boolean;

  /**
   * ARN of the one custom action to follow, on any finding. Without it the function follows every custom action on a finding
   * on the document or the keys. It needs `securityHub`.
   */
  readonly securityHubActionArn?: string;

  /**
   * The EventBridge bus or SNS topic that gets the report on each event, with the event, as a Lambda destination.
   * responsePayload.alert says whether somebody should act. AWS does not say whether destinations reach other accounts: if
   * reports do not arrive, give event-bus/default, this account's own bus, and a rule on it that forwards them.
   */
  readonly reportDestinationArn?: string | IEventBus | ITopic;

  /**
   * The customer managed key that encrypts the topic of `reportDestinationArn`. It adds kms:GenerateDataKey* and kms:Decrypt
   * on it, through SNS of this Region only.
   */
  readonly reportTopicKeyArn?: string | IKey;

  /**
   * The SNS topic that the alarms notify. If a key encrypts the topic, its key policy has to admit cloudwatch.amazonaws.com,
   * which alias/aws/sns never does. The alarms exist without a topic too.
   */
  readonly alarmTopicArn?: string | ITopic;

  /**
   * Processor architecture of the function. The build has to be for the same one. Lambda has arm64 in most Regions and not
   * in all of them: where the function cannot be created with it, build for x86_64.
   *
   * @default 'arm64'
   */
  readonly architecture?: 'arm64' | 'x86_64' | Architecture;

  /**
   * The least severe log lines to keep.
   *
   * @default 'INFO'
   */
  readonly logLevel?: 'ERROR' | 'WARN' | 'INFO';

  /**
   * Days to keep the function's logs.
   *
   * @default 365
   */
  readonly logRetention?: LogRetention;

  /**
   * Concurrent executions to reserve for the function, 0 for none. Accounts with a small quota cannot reserve any; nothing
   * depends on it.
   *
   * @default 0
   */
  readonly reservedConcurrency?: number;

  /**
   * A managed policy to set as the permissions boundary of the function's role: its ARN, or policy/NAME for a policy of this
   * account.
   */
  readonly permissionsBoundaryArn?: string | IManagedPolicy;
}
