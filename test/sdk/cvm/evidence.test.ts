import { expect } from "chai";
import { bytesToHex, stringToBytes } from "viem";
import { readAttestBlob } from "../../../sdk/cvm/attestBlob.ts";
import { maxEvidenceSize, readEventLogFile, readInfo, readQuoteAnswer } from "../../../sdk/cvm/evidence.ts";
import { repeatedKey } from "../../../sdk/cvm/uniqueKeys.ts";
import { expectError } from "../../protocol/quote/vectors.ts";
import { vector } from "./vms.ts";

const raw = vector("tdx/nearmpc.quote.bin");
const hex = bytesToHex(raw).slice(2);
const bytesOf = (json: unknown) => stringToBytes(typeof json === "string" ? json : JSON.stringify(json));
const bad = "Cvm.BadEvidenceError";

describe("readQuoteAnswer", () => {
  it("reads raw bytes, hex, a list of bytes and GetQuote's answer alike", () => {
    const log = [{ imr: 0 }];
    const answers = [
      raw,
      hex,
      ` 0x${hex.toUpperCase()}\n`,
      [...raw],
      { quote: hex },
      { quote: `0x${hex}` },
      { quote: [...raw] },
    ];
    for (const answer of answers) {
      const { eventLog, quote } = readQuoteAnswer(answer instanceof Uint8Array ? answer : bytesOf(answer));
      expect(bytesToHex(quote)).to.equal(`0x${hex}`);
      expect(eventLog).to.equal(undefined);
    }
    expect(bytesToHex(readQuoteAnswer(vector("dstack/near-mpc/quote.json")).quote)).to.equal(`0x${hex}`);
    for (const event_log of [log, JSON.stringify(log)])
      expect(readQuoteAnswer(bytesOf({ quote: hex, event_log })).eventLog).to.equal('[{"imr":0}]');
  });

  it("refuses a file without anything in it", () => {
    for (const text of ["", " \n"])
      expectError(() => readQuoteAnswer(bytesOf(text)), bad, "The quote cannot be read: it is empty");
  });

  it("reads what else an answer says", () => {
    const os_image_hash = "ab".repeat(32);
    for (const vm_config of [{ os_image_hash, mr_config: "{}" }, JSON.stringify({ os_image_hash, mr_config: "{}" })])
      expect(readQuoteAnswer(bytesOf({ quote: hex, report_data: "EE", vm_config }))).to.deep.include({
        reportData: "0xee",
        vmConfig: { osImageHash: `0x${os_image_hash}`, mrConfig: "{}" },
      });
    expect(readQuoteAnswer(bytesOf({ quote: hex, vm_config: "" })).vmConfig).to.equal(undefined);
  });

  it("refuses what is no quote", () => {
    const refuse = (bytes: Uint8Array, name: string, message: string | RegExp) =>
      expectError(() => readQuoteAnswer(bytes), name, message);
    refuse(bytesOf("0400zz"), "Quote.MalformedQuoteError", "Quote is malformed: hex: not whole bytes of hex.");
    refuse(bytesOf('{"quote":'), bad, "The quote cannot be read: not JSON");
    refuse(bytesOf({ attestation: hex }), bad, /at quote/); // a quote, and no answer of Attest
    refuse(bytesOf([256]), bad, /at quote/);
    refuse(bytesOf({ quote: hex, vm_config: "{" }), bad, "The vm_config cannot be read: not JSON");
    refuse(bytesOf({ quote: hex, report_data: 1 }), bad, /at report_data/);
    refuse(Uint8Array.of(0xff, 0xfe), bad, "The quote cannot be read: neither a quote nor text");
    refuse(new Uint8Array(maxEvidenceSize + 1).fill(0x20), bad, "The quote cannot be read: longer than 4194304 bytes");
    refuse(bytesOf("04".repeat(16_385)), "Quote.MalformedQuoteError", /more than 16384 bytes/);
  });
});

