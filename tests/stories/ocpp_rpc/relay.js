// An ocpp-rpc station in strict mode that is told what to say: node relay.js URL IDENTITY PASSWORD PROTOCOL
//
// One JSON object a line. In: {call, action, payload} (to be said), {answer, payload} (to what it was asked).
// Out: {connected}, {asked, action, payload}, {called, payload} or {called, refused}, {wrong} (strict mode's findings).
"use strict";

const readline = require("node:readline");
const { RPCClient, createValidator } = require("ocpp-rpc");

const [url, identity, password, protocol] = process.argv.slice(2);
const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

// The JSON schema library remarks on the style of every published schema of 2.1.
console.warn = () => {};

// ocpp-rpc 2.2.1 ships the schemas of 2.1 under names that its own strict mode does not look for.
function validators21() {
  const schemas = require("ocpp-rpc/lib/schemas/ocpp2_1.json").map((schema) => ({
    ...schema,
    $id: schema.$id.replace(/Request$/, ".req").replace(/Response$/, ".conf"),
  }));
  return [createValidator("ocpp2.1", schemas)];
}

async function main() {
  const station = new RPCClient({
    endpoint: url,
    identity,
    password,
    protocols: [protocol],
    strictMode: true,
    strictModeValidators: protocol === "ocpp2.1" ? validators21() : [],
    reconnect: false,
    callTimeoutMs: 20000,
  });
  station.on("strictValidationFailure", ({ method, outbound, isCall, error }) => {
    const whose = outbound ? "the station's" : "the central system's";
    tell({ wrong: `${whose} ${method} ${isCall ? "request" : "answer"}: ${error.message}` });
  });
  station.on("badMessage", ({ error }) => tell({ wrong: `a bad message: ${error}` }));
  const waiting = new Map();
  let asked = 0;
  station.handle(({ method, params }) => {
    asked += 1;
    const answer = new Promise((resolve) => waiting.set(asked, resolve));
    tell({ asked, action: method, payload: params });
    return answer;
  });
  const say = ({ call, action, payload }) =>
    station.call(action, payload).then(
      (answer) => tell({ called: call, payload: answer }),
      (error) => tell({ called: call, refused: `${error.rpcErrorCode}: ${error.message}` }),
    );
  await station.connect();
  tell({ connected: station.protocol });
  for await (const text of readline.createInterface({ input: process.stdin })) {
    const line = JSON.parse(text);
    if ("call" in line) say(line);
    else {
      waiting.get(line.answer)(line.payload);
      waiting.delete(line.answer);
    }
  }
  await station.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
