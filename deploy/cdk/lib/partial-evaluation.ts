/**
 * Evaluates a template for given parameters, as far as that is possible before the deployment.
 *
 * What remains has no parameters. It has the functions of what only CloudFormation knows: attributes of resources, the account
 * and, in a stack without an environment, the Region. `CfnInclude` alone would not do: it replaces a parameter in conditions and
 * rules too, where CloudFormation takes no attribute of a resource, and it keeps conditions that always or never hold.
 *
 * A token counts as given: it is neither empty nor one of the template's words.
 */

import { Token } from 'aws-cdk-lib';
import { isDeepStrictEqual } from 'node:util';
import type { Values } from './parameters';
import { isObject, type Json, type Output, type Resource, type Template } from './template';

/** The id of the stack, which makes names unique in a template that is one stack. */
const STACK_UUID: Json = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] };
const NO_VALUE: Json = { Ref: 'AWS::NoValue' };
/** Pseudo parameters whose values have none of the separators of the templates. */
const PLAIN = ['AWS::AccountId', 'AWS::Partition', 'AWS::Region', 'AWS::StackName', 'AWS::URLSuffix'];

/** What is known of the stack. */
export interface Surroundings {
  /** Its Region, if that is known. */
  readonly region?: string;
  /** Makes names unique among the instances of a construct in one stack. */
  readonly instance: string;
}

export class PartialEvaluation {
  constructor(
    private readonly template: Template,
    private readonly values: Values,
    private readonly surroundings: Surroundings,
  ) {}

  /** The resources that exist, or may exist. */
  resources(): { [name: string]: Resource } {
    const exist = Object.entries(this.template.Resources).filter(([, resource]) => this.exists(resource) !== false);
    const names = new Set(exist.map(([name]) => name));
    return Object.fromEntries(
      exist.map(([name, { Condition: condition, DependsOn: dependencies, Properties: properties, ...rest }]) => {
        const before = [dependencies ?? []].flat().filter((other) => names.has(other));
        return [
          name,
          {
            ...rest,
            ...(condition !== undefined && this.condition(condition) !== true && { Condition: condition }),
            ...(before.length > 0 && { DependsOn: before }),
            Properties: (this.evaluate(properties) ?? {}) as { [name: string]: Json },
          },
        ];
      }),
    );
  }

  /** The conditions that only CloudFormation can decide. */
  conditions(): { [name: string]: Json } {
    const open = Object.keys(this.template.Conditions).map((name) => [name, this.condition(name)] as const);
    return Object.fromEntries(open.flatMap(([name, state]) => (typeof state === 'boolean' ? [] : [[name, state]])));
  }

  /** What the rules refuse. */
  refusals(): string[] {
    return Object.values(this.template.Rules ?? {})
      .filter((rule) => this.decide(rule.RuleCondition) === true)
      .flatMap((rule) => rule.Assertions.filter((assertion) => this.decide(assertion.Assert) === false))
      .map((assertion) => assertion.AssertDescription);
  }

  /** Whether a resource or an output exists. A condition that only CloudFormation can decide is its own answer. */
  exists(element: Resource | Output): boolean | Json {
    return element.Condition === undefined || this.condition(element.Condition);
  }

  /** A part of the template. Nothing is left of `AWS::NoValue`. */
  evaluate(part: Json): Json | undefined {
    if (Array.isArray(part)) {
      return part.map((item) => this.evaluate(item)).filter((item) => item !== undefined);
    }
    if (!isObject(part)) {
      return part;
    }
    const [[name, argument] = ['', ''], ...others] = Object.entries(part);
    if (others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) {
      return this.call(name, argument);
    }
    const members = Object.entries(part).map(([key, item]) => [key, this.evaluate(item)] as const);
    return Object.fromEntries(members.flatMap(([key, item]) => (item === undefined ? [] : [[key, item]])));
  }

  private call(name: string, argument: Json): Json | undefined {
    const items = argument as Json[];
    switch (name) {
      case 'Ref':
        return argument === 'AWS::NoValue' ? undefined : this.reference(argument as string);
      case 'Fn::GetAtt':
        return { [name]: argument };
      case 'Fn::If':
        return this.choice(items[0] as string, items[1]!, items[2]!);
      case 'Fn::Join':
        return joined(items[0] as string, this.evaluate(items[1]!)!);
      case 'Fn::Split': {
        const [separator, text] = [items[0] as string, this.evaluate(items[1]!)!];
        return pieces(separator, text) ?? { [name]: [separator, text] };
      }
      case 'Fn::Select':
        return this.selected(items);
      case 'Fn::Sub':
        return Array.isArray(argument) ? this.substituted(argument[0] as string, argument[1]!) : this.substituted(argument as string, {});
      default:
        throw new Error(`the template has a function that this package does not know: ${name}`);
    }
  }

  private reference(name: string): Json {
    return this.values[name] ?? { Ref: name };
  }

  private choice(condition: string, then: Json, otherwise: Json): Json | undefined {
    const state = this.condition(condition);
    if (typeof state === 'boolean') {
      return this.evaluate(state ? then : otherwise);
    }
    return { 'Fn::If': [condition, this.evaluate(then) ?? NO_VALUE, this.evaluate(otherwise) ?? NO_VALUE] };
  }

