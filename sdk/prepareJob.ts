/**
 * Room: sdk/prepareJob. Makes a job order out of a program and grants, and checks all that can be checked before
 * money moves. The job's id is known then: keep the result identity under it before opening.
 */
import { type Address, type Hex, isAddressEqual, zeroAddress, zeroHash } from "viem";
import { costOf, priceOf } from "../protocol/charges.ts";
import {
  type DatasetUse,
  type Grant,
  hashGrant,
  hashOffer,
  hashOrder,
  type JobOrder,
  priceUnits,
  type SignedGrant,
  type SignedOffer,
} from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { validate } from "../protocol/jsonSchema.ts";
import { maxParamsBytes } from "../protocol/limits.ts";
import { encodeParams, type Program } from "../protocol/program.ts";
import { addressOf, type Client } from "./client.ts";
import { checkGrant, requireWithinPolicy } from "./grants.ts";
import { checkOffer } from "./offers.ts";
import { randomUint256 } from "./random.ts";

/** What a requester wants. Amounts in base units of `token`; times in Unix seconds, chain time. */
export type JobTerms = {
  program: Program;
  /** Where the worker finds the program bundle. */
  programUri: string;
  /** Parameters of the program, JSON. */
  params: unknown;
  workloadId: Hex;
  /** One grant per input of the program, in its order. Programs, prices and tokens are taken from them. */
  grants: readonly SignedGrant[];
  /** X25519 key that the result is sealed to. */
  resultKey: Hex;
  /** For each enclave; with an offer, the most that its prices may come to. */
  operatorFee: bigint;
  /** What a signed failure costs; default 0. */
  failureFee?: bigint;
  /** Zero, the default: any operator. */
  operator?: Address;
  token: Address;
  deadline: bigint;
  /** Who pays; default: the requester. It must sign the order, or open the job. */
  payer?: Address;
  /** Most rows of the result that are paid for; needed if a grant is priced by them. */
  maxRows?: bigint;
  /** An operator's prices to be charged by. */
  offer?: SignedOffer;
  /** With it, an enclave must accept by then, and stake `bond`. */
  acceptBy?: bigint;
  /** Default 0. */
  bond?: bigint;
  /** How many enclaves must say the same; default 1. */
  quorum?: number;
  /** Default: random. Orders to be settled together are cheapest with neighbouring ones: see `neighbouringNonces`. */
  nonce?: bigint;
  /** Most that may be escrowed; prices come from the providers' grants. */
  maxTotal?: bigint;
};

/** A job ready to be opened. */
export type PreparedJob = {
  order: JobOrder;
  jobId: Hex;
  programUri: string;
  /** Canonical JSON. */
  params: Uint8Array;
  /** What opening it escrows, in base units of `order.token`. */
  cost: bigint;
};

/**
 * Prepares a job of the client's wallet.
 *
 * @throws {@link GrantCountError} | {@link MaxRowsMissingError} | any error of `checkOffer` | {@link GrantNotForJobError} | {@link ParamsTooLongError} | {@link ParamsRefusedError} |
 * {@link CostTooHighError} | any error of `checkGrant` or `requireWithinPolicy`
 * @example
 * const job = await prepareJob(client, terms)
 */
export async function prepareJob(client: Client, terms: JobTerms): Promise<PreparedJob> {
  const { program, grants } = terms;
  const requester = addressOf(client);
  const inputs = program.manifest.inputs.length;
  if (grants.length !== inputs) throw new GrantCountError(grants.length, inputs);
  const { bytes: params, hash: paramsHash } = encodeParams(terms.params);
  requireParams(program, params);
  const operator = terms.operator ?? zeroAddress;
  if (terms.offer !== undefined) await checkOffer(client, terms.offer, { ...terms, operator });
  const datasets: DatasetUse[] = [];
  for (const signed of grants) {
    requireFor(client, signed, { ...terms, operator, requester });
    requireWithinPolicy(signed.grant, program.manifest);
    const { sizeBytes } = await checkGrant(client, signed);
    datasets.push(useOf(client, signed.grant, sizeBytes, terms.maxRows));
  }
  const order: JobOrder = {
    requester,
    payer: terms.payer ?? requester,
    programId: program.id,
    workloadId: terms.workloadId,
    paramsHash,
    datasets,
    resultKey: terms.resultKey,
    token: terms.token,
    operatorFee: terms.operatorFee,
    failureFee: terms.failureFee ?? 0n,
    operator,
    offerHash: terms.offer === undefined ? zeroHash : hashOffer(client.marketDomain, terms.offer.offer),
    bond: terms.bond ?? 0n,
    acceptBy: terms.acceptBy ?? 0n,
    deadline: terms.deadline,
    quorum: terms.quorum ?? 1,
    session: zeroHash,
    nonce: terms.nonce ?? randomUint256(),
  };
  const { programUri, maxTotal } = terms;
  const cost = costOf(order);
  if (maxTotal !== undefined && cost > maxTotal) throw new CostTooHighError(cost, maxTotal);
  return { order, jobId: hashOrder(client.marketDomain, order), programUri, params, cost };
}

/**
 * Refuses parameters that the program does not take.
 *
 * @param params - canonical JSON: what the worker will read, not what it was made of.
 * @throws {@link ParamsTooLongError} | {@link ParamsRefusedError}
 * @example
 * requireParams(program, encodeParams(params).bytes)
 */
export function requireParams(program: Program, params: Uint8Array): void {
  if (params.length > maxParamsBytes) throw new ParamsTooLongError(params.length);
  if (!validate(program.manifest.params, JSON.parse(new TextDecoder().decode(params)))) throw new ParamsRefusedError();
}

