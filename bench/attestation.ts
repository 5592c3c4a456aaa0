/**
 * What attestation costs: the real dstack quote and collateral of August 2026 under Intel's root key, and registrations
 * on the simulated platform, whose bytes differ in names and keys only. Sources: test/vectors/tdx/README.md.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Abi, keccak256 } from "viem";
import { enclaveRegistryAbi, tdxVerifierAbi } from "../protocol/abi.ts";
import { intelRootKey } from "../protocol/deployment.ts";
import type { QuoteEvidence } from "../protocol/quote/evidence.ts";
import { parseQuote } from "../protocol/quote/parseQuote.ts";
import { hashTcbEvidence, platformOf, tcbEvidenceOf } from "../protocol/quote/platformRecord.ts";
import { readEnclaveReport } from "../protocol/quote/tdReport.ts";
import { readCollateralDir } from "../sdk/node/collateralFiles.ts";
import { type Contracts, deployAttestation, evidenceFor, push, requirePath } from "./attestationSteps.ts";
import { type BenchChain, type Measured, startBenchChain } from "./benchChain.ts";
import { allowedTcb, startSimulatedRegistry } from "./simulatedRegistry.ts";

const vectors = fileURLToPath(new URL("../test/vectors/tdx", import.meta.url));
const quoteName = "nearmpc_2026-08-14_50328c652";
const january = { bundle: "nearmpc_B0C06F_2026-01-28_832c32113_eval18", at: 1_769_417_006 };
const august = { bundle: "nearmpc_B0C06F_2026-08-14_50328c652_eval20", at: 1_786_621_538 };

/** Every transaction of attestation. */
export async function attestationGas(): Promise<Measured[]> {
  const runs = [await realQuote(), await longCrl(), await newAttestationKey(), await noPrecompile(), await simulated()];
  return runs.flat();
}

/* REAL QUOTE */

async function realQuote(): Promise<Measured[]> {
  const bench = await startBenchChain({ initialTime: august.at - 60 });
  const contracts = await deployAttestation(bench, intelRootKey);
  const collateral = await readCollateralDir(`${vectors}/collateral/${august.bundle}`);
  await push(bench, contracts, collateral, {
    pckCa: "authority.pckCa",
    tcbSigning: "authority.tcbSigning",
    rootCrl: "rootCrl.upsert",
    pckCrl: "crl.57",
    qeIdentity: "qeIdentity.upsert",
    tcbInfo: "tcbInfo.upsert",
  });
  await verify(bench, contracts, 1, "verify.first");
  await verify(bench, contracts, 3, "verify.akCached");
  return bench.measured;
}

/** The list of 16 July 2026, the longest there has been. */
async function longCrl(): Promise<Measured[]> {
  const bench = await startBenchChain({ initialTime: august.at - 60 });
  const contracts = await deployAttestation(bench, intelRootKey);
  const collateral = await readCollateralDir(`${vectors}/collateral/${august.bundle}`);
  const pckCrl = await readFile(`${vectors}/crl/pck_platform_129_entries_20260716.der`);
  await push(bench, contracts, { ...collateral, pckCrl: Uint8Array.from(pckCrl) }, { pckCrl: "crl.129" });
  await verify(bench, contracts, 1, "verify.first.crl129");
  return bench.measured;
}

/** The platform is known since January; since then the QE identity has changed, so that the attestation key is not. */
async function newAttestationKey(): Promise<Measured[]> {
  const bench = await startBenchChain({ initialTime: january.at - 60 });
  const contracts = await deployAttestation(bench, intelRootKey);
  await push(bench, contracts, await readCollateralDir(`${vectors}/collateral/${january.bundle}`));
  await verify(bench, contracts, 1);
  bench.setTime(august.at);
  const collateral = await readCollateralDir(`${vectors}/collateral/${august.bundle}`);
  await push(bench, contracts, collateral, {}, ["rootCrl", "pckCrl", "qeIdentity", "tcbInfo"]);
  await verify(bench, contracts, 2, "verify.platformCached");
  return bench.measured;
}

async function noPrecompile(): Promise<Measured[]> {
  const bench = await startBenchChain({ initialTime: august.at - 60, hardfork: "prague" });
  const contracts = await deployAttestation(bench, intelRootKey);
  await push(bench, contracts, await readCollateralDir(`${vectors}/collateral/${august.bundle}`));
  await verify(bench, contracts, 1, "verify.first.noPrecompile");
  return bench.measured;
}

/* SIMULATED PLATFORM */

async function simulated(): Promise<Measured[]> {
  const bench = await startBenchChain();
  const { contracts, platform, registry, now, agent, quoteFor, register } = await startSimulatedRegistry(bench);
  const { enclave, vaultKey } = await register(3, 1, "register.first");
  await register(4, 3, "register.later");

  bench.setTime(now + 3 * 86_400 + 60);
  const { bytes, blockNumber, sent } = await quoteFor(enclave, vaultKey);
  const tcb = tcbEvidenceOf(platformOf(platform.certificates.pckLeaf, 1), parseQuote(bytes).report, qeIsvSvnOf(bytes));
  const request = {
    signingKey: enclave.address,
    vaultKeyHash: keccak256(vaultKey),
    tcbEvidenceHash: hashTcbEvidence(tcb),
    appConfig: "0x",
    blockNumber,
  };
  const args = [sent.quote, sent.evidence, request];
  await bench.send({ from: agent, to: registry, abi: enclaveRegistryAbi, functionName: "renew", args, id: "renew" });

  const later = platform.collateral({ now: now + 3 * 86_400 });
  await push(bench, contracts, later, { tcbInfo: "tcbInfo.refresh", pckCrl: "crl.refresh" }, ["tcbInfo", "pckCrl"]);
  return bench.measured;
}

function qeIsvSvnOf(quote: Uint8Array): number {
  return readEnclaveReport(parseQuote(quote).qeReport).isvSvn;
}

async function verify(bench: BenchChain, contracts: Contracts, path: QuoteEvidence["path"], id?: string) {
  const sent = await evidenceFor(bench, contracts, await readFile(`${vectors}/quotes/${quoteName}.bin`));
  requirePath(sent, path);
  const args = [sent.quote, sent.evidence, allowedTcb];
  const call = { to: contracts.tdxVerifier, abi: tdxVerifierAbi as Abi, functionName: "verify", args };
  await bench.send(id === undefined ? call : { ...call, id });
}
