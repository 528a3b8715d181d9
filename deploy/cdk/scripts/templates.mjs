// Makes dist/lib/*.json, which the constructs read: the templates without SAM's one resource type. The licence goes there too.
//
// usage: node scripts/templates.mjs [FOLDER OF THE TEMPLATES]

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), '..');
const FROM = process.argv[2] ?? join(PACKAGE, '..', '..');
const TO = join(PACKAGE, 'dist', 'lib');
const SECTIONS = ['Parameters', 'Rules', 'Conditions', 'Resources', 'Outputs'];
const FUNCTIONS = ['And', 'Equals', 'GetAtt', 'If', 'Join', 'Not', 'Or', 'Select', 'Split', 'Sub'];

/** The short forms of CloudFormation's functions, as tags of YAML, each with its long form. */
const customTags = [
  ...['Ref', 'Condition'].map((name) => ({ tag: `!${name}`, resolve: (text) => ({ [name]: text }) })),
  ...FUNCTIONS.flatMap((name) => [
    { tag: `!${name}`, resolve: (text) => ({ [`Fn::${name}`]: name === 'GetAtt' ? text.split('.') : text }) },
    { tag: `!${name}`, collection: 'seq', resolve: (items) => ({ [`Fn::${name}`]: items.toJSON() }) },
  ]),
];

/** A function of SAM as one of Lambda. The construct gives it its code. */
function withoutSam(resource) {
  if (resource.Type !== 'AWS::Serverless::Function') {
    return resource;
  }
  const { Metadata: _, ...rest } = resource;
  const { CodeUri: __, ...properties } = resource.Properties;
  return { ...rest, Type: 'AWS::Lambda::Function', Properties: properties };
}

mkdirSync(TO, { recursive: true });
copyFileSync(join(FROM, 'LICENSE'), join(TO, 'LICENSE'));
for (const name of ['template', 'template-key-access']) {
  const source = parse(readFileSync(join(FROM, `${name}.yaml`), 'utf8'), { customTags });
  const template = Object.fromEntries(SECTIONS.filter((section) => section in source).map((section) => [section, source[section]]));
  template.Resources = Object.fromEntries(Object.entries(template.Resources).map(([id, resource]) => [id, withoutSam(resource)]));
  writeFileSync(join(TO, `${name}.json`), JSON.stringify(template));
}
