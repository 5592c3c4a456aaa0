/** Every check of collateral, on collateral that is genuine but for the one thing that the check is about. */
import { expect } from "chai";
import type { Collateral } from "../../../protocol/collateral/collateral.ts";
import {
  type CollateralCheck,
  type CollateralCheckError,
  collateralChecks,
  verifyCollateral,
} from "../../../protocol/collateral/verifyCollateral.ts";
import { intelRootKey } from "../../../protocol/deployment.ts";
import { BaseError } from "../../../protocol/errors.ts";
import { basicConstraints, keyUsage } from "../../../simulator/certificate.ts";
import { caught, expectError, flipped, platform, signP256 } from "../quote/vectors.ts";
import { best, collateralOf } from "./index.ts";
import {
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
  signingCertificate,
  tcbInfoJson,
} from "./signed.ts";

const refused = new Set<CollateralCheck>();

function refuses(changes: Partial<Collateral>, check: CollateralCheck, fact: string, at = now): void {
  const act = () => verifyCollateral(signedCollateral(changes), platform.rootKey, at);
  expectError(act, "Collateral.CollateralCheckError", `Collateral refused, ${check}: ${fact}.`);
  expect((caught(act) as CollateralCheckError).check).to.equal(check);
  refused.add(check);
}

const [first, last] = [now - 3600, now + 3599];
const outside = (at: number, from = first, to = last) => `${at} is outside ${from} to ${to}`;
const day = 86_400;
const dates = (from: number, to: number) => ({ notBefore: new Date(from * 1000), notAfter: new Date(to * 1000) });
const pckCa = (changes: Parameters<typeof certificate>[0]) => ({
  pckCa: certificate({
    subject: names.pckCa,
    subjectKey: keys.pckCa.publicKey,
    serial: Uint8Array.of(3),
    notAfter: new Date((now + day) * 1000),
    ...changes,
  }),
});

