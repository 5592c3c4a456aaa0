/**
 * Proofs of a real chain: collected from Hardhat's node, opened without it, compared with what the node and the contracts say;
 * then changed in every place. Blocks are mined one by one: of many at once, the node makes up headers without parents.
 */
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { expect } from "chai";
import { type Address, type Hex, keccak256, numberToHex, pad, parseAbi, zeroAddress, zeroHash } from "viem";
import { deployContract, deployContracts } from "../../../deploy/deployContracts.ts";
import { datasetRegistryAbi, enclaveRegistryAbi, jobMarketAbi } from "../../../protocol/abi.ts";
import { intelRootKey } from "../../../protocol/deployment.ts";
import { jobStates, sessionStates } from "../../../protocol/eip712.ts";
import { BaseError } from "../../../protocol/errors.ts";
import type { Anchor, ChainProofs, ProofWants, ProvenChain } from "../../../sdk/proofs/chainProofs.ts";
import { AboveAnchorError, collectProofs, TransactionNotMinedError } from "../../../sdk/proofs/collectProofs.ts";
import { historyAddress, historySlot } from "../../../sdk/proofs/history.ts";
import * as layout from "../../../sdk/proofs/layout.ts";
import { MalformedProofsError, openProofs, UnusedNodesError } from "../../../sdk/proofs/openProofs.ts";
import { BrokenLinkError, NotProvenError, NotSortedError, WrongAnchorError } from "../../../sdk/proofs/prove.ts";
import { MissingNodeError } from "../../../sdk/proofs/trie.ts";
import { startChain, type TestChain, testAccount } from "../../support/chain.ts";
import { rejection } from "../../support/rejection.ts";

const tokenAbi = parseAbi([
  "function mint(address to, uint256 amount)",
  "event Transfer(address indexed from, address indexed to, uint256 value)",
]);
const [jobId, grantHash, sessionId] = [1, 2, 3].map((byte) =>
  pad(numberToHex(byte * 0x7700 + 0xa1), { dir: "right", size: 32 }),
) as [Hex, Hex, Hex];
const [owner, buyer, enclave] = [3, 2, 5].map((index) => testAccount(index).address) as [Address, Address, Address];
const absent = `0x${"ab".repeat(20)}` as const;

