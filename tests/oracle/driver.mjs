// Answers cases with iam-simulate: one JSON object a line in, one answer a line out.
//
// A case has the fields of `session-kms evaluate`, its context complete and its identity policies known. The answer is
// {"result": "Allowed" | "ExplicitlyDenied" | "ImplicitlyDenied"} or {"error": …}. With `bench` as argument, the one
// case on standard input is simulated for a second, and the answer is {"perSecond": …}.
import { createInterface } from 'node:readline';
import { runSimulation } from '@cloud-copilot/iam-simulate';

const named = (policies) => policies.map((policy, n) => ({ name: `p${n}`, policy }));
const levels = (list) =>
  (list ?? []).map((policies, n) => ({ orgIdentifier: `level${n}`, policies: named(policies) }));

function simulation(input) {
  return {
    request: {
      principal: input.principal,
      action: input.action,
      resource: { resource: input.keyArn, accountId: input.keyArn.split(':')[4] },
      contextVariables: input.context ?? {},
    },
    identityPolicies: named(input.identityPolicies ?? []),
    permissionBoundaryPolicies: input.permissionsBoundary ? named([input.permissionsBoundary]) : undefined,
    sessionPolicy: input.sessionPolicies?.[0],
    serviceControlPolicies: levels(input.serviceControlPolicies),
    resourceControlPolicies: levels(input.resourceControlPolicies),
    resourcePolicy: input.keyPolicy,
  };
}

async function answer(input) {
  try {
    const result = await runSimulation(simulation(input), {});
    if (result.resultType === 'error') return { error: JSON.stringify(result.errors) };
    return { result: result.overallResult, ignored: result.result?.ignoredContextKeys };
  } catch (error) {
    return { error: String(error) };
  }
}

async function bench(input) {
  const until = (seconds) => performance.now() + seconds * 1000;
  for (const end = until(0.5); performance.now() < end; ) await runSimulation(simulation(input), {});
  const start = performance.now();
  let times = 0;
  for (const end = until(1); performance.now() < end; times += 1) await runSimulation(simulation(input), {});
  return { perSecond: (times * 1000) / (performance.now() - start) };
}

const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const input = JSON.parse(line);
  const reply = process.argv[2] === 'bench' ? await bench(input) : await answer(input);
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
