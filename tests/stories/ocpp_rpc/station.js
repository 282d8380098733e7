// One session of an ocpp-rpc station in strict mode: node station.js URL IDENTITY PASSWORD PROTOCOL TOKEN
"use strict";

const assert = require("node:assert");
const { randomUUID } = require("node:crypto");
const { RPCClient } = require("ocpp-rpc");

const [url, identity, password, protocol, token] = process.argv.slice(2);
const METER_START = 2000;
const METER_STOP = 3500;
const now = () => new Date().toISOString();

async function session16(station) {
  const boot = await station.call("BootNotification", {
    chargePointVendor: "ocpp-rpc",
    chargePointModel: "strict",
  });
  assert.strictEqual(boot.status, "Accepted");
  const status = (word) =>
    station.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: word, timestamp: now() });
  await status("Available");
  await station.call("Heartbeat", {});
  const card = await station.call("Authorize", { idTag: token });
  assert.strictEqual(card.idTagInfo.status, "Accepted");
  await status("Preparing");
  const started = await station.call("StartTransaction", {
    connectorId: 1,
    idTag: token,
    meterStart: METER_START,
    timestamp: now(),
  });
  assert.strictEqual(started.idTagInfo.status, "Accepted");
  assert.ok(started.transactionId > 0);
  await status("Charging");
  for (const value of [2500, 3000]) {
    await station.call("MeterValues", {
      connectorId: 1,
      transactionId: started.transactionId,
      meterValue: [{ timestamp: now(), sampledValue: [{ value: String(value), unit: "Wh" }] }],
    });
  }
  await station.call("StopTransaction", {
    transactionId: started.transactionId,
    idTag: token,
    meterStop: METER_STOP,
    timestamp: now(),
    reason: "Local",
  });
  await status("Available");
}

async function session201(station) {
  const boot = await station.call("BootNotification", {
    reason: "PowerUp",
    chargingStation: { vendorName: "ocpp-rpc", model: "strict" },
  });
  assert.strictEqual(boot.status, "Accepted");
  const status = (word) =>
    station.call("StatusNotification", { timestamp: now(), connectorStatus: word, evseId: 1, connectorId: 1 });
  await status("Available");
  await station.call("Heartbeat", {});
  const idToken = { idToken: token, type: "ISO14443" };
  const card = await station.call("Authorize", { idToken });
  assert.strictEqual(card.idTokenInfo.status, "Accepted");
  const transactionId = randomUUID();
  let seqNo = 0;
  const event = (eventType, triggerReason, value, context, info, more) =>
    station.call("TransactionEvent", {
      eventType,
      timestamp: now(),
      triggerReason,
      seqNo: seqNo++,
      transactionInfo: { transactionId, ...info },
      meterValue: [{ timestamp: now(), sampledValue: [{ value, context }] }],
      ...more,
    });
  const started = await event("Started", "Authorized", METER_START, "Transaction.Begin", {}, {
    evse: { id: 1, connectorId: 1 },
    idToken,
  });
  assert.strictEqual(started.idTokenInfo.status, "Accepted");
  await status("Occupied");
  for (const value of [2500, 3000]) {
    await event("Updated", "MeterValuePeriodic", value, "Sample.Periodic", { chargingState: "Charging" }, {});
  }
  await event("Ended", "StopAuthorized", METER_STOP, "Transaction.End", { stoppedReason: "Local" }, {});
  await status("Available");
}

const SESSIONS = { "ocpp1.6": session16, "ocpp2.0.1": session201 };

async function main() {
  const station = new RPCClient({
    endpoint: url,
    identity,
    password,
    protocols: [protocol],
    strictMode: true,
    reconnect: false,
    callTimeoutMs: 20000,
  });
  station.on("strictValidationFailure", ({ error }) => {
    console.error(error);
    process.exitCode = 1;
  });
  await station.connect();
  assert.strictEqual(station.protocol, protocol);
  await SESSIONS[protocol](station);
  await station.close();
  console.log(JSON.stringify({ protocol, energy_wh: METER_STOP - METER_START }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
