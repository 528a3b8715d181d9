// The custom resource of `make bench` in Node.js: sets the key of one preferences document.
//
// It does the part of the function's work that every implementation needs: find the key, change one field, make the new
// version the default, read back, keep a record, answer. It proves nothing about users and nodes. Calls that do not
// depend on each other are made together.

import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

import { DescribeKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  DescribeDocumentCommand,
  GetDocumentCommand,
  GetParameterCommand,
  ParameterNotFound,
  PutParameterCommand,
  SSMClient,
  UpdateDocumentCommand,
  UpdateDocumentDefaultVersionCommand,
} from "@aws-sdk/client-ssm";

const kms = new KMSClient({ maxAttempts: 5 });
const ssm = new SSMClient({ maxAttempts: 5 });

export async function handle(event, context) {
  const [, , , region, account] = context.invokedFunctionArn.split(":");
  const name = event.ResourceProperties.DocumentName ?? "SSM-SessionManagerRunShell";
  const answer = {
    PhysicalResourceId: `session-kms:${account}:${region}:${name}`,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  };
  try {
    const data = event.RequestType === "Delete" ? {} : await setKey(event, name);
    await respond(event.ResponseURL, { ...answer, Status: "SUCCESS", Data: data });
  } catch (error) {
    await respond(event.ResponseURL, { ...answer, Status: "FAILED", Reason: String(error.message ?? error) });
  }
}

async function setKey(event, name) {
  const owner = { stackId: event.StackId, logicalResourceId: event.LogicalResourceId };
  const [key, before, record] = await Promise.all([
    usableKey(event.ResourceProperties.KmsKeyId),
    readDocument(name),
    readRecord(name),
  ]);
  if (record && (record.owner.stackId !== owner.stackId || record.owner.logicalResourceId !== owner.logicalResourceId)) {
    throw new Error(`document ${name} is owned by ${record.owner.stackId}`);
  }
  if (record?.wanted !== key) {
    await writeRecord(name, { owner, wanted: key, before: record ? record.before : before.key }, Boolean(record));
  }
  let after = before;
  if (before.key !== key || before.version !== before.latest) {
    await writeDocument(name, before, key);
    after = await readDocument(name);
    if (after.key !== key || after.version !== after.latest) {
      throw new Error(`document ${name} does not have the key after it was written`);
    }
  }
  return { KeyArn: key, DocumentName: name, DocumentVersion: after.version, PreviousKmsKeyId: before.key };
}

async function usableKey(name) {
  const { KeyMetadata: metadata } = await kms.send(new DescribeKeyCommand({ KeyId: name }));
  if (metadata.KeyState !== "Enabled") {
    throw new Error(`key ${metadata.Arn} is ${metadata.KeyState}`);
  }
  if (metadata.KeySpec !== "SYMMETRIC_DEFAULT" || metadata.KeyUsage !== "ENCRYPT_DECRYPT") {
    throw new Error(`key ${metadata.Arn} cannot encrypt sessions`);
  }
  return metadata.Arn;
}

async function readDocument(name) {
  const { Document: document } = await ssm.send(new DescribeDocumentCommand({ Name: name }));
  const version = document.DefaultVersion;
  const { Content: text } = await ssm.send(
    new GetDocumentCommand({ Name: name, DocumentVersion: version, DocumentFormat: "JSON" }),
  );
  const content = JSON.parse(text);
  return { version, latest: document.LatestVersion, content, key: content.inputs.kmsKeyId ?? "" };
}

async function writeDocument(name, before, key) {
  const content = { ...before.content, inputs: { ...before.content.inputs, kmsKeyId: key } };
  // The number of the latest version makes the write fail if somebody else writes in between.
  const written = await ssm.send(
    new UpdateDocumentCommand({
      Name: name, Content: JSON.stringify(content), DocumentFormat: "JSON", DocumentVersion: before.latest,
    }),
  );
  const version = written.DocumentDescription.DocumentVersion;
  let status;
  for (;;) {
    status = (await ssm.send(new DescribeDocumentCommand({ Name: name, DocumentVersion: version }))).Document.Status;
    if (status !== "Creating" && status !== "Updating") break;
    await sleep(200);
  }
  if (status !== "Active") {
    throw new Error(`version ${version} of document ${name} is ${status}`);
  }
  await ssm.send(new UpdateDocumentDefaultVersionCommand({ Name: name, DocumentVersion: version }));
}

async function readRecord(name) {
  try {
    return JSON.parse((await ssm.send(new GetParameterCommand({ Name: `/session-kms/${name}` }))).Parameter.Value);
  } catch (error) {
    if (error instanceof ParameterNotFound) return undefined;
    throw error;
  }
}

async function writeRecord(name, record, overwrite) {
  await ssm.send(
    new PutParameterCommand({
      Name: `/session-kms/${name}`, Value: JSON.stringify(record), Type: "String", Overwrite: overwrite,
    }),
  );
}

async function respond(url, answer) {
  const body = JSON.stringify(answer);
  await new Promise((resolve, reject) => {
    const headers = { "content-type": "", "content-length": Buffer.byteLength(body) };
    const put = request(url, { method: "PUT", headers, timeout: 10_000 }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode < 300 ? resolve() : reject(new Error(`status ${response.statusCode}`))));
    });
    put.on("timeout", () => put.destroy(new Error("no answer within 10 s")));
    put.on("error", reject);
    put.end(body);
  });
}
