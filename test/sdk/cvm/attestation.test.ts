/** A worker's answer to GET /attestation: every field of it changed, and the line that says so. */
import { expect } from "chai";
import { stringToBytes } from "viem";
import { challengeReportData, registrationReportData } from "../../../protocol/attestationBinding.ts";
import { readAttestation, readExpectedBinding } from "../../../sdk/cvm/attestation.ts";
import type { CvmPolicy } from "../../../sdk/cvm/case.ts";
import { verifyCvm } from "../../../sdk/cvm/verifyCvm.ts";
import { expectError } from "../../protocol/quote/vectors.ts";
import { at, binding, idsOf, said, workerAnswer } from "./vms.ts";

const bytesOf = (json: unknown) => stringToBytes(JSON.stringify(json));
const nonce = `0x${"17".repeat(32)}` as const;
const other = `0x${"ee".repeat(32)}` as const;
const otherAccount = `0x${"ee".repeat(20)}` as const;
const block = { number: 17n, hash: other };
const { answer, policy } = workerAnswer(challengeReportData(binding, nonce), "challenge");
const registered = workerAnswer(registrationReportData(binding, block.number, block.hash), "registration").answer;
type Answer = typeof answer;

async function examine(json: object, more: Partial<CvmPolicy> = { nonce }) {
  return await verifyCvm(readAttestation(bytesOf(json)), { ...policy, ...more });
}

/** Lines that are false. */
async function falseIn(json: object, more: Partial<CvmPolicy> = { nonce }) {
  const lines = Object.entries(said(await examine(json, more)));
  const found = lines.filter(([, text]) => text.startsWith("not verified: "));
  return Object.fromEntries(found.map(([id, text]) => [id, text.slice("not verified: ".length)]));
}

const changed = (change: Partial<Answer["binding"]>) => ({ ...answer, binding: { ...answer.binding, ...change } });

