/** What only quote and collateral together show. */
import { expect } from "chai";
import { bytesToHex, hexToBytes } from "viem";
import type { Collateral } from "../../../protocol/collateral/collateral.ts";
import {
  type Judgement,
  type JudgementOptions,
  jointChecks,
  judgeQuote,
} from "../../../protocol/collateral/judgeQuote.ts";
import { collateralChecks } from "../../../protocol/collateral/verifyCollateral.ts";
import { intelRootKey } from "../../../protocol/deployment.ts";
import { readCertificate } from "../../../protocol/quote/certificate.ts";
import { type SplitQuote, splitQuote } from "../../../protocol/quote/parseQuote.ts";
import { quoteChecks } from "../../../protocol/quote/verifyQuote.ts";
import { basicConstraints, extension, intelName, issueCertificate, keyUsage } from "../../../simulator/certificate.ts";
import { flipped, platform, signP256 } from "../quote/vectors.ts";
import { best, collateralOf, quoteOf } from "./index.ts";
import {
  asTdx15,
  certificate,
  crl,
  jsonBytes,
  keys,
  nameOf,
  names,
  now,
  qeIdentityJson,
  signedCollateral,
  signedQeIdentity,
  signedTcbInfo,
  tcbInfoJson,
} from "./signed.ts";

const reportData = new Uint8Array(64).fill(5);
const honest = platform.quote(reportData);
const leaf = readCertificate(platform.certificates.pckLeaf);
const refused = new Set<string>();

function judge(
  quote: Uint8Array | SplitQuote,
  changes: Partial<Collateral> = {},
  options?: JudgementOptions,
): Judgement {
  return judgeQuote(quote, signedCollateral(changes), platform.rootKey, now, options);
}

/** Expects a refusal, and the check and fact that it is for. */
function refuses(judgement: Judgement, check: (typeof jointChecks)[number] | "QE identity", fact: string): void {
  const last = judgement.checks.at(-1);
  expect(last).to.deep.equal({ check, passed: false, fact });
  expect(judgement.accepted).to.equal(false);
  expect(judgement.error?.message).to.contain(fact);
  expect(judgement.checks.slice(0, -1).every(({ passed }) => passed)).to.equal(true);
  refused.add(check);
}

const info = (change: (json: ReturnType<typeof tcbInfoJson>) => void) => {
  const json = tcbInfoJson();
  change(json);
  return signedTcbInfo(jsonBytes(json));
};
const identity = (changes: object) => signedQeIdentity(jsonBytes({ ...qeIdentityJson(), ...changes }));

/** The honest quote with another PCK leaf of the PCK CA. */
const withLeaf = (changes: Partial<Parameters<typeof issueCertificate>[0]>): SplitQuote => ({
  ...splitQuote(honest),
  pckLeaf: bytesToHex(
    issueCertificate(
      {
        issuer: names.pckCa,
        subject: leaf.subject,
        subjectKey: keys.pck.publicKey,
        serial: Uint8Array.of(5),
        notBefore: new Date(0),
        notAfter: new Date((now + 86_400) * 1000),
        extensions: [
          keyUsage("leaf"),
          basicConstraints(undefined),
          extension("1.2.840.113741.1.13.1", leaf.sgxExtension ?? new Uint8Array()),
        ],
        ...changes,
      },
      keys.pckCa,
    ),
  ),
});

/** The honest quote with another QE report, signed by the platform's PCK key. */
function withQeReport(change: (report: Uint8Array) => void): SplitQuote {
  const split = splitQuote(honest);
  const core = hexToBytes(split.quote);
  const report = core.subarray(770, 1154);
  change(report);
  core.set(signP256(report, keys.pck.privateKey), 1154);
  return { ...split, quote: bytesToHex(core) };
}

const pemLines = (base64: string) => base64.match(/.{1,64}/g)?.join("\n") ?? "";

