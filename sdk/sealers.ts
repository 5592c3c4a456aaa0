/**
 * Room: sdk/sealers. Who may sign sealed keys of a data set in its owner's stead: appointing such an account, handing the
 * appointment over, and signing as it. Consent stays with the owner's grants. Members of a council: `approveAppointment`
 * of sdk/councils.
 */
import { type Address, type Hex, isAddressEqual, zeroAddress } from "viem";
import { datasetRegistryAbi } from "../protocol/abi.ts";
import type { Deployment } from "../protocol/deployment.ts";
import { hashSealedKey } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import {
  appointmentTypes,
  hashSealerAppointment,
  type SealerAppointment,
  type SignedAppointment,
  signedAppointmentSchema,
  signedAppointmentToJson,
} from "../protocol/sealerAppointment.ts";
import type { SealedKey } from "../protocol/sealing.ts";
import { toTypedError } from "./chainErrors.ts";
import { addressOf, type Client } from "./client.ts";
import { chainTime, NotYoursError, signSealedKey } from "./grants.ts";
import { read } from "./send.ts";
import { isSignedBy, signTyped } from "./signatures.ts";
import { readSignedFile, signedFileOf } from "./signedFile.ts";

/** Whom an owner appoints; the epochs are those of now. */
export type AppointmentTerms = Pick<SealerAppointment, "datasetId" | "sealer" | "notAfter">;

/** What is signed of a sealed key; see `GrantPackage`. */
export type SignedSealing = { sealedKeySignature: Hex; sealerAppointment?: SignedAppointment };

/**
 * An appointment under the consent epochs of now, for its owner to sign.
 *
 * @returns with it the data set's owner.
 * @throws {@link BadSealerError} | any error of `read`
 * @example
 * const { appointment } = await newAppointment(client, { datasetId, sealer, notAfter })
 */
export async function newAppointment(
  client: Client,
  { datasetId, sealer, notAfter }: AppointmentTerms,
): Promise<{ appointment: SealerAppointment; owner: Address }> {
  if (isAddressEqual(sealer, zeroAddress)) throw new BadSealerError(sealer, "is no account");
  const code = await client.chain.getCode({ address: sealer }).catch((cause) => {
    throw toTypedError(cause);
  });
  // An account that delegates to code (EIP-7702) still has its key.
  if (code !== undefined && code !== "0x" && !code.startsWith("0xef0100"))
    throw new BadSealerError(sealer, "is a contract, and has no key to sign with");
  const { owner, epoch, ownerEpoch } = await consentNow(client, datasetId);
  return { appointment: { datasetId, sealer, epoch, ownerEpoch, notAfter }, owner };
}

/**
 * Appoints a sealer for a data set of the client's wallet. Sends nothing. It ends with `notAfter`, and before when all
 * grants of the data set or of the owner are revoked.
 *
 * @throws NotYoursError | any error of {@link newAppointment} and `signTyped`
 * @example
 * const signed = await signSealerAppointment(client, { datasetId, sealer, notAfter })
 */
export async function signSealerAppointment(client: Client, terms: AppointmentTerms): Promise<SignedAppointment> {
  const { appointment, owner } = await newAppointment(client, terms);
  if (!isAddressEqual(owner, addressOf(client))) throw new NotYoursError(terms.datasetId, owner);
  const typed = { types: appointmentTypes, primaryType: "SealerAppointment", message: appointment };
  return { appointment, signature: await signTyped(client, { domain: client.marketDomain, ...typed }) };
}

/**
 * Refuses an appointment that does not hold now, whoever signed it.
 *
 * @returns the data set's owner, who must sign it.
 * @throws {@link AppointmentEndedError} | any error of `read`
 * @example
 * const owner = await requireStanding(client, appointment)
 */
export async function requireStanding(client: Client, appointment: SealerAppointment): Promise<Address> {
  const { datasetId } = appointment;
  const { owner, epoch, ownerEpoch, retired } = await consentNow(client, datasetId);
  if (retired) throw new AppointmentEndedError(datasetId, "the data set is retired");
  if (appointment.epoch !== epoch) throw new AppointmentEndedError(datasetId, `the data set's epoch is ${epoch}`);
  if (appointment.ownerEpoch !== ownerEpoch)
    throw new AppointmentEndedError(datasetId, `its owner's epoch is ${ownerEpoch}`);
  const now = await chainTime(client);
  if (now > appointment.notAfter) throw new AppointmentEndedError(datasetId, `it held until ${appointment.notAfter}`);
  return owner;
}

/**
 * Checks that an appointment is signed by its data set's owner, and holds now.
 *
 * @throws {@link AppointmentNotSignedError} | any error of {@link requireStanding}
 * @example
 * await verifyAppointment(client, readAppointmentFile(text, deployment))
 */