  private selected(items: Json[]): Json {
    if (isDeepStrictEqual({ 'Fn::Select': items }, STACK_UUID)) {
      return this.uniqueId();
    }
    const [index, list] = [Number(items[0]), this.evaluate(items[1]!)!];
    return Array.isArray(list) ? list[index]! : { 'Fn::Select': [index, list] };
  }

  /**
   * Takes the place of the stack's id. Three of its five groups tell stacks apart, and leave room for the instance: the name of a
   * rule has 64 characters at most.
   */
  private uniqueId(): Json {
    const group = (index: number): Json => ({ 'Fn::Select': [index, { 'Fn::Split': ['-', STACK_UUID] }] });
    return joined('-', [group(0), group(1), group(2), this.surroundings.instance]);
  }

  private substituted(text: string, names: Json): Json {
    const variables = names as { [name: string]: Json };
    const parts = text.split(/\$\{([A-Za-z0-9:.]+)\}/).map((part, index): Json => {
      if (index % 2 === 0) {
        return part;
      }
      const [resource, attribute] = part.split('.');
      return this.evaluate(variables[part] ?? (attribute ? { 'Fn::GetAtt': [resource!, attribute] } : { Ref: part }))!;
    });
    return joined('', parts);
  }

  /** Whether a condition holds, or what is left of it. */
  private condition(name: string): boolean | Json {
    return this.decide(this.template.Conditions[name]!);
  }

  private decide(part: Json): boolean | Json {
    const [name, argument] = Object.entries(part)[0] as [string, Json];
    const items = argument as Json[];
    switch (name) {
      case 'Condition': {
        const state = this.condition(argument as string);
        return typeof state === 'boolean' ? state : { Condition: argument };
      }
      case 'Fn::Equals':
        return this.equal(items[0]!, items[1]!);
      case 'Fn::Not': {
        const state = this.decide(items[0]!);
        return typeof state === 'boolean' ? !state : { 'Fn::Not': [state] };
      }
      case 'Fn::And':
        return this.combined(name, items, false);
      case 'Fn::Or':
        return this.combined(name, items, true);
      default:
        throw new Error(`the template has a condition that this package does not know: ${name}`);
    }
  }

  private combined(name: string, items: Json[], decisive: boolean): boolean | Json {
    const states = items.map((item) => this.decide(item)).filter((state) => state !== !decisive);
    if (states.includes(decisive)) {
      return decisive;
    }
    return states.length === 0 ? !decisive : states.length === 1 ? states[0]! : { [name]: states };
  }

  private equal(left: Json, right: Json): boolean | Json {
    const sides = [left, right].map((side) => {
      const known = isDeepStrictEqual(side, { Ref: 'AWS::Region' }) ? this.surroundings.region : undefined;
      return known ?? this.evaluate(side)!;
    });
    if (sides.some((side) => isObject(side))) {
      return { 'Fn::Equals': sides };
    }
    return String(sides[0]) === String(sides[1]);
  }
}

/** Joins texts and functions, as far as they are texts. */
function joined(separator: string, items: Json): Json {
  if (!Array.isArray(items)) {
    return { 'Fn::Join': [separator, items] };
  }
  const parts: Json[] = [];
  for (const item of items.flatMap((part) => inner(part, separator) ?? [part])) {
    const [last, text] = [parts.at(-1), isObject(item) || Array.isArray(item) ? undefined : String(item)];
    if (text !== undefined && typeof last === 'string') {
      parts[parts.length - 1] = last + separator + text;
    } else {
      parts.push(text ?? item);
    }
  }
  const rest = separator === '' ? parts.filter((part) => part !== '') : parts;
  return rest.length === 0 ? '' : rest.length === 1 ? rest[0]! : { 'Fn::Join': [separator, rest] };
}

/** What a join with this separator joins. */
function inner(part: Json, separator: string): Json[] | undefined {
  const [by, items] = isObject(part) && Array.isArray(part['Fn::Join']) ? part['Fn::Join'] : [];
  return by === separator && Array.isArray(items) ? items : undefined;
}

/** The pieces of a text between separators, or nothing if a part of the text that is not known yet may have separators. */
function pieces(separator: string, text: Json): Json[] | undefined {
  const list = inner(text, separator);
  if (list) {
    const each = list.map((item) => pieces(separator, item));
    return each.includes(undefined) ? undefined : (each as Json[][]).flat();
  }
  const result: Json[][] = [[]];
  for (const part of inner(text, '') ?? [text]) {
    if (typeof part === 'string') {
      // The values that properties list have no commas. Other tokens, such as ARNs, may have any separator.
      if (Token.isUnresolved(part) && separator !== ',') {
        return undefined;
      }
      const [first, ...more] = part.split(separator);
      result.at(-1)!.push(first!);
      result.push(...more.map((piece) => [piece]));
    } else if (isObject(part) && PLAIN.includes(String(part.Ref))) {
      result.at(-1)!.push(part);
    } else {
      return undefined;
    }
  }
  return result.map((parts) => joined('', parts));
}
