import type { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { Construct } from 'constructs';
import { IncludedTemplate } from './included-template';
import type { SessionKmsKeyAccessProps } from './session-kms-key-access-props';
import { readTemplate } from './template';

/**
 * For the account that owns a key: checks that the key admits the accounts and principals that will encrypt sessions with it,
 * and makes the role by which their functions read its policy. It is the CDK's form of `template-key-access.yaml`.
 */
export class SessionKmsKeyAccess extends Construct {
  /** ARN of the key, which admits all named accounts and principals. It is `kmsKeyId` of the consumers. */
  readonly keyArn: string;
  /** ARN of the reader role: `keyPolicyReaderRoleArn` of the consumers. */
  readonly readerRoleArn: string;
  /** A summary of the findings. The whole report is in the function's log group. */
  readonly findings: string;
  /** Name of the function's log group, which holds the whole report. Nothing with `functionArn`. */
  readonly logGroupName: string | undefined;
  /** The resources, by their names in `template-key-access.yaml`, for what has no property. */
  readonly template: CfnInclude;

  constructor(scope: Construct, id: string, props: SessionKmsKeyAccessProps) {
    super(scope, id);
    const included = new IncludedTemplate(this, readTemplate('template-key-access'), props, props.code);
    this.template = included.include;
    this.keyArn = included.output('KeyArn');
    this.readerRoleArn = included.output('ReaderRoleArn');
    this.findings = included.output('Findings');
    this.logGroupName = included.optionalOutput('LogGroupName');
  }
}