describe("readAttestBlob", () => {
  const blob = vector("dstack/simulator-v0.5.11/attestation.bin");
  const badBlob = "Cvm.BadAttestBlobError";

  it("reads Attest's answer, binary or as JSON, as GetQuote's", () => {
    const { event_log, quote } = JSON.parse(
      new TextDecoder().decode(vector("dstack/simulator-v0.5.11/attestation.decoded.json")),
    );
    const expected = {
      quote: bytesToHex(readQuoteAnswer(bytesOf({ quote })).quote),
      eventLog: JSON.stringify(event_log),
    };
    for (const answer of [blob, bytesOf({ attestation: bytesToHex(blob).slice(2) })]) {
      const read = readQuoteAnswer(answer);
      expect({ quote: bytesToHex(read.quote), eventLog: read.eventLog }).to.deep.equal(expected);
      expect(read).to.deep.include({ reportData: `0x${"00".repeat(64)}` });
    }
    const lite = readQuoteAnswer(vector("dstack/dstack-verifier-fixtures/tdx-lite-attestation.json"));
    const same = readQuoteAnswer(vector("dstack/dstack-verifier-fixtures/tdx-lite-getquote.json"));
    const runtime = JSON.parse(same.eventLog ?? "").filter(({ imr }: { imr: number }) => imr === 3);
    expect(lite).to.deep.equal({ ...same, eventLog: JSON.stringify(runtime) });
  });

  it("refuses it when it is cut off anywhere, goes on, or contradicts itself", () => {
    const cutOff = "The attestation cannot be read: it is cut off";
    for (let length = 1; length < blob.length; length += 211)
      expectError(() => readQuoteAnswer(blob.slice(0, length)), badBlob, cutOff);
    expectError(() => readAttestBlob(Uint8Array.of(...blob, 0)), badBlob, /bytes stand behind it$/);
    expectError(() => readAttestBlob(Uint8Array.of(0, 1, ...blob.slice(2))), badBlob, /version or kind is not known$/);
    expectError(() => readAttestBlob(Uint8Array.of(0, 0, 3, 0, 0, 0, 0)), badBlob, /a size is too large$/);
    const events = Uint8Array.of(0, 0, 0, 0x06, 0x80, 0, 0); // 8193 of them
    expectError(() => readAttestBlob(events), badBlob, /it has more than 2048 events$/);
    const last = Buffer.from(blob).lastIndexOf("storage-fs");
    const other = Uint8Array.from(blob).fill(0x78, last, last + 1);
    expectError(() => readAttestBlob(other), badBlob, /its runtime events are not those of its event log$/);
    expectError(
      () => readAttestBlob(Uint8Array.from(blob).fill(0xff, last, last + 1)),
      badBlob,
      /a text is not UTF-8$/,
    );
  });
});

describe("readEventLogFile and readInfo", () => {
  it("reads a log, or an answer with one", () => {
    expect(readEventLogFile(bytesOf(" []"))).to.equal(" []");
    expect(readEventLogFile(bytesOf({ event_log: "[]" }))).to.equal("[]");
    expect(readEventLogFile(bytesOf({ event_log: [1] }))).to.equal("[1]");
    expectError(() => readEventLogFile(bytesOf({})), bad, /at event_log/);
    expectError(() => readEventLogFile(bytesOf("")), bad, "The event log cannot be read: not JSON");
  });

  it("reads Info with tcb_info as text, as an object, or alone", () => {
    const tcb = JSON.parse(new TextDecoder().decode(vector("audit/near-mpc.tcb_info.json")));
    for (const json of [tcb, { tcb_info: tcb }, { tcb_info: JSON.stringify(tcb) }]) {
      const info = readInfo(bytesOf(json));
      expect(Object.values(info.composeHashes)).to.deep.equal([`0x${tcb.compose_hash}`]);
      expect(info.unproven).to.deep.equal(["tcb_info" in json ? "tcb_info.device_id" : "device_id"]);
      expect(info.registers).to.deep.equal(
        Object.fromEntries(["mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"].map((name) => [name, `0x${tcb[name]}`])),
      );
      expect(info.appCompose).to.equal(tcb.app_compose);
      expect(info.eventLog).to.equal(JSON.stringify(tcb.event_log));
    }
    const twice = readInfo(bytesOf({ compose_hash: "aa", tcb_info: { compose_hash: "bb" }, os_image_hash: "" }));
    expect(twice).to.deep.include({
      composeHashes: { compose_hash: "0xaa", "tcb_info.compose_hash": "0xbb" },
      osImageHashes: {},
      unproven: [],
    });
  });

  it("refuses Info of other types", () => {
    for (const [json, fact] of [
      [[], /expected object/],
      [{ tcb_info: "?" }, /The tcb_info cannot be read: not JSON/],
      [{ tcb_info: 1 }, /expected object/],
      [{ app_id: "zz" }, /at app_id/],
      [{ tcb_info: { mrtd: "ab".repeat(200) } }, /at mrtd/],
    ] as const)
      expectError(() => readInfo(bytesOf(json)), bad, fact);
  });
});

describe("repeatedKey", () => {
  it("finds keys that stand twice in one object, however they are written", () => {
    for (const [json, key] of [
      ['{"a":1,"a":2}', "a"],
      ['{"a":1,"\\u0061" \n :2}', "a"],
      [`{"a":1,"a"${" ".repeat(200)}:2}`, "a"],
      ['[{"x":{"b":[],"c":{},"b":0}}]', "b"],
      ['{"\\"":1,"\\"":2}', '"'],
      ['{"":1,"":2}', ""],
      ['{"__proto__":1,"__proto__":2}', "__proto__"],
    ] as const)
      expect(repeatedKey(json)).to.equal(key);
    for (const json of [
      '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
      '{"a":"\\"a\\":1,\\"a\\":2","b":"{"}',
      '["a","a"]',
      '{"a":"a","b":"a"}',
      "{}",
      `{"a":"${"\\n\\\\".repeat(60_000)}"}`,
    ])
      expect(repeatedKey(json)).to.equal(undefined);
  });
});
