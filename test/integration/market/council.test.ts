/** A council's data set: its members sign once whom they trust to hand out its key, and enclaves come and go. */
import { expect } from "chai";
import { type Address, encodeFunctionData, getAddress } from "viem";
import { deployContract } from "../../../deploy/deployContracts.ts";
import { datasetRegistryAbi } from "../../../protocol/abi.ts";
import { type CouncilCall, joinApprovals } from "../../../protocol/council.ts";
import { hashGrant, type SignedGrant } from "../../../protocol/eip712.ts";
import type { SignedAppointment } from "../../../protocol/sealerAppointment.ts";
import { sealKey } from "../../../protocol/sealing.ts";
import { type Broker, createBroker } from "../../../sdk/broker.ts";
import { type Client, createClient } from "../../../sdk/client.ts";
import { approveAppointment, approveCall, approveGrant, executeCall, revokeAsMember } from "../../../sdk/councils.ts";
import { offerDataset } from "../../../sdk/datasetOwner.ts";
import { getDataset } from "../../../sdk/datasets.ts";
import { datasetKeyBytes } from "../../../sdk/encryption.ts";
import { chainTime, signSealedKey } from "../../../sdk/grants.ts";
import { newAppointment } from "../../../sdk/sealers.ts";
import { postGrant } from "../../../sdk/worker.ts";
import { testAccount } from "../../support/chain.ts";
import { countingProgram, grantOf, openRaw } from "../../support/hostile.ts";
import { failureOf } from "../../support/outcomes.ts";
import { type Scenario, startScenario } from "../../support/scenario.ts";

describe("a council's data set", () => {
  let s: Scenario;
  let council: Address;
  let [alice, bob, sealer] = [] as unknown as [Client, Client, Client];
  let appointed: SignedAppointment;
  let broker: Broker;
  const grants: SignedGrant[] = [];
  const both = async <T>(sign: (member: Client) => Promise<T>) => [await sign(alice), await sign(bob)];

  before(async () => {
    s = await startScenario();
    const connect = (index: number) =>
      createClient({
        rpcUrl: s.market.chain.rpcUrl,
        deployment: s.market.deployment,
        account: testAccount(index),
        pollingIntervalMs: 50,
      });
    [alice, bob, sealer] = [await connect(5), await connect(6), await connect(7)];
    const members = [5, 6, 8]
      .map((i) => testAccount(i).address)
      .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
    const clients = { wallet: s.market.chain.wallet(0), chain: s.market.chain.public };
    const { datasetRegistry } = s.market.deployment.contracts;
    council = getAddress(
      await deployContract(clients, "market/DatasetCouncil.sol/DatasetCouncil", [datasetRegistry, members, 2]),
    );
    const { client, datasetId, datasetKey } = s.providers[0];
    await offerDataset(client, datasetId, council);
    const data = encodeFunctionData({ abi: datasetRegistryAbi, functionName: "takeOwnership", args: [datasetId] });
    const deadline = (await chainTime(client)) + 3600n;
    const call: CouncilCall = { target: datasetRegistry, value: 0n, data, nonce: 0n, deadline };
    await executeCall(sealer, council, call, joinApprovals(await both((member) => approveCall(member, council, call))));

    const notAfter = (await chainTime(client)) + 3600n;
    const terms = { datasetId, sealer: testAccount(7).address, notAfter };
    const { appointment } = await newAppointment(alice, terms);
    const approvals = await both((member) => approveAppointment(member, council, appointment));
    appointed = { appointment, signature: joinApprovals(approvals) };
    broker = await createBroker(sealer, {
      grants: async () => grants,
      datasetKey: async () => datasetKeyBytes(datasetKey),
      appointment: async () => appointed,
      loadState: async () => undefined,
      saveState: async () => undefined,
    });
  });
  after(() => s.stop());

  /** Consent of two members under the epochs of now, which the broker is to serve. */
  async function consented(): Promise<SignedGrant> {
    const provider = s.providers[0];
    const { epoch, ownerEpoch } = await getDataset(alice, provider.datasetId);
    const { grant } = await grantOf(s, provider, countingProgram(s), { epoch, ownerEpoch });
    const signed = { grant, signature: joinApprovals(await both((member) => approveGrant(member, council, grant))) };
    grants.push(signed);
    return signed;
  }

  it("is served to every fresh enclave by the sealer, without the members", async () => {
    const grant = await consented();
    const keys = new Set<Address>();
    for (const fresh of [false, true]) {
      if (fresh) {
        await s.worker().child.stop();
        await s.restartWorker();
      }
      const { signingKey } = (await (await fetch(`${s.worker().url}/enclave`)).json()) as { signingKey: Address };
      keys.add(signingKey);
      const events = await broker.step();
      expect(events.map((event) => (event.type === "failed" ? event.error : event.type))).to.deep.equal(["delivered"]);
      const job = await openRaw(s, { program: countingProgram(s), grants: [grant] });
      expect(await failureOf(s, job.jobId)).to.equal("None");
    }
    expect(keys.size).to.equal(2);
  });

  it("is served no more when one member has taken consent back, until the sealer is appointed anew", async () => {
    const { datasetId, datasetKey } = s.providers[0];
    await revokeAsMember(alice, council, { datasetId });
    grants.length = 0;
    const signed = await consented();
    const [event] = await broker.step();
    expect(event?.type === "failed" && event.error.message).to.equal(
      `The appointment for data set ${datasetId} does not hold: the data set's epoch is 2.`,
    );
    // Nor does the enclave take it from one that asks nobody.
    const { vaultKey } = (await (await fetch(`${s.worker().url}/enclave`)).json()) as { vaultKey: `0x${string}` };
    const grantHash = hashGrant(sealer.marketDomain, signed.grant);
    const sealedKey = await sealKey(vaultKey, grantHash, datasetKeyBytes(datasetKey));
    const sealedKeySignature = await signSealedKey(sealer, grantHash, sealedKey);
    const refused = postGrant(s.worker().url, {
      ...signed,
      sealedKey,
      sealedKeySignature,
      sealerAppointment: appointed,
    });
    expect((await refused.catch((error) => error)).message).to.include(
      "The grant was refused: its sealer's appointment has ended with its data set's epoch.",
    );
    const { appointment } = await newAppointment(bob, appointed.appointment);
    const approvals = await both((member) => approveAppointment(member, council, appointment));
    appointed = { appointment, signature: joinApprovals(approvals) };
    const again = { ...signed, sealedKey, sealedKeySignature, sealerAppointment: appointed };
    expect(await postGrant(s.worker().url, again)).to.deep.equal({ grantHash });
  });
});
