/** Two workers on two platforms under one root: what both say is paid for, and a job on which they differ is refunded. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { bytesToHex, type Hex, parseEther } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { connectPlatform } from "../../../enclave/attestation/platform.ts";
import { gasWalletPath } from "../../../enclave/worker.ts";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import type { SignedGrant } from "../../../protocol/eip712.ts";
import { hashGrant } from "../../../protocol/eip712.ts";
import { packProgram } from "../../../protocol/program.ts";
import { sealKey } from "../../../protocol/sealing.ts";
import { testAccount } from "../../../scripts/localChain.ts";
import { type LocalWorker, whenReady } from "../../../scripts/localMarket.ts";
import { createClient } from "../../../sdk/client.ts";
import { datasetKeyBytes, decryptResult, newResultIdentity } from "../../../sdk/encryption.ts";
import { signSealedKey } from "../../../sdk/grants.ts";
import { authorizeAgent } from "../../../sdk/operators.ts";
import { fetchResult, postGrant, uploadBlob } from "../../../sdk/worker.ts";
import { type Simulator, startSimulator } from "../../../simulator/startSimulator.ts";
import { bring, countingProgram, fees, gainsOf, grantOf, openRaw, problemOf } from "../../support/hostile.ts";
import { ended, settlement, stateOf } from "../../support/outcomes.ts";
import { type Scenario, startScenario } from "../../support/scenario.ts";
import { until, viewOf } from "./people.ts";

const seed: Hex = `0x${"5e".repeat(32)}`;
const env = { GRANT_WAIT_SECONDS: "1" };

describe("a job with a quorum of two", () => {
  let s: Scenario;
  let machine: Simulator;
  let other: LocalWorker;
  before(async () => {
    s = await startScenario({ seed, env });
    const appCompose = await readFile(new URL("../../../deploy/app-compose.json", import.meta.url), "utf8");
    machine = await startSimulator({ appCompose, seed: Buffer.from(seed.slice(2), "hex"), machine: "2" });
    const gasWallet = privateKeyToAddress(bytesToHex(await connectPlatform(machine.endpoint).deriveKey(gasWalletPath)));
    const { chain, deployment } = s.market;
    await chain.control.setBalance({ address: gasWallet, value: parseEther("10") });
    const operator = await createClient({ rpcUrl: chain.rpcUrl, deployment, account: testAccount(1) });
    const { validUntil, signature } = await authorizeAgent(operator, gasWallet, 1);
    other = await s.market.startWorker({
      dataDir: join(s.dir, "other"),
      env: {
        ...env,
        DSTACK_SIMULATOR_ENDPOINT: machine.endpoint,
        COLLATERAL_URL: machine.pcsUrl,
        OPERATOR_AUTHORIZATION: JSON.stringify({ validUntil: Number(validUntil), signature }),
      },
    });
    await whenReady(other, 20_000);
  });
  after(async () => {
    await s.stop();
    await machine.close();
  });

  /** As `bring`, to the other worker. */
  async function bringToOther({ grant, signature }: SignedGrant, key: string): Promise<void> {
    const { vaultKey } = (await (await fetch(`${other.url}/enclave`)).json()) as { vaultKey: Hex };
    const grantHash = hashGrant(s.requester.marketDomain, grant);
    const sealedKey = await sealKey(vaultKey, grantHash, datasetKeyBytes(key));
    const sealedKeySignature = await signSealedKey(s.providers[0].client, grantHash, sealedKey);
    await postGrant(other.url, { grant, signature, sealedKey, sealedKeySignature });
  }

  /** Both workers find program and ciphertext with the first. */
  async function prepare() {
    const program = countingProgram(s);
    await uploadBlob(other.url, packProgram(program));
    const provider = s.providers[0];
    const { contentHash } = provider;
    const blob = await (await fetch(`${s.worker().url}/blobs/${contentHash.slice(2)}`)).arrayBuffer();
    await uploadBlob(other.url, new Uint8Array(blob));
    const grant = await grantOf(s, provider, program);
    return { program, grant, provider };
  }

  const counted = async (jobId: Hex) => {
    const filter = { address: s.requester.marketDomain.verifyingContract, abi: jobMarketAbi, fromBlock: 0n } as const;
    const which = { eventName: "ReceiptCounted", args: { jobId }, strict: true } as const;
    return s.requester.chain.getContractEvents({ ...filter, ...which });
  };

  it("is paid when both platforms have said the same; both then hand out the result, and not before", async () => {
    const { program, grant, provider } = await prepare();
    await bring(s, grant, { key: provider.datasetKey });
    const { gained, value: job } = await gainsOf(s, async () => {
      const opened = await openRaw(s, { program, grants: [grant], changes: { quorum: 2 } });
      await until(s, async () => (await viewOf(s.worker().url, opened.jobId)).waiting === "counted");
      expect(await counted(opened.jobId)).to.have.length(1);
      expect(await stateOf(s, opened.jobId)).to.equal("Open");
      expect(await problemOf(`${s.worker().url}/results/${opened.jobId}`)).to.equal("409 Http.ResultHeldBackError");
      // The other has no key yet, and its time to wait for one passes: it says nothing, and the job goes on.
      await until(s, async () => (await viewOf(other.url, opened.jobId)).waiting === "Jobs.AbstainedError");
      expect(await stateOf(s, opened.jobId)).to.equal("Open");
      await bringToOther(grant, provider.datasetKey);
      expect(await ended(s, opened.jobId)).to.equal("SettledOk");
      return opened;
    });
    expect(gained).to.deep.equal([2n * fees.operatorFee, fees.price, 0n, 0n]);
    const receipt = await settlement(s, job.jobId);
    for (const { url } of [s.worker(), other]) {
      await until(s, async () => (await viewOf(url, job.jobId)).phase === "settled");
      const own = (await (await fetch(`${url}/receipts/${job.jobId}`)).json()) as { receipt: { resultHash: Hex } };
      const ciphertext = await fetchResult(url, job.jobId);
      const resultHash = own.receipt.resultHash;
      const { output } = await decryptResult(job.identity, ciphertext, { ...receipt, resultHash });
      expect(output).to.have.property("n").that.is.greaterThan(10_000);
    }
    const [event] = await counted(job.jobId);
    expect(event?.args.outputCommitment).to.equal(receipt.outputCommitment);
  });

  it("ends as Disagreed when they differ: a provider gave one of them another key", async () => {
    const { program, grant, provider } = await prepare();
    const { identity: wrongKey } = await newResultIdentity();
    await bring(s, grant, { key: provider.datasetKey });
    await bringToOther(grant, wrongKey);
    const { gained, value: job } = await gainsOf(s, async () => {
      const opened = await openRaw(s, { program, grants: [grant], changes: { quorum: 2 } });
      expect(await ended(s, opened.jobId)).to.equal("Disagreed");
      return opened;
    });
    expect(gained).to.deep.equal([0n, 0n, 0n, job.cost]);
    for (const { url } of [s.worker(), other]) {
      await until(s, async () => (await viewOf(url, job.jobId)).phase === "disagreed");
      expect(await problemOf(`${url}/results/${job.jobId}`)).to.equal("404 Http.UnknownJobError");
    }
  });
});
