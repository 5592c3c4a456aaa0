import { expect } from "chai";
import { bytesToHex, type Hex, hexToBytes, keccak256, slice } from "viem";
import { intelRootKey } from "../../../protocol/deployment.ts";
import { readCertificate } from "../../../protocol/quote/certificate.ts";
import { parseQuote, type SplitQuote, splitQuote } from "../../../protocol/quote/parseQuote.ts";
import {
  type QuoteCheck,
  type QuoteCheckError,
  quoteChecks,
  verifyQuote,
} from "../../../protocol/quote/verifyQuote.ts";
import { basicConstraints, extension, issueCertificate, keyUsage } from "../../../simulator/certificate.ts";
import { p256KeyPair } from "../../../simulator/secrets.ts";
import {
  caught,
  expectError,
  flipped,
  platform,
  realTime,
  secrets,
  signP256,
  simulatedTime,
  vector,
} from "./vectors.ts";

const refusedChecks = new Set<QuoteCheck>();

function refuses(act: () => unknown, check: QuoteCheck, fact: string | RegExp): void {
  const prefix = `Quote refused, ${check}: `;
  expectError(act, "Quote.QuoteCheckError", typeof fact === "string" ? `${prefix}${fact}.` : fact);
  expect((caught(act) as QuoteCheckError).check).to.equal(check);
  refusedChecks.add(check);
}