/**
 * Puts grants into the order of the data sets that are named.
 *
 * @param datasetIds - one per input of the program, in its order.
 * @throws {@link GrantMissingError} if a data set has no grant, or more than one
 * @example
 * const grants = orderGrants([co2, temperature], granted)
 */
export function orderGrants(datasetIds: readonly Hex[], grants: readonly SignedGrant[]): SignedGrant[] {
  return datasetIds.map((datasetId) => {
    const [found, ...others] = grants.filter(({ grant }) => grant.datasetId === datasetId);
    if (found === undefined || others.length > 0) throw new GrantMissingError(datasetId, others.length > 0);
    return found;
  });
}

/**
 * A deadline in Unix seconds, counted from the later of two clocks: a development chain without traffic stands still,
 * so that its newest block may be older than the whole term.
 *
 * @param chainSeconds - time of the newest block.
 * @param clockSeconds - time on this machine.
 * @example
 * const deadline = deadlineAfter(60, await chainTime(client), BigInt(Math.floor(Date.now() / 1000)))
 */
export function deadlineAfter(minutes: number, chainSeconds: bigint, clockSeconds: bigint): bigint {
  return (chainSeconds > clockSeconds ? chainSeconds : clockSeconds) + BigInt(minutes) * 60n;
}

/** A use of a grant, with what it may come to at most as the ceiling. */
function useOf(client: Client, grant: Grant, sizeBytes: number, maxRows: bigint | undefined): DatasetUse {
  const grantHash = hashGrant(client.marketDomain, grant);
  if (grant.priceUnit === priceUnits.outputRow && grant.price > 0n && maxRows === undefined)
    throw new MaxRowsMissingError(grantHash);
  return { datasetId: grant.datasetId, grantHash, maxPrice: priceOf(grant, sizeBytes, maxRows ?? 0n) };
}

/** The same conditions as JobMarket's at settlement, so that nobody pays for a job that cannot settle. */
function requireFor(
  client: Client,
  { grant }: SignedGrant,
  job: Pick<JobTerms, "program" | "workloadId" | "token" | "deadline"> & { operator: Address; requester: Address },
): void {
  const refuse = (fact: string) => new GrantNotForJobError(hashGrant(client.marketDomain, grant), fact);
  if (grant.programId !== job.program.id) throw refuse(`consents to program ${grant.programId}, not ${job.program.id}`);
  if (grant.workloadId !== job.workloadId) throw refuse(`consents to workload ${grant.workloadId} only`);
  if (!isAddressEqual(grant.token, job.token)) throw refuse(`is paid in token ${grant.token}, not ${job.token}`);
  if (grant.requester !== zeroAddress && !isAddressEqual(grant.requester, job.requester))
    throw refuse(`is for requester ${grant.requester} only`);
  // With any operator in the order, an enclave of another operator could take the job and be unable to settle it.
  if (grant.operator !== zeroAddress && !isAddressEqual(grant.operator, job.operator))
    throw refuse(`is for operator ${grant.operator} only; name it in the job`);
}

/** It is not clear under which grant a data set is to be used. */
export class GrantMissingError extends BaseError {
  override readonly name = "PrepareJob.GrantMissingError";
  constructor(datasetId: Hex, several: boolean) {
    super(`${several ? "More than one grant was" : "No grant was"} given for data set ${datasetId}.`, {
      hint: "Give exactly one grant per data set; its provider makes it with `dcm grant create`.",
    });
  }
}

/** There are more or fewer grants than the program has inputs. */
export class GrantCountError extends BaseError {
  override readonly name = "PrepareJob.GrantCountError";
  constructor(grants: number, inputs: number) {
    super(`The program has ${inputs} inputs, ${grants} grants were given.`, {
      hint: "Give one data set and one grant per input, in the order of the program's manifest.",
    });
  }
}

/** A grant is paid by rows of the result, and nobody said how many may be paid for. */
export class MaxRowsMissingError extends BaseError {
  override readonly name = "PrepareJob.MaxRowsMissingError";
  constructor(grantHash: Hex) {
    super(`Grant ${grantHash} is paid by rows of the result, and there is no limit of rows.`, {
      hint: "Say how many rows you would pay for at most (--max-rows); what the result does not have is refunded.",
    });
  }
}

/** The grant does not consent to this job. */
export class GrantNotForJobError extends BaseError {
  override readonly name = "PrepareJob.GrantNotForJobError";
  constructor(grantHash: Hex, fact: string) {
    super(`Grant ${grantHash} ${fact}.`, { hint: "Change the job, or ask the provider for a grant that fits." });
  }
}

/** The job costs more than the requester wants to spend. */
export class CostTooHighError extends BaseError {
  override readonly name = "PrepareJob.CostTooHighError";
  constructor(cost: bigint, maxTotal: bigint) {
    super(`The job costs ${cost} base units, at most ${maxTotal} are to be spent.`, {
      hint: "Look at the prices in the grants, or allow more.",
    });
  }
}

/** The program does not take these parameters. */
export class ParamsRefusedError extends BaseError {
  override readonly name = "PrepareJob.ParamsRefusedError";
  constructor() {
    super("The parameters are not what the program takes.", { hint: "See `params` in the program's manifest.json." });
  }
}

/** The parameters are too long. */
export class ParamsTooLongError extends BaseError {
  override readonly name = "PrepareJob.ParamsTooLongError";
  constructor(length: number) {
    super(`The parameters are ${length} bytes of JSON, limit ${maxParamsBytes}.`, { hint: "Shorten them." });
  }
}
