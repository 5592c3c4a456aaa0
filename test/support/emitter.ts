/** The EventEmitter double on a test chain: any market event, with values of one's choice. For tests. */
import {
  type Abi,
  type Address,
  encodeFunctionData,
  type Hex,
  keccak256,
  parseAbi,
  stringToHex,
  zeroAddress,
} from "viem";
import { deployContract } from "../../deploy/deployContracts.ts";
import { jobMarketAbi } from "../../protocol/abi.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { domainOf, hashOrder, type JobOrder, type Receipt } from "../../protocol/eip712.ts";
import type { TestChain } from "./chain.ts";
import { plainCounts, plainTerms } from "./plainTerms.ts";

type Input = { name?: string; indexed?: boolean };

/** An argument of a market's event, as the double takes it. */
function inputOf(eventName: "JobOpened" | "JobSettled", name: string) {
  const event = jobMarketAbi.find((item) => item.type === "event" && item.name === eventName);
  const found = ((event?.inputs ?? []) as readonly Input[]).find((input) => input.name === name);
  if (found === undefined) throw new Error(`${eventName} has no ${name}`);
  const { indexed: _, ...parameter } = found;
  return parameter;
}

const bytes32 = (name: string) => ({ name, type: "bytes32" });
const uint = (name: string) => ({ name, type: "uint256" });
const emit = (name: string, inputs: readonly unknown[]) =>
  ({ type: "function", name, inputs, outputs: [], stateMutability: "nonpayable" }) as const;

/** Functions of the double. */
export const emitterAbi = [
  emit("emitOpened", [
    bytes32("jobId"),
    uint("index"),
    inputOf("JobOpened", "order"),
    { name: "programUri", type: "string" },
    { name: "params", type: "bytes" },
  ]),
  emit("emitSettled", [
    bytes32("jobId"),
    uint("index"),
    { name: "signer", type: "address" },
    bytes32("receiptHash"),
    bytes32("resultHash"),
    inputOf("JobSettled", "countedGrants"),
    inputOf("JobSettled", "failureCode"),
  ]),
  emit("emitCancelled", [bytes32("jobId"), uint("index")]),
  emit("emitExpired", [bytes32("jobId"), uint("index")]),
  ...parseAbi([
    "function settleOnce(bytes32 jobId) payable",
    "function settled(bytes32 jobId) view returns (bool)",
    "function settlements() view returns (uint256)",
  ]),
] as Abi;

/** What was opened in a test. */
export type SampleJob = { jobId: Hex; index: bigint; order: JobOrder; params: Hex; programUri: string };

/** Deploys the double; its deployment names it as every contract. */
export async function deployEmitter(chain: TestChain) {
  const emitter = await deployContract(
    { wallet: chain.wallet(0), chain: chain.public },
    "mocks/EventEmitter.sol/EventEmitter",
    [],
  );
  const deployment: Deployment = {
    chainId: 31337,
    fromBlock: 0,
    contracts: {
      tdxCollateral: zeroAddress,
      tdxVerifier: zeroAddress,
      endorsements: zeroAddress,
      enclaveRegistry: zeroAddress,
      datasetRegistry: zeroAddress,
      jobMarket: emitter,
    },
    rootKey: `0x${"11".repeat(64)}`,
  };
  return { emitter, deployment };
}

/** The data of a call to the double. */
export function emitterCall(functionName: string, args: readonly unknown[]): Hex {
  return encodeFunctionData({ abi: emitterAbi, functionName, args });
}

/** Sends a call to the double and waits until it is mined. */
export async function emitEvent(chain: TestChain, emitter: Address, functionName: string, args: readonly unknown[]) {
  const hash = await chain.wallet(0).sendTransaction({ to: emitter, data: emitterCall(functionName, args) });
  return chain.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
}

/** A well-formed job of some number: its order hashes to its id. */
export function sampleJob(deployment: Deployment, number: number, changes: Partial<JobOrder> = {}): SampleJob {
  const params = stringToHex(`{"n":${number}}`);
  const order: JobOrder = {
    requester: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    payer: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    programId: keccak256("0x01"),
    workloadId: keccak256("0x02"),
    paramsHash: keccak256(params),
    datasets: [{ datasetId: keccak256("0x03"), grantHash: keccak256("0x04"), maxPrice: 5n }],
    resultKey: keccak256("0x05"),
    token: zeroAddress,
    operatorFee: 7n,
    failureFee: 1n,
    operator: zeroAddress,
    ...plainTerms,
    deadline: 4_000_000_000n,
    nonce: BigInt(number),
    ...changes,
  };
  const jobId = hashOrder(domainOf(deployment.chainId, deployment.contracts.jobMarket), order);
  return { jobId, index: BigInt(number), order, params, programUri: `https://example.org/${number}` };
}

/** The arguments of `emitOpened` for a job. */
export function openedArgs({ jobId, index, order, programUri, params }: SampleJob): readonly unknown[] {
  return [jobId, index, order, programUri, params];
}

/** A receipt for a job; Failed unless a result's hash is given. */
export function sampleReceipt(job: SampleJob, resultHash?: Hex): Receipt {
  const zero: Hex = `0x${"00".repeat(32)}`;
  return {
    jobId: job.jobId,
    status: resultHash === undefined ? 2 : 1,
    programId: job.order.programId,
    workloadId: job.order.workloadId,
    inputsRoot: keccak256("0x06"),
    grantsRoot: keccak256("0x07"),
    paramsHash: job.order.paramsHash,
    resultHash: resultHash ?? zero,
    outputCommitment: resultHash === undefined ? zero : keccak256("0x08"),
    policyHash: keccak256("0x09"),
    fuelUsed: 1024n,
    ...plainCounts,
    logRoot: keccak256("0x0a"),
    logSize: 3n,
    anchorBlock: 1n,
    anchorHash: keccak256("0x0b"),
    failureCode: resultHash === undefined ? 10 : 0,
  };
}