describe("verifyCvm on a worker's attestation", () => {
  it("recomputes the report data over binding and nonce, or over binding and block", async () => {
    const report = await examine(answer);
    expect(said(report, "bound", "claims")).to.deep.equal({
      "bound.reportData": "verified: recomputed over binding, nonce",
      "bound.nonce": `verified: ${nonce}`,
      "bound.chainId": "verified: 31337",
      "bound.registry": `verified: ${binding.registry}`,
      "bound.operator": `verified: ${binding.operator}`,
      "bound.signingKey": `verified: ${binding.signingKey}`,
      "bound.vaultKey": `verified: ${binding.vaultKey}`,
      "bound.kind": "verified: challenge",
      "claims.images": `verified: ${answer.images[0]}`,
      "claims.registration": `verified: platform ${answer.registration.platformId}, by the worker's word until 2026-08-20T01:00:00.000Z`,
      "claims.simulated": "verified: not Intel's",
    });
    expect(idsOf(report, "not verified")).to.deep.equal([]);
    expect(idsOf(report, "cannot be verified")).to.deep.equal([
      "quote.genuine",
      "quote.tcb",
      "boot.osImage",
      "boot.workload",
    ]);
    expect(report.warnings).to.deep.equal([
      "nobody here speaks for buildManifest, registrationTx, registration.tcbStatus, registration.expiresAt",
    ]);
    expect(said(await examine(registered, { block }), "bound.reportData", "bound.block", "bound.kind")).to.deep.equal({
      "bound.reportData": "verified: recomputed over binding, block.number and block.hash",
      "bound.block": `verified: block 17, ${other}`,
      "bound.kind": "verified: registration",
    });
  });

  it("says that nothing is bound while the caller names neither nonce nor block", async () => {
    for (const [json, missing] of [
      [answer, "the nonce was not given"],
      [registered, "the block that it names was not given"],
    ] as const) {
      const lines = said(await examine(json, {}), "bound");
      expect(lines["bound.reportData"]).to.equal(`cannot be verified: ${missing}`);
      expect(lines["bound.operator"]).to.equal("cannot be verified: the report data were not recomputed");
      expect(Object.values(lines).every((text) => text.startsWith("cannot be verified"))).to.equal(true);
    }
  });

  it("names the field of the binding that lies, once somebody says what is right", async () => {
    const lies: Partial<Answer["binding"]>[] = [
      { chainId: 1 },
      { registry: otherAccount },
      { operator: otherAccount },
      { signingKey: otherAccount },
      { vaultKey: other },
    ];
    for (const lie of lies) {
      const [field = "", stated] = Object.entries(lie)[0] ?? [];
      const right = binding[field as keyof typeof binding];
      const found = await falseIn(changed(lie), { nonce, expectedBinding: binding });
      const alsoRegistry = "registry" in lie ? ["claims.registration"] : [];
      expect(Object.keys(found)).to.deep.equal(["bound.reportData", `bound.${field}`, ...alsoRegistry]);
      expect(found["bound.reportData"]).to.equal(`with binding.${field} ${right} they are`);
      expect(found[`bound.${field}`]).to.equal(`binding.${field} is ${stated}, the quote binds ${right}`);
    }
    // The registry stands in the answer twice: no other source is needed.
    expect(await falseIn(changed({ registry: otherAccount }))).to.have.property(
      "bound.registry",
      `binding.registry is ${otherAccount}, the quote binds ${binding.registry}`,
    );
    const both = await falseIn(changed({ operator: otherAccount, vaultKey: other }), {
      nonce,
      expectedBinding: binding,
    });
    expect(Object.keys(both)).to.deep.equal(["bound.reportData", "bound.operator", "bound.vaultKey"]);
    // A true quote of somebody else's.
    const foreign = await falseIn(answer, { nonce, expectedBinding: { ...binding, operator: otherAccount } });
    expect(foreign).to.deep.equal({
      "bound.operator": `binding.operator is ${binding.operator}, expected is ${otherAccount}`,
    });
  });

  it("names the nonce that lies; without a second source all that it may be", async () => {
    expect(await falseIn(answer, { nonce: other, expectedBinding: binding })).to.deep.equal({
      "bound.reportData": "they are of another nonce",
      "bound.nonce": "it was made for another nonce: the whole binding is as expected",
    });
    const report = await examine(answer, { nonce: other, expectedBinding: { chainId: 31_337n } });
    const fields = ["nonce", "binding.registry", "binding.operator", "binding.signingKey", "binding.vaultKey"];
    expect(said(report, "bound.reportData", "bound.nonce", "bound.chainId")).to.deep.equal({
      "bound.reportData": `not verified: they are of another ${fields.join(", or another ")}`,
      "bound.nonce": "cannot be verified: the nonce or a field of binding is another; say what you know of the binding",
      "bound.chainId": "cannot be verified: the report data were not recomputed",
    });
    expect(await falseIn(registered, { block: { ...block, number: 18n }, expectedBinding: binding })).to.deep.equal({
      "bound.reportData": "they are of another block.number and block.hash",
      "bound.block": "it was made for another block: the whole binding is as expected",
    });
  });

  it("names every other field that lies", async () => {
    const { info, registration } = answer;
    const log = (text: string) => answer.eventLog.replace(text, text.replace(/./g, "e"));
    const quote = (offset: number) => {
      const place = 2 + 2 * offset;
      const digit = answer.quote[place] === "0" ? "1" : "0";
      return { quote: `${answer.quote.slice(0, place)}${digit}${answer.quote.slice(place + 1)}` };
    };
    const late = { nonce, at: at + 3600 };
    const cases: [change: object, ids: string[], reason: RegExp, more?: Partial<CvmPolicy>][] = [
      [{ eventLog: log(info.appId) }, ["boot.log"], /^The event log replays to 0x\w{96}, the quote has RTMR3 0x/],
      [{ eventLog: "[]" }, ["boot.log"], /^The event log replays to 0x0{96}, the quote/],
      [{ appCompose: `${answer.appCompose} ` }, ["app.compose"], /^its SHA-256 is 0x\w{64}, MRCONFIGID commits to 0x/],
      [{ info: { ...info, appId: "ee".repeat(20) } }, ["id.app"], /, app_id in Info says 0xe{40}$/],
      [{ info: { ...info, instanceId: "ee".repeat(20) } }, ["id.instance"], /, instance_id in Info says 0xe{40}$/],
      [{ info: { ...info, appName: "another" } }, ["info.name"], /^app_name in Info is another, in the manifest app$/],
      [{ images: ["a:latest"] }, ["claims.images"], /^images has a:latest, the compose file has not$/],
      [{ images: [] }, ["claims.images"], /^images lacks example\/app@sha256:/],
      [{ reportDataKind: "registration" }, ["bound.kind"], /^reportDataKind is registration, nonce is of a challenge$/],
      [{ simulated: false }, ["claims.simulated"], /^simulated is false, the quote's root key is not Intel's$/],
      [
        { buildManifest: null },
        ["claims.buildManifest"],
        /^buildManifest is null$/,
        { nonce, expectedBuildManifest: other },
      ],
      [
        { registration: { ...registration, registry: otherAccount } },
        ["claims.registration"],
        /^registration.registry is 0xe{40}, binding.registry is 0x(a1){20}$/,
      ],
      [
        { registration: { ...registration, platformId: `0x${"ee".repeat(16)}` } },
        ["claims.registration"],
        /^registration.platformId is 0xe{32}, the quote's is 0x\w{32}$/,
      ],
      [{}, ["claims.registration"], /^registration.expiresAt is 2026-08-20T01:00:00.000Z: it has ended$/, late],
      [
        quote(520 + 48),
        ["bound.reportData", "quote.signature"],
        /^they are of another nonce, or another binding.chainId, or another binding.registry, /,
      ],
    ];
    for (const [change, ids, reason, more] of cases) {
      const found = await falseIn({ ...answer, ...change }, more);
      expect(Object.keys(found).sort(), reason.source).to.deep.equal(ids);
      expect(found[ids[0] ?? ""]).to.match(reason);
    }
    const open = await examine({ ...answer, registration: null, registrationTx: undefined });
    expect(said(open, "claims.registration")).to.deep.equal({
      "claims.registration": "cannot be verified: it is not registered",
    });
    expect(open.warnings).to.deep.equal(["nobody here speaks for buildManifest"]);
  });

  it("compares the report data of any app with what the caller expects, padded as dstack pads", async () => {
    const reportData = `0x1234${"00".repeat(62)}` as const;
    const any = readAttestation(bytesOf(workerAnswer(reportData, "challenge").answer));
    const evidence = { answer: any.answer };
    const lines = async (expectedReportData: `0x${string}`) =>
      said(await verifyCvm(evidence, { ...policy, expectedReportData }), "bound");
    expect(await lines("0x1234")).to.deep.equal({ "bound.expected": `verified: ${reportData}` });
    expect(await lines("0x123400")).to.deep.equal({ "bound.expected": `verified: ${reportData}` });
    expect(await lines("0x123401")).to.deep.equal({ "bound.expected": `not verified: the quote has ${reportData}` });
  });
});

