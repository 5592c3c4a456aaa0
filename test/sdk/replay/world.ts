/** A market on a real node with everybody that acts in it: what they do is real, only the attestation is the double's. */
import { erc20Abi, type Hex, keccak256, parseAbi, sha256, stringToHex, toHex, zeroAddress, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { deployContract } from "../../../deploy/deployContracts.ts";
import { datasetRegistryAbi, enclaveRegistryAbi, jobMarketAbi } from "../../../protocol/abi.ts";
import { datasetIdOf } from "../../../protocol/attestationBinding.ts";
import {
  domainOf,
  type Grant,
  hashAcceptance,
  hashGrant,
  hashOrder,
  hashReceipt,
  type JobOrder,
  type ShownGrant,
  shownGrantOf,
} from "../../../protocol/eip712.ts";
import { type Outcome, receiptOf } from "../../../protocol/outcome.ts";
import { startChain, testAccount } from "../../support/chain.ts";
import { deployMarket } from "../../support/market.ts";
import { plainTerms } from "../../support/plainTerms.ts";

const day = 86_400n;
const word = (text: string): Hex => sha256(stringToHex(text));
const workloadId = word("workload");
const programId = word("program");

/** Who acts, by the index of its account. */
export const people = { requester: 1, sponsor: 2, owner: 3, operatorA: 4, operatorB: 5, other: 6 } as const;
/** One of them. */
export type Person = keyof typeof people;

/** Starts the world. */
export async function startWorld() {
  const chain = await startChain();
  const deployment = await deployMarket(chain);
  const { jobMarket, datasetRegistry, enclaveRegistry } = deployment.contracts;
  const domain = domainOf(deployment.chainId, jobMarket);
  const token = await deployContract(
    { wallet: chain.wallet(0), chain: chain.public },
    "mocks/TestToken.sol/TestToken",
    [],
  );
  const addressOf = (person: Person) => testAccount(people[person]).address;
  const sign = (person: Person, hash: Hex) => testAccount(people[person]).sign({ hash });
  let nonce = 0n;

  async function send(
    person: Person,
    call: { address: Hex; abi: unknown; functionName: string },
    args: unknown[],
    value = 0n,
  ) {
    const request = { ...call, args, value } as never;
    const hash = await chain.wallet(people[person]).writeContract(request);
    const { status } = await chain.public.waitForTransactionReceipt({ hash, pollingInterval: 10 });
    if (status !== "success") throw new Error(`${call.functionName} reverted`);
  }
  const market = (person: Person, functionName: string, args: unknown[], value = 0n) =>
    send(person, { address: jobMarket, abi: jobMarketAbi, functionName }, args, value);
  const registry = (person: Person, functionName: string, args: unknown[]) =>
    send(person, { address: datasetRegistry, abi: datasetRegistryAbi, functionName }, args);

  // Three enclaves on as many platforms.
  const enclaves = await Promise.all(
    (["operatorA", "operatorB", "operatorA"] as const).map(async (operator, i) => {
      const account = privateKeyToAccount(word(`enclave ${i}`));
      return { account, operator: addressOf(operator), platformId: toHex(i + 1, { size: 16 }) };
    }),
  );
  const entry = enclaveRegistryAbi.find((item) => item.type === "function" && item.name === "enclave")?.outputs[0];
  const inputs = [
    { name: "signingKey", type: "address" },
    { ...entry, name: "entry" },
  ];
  const setAbi = [{ type: "function", name: "set", inputs, outputs: [], stateMutability: "nonpayable" }];
  for (const { account, operator, platformId } of enclaves) {
    const fixed = {
      expiresAt: 2 ** 39,
      registeredAtBlock: 1,
      tcbStatus: 1,
      state: 1,
      evidenceHash: toHex(0, { size: 16 }),
    };
    const args = [account.address, { ...fixed, operator, workloadId, platformId }];
    await send("other", { address: enclaveRegistry, abi: setAbi, functionName: "set" }, args);
  }
  for (const person of ["requester", "sponsor", "operatorB"] as const) {
    const mint = { address: token, abi: parseAbi(["function mint(address,uint256)"]), functionName: "mint" };
    await send(person, mint, [addressOf(person), 1_000_000n]);
    await send(person, { address: token, abi: erc20Abi, functionName: "approve" }, [jobMarket, 1_000_000n]);
  }

  const now = async () => (await chain.public.getBlock()).timestamp;

  return {
    chain,
    deployment,
    domain,
    token,
    enclaves,
    addressOf,
    sign,
    market,
    registry,
    now,

    /** Registers a data set of a person; answers its id. */
    async dataset(person: Person, name: string, payees: readonly { account: Hex; shareBps: number }[] = []) {
      const [contentHash, salt] = [word(name), word(`${name} salt`)];
      await registry(person, "register", [contentHash, salt, 1000, `https://a.example/${name}`, "{}", payees]);
      return datasetIdOf(addressOf(person), contentHash, salt);
    },

    /** A grant by a person, for any requester and operator. */
    async grant(person: Person, datasetId: Hex, changes: Partial<Grant>): Promise<{ hash: Hex; shown: ShownGrant }> {
      const grant: Grant = {
        datasetId,
        programId,
        workloadId,
        requester: zeroAddress,
        operator: zeroAddress,
        token,
        priceUnit: 0,
        price: 100n,
        maxUses: 0n,
        notBefore: 0n,
        notAfter: (await now()) + 300n * day,
        resultReaders: [],
        epoch: 0,
        ownerEpoch: 0,
        nonce: nonce++,
        ...changes,
      };
      const hash = hashGrant(domain, grant);
      return { hash, shown: shownGrantOf({ grant, signature: await sign(person, hash) }) };
    },

    /** An order of the requester. */
    async order(changes: Partial<JobOrder>): Promise<JobOrder> {
      return {
        ...plainTerms,
        requester: addressOf("requester"),
        payer: addressOf("requester"),
        programId,
        workloadId,
        paramsHash: keccak256("0x7b7d"),
        datasets: [{ datasetId: word("free"), grantHash: word("free grant"), maxPrice: 0n }],
        resultKey: word("key"),
        token,
        operatorFee: 50n,
        failureFee: 5n,
        operator: zeroAddress,
        deadline: (await now()) + 100n * day,
        nonce: 1000n + nonce++,
        ...changes,
      };
    },

    /** What an enclave says of an order, with its signature; `answer` makes the outcome Ok. */
    async outcome(order: JobOrder, enclave: number, answer: string | undefined, countedGrants = 0) {
      const block = await chain.public.getBlock();
      const ok = answer !== undefined;
      const outcome: Outcome = {
        inputsRoot: word("inputs"),
        grantsRoot: word("grants"),
        resultHash: ok ? word("result") : zeroHash,
        outputCommitment: ok ? word(answer) : zeroHash,
        policyHash: word("policy"),
        fuelUsed: 1024n,
        outputRows: 0n,
        runSeconds: 0,
        countedGrants: ok ? countedGrants : 0,
        logRoot: word("log"),
        logSize: 3n,
        anchorBlock: block.number,
        anchorHash: block.hash,
        failureCode: ok ? 0 : 4,
      };
      const receiptHash = hashReceipt(domain, receiptOf(hashOrder(domain, order), order, outcome));
      const signature = await (enclaves[enclave] as (typeof enclaves)[0]).account.sign({ hash: receiptHash });
      return { outcome, receiptHash, signature };
    },

    /** Opens a job, sent by the requester; answers where it is. */
    async open(order: JobOrder, value = 0n): Promise<bigint> {
      const index = await chain.public.readContract({
        address: jobMarket,
        abi: jobMarketAbi,
        functionName: "jobCount",
      });
      const isSponsored = order.payer !== order.requester;
      const signature = isSponsored ? await sign("sponsor", hashOrder(domain, order)) : "0x";
      await market("requester", "open", [order, "", "0x7b7d", "0x", signature], value);
      return index;
    },

    /** Binds a job to an enclave; a person stakes the bond. */
    async accept(person: Person, index: bigint, order: JobOrder, enclave: number) {
      const hash = hashAcceptance(domain, { jobId: hashOrder(domain, order), bonder: addressOf(person) });
      const signature = await (enclaves[enclave] as (typeof enclaves)[0]).account.sign({ hash });
      await market(person, "accept", [index, order, signature]);
    },

    async later(seconds: bigint) {
      await chain.control.increaseTime({ seconds: Number(seconds) });
      await chain.control.mine({ blocks: 1 });
    },
  };
}

/** A started world. */
export type World = Awaited<ReturnType<typeof startWorld>>;

/** The accounts themselves, for what only they can sign. */
export const testPeople = { sponsor: testAccount(people.sponsor) } as const;
