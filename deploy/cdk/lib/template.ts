/** The shape of a template as `scripts/templates.mjs` writes it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Json = string | number | boolean | Json[] | { [name: string]: Json };

/** A parameter of a template, with what CloudFormation would check of its value. */
export interface Parameter {
  readonly Type: string;
  readonly Default?: string | number;
  readonly AllowedValues?: (string | number)[];
  readonly AllowedPattern?: string;
  readonly ConstraintDescription?: string;
  readonly MaxLength?: number;
  readonly MinValue?: number;
  readonly MaxValue?: number;
}

/** A resource. `Condition` names the condition on which it exists. */
export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DependsOn?: string | string[];
  readonly Properties: { [name: string]: Json };
}

/** A rule on how parameters go together. */
export interface Rule {
  readonly RuleCondition: Json;
  readonly Assertions: { readonly Assert: Json; readonly AssertDescription: string }[];
}

/** An output. It exists if its condition holds. */
export interface Output {
  readonly Condition?: string;
  readonly Value: Json;
}

export interface Template {
  readonly Parameters: { [name: string]: Parameter };
  readonly Rules?: { [name: string]: Rule };
  readonly Conditions: { [name: string]: Json };
  readonly Resources: { [name: string]: Resource };
  readonly Outputs: { [name: string]: Output };
}

/** Reads a template of this package, by its name without `.json`. */
export function readTemplate(name: string): Template {
  return JSON.parse(readFileSync(join(__dirname, `${name}.json`), 'utf8')) as Template;
}

/** Whether a part of a template is an object. */
export function isObject(value: Json): value is { [name: string]: Json } {
  return typeof value === 'object' && !Array.isArray(value);
}