describe("judgeQuote", () => {
  it("accepts an honest quote, whole or split, and tells every check", () => {
    for (const quote of [honest, splitQuote(honest), withLeaf({})]) {
      const { accepted, checks, tcb, error, validUntil, quote: checked } = judge(quote);
      expect(accepted).to.equal(true);
      expect(error).to.equal(undefined);
      expect(checks.every(({ passed }) => passed)).to.equal(true);
      expect(checks.map(({ check }) => check).sort()).to.deep.equal(
        [...collateralChecks, ...quoteChecks, ...jointChecks]
          .filter((check) => quote === honest || check !== "root CA of the quote")
          .sort(),
      );
      expect(tcb?.status).to.equal("UpToDate");
      expect(validUntil).to.equal(now + 3599);
      expect(bytesToHex(checked?.report.reportData ?? new Uint8Array())).to.equal(bytesToHex(reportData));
    }
  });

  it("refuses a leaf on the PCK CA's list, and a PCK CA certificate of the quote on the root's", () => {
    const revoked = (serial: bigint) => ({ pckCrl: crl(keys.pckCa, { issuer: names.pckCa, revoked: [9n, serial] }) });
    refuses(judge(withLeaf({}), revoked(5n)), "leaf revocation", "serial 0x5 is revoked");
    refuses(judge(honest, revoked(leaf.serial)), "leaf revocation", `serial 0x${leaf.serial.toString(16)} is revoked`);
    expect(judge(withLeaf({}), revoked(6n)).accepted).to.equal(true);
    // The collateral brings a newer certificate of the same CA: the quote's own must not be on the list either.
    const renewed = certificate({ subject: names.pckCa, subjectKey: keys.pckCa.publicKey, serial: Uint8Array.of(8) });
    const { serial } = readCertificate(platform.certificates.pckIssuer);
    const rootCaCrl = crl(keys.root, { revoked: [serial] });
    const fact = `serial 0x${serial.toString(16)} is revoked`;
    refuses(judge(honest, { pckCa: renewed, rootCaCrl }), "PCK CA of the quote revocation", fact);
    expect(judge(honest, { pckCa: renewed }).accepted).to.equal(true);
  });

  it("refuses collateral of another PCK CA, and leaves that are no PCK certificates", () => {
    const processor = intelName("Intel SGX PCK Processor CA");
    const other = {
      pckCa: certificate({ subject: processor, subjectKey: keys.signing.publicKey, serial: Uint8Array.of(7) }),
      pckCrl: crl(keys.signing, { issuer: processor }),
    };
    refuses(judge(honest, other), "PCK CA match", "the collateral is of another PCK CA");
    for (const subject of [intelName("Intel SGX TCB Signing"), nameOf("Intel SGX PCK Certificate")])
      refuses(judge(withLeaf({ subject })), "leaf common name", "no PCK certificate");
  });

  it("refuses TCB info of another kind of platform", () => {
    refuses(
      judge(
        honest,
        info((json) => (json.fmspc = "90C06F000000")),
      ),
      "platform match",
      "TCB info is for FMSPC 0x90c06f000000, the quote's platform has 0xb0c06f000000.",
    );
    refuses(
      judge(
        honest,
        info((json) => (json.pceId = "0001")),
      ),
      "platform match",
      "TCB info is for PCE id 0x0001, the quote's platform has 0x0000.",
    );
  });

  it("takes the quoting enclave from the collateral", () => {
    const attributes = "a debug enclave, or of other attributes";
    refuses(judge(honest, identity({ isvprodid: 1 })), "QE identity", "another enclave of Intel's");
    refuses(judge(honest, identity({ mrsigner: "00".repeat(32) })), "QE identity", "not signed by Intel");
    refuses(judge(honest, identity({ miscselect: "01000000" })), "QE identity", attributes);
    refuses(judge(honest, identity({ attributes: `13${"00".repeat(15)}` })), "QE identity", attributes);
    const loose = identity({ attributes: "00".repeat(16), attributesMask: "00".repeat(16) });
    expect(judge(honest, loose).accepted).to.equal(true);
    const debug = withQeReport((report) => report.set([0x17], 48));
    refuses(judge(debug, loose), "QE identity", attributes); // no mask makes a debug enclave acceptable
    const misc = withQeReport((report) => report.set([0x80], 19));
    refuses(judge(misc), "QE identity", attributes);
    expect(judge(misc, identity({ miscselectMask: "FFFFFF00" })).accepted).to.equal(true);
    const older = withQeReport((report) => report.set([3, 0], 258));
    const fact = "Intel lists no status for the quoting enclave: ISVSVN 3 is below every level.";
    refuses(judge(older), "TCB level", fact);
  });

  it("refuses TDX modules of another signer, or that Intel does not list", () => {
    const fact = "of another signer, or other attributes";
    const module = (change: (one: { mrsigner: string; attributes: string }) => void) =>
      info((json) => change(json.tdxModuleIdentities[1]));
    refuses(
      judge(
        honest,
        module((one) => (one.mrsigner = "01".repeat(48))),
      ),
      "TDX module",
      fact,
    );
    refuses(
      judge(
        honest,
        module((one) => (one.attributes = `01${"00".repeat(7)}`)),
      ),
      "TDX module",
      fact,
    );
    const unlisted = info((json) => json.tdxModuleIdentities.pop());
    refuses(judge(honest, unlisted), "TDX module", "Intel lists no status for the TDX module: no identity TDX_01.");
    const plain = platform.quote(reportData, { teeTcbSvn: hexToBytes("0x05000400000000000000000000000000") });
    expect(judge(plain, unlisted).accepted).to.equal(true);
    refuses(
      judge(
        plain,
        info((json) => (json.tdxModule.mrsigner = "01".repeat(48))),
      ),
      "TDX module",
      fact,
    );
  });

  it("refuses statuses that the policy does not allow, but says them", () => {
    const level = (status: string) => info((json) => (json.tcbLevels[0].tcbStatus = status));
    const allowed = "allowed: UpToDate, SWHardeningNeeded";
    for (const status of ["OutOfDate", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "Revoked"]) {
      const judgement = judge(honest, level(status));
      refuses(judgement, "TCB policy", `${status}; ${allowed}`);
      expect(judgement.tcb?.status).to.equal(status);
    }
    expect(judge(honest, level("SWHardeningNeeded")).accepted).to.equal(true);
    expect(judge(honest, level("OutOfDate"), { policy: ["OutOfDate"] }).accepted).to.equal(true);
    refuses(judge(honest, {}, { policy: ["OutOfDate"] }), "TCB policy", "UpToDate; allowed: OutOfDate");
    refuses(judge(honest, level("Revoked"), { policy: ["Revoked"] }), "TCB policy", "Revoked; allowed: nothing");
    refuses(judge(honest, {}, { policy: [] }), "TCB policy", "UpToDate; allowed: nothing");
    const qe = (status: string) => {
      const [first] = qeIdentityJson().tcbLevels;
      return identity({ tcbLevels: [{ ...first, tcbStatus: status }] });
    };
    refuses(judge(honest, qe("OutOfDate")), "TCB policy", `OutOfDate; ${allowed}`);
    refuses(judge(honest, qe("Revoked")), "TCB policy", `Revoked; ${allowed}`);
  });

  it("judges TDX 1.5 by the module of launch and of now", () => {
    const svn = (first: number) => Uint8Array.from([first, 1, 4, ...Array(13).fill(0)]);
    const launched = (launch: number, current: number) =>
      judge(asTdx15(platform.quote(reportData, { teeTcbSvn: svn(launch) }), svn(current)));
    expect(launched(11, 11).tcb?.status).to.equal("UpToDate");
    expect(launched(11, 13).accepted).to.equal(true);
    refuses(launched(6, 11), "TCB policy", "TDRelaunchAdvised; allowed: UpToDate, SWHardeningNeeded");
    refuses(launched(6, 6), "TCB policy", "OutOfDate; allowed: UpToDate, SWHardeningNeeded");
    refuses(
      launched(11, 1),
      "TCB level",
      "Intel lists no status for the TDX module: SVN 1 is below every level of version 1.",
    );
    const serviced = asTdx15(honest, svn(11), new Uint8Array(48).fill(1));
    expect(judge(serviced).checks.at(-1)).to.deep.equal({
      check: "MRSERVICETD",
      passed: false,
      fact: "a service TD is bound to the VM",
    });
  });

  it("answers malformed quotes, certificates and collateral with a refusal too", () => {
    refuses(judge(new Uint8Array(10)), "quote format", "Quote is malformed: size: 10 bytes, at least 48 expected.");
    refuses(judge(Uint8Array.from([...honest, 1])), "quote format", "Quote is malformed: padding: not zero.");
    const empty = judge(honest, { rootCaCrl: new Uint8Array() });
    refuses(empty, "collateral format", "Malformed DER in revocation list at byte 0: cut short.");
    const cut = { ...splitQuote(honest), pckLeaf: "0x30" as const };
    refuses(judge(cut), "certificate format", "Malformed DER in certificate at byte 0: cut short.");
  });

  it("refuses a whole quote that brings another root", () => {
    const text = Buffer.from(honest).toString("latin1");
    // Of the same length as the root that it replaces, and of another key.
    const own = Buffer.from(platform.certificates.root).toString("base64");
    const key = Buffer.from(keys.root.publicKey.subarray(1, 61));
    const der = Buffer.from(platform.certificates.root);
    der.set(keys.pck.publicKey.subarray(1, 61), der.indexOf(key));
    const forged = text.replace(pemLines(own), pemLines(der.toString("base64")));
    expect(forged).to.not.equal(text);
    const judgement = judge(Uint8Array.from(Buffer.from(forged, "latin1")));
    refuses(judgement, "root CA of the quote", "not of the root key");
  });

  it("has a test for every check that needs both", () => {
    expect([...refused].sort()).to.deep.equal([...jointChecks, "QE identity"].sort());
  });

  it("refuses a flipped byte in every part of a real quote", () => {
    const quote = quoteOf(best.quote);
    const collateral = collateralOf(best.collateral);
    for (let at = 0; at < quote.length; at += 61) {
      const { accepted } = judgeQuote(flipped(quote, at), collateral, intelRootKey, best.at);
      expect(accepted, `byte ${at}`).to.equal(false);
    }
  });
});
