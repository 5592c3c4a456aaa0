import { sha384 } from "@noble/hashes/sha2.js";
import { expect } from "chai";
import { bytesToHex, concatBytes, hexToBytes, keccak256, sha256 } from "viem";
import { workloadIdOf } from "../../../protocol/attestationBinding.ts";
import { toJcsBytes } from "../../../protocol/jcs.ts";
import { replayEventLog, verifyEventLog } from "../../../protocol/quote/eventLog.ts";
import { composeHashOf, measurementsOf } from "../../../protocol/quote/mrConfigId.ts";
import { parseQuote, quoteBytes } from "../../../protocol/quote/parseQuote.ts";
import { runtimeEvent, strippedLog } from "../../../simulator/eventLog.ts";
import { expectError, jsonVector, platform, vector } from "./vectors.ts";

type Item = {
  imr: number;
  event_type: number;
  digest: string;
  event: string;
  event_payload: string;
  version?: number;
  preimage?: string;
};

/** RTMR3 of the items, by another road than the code under test. */
function registerOf(items: readonly Item[]): Uint8Array {
  let register: Uint8Array = new Uint8Array(48);
  for (const { event, event_payload, imr, version } of items) {
    if (imr !== 3) continue;
    const digest =
      version === 2
        ? sha384(toJcsBytes({ name: event, payload: event_payload, type: 0x08000001 }))
        : runtimeEvent(event, Uint8Array.from(Buffer.from(event_payload, "hex"))).digest;
    register = sha384(concatBytes([register, digest]));
  }
  return register;
}

const simulated: Item[] = strippedLog(platform.events());
const rtMr3 = platform.report(new Uint8Array(64)).rtMr3;
const verify = (items: readonly Item[], register = registerOf(items)) =>
  verifyEventLog(JSON.stringify(items), register);
const indexOf = (event: string) => simulated.findIndex((item) => item.event === event);
const changed = (event: string, change: Partial<Item>) =>
  simulated.map((item, index) => (index === indexOf(event) ? { ...item, ...change } : item));

describe("verifyEventLog on real logs", () => {
  it("replays near/mpc's, and its compose file hashes to what was measured", () => {
    const { event_log } = jsonVector("audit/near-mpc.tcb_info.json");
    const { report } = parseQuote(vector("tdx/nearmpc.quote.bin"));
    const events = verifyEventLog(JSON.stringify(event_log), report.rtMr3);
    expect(events).to.deep.equal({
      composeHash: "0x2911e1f733466216dedb862d6d669e11256ee7a34ce4dbc66c4b807ba7a9c895",
      appId: "0x2911e1f733466216dedb862d6d669e11256ee7a3",
      instanceId: "0x",
      keyProvider: '{"name":"local-sgx","id":"6b5ed02e549a1c30aaa8e3171a045f1f449b0017353ef595e78e39c348c98d01"}',
      osImageHash: undefined,
      initScriptHashes: [],
      gpuPolicyHash: undefined,
    });
    expect(sha256(vector("audit/near-mpc.app_compose.json"))).to.equal(events.composeHash);
    expect(composeHashOf(report.mrConfigId)).to.equal(events.composeHash);
  });

  it("replays logs of other eras: KMS, stripped digests, local key provider, dstack 0.4", () => {
    const cases = [
      ["dstack/near-private-ml-sdk/quote.json", "0x62dd36d2", "0x6809f73c"],
      ["dstack/dstack-verifier-fixtures/tdx-lite-getquote.json", "0x86b0e55f", "0x07a2388c"],
      ["audit/local-key-provider.quote.json", "0x3763bc34", undefined],
      ["audit/dstack-0.4.quote.json", "0x06768e6d", undefined],
    ] as const;
    for (const [path, composeHash, osImageHash] of cases) {
      const { quote, event_log } = jsonVector(path);
      const events = verifyEventLog(event_log, parseQuote(quoteBytes(quote)).report.rtMr3);
      expect(events.composeHash.slice(0, 10), path).to.equal(composeHash);
      expect(events.osImageHash?.slice(0, 10), path).to.equal(osImageHash);
    }
  });

  it("replays the firmware's registers from the digests that logs state", () => {
    for (const path of [
      "dstack/near-private-ml-sdk/quote.json",
      "dstack/dstack-verifier-fixtures/tdx-lite-getquote.json",
      "audit/local-key-provider.quote.json",
      "audit/dstack-0.4.quote.json",
    ]) {
      const { quote, event_log } = jsonVector(path);
      const { rtMr0, rtMr1, rtMr2, rtMr3 } = parseQuote(quoteBytes(quote)).report;
      const measured = [rtMr0, rtMr1, rtMr2, rtMr3].map((register) => bytesToHex(register));
      expect(replayEventLog(event_log).registers, path).to.deep.equal(measured);
    }
  });

  it("refuses a log of another boot", () => {
    const { event_log } = jsonVector("audit/local-key-provider.quote.json");
    expectError(
      () => verifyEventLog(event_log, rtMr3),
      "EventLog.EventLogMismatchError",
      /^The event log replays to 0x0f787c3877f3.*, the quote has RTMR3 0x/,
    );
  });
});

