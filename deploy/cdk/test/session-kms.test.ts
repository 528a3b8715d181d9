/** What the constructs do beyond the template, which local/cdk.py compares. */

import { App, Aspects, CfnOutput, CustomResource, Duration, Stack, Stage, Tags, type IAspect } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { EventBus, Schedule } from 'aws-cdk-lib/aws-events';
import { AnyPrincipal, ManagedPolicy, PermissionsBoundary, PolicyDocument, PolicyStatement, Role, ServicePrincipal, User } from 'aws-cdk-lib/aws-iam';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { Architecture, CfnFunction, Code } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { IConstruct } from 'constructs';
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SessionKms, SessionKmsKeyAccess, type SessionKmsProps } from '../lib';

const KEY = 'arn:aws:kms:eu-west-1:222222222222:key/11111111-2222-3333-4444-555555555555';

function app(): App {
  return new App({ builtinCloudFormationValidation: false });
}

function code(scope: IConstruct): Code {
  const id = 'CodeBucket';
  const bucket = Stack.of(scope).node.tryFindChild(id) as Bucket | undefined;
  return Code.fromBucket(bucket ?? Bucket.fromBucketName(Stack.of(scope), id, 'example-bank-code'), 'function.zip');
}

function construct(props: Omit<SessionKmsProps, 'code'>, stack = new Stack(app(), 'Stack')): SessionKms {
  return new SessionKms(stack, 'SessionKms', { code: code(stack), ...props });
}

function made(props: Omit<SessionKmsProps, 'code'>): Template {
  return Template.fromStack(Stack.of(construct(props)));
}

/** The properties of the one resource of a type. */
function properties(template: Template, type: string): { [name: string]: unknown } {
  const [resource, ...others] = Object.values(template.findResources(type));
  assert.equal(others.length, 0);
  return (resource as { Properties: { [name: string]: unknown } }).Properties;
}

test('resources of the app can be given instead of names and ARNs', () => {
  const stack = new Stack(app(), 'Stack');
  const key = new Key(stack, 'Key');
  const alias = new Alias(stack, 'Alias', { aliasName: 'alias/sessions', targetKey: key });
  const role = (id: string): Role => new Role(stack, id, { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
  const sessionKms = construct(
    {
      kmsKeyId: alias,
      grantKeyArns: [key, alias, KEY],
      userRoleNames: [role('Operator'), 'Admin'],
      nodeRoleNames: [role('Node')],
      users: [role('Auditor'), new User(stack, 'User')],
      onKeyTrouble: 'Standby',
      standbyKmsKeyId: new Key(stack, 'Standby'),
      reportDestinationArn: new EventBus(stack, 'Bus'),
      alarmTopicArn: new Topic(stack, 'Topic'),
      schedule: Schedule.rate(Duration.hours(6)),
      architecture: Architecture.X86_64,
      logRetention: RetentionDays.ONE_MONTH,
      permissionsBoundaryArn: ManagedPolicy.fromAwsManagedPolicyName('PowerUserAccess'),
      keyPolicy: new PolicyDocument({ statements: [new PolicyStatement({ actions: ['kms:*'], resources: ['*'], principals: [new AnyPrincipal()] })] }),
      context: { 'aws:SourceVpce': null },
    },
    stack,
  );
  const template = Template.fromStack(stack);
  const ref = (construct: IConstruct): object => ({ Ref: stack.getLogicalId((construct.node.defaultChild ?? construct) as never) });
  const resource = (id: string): object => ref(stack.node.findChild(id));
  const arn = (id: string): object => ({ 'Fn::GetAtt': [(resource(id) as { Ref: string }).Ref, 'Arn'] });

  const encryption = properties(template, 'Custom::SessionEncryption');
  assert.match(JSON.stringify(encryption.KmsKeyId), /alias\/sessions/);
  const { Ref: aliasId } = resource('Alias') as { Ref: string };
  template.hasResource('Custom::SessionKey', { DependsOn: Match.arrayWith([aliasId]) });
  assert.deepEqual(encryption.StandbyKmsKeyId, arn('Standby'));
  assert.deepEqual(encryption.Users, [arn('Auditor'), arn('User')]);
  assert.deepEqual(JSON.parse(encryption.Context as string), { 'aws:SourceVpce': null });
  assert.match(encryption.KeyPolicy as string, /"Version":"2012-10-17"/);
  assert.deepEqual(properties(template, 'Custom::SessionKey').GrantKeyArns, [arn('Key'), arn('Key'), KEY]);
  const policies = Object.values(template.findResources('AWS::IAM::ManagedPolicy')).map((policy) => policy.Properties.Roles as unknown);
  assert.deepEqual(policies, [[resource('Operator'), 'Admin'], [resource('Node')]]);
  template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(6 hours)' });
  template.hasResourceProperties('AWS::Lambda::Function', { Architectures: ['x86_64'] });
  template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [resource('Topic')] });
  template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { DestinationConfig: { OnSuccess: { Destination: arn('Bus') } } });
  assert.ok(sessionKms.userPolicyArn && sessionKms.nodePolicyArn && sessionKms.keyArn);
});

