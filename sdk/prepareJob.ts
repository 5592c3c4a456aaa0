/**
 * Room: sdk/prepareJob. Makes a job order out of a program and grants, and checks all that can be checked before
 * money moves. The job's id is known then: keep the result identity under it before opening.
 */
import { type Address, type Hex, isAddressEqual, zeroAddress } from "viem";
import { hashGrant, hashOrder, type JobOrder, type SignedGrant } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { validate } from "../protocol/jsonSchema.ts";
import { encodeParams, type Program } from "../protocol/program.ts";
import { addressOf, type Client } from "./client.ts";
import { checkGrant } from "./grants.ts";
import { randomUint256 } from "./random.ts";

/** What a requester wants. Amounts in base units of `token`. */
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
  operatorFee: bigint;
  /** What a signed failure costs; default 0. */
  failureFee?: bigint;
  /** Zero, the default: any operator. */
  operator?: Address;
  token: Address;
  /** Unix seconds, chain time. */
  deadline: bigint;
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

const maxParamsBytes = 8192;

/**
 * Prepares a job of the client's wallet.
 *
 * @throws {@link GrantCountError} | {@link GrantNotForJobError} | {@link ParamsTooLongError} | {@link ParamsRefusedError} |
 * {@link CostTooHighError} | any error of `checkGrant`
 * @example
 * const job = await prepareJob(client, terms)
 */
export async function prepareJob(client: Client, terms: JobTerms): Promise<PreparedJob> {
  const { program, grants } = terms;
  const requester = addressOf(client);
  const inputs = program.manifest.inputs.length;
  if (grants.length !== inputs) throw new GrantCountError(grants.length, inputs);
  const { bytes: params, hash: paramsHash } = encodeParams(terms.params);
  if (params.length > maxParamsBytes) throw new ParamsTooLongError(params.length);
  // Parsed back: what the worker will read, not what was handed in.
  if (!validate(program.manifest.params, JSON.parse(new TextDecoder().decode(params)))) throw new ParamsRefusedError();
  const operator = terms.operator ?? zeroAddress;
  for (const signed of grants) {
    requireFor(client, signed, { ...terms, operator, requester });
    await checkGrant(client, signed);
  }
  const order: JobOrder = {
    requester,
    programId: program.id,
    workloadId: terms.workloadId,
    paramsHash,
    datasets: grants.map(({ grant }) => ({
      datasetId: grant.datasetId,
      grantHash: hashGrant(client.marketDomain, grant),
      price: grant.pricePerUse,
    })),
    resultKey: terms.resultKey,
    token: terms.token,
    operatorFee: terms.operatorFee,
    failureFee: terms.failureFee ?? 0n,
    operator,
    deadline: terms.deadline,
    nonce: randomUint256(),
  };
  const { programUri, maxTotal } = terms;
  const cost = costOf(order);
  if (maxTotal !== undefined && cost > maxTotal) throw new CostTooHighError(cost, maxTotal);
  return { order, jobId: hashOrder(client.marketDomain, order), programUri, params, cost };
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

/**
 * What a job escrows: all prices and the operator's fee, in base units of its token.
 *
 * @example
 * const cost = costOf(order)
 */
export function costOf(order: Pick<JobOrder, "datasets" | "operatorFee">): bigint {
  return order.datasets.reduce((sum, use) => sum + use.price, order.operatorFee);
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
