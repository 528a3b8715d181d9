/**
 * From the properties of a construct to the parameters of its template.
 *
 * A property has the name of its parameter with a small first letter. Its value is checked as CloudFormation would check the
 * parameter, but when the app is synthesized. A value that is known only at deployment, a token, is not checked.
 */

import { Stack, Token } from 'aws-cdk-lib';
import type { Construct, IDependable } from 'constructs';
import type { Parameter, Template } from './template';

/** The values of the parameters: a list for a list parameter, otherwise a text or a number. */
export type Values = { [parameter: string]: string | number | string[] };

/** CloudFormation's own limit for the value of a parameter. It does not concern a construct, which has no parameters. */
const LIMIT_OF_PARAMETERS = 4096;

/** The name of the property for a parameter. */
export function propertyName(parameter: string): string {
  return parameter.charAt(0).toLowerCase() + parameter.slice(1);
}

/** A text of the template about parameters, as one about properties. */
export function withPropertyNames(text: string, template: Template): string {
  return text.replace(/\b[A-Z][A-Za-z]+\b/g, (word) => (word in template.Parameters ? propertyName(word) : word));
}

/** The values of all parameters, as the properties and the defaults give them. */
export function parameterValues(scope: Construct, template: Template, properties: object): Values {
  const values: Values = {};
  for (const [name, parameter] of Object.entries(template.Parameters)) {
    const property = propertyName(name);
    const given = (properties as { [name: string]: unknown })[property];
    const items = given === undefined ? undefined : (Array.isArray(given) ? given : [given]).map((item) => text(scope, name, item));
    if (items === undefined && parameter.Default === undefined) {
      throw new Error(`${scope.node.path}: ${property} is missing`);
    }
    values[name] = value(parameter, items);
    const complaint = items === undefined ? undefined : problem(parameter, values[name]);
    if (complaint !== undefined) {
      throw new Error(`${scope.node.path}: ${property} ${withPropertyNames(complaint, template)}`);
    }
  }
  return values;
}

function value(parameter: Parameter, items: string[] | undefined): string | number | string[] {
  // An empty list parameter has one empty item.
  const texts = items === undefined || items.length === 0 ? [String(items === undefined ? parameter.Default : '')] : items;
  switch (parameter.Type) {
    case 'CommaDelimitedList':
      return texts;
    case 'Number':
      return Number(texts[0]);
    default:
      return texts.join(',');
  }
}

/** The text for one value of a property: itself, or what identifies the resource that it stands for. */
function text(scope: Construct, parameter: string, item: unknown): string {
  if (typeof item !== 'object' || item === null) {
    return String(item);
  }
  const from = item as { [name: string]: unknown };
  if (parameter.endsWith('RoleNames') && 'roleName' in item) {
    return String(from.roleName);
  }
  if ('aliasName' in item) {
    if (/KeyArns?$/.test(parameter)) {
      // A policy cannot name an alias.
      return String((from.aliasTargetKey as { keyArn: string }).keyArn);
    }
    // The ARN of an alias is a text of its name, which would not make CloudFormation create the alias first.
    scope.node.addDependency(item as IDependable);
  }
  if ('dockerPlatform' in item) {
    return String(from.name);
  }
  const member = MEMBERS.find((name) => name in item);
  return member === undefined ? Stack.of(scope).toJsonString(item) : String(from[member]);
}

/** What identifies the resources that properties take, or is their text. No object has two of these. */
const MEMBERS = ['roleArn', 'userArn', 'keyArn', 'topicArn', 'eventBusArn', 'managedPolicyArn', 'configRuleName', 'functionArn', 'expressionString'];

/** What is wrong with the value of a parameter, as a text that goes on after its name. */
function problem(parameter: Parameter, given: string | number | string[]): string | undefined {
  for (const item of Array.isArray(given) ? given : [given]) {
    if (Token.isUnresolved(item)) {
      continue;
    }
    const words = parameter.AllowedValues?.map(String);
    if (words && !words.includes(String(item))) {
      return `must be one of ${words.join(', ')}`;
    }
    if (parameter.AllowedPattern && !new RegExp(parameter.AllowedPattern).test(String(item))) {
      return parameter.ConstraintDescription ?? `must match ${parameter.AllowedPattern}`;
    }
    const { MaxLength: longest = LIMIT_OF_PARAMETERS, MinValue: least = -Infinity, MaxValue: most = Infinity } = parameter;
    if (longest !== LIMIT_OF_PARAMETERS && String(item).length > longest) {
      return `must have at most ${longest} characters`;
    }
    if (parameter.Type === 'Number' && !(Number.isInteger(item) && Number(item) >= least && Number(item) <= most)) {
      return `must be a whole number from ${least} to ${most}`;
    }
  }
  return undefined;
}
