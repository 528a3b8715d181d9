import { Annotations, Stack, Token } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { Construct } from 'constructs';
import { IncludedTemplate, instanceId } from './included-template';
import type { SessionKmsProps } from './session-kms-props';
import { readTemplate, type Template } from './template';

/**
 * Owns which KMS key encrypts the Session Manager sessions of an account and Region. It is the CDK's form of `template.yaml`:
 * the resources are the same, with the names of rules, log group and alias made unique within a stack.
 *
 * The key is switched on after everything else in the construct. What only belongs to your app, such as a policy that lets
 * a role use the key, has to be there before the checks: `sessionKms.node.addDependency(role)`.
 */
export class SessionKms extends Construct {
  /** ARN of the key that encrypts sessions, as soon as it does. Nothing with `encryption: 'Disabled'`. */
  readonly keyArn: string | undefined;
  /** Name of the preferences document. */
  readonly documentName: string;
  /** The version of the document that has the setting. It is the latest and the default version. */
  readonly documentVersion: string;
  /** The key setting from before, which `onDelete: 'Restore'` sets again. Empty for none. */
  readonly previousKmsKeyId: string;
  /** A summary of the findings. The whole report is in the log group. */
  readonly findings: string;
  /** Name of the function's log group, which holds the whole report of each check, and each decision. */
  readonly logGroupName: string;
  /** ARN of the managed policy that lets roles start encrypted sessions, with `userRoleNames`. */
  readonly userPolicyArn: string | undefined;
  /** ARN of the managed policy that lets nodes take part in encrypted sessions, with `nodeRoleNames`. */
  readonly nodePolicyArn: string | undefined;
  /** ARN of the function's role, which a reader role in the key's account has to trust. */
  readonly functionRoleArn: string;
  /** ARN of the function: `serviceToken` of custom resources for other documents, and `functionArn` of SessionKmsKeyAccess. */
  readonly functionArn: string;
  /**
   * ARN of the function for events and direct calls, whose reports go with the events to `reportDestinationArn`. Do not use it
   * as `serviceToken`, because CloudFormation's requests hold a secret: use `functionArn`.
   */
  readonly eventsFunctionArn: string;
  /** URL of the queue of requests that could not be answered and events that could not be handled. */
  readonly failedEventsUrl: string;
  /** The resources, by their names in `template.yaml`, for what has no property: `template.getResource('Function')`. */
  readonly template: CfnInclude;

  constructor(scope: Construct, id: string, props: SessionKmsProps) {
    super(scope, id);
    const included = new IncludedTemplate(this, this.uniquelyNamed(readTemplate('template')), props, props.code);
    this.template = included.include;
    this.keyArn = included.optionalOutput('KeyArn');
    this.documentName = included.output('DocumentName');
    this.documentVersion = included.output('DocumentVersion');
    this.previousKmsKeyId = included.output('PreviousKmsKeyId');
    this.findings = included.output('Findings');
    this.logGroupName = included.output('LogGroupName');
    this.userPolicyArn = included.optionalOutput('UserPolicyArn');
    this.nodePolicyArn = included.optionalOutput('NodePolicyArn');
    this.functionRoleArn = included.output('FunctionRoleArn');
    this.functionArn = included.output('FunctionArn');
    this.eventsFunctionArn = included.output('EventsFunctionArn');
    this.failedEventsUrl = included.output('FailedEventsUrl');
    this.warnOfRoles([...(props.userRoleNames ?? []), ...(props.nodeRoleNames ?? [])]);
  }

  /** The policies outlive the stack, also a first deployment that is rolled back, and IAM deletes no role that has a policy. */
  private warnOfRoles(roles: (string | IRole)[]): void {
    const own = roles.filter((role) => typeof role !== 'string' && Token.isUnresolved(role.roleName) && Stack.of(role) === Stack.of(this));
    if (own.length > 0) {
      Annotations.of(this).addWarningV2(
        'session-kms:role-of-the-same-stack',
        'The policies of userRoleNames and nodeRoleNames outlive the stack, and CloudFormation cannot delete a role while such a policy is ' +
          'attached to it. Let the roles of this stack use the key by key.grant, and make the construct wait for them by node.addDependency.',
      );
    }
  }

  /** Two keys of one stack cannot have the same alias. */
  private uniquelyNamed(template: Template): Template {
    template.Resources.KeyAlias!.Properties.AliasName = { 'Fn::Sub': `alias/\${AWS::StackName}/session-manager-${instanceId(this)}` };
    return template;
  }
}
