/**
 * Synthesizes stacks with constructs of this package, for comparisons with the templates.
 *
 * Reads a list of `Case` from standard input, and writes the templates in the same order.
 */

import { App, Stack } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { readFileSync } from 'node:fs';
import { SessionKms, SessionKmsKeyAccess, type SessionKmsKeyAccessProps, type SessionKmsProps } from '../lib';

interface Case {
  /** The Region of the stack. Without it the stack is for any. */
  readonly region?: string;
  /** Whether the CDK's own validation must have no finding, which takes a second. */
  readonly validated: boolean;
  readonly code: { readonly bucket: string; readonly key: string };
  /** The constructs by their ids. */
  readonly constructs: { readonly [id: string]: Instance };
}

type Instance =
  | { readonly construct: 'SessionKms'; readonly properties: Omit<SessionKmsProps, 'code'> }
  | { readonly construct: 'SessionKmsKeyAccess'; readonly properties: Omit<SessionKmsKeyAccessProps, 'code'> };

const validated = new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
const plain = new App({ builtinCloudFormationValidation: false });
const cases = JSON.parse(readFileSync(0, 'utf8')) as Case[];
const stacks = cases.map((item, index) => {
  const stack = new Stack(item.validated ? validated : plain, `Stack${index}`, item.region === undefined ? {} : { env: { region: item.region } });
  const code = Code.fromBucket(Bucket.fromBucketName(stack, 'Bucket', item.code.bucket), item.code.key);
  for (const [id, { construct, properties }] of Object.entries(item.constructs)) {
    if (construct === 'SessionKms') {
      new SessionKms(stack, id, { code, ...properties });
    } else {
      new SessionKmsKeyAccess(stack, id, { code, ...properties });
    }
  }
  return stack;
});
const assemblies = [validated.synth(), plain.synth()];
const templates = stacks.map((stack) => assemblies.flatMap((assembly) => assembly.stacks).find((made) => made.id === stack.artifactId)?.template as unknown);
process.stdout.write(JSON.stringify(templates));