describe("verifyEventLog on made logs", () => {
  it("replays the simulator's, stripped, and ignores what apps append", () => {
    expect(verify(simulated, rtMr3).composeHash).to.equal(platform.workload.composeHash);
    const evil = "ee".repeat(32);
    const appended = [...simulated, { ...simulated[indexOf("compose-hash")], event_payload: evil } as Item];
    expect(verify(appended).composeHash).to.equal(platform.workload.composeHash);
  });

  it("reads version 2 events, and logs of both versions", () => {
    const version2 = simulated.map((item, index) =>
      item.imr === 3 && index % 2 === 0 ? { ...item, version: 2 } : item,
    );
    expect(verify(version2).composeHash).to.equal(platform.workload.composeHash);
    expectError(() => verify(version2, rtMr3), "EventLog.EventLogMismatchError", /replays to/);
    const withPreimage = simulated.map((item) => (item.imr === 3 ? { ...item, version: 2, preimage: "7b7d" } : item));
    expect(verify(withPreimage).appId).to.equal(bytesToHex(platform.appId)); // the preimage is not believed
  });

  it("names the event whose digest is not its own", () => {
    const digest = "00".repeat(48);
    expectError(
      () => verify(changed("app-id", { digest })),
      "EventLog.EventDigestError",
      'Event "app-id" states a digest that is not its own.',
    );
  });

  it("refuses changed, dropped, added and reordered events", () => {
    const refuse = (items: readonly Item[]) =>
      expectError(() => verify(items, rtMr3), "EventLog.EventLogMismatchError", /replays to/);
    refuse(changed("compose-hash", { event_payload: "ee".repeat(32) }));
    refuse(changed("storage-fs", { event: "storage" }));
    refuse(simulated.filter((_, index) => index !== indexOf("mr-kms")));
    refuse([...simulated, simulated[indexOf("storage-fs")] as Item]);
    const swapped = [...simulated];
    const [first, second] = [indexOf("app-id"), indexOf("compose-hash")];
    [swapped[first], swapped[second]] = [swapped[second] as Item, swapped[first] as Item];
    refuse(swapped);
    refuse([]);
  });

  it("refuses system events that are missing, doubled, or of another size", () => {
    for (const event of ["app-id", "compose-hash", "instance-id", "key-provider", "system-ready"])
      expectError(
        () => verify(simulated.filter((item) => item.event !== event)),
        "EventLog.MissingEventError",
        `The event log has no ${event} event in its system part.`,
      );
    const [appId, ready] = [indexOf("app-id"), indexOf("system-ready")];
    const doubled = [...simulated.slice(0, ready), simulated[appId] as Item, ...simulated.slice(ready)];
    expectError(
      () => verify(doubled),
      "EventLog.DuplicateEventError",
      'Event "app-id" stands in the system part of the log twice.',
    );
    for (const event of ["app-id", "compose-hash", "instance-id", "os-image-hash"])
      expectError(
        () => verify(changed(event, { event_payload: "ee".repeat(31) })),
        "EventLog.MalformedEventLogError",
        `The event log is malformed: ${event} of 31 bytes`,
      );
  });

  it("refuses events before system-ready that no release measures, or that stand in another order", () => {
    const ready = indexOf("system-ready");
    const extra = { ...(simulated[ready] as Item), event: "backdoor", event_payload: "00" };
    const unknown = 'Event "backdoor" stands in the system part of the log, and is not known.';
    for (const place of [indexOf("app-id"), ready])
      expectError(
        () => verify([...simulated.slice(0, place), extra, ...simulated.slice(place)]),
        "EventLog.UnknownEventError",
        unknown,
      );
    expect(verify([...simulated, extra]).composeHash).to.equal(platform.workload.composeHash);
    const swapped = [...simulated];
    const [first, second] = [indexOf("app-id"), indexOf("compose-hash")];
    [swapped[first], swapped[second]] = [swapped[second] as Item, swapped[first] as Item];
    const order = 'Event "app-id" stands after "compose-hash" in the log.';
    expectError(() => verify(swapped), "EventLog.EventOrderError", order);
  });

  it("reads what dstack 0.6 measures beside: init scripts, each in its own event, and the GPU policy", () => {
    const place = indexOf("instance-id");
    const item = (event: string, event_payload: string) => ({ ...(simulated[place] as Item), event, event_payload });
    const [one, two, policy] = ["11", "22", "33"].map((byte) => byte.repeat(32)) as [string, string, string];
    const more = [item("init-script-hash", one), item("init-script-hash", two), item("gpu-policy-hash", policy)];
    const events = verify([...simulated.slice(0, place), ...more, ...simulated.slice(place)]);
    expect(events.initScriptHashes).to.deep.equal([`0x${one}`, `0x${two}`]);
    expect(events.gpuPolicyHash).to.equal(`0x${policy}`);
    const short = [...simulated.slice(0, place), item("init-script-hash", "11"), ...simulated.slice(place)];
    const message = "The event log is malformed: init-script-hash of 1 bytes";
    expectError(() => verify(short), "EventLog.MalformedEventLogError", message);
  });

  it("says nothing of firmware registers without digests or without events", () => {
    const silent = simulated.map((item) => (item.imr === 1 ? { ...item, digest: "" } : item));
    const { registers } = replayEventLog(JSON.stringify(silent.filter((item) => item.imr !== 2)));
    expect(registers.map((register) => register !== undefined)).to.deep.equal([true, false, false, true]);
    const empty = replayEventLog("[]").registers;
    expect(empty).to.deep.equal([undefined, undefined, undefined, `0x${"00".repeat(48)}`]);
  });

  it("refuses a colon moved from a payload into a name: version 1 digests are the same", () => {
    const payload = "3a".repeat(20); // ":" twenty times
    const honest = changed("app-id", { event_payload: payload });
    const shifted = changed("app-id", { event: "app-id:", event_payload: payload.slice(2) });
    expect(registerOf(shifted)).to.deep.equal(registerOf(honest));
    expectError(
      () => verify(shifted),
      "EventLog.MalformedEventLogError",
      "The event log is malformed: colon in the name of a system event",
    );
  });

  it("refuses what is not an event log", () => {
    const refuse = (text: string, message: string | RegExp) =>
      expectError(() => verifyEventLog(text, rtMr3), "EventLog.MalformedEventLogError", message);
    refuse("[", "The event log is malformed: not JSON");
    refuse(" ".repeat(1024 * 1024 + 1), "The event log is malformed: longer than 1048576 bytes");
    refuse("{}", /expected array/);
    refuse(JSON.stringify(Array.from({ length: 2049 }, () => simulated[0])), /<=2048 items/);
    refuse(JSON.stringify(changed("app-id", { digest: "00" })), /must be 48 bytes or empty/);
    refuse(JSON.stringify(changed("app-id", { event_payload: "0" })), /whole bytes of lowercase hex/);
    refuse(JSON.stringify(changed("app-id", { event_payload: "AA".repeat(20) })), /whole bytes of lowercase hex/);
    refuse(JSON.stringify(changed("app-id", { imr: 4 })), /<=3/);
    refuse(JSON.stringify(changed("app-id", { version: 3 })), /Invalid input/);
    refuse(JSON.stringify(simulated.map((item) => ({ ...item, more: 1 }))), /Unrecognized key/);
    const foreign = changed("app-id", { event_type: 0x80000001 });
    refuse(JSON.stringify(foreign), "The event log is malformed: event of type 2147483649 in RTMR3");
  });
});