describe("verifyQuote on real quotes", () => {
  const nearmpc = vector("tdx/nearmpc.quote.bin");

  it("verifies them up to Intel's root key", () => {
    for (const name of ["nearmpc", "gcp", "phala"]) {
      const verified = verifyQuote(vector(`tdx/${name}.quote.bin`), intelRootKey, realTime);
      expect(verified.tcb).to.equal("not evaluated");
      expect(verified.platformId).to.equal(slice(keccak256(verified.platform.ppid), 0, 16));
    }
    const { platform, validUntil } = verifyQuote(splitQuote(nearmpc), intelRootKey, realTime);
    expect(platform).to.deep.equal({
      ppid: "0xd208dfb1002346ae1bb4ef2a3c055292",
      fmspc: "0xb0c06f000000",
      pceId: "0x0000",
      componentSvns: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
      pceSvn: 11,
    });
    expect(validUntil).to.equal(Date.UTC(2032, 10, 6, 7, 37, 34) / 1000);
  });

  it("verifies real quotes of version 5", () => {
    for (const name of ["gotdx_v5", "phala_sample_v5_td15"]) {
      const { report } = verifyQuote(vector(`tdx/quotes/${name}.bin`), intelRootKey, realTime);
      expect(report.teeTcbSvn2?.length).to.equal(16);
    }
  });

  it("refuses a VM without SEPT_VE_DISABLE, with a service TD, and quotes of other versions", () => {
    const whole = vector("tdx/gotdx_sept_ve.quote.bin");
    const trimmed = whole.subarray(0, 636 + 4299);
    refuses(() => verifyQuote(trimmed, intelRootKey, realTime), "SEPT_VE_DISABLE attribute", "not set");
    const alibaba = vector("tdx/alibaba_v5.quote.bin");
    refuses(() => verifyQuote(alibaba, intelRootKey, realTime), "MRSERVICETD", "a service TD is bound to the VM");
    expectError(
      () => verifyQuote(vector("tdx/sgx_v3.quote.bin"), intelRootKey, realTime),
      "Quote.UnsupportedQuoteError",
      "Quote of version 3 is not supported.",
    );
  });

  it("refuses another root key", () => {
    refuses(() => verifyQuote(nearmpc, platform.rootKey, realTime), "issuer signature", "not valid");
    const offCurve: Hex = `0x${"11".repeat(64)}`;
    refuses(() => verifyQuote(nearmpc, offCurve, realTime), "issuer signature", "not valid");
  });

  it("holds certificates to their dates, to the second", () => {
    const [first, last] = [Date.UTC(2025, 10, 6, 7, 37, 34) / 1000, Date.UTC(2032, 10, 6, 7, 37, 34) / 1000];
    verifyQuote(nearmpc, intelRootKey, first);
    verifyQuote(nearmpc, intelRootKey, last);
    const outside = (at: number) => `${at} is outside ${first} to ${last}`;
    refuses(() => verifyQuote(nearmpc, intelRootKey, first - 1), "leaf dates", outside(first - 1));
    refuses(() => verifyQuote(nearmpc, intelRootKey, last + 1), "leaf dates", outside(last + 1));
    const issuer = [Date.UTC(2018, 4, 21, 10, 50, 10) / 1000, Date.UTC(2033, 4, 21, 10, 50, 10) / 1000];
    refuses(() => verifyQuote(nearmpc, intelRootKey, 0), "issuer dates", `0 is outside ${issuer[0]} to ${issuer[1]}`);
    refuses(() => verifyQuote(nearmpc, intelRootKey, Number.NaN), "issuer dates", /NaN is outside/);
  });

  it("refuses a flipped byte in every signed part, by the check that part is under", () => {
    const { quote, pckLeaf, pckIssuer } = splitQuote(nearmpc);
    const core = hexToBytes(quote);
    const flipCore = (offset: number) => () =>
      verifyQuote({ quote: bytesToHex(flipped(core, offset)), pckLeaf, pckIssuer }, intelRootKey, realTime);
    for (let at = 28; at < 632; at += 13) refuses(flipCore(at), "TD signature", "not valid");
    for (let at = 636; at < 700; at += 9) refuses(flipCore(at), "TD signature", "not valid");
    for (let at = 700; at < 764; at += 9) refuses(flipCore(at), "QE binding", "another key");
    for (let at = 770; at < 1218; at += 13) refuses(flipCore(at), "QE report signature", "not valid");
    for (let at = 1220; at < 1252; at += 5) refuses(flipCore(at), "QE binding", "another key");
  });

  it("refuses a flipped byte in every signed part of version 5", () => {
    const { quote, pckLeaf, pckIssuer } = splitQuote(vector("tdx/quotes/gotdx_v5.bin"));
    const core = hexToBytes(quote);
    const flip = (offset: number) => () =>
      verifyQuote({ quote: bytesToHex(flipped(core, offset)), pckLeaf, pckIssuer }, intelRootKey, realTime);
    for (let at = 28; at < 48; at += 7) refuses(flip(at), "TD signature", "not valid");
    for (let at = 54; at < 702; at += 13) refuses(flip(at), "TD signature", "not valid");
    for (let at = 706; at < 770; at += 9) refuses(flip(at), "TD signature", "not valid");
    for (let at = 770; at < 834; at += 9) refuses(flip(at), "QE binding", "another key");
    for (let at = 840; at < 1288; at += 13) refuses(flip(at), "QE report signature", "not valid");
  });

  it("refuses a flipped byte anywhere in the certificates", () => {
    const split = splitQuote(nearmpc);
    for (const part of ["pckLeaf", "pckIssuer"] as const) {
      const der = hexToBytes(split[part]);
      for (let at = 0; at < der.length; at += 7) {
        const error = caught(() =>
          verifyQuote({ ...split, [part]: bytesToHex(flipped(der, at)) }, intelRootKey, realTime),
        ) as Error;
        expect(error.name, `${part} byte ${at}`).to.match(
          /^Quote\.(QuoteCheck|MalformedDer|UnsupportedCertificate)Error$/,
        );
      }
    }
  });

  it("refuses certificates of other platforms, swapped, cut or with bytes behind", () => {
    const split = splitQuote(nearmpc);
    const verify = (changes: Partial<SplitQuote>) => () =>
      verifyQuote({ ...split, ...changes }, intelRootKey, realTime);
    refuses(verify({ pckLeaf: bytesToHex(vector("tdx/phala.leaf.der")) }), "QE report signature", "not valid");
    refuses(verify({ pckIssuer: split.pckLeaf }), "issuer signature", "not valid");
    refuses(verify({ pckLeaf: split.pckIssuer }), "leaf signature", "not valid");
    refuses(verify({ pckIssuer: bytesToHex(vector("tdx/root_ca.der")) }), "leaf signature", "not valid");
    const refused = /Malformed DER in certificate at byte \d+: (trailing bytes|cut short)\./;
    expectError(verify({ pckLeaf: `${split.pckLeaf}00` }), "Quote.MalformedDerError", refused);
    expectError(verify({ pckLeaf: split.pckLeaf.slice(0, -2) as Hex }), "Quote.MalformedDerError", refused);
    expectError(verify({ pckLeaf: "0x" }), "Quote.MalformedDerError", refused);
  });
});