test('a role of the same stack gets a warning, because the policy would keep it from being deleted', () => {
  const stack = new Stack(app(), 'Stack');
  const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
  const roles = { kmsKeyId: KEY, grantKeyArns: [KEY], userRoleNames: ['Operator', Role.fromRoleName(stack, 'Imported', 'Admin')] };
  construct(roles, stack);
  Annotations.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('outlive the stack'));
  new SessionKms(stack, 'Other', { code: code(stack), ...roles, nodeRoleNames: [role] });
  Annotations.fromStack(stack).hasWarning('/Stack/Other', Match.stringLikeRegexp('outlive the stack'));
});

test('no condition and no rule refers to a resource, which CloudFormation would refuse', () => {
  const stack = new Stack(app(), 'Stack');
  construct({ kmsKeyId: new Key(stack, 'Key'), alarmTopicArn: new Topic(stack, 'Topic'), grantRegion: 'eu-west-1' }, stack);
  const { Conditions: conditions = {}, Rules: rules = {} } = Template.fromStack(stack).toJSON() as { [section: string]: object };
  assert.doesNotMatch(JSON.stringify(conditions), /Fn::GetAtt|"Ref":"(?!AWS::Region)/);
  assert.doesNotMatch(JSON.stringify(rules), /SessionKms/);
});

test('values that are wrong are refused with the name of the property', () => {
  const refused: [Omit<SessionKmsProps, 'code'>, RegExp][] = [
    [{}, /Stack\/SessionKms: encryption Enabled needs a key. Give kmsKeyId, or set createKey to true/],
    [{ kmsKeyId: 'alias/a', createKey: true }, /createKey makes a key of its own. Leave kmsKeyId empty/],
    [{ kmsKeyId: 'a/key' }, /kmsKeyId must be a key ARN, a key id/],
    [{ kmsKeyId: 'alias/a', userRoleNames: ['Operator'] }, /Give it by grantKeyArns/],
    [{ kmsKeyId: 'alias/a', preflight: 'Loose' as 'Strict' }, /preflight must be one of Strict, Enforce, Warn, Off/],
    [{ kmsKeyId: 'alias/a', maxRepairsPerHour: 61 }, /maxRepairsPerHour must be a whole number from 1 to 60/],
    [{ kmsKeyId: 'alias/a', revision: 'r'.repeat(129) }, /revision must have at most 128 characters/],
    [{ kmsKeyId: 'alias/a', logRetention: RetentionDays.INFINITE }, /logRetention must be one of 1, 3, 5/],
    [{ kmsKeyId: 'alias/a', onKeyTrouble: 'Standby' }, /Give standbyKmsKeyId/],
  ];
  for (const [props, message] of refused) {
    assert.throws(() => construct(props), message);
  }
});

test('an empty list is the same as none, and is refused where one is needed', () => {
  assert.deepEqual(
    properties(made({ createKey: true, users: [], userRoleNames: [] }), 'Custom::SessionEncryption'),
    properties(made({ createKey: true }), 'Custom::SessionEncryption'),
  );
  const stack = new Stack(app(), 'Stack');
  const props = { code: code(stack), keyArn: KEY, readerArns: ['arn:aws:iam::222222222222:role/session-kms-*'] };
  assert.throws(() => new SessionKmsKeyAccess(stack, 'Access', { ...props, consumerAccounts: [] }), /consumerAccounts must be account ids/);
});

test('a list may be longer than a parameter', () => {
  const roles = Array.from({ length: 200 }, (_, index) => `Role-with-a-long-name-${index}`);
  assert.ok(roles.join(',').length > 4096);
  made({ createKey: true, userRoleNames: roles });
});

test('two instances fit into one stack, and have different names', () => {
  const stack = new Stack(app(), 'Stack');
  for (const id of ['One', 'Two']) {
    new SessionKms(stack, id, { code: code(stack), createKey: true, documentName: `Team-${id}` });
  }
  const template = Template.fromStack(stack);
  const names = Object.entries({ 'AWS::Events::Rule': 'Name', 'AWS::Logs::LogGroup': 'LogGroupName', 'AWS::KMS::Alias': 'AliasName' });
  for (const [type, name] of names) {
    const texts = Object.values(template.findResources(type)).map((resource) => JSON.stringify(resource.Properties[name]));
    assert.ok(texts.length >= 2);
    assert.equal(new Set(texts).size, texts.length);
  }
});

test('the names of a construct depend on its path within the stack only', () => {
  const names = (stack: Stack): unknown => properties(Template.fromStack(stack), 'AWS::Logs::LogGroup').LogGroupName;
  const inApp = Stack.of(construct({ createKey: true }));
  const inStage = Stack.of(construct({ createKey: true }, new Stack(new Stage(app(), 'Production'), 'Stack')));
  assert.deepEqual(names(inApp), names(inStage));
});

test('the names of rules have at most 64 characters', () => {
  const rules = made({ kmsKeyId: 'alias/a', securityHub: true, configRuleNames: ['rule'] }).findResources('AWS::Events::Rule');
  for (const rule of Object.values(rules)) {
    const [separator, parts] = (rule.Properties.Name as { 'Fn::Join': [string, (string | object)[]] })['Fn::Join'];
    // The groups of the stack's id have 8, 4 and 4 characters.
    const name = parts.map((part) => (typeof part === 'string' ? part : 'x'.repeat(JSON.stringify(part).includes('[0,') ? 8 : 4))).join(separator);
    assert.ok(name.length <= 64, name);
  }
});

test('logical ids never change, because CloudFormation would replace the resources', () => {
  const ids = Object.keys(made({ createKey: true }).toJSON().Resources as object);
  const expected = [
    'SessionKmsTemplateFunction5EB88894', 'SessionKmsTemplateSessionEncryption9430CE91',
    'SessionKmsTemplateKeyDB9B3DD5', 'SessionKmsTemplateFunctionLogGroup0F9AD917',
  ];
  for (const id of expected) {
    assert.ok(ids.includes(id), `${id} is none of ${ids.join(', ')}`);
  }
});

test('tags and aspects reach the resources', () => {
  const stack = new Stack(app(), 'Stack');
  const sessionKms = construct({ createKey: true }, stack);
  Tags.of(sessionKms).add('team', 'security');
  PermissionsBoundary.of(sessionKms).apply(ManagedPolicy.fromAwsManagedPolicyName('PowerUserAccess'));
  const functions: string[] = [];
  const aspect: IAspect = { visit: (node) => void (node instanceof CfnFunction && functions.push(node.node.path)) };
  Aspects.of(stack).add(aspect);
  const template = Template.fromStack(stack);
  const tags = Match.arrayWith([{ Key: 'team', Value: 'security' }]);
  for (const type of ['AWS::Lambda::Function', 'AWS::IAM::Role', 'AWS::SQS::Queue', 'AWS::Logs::LogGroup', 'AWS::KMS::Key']) {
    template.hasResourceProperties(type, { Tags: tags });
  }
  // Just-in-time node access needs the tag that the template gives the key.
  template.hasResourceProperties('AWS::KMS::Key', { Tags: Match.arrayWith([{ Key: 'SystemsManagerJustInTimeNodeAccessManaged', Value: 'true' }]) });
  template.hasResourceProperties('AWS::IAM::Role', { PermissionsBoundary: Match.anyValue() });
  assert.deepEqual(functions, ['Stack/SessionKms/Template/Function']);
});

test('the code can be a zip of the release', () => {
  const zip = join(mkdtempSync(join(tmpdir(), 'session-kms-test-')), 'function-arm64.zip');
  writeFileSync(zip, 'PK\x05\x06' + '\0'.repeat(18));
  const stack = new Stack(app(), 'Stack');
  new SessionKms(stack, 'SessionKms', { code: Code.fromAsset(zip), kmsKeyId: 'alias/a' });
  Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', { Code: { S3Bucket: Match.anyValue(), S3Key: Match.stringLikeRegexp('.zip$') } });
  assert.throws(() => new SessionKms(stack, 'Inline', { code: Code.fromInline('x'), kmsKeyId: 'alias/a' }), /code must be a zip/);
});

test('what a stack does not have is no field', () => {
  const disabled = construct({ encryption: 'Disabled' });
  assert.equal(disabled.keyArn, undefined);
  assert.equal(disabled.userPolicyArn, undefined);
  const elsewhere = new Stack(app(), 'Stack', { env: { region: 'us-east-1' } });
  const there = construct({ kmsKeyId: KEY, grantKeyArns: [KEY], userRoleNames: ['Operator'], grantRegion: 'eu-west-1' }, elsewhere);
  assert.equal(there.userPolicyArn, undefined);
  Template.fromStack(elsewhere).resourceCountIs('AWS::IAM::ManagedPolicy', 0);
});

test('in a stack for any Region, the output of a policy depends on the Region', () => {
  const stack = new Stack(app(), 'Stack');
  const sessionKms = construct({ kmsKeyId: KEY, grantKeyArns: [KEY], userRoleNames: ['Operator'], grantRegion: 'eu-west-1' }, stack);
  new CfnOutput(stack, 'Policy', { value: sessionKms.userPolicyArn ?? '' });
  const template = Template.fromStack(stack);
  const [condition] = Object.keys(template.findConditions('*', { 'Fn::Equals': ['eu-west-1', { Ref: 'AWS::Region' }] }));
  assert.ok(condition);
  template.hasOutput('Policy', { Value: { 'Fn::If': [Match.stringLikeRegexp('GrantsUsers'), Match.anyValue(), ''] } });
});

test('a custom resource for another document exists after the function and goes before it', () => {
  const stack = new Stack(app(), 'Stack');
  const sessionKms = construct({ kmsKeyId: KEY, additionalDocuments: 'Team-*' }, stack);
  const team = new CustomResource(stack, 'Team', {
    resourceType: 'Custom::SessionEncryption',
    serviceToken: sessionKms.functionArn,
    serviceTimeout: Duration.minutes(10),
    properties: { DocumentName: 'Team-Sessions', KmsKeyId: KEY },
  });
  team.node.addDependency(sessionKms);
  const resources = Template.fromStack(stack).findResources('Custom::SessionEncryption', { DependsOn: Match.arrayWith([Match.stringLikeRegexp('FunctionRole')]) });
  const [resource] = Object.values(resources).filter((item) => item.Properties.DocumentName === 'Team-Sessions');
  assert.equal(resource?.Properties.ServiceTimeout, '600');
});

test('another stack of the app can use the outputs', () => {
  const scope = app();
  const sessionKms = construct({ createKey: true }, new Stack(scope, 'Stack'));
  const other = new Stack(scope, 'Other');
  new CfnOutput(other, 'Key', { value: sessionKms.keyArn ?? '' });
  Template.fromStack(other).hasOutput('Key', { Value: { 'Fn::ImportValue': Match.stringLikeRegexp('Stack:ExportsOutput') } });
});

test('the account of a key can use the function of its own sessions', () => {
  const stack = new Stack(app(), 'Stack');
  const sessionKms = construct({ createKey: true }, stack);
  const access = new SessionKmsKeyAccess(stack, 'Access', {
    keyArn: KEY,
    consumerAccounts: ['222222222222'],
    readerArns: ['arn:aws:iam::222222222222:role/session-kms-*'],
    functionArn: sessionKms.functionArn,
  });
  assert.equal(access.logGroupName, undefined);
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Lambda::Function', 1);
  assert.deepEqual(properties(template, 'Custom::SessionKeyAccess').ServiceToken, stack.resolve(sessionKms.functionArn));
  const without = { keyArn: KEY, consumerAccounts: ['222222222222'], readerArns: ['arn:aws:iam::222222222222:role/session-kms-*'] };
  assert.throws(() => new SessionKmsKeyAccess(stack, 'NoCode', without), /Stack\/NoCode: code must be a zip/);
});