describe("verifyCollateral", () => {
  it("accepts Intel's and simulated collateral, and tells every check", () => {
    for (const [collateral, key, at] of [
      [collateralOf(best.collateral), intelRootKey, best.at],
      [signedCollateral(), platform.rootKey, now],
    ] as const) {
      const told: string[] = [];
      const { tcbInfo, validUntil } = verifyCollateral(collateral, key, at, (check) => told.push(check));
      expect(told).to.deep.equal(collateralChecks);
      expect(tcbInfo.evaluationNumber).to.equal(20);
      expect(validUntil).to.equal(key === intelRootKey ? Date.UTC(2026, 8, 11, 23, 57, 10) / 1000 : last);
    }
  });

  it("refuses another root, also one that names itself so", () => {
    const other = { root: collateralOf(best.collateral).rootCa };
    refuses({ rootCa: other.root }, "root CA key", "another key than the root that is believed");
    expectError(
      () => verifyCollateral(signedCollateral(), intelRootKey, now),
      "Collateral.CollateralCheckError",
      "Collateral refused, root CA key: another key than the root that is believed.",
    );
    refuses({ rootCa: certificate({}, keys.pckCa) }, "root CA signature", "not valid");
    const leaf = [keyUsage("leaf"), basicConstraints(1)];
    refuses({ rootCa: certificate({ extensions: leaf }) }, "root CA role", "not a certificate authority");
    const notCa = [keyUsage("authority"), basicConstraints(undefined)];
    refuses({ rootCa: certificate({ extensions: notCa }) }, "root CA role", "not a certificate authority");
    refuses({ rootCa: certificate(dates(now + 1, now + day)) }, "root CA dates", outside(now, now + 1, now + day));
  });

  it("holds revocation lists to their issuer, signature and dates", () => {
    refuses({ rootCaCrl: crl(keys.pckCa, {}) }, "root CRL signature", "not valid");
    refuses({ rootCaCrl: crl(keys.root, { issuer: names.pckCa }) }, "root CRL issuer", "another issuer");
    refuses({ rootCaCrl: crl(keys.root, { thisUpdate: now + 1 }) }, "root CRL dates", outside(now, now + 1));
    refuses({ rootCaCrl: crl(keys.root, { nextUpdate: now }) }, "root CRL dates", outside(now, first, now - 1));
    refuses({ pckCrl: crl(keys.root, { issuer: names.pckCa }) }, "PCK CRL signature", "not valid");
    refuses({ pckCrl: crl(keys.pckCa, {}) }, "PCK CRL issuer", "another issuer");
    const own = { issuer: names.pckCa };
    refuses({ pckCrl: crl(keys.pckCa, { ...own, thisUpdate: now + 1 }) }, "PCK CRL dates", outside(now, now + 1));
    refuses({ pckCrl: crl(keys.pckCa, { ...own, nextUpdate: now }) }, "PCK CRL dates", outside(now, first, now - 1));
    const { rootCaCrl, pckCrl } = signedCollateral();
    refuses({ rootCaCrl: pckCrl }, "root CRL signature", "not valid");
    refuses({ pckCrl: rootCaCrl }, "PCK CRL signature", "not valid");
  });

  it("refuses what the root's list revokes", () => {
    const revoke = (...revoked: bigint[]) => ({ rootCaCrl: crl(keys.root, { revoked: [9n, ...revoked] }) });
    refuses(revoke(1n), "root CA revocation", "serial 0x1 is revoked");
    refuses(revoke(2n), "TCB signing revocation", "serial 0x2 is revoked");
    refuses({ ...revoke(3n), ...pckCa({}) }, "PCK CA revocation", "serial 0x3 is revoked");
    verifyCollateral(signedCollateral(revoke(4n)), platform.rootKey, now);
  });

  it("refuses a TCB signing certificate of another issuer, name, role or time", () => {
    const role = "not an end certificate that signs";
    const name = "not Intel SGX TCB Signing of the root CA";
    const given = (changes: Parameters<typeof signingCertificate>[0]) => ({ tcbSigning: signingCertificate(changes) });
    const { pckIssuer, pckLeaf } = platform.certificates;
    refuses({ tcbSigning: pckLeaf }, "TCB signing signature", "not valid");
    refuses({ tcbSigning: pckIssuer }, "TCB signing name", name);
    refuses(given({ subject: nameOf("Intel SGX PCK Certificate") }), "TCB signing name", name);
    refuses(given({ subject: nameOf("Intel SGX TCB Signing") }), "TCB signing name", name); // and nothing else
    refuses(given({ issuer: names.pckCa }), "TCB signing name", name);
    refuses(given({ extensions: [keyUsage("leaf"), basicConstraints(0)] }), "TCB signing role", role);
    refuses(given({ extensions: [keyUsage("authority"), basicConstraints(undefined)] }), "TCB signing role", role);
    refuses(given({ extensions: [] }), "TCB signing role", role);
    refuses(given(dates(0, now - 1)), "TCB signing dates", outside(now, 0, now - 1));
    refuses(given(dates(now + 1, now + day)), "TCB signing dates", outside(now, now + 1, now + day));
  });

  it("refuses a PCK CA of another issuer, name, role or time", () => {
    const name = "not Intel SGX PCK Platform CA or Intel SGX PCK Processor CA of the root CA";
    const authority = "not a certificate authority";
    const signedByItself = certificate({ subject: names.pckCa, subjectKey: keys.pckCa.publicKey }, keys.pckCa);
    refuses({ pckCa: signedByItself }, "PCK CA signature", "not valid");
    refuses({ pckCa: signingCertificate() }, "PCK CA name", name);
    refuses(pckCa({ issuer: names.pckCa }), "PCK CA name", name);
    refuses(pckCa({ subject: nameOf("Intel SGX PCK Platform CA") }), "PCK CA name", name); // and nothing else
    refuses(pckCa({ extensions: [keyUsage("leaf"), basicConstraints(0)] }), "PCK CA role", authority);
    refuses(pckCa({ extensions: [keyUsage("authority"), basicConstraints(undefined)] }), "PCK CA role", authority);
    refuses(pckCa(dates(0, now - 1)), "PCK CA dates", outside(now, 0, now - 1));
    verifyCollateral(signedCollateral(pckCa({})), platform.rootKey, now);
  });

  it("refuses documents that the TCB signing key did not sign", () => {
    const tcbInfo = jsonBytes(tcbInfoJson());
    for (const by of [keys.root, keys.pckCa, keys.pck, keys.attestation]) {
      const signature = signP256(tcbInfo, by.privateKey);
      refuses({ tcbInfo, tcbInfoSignature: signature }, "TCB info signature", "not valid");
    }
    refuses({ tcbInfo: jsonBytes({ ...tcbInfoJson(), fmspc: "00" }) }, "TCB info signature", "not valid");
    refuses({ tcbInfoSignature: new Uint8Array(64) }, "TCB info signature", "not valid");
    refuses({ tcbInfoSignature: new Uint8Array(63) }, "TCB info signature", "not valid");
    const { tcbInfoSignature, qeIdentitySignature } = signedCollateral();
    refuses({ tcbInfoSignature: qeIdentitySignature }, "TCB info signature", "not valid");
    refuses({ qeIdentitySignature: tcbInfoSignature }, "QE identity signature", "not valid");
    refuses({ qeIdentity: jsonBytes({ ...qeIdentityJson(), isvprodid: 3 }) }, "QE identity signature", "not valid");
  });

  it("refuses documents before their issue date, and from their next update on", () => {
    verifyCollateral(signedCollateral(), platform.rootKey, first);
    verifyCollateral(signedCollateral(), platform.rootKey, last);
    const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000", "");
    const info = (changes: object) => signedTcbInfo(jsonBytes({ ...tcbInfoJson(), ...changes }));
    refuses(info({ issueDate: iso(now + 1) }), "TCB info dates", outside(now, now + 1));
    refuses(info({ nextUpdate: iso(now) }), "TCB info dates", outside(now, first, now - 1));
    const identity = (changes: object) => signedQeIdentity(jsonBytes({ ...qeIdentityJson(), ...changes }));
    refuses(identity({ issueDate: iso(now + 1) }), "QE identity dates", outside(now, now + 1));
    refuses(identity({ nextUpdate: iso(now) }), "QE identity dates", outside(now, first, now - 1));
    for (const at of [Number.NaN, Number.POSITIVE_INFINITY, -1])
      expect(() => verifyCollateral(signedCollateral(), platform.rootKey, at), String(at)).to.throw("is outside");
  });

  it("refuses signed documents that are not TDX's", () => {
    const sgx = signedCollateral(signedQeIdentity(jsonBytes({ ...qeIdentityJson(), id: "QE" })));
    expectError(
      () => verifyCollateral(sgx, platform.rootKey, now),
      "Collateral.MalformedCollateralError",
      'QE identity is malformed: id: Invalid input: expected "TD_QE".',
    );
  });

  it("hashes nothing that is too long to be read", () => {
    for (const part of ["tcbInfo", "qeIdentity"] as const)
      expectError(
        () => verifyCollateral(signedCollateral({ [part]: new Uint8Array(65_537) }), platform.rootKey, now),
        "Collateral.MalformedCollateralError",
        `${part === "tcbInfo" ? "TCB info" : "QE identity"} is malformed: 65537 bytes, limit 65536.`,
      );
  });

  it("has a test for every check", () => {
    expect([...refused].sort()).to.deep.equal([...collateralChecks].sort());
  });

  it("refuses a flipped byte anywhere in Intel's collateral", () => {
    const genuine = collateralOf(best.collateral);
    for (const part of Object.keys(genuine) as (keyof Collateral)[]) {
      const stride = Math.ceil(genuine[part].length / 16);
      for (let at = 0; at < genuine[part].length; at += stride) {
        const changed = { ...genuine, [part]: flipped(genuine[part], at) };
        const error = caught(() => verifyCollateral(changed, intelRootKey, best.at));
        expect(error, `${part} byte ${at}`).to.be.instanceOf(BaseError);
      }
    }
  });
});
