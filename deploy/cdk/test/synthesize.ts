/**
 * Synthesizes stacks with one construct each, for a comparison with the templates.
 *
 * Reads `[{"construct": …, "region": …, "validated": …, "properties": …}]` from standard input, and writes the templates in the
 * same order. Validated ones must have no finding of the CDK's own validation, which takes a second for each.
 */

import { App, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { readFileSync } from 'node:fs';
import { SessionKms, SessionKmsKeyAccess, type SessionKmsKeyAccessProps, type SessionKmsProps } from '../lib';

type Case = { readonly region?: string; readonly validated: boolean } & (
  | { readonly construct: 'SessionKms'; readonly properties: Omit<SessionKmsProps, 'code'> }
  | { readonly construct: 'SessionKmsKeyAccess'; readonly properties: Omit<SessionKmsKeyAccessProps, 'code'> }
);

const validated = new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
const plain = new App({ builtinCloudFormationValidation: false });
const cases = JSON.parse(readFileSync(0, 'utf8')) as Case[];
const stacks = cases.map((item, index) => {
  const stack = new Stack(item.validated ? validated : plain, `Stack${index}`, item.region === undefined ? {} : { env: { region: item.region } });
  const code = Code.fromBucket(Bucket.fromBucketName(stack, 'Bucket', 'example-bank-code-eu-west-1'), 'function.zip');
  if (item.construct === 'SessionKms') {
    new SessionKms(stack, item.construct, { code, ...item.properties });
  } else {
    new SessionKmsKeyAccess(stack, item.construct, { code, ...item.properties });
  }
  return stack;
});
const assemblies = [validated.synth(), plain.synth()];
const templates = stacks.map((stack) => assemblies.flatMap((assembly) => assembly.stacks).find((made) => made.id === stack.artifactId)?.template as unknown);
process.stdout.write(JSON.stringify(templates));