describe("sdk/proofs", () => {
  let chain: TestChain;
  let market: Address;
  let datasets: Address;
  let enclaves: Address;
  let token: Address;
  let mixed: Hex[];
  let datasetId: Hex;
  let anchor: Anchor;
  let wants: ProofWants;
  let proofs: ChainProofs;
  let proven: ProvenChain;

  before(async () => {
    chain = await startChain();
    const deployer = { wallet: chain.wallet(0), chain: chain.public };
    const { contracts } = await deployContracts(deployer, { rootKey: intelRootKey, maxLifeSeconds: 86_400n });
    ({ jobMarket: market, datasetRegistry: datasets, enclaveRegistry: enclaves } = contracts);
    token = await deployContract(deployer, "mocks/TestToken.sol/TestToken", []);
    await fillDatasets();
    await fillMarket();
    mixed = await mineMixedBlock();
    await mine(6);
    anchor = await head();
    wants = {
      blocks: [anchor.number - 3n],
      transactions: mixed,
      accounts: [
        layout.wantOf(
          anchor.number,
          market,
          layout.jobCount(),
          layout.jobState(3n, jobId),
          layout.credit(buyer, zeroAddress),
        ),
        { block: anchor.number - 6n, address: testAccount(1).address, slots: [zeroHash] },
        { block: anchor.number, address: absent, slots: [zeroHash, pad("0x1")] },
      ],
    };
    proofs = await collectProofs(chain.public, wants, anchor);
    proven = await openProofs(structuredClone(proofs));
  });
  after(() => chain.close());

  /** One at a time: see above. */
  async function mine(count: number) {
    for (let i = 0; i < count; i++) await chain.control.mine({ blocks: 1 });
  }

  async function head(): Promise<Anchor> {
    const { number, hash } = await chain.public.getBlock();
    return { number, hash };
  }

  async function store(address: Address, { slots }: layout.Stored<unknown>, ...words: Hex[]) {
    for (const [i, value] of words.entries())
      await chain.control.setStorageAt({ address, index: slots[i] as Hex, value });
  }

  async function fillDatasets() {
    const wallet = chain.wallet(3);
    const registry = { address: datasets, abi: datasetRegistryAbi } as const;
    const shares = [
      { account: buyer, shareBps: 2_500 },
      { account: enclave, shareBps: 7_500 },
    ];
    const { request, result } = await chain.public.simulateContract({
      ...registry,
      account: wallet.account,
      functionName: "register",
      args: [jobId, zeroHash, 123_456_789, "https://example.org/data", "{}", shares],
    });
    datasetId = result;
    await wallet.writeContract(request);
    await wallet.writeContract({ ...registry, functionName: "revokeAllOwnGrants" });
    for (const nonce of [0n, 5n, 223n, 224n, 1_000n])
      await wallet.writeContract({ ...registry, functionName: "revokeGrantNonce", args: [nonce] });
    await wallet.writeContract({ ...registry, functionName: "revokeAllGrants", args: [datasetId] });
    await wallet.writeContract({ ...registry, functionName: "offerOwnership", args: [datasetId, buyer] });
  }

  /** Money for real; states that take whole stories to reach are put there, and the contracts' views say what they are. */
  async function fillMarket() {
    const wallet = chain.wallet(2);
    await wallet.writeContract({
      address: market,
      abi: jobMarketAbi,
      functionName: "deposit",
      args: [zeroAddress, buyer, 10n ** 17n],
      value: 10n ** 17n,
    });
    await store(market, layout.jobCount(), numberToHex(4, { size: 32 }));
    await store(market, layout.jobState(3n, jobId), `${jobId.slice(0, -2)}02` as Hex);
    await store(market, layout.nonceUsed(buyer, 513n), numberToHex(2, { size: 32 }));
    await store(market, layout.acceptance(jobId), pad(enclave), pad(owner));
    await store(
      market,
      layout.grantRecord(grantHash),
      `0x${"00".repeat(4)}${"00000000000003e9"}${owner.slice(2)}` as Hex,
    );
    await store(market, layout.ballot(jobId), grantHash);
    const counts = "01" + "0007" + "0fff" + "006553f100" + "03"; // touched, failedCount, okCount, claimedAt, state
    await store(market, layout.session(sessionId), `0x00${enclave.slice(2)}${counts}` as Hex, grantHash);
    await store(market, layout.sessionLeaf(sessionId, 200), numberToHex(3n << 144n, { size: 32 }));
    await store(market, layout.sessionLeaf(sessionId, 5), numberToHex(1n << 10n, { size: 32 }));
    const record = `0x0102${"000000002a"}${"0065a3b4c5"}${owner.slice(2)}` as Hex; // state, tcbStatus, block, expiry, operator
    await store(enclaves, layout.enclaveRecord(enclave), record, grantHash, `0x${"aa".repeat(16)}${"bb".repeat(16)}`);
  }

  /** All types of transactions that the node mines, one that fails, one that creates a contract; events in several. */
  async function mineMixedBlock(): Promise<Hex[]> {
    await chain.control.setAutomine(false);
    const mint = { address: token, abi: tokenAbi, functionName: "mint", args: [buyer, 5n], gas: 200_000n } as const;
    const gasPrice = 10n ** 10n;
    const accessList = [{ address: token, storageKeys: [zeroHash] }];
    const delegation = await chain.wallet(9).signAuthorization({ contractAddress: token });
    const sent = [
      await chain.wallet(1).writeContract({ ...mint, type: "legacy", gasPrice }),
      await chain.wallet(2).writeContract({ ...mint, type: "eip2930", gasPrice, accessList }),
      await chain.wallet(3).writeContract({
        address: datasets,
        abi: datasetRegistryAbi,
        functionName: "retire",
        args: [jobId],
        gas: 100_000n,
      }),
      await chain.wallet(4).writeContract(mint),
      await chain
        .wallet(5)
        .sendTransaction({ to: owner, authorizationList: [delegation], type: "eip7702", gas: 100_000n }),
      await chain.wallet(6).sendTransaction({ data: "0x600a600055", gas: 100_000n }),
      await chain.wallet(7).writeContract(mint),
    ];
    await chain.control.mine({ blocks: 1 });
    await chain.control.setAutomine(true);
    return sent;
  }

  describe("collectProofs, openProofs", () => {
    it("prove what the node says of headers, transactions, receipts, accounts and storage", async () => {
      expect(proven.anchor).to.deep.equal(anchor);
      for (const number of [anchor.number, anchor.number - 3n, anchor.number - 6n]) {
        const { hash, parentHash, timestamp, stateRoot, transactionsRoot, receiptsRoot } = await chain.public.getBlock({
          blockNumber: number,
        });
        expect(proven.block(number)).to.deep.equal({
          number,
          hash,
          parentHash,
          timestamp,
          stateRoot,
          transactionsRoot,
          receiptsRoot,
        });
      }
      const types: number[] = [];
      for (const hash of mixed) {
        const told = await chain.public.getTransaction({ hash });
        const { blockNumber, transactionIndex, from, to, nonce, value, input, chainId } = proven.transaction(hash);
        expect([
          blockNumber,
          transactionIndex,
          from.toLowerCase(),
          to?.toLowerCase(),
          Number(nonce),
          value,
          input,
          Number(chainId),
        ]).to.deep.equal([
          told.blockNumber,
          told.transactionIndex,
          told.from.toLowerCase(),
          told.to?.toLowerCase(),
          told.nonce,
          told.value,
          told.input,
          31337,
        ]);
        types.push(proven.transaction(hash).type);
        const receipt = await chain.public.getTransactionReceipt({ hash });
        const { status, logs } = proven.receipt(hash);
        expect(status).to.equal(receipt.status);
        expect(logs.map((log) => [log.address.toLowerCase(), log.topics, log.data, log.logIndex])).to.deep.equal(
          receipt.logs.map((log) => [log.address.toLowerCase(), log.topics, log.data, log.logIndex]),
        );
      }
      expect(types.toSorted()).to.deep.equal([0, 1, 2, 2, 2, 2, 4]);
      expect(mixed.map((hash) => proven.receipt(hash).status)).to.include("reverted");
      expect(mixed.flatMap((hash) => proven.receipt(hash).logs).length).to.equal(4);
      const account = proven.account(anchor.number - 6n, testAccount(1).address);
      const at = { address: testAccount(1).address, blockNumber: anchor.number - 6n };
      expect(account.balance).to.equal(await chain.public.getBalance(at));
      expect(account.nonce).to.equal(BigInt(await chain.public.getTransactionCount(at)));
      const code = await chain.public.getCode({ address: market });
      expect(proven.account(anchor.number, market).codeHash).to.equal(keccak256(code as Hex));
      expect(proven.account(anchor.number, absent)).to.deep.equal({
        exists: false,
        nonce: 0n,
        balance: 0n,
        codeHash: keccak256("0x"),
        storageRoot: keccak256("0x80"),
      });
      expect(proven.storage(anchor.number, absent, zeroHash)).to.equal(zeroHash);
    });

    it("come out the same each time, whatever the order of what is wanted", async () => {
      const [first, second, third] = wants.accounts ?? [];
      const shuffled = {
        ...wants,
        transactions: [...mixed].reverse(),
        accounts: [third, first, third, second].flatMap((a) =>
          a === undefined ? [] : [{ ...a, slots: a.slots.toReversed() }],
        ),
      };
      expect(await collectProofs(chain.public, shuffled, anchor)).to.deep.equal(proofs);
      expect(JSON.parse(JSON.stringify(proofs))).to.deep.equal(proofs);
    });

    it("leave the index of logs out, and with it other receipts, if told so", async () => {
      const last = mixed.at(-1) as Hex;
      const lean = await collectProofs(chain.public, { transactions: [last], logIndexes: false }, anchor);
      const full = await collectProofs(chain.public, { transactions: [last] }, anchor);
      expect(lean.nodes.length).to.be.below(full.nodes.length);
      const [leanChain, fullChain] = [await openProofs(lean), await openProofs(full)];
      expect(leanChain.receipt(last).logs.map(({ logIndex }) => logIndex)).to.deep.equal([undefined]);
      expect(fullChain.receipt(last).logs.map(({ logIndex }) => logIndex)).to.deep.equal([3]);
    });

    it("lead over the history contract where the chain has it", async () => {
      const id = await chain.control.snapshot();
      const old = [2n, 9n, anchor.number - 2n];
      for (const blockNumber of old) {
        const { hash } = await chain.public.getBlock({ blockNumber });
        await chain.control.setStorageAt({ address: historyAddress, index: historySlot(blockNumber), value: hash });
      }
      await mine(1);
      const top = await head();
      const short = await collectProofs(chain.public, { blocks: old }, top);
      expect(short.headers.length).to.equal(4);
      const opened = await openProofs(short);
      for (const blockNumber of old)
        expect(opened.block(blockNumber).hash).to.equal((await chain.public.getBlock({ blockNumber })).hash);
      // One that lies there, under the slot of another: its hash is not what the header says.
      await chain.control.setStorageAt({ address: historyAddress, index: historySlot(9n), value: anchor.hash });
      await mine(1);
      const error = await rejection(collectProofs(chain.public, { blocks: [9n] }, await head()), BrokenLinkError);
      expect(error.blockNumber).to.equal(9n);
      await chain.control.revert({ id });
    });

    it("are not collected of what is not there", async () => {
      const above = await rejection(
        collectProofs(chain.public, { blocks: [anchor.number + 1n] }, anchor),
        AboveAnchorError,
      );
      expect(above.blockNumber).to.equal(anchor.number + 1n);
      const unmined = await rejection(
        collectProofs(chain.public, { transactions: [jobId] }, anchor),
        TransactionNotMinedError,
      );
      expect(unmined.hash).to.equal(jobId);
      const other = await rejection(collectProofs(chain.public, {}, { ...anchor, hash: jobId }), WrongAnchorError);
      expect(other.found).to.deep.equal(anchor);
    });
  });

  describe("what is not proven", () => {
    const questions: [string, (c: ProvenChain) => unknown][] = [
      ["block 1", (c) => c.block(1n)],
      [`transaction ${jobId}`, (c) => c.transaction(jobId)],
      [`the receipt of transaction ${jobId}`, (c) => c.receipt(jobId)],
    ];
    for (const [what, ask] of questions)
      it(`is refused: ${what}`, async () => {
        expect((await rejection(() => ask(proven), NotProvenError)).what).to.equal(what);
      });

    it("is refused: accounts and slots, also at other blocks", async () => {
      const at = (what: string) => `${what} at block ${anchor.number}`;
      const facts = [
        await rejection(() => proven.account(anchor.number, datasets), NotProvenError),
        await rejection(() => proven.storage(anchor.number, market, jobId), NotProvenError),
      ].map(({ what }) => what);
      expect(facts).to.deep.equal([at(`account ${datasets}`), at(`slot ${jobId} of ${market}`)]);
      await rejection(() => proven.storage(anchor.number - 3n, market, zeroHash), NotProvenError);
    });
  });

  describe("a changed file", () => {
    /** Everything that the proofs answer. */
    function answers(c: ProvenChain): unknown {
      return [
        c.anchor,
        proofs.headers.map((_, i) => c.block(anchor.number - BigInt(i))),
        mixed.map((hash) => [c.transaction(hash), c.receipt(hash)]),
        (wants.accounts ?? []).map(({ block, address, slots }) => [
          c.account(block, address),
          slots.map((slot) => c.storage(block, address, slot)),
        ]),
      ];
    }

    /** What the change leads to: the name of the error on opening or on asking, or what it changed. */
    async function outcome(change: (file: ChainProofs) => void): Promise<string> {
      const file = structuredClone(proofs);
      change(file);
      try {
        const opened = await openProofs(file);
        const isSame = isDeepStrictEqual(answers(opened), answers(proven));
        return isSame ? "nothing changed" : "other answers";
      } catch (error) {
        if (error instanceof BaseError) return error.name.replace("Proofs.", "").replace("Error", "");
        throw error;
      }
    }

    it("is refused for any byte of any header or node", async () => {
      for (const list of ["headers", "nodes"] as const)
        for (const [i, item] of proofs[list].entries())
          for (const place of [2, 5, item.length >> 1, item.length - 1]) {
            const digit = item[place] === "0" ? "1" : "0";
            const changed = `${item.slice(0, place)}${digit}${item.slice(place + 1)}` as Hex;
            const found = await outcome((file) => file[list].splice(i, 1, changed));
            // A header's bytes may break its form before its hash is looked at.
            const expected =
              list === "nodes"
                ? ["MissingNode"]
                : i === 0
                  ? ["WrongAnchor", "BadRlp"]
                  : ["BrokenLink", "BadRlp", "NotSorted"];
            expect(expected, `${list} ${i}, digit ${place}`).to.include(found);
          }
    });

    it("is refused if an item is cut, lengthened, left out, repeated or moved", async () => {
      for (const list of ["headers", "nodes"] as const)
        for (let i = 0; i < proofs[list].length; i += 3) {
          const items = (file: ChainProofs): Hex[] => file[list];
          const changes: [string, (file: ChainProofs) => unknown][] = [
            ["cut", (file) => (items(file)[i] = (items(file)[i] as Hex).slice(0, -2) as Hex)],
            ["half a byte", (file) => (items(file)[i] = (items(file)[i] as Hex).slice(0, -1) as Hex)],
            ["longer", (file) => (items(file)[i] = `${items(file)[i] as Hex}00`)],
            ["capitals", (file) => (items(file)[i] = (items(file)[i] as Hex).toUpperCase() as Hex)],
            ["left out", (file) => items(file).splice(i, 1)],
            ["repeated", (file) => items(file).splice(i, 0, items(file)[i] as Hex)],
            ["moved", (file) => items(file).push(...items(file).splice(i, 1), "0x80")],
          ];
          for (const [name, change] of changes)
            expect(
              [
                "MalformedProofs",
                "MissingNode",
                "UnusedNodes",
                "WrongAnchor",
                "BrokenLink",
                "NotSorted",
                "NotProven",
                "BadRlp",
              ],
              `${list} ${i} ${name}`,
            ).to.include(await outcome(change));
        }
    });

    it("is refused, or answers other questions alone, for any other field", async () => {
      const [first, second] = [0, 1] as const;
      const at = <T>(list: T[], i: number): T => list[i] as T;
      const changes: [string, string, (file: ChainProofs) => unknown][] = [
        ["anchor's number", "WrongAnchor", (f) => (f.anchor.number = String(anchor.number + 1n))],
        ["anchor's number, with a zero", "MalformedProofs", (f) => (f.anchor.number = `0${anchor.number}`)],
        ["anchor's number, too large", "MalformedProofs", (f) => (f.anchor.number = String(2n ** 64n))],
        ["anchor's hash", "WrongAnchor", (f) => (f.anchor.hash = jobId)],
        [
          "anchor's hash, capitals",
          "MalformedProofs",
          (f) => (f.anchor.hash = anchor.hash.toUpperCase().replace("0X", "0x") as Hex),
        ],
        ["log indexes", "other answers", (f) => Object.assign(f, { logIndexes: false })],
        ["a transaction's block", "NoSuchTransaction", (f) => (at(f.transactions, 6).block = String(anchor.number))],
        ["a transaction's block, not there", "NotProven", (f) => (at(f.transactions, first).block = "1")],
        ["a transaction's index", "NotSorted", (f) => (at(f.transactions, first).index = 1)],
        ["a transaction's index, beyond", "NoSuchTransaction", (f) => (at(f.transactions, 6).index = 7)],
        ["a transaction's index, negative", "MalformedProofs", (f) => (at(f.transactions, first).index = -1)],
        ["a transaction left out", "MissingNode", (f) => f.transactions.splice(1, 1)],
        ["no transactions", "MissingNode", (f) => f.transactions.splice(0)],
        ["transactions swapped", "NotSorted", (f) => f.transactions.reverse()],
        ["an account's address", "MissingNode", (f) => (at(f.accounts, first).address = absent)],
        ["an account's block", "NotProven", (f) => (at(f.accounts, first).block = String(anchor.number - 3n))],
        ["accounts swapped", "NotSorted", (f) => f.accounts.reverse()],
        ["an account repeated", "NotSorted", (f) => f.accounts.push(structuredClone(at(f.accounts, 2)))],
        ["an account left out", "UnusedNodes", (f) => f.accounts.splice(second + 1)],
        ["slots swapped", "NotSorted", (f) => at(f.accounts, 2).slots.reverse()],
        ["a field more", "MalformedProofs", (f) => Object.assign(f, { more: 1 })],
        ["a field less", "MalformedProofs", (f) => Reflect.deleteProperty(f, "nodes")],
        ["too many nodes", "MalformedProofs", (f) => (f.nodes = Array.from({ length: 16_385 }, () => "0x80" as const))],
        ["no header", "MalformedProofs", (f) => f.headers.splice(0)],
      ];
      const outcomes: Record<string, string> = {};
      for (const [name, , change] of changes) outcomes[name] = await outcome(change);
      expect(outcomes).to.deep.equal(Object.fromEntries(changes));
    });

    it("answers less, not else, where the index of logs is left out", async () => {
      const opened = await openProofs({ ...proofs, logIndexes: false });
      for (const hash of mixed) {
        const logs = proven.receipt(hash).logs.map((log) => ({ ...log, logIndex: undefined }));
        expect(opened.receipt(hash)).to.deep.equal({ ...proven.receipt(hash), logs });
      }
    });

    it("answers for another slot only what is true of it, and no more for the one it had", async () => {
      const file = structuredClone(proofs);
      const entry = file.accounts.find(({ address }) => address === absent);
      if (entry === undefined) throw new Error("it was collected");
      entry.slots = [jobId]; // no storage at all: the same nodes prove this too
      const opened = await openProofs(file);
      expect(opened.storage(anchor.number, absent, jobId)).to.equal(zeroHash);
      await rejection(() => opened.storage(anchor.number, absent, zeroHash), NotProvenError);
    });

    it("names what is wrong", async () => {
      const cut = structuredClone(proofs);
      const last = cut.nodes.pop() as Hex;
      expect((await rejection(openProofs(cut), MissingNodeError)).hash).to.equal(keccak256(last));
      const more = { ...proofs, nodes: [...proofs.nodes, "0x80"] };
      expect((await rejection(openProofs(more), UnusedNodesError)).count).to.equal(1);
      const unsorted = { ...proofs, transactions: [...proofs.transactions, proofs.transactions[0]] };
      const { list, index } = await rejection(openProofs(unsorted), NotSortedError);
      expect([list, index]).to.deep.equal(["transactions", 7]);
      for (const junk of [null, 1, "{}", [], {}, { ...proofs, nodes: ["0x8"] }])
        expect((await rejection(openProofs(junk), MalformedProofsError)).where).to.be.a("string");
    });
  });

  describe("layout", () => {
    it("has the slots that the compiler gave", () => {
      for (const [contract, slots] of Object.entries(layout.storageSlots)) {
        const url = new URL(`../../../snapshots/storage/${contract}.json`, import.meta.url);
        const { variables } = JSON.parse(readFileSync(url, "utf8")) as { variables: { label: string; slot: string }[] };
        for (const [label, slot] of Object.entries(slots))
          expect(variables.find((variable) => variable.label === label)?.slot, `${contract}.${label}`).to.equal(
            String(slot),
          );
      }
    });

    it("reads what the contracts' own views say", async () => {
      const read =
        (address: Address, abi: typeof jobMarketAbi | typeof datasetRegistryAbi | typeof enclaveRegistryAbi) =>
        (functionName: string, ...args: unknown[]) =>
          chain.public.readContract({
            address,
            abi,
            functionName,
            args,
            blockNumber: anchor.number,
          } as never) as Promise<never>;
      const ofMarket = read(market, jobMarketAbi);
      const ofDatasets = read(datasets, datasetRegistryAbi);
      const jobStateOf = async (index: bigint, id: Hex) => jobStates[await ofMarket("jobState", index, id)];
      const [kept, root] = (await ofMarket("session", sessionId)) as [Record<string, unknown>, Hex];
      const record = (await read(enclaves, enclaveRegistryAbi)("enclave", enclave)) as Record<string, unknown>;
      const { uri: _, ...registered } = (await ofDatasets("dataset", datasetId)) as Record<string, unknown>;
      const [signer, bonder] = (await ofMarket("acceptance", jobId)) as [Address, Address];
      const leaf = async (number: number) => {
        const [disputed, settled] = (await ofMarket("leafState", sessionId, BigInt(number))) as [boolean, boolean];
        return { disputed, settled };
      };
      const otherJob = `${jobId.slice(0, 10)}ff${jobId.slice(12)}` as Hex;
      const readings: [string, Address, layout.Stored<unknown>, unknown][] = [
        ["jobCount", market, layout.jobCount(), await ofMarket("jobCount")],
        ["jobState", market, layout.jobState(3n, jobId), await jobStateOf(3n, jobId)],
        ["jobState of another job", market, layout.jobState(3n, otherJob), await jobStateOf(3n, otherJob)],
        ["jobState of no job", market, layout.jobState(9n, jobId), await jobStateOf(9n, jobId)],
        ["jobState of zero", market, layout.jobState(9n, zeroHash), await jobStateOf(9n, zeroHash)],
        ["nonceUsed", market, layout.nonceUsed(buyer, 513n), await ofMarket("isNonceUsed", buyer, 513n)],
        ["nonceUsed, not", market, layout.nonceUsed(buyer, 512n), await ofMarket("isNonceUsed", buyer, 512n)],
        ["acceptance", market, layout.acceptance(jobId), { signer, bonder }],
        [
          "grantRecord",
          market,
          layout.grantRecord(grantHash),
          { signer: owner, uses: await ofMarket("grantUses", grantHash) },
        ],
        ["credit", market, layout.credit(buyer, zeroAddress), await ofMarket("creditOf", buyer, zeroAddress)],
        ["credit of nobody", market, layout.credit(absent, token), await ofMarket("creditOf", absent, token)],
        ["owed", market, layout.owed(zeroAddress), await ofMarket("owedOf", zeroAddress)],
        ["ballot", market, layout.ballot(jobId), { outputCommitment: (await ofMarket("ballot", jobId))[0], votes: 0n }],
        [
          "session",
          market,
          layout.session(sessionId),
          { ...kept, claimedAt: BigInt(kept.claimedAt as number), state: sessionStates[kept.state as number], root },
        ],
        ["sessionLeaf", market, layout.sessionLeaf(sessionId, 200), await leaf(200)],
        ["sessionLeaf, disputed", market, layout.sessionLeaf(sessionId, 5), await leaf(5)],
        ["sessionLeaf, neither", market, layout.sessionLeaf(sessionId, 6), await leaf(6)],
        [
          "enclaveRecord",
          enclaves,
          layout.enclaveRecord(enclave),
          {
            ...record,
            expiresAt: BigInt(record.expiresAt as number),
            registeredAtBlock: BigInt(record.registeredAtBlock as number),
          },
        ],
        ["dataset", datasets, layout.dataset(datasetId), registered],
        ["payees", datasets, layout.payees(datasetId, 2), await ofDatasets("payeesOf", datasetId)],
        ["pendingOwner", datasets, layout.pendingOwner(datasetId), await ofDatasets("pendingOwnerOf", datasetId)],
        ["ownerEpoch", datasets, layout.ownerEpoch(owner), await ofDatasets("ownerEpochOf", owner)],
      ];
      for (const nonce of [0n, 1n, 5n, 222n, 223n, 224n, 225n, 1_000n, 1_001n])
        readings.push([
          `grantNonceRevoked ${nonce}`,
          datasets,
          layout.grantNonceRevoked(owner, nonce),
          await ofDatasets("isGrantNonceRevoked", owner, nonce),
        ]);
      const accounts = readings.map(([, address, stored]) => layout.wantOf(anchor.number, address, stored));
      const opened = await openProofs(await collectProofs(chain.public, { accounts }, anchor));
      for (const [name, address, stored, expected] of readings)
        expect(layout.readStored(opened, anchor.number, address, stored), name).to.deep.equal(expected);
      expect(readings.filter(([, , , expected]) => expected === true).length).to.equal(6);
    });

    it("throws BadStorageError for a state that has no name", async () => {
      const word = `${jobId.slice(0, -2)}08` as Hex;
      const error = await rejection(() => layout.jobState(3n, jobId).read([word]), layout.BadStorageError);
      expect(error.value).to.equal(8);
    });
  });
});
