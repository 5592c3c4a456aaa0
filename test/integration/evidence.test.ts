/** What protocol/quote builds for the verifier, against the contracts: hashes, paths, and the same verdict on each. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { type Address, bytesToHex, decodeFunctionResult, encodeFunctionData, type Hex, slice, zeroHash } from "viem";
import { tdxCollateralAbi, tdxVerifierAbi } from "../../protocol/abi.ts";
import { collateralCall, collateralItems } from "../../protocol/collateral/calls.ts";
import { evidenceReader } from "../../protocol/collateral/chainState.ts";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { intelRootKey } from "../../protocol/deployment.ts";
import { buildEvidence, type EvidenceReader, type QuoteEvidence } from "../../protocol/quote/evidence.ts";
import { parseQuote, splitQuote } from "../../protocol/quote/parseQuote.ts";
import {
  hashAttestationKey,
  hashTcbEvidence,
  pckIdOf,
  platformOf,
  platformRecordOf,
  tcbEvidenceOf,
} from "../../protocol/quote/platformRecord.ts";
import { readEnclaveReport } from "../../protocol/quote/tdReport.ts";
import { type Evm, startEvm } from "../../scripts/conformance/evm.ts";
import { createPlatform } from "../../simulator/platform.ts";
import { august, augustTime, bundle, quote } from "../protocol/collateral/bundles.ts";

const appCompose = readFileSync(new URL("../../deploy/app-compose.json", import.meta.url), "utf8");
const policy = 0b110; // UpToDate, SWHardeningNeeded

/** Contracts with collateral, and what tests ask of them. */
async function deploy(evm: Evm, rootKey: Hex, collateral: Collateral) {
  const root = [slice(rootKey, 0, 32), slice(rootKey, 32, 64)];
  const tdxCollateral = await evm.deploy("attestation/TdxCollateral.sol/TdxCollateral", [...root, 0]);
  const tdxVerifier = await evm.deploy("attestation/TdxVerifier.sol/TdxVerifier", [tdxCollateral]);
  const push = async (items: readonly (typeof collateralItems)[number][], offered: Collateral) => {
    for (const item of items) {
      const data = encodeFunctionData({ abi: tdxCollateralAbi, ...collateralCall(item, offered) });
      expect(await evm.send(tdxCollateral, data), item).to.include({ ok: true });
    }
  };
  await push(collateralItems, collateral);
  const reader = (recordedKeyHash?: EvidenceReader["recordedKeyHash"]) =>
    evidenceReader(evm, { tdxCollateral, tdxVerifier }, recordedKeyHash);
  const verify = async ({ quote: cut, evidence }: Pick<QuoteEvidence, "quote" | "evidence">) => {
    const data = encodeFunctionData({ abi: tdxVerifierAbi, functionName: "verify", args: [cut, evidence, policy] });
    const answer = await evm.call(tdxVerifier, data);
    expect(await evm.send(tdxVerifier, data)).to.include({ ok: true });
    return decodeFunctionResult({ abi: tdxVerifierAbi, functionName: "verify", data: answer });
  };
  return { tdxCollateral, tdxVerifier, push, reader, verify };
}

/** What the contract must have recorded of a quote's platform. */
async function recordOf(bytes: Uint8Array, reader: EvidenceReader, qeIdentity: Address) {
  const platform = platformOf(Uint8Array.fromHex(splitQuote(bytes).pckLeaf.slice(2)), 1);
  const { attestationKey, qeReport } = parseQuote(bytes);
  const keyHash = hashAttestationKey(attestationKey, readEnclaveReport(qeReport).isvSvn, qeIdentity);
  const pckId = pckIdOf(platform.pckKey);
  return { pckId, keyHash, expected: platformRecordOf(platform, keyHash), actual: await reader.platformRecord(pckId) };
}

