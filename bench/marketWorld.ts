/**
 * A market on a bench chain with a registered enclave, three providers and one requester, and what each of them signs.
 * The enclave is registered as a real one is, on the simulated platform.
 */
import {
  type Abi,
  type Address,
  encodeFunctionData,
  type Hex,
  keccak256,
  stringToHex,
  zeroAddress,
  zeroHash,
} from "viem";
import { hardhat } from "viem/chains";
import { datasetRegistryAbi, enclaveRegistryAbi, jobMarketAbi } from "../protocol/abi.ts";
import {
  domainOf,
  failureCodes,
  type Grant,
  grantTypes,
  hashGrant,
  hashOrder,
  type JobOrder,
  orderTypes,
  priceUnits,
  type Receipt,
  receiptStatus,
  receiptTypes,
  type ShownGrant,
  type SignedGrant,
  shownGrantOf,
} from "../protocol/eip712.ts";
import { commonOrder, type OrderItem } from "../protocol/orderGroup.ts";
import { outcomeOf } from "../protocol/outcome.ts";
import { testAccount } from "../test/support/chain.ts";
import { abiOf, type BenchChain, startBenchChain } from "./benchChain.ts";
import { startSimulatedRegistry } from "./simulatedRegistry.ts";

type Account = ReturnType<typeof testAccount>;

export const params = stringToHex('{"column":"CO2","by":"year"}');
export const programUri = "https://example.org/programs/yearly-correlation.json";
export const operatorFee = 500_000n;
/** Price of each provider's data set. */
export const price = 1_000_000n;
const programId = keccak256(stringToHex("program"));

export type MarketWorld = Awaited<ReturnType<typeof startMarketWorld>>;

/** Starts one. Notes `token.approve`, `deposit.erc20` and `dataset.register.n`. */
export async function startMarketWorld() {
  const bench = await startBenchChain();
  const { registry, operator, register } = await startSimulatedRegistry(bench);
  const { enclave } = await register(3, 1);
  const requester = testAccount(0);
  const owners = [5, 6, 7].map(testAccount) as [Account, Account, Account];
  const datasets = await bench.deploy("market/DatasetRegistry.sol/DatasetRegistry");
  const extension = await bench.deploy("market/MarketExtension.sol/MarketExtension", [registry, datasets]);
  const market = await bench.deploy("market/JobMarket.sol/JobMarket", [registry, datasets, extension]);
  const token = await bench.deploy("mocks/TestToken.sol/TestToken");
  const domain = domainOf(hardhat.id, market);
  const { timestamp } = await bench.chain.getBlock();
  const [, workloadId] = await bench.chain.readContract({
    address: registry,
    abi: enclaveRegistryAbi,
    functionName: "liveEnclave",
    args: [enclave.address],
  });

  /** Calls the market. */
  const send = (
    from: Account,
    functionName: string,
    args: readonly unknown[],
    note: { id?: string; value?: bigint } = {},
  ) => bench.send({ from, to: market, abi: jobMarketAbi as Abi, functionName, args, ...note });

  await fund(bench, requester, token, market);
  const datasetIds: Hex[] = [];
  for (const owner of owners) datasetIds.push(await registerDataset(bench, owner, datasets, datasetIds.length + 1));

  /* TERMS */

  let nonce = 0n;

  const signedGrants = new Map<string, Promise<SignedGrant>>();

  /** The grant of data set i on these conditions: the same each time. */
  function grantOf(i: number, { payIn, maxUses }: Conditions): Promise<SignedGrant> {
    const key = `${i} ${payIn} ${maxUses}`;
    const known = signedGrants.get(key);
    if (known !== undefined) return known;
    const grant: Grant = {
      datasetId: datasetIds[i] as Hex,
      programId,
      workloadId,
      requester: zeroAddress,
      operator: zeroAddress,
      token: payIn,
      priceUnit: priceUnits.use,
      price,
      maxUses,
      notBefore: 0n,
      notAfter: timestamp + 604_800n,
      resultReaders: [],
      epoch: 0,
      ownerEpoch: 0,
      nonce: 0n,
    };
    const typed = { domain, types: grantTypes, primaryType: "Grant", message: grant } as const;
    const signed = (owners[i] as Account).signTypedData(typed).then((signature) => ({ grant, signature }));
    signedGrants.set(key, signed);
    return signed;
  }

  /** An order for the first `count` data sets, and their grants. */
  async function makeTerms(count: number, conditions: Partial<Conditions> = {}): Promise<Terms> {
    const { payIn, maxUses } = { payIn: token, maxUses: 0n, ...conditions };
    const grants = await Promise.all(owners.slice(0, count).map((_, i) => grantOf(i, { payIn, maxUses })));
    const order: JobOrder = {
      requester: requester.address,
      payer: requester.address,
      programId,
      workloadId,
      paramsHash: keccak256(params),
      datasets: grants.map(({ grant }) => ({
        datasetId: grant.datasetId,
        grantHash: hashGrant(domain, grant),
        maxPrice: price,
      })),
      resultKey: workloadId,
      token: payIn,
      operatorFee,
      failureFee: 100_000n,
      operator: zeroAddress,
      offerHash: zeroHash,
      bond: 0n,
      acceptBy: 0n,
      deadline: timestamp + 86_400n,
      quorum: 1,
      session: zeroHash,
      nonce: nonce++,
    };
    const grantsFirst = grants.map(shownGrantOf);
    // The market has seen the signatures: they need not be shown again.
    return { order, grantsFirst, grantsAgain: grantsFirst.map((grant) => ({ ...grant, signature: "0x" as const })) };
  }

  /** What the enclave says of a job: anchored in the block before. */
  async function makeReceipt(order: JobOrder, ok: boolean): Promise<Receipt> {
    const anchor = await bench.chain.getBlock();
    return {
      jobId: hashOrder(domain, order),
      status: ok ? receiptStatus.ok : receiptStatus.failed,
      programId,
      workloadId,
      paramsHash: order.paramsHash,
      inputsRoot: keccak256("0x01"),
      grantsRoot: keccak256("0x02"),
      resultHash: ok ? keccak256(order.paramsHash) : zeroHash,
      outputCommitment: ok ? keccak256("0x04") : zeroHash,
      policyHash: keccak256("0x05"),
      fuelUsed: 1_048_576n,
      outputRows: 0n,
      runSeconds: 0,
      countedGrants: ok ? 2 ** order.datasets.length - 1 : 0,
      logRoot: keccak256("0x06"),
      logSize: 12n,
      anchorBlock: anchor.number,
      anchorHash: anchor.hash,
      failureCode: ok ? 0 : failureCodes.indexOf("ProgramTrapped"),
    };
  }

  function signReceipt(receipt: Receipt): Promise<Hex> {
    return enclave.signTypedData({ domain, types: receiptTypes, primaryType: "Receipt", message: receipt });
  }

  /** One order of a group, signed by requester and enclave. */
  async function makeItem(order: JobOrder): Promise<OrderItem> {
    const receipt = await makeReceipt(order, true);
    return {
      paramsHash: order.paramsHash,
      deadline: order.deadline,
      nonce: order.nonce,
      requesterSignature: await requester.signTypedData({
        domain,
        types: orderTypes,
        primaryType: "JobOrder",
        message: order,
      }),
      payerSignature: "0x",
      outcome: outcomeOf(receipt),
      receiptSignature: await signReceipt(receipt),
    };
  }

  /* STEPS */

  let index = 0n;

  /** Opens a job; the index that it gets. */
  async function open(
    { order }: Terms,
    note: { id?: string; value?: bigint } = {},
  ): Promise<{ gas: number; index: bigint }> {
    const gas = await send(requester, "open", [order, programUri, params, "0x", "0x"], note);
    return { gas, index: index++ };
  }

  /** Settles a job that was opened. */
  async function settle(at: bigint, { order }: Terms, grants: readonly ShownGrant[], note: { id?: string } = {}) {
    const receipt = await makeReceipt(order, grants.length > 0);
    const args = [at, order, outcomeOf(receipt), await signReceipt(receipt), grants, []];
    return send(operator, "settle", args, note);
  }

  /** Settles orders of the same terms that were never opened. */
  async function settleOrders(orders: readonly JobOrder[], grants: readonly ShownGrant[], note: { id?: string } = {}) {
    const items = [];
    for (const order of orders) items.push(await makeItem(order));
    const group = { order: commonOrder(orders[0] as JobOrder), grants, offer: [], items };
    return send(operator, "settleOrders", [[group]], note);
  }

  /** Opens many jobs, a hundred a transaction. */
  async function openMany(orders: readonly JobOrder[]): Promise<void> {
    for (let i = 0; i < orders.length; i += 100) {
      const calls = orders.slice(i, i + 100).map((order) => encodeOpen(order));
      await send(requester, "multicall", [calls]);
    }
    index += BigInt(orders.length);
  }

  const people = { requester, owners, operator, enclave };
  const steps = { send, makeTerms, makeReceipt, open, settle, settleOrders, openMany };
  return { bench, market, token, domain, timestamp, ...people, ...steps };
}

