/**
 * Room: sdk/registration. Gathers what proves a registration: its quote, whole. What later registrations of a platform leave
 * out of their calldata (PCK certificate, QE report) stands in that of earlier ones. Nothing gathered is believed:
 * whoever uses it verifies the signatures. Source: ITdxVerifier, "three ways".
 */
import {
  type AbiEvent,
  type Address,
  type ContractFunctionArgs,
  concatHex,
  decodeFunctionData,
  getAbiItem,
  type Hex,
  isAddressEqual,
  size,
  slice,
} from "viem";
import { enclaveRegistryAbi, tdxCollateralAbi, tdxVerifierAbi } from "../../protocol/abi.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { BaseError } from "../../protocol/errors.ts";
import { readCertificate } from "../../protocol/quote/certificate.ts";
import type { Evidence } from "../../protocol/quote/evidence.ts";
import { parseQuote, quoteBytes, type SplitQuote } from "../../protocol/quote/parseQuote.ts";
import { maxCertificateSize } from "../../protocol/quote/pemChain.ts";
import { p256KeyOf, pckIdOf } from "../../protocol/quote/platformRecord.ts";
import type { EventLog } from "../scanEvents.ts";

const platformRecorded = getAbiItem({ abi: tdxVerifierAbi, name: "PlatformRecorded" });
const authorityRecorded = getAbiItem({ abi: tdxCollateralAbi, name: "AuthorityRecorded" });

/** Most earlier transactions that are looked at for one certificate. */
const maxLooks = 32;

/** What was sent to the chain, as whoever asks sees it. Throws typed errors. */
export type ProofSource = {
  deployment: Deployment;
  transaction(hash: Hex): Promise<{ to: Address | null; from: Address; input: Hex }>;
  /** In the order of the chain, up to where the asker looks. */
  events<const event extends AbiEvent>(wanted: {
    address: Address;
    event: event;
    args: Readonly<Record<string, unknown>>;
  }): Promise<readonly { args: ArgsOf<event>; transactionHash: Hex }[]>;
};

type ArgsOf<event extends AbiEvent> = EventLog<event> extends { args: infer args } ? args : never;
type RegisterArgs = ContractFunctionArgs<typeof enclaveRegistryAbi, "nonpayable", "register">;

/** A registration with everything that proves it. */
export type RegistrationProof = {
  sender: Address;
  request: RegisterArgs[2];
  signature: Hex;
  authorization: RegisterArgs[4];
  /** Whole, put together where need be. */
  quote: SplitQuote;
  /** The transactions that hold the PCK certificate and the QE report: the registration's own, or earlier ones. */
  pckLeafIn: Hex;
  qeReportIn: Hex;
};

/**
 * Gathers the proof of a registration.
 *
 * @param transactionHash - of the registration, from its event.
 * @throws {@link ProofNotShownError}, what the source throws.
 * @example
 * const { quote, request } = await gatherProof(source, enclave.transactionHash)
 */
export async function gatherProof(source: ProofSource, transactionHash: Hex): Promise<RegistrationProof> {
  const { enclaveRegistry } = source.deployment.contracts;
  const { to, from, input } = await source.transaction(transactionHash);
  const call = to !== null && isAddressEqual(to, enclaveRegistry) ? decoded(enclaveRegistryAbi, input) : undefined;
  if (call?.functionName !== "register")
    throw new ProofNotShownError("its transaction is not a plain call of register");
  const [quote, evidence, request, signature, authorization] = call.args;
  const own = { quote, evidence, hash: transactionHash };
  const leaf = await findLeaf(source, own);
  const whole = await findQeReport(source, own);
  const pckIssuer = await findIssuer(source, leaf.issuer);
  return {
    sender: from,
    request,
    signature,
    authorization,
    quote: { quote: whole.quote, pckLeaf: leaf.pckLeaf, pckIssuer },
    pckLeafIn: leaf.hash,
    qeReportIn: whole.hash,
  };
}

/** A quote as it was sent, and in which transaction. */
type Shown = { quote: Hex; evidence: Evidence; hash: Hex };

type Issuer = { key: Evidence["issuerKey"] } | { number: number };

async function findLeaf(source: ProofSource, own: Shown): Promise<{ pckLeaf: Hex; issuer: Issuer; hash: Hex }> {
  const { pckLeaf, issuerKey, platform } = own.evidence;
  if (pckLeaf !== "0x") return { pckLeaf, issuer: { key: issuerKey }, hash: own.hash };
  for await (const { evidence, hash } of recordings(source, own)) {
    if (evidence.pckLeaf === "0x" || !isKeyOf(evidence.pckLeaf, platform.pckKey)) continue;
    return { pckLeaf: evidence.pckLeaf, issuer: { number: platform.issuer }, hash };
  }
  throw new ProofNotShownError("no earlier transaction shows the platform's PCK certificate");
}