describe("composeHashOf and measurementsOf", () => {
  const version1 = concatBytes([Uint8Array.of(1), new Uint8Array(32).fill(0xab), new Uint8Array(15)]);

  it("reads version 1, and makes the workload id of the simulator's own measurements", () => {
    expect(composeHashOf(version1)).to.equal(`0x${"ab".repeat(32)}`);
    const { report } = parseQuote(platform.quote(new Uint8Array(64)));
    expect(measurementsOf(report)).to.deep.equal(platform.workload);
    const packed = concatBytes(Object.values(platform.workload).map((part) => hexToBytes(part)));
    expect(packed.length).to.equal(240);
    expect(workloadIdOf(measurementsOf(report))).to.equal(keccak256(packed));
  });

  it("refuses zero, other versions, padding that is not zero, and other sizes", () => {
    expectError(
      () => composeHashOf(new Uint8Array(48)),
      "Quote.ZeroMrConfigIdError",
      "MRCONFIGID is zero: nothing binds the VM to a compose file.",
    );
    for (const version of [0, 4, 255]) {
      const other = Uint8Array.from(version1);
      other[0] = version;
      const message = `MRCONFIGID of version ${version} is not supported.`;
      expectError(() => composeHashOf(other), "Quote.UnsupportedMrConfigIdError", message);
    }
    const padded = Uint8Array.from(version1);
    padded[47] = 1;
    const malformed = "Quote.MalformedMrConfigIdError";
    expectError(() => composeHashOf(padded), malformed, "MRCONFIGID is malformed: its padding is not zero.");
    expectError(
      () => composeHashOf(version1.subarray(1)),
      malformed,
      "MRCONFIGID is malformed: 47 bytes, expected 48.",
    );
  });

  it("gives another workload id for each changed measurement", () => {
    const ids = Object.keys(platform.workload).map((name) =>
      workloadIdOf({ ...platform.workload, [name]: platform.workload[name as "mrTd"].replace(/..$/, "99") }),
    );
    expect(new Set([...ids, workloadIdOf(platform.workload)]).size).to.equal(8);
  });
});