describe("readAttestation and readExpectedBinding", () => {
  const bad = "Cvm.BadEvidenceError";

  it("refuse what is no worker's answer, and fields that stand twice", () => {
    for (const [json, fact] of [
      [{ ...answer, quote: undefined }, /at quote/],
      [{ ...answer, binding: { ...answer.binding, operator: "0x12" } }, /at binding.operator/],
      [{ ...answer, reportDataKind: "other" }, /at reportDataKind/],
      [{ ...answer, registration: { ...answer.registration, tcbStatus: "Good" } }, /at registration.tcbStatus/],
      [{ ...answer, info: { ...answer.info, appId: "zz" } }, /The info cannot be read: .*at app_id/s],
      [[], /expected object/],
    ] as const)
      expectError(() => readAttestation(bytesOf(json)), bad, fact);
    const twice = JSON.stringify(answer).replace('"simulated":true', '"simulated":false,"simulated":true');
    expectError(
      () => readAttestation(stringToBytes(twice)),
      bad,
      'The attestation cannot be read: it names "simulated" twice',
    );
  });

  it("read what is known of a worker from an attestation, a deployment file or some fields", () => {
    const { chainId, operator, registry } = binding;
    for (const [json, expected] of [
      [answer, binding],
      [
        { chainId: 31_337, contracts: { enclaveRegistry: registry, jobMarket: operator }, rootKey: "0x" },
        { chainId, registry },
      ],
      [{ operator, endpoint: "https://worker.example" }, { operator }],
    ] as const)
      expect(readExpectedBinding(bytesOf(json))).to.deep.equal(expected);
    expectError(() => readExpectedBinding(bytesOf({ binding: {} })), bad, /it has no field of a binding$/);
    expectError(() => readExpectedBinding(bytesOf({ operator: 1 })), bad, /at operator/);
  });
});
