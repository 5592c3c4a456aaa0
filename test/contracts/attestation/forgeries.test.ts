/**
 * Every forgery of the simulator against the contracts: what refuses it, with which values. The verdicts stand in
 * forgeries.verdicts.txt, one a line, so that a change of any shows in review. UPDATE=1 writes them anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { type Address, bytesToHex, encodeFunctionData, type Hex, slice, zeroHash } from "viem";
import { tdxCollateralAbi, tdxVerifierAbi } from "../../../protocol/abi.ts";
import { type CollateralItemName, collateralCall, collateralItems } from "../../../protocol/collateral/calls.ts";
import { evidenceReader } from "../../../protocol/collateral/chainState.ts";
import type { Collateral } from "../../../protocol/collateral/collateral.ts";
import { BaseError } from "../../../protocol/errors.ts";
import { readCertificate } from "../../../protocol/quote/certificate.ts";
import {
  buildEvidence,
  type EvidenceReader,
  noPlatform,
  type QuoteEvidence,
} from "../../../protocol/quote/evidence.ts";
import { splitQuote } from "../../../protocol/quote/parseQuote.ts";
import { p256KeyOf } from "../../../protocol/quote/platformRecord.ts";
import { type Evm, RevertedCallError, startEvm } from "../../../scripts/conformance/evm.ts";
import { controls, forgeries } from "../../../simulator/forgeries/forgeries.ts";
import type { Forgery } from "../../../simulator/forgeries/workshop.ts";
import { createPlatform } from "../../../simulator/platform.ts";
import { appCompose, seed } from "../../simulator/vectors.ts";

const verdictsFile = new URL("forgeries.verdicts.txt", import.meta.url);
const minimumEvaluationNumber = 17;
const allowedTcb = (1 << 1) | (1 << 2); // UpToDate, SWHardeningNeeded

/** Who refuses what the verifier takes. */
const takenByVerifier = [
  // The registry and the workload id: XFAM and MRCONFIGID are for them to judge.
  /^xfam-/,
  /^mr-config-id-/,
  // Nobody: Intel has published FMSPCs in either case.
  /^tcb-info-json-lower-case-fmspc$/,
];