describe("verifyQuote on truly signed, hostile quotes", () => {
  const reportData = new Uint8Array(64).fill(5);
  const honest = splitQuote(platform.quote(reportData));
  const attestationKeys = p256KeyPair(secrets, "attestation key");
  const pckKeys = p256KeyPair(secrets, "PCK");
  const issuerKeys = p256KeyPair(secrets, "PCK Platform CA");
  const rootKeys = p256KeyPair(secrets, "root CA");
  const verify = (changes: Partial<SplitQuote>) => () =>
    verifyQuote({ ...honest, ...changes }, platform.rootKey, simulatedTime);

  /** The honest quote with another QE report, signed by the platform's PCK key. */
  function withQeReport(change: (report: Uint8Array) => void): Partial<SplitQuote> {
    const core = hexToBytes(honest.quote);
    const report = core.subarray(770, 1154);
    change(report);
    core.set(signP256(report, pckKeys.privateKey), 1154);
    return { quote: bytesToHex(core) };
  }

  const leafRead = readCertificate(platform.certificates.pckLeaf);
  const issuerRead = readCertificate(platform.certificates.pckIssuer);
  const leafTerms = {
    issuer: leafRead.issuer,
    subject: leafRead.subject,
    subjectKey: pckKeys.publicKey,
    serial: Uint8Array.of(1),
    notBefore: new Date(0),
    notAfter: new Date("2040-01-01T00:00:00Z"),
    extensions: [
      keyUsage("leaf"),
      basicConstraints(undefined),
      extension("1.2.840.113741.1.13.1", leafRead.sgxExtension ?? new Uint8Array()),
    ],
  };
  const leaf = (changes: Partial<typeof leafTerms>) => ({
    pckLeaf: bytesToHex(issueCertificate({ ...leafTerms, ...changes }, issuerKeys)),
  });
  const issuer = (extensions: Uint8Array[]) => ({
    pckIssuer: bytesToHex(
      issueCertificate(
        {
          ...leafTerms,
          issuer: issuerRead.issuer,
          subject: issuerRead.subject,
          subjectKey: issuerKeys.publicKey,
          extensions,
        },
        rootKeys,
      ),
    ),
  });

  it("verifies the honest one, and one over reissued certificates", () => {
    expect(bytesToHex(verify({})().report.reportData)).to.equal(bytesToHex(reportData));
    verify({ ...leaf({}), ...issuer([keyUsage("authority"), basicConstraints(0)]) })();
  });

  it("accepts high s where Intel would write it", () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const core = hexToBytes(honest.quote);
    const s = core.subarray(668, 700);
    s.set(hexToBytes(`0x${(order - BigInt(bytesToHex(s))).toString(16).padStart(64, "0")}`));
    verify({ quote: bytesToHex(core) })();
  });

  it("refuses VMs that are open to their host", () => {
    const attributes = (hex: Hex) => ({ tdAttributes: hexToBytes(hex) });
    const refuse = (overrides: Parameters<typeof platform.quote>[1], check: QuoteCheck, fact: string) =>
      refuses(() => verifyQuote(platform.quote(reportData, overrides), platform.rootKey, simulatedTime), check, fact);
    for (const bit of [0x01, 0x10, 0x80])
      refuse(
        { tdAttributes: Uint8Array.of(bit, 0, 0, 0x10, 0, 0, 0, 0) },
        "debug attribute",
        "the host may read the VM's memory",
      );
    refuse(attributes("0x0000000000000000"), "SEPT_VE_DISABLE attribute", "not set");
    for (const hex of ["0x0001001000000000", "0x0000003000000000", "0x0000001001000000", "0x0000001000000040"] as const)
      refuse(attributes(hex), "reserved attributes", "a reserved bit is set");
    refuse({ mrSignerSeam: new Uint8Array(48).fill(1) }, "MRSIGNERSEAM", "the TDX module is not Intel's");
    refuse({ seamAttributes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1) }, "SEAM attributes", "not zero");
    const known = platform.quote(reportData, attributes("0x000000d000000080"));
    verifyQuote(known, platform.rootKey, simulatedTime); // PKS, key locker, PERFMON: for the workload id to say
  });

  it("refuses reports of enclaves that are not Intel's TD quoting enclave", () => {
    refuses(verify(withQeReport((report) => report.set([1], 128))), "QE identity", "not signed by Intel");
    refuses(verify(withQeReport((report) => report.set([1, 0], 256))), "QE identity", "another enclave of Intel's");
    const attributes = "a debug enclave, or of other attributes";
    refuses(verify(withQeReport((report) => report.set([0x17], 48))), "QE identity", attributes);
    refuses(verify(withQeReport((report) => report.set([0x05], 48))), "QE identity", attributes);
    refuses(verify(withQeReport((report) => report.set([1], 16))), "QE identity", attributes);
    refuses(verify(withQeReport((report) => report.set([1], 320 + 63))), "QE binding", "another key");
    refuses(verify(withQeReport((report) => report.set([1], 320))), "QE binding", "another key");
  });

  it("refuses an attestation key that no quoting enclave vouched for", () => {
    const core = hexToBytes(honest.quote);
    const own = p256KeyPair(secrets, "a key of the host's");
    core.set(own.publicKey.subarray(1), 700);
    core.set(signP256(core.subarray(0, 632), own.privateKey), 636);
    refuses(verify({ quote: bytesToHex(core) }), "QE binding", "another key");
    expect(attestationKeys.publicKey).to.not.deep.equal(own.publicKey);
  });

  it("refuses certificates in the wrong role, of another name, or out of date", () => {
    const [usage, constraints, sgx] = leafTerms.extensions;
    if (usage === undefined || constraints === undefined || sgx === undefined) throw new Error("three extensions");
    const notSigning = "not an end certificate that signs";
    refuses(verify(leaf({ extensions: [usage, basicConstraints(0), sgx] })), "leaf role", notSigning);
    refuses(verify(leaf({ extensions: [keyUsage("authority"), constraints, sgx] })), "leaf role", notSigning);
    refuses(verify(leaf({ extensions: [usage, constraints] })), "leaf role", "no SGX extension");
    refuses(verify(leaf({ issuer: leafRead.subject })), "leaf name", "issued by another name");
    const dates = { notBefore: new Date(0), notAfter: new Date((simulatedTime - 1) * 1000) };
    refuses(verify(leaf(dates)), "leaf dates", `${simulatedTime} is outside 0 to ${simulatedTime - 1}`);
    const noAuthority = "not a certificate authority";
    refuses(verify(issuer([keyUsage("authority"), basicConstraints(undefined)])), "issuer role", noAuthority);
    refuses(verify(issuer([keyUsage("leaf"), basicConstraints(0)])), "issuer role", noAuthority);
    refuses(verify(issuer([])), "issuer role", noAuthority);
  });

  it("refuses unknown critical and repeated extensions", () => {
    const [usage, constraints, sgx] = leafTerms.extensions;
    if (usage === undefined || constraints === undefined || sgx === undefined) throw new Error("three extensions");
    const name = "Quote.UnsupportedCertificateError";
    const strange = extension("1.2.3", Uint8Array.of(5, 0), true);
    const message = "Certificate not supported: critical extension 0x2a03.";
    expectError(verify(leaf({ extensions: [usage, constraints, sgx, strange] })), name, message);
    const twice = "Certificate not supported: extension 0x2a864886f84d010d01 twice.";
    expectError(verify(leaf({ extensions: [usage, constraints, sgx, sgx] })), name, twice);
    verify(leaf({ extensions: [usage, constraints, sgx, extension("1.2.3", Uint8Array.of(5, 0))] }))();
  });

  it("has a test for every check", () => {
    expect([...refusedChecks].sort()).to.deep.equal([...quoteChecks].sort());
  });

  it("keeps what the contract is given apart from what follows", () => {
    const { core, tail } = parseQuote(platform.quote(reportData));
    expect(bytesToHex(core)).to.equal(honest.quote);
    expect(tail.length).to.be.greaterThan(0);
  });
});
