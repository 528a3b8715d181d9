/** Puts a template with known parameters into a construct, and gives its outputs as values. */

import { CfnResource, Fn, Stack, Token } from 'aws-cdk-lib';
import type { CfnFunction, Code } from 'aws-cdk-lib/aws-lambda';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import type { Construct } from 'constructs';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parameterValues, withPropertyNames } from './parameters';
import { PartialEvaluation } from './partial-evaluation';
import { isObject, type Json, type Resource, type Template } from './template';

/** Eight characters that tell the instances of a construct in one stack apart. They depend on its path within the stack. */
export function instanceId(scope: Construct): string {
  const path = scope.node.path.slice(Stack.of(scope).node.path.length);
  return createHash('sha256').update(path).digest('hex').slice(0, 8);
}

export class IncludedTemplate {
  readonly include: CfnInclude;
  private readonly evaluation: PartialEvaluation;

  constructor(
    scope: Construct,
    private readonly template: Template,
    properties: object,
    code: Code | undefined,
  ) {
    const region = Stack.of(scope).region;
    this.evaluation = new PartialEvaluation(template, parameterValues(scope, template, properties), {
      instance: instanceId(scope),
      ...(!Token.isUnresolved(region) && { region }),
    });
    const [refusal] = this.evaluation.refusals();
    if (refusal !== undefined) {
      throw new Error(`${scope.node.path}: ${withPropertyNames(refusal, template)}`);
    }
    const resources = this.evaluation.resources();
    if (resources.Function) {
      resources.Function = withCode(scope, resources.Function, code);
    }
    this.include = included(scope, { Conditions: this.evaluation.conditions(), Resources: resources });
    if (resources.Function) {
      code?.bindToResource(this.resource('Function') as CfnFunction);
    }
  }

  resource(name: string): CfnResource {
    return this.include.getResource(name);
  }

  /** The value of an output that every stack has. */
  output(name: string): string {
    const value = this.optionalOutput(name);
    if (value === undefined) {
      throw new Error(`the template has no output ${name} with these properties`);
    }
    return value;
  }

  /** The value of an output, or nothing if there is none. It is empty if CloudFormation decides that there is none. */
  optionalOutput(name: string): string | undefined {
    const output = this.template.Outputs[name]!;
    const exists = this.evaluation.exists(output);
    if (exists === false) {
      return undefined;
    }
    const value = this.value(this.evaluation.evaluate(output.Value)!);
    return exists === true ? value : Fn.conditionIf(this.include.getCondition(output.Condition!).logicalId, value, '').toString();
  }

  private value(value: Json): string {
    if (isObject(value) && typeof value.Ref === 'string') {
      return this.resource(value.Ref).ref;
    }
    if (isObject(value) && Array.isArray(value['Fn::GetAtt'])) {
      const [name, attribute] = value['Fn::GetAtt'] as [string, string];
      return Token.asString(this.resource(name).getAtt(attribute));
    }
    throw new Error('an output of the template is neither a reference nor an attribute');
  }
}

/** The function with its code, which is a zip in a bucket. */
function withCode(scope: Construct, resource: Resource, code: Code | undefined): Resource {
  const location = code?.bind(scope).s3Location;
  if (!location) {
    throw new Error(`${scope.node.path}: code must be a zip: Code.fromAsset of a file of the release, or Code.fromBucket`);
  }
  const where = {
    S3Bucket: location.bucketName,
    S3Key: location.objectKey,
    ...(location.objectVersion !== undefined && { S3ObjectVersion: location.objectVersion }),
  };
  return { ...resource, Properties: { Code: where, ...resource.Properties } };
}

/** CfnInclude reads a file, and makes of each resource the class that the CDK has for its type. */
function included(scope: Construct, template: object): CfnInclude {
  const folder = mkdtempSync(join(tmpdir(), 'session-kms-'));
  try {
    const templateFile = join(folder, 'template.json');
    writeFileSync(templateFile, JSON.stringify(template));
    return new CfnInclude(scope, 'Template', { templateFile, preserveLogicalIds: false });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