describe("forgeries, on chain", () => {
  const platform = createPlatform({ appCompose, seed });
  const all = [...forgeries(platform)];
  let evm: Evm;
  let contracts: { tdxCollateral: Address; tdxVerifier: Address };
  let reader: EvidenceReader;

  before(() => start("osaka"));
  after(() => evm.close());

  async function start(hardfork: "osaka" | "prague") {
    evm = await startEvm(all[0]?.at ?? 0, hardfork);
    const key = [slice(platform.rootKey, 0, 32), slice(platform.rootKey, 32, 64)];
    const tdxCollateral = await evm.deploy("attestation/TdxCollateral.sol/TdxCollateral", [
      ...key,
      minimumEvaluationNumber,
    ]);
    const tdxVerifier = await evm.deploy("attestation/TdxVerifier.sol/TdxVerifier", [tdxCollateral]);
    contracts = { tdxCollateral, tdxVerifier };
    reader = evidenceReader(evm, contracts);
  }

  /** What becomes of one: "taken", or the item and the contract's error. */
  async function verdictOn({ quote, collateral, before: earlier }: Forgery): Promise<string> {
    return await evm.undoing(async () => {
      if (earlier !== undefined) expect(await push(earlier)).to.equal(undefined);
      return (await push(collateral, earlier)) ?? (await verify(quote));
    });
  }

  /** Sends what is not there yet; answers with the first refusal. */
  async function push(collateral: Collateral, there?: Collateral): Promise<string | undefined> {
    for (const item of collateralItems) {
      const part = item === "rootCrl" ? "rootCaCrl" : item;
      if (there !== undefined && Buffer.compare(collateral[part], there[part]) === 0) continue;
      const data = encodeFunctionData({ abi: tdxCollateralAbi, ...callOf(item, collateral) });
      const refusal = await refusalOf(contracts.tdxCollateral, data);
      if (refusal !== undefined) return `${item}: ${refusal}`;
      expect((await evm.send(contracts.tdxCollateral, data)).ok, item).to.equal(true);
    }
    return undefined;
  }

  /** A list that the off-chain reader refuses is sent all the same: the contract has to refuse it itself. */
  function callOf(item: CollateralItemName, collateral: Collateral) {
    try {
      return collateralCall(item, collateral);
    } catch (error) {
      if (!(error instanceof BaseError) || item !== "pckCrl") throw error;
      const issuer = p256KeyOf(readCertificate(collateral.pckCa).publicKey);
      return { functionName: "upsertPckCrl", args: [issuer, bytesToHex(collateral.pckCrl), "0x"] } as const;
    }
  }

  async function verify(quote: Uint8Array): Promise<string> {
    const sent = await evidenceFor(quote);
    const args = [sent.quote, sent.evidence, allowedTcb] as const;
    const data = encodeFunctionData({ abi: tdxVerifierAbi, functionName: "verify", args });
    return (await refusalOf(contracts.tdxVerifier, data)) ?? "taken";
  }

  /** A quote that the off-chain reader refuses is sent all the same, with its own leaf, or the platform's if it has none. */
  async function evidenceFor(quote: Uint8Array): Promise<Pick<QuoteEvidence, "quote" | "evidence">> {
    try {
      return await buildEvidence(quote, reader);
    } catch (error) {
      if (!(error instanceof BaseError)) throw error;
      const evidence = {
        pckLeaf: leafOf(quote) ?? bytesToHex(platform.certificates.pckLeaf),
        issuerKey: p256KeyOf(readCertificate(platform.certificates.pckIssuer).publicKey),
        platform: noPlatform,
        attestationKeyHash: zeroHash,
        qeIsvSvn: 0,
        revocationHint: 0,
      };
      return { quote: bytesToHex(quote), evidence };
    }
  }

  function leafOf(quote: Uint8Array): Hex | undefined {
    try {
      return splitQuote(quote).pckLeaf;
    } catch (error) {
      if (!(error instanceof BaseError)) throw error;
      return undefined;
    }
  }

  async function refusalOf(to: Address, data: Hex): Promise<string | undefined> {
    try {
      await evm.call(to, data);
      return undefined;
    } catch (error) {
      if (!(error instanceof RevertedCallError)) throw error;
      expect(error.errorName, error.message).not.to.be.oneOf([undefined, "Panic", "Error"]);
      return error.message;
    }
  }

  it("takes every genuine pair", async () => {
    const verdicts: [string, string][] = [];
    for (const good of controls(platform)) verdicts.push([good.name, await verdictOn(good)]);
    expect(verdicts.length).to.be.greaterThan(10);
    expect(verdicts.filter(([, verdict]) => verdict !== "taken")).to.deep.equal([]);
  });

  it("refuses each forgery with its own error and the values that are wrong", async () => {
    const lines: string[] = [];
    const taken: string[] = [];
    for (const forgery of all) {
      const verdict = await verdictOn(forgery);
      lines.push(`${forgery.name}: ${verdict}`);
      if (verdict === "taken") taken.push(forgery.name);
    }
    const text = `${lines.join("\n")}\n`;
    if (process.env.UPDATE === "1") writeFileSync(verdictsFile, text);
    expect(text).to.equal(readFileSync(verdictsFile, "utf8"));
    expect(taken.filter((name) => !takenByVerifier.some((pattern) => pattern.test(name)))).to.deep.equal([]);
  });

  it("judges signatures alike where the precompile is absent", async () => {
    await evm.close();
    await start("prague");
    const [good] = controls(platform);
    if (good !== undefined) expect(await verdictOn(good)).to.equal("taken");
    const expected = readFileSync(verdictsFile, "utf8").trim().split("\n");
    const lines: string[] = [];
    for (const forgery of all.filter(({ name }) => /-signature-|signed-by-stranger|self-made|off-curve/.test(name)))
      lines.push(`${forgery.name}: ${await verdictOn(forgery)}`);
    expect(lines.length).to.be.greaterThan(50);
    expect(expected).to.include.members(lines);
  });
});