for (const form of ["v4", "v5-td10", "v5-td15"] as const)
  describe(`buildEvidence for a simulated platform's quotes of form ${form}`, () => {
    const at = 1_787_184_000;
    const platform = createPlatform({ appCompose, seed: new Uint8Array(32).fill(9), quoteForm: form });
    const bytes = platform.quote(new Uint8Array(64).fill(1));
    let evm: Evm;
    let contracts: Awaited<ReturnType<typeof deploy>>;
    before(async () => {
      evm = await startEvm(at);
      contracts = await deploy(evm, platform.rootKey, platform.collateral({ now: at - 3600 }));
    });
    after(() => evm.close());

    it("takes the shortest path that the record allows, with the same verdict on each", async () => {
      const { reader, verify, push } = contracts;
      const first = await buildEvidence(bytes, reader());
      expect(first.path).to.equal(1);
      expect(first.quote).to.equal(splitQuote(bytes).quote);
      const verdict = await verify(first);

      const identity = await reader().qeIdentityData();
      const record = await recordOf(bytes, reader(), identity);
      expect(record.actual).to.equal(record.expected);

      const third = await buildEvidence(bytes, reader());
      expect(third.path).to.equal(3);
      const { signedPart } = parseQuote(bytes);
      expect(third.quote.length / 2 - 1).to.equal(signedPart.length + 4 + 64 + 64);
      expect(await verify(third)).to.deep.equal(verdict);

      // Another QE identity voids the key's part of the record, not the platform's.
      const newer = platform.collateral({ now: at - 1800, qeIdentity: { tcbEvaluationDataNumber: 65_000 } });
      const levels = JSON.parse(new TextDecoder().decode(newer.qeIdentity)).tcbLevels;
      const other = platform.collateral({
        now: at - 1800,
        qeIdentity: { tcbEvaluationDataNumber: 65_000, tcbLevels: [...levels, { ...levels[0], tcb: { isvsvn: 0 } }] },
      });
      await push(["qeIdentity"], other);
      expect(await reader().qeIdentityData()).not.to.equal(identity);
      expect((await buildEvidence(bytes, reader())).path).to.equal(1);
      expect(
        (
          await buildEvidence(
            bytes,
            reader(async () => zeroHash),
          )
        ).path,
      ).to.equal(1);
      const second = await buildEvidence(
        bytes,
        reader(async () => record.keyHash),
      );
      expect(second.path).to.equal(2);
      expect(second.evidence.pckLeaf).to.equal("0x");
      const again = await verify(second);
      expect(again.tcbEvidenceHash).to.equal(verdict.tcbEvidenceHash);
      expect((await buildEvidence(bytes, reader())).path).to.equal(3);
    });

    it("hashes what collateral judges as the contract does", async () => {
      const evidence = await buildEvidence(bytes, contracts.reader());
      const { tcb, tcbEvidenceHash } = await contracts.verify(evidence);
      const { report, qeReport } = parseQuote(bytes);
      const platformTuple = platformOf(Uint8Array.fromHex(splitQuote(bytes).pckLeaf.slice(2)), 1);
      const own = tcbEvidenceOf(platformTuple, report, readEnclaveReport(qeReport).isvSvn);
      expect(own).to.deep.equal(tcb);
      expect(hashTcbEvidence(own)).to.equal(tcbEvidenceHash);
    });
  });

describe("buildEvidence for Intel's platforms", () => {
  let evm: Evm;
  let contracts: Awaited<ReturnType<typeof deploy>>;
  before(async () => {
    evm = await startEvm(augustTime);
    contracts = await deploy(evm, intelRootKey, bundle(august));
  });
  after(() => evm.close());

  it("relies on the record for a later quote of the same machine and key", async () => {
    const { reader, verify } = contracts;
    expect((await buildEvidence(quote("nearmpc_2026-08-14_50328c652"), reader())).path).to.equal(1);
    await verify(await buildEvidence(quote("nearmpc_2026-08-14_50328c652"), reader()));
    // Eight months older, of the same machine.
    const later = await buildEvidence(quote("nearmpc_2025-12-11_1b075a77b"), reader());
    expect(later.path).to.equal(3);
    expect(await verify(later)).to.include({ tcbStatus: 1 });
    // Another machine has no record.
    expect((await buildEvidence(quote("phala_sample_v4"), reader())).path).to.equal(1);
  });

  it("sends a quote whose issuer the chain does not know, for the contract to refuse", async () => {
    const stranger = createPlatform({ appCompose, seed: new Uint8Array(32).fill(8) }).quote(new Uint8Array(64));
    const { evidence, path } = await buildEvidence(stranger, contracts.reader());
    expect(path).to.equal(1);
    expect(evidence.revocationHint).to.equal(0);
    expect(evidence.pckLeaf).to.equal(splitQuote(stranger).pckLeaf);
    expect(bytesToHex(stranger).startsWith((await buildEvidence(stranger, contracts.reader())).quote)).to.equal(true);
  });
});