/** A quote cut after its attestation key, and the rest of an earlier one with the same key. */
async function findQeReport(source: ProofSource, own: Shown): Promise<{ quote: Hex; hash: Hex }> {
  const end = keyEndOf(own.quote);
  if (own.evidence.pckLeaf !== "0x" || size(own.quote) > end) return { quote: own.quote, hash: own.hash };
  if (size(own.quote) < end) throw new ProofNotShownError("its quote ends before its attestation key");
  for await (const { quote, hash, recordedQeSvn } of recordings(source, own)) {
    if (recordedQeSvn !== own.evidence.qeIsvSvn || size(quote) <= end || keyEndOf(quote) !== end) continue;
    const { core, attestationKey } = parseQuote(quoteBytes(quote));
    const isSameKey = slice(own.quote, end - attestationKey.length) === slice(quote, end - attestationKey.length, end);
    if (isSameKey) return { quote: concatHex([own.quote, slice(quote, end, core.length)]), hash };
  }
  throw new ProofNotShownError("no earlier transaction shows the QE report of its attestation key");
}

async function findIssuer(source: ProofSource, issuer: Issuer): Promise<Hex> {
  const address = source.deployment.contracts.tdxCollateral;
  const args = "number" in issuer ? { authority: issuer.number } : {};
  const recorded = await source.events({ address, event: authorityRecorded, args });
  for (const { args: authority, transactionHash } of recorded.toReversed().slice(0, maxLooks)) {
    if ("key" in issuer && (authority.key.x !== issuer.key.x || authority.key.y !== issuer.key.y)) continue;
    const { to, input } = await source.transaction(transactionHash);
    const call = to !== null && isAddressEqual(to, address) ? decoded(tdxCollateralAbi, input) : undefined;
    if (call?.functionName === "addAuthority" && isKeyOf(call.args[0], authority.key)) return call.args[0];
  }
  throw new ProofNotShownError("no plain transaction shows the certificate of the PCK CA");
}

/** What was sent when the verifier recorded this platform or a new attestation key of it, the newest first. */
async function* recordings(source: ProofSource, own: Shown): AsyncGenerator<Shown & { recordedQeSvn: number }> {
  const address = source.deployment.contracts.tdxVerifier;
  const pckId = pckIdOf(own.evidence.platform.pckKey);
  const events = await source.events({ address, event: platformRecorded, args: { pckId } });
  for (const { args, transactionHash: hash } of looksAt(events)) {
    const { input } = await source.transaction(hash);
    const call = decoded([...enclaveRegistryAbi, ...tdxVerifierAbi], input);
    if (call?.functionName !== "register" && call?.functionName !== "renew" && call?.functionName !== "verify")
      continue;
    const [quote, evidence] = call.args as unknown as RegisterArgs; // the first two of all three functions
    yield { quote, evidence, hash, recordedQeSvn: args.qeIsvSvn };
  }
}

/** The newest ones, and the first: it certified the platform. */
function looksAt<T>(events: readonly T[]): T[] {
  const newest = events.toReversed();
  return newest.length <= maxLooks ? newest : [...newest.slice(0, maxLooks - 1), ...newest.slice(-1)];
}

function decoded<const abi extends Parameters<typeof decodeFunctionData>[0]["abi"]>(abi: abi, data: Hex) {
  try {
    return decodeFunctionData({ abi, data });
  } catch {
    return undefined;
  }
}

function isKeyOf(certificate: Hex, key: Evidence["issuerKey"]): boolean {
  try {
    const { x, y } = p256KeyOf(readCertificate(quoteBytes(certificate, maxCertificateSize)).publicKey);
    return x === key.x && y === key.y;
  } catch (error) {
    if (error instanceof BaseError) return false;
    throw error;
  }
}

/** Where the attestation key ends, in bytes. Source: Intel TDX DCAP Quoting Library API, A.3 and A.4. */
function keyEndOf(quote: Hex): number {
  const bytes = quoteBytes(quote);
  if (bytes.length < 54) throw new ProofNotShownError("its quote is shorter than a header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const bodyEnd = view.getUint16(0, true) === 5 ? 54 + view.getUint32(50, true) : 48 + 584;
  return bodyEnd + 4 + 64 + 64;
}

/** The chain's calldata does not show what proves the registration. */
export class ProofNotShownError extends BaseError {
  override readonly name = "Registration.ProofNotShownError";
  readonly fact: string;
  constructor(fact: string) {
    super(`The registration cannot be proven: ${fact}.`, {
      hint: "It, or what it relies on, was sent through another contract. Ask the operator to register anew directly.",
    });
    this.fact = fact;
  }
}