export async function verifyAppointment(client: Client, { appointment, signature }: SignedAppointment): Promise<void> {
  const owner = await requireStanding(client, appointment);
  const hash = hashSealerAppointment(client.marketDomain, appointment);
  if (!(await isSignedBy(client, owner, hash, signature)))
    throw new AppointmentNotSignedError(appointment.datasetId, owner);
}

/**
 * Signs a sealed key as whoever the client's wallet is: the data set's owner, a key that its owner (a contract) takes for
 * its own, or else the sealer that the owner has appointed.
 *
 * @param given - what the wallet knows of its appointment.
 * @throws {@link NoSealerError} | any error of {@link verifyAppointment}, `signTyped` and `read`
 * @example
 * const signed = await signSealing(client, { datasetId, grantHash, sealedKey }, appointment)
 */
export async function signSealing(
  client: Client,
  { datasetId, grantHash, sealedKey }: { datasetId: Hex; grantHash: Hex; sealedKey: SealedKey },
  given: SignedAppointment | undefined,
): Promise<SignedSealing> {
  const me = addressOf(client);
  const { owner } = await consentNow(client, datasetId);
  const isMine = given !== undefined && isAddressEqual(given.appointment.sealer, me);
  const asSealer = isMine && !isAddressEqual(owner, me);
  if (asSealer) await verifyAppointment(client, given);
  const sealedKeySignature = await signSealedKey(client, grantHash, sealedKey);
  if (asSealer) return { sealedKeySignature, sealerAppointment: given };
  const hash = hashSealedKey(client.marketDomain, grantHash, sealedKey);
  if (!(await isSignedBy(client, owner, hash, sealedKeySignature))) throw new NoSealerError(datasetId, owner, me);
  return { sealedKeySignature };
}

/**
 * The JSON of an appointment file.
 *
 * @example
 * await writeFile("appointment.json", JSON.stringify(appointmentFileOf(deployment, signed)))
 */
export function appointmentFileOf(deployment: Deployment, signed: SignedAppointment) {
  return signedFileOf("appointment", deployment, signedAppointmentToJson(signed));
}

/**
 * Reads an appointment file. The signature is checked by {@link verifyAppointment}, not here.
 *
 * @throws BadSignedFileError
 * @example
 * const { appointment, signature } = readAppointmentFile(text, deployment)
 */
export function readAppointmentFile(text: string, deployment: Deployment): SignedAppointment {
  return readSignedFile("appointment", text, deployment, signedAppointmentSchema);
}

/** Owner and epochs of a data set now. */
async function consentNow(client: Client, datasetId: Hex) {
  const call = { address: client.deployment.contracts.datasetRegistry, abi: datasetRegistryAbi } as const;
  const { owner, epoch, retired } = await read(client, { ...call, functionName: "dataset", args: [datasetId] });
  const ownerEpoch = await read(client, { ...call, functionName: "ownerEpochOf", args: [owner] });
  return { owner, epoch, ownerEpoch, retired };
}

/** The account cannot be a sealer. */
export class BadSealerError extends BaseError {
  override readonly name = "Sealers.BadSealerError";
  constructor(sealer: Address, fact: string) {
    super(`${sealer} ${fact}.`, { hint: "Appoint an account with a key: the wallet of `dcm provider serve`." });
  }
}

/** The appointment does not hold any more, or never did. */
export class AppointmentEndedError extends BaseError {
  override readonly name = "Sealers.AppointmentEndedError";
  constructor(datasetId: Hex, fact: string) {
    super(`The appointment for data set ${datasetId} does not hold: ${fact}.`, {
      hint: "If the owner still agrees, it signs a new one: `dcm grant appoint-sealer`, or `dcm council appoint-sealer`.",
    });
  }
}

/** The appointment is not signed by the data set's owner for this deployment. */
export class AppointmentNotSignedError extends BaseError {
  override readonly name = "Sealers.AppointmentNotSignedError";
  constructor(datasetId: Hex, owner: Address) {
    super(`The appointment for data set ${datasetId} is not signed by ${owner}, its owner.`, {
      hint: "A council's needs as many members as its threshold says: `dcm council approve-sealer`.",
    });
  }
}

/** The wallet may not sign sealed keys of the data set: no enclave would take them. */
export class NoSealerError extends BaseError {
  override readonly name = "Sealers.NoSealerError";
  constructor(datasetId: Hex, owner: Address, me: Address) {
    super(`Data set ${datasetId} belongs to ${owner}, which has not appointed ${me} to seal its key.`, {
      hint: "Use the owner's wallet, or give its appointment of this one to `dcm provider take`.",
    });
  }
}