/** What orders are paid in, and how often their grants may be used; 0 for no limit. */
export type Conditions = { payIn: Address; maxUses: bigint };

/** An order with its grants, as they are shown for the first time and from then on. */
export type Terms = { order: JobOrder; grantsFirst: ShownGrant[]; grantsAgain: ShownGrant[] };

function encodeOpen(order: JobOrder): Hex {
  const args = [order, programUri, params, "0x", "0x"] as const;
  return encodeFunctionData({ abi: jobMarketAbi, functionName: "open", args });
}

/** Tokens, an allowance for what is pulled, and credit for what is prepaid. */
async function fund(bench: BenchChain, requester: Account, token: Address, market: Address): Promise<void> {
  const tokenAbi = await abiOf("mocks/TestToken.sol/TestToken");
  const call = { from: requester, to: token, abi: tokenAbi };
  await bench.send({ ...call, functionName: "mint", args: [requester.address, 100_000_000_000n] });
  const approved = [market, 100_000_000_000n];
  await bench.send({ ...call, functionName: "approve", args: approved, id: "token.approve" });
  const deposit = { from: requester, to: market, abi: jobMarketAbi as Abi, functionName: "deposit" };
  const args = [token, requester.address, 10_000_000_000n];
  await bench.send({ ...deposit, args, id: "deposit.erc20" });
}

async function registerDataset(bench: BenchChain, owner: Account, datasets: Address, position: number): Promise<Hex> {
  const metadata = JSON.stringify({
    title: "CO2 concentration at Mauna Loa",
    topic: "climate",
    keywords: ["co2", "keeling"],
    format: "text/csv",
    records: 713,
    licence: "BSD-3-Clause",
  });
  const content = keccak256(owner.address);
  const args = [content, zeroHash, 20_000, "https://example.org/blobs/co2.age", metadata, []] as const;
  const call = { address: datasets, abi: datasetRegistryAbi, functionName: "register", args } as const;
  const { result } = await bench.chain.simulateContract({ ...call, account: owner });
  const id = `dataset.register.${position}`;
  await bench.send({ from: owner, to: datasets, abi: datasetRegistryAbi as Abi, functionName: "register", args, id });
  return result;
}
