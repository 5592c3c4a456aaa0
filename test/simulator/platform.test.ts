import { createHash, type X509Certificate } from "node:crypto";
import { expect } from "chai";
import { readCertificate } from "../../protocol/quote/certificate.ts";
import { BadAppComposeError } from "../../simulator/appCompose.ts";
import { createPlatform, maxAppEvents, TooManyEventsError } from "../../simulator/platform.ts";
import { BadSeedError } from "../../simulator/secrets.ts";
import { BadFieldLengthError } from "../../simulator/tdReport.ts";
import { derSkeleton } from "./derSkeleton.ts";
import { failedChecks, keyCoordinates, readQuote } from "./readQuote.ts";
import { appCompose, publicSimulatorCompose, realCollateral, realQuote, seed } from "./vectors.ts";

const real = Buffer.from(realQuote.quote, "hex");
const reportData = new Uint8Array(64).map((_, index) => index);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Runs `action` and returns what it throws. */
function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("createPlatform", () => {
  const platform = createPlatform({ appCompose, seed });
  const quote = platform.quote(reportData);

  describe("its quotes", () => {
    it("pass the checks that a real quote passes", () => {
      expect(failedChecks(real)).to.deep.equal([]);
      expect(failedChecks(quote)).to.deep.equal([]);
    });

    it("fail the check of whatever part is changed", () => {
      const changedAt = (offset: number) => {
        const bytes = Uint8Array.from(quote);
        bytes[offset] = (bytes[offset] ?? 0) ^ 1;
        return failedChecks(bytes);
      };
      const qeReportAt = 636 + 64 + 64 + 6;
      expect(changedAt(20)).to.deep.equal(["quote signature"]);
      expect(changedAt(170)).to.deep.equal(["quote signature"]);
      expect(changedAt(636)).to.deep.equal(["quote signature"]);
      expect(changedAt(qeReportAt)).to.deep.equal(["QE report signature"]);
      expect(changedAt(qeReportAt + 320)).to.deep.equal(["QE report signature", "QE binding"]);
      expect(changedAt(qeReportAt + 384 + 64 + 2)).to.deep.equal(["QE binding"]);
      expect(changedAt(quote.length - 1)).to.deep.equal(["lengths"]);
    });

    it("carry what a real quote carries wherever that is not of one platform or app", () => {
      const ours = readQuote(quote);
      const theirs = readQuote(real);
      // The header but for the QE's id; the body's constants; the QE's identity but for XFRM, code and SVNs.
      expect(ours.header.slice(0, 56)).to.equal(theirs.header.slice(0, 56));
      expect(ours.header.slice(88)).to.equal(theirs.header.slice(88));
      for (const field of [
        "mrSignerSeam",
        "seamAttributes",
        "tdAttributes",

        "mrOwner",
        "mrOwnerConfig",
      ] as const) {
        expect(ours.body[field], field).to.equal(theirs.body[field]);
      }
      expect([ours.certificationType, ours.chainType]).to.deep.equal([theirs.certificationType, theirs.chainType]);
      expect(hex(ours.authData)).to.equal(hex(theirs.authData));
      expect(hex(ours.qeReport.subarray(16, 56))).to.equal(hex(theirs.qeReport.subarray(16, 56)));
      expect(hex(ours.qeReport.subarray(96, 258))).to.equal(hex(theirs.qeReport.subarray(96, 258)));
      expect(hex(ours.qeReport.subarray(260, 320))).to.equal(hex(theirs.qeReport.subarray(260, 320)));
      expect(hex(ours.padding)).to.equal(hex(theirs.padding));
      expect(hex(ours.chain.subarray(-2))).to.equal(hex(theirs.chain.subarray(-2)));
    });

    it("carry the report data, and the manifest's hash in MRCONFIGID", () => {
      const { body } = readQuote(quote);
      expect(body.reportData).to.equal(hex(reportData));
      expect(body.mrConfigId).to.equal(`01${createHash("sha256").update(appCompose).digest("hex")}${"00".repeat(15)}`);
      expect(readQuote(real).body.mrConfigId).to.match(/^01[0-9a-f]{64}0{30}$/);
    });

    it("have a high s about as often as a low one, as Intel's", () => {
      const half = (2n ** 256n - 2n ** 224n) / 2n; // near n / 2
      const high = Array.from({ length: 40 }, (_, index) => {
        const { signature } = readQuote(platform.quote(new Uint8Array(64).fill(index)));
        return BigInt(`0x${hex(signature.subarray(32))}`) > half;
      }).filter(Boolean).length;
      expect(high).to.be.within(8, 32);
    });

    it("show an event that was measured later", () => {
      const machine = createPlatform({ appCompose, seed });
      const before = readQuote(machine.quote(reportData)).body;
      machine.extend("my-event", Uint8Array.of(1, 2));
      const after = readQuote(machine.quote(reportData)).body;
      expect(after).to.deep.equal({ ...before, rtMr3: after.rtMr3 });
      expect(after.rtMr3).not.to.equal(before.rtMr3);
    });

    it("say whatever a test falsifies, truly signed", () => {
      const debug = platform.quote(reportData, { tdAttributes: Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0) });
      expect(readQuote(debug).body.tdAttributes).to.equal("0100001000000000");
      const other = platform.quote(reportData, { mrTd: new Uint8Array(48).fill(9) });
      expect(readQuote(other).body.mrTd).to.equal("09".repeat(48));
      expect([failedChecks(debug), failedChecks(other)]).to.deep.equal([[], []]);
    });

    it("are refused for fields of another size", () => {
      const short = thrownBy(() => platform.quote(new Uint8Array(63)));
      expect(short).to.be.instanceOf(BadFieldLengthError);
      expect((short as Error).message).to.equal("reportData is 63 bytes, expected 64.");
      const long = thrownBy(() => platform.quote(reportData, { mrTd: new Uint8Array(49) }));
      expect((long as Error).message).to.equal("mrTd is 49 bytes, expected 48.");
    });
  });

  describe("its certificates", () => {
    it("have, value by value, the shape of Intel's", () => {
      const ours = readQuote(quote);
      const theirs = readQuote(real);
      for (const name of ["leaf", "issuer", "root"] as const) {
        expect(derSkeleton(ours[name].raw), name).to.deep.equal(derSkeleton(theirs[name].raw));
      }
    });

    it("lead to the root key, and are those in the quote", () => {
      const { leaf, issuer, root } = readQuote(quote);
      expect(`0x${keyCoordinates(root)}`).to.equal(platform.rootKey);
      expect(hex(root.raw)).to.equal(hex(platform.certificates.root));
      expect(hex(issuer.raw)).to.equal(hex(platform.certificates.pckIssuer));
      expect(hex(leaf.raw)).to.equal(hex(platform.certificates.pckLeaf));
      expect(hex(leaf.raw)).to.include(`060a2a864886f84d010d01010410${hex(platform.ppid)}`);
    });

    it("bear Intel's names, byte for byte", () => {
      const namesOf = (bytes: Uint8Array) => {
        const { issuer, subject } = readCertificate(bytes);
        return [hex(issuer), hex(subject)];
      };
      const ours = readQuote(quote);
      const theirs = readQuote(real);
      for (const name of ["leaf", "issuer", "root"] as const) {
        expect(namesOf(ours[name].raw), name).to.deep.equal(namesOf(theirs[name].raw));
      }
      expect(namesOf(platform.certificates.tcbSigning)).to.deep.equal(namesOf(realCollateral("tcb_signing.der")));
      expect(ours.leaf.subject).to.equal(
        "CN=Intel SGX PCK Certificate\nO=Intel Corporation\nL=Santa Clara\nST=CA\nC=US",
      );
    });

    it("are valid from 2024 to 2044, the root to the end of 2049 as Intel's", () => {
      const { leaf, issuer, root } = readQuote(quote);
      const validity = (c: X509Certificate) => [c.validFromDate.toISOString(), c.validToDate.toISOString()];
      const twentyYears = ["2024-01-01T00:00:00.000Z", "2044-01-01T00:00:00.000Z"];
      expect([validity(leaf), validity(issuer)]).to.deep.equal([twentyYears, twentyYears]);
      expect(validity(root)).to.deep.equal(["2024-01-01T00:00:00.000Z", "2049-12-31T23:59:59.000Z"]);
      expect(root.validToDate).to.deep.equal(readQuote(real).root.validToDate);
    });
  });

  describe("its seed", () => {
    it("makes the same machine again, byte for byte", () => {
      const again = createPlatform({ appCompose, seed });
      expect(hex(again.quote(reportData))).to.equal(hex(quote));
      expect(hex(again.instanceId)).to.equal(hex(platform.instanceId));
      expect(again.keyOf("a", "b", "secp256k1")).to.deep.equal(platform.keyOf("a", "b", "secp256k1"));
    });

    it("makes another machine for another seed, with the same workload", () => {
      const other = createPlatform({ appCompose });
      expect(other.rootKey).not.to.equal(platform.rootKey);
      expect(hex(other.ppid)).not.to.equal(hex(platform.ppid));
      expect(hex(other.instanceId)).not.to.equal(hex(platform.instanceId));
      expect(other.keyOf("a", "b", "secp256k1").key).not.to.deep.equal(platform.keyOf("a", "b", "secp256k1").key);
      expect(other.workload).to.deep.equal(platform.workload);
      expect(failedChecks(other.quote(reportData))).to.deep.equal([]);
    });

    it("is refused if it is not 32 bytes", () => {
      const error = thrownBy(() => createPlatform({ appCompose, seed: new Uint8Array(31) }));
      expect(error).to.be.instanceOf(BadSeedError);
      expect((error as Error).message).to.equal("The seed is 31 bytes, expected 32.");
    });
  });

  describe("its manifest", () => {
    const manifest: Record<string, unknown> = JSON.parse(appCompose);
    const messageFor = (raw: string) => {
      const error = thrownBy(() => createPlatform({ appCompose: raw, seed }));
      expect(error).to.be.instanceOf(BadAppComposeError);
      return (error as Error).message.replace("The app-compose manifest cannot be booted: ", "");
    };

    it("is measured as raw bytes: one space more is another workload", () => {
      const spaced = createPlatform({ appCompose: `${appCompose} `, seed });
      expect(spaced.workload.composeHash).not.to.equal(platform.workload.composeHash);
      expect({ ...spaced.workload, composeHash: "" }).to.deep.equal({ ...platform.workload, composeHash: "" });
    });

    it("may be that of the public dstack simulator", () => {
      const booted = createPlatform({ appCompose: publicSimulatorCompose, seed });
      expect(booted.appCompose).to.include({ name: "guest-agent", storageFs: "ext4", noInstanceId: false });
    });

    it("may want no instance id", () => {
      const booted = createPlatform({ appCompose: JSON.stringify({ ...manifest, no_instance_id: true }), seed });
      expect(hex(booted.instanceId)).to.equal("");
    });

    it("is refused if it is no JSON, malformed Unicode or too large", () => {
      expect(messageFor("{")).to.equal("it is not JSON");
      expect(messageFor("\ufeff{}")).to.equal("it is not JSON");
      expect(messageFor('"\ud800"')).to.equal("it is not well-formed Unicode");
      expect(messageFor(" ".repeat(262_145))).to.equal("it is 262145 bytes, at most 262144 are taken");
    });

    it("is refused if it asks for what is not simulated", () => {
      const without = (changes: object) => messageFor(JSON.stringify({ ...manifest, ...changes }));
      expect(without({ manifest_version: 1 })).to.include("→ at manifest_version");
      expect(without({ runner: "bash" })).to.include("→ at runner");
      expect(without({ docker_compose_file: undefined })).to.include("→ at docker_compose_file");
      expect(without({ name: "" })).to.include("→ at name");
      expect(without({ kms_enabled: false })).to.equal(
        "✖ must be true: only key management by a KMS is simulated\n  → at kms_enabled",
      );
      expect(without({ key_provider: "local" })).to.equal(
        '✖ must be "kms": no other key provider is simulated\n  → at key_provider',
      );
    });
  });

  it("keeps a bounded event log", () => {
    const machine = createPlatform({ appCompose, seed });
    for (let i = 0; i < maxAppEvents; i++) machine.extend("e", new Uint8Array(0));
    const error = thrownBy(() => machine.extend("e", new Uint8Array(0)));
    expect(error).to.be.instanceOf(TooManyEventsError);
    expect((error as Error).message).to.equal("The event log is full: 1024 events were emitted since boot.");
  });
});
