import type { IManagedPolicy, IRole, IUser } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Architecture, Code, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { KnownConditionKeys, LogRetention } from './property-types';

/** The properties of `SessionKmsKeyAccess`: the parameters of `template-key-access.yaml`, and the code. */
export interface SessionKmsKeyAccessProps {
  /**
   * The code of the function: `Code.fromAsset` of the zip of the release for `architecture`, or `Code.fromBucket`. It is needed
   * without `functionArn`.
   */
  readonly code?: Code;

  /**
   * The key, of this account and Region. Other accounts can name the key only by its ARN.
   */
  readonly keyArn: string | IKey;

  /**
   * The accounts whose sessions the key encrypts.
   */
  readonly consumerAccounts: string[];

  /**
   * true checks that the key policy leaves it to the accounts' own policies who may use the key, so that it need not name
   * their principals. false checks only `users` and `nodes`, for a key policy that names single roles.
   *
   * @default true
   */
  readonly proveAccounts?: boolean;

  /**
   * Roles and users that start sessions and must be admitted to kms:GenerateDataKey. Give those outside the app by their
   * ARNs.
   */
  readonly users?: (string | IRole | IUser)[];

  /**
   * Roles of nodes that must be admitted to kms:Decrypt. Give those outside the app by their ARNs.
   */
  readonly nodes?: (string | IRole)[];

  /**
   * What is known of the condition keys of every call: a value, a list of values, or null for a condition key that no call
   * has. For example { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' }, because the function cannot read the organization of another
   * account's principals. Other condition keys in the key policy are unknown.
   */
  readonly context?: string | KnownConditionKeys;

  /**
   * Allowed accepts only what is known to be allowed. NotDenied also accepts what depends on unknown conditions.
   *
   * @default 'Allowed'
   */
  readonly require?: 'Allowed' | 'NotDenied';

  /**
   * Any text. If you change it, CloudFormation sends the function another request, for example after a change of the key
   * policy.
   *
   * @default '1'
   */
  readonly revision?: string;

  /**
   * The roles in the consumer accounts that may assume the reader role: `functionRoleArn` of each consumer's `SessionKms`,
   * or a pattern with * and ? such as arn:aws:iam::222222222222:role/STACK-* if that stack does not exist yet. A role's
   * trust policy has 2,048 characters by default, so one pattern for many accounts is better than a long list.
   */
  readonly readerArns: (string | IRole)[];

  /**
   * With it, the roles of `readerArns` in every account of this organization can assume the reader role, also in accounts
   * that join later. Without it, only those in `consumerAccounts` can, and the role's trust policy lists these accounts; its
   * 2,048 characters by default are enough for some 110 accounts.
   */
  readonly organizationId?: string;

  /**
   * With it, the reader role can be assumed only with this external id (`keyPolicyReaderExternalId` of the consumers).
   */
  readonly externalId?: string;

  /**
   * The function of a `SessionKms` in this account and Region (its `functionArn`), whose role may read the key's policy,
   * tags and aliases and the organization's id. Without it, the construct deploys its own function. To change from one
   * function to another, first leave it out, because CloudFormation cannot change the function of a custom resource.
   */
  readonly functionArn?: string | IFunction;

  /**
   * Processor architecture of the function. The build has to be for the same one. Not every Region has arm64: use x86_64 if
   * CloudFormation or Lambda refuses it.
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
   * A managed policy, or its ARN, to set as the permissions boundary of the roles.
   */
  readonly permissionsBoundaryArn?: string | IManagedPolicy;
}
