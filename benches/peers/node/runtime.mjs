// A Lambda runtime for the Node.js peer, as small as it can be, so that what is measured is the peer.

import { Agent, request } from "node:http";

import { handle } from "./handler.mjs";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method, path: `/2018-06-01/runtime/invocation/${path}`, agent }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function main() {
  for (;;) {
    const { headers, body } = await call("GET", "next");
    await handle(JSON.parse(body), { invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"] });
    await call("POST", `${headers["lambda-runtime-aws-request-id"]}/response`, "null");
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
