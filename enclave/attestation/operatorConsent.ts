/**
 * Room: enclave/attestation/operatorConsent. The operator's word that this worker's gas wallet may register enclaves in
 * its name. The registry has the last say; looking here first costs no gas and can say what to do.
 */
import type { Address, Hex } from "viem";
import { type Domain, hashOperatorAuthorization } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { GivenAuthorization } from "../../protocol/operatorAuthorization.ts";

/** What the registry is given. Field by field: `OperatorAuthorization` in IEnclaveRegistry.sol. */
export type OperatorConsent = { validUntil: bigint; signature: Hex };

/** What is looked at. */
export type ConsentPorts = {
  /** Of the EnclaveRegistry. */
  domain: Domain;
  operator: Address;
  /** The gas wallet: it sends the registration. */
  agent: Address;
  /** What the worker was started with. */
  given: GivenAuthorization | undefined;
  /** Unix seconds of the newest block. */
  now(): Promise<bigint>;
  /** Whether the operator, an account or a contract, signed. */
  isSignedBy(operator: Address, digest: Hex, signature: Hex): Promise<boolean>;
};

/** The registry reads none of it when the operator sends the transaction itself. */
const notNeeded: OperatorConsent = { validUntil: 0n, signature: "0x" };

/**
 * The consent to register with.
 *
 * @throws {@link OperatorConsentError} (retryable: a contract may come to agree), and what the ports throw.
 * @example
 * const { validUntil, signature } = await consentOf(ports)
 */
export async function consentOf({ domain, operator, agent, given, now, isSignedBy }: ConsentPorts) {
  if (same(agent, operator)) return notNeeded;
  const refuse = (fact: string) => {
    throw new OperatorConsentError(operator, agent, fact);
  };
  if (given === undefined) return refuse("there is none");
  if (given.operator !== undefined && !same(given.operator, operator)) return refuse(`it is ${given.operator}'s`);
  if (given.agent !== undefined && !same(given.agent, agent)) return refuse(`it is for agent ${given.agent}`);
  const { validUntil, signature } = given;
  const time = await now();
  if (validUntil < time) return refuse(`it ended at ${validUntil}, the chain is at ${time}`);
  const digest = hashOperatorAuthorization(domain, { operator, agent, validUntil });
  if (!(await isSignedBy(operator, digest, signature)))
    return refuse("its signature is not the operator's for this agent, end, chain and registry");
  return { validUntil, signature } satisfies OperatorConsent;
}

function same(one: Address, other: Address): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Nobody said that this worker may register in the operator's name. */
export class OperatorConsentError extends BaseError {
  override readonly name = "Registration.OperatorConsentError";
  readonly operator: Address;
  readonly agent: Address;
  constructor(operator: Address, agent: Address, fact: string) {
    super(`Operator ${operator} has not authorized this worker's gas wallet ${agent}: ${fact}.`, {
      hint:
        `With the operator's wallet run \`dcm operator authorize --agent ${agent} --valid-for 365 --json\`, and start ` +
        "the worker with what it prints as OPERATOR_AUTHORIZATION.",
      retryable: true,
    });
    this.operator = operator;
    this.agent = agent;
  }
}
