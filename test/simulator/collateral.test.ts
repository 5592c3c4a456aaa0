import { createHash, createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";
import { expect } from "chai";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { BadIssueDateError, isoSeconds } from "../../simulator/collateral.ts";
import { createPlatform } from "../../simulator/platform.ts";
import type { IsvLevel, QeIdentity, TcbInfo, TcbLevel } from "../../simulator/tcbInfo.ts";
import { readCrl } from "./crl.ts";
import { derSkeleton } from "./derSkeleton.ts";
import { keyCoordinates } from "./readQuote.ts";
import { appCompose, realCollateral, seed } from "./vectors.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
const tcbInfoOf = (collateral: Collateral): TcbInfo => JSON.parse(text(collateral.tcbInfo));
const qeIdentityOf = (collateral: Collateral): QeIdentity => JSON.parse(text(collateral.qeIdentity));
const verdicts = (levels: readonly (TcbLevel | IsvLevel)[]) => levels.map((level) => level.tcbStatus);
const now = Date.parse("2026-08-12T23:57:11Z") / 1000;

describe("simulatedCollateral", () => {
  const platform = createPlatform({ appCompose, seed });
  const collateral = platform.collateral({ now });

  describe("equals Intel's", () => {
    it("TCB info, byte for byte, when dated alike", () => {
      const ours = platform.collateral({ now: Date.parse("2026-08-13T10:45:38Z") / 1000 });
      expect(text(ours.tcbInfo)).to.equal(text(realCollateral("tcb_info.json")));
    });

    it("QE identity, byte for byte, when dated alike", () => {
      const ours = platform.collateral({ now: Date.parse("2026-08-12T23:57:43Z") / 1000 });
      expect(text(ours.qeIdentity)).to.equal(text(realCollateral("qe_identity.json")));
    });

    it("PCK CRL in what is signed, byte for byte, but for the issuer's key identifier", () => {
      const real = readCrl(realCollateral("pck_crl.der"));
      const ours = readCrl(platform.collateral({ now, revoked: { leaves: real.serials } }).pckCrl);
      expect(ours.serials).to.have.lengthOf(57);
      expect(hex(ours.signedPart).replace(ours.keyIdentifier, real.keyIdentifier)).to.equal(hex(real.signedPart));
    });

    it("root CRL, empty, but for dates and the key identifier", () => {
      const real = readCrl(realCollateral("root_ca_crl.der"));
      const ours = readCrl(collateral.rootCaCrl);
      const undated = ({ signedPart, keyIdentifier }: typeof ours) =>
        hex(signedPart)
          .replace(keyIdentifier, "")
          .replace(/(170d[0-9a-f]{26}){2}/, "");
      expect(undated(ours)).to.equal(undated(real));
      expect(derSkeleton(collateral.rootCaCrl)).to.deep.equal(derSkeleton(realCollateral("root_ca_crl.der")));
    });

    it("TCB signing certificate, value by value", () => {
      expect(derSkeleton(collateral.tcbSigning)).to.deep.equal(derSkeleton(realCollateral("tcb_signing.der")));
    });
  });

  describe("is signed", () => {
    const root = new X509Certificate(collateral.rootCa);
    const signing = new X509Certificate(collateral.tcbSigning);
    const issuer = new X509Certificate(collateral.pckCa);
    const check = (key: KeyObject, message: Uint8Array, signature: Uint8Array, dsaEncoding: "der" | "ieee-p1363") =>
      verify("sha256", message, { key, dsaEncoding }, signature);

    it("by the TCB signing key, which the root has certified for signing only", () => {
      expect(signing.checkIssued(root) && signing.verify(root.publicKey)).to.equal(true);
      expect([signing.ca, signing.subject.split("\n")[0]]).to.deep.equal([false, "CN=Intel SGX TCB Signing"]);
      const { tcbInfo, tcbInfoSignature, qeIdentity, qeIdentitySignature } = collateral;
      expect(check(signing.publicKey, tcbInfo, tcbInfoSignature, "ieee-p1363")).to.equal(true);
      expect(check(signing.publicKey, qeIdentity, qeIdentitySignature, "ieee-p1363")).to.equal(true);
      expect(check(signing.publicKey, qeIdentity, tcbInfoSignature, "ieee-p1363")).to.equal(false);
      expect([tcbInfoSignature.length, qeIdentitySignature.length]).to.deep.equal([64, 64]);
    });

    it("by the root and the PCK CA, each its own revocation list", () => {
      for (const [crl, ca, other] of [
        [collateral.rootCaCrl, root, issuer],
        [collateral.pckCrl, issuer, root],
      ] as const) {
        const { signedPart, signature } = readCrl(crl);
        expect(check(ca.publicKey, signedPart, signature, "der")).to.equal(true);
        expect(check(other.publicKey, signedPart, signature, "der")).to.equal(false);
      }
    });

    it("under the platform's root key", () => {
      expect(`0x${keyCoordinates(root)}`).to.equal(platform.rootKey);
      expect(createPublicKey(root.publicKey.export({ type: "spki", format: "pem" })).type).to.equal("public");
    });
  });

  describe("says what it is asked to", () => {
    it("names the simulated platform, up to date, with nothing revoked, for 30 days", () => {
      const { fmspc, pceId, tcbLevels, issueDate, nextUpdate } = tcbInfoOf(collateral);
      expect([fmspc, pceId, verdicts(tcbLevels)[0]]).to.deep.equal(["B0C06F000000", "0000", "UpToDate"]);
      expect([issueDate, nextUpdate]).to.deep.equal(["2026-08-12T23:57:11Z", "2026-09-11T23:57:11Z"]);
      expect([readCrl(collateral.pckCrl).serials, readCrl(collateral.rootCaCrl).serials]).to.deep.equal([[], []]);
    });

    it("dates every item alike, an hour ago by default", () => {
      const before = Math.floor(Date.now() / 1000) - 3600;
      const items = platform.collateral({ lifeSeconds: 60 });
      const after = Math.floor(Date.now() / 1000) - 3600;
      const times = [items.tcbInfo, items.qeIdentity].map((json) => {
        const { issueDate, nextUpdate }: TcbInfo = JSON.parse(text(json));
        return [issueDate, nextUpdate].map((date) => Date.parse(date) / 1000);
      });
      const lists = [items.pckCrl, items.rootCaCrl].map((crl) => {
        const { thisUpdate, nextUpdate } = readCrl(crl);
        return [thisUpdate, nextUpdate];
      });
      const [issued = 0, next] = times[0] ?? [];
      expect(issued).to.be.within(before, after);
      expect(next).to.equal(issued + 60);
      expect([...times, ...lists]).to.deep.equal(Array.from({ length: 4 }, () => [issued, next]));
    });

    it("judges platform, module and quoting enclave, with an update above where one is due", () => {
      const judged = platform.collateral({
        now,
        statuses: { platform: "OutOfDate", module: "Revoked", qe: "OutOfDate" },
      });
      const { tcbLevels, tdxModuleIdentities } = tcbInfoOf(judged);
      const honest = tcbInfoOf(collateral);
      expect(verdicts(tcbLevels).slice(0, 2)).to.deep.equal(["UpToDate", "OutOfDate"]);
      expect(tcbLevels[1]?.tcb).to.deep.equal(honest.tcbLevels[0]?.tcb);
      const svns = (level: TcbLevel | undefined) => [
        level?.tcb.sgxtcbcomponents.slice(0, 3).map(({ svn }) => svn),
        level?.tcb.tdxtcbcomponents.slice(0, 3).map(({ svn }) => svn),
      ];
      expect(svns(tcbLevels[0])).to.deep.equal([
        [5, 5, 2],
        [5, 0, 5],
      ]);
      expect(tdxModuleIdentities.map((module) => [module.id, verdicts(module.tcbLevels).slice(0, 2)])).to.deep.equal([
        ["TDX_03", ["UpToDate", "OutOfDate"]],
        ["TDX_01", ["UpToDate", "Revoked"]],
      ]);
      expect(tdxModuleIdentities[1]?.tcbLevels[0]?.tcb).to.deep.equal({ isvsvn: 12 });
      expect(qeIdentityOf(judged).tcbLevels.map(({ tcb, tcbStatus }) => [tcb.isvsvn, tcbStatus])).to.deep.equal([
        [7, "UpToDate"],
        [4, "OutOfDate"],
      ]);
      const hardening = tcbInfoOf(platform.collateral({ now, statuses: { platform: "SWHardeningNeeded" } })).tcbLevels;
      expect(hardening[0]?.tcb).to.deep.equal(honest.tcbLevels[0]?.tcb);
      expect(hardening[0]).to.include({ tcbStatus: "SWHardeningNeeded" });
      expect(hardening[0]?.advisoryIDs).to.deep.equal(["INTEL-SA-99999"]);
    });

    it("says other fields in Intel's order, and revokes by serial number", () => {
      const { pckLeaf, pckIssuer, tcbSigning } = platform.serials;
      const other = platform.collateral({
        now,
        tcbInfo: { tcbEvaluationDataNumber: 21 },
        qeIdentity: { isvprodid: 1 },
        revoked: { leaves: [pckLeaf], authorities: [pckIssuer, tcbSigning] },
        pckCrl: { number: 0x01020304 },
      });
      expect(text(other.tcbInfo)).to.equal(text(collateral.tcbInfo).replace('Number":20', 'Number":21'));
      expect(text(other.qeIdentity)).to.equal(text(collateral.qeIdentity).replace('prodid":2', 'prodid":1'));
      expect(readCrl(other.pckCrl).serials.map(hex)).to.deep.equal([hex(pckLeaf)]);
      expect(readCrl(other.rootCaCrl).serials.map(hex)).to.deep.equal([hex(pckIssuer), hex(tcbSigning)]);
      expect(readCrl(other.pckCrl).number).to.equal(0x01020304);
      const serialOf = (der: Uint8Array) => new X509Certificate(der).serialNumber.toLowerCase();
      expect(serialOf(platform.certificates.pckLeaf)).to.equal(hex(pckLeaf));
      expect(serialOf(platform.certificates.pckIssuer)).to.equal(hex(pckIssuer));
      expect(serialOf(platform.certificates.tcbSigning)).to.equal(hex(tcbSigning));
    });

    it("says the same bytes again for the same seed", () => {
      const digest = (items: Collateral) =>
        createHash("sha256")
          .update(Buffer.concat(Object.values(items)))
          .digest("hex");
      const again = createPlatform({ appCompose, seed }).collateral({ now });
      expect(digest(again)).to.equal(digest(collateral));
    });

    it("writes lists of thousands of entries", () => {
      const leaves = Array.from({ length: 2000 }, (_, index) => Uint8Array.of(1, index >> 8, index & 0xff));
      expect(readCrl(platform.collateral({ now, revoked: { leaves } }).pckCrl).serials.map(hex)).to.deep.equal(
        leaves.map(hex),
      );
    });
  });

  it("is not dated where there is no date", () => {
    for (const [options, time] of [
      [{ now: -1 }, -1],
      [{ now: 0.5 }, 0.5],
      [{ now: now * 1000 }, now * 1000],
      [{ now, lifeSeconds: -2 * now }, -now],
    ] as const) {
      expect(() => platform.collateral(options)).to.throw(BadIssueDateError, `Collateral cannot be dated ${time}.`);
    }
  });

  it("writes times as Intel does", () => {
    expect(isoSeconds(1_786_623_938)).to.equal("2026-08-13T12:25:38Z");
  });
});
