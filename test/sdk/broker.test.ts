/** The key broker: whom it gives keys, whom not, and what it survives. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { keccak256, zeroAddress } from "viem";
import { hashSealedKey, type SignedGrant } from "../../protocol/eip712.ts";
import { evidenceHashOf } from "../../protocol/enclaveRecord.ts";
import { BaseError } from "../../protocol/errors.ts";
import { generateVaultKey, type SealedKey } from "../../protocol/sealing.ts";
import { recoverSigner } from "../../protocol/signature.ts";
import {
  type BrokerEvent,
  type BrokerState,
  type BrokerStore,
  createBroker,
  isGone,
  runBroker,
} from "../../sdk/broker.ts";
import { addressOf, type Client, createClient } from "../../sdk/client.ts";
import { getEnclave } from "../../sdk/enclaves.ts";
import { datasetKeyBytes } from "../../sdk/encryption.ts";
import { chainTime, NotYoursError, revokeAllOwnGrants, revokeGrantNonce, signGrant } from "../../sdk/grants.ts";
import { publishDataset } from "../../sdk/publishDataset.ts";
import { ProofNotShownError } from "../../sdk/registration/proof.ts";
import {
  AppointmentEndedError,
  AppointmentNotSignedError,
  BadSealerError,
  NoSealerError,
  signSealerAppointment,
  verifyAppointment,
} from "../../sdk/sealers.ts";
import { RegistrationNotProvenError, verifyRegistration } from "../../sdk/verifyRegistration.ts";
import { createPlatform } from "../../simulator/platform.ts";
import { testAccount } from "../support/chain.ts";
import { startLyingRpc } from "./support/lyingRpc.ts";
import { rejection } from "./support/rejection.ts";
import { openGrant, startWorld, type World, who } from "./support/world.ts";

const programId = keccak256("0x0102");

describe("sdk: the key broker", () => {
  let world: World;
  let provider: Client;
  let snapshot: `0x${string}`;
  let granted: SignedGrant & { grantHash: `0x${string}` };
  let secret: string;
  const servers: Server[] = [];

  before(async () => {
    world = await startWorld();
    provider = await world.clientOf(who.provider);
  });
  beforeEach(async () => {
    snapshot = await world.chain.control.snapshot();
    world.worker.grants.length = 0;
    const { datasetId } = await publishDataset(provider, {
      bytes: new TextEncoder().encode("a\n1\n"),
      metadata: { title: "t", format: "csv" },
      describe: true,
      keepKey: async (_, key) => {
        secret = key;
      },
      place: async () => "https://example.org/a",
    });
    granted = await grant(datasetId);
  });
  afterEach(() => world.chain.control.revert({ id: snapshot }));
  after(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await world.close();
  });

  async function grant(datasetId: `0x${string}`, terms: Partial<Parameters<typeof signGrant>[1]> = {}) {
    const notAfter = (await chainTime(provider)) + 86_400n;
    const base = { datasetId, programId, workloadId: world.workloadId, token: zeroAddress, price: 1n, notAfter };
    return await signGrant(provider, { ...base, ...terms });
  }

  /** A store in memory that also takes the state through JSON-like copies, as a disk would. */
  function storeOf(...grants: SignedGrant[]): BrokerStore & { state: BrokerState | undefined } {
    const store: BrokerStore & { state: BrokerState | undefined } = {
      state: undefined,
      grants: async () => grants,
      datasetKey: async (id) => (id === granted.grant.datasetId ? datasetKeyBytes(secret) : undefined),
      loadState: async () => structuredClone(store.state),
      saveState: async (state) => {
        store.state = structuredClone(state);
      },
    };
    return store;
  }

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const types = (events: BrokerEvent[]) => events.map((event) => event.type);
  const errors = (events: BrokerEvent[]) =>
    events.map((event) => (event.type === "failed" ? event.error.name : event.type));

  it("gives each enclave of the workload the key once, also after a restart", async () => {
    const first = await world.registerEnclave();
    const store = storeOf(granted);
    const broker = await createBroker(provider, store);
    const [event] = await broker.step();
    expect(event).to.deep.equal({
      type: "delivered",
      grantHash: granted.grantHash,
      signingKey: first.account.address,
      endpoint: world.worker.url,
    });
    const [posted] = world.worker.grants;
    if (posted === undefined) throw new Error("nothing was posted");
    expect(posted.grant).to.deep.equal(granted.grant);
    expect(await openGrant(first, granted.grantHash, posted)).to.equal(secret);
    expect(await broker.step()).to.deep.equal([]);
    const restarted = await createBroker(provider, store);
    expect(await restarted.step()).to.deep.equal([]);

    const second = await world.registerEnclave();
    const events = await restarted.step();
    expect(types(events)).to.deep.equal(["delivered"]);
    expect(world.worker.grants).to.have.length(2);
    const later = world.worker.grants[1];
    if (later === undefined) throw new Error("nothing was posted");
    expect(await openGrant(second, granted.grantHash, later)).to.equal(secret);
    // Neither the enclave of the other grant nor another grant opens it.
    const opened = await openGrant(first, granted.grantHash, later).catch((error) => error.name);
    expect(opened).to.equal("Sealing.SealingError");
  });

  it("gives new grants to enclaves it knows", async () => {
    await world.registerEnclave();
    const grants = [granted];
    const store = { ...storeOf(), grants: async () => grants };
    const broker = await createBroker(provider, store);
    expect(types(await broker.step())).to.deep.equal(["delivered"]);
    grants.push(await grant(granted.grant.datasetId));
    expect(types(await broker.step())).to.deep.equal(["delivered"]);
  });

  it("gives nothing to another workload, another operator, or an expired enclave", async () => {
    const appCompose = world.platform.appCompose.raw.replace('"data-collab-market"', '"another"');
    const other = createPlatform({ appCompose, seed: new Uint8Array(32).fill(7) });
    await world.registerEnclave({ platform: other });
    const broker = await createBroker(provider, storeOf(granted));
    expect(await broker.step()).to.deep.equal([]);

    await world.registerEnclave();
    const forOther = await grant(granted.grant.datasetId, { operator: testAccount(9).address });
    const picky = await createBroker(provider, storeOf(forOther));
    expect(await picky.step()).to.deep.equal([]);

    await world.chain.control.increaseTime({ seconds: 86_401 });
    await world.chain.control.mine({ blocks: 1 });
    const fresh = await grant(granted.grant.datasetId);
    expect(await (await createBroker(provider, storeOf(fresh))).step()).to.deep.equal([]);
    expect(world.worker.grants).to.deep.equal([]);
  });

  it("does not serve a revoked grant, and says so once", async () => {
    await world.registerEnclave();
    await revokeGrantNonce(provider, granted.grant.nonce);
    const broker = await createBroker(provider, storeOf(granted));
    expect(await broker.step()).to.deep.equal([{ type: "void", grantHash: granted.grantHash, state: "revoked" }]);
    expect(await broker.step()).to.deep.equal([]);
    expect(world.worker.grants).to.deep.equal([]);
  });

  it("serves the others when endpoints refuse, hang up, redirect, lie or are no URLs", async () => {
    const dead = "http://127.0.0.1:1";
    const refusing = await serve((_, response) => {
      response.writeHead(422, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ title: "No\u001b[2J", hint: "h", name: "Vault.X" }));
    });
    const redirecting = await serve((_, response) => {
      response.writeHead(307, { location: `${world.worker.url}/grants` });
      response.end();
    });
    const lying = await serve((_, response) => response.end(JSON.stringify({ grantHash: keccak256("0x") })));
    const babbling = await serve((_, response) => response.end("x".repeat(100_000)));
    for (const endpoint of [dead, refusing, redirecting, lying, babbling, "file:///etc/passwd"])
      await world.registerEnclave({ endpoint });
    await world.registerEnclave();
    let now = Date.now();
    const broker = await createBroker(provider, storeOf(granted), () => now);
    const events = await broker.step();
    expect(errors(events).sort()).to.deep.equal([
      "BoundedFetch.AnswerTooLongError",
      "BoundedFetch.BadServerUrlError",
      "BoundedFetch.ServerRefusedError",
      "BoundedFetch.ServerUnreachableError",
      "BoundedFetch.ServerUnreachableError",
      "Broker.DeliveryError",
      "delivered",
    ]);
    const told = JSON.stringify(events, (_, v) => (v instanceof BaseError ? `${v.message} ${v.hint} ${v.cause}` : v));
    expect(told).not.to.contain("AGE-SECRET-KEY");
    expect(told).not.to.contain("\\u001b");
    // Backs off: nothing before the time, then again, at longer intervals.
    expect(await broker.step()).to.deep.equal([]);
    now += 2_000;
    const again = await broker.step();
    expect(again).to.have.length(6);
    expect(again.map((event) => event.type === "failed" && event.retryAfterMs)).to.deep.equal(Array(6).fill(4_000));
  });

  it("leaves an enclave alone for an hour when its worker says that it has other keys now", async () => {
    let asked = 0;
    const restarted = await serve((_, response) => {
      asked += 1;
      response.writeHead(422, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ title: "No", name: "Vault.OtherVaultKeyError" }));
    });
    await world.registerEnclave({ endpoint: restarted });
    let now = Date.now();
    const grants = [granted];
    const broker = await createBroker(provider, { ...storeOf(), grants: async () => grants }, () => now);
    const [event] = await broker.step();
    expect(event?.type === "failed" && isGone(event.error)).to.equal(true);
    grants.push(await grant(granted.grant.datasetId));
    now += 3_599_000;
    expect(await broker.step()).to.deep.equal([]);
    now += 2_000;
    expect(await broker.step()).to.have.length(2);
    expect(asked).to.equal(3);
  });

  it("cuts an endpoint that hangs", async () => {
    const hanging = await serve(() => {});
    const stop = new AbortController();
    await world.registerEnclave({ endpoint: hanging });
    const broker = await createBroker(provider, storeOf(granted));
    setTimeout(() => stop.abort(), 200);
    expect(errors(await broker.step(stop.signal))).to.deep.equal(["BoundedFetch.ServerUnreachableError"]);
  });

  it("says that a key is not here, and tries no other", async () => {
    await world.registerEnclave();
    const store = { ...storeOf(granted), datasetKey: async () => undefined };
    expect(errors(await (await createBroker(provider, store)).step())).to.deep.equal(["Broker.KeyNotHereError"]);
  });

  it("seals for nobody whose wallet the owner has not appointed, and for who was until consent is taken back", async () => {
    await world.registerEnclave();
    const { datasetId } = granted.grant;
    const stranger = await world.clientOf(who.requester);
    const [event] = await (await createBroker(stranger, storeOf(granted))).step();
    const me = addressOf(stranger);
    expect(event?.type === "failed" && event.error).to.be.instanceOf(NoSealerError);
    expect(event?.type === "failed" && event.error.message).to.equal(
      `Data set ${datasetId} belongs to ${addressOf(provider)}, which has not appointed ${me} to seal its key.`,
    );
    const notAfter = (await chainTime(provider)) + 60n;
    const signed = await signSealerAppointment(provider, { datasetId, sealer: me, notAfter });
    const appointed = () => ({ ...storeOf(granted), appointment: async () => signed });
    expect(types(await (await createBroker(stranger, appointed())).step())).to.deep.equal(["delivered"]);
    const [posted] = world.worker.grants;
    expect(posted?.sealerAppointment).to.deep.equal(signed);
    const sealed = hashSealedKey(provider.marketDomain, granted.grantHash, posted?.sealedKey as SealedKey);
    expect(recoverSigner(sealed, posted?.sealedKeySignature ?? "0x")).to.equal(me);
    // The owner needs no appointment, and shows none.
    expect(types(await (await createBroker(provider, appointed())).step())).to.deep.equal(["delivered"]);
    expect(world.worker.grants[1]).not.to.have.property("sealerAppointment");

    await world.chain.control.increaseTime({ seconds: 61 });
    await world.chain.control.mine({ blocks: 1 });
    const late = await rejection(verifyAppointment(stranger, signed), AppointmentEndedError);
    expect(late.message).to.equal(
      `The appointment for data set ${datasetId} does not hold: it held until ${notAfter}.`,
    );
    const fresh = { datasetId, sealer: me, notAfter: notAfter + 3_600n };
    const renewed = await signSealerAppointment(provider, fresh);
    await verifyAppointment(stranger, renewed);
    const forged = { ...renewed, signature: signed.signature };
    await rejection(verifyAppointment(stranger, forged), AppointmentNotSignedError);
    await revokeAllOwnGrants(provider);
    const over = await rejection(verifyAppointment(stranger, renewed), AppointmentEndedError);
    expect(over.message).to.equal(`The appointment for data set ${datasetId} does not hold: its owner's epoch is 1.`);
    await rejection(signSealerAppointment(stranger, fresh), NotYoursError);
    const contract = world.deployment.contracts.jobMarket;
    const noKey = await rejection(signSealerAppointment(provider, { ...fresh, sealer: contract }), BadSealerError);
    expect(noKey.message).to.equal(`${contract} is a contract, and has no key to sign with.`);
  });

  it("gives no key to a vault key that only the RPC vouches for", async () => {
    const enclave = await world.registerEnclave();
    const attacker = await generateVaultKey();
    const { tcb } = await getEnclave(provider, enclave.account.address);
    const swaps = [
      [enclave.vault.publicKey, attacker.publicKey],
      [evidenceHashOf(enclave.vault.publicKey, tcb), evidenceHashOf(attacker.publicKey, tcb)],
    ].map((pair) => pair.map((hex) => hex.slice(2))) as [string, string][];
    // Everywhere: in the event, in the registry's state, in the transaction.
    const rpc = await startLyingRpc(world.chain.rpcUrl, (_, answer) =>
      swaps.reduce((text, [from, to]) => text.replaceAll(from, to), answer),
    );
    try {
      const deceived = await createClient({
        rpcUrl: rpc.url,
        deployment: world.deployment,
        account: testAccount(who.provider),
      });
      expect((await getEnclave(deceived, enclave.account.address)).vaultKey).to.equal(attacker.publicKey);
      const events = await (await createBroker(deceived, storeOf(granted))).step();
      expect(errors(events)).to.deep.equal(["VerifyRegistration.RegistrationNotProvenError"]);
      expect(world.worker.grants).to.deep.equal([]);
    } finally {
      await rpc.close();
    }
  });

  it("takes no part of a registration on trust", async () => {
    const enclave = await getEnclave(provider, (await world.registerEnclave()).account.address);
    const other = await getEnclave(provider, (await world.registerEnclave()).account.address);
    const now = Math.floor(Date.now() / 1000);
    await verifyRegistration(provider, enclave, now);
    const fact = async (change: Partial<typeof enclave>, client = provider) =>
      (await rejection(verifyRegistration(client, { ...enclave, ...change }, now), RegistrationNotProvenError)).message;
    expect(await fact({ transactionHash: other.transactionHash })).to.contain("registers other keys");
    expect(await fact({ vaultKey: other.vaultKey })).to.contain("registers other keys");
    expect(await fact({ workloadId: keccak256("0x01") })).to.contain("of another workload");
    expect(await fact({ operator: testAccount(9).address })).to.contain("binds other keys");
    const elsewhere = { ...provider, deployment: { ...provider.deployment, chainId: 5 } };
    expect(await fact({}, elsewhere)).to.contain("for another chain or registry");
    const grantTransaction = await revokeGrantNonce(provider, 1n);
    const notPlain = await rejection(
      verifyRegistration(provider, { ...enclave, transactionHash: grantTransaction.hash }, now),
      ProofNotShownError,
    );
    expect(notPlain.fact).to.equal("its transaction is not a plain call of register");
    expect(await fact({ platformId: keccak256("0x02") })).to.contain("of another platform");
    const outdated = world.platform.collateral({ statuses: { platform: "OutOfDate" } });
    const judged = await rejection(verifyRegistration(provider, enclave, now, outdated), RegistrationNotProvenError);
    expect(judged.message).to.contain("TCB policy: OutOfDate;");
    const rootKey = `0x${"04".repeat(64)}` as const;
    const otherRoot = { ...provider, deployment: { ...provider.deployment, rootKey } };
    const error = await verifyRegistration(otherRoot, enclave, now).catch((e) => e);
    expect(error.name).to.equal("Quote.QuoteCheckError");
    const expired = await verifyRegistration(provider, enclave, now + 100 * 365 * 86_400).catch((e) => e);
    expect(expired.name).to.equal("Quote.QuoteCheckError");
  });

  it("runs until it is stopped, through an RPC that fails in between", async () => {
    await world.registerEnclave();
    let failing = true;
    const rpc = await startLyingRpc(world.chain.rpcUrl, (call, answer) =>
      failing && call.method === "eth_getLogs"
        ? `{"jsonrpc":"2.0","id":${call.id},"error":{"code":-32000,"message":"x"}}`
        : answer,
    );
    const client = await createClient({
      rpcUrl: rpc.url,
      deployment: world.deployment,
      account: testAccount(who.provider),
    });
    const broker = await createBroker(client, storeOf(granted));
    const stop = new AbortController();
    const news: string[] = [];
    await runBroker(broker, {
      pollMs: 10,
      signal: stop.signal,
      report(batch) {
        if (!Array.isArray(batch)) {
          news.push(batch.name);
          failing = false;
        } else {
          news.push(...types(batch));
          stop.abort();
        }
      },
    });
    await rpc.close();
    expect(news).to.deep.equal(["Chain.RpcError", "delivered"]);
  });
});
