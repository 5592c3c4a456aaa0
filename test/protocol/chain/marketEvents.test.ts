import { expect } from "chai";
import {
  type Abi,
  type AbiEvent,
  type Address,
  encodeAbiParameters,
  encodeEventTopics,
  type Hex,
  keccak256,
  slice,
  stringToHex,
  zeroAddress,
} from "viem";
import { datasetRegistryAbi, enclaveRegistryAbi } from "../../../protocol/abi.ts";
import { datasetIdOf } from "../../../protocol/attestationBinding.ts";
import type { ChainLog } from "../../../protocol/chain/chainSource.ts";
import { decodeMarketEvents, decodeMarketLog } from "../../../protocol/chain/marketEvents.ts";
import type { Deployment } from "../../../protocol/deployment.ts";

const [tdxVerifier, enclaveRegistry, datasetRegistry, jobMarket, tdxCollateral, endorsements] = [1, 2, 3, 4, 5, 6].map(
  (n) => `0x${"0".repeat(39)}${n}` as Address,
) as [Address, Address, Address, Address, Address, Address];
const contracts = { tdxCollateral, tdxVerifier, enclaveRegistry, endorsements, datasetRegistry, jobMarket };
const deployment: Deployment = { chainId: 31337, fromBlock: 0, contracts, rootKey: `0x${"11".repeat(64)}` };
const owner: Address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const contentHash = keccak256("0x01");
const salt = keccak256("0x02");
const at = { blockNumber: 7n, blockHash: keccak256("0x03"), transactionHash: keccak256("0x04"), logIndex: 5 };

function logOf(abi: Abi, address: Address, eventName: string, args: Record<string, unknown>): ChainLog {
  const topics = encodeEventTopics({ abi, eventName, args } as never) as Hex[];
  const item = abi.find((one) => one.type === "event" && one.name === eventName) as AbiEvent;
  const plain = item.inputs.filter((input) => !input.indexed);
  const data = encodeAbiParameters(plain as never, plain.map((input) => args[input.name ?? ""]) as never);
  return { address, topics, data, ...at };
}

describe("decodeMarketLog", () => {
  const registered = { datasetId: datasetIdOf(owner, contentHash, salt), owner, contentHash, salt };
  const args = { ...registered, sizeBytes: 9, uri: "https://example.org/x", metadata: "{}", payees: [] };
  const log = logOf(datasetRegistryAbi, datasetRegistry, "DatasetRegistered", args);

  it("decodes a data set's registration, and refuses one that its id does not prove", () => {
    expect(decodeMarketLog(deployment, log)).to.deep.equal({
      eventName: "DatasetRegistered",
      args,
      address: datasetRegistry,
      ...at,
    });
    const lie = logOf(datasetRegistryAbi, datasetRegistry, "DatasetRegistered", { ...args, owner: zeroAddress });
    expect(decodeMarketLog(deployment, lie)).to.equal(undefined);
  });

  it("decodes an enclave's registration", () => {
    const platform = {
      pckKey: { x: contentHash, y: salt },
      platformId: slice(salt, 0, 16),
      serial: 7n,
      notAfter: 100n,
      issuer: 1,
      fmspc: "0x00806f050000",
      pceId: "0x0000",
      pceSvn: 13,
      componentSvns: `0x${"02".repeat(16)}`,
    };
    const svn = `0x${"05".repeat(16)}`;
    const enclave = {
      signingKey: owner,
      operator: zeroAddress,
      workloadId: salt,
      composeHash: contentHash,
      platformId: slice(salt, 0, 16),
      tcbStatus: 1,
      expiresAt: 99n,
      vaultKey: stringToHex("key"),
      endpoint: "https://example.org",
      tcb: { platform, teeTcbSvn: svn, currentTeeTcbSvn: svn, qeIsvSvn: 8 },
    };
    const event = decodeMarketLog(deployment, logOf(enclaveRegistryAbi, enclaveRegistry, "EnclaveRegistered", enclave));
    expect(event).to.deep.include({ eventName: "EnclaveRegistered", args: enclave });
  });

  it("knows no event of another contract, of the wrong contract, or without topics", () => {
    expect(decodeMarketLog(deployment, { ...log, address: owner })).to.equal(undefined);
    expect(decodeMarketLog(deployment, { ...log, address: jobMarket })).to.equal(undefined);
    expect(decodeMarketLog(deployment, { ...log, topics: [] })).to.equal(undefined);
    expect(decodeMarketLog(deployment, { ...log, topics: [salt] })).to.equal(undefined);
  });

  it("throws for no data whatever: cut short at every byte, or with any word overwritten", () => {
    for (let length = 0; length < (log.data.length - 2) / 2; length++) {
      const cut = log.data.slice(0, 2 + length * 2) as Hex;
      expect(decodeMarketLog(deployment, { ...log, data: cut }), `${length} bytes`).to.satisfy(isWholeOrNothing);
    }
    for (let i = 2; i < log.data.length; i += 64) {
      const data = `${log.data.slice(0, i)}${"ff".repeat(32)}${log.data.slice(i + 64)}` as Hex;
      expect(() => decodeMarketLog(deployment, { ...log, data })).not.to.throw();
    }
  });

  function isWholeOrNothing(event: ReturnType<typeof decodeMarketLog>): boolean {
    // Only the padding behind the last string may be missing.
    return event === undefined || (event.eventName === "DatasetRegistered" && event.args.metadata === "{}");
  }

  it("counts what it skips and keeps the order, reorgs included", () => {
    const reorg = { type: "reorg", ancestor: 3n, dropped: [] } as const;
    const alien = { ...log, address: owner };
    const { events, skipped } = decodeMarketEvents(deployment, [
      { type: "log", log: alien },
      reorg,
      { type: "log", log },
    ]);
    expect(skipped).to.equal(1);
    expect(events.map((event) => event.type)).to.deep.equal(["reorg", "market"]);
  });
});
