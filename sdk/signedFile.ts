/**
 * Room: sdk/signedFile. Files in which people hand each other what they signed: orders, offers, withdrawals, sessions,
 * appointments.
 * They hold no secret. Each names its kind and the market it is for: a file of another deployment is refused before
 * anything in it is looked at. Signatures are checked by whoever reads, not here.
 */
import { isAddressEqual } from "viem";
import { z } from "zod";
import type { Deployment } from "../protocol/deployment.ts";
import { BaseError } from "../protocol/errors.ts";
import { address } from "../protocol/schemas.ts";

/** What such a file holds. */
export type SignedKind = "offer" | "order" | "withdrawal" | "session" | "deposit" | "appointment";

/** Longest signed file, in bytes: an order with its parameters in hex, and signatures of contracts. */
export const maxSignedFileBytes = 64 * 1024;

/**
 * The JSON of a file.
 *
 * @param content - JSON: bigints as strings.
 * @example
 * signedFileOf("offer", deployment, { offer: offerToJson(offer), signature })
 */
export function signedFileOf<const kind extends SignedKind, T extends object>(
  kind: kind,
  deployment: Deployment,
  content: T,
) {
  const { chainId, contracts } = deployment;
  return { v: 1, kind, chainId, jobMarket: contracts.jobMarket, ...content } as const;
}

/**
 * Reads a file.
 *
 * @param content - what stands beside kind, chain and market.
 * @throws {@link BadSignedFileError}
 * @example
 * const { offer, signature } = readSignedFile("offer", text, deployment, signedOfferSchema)
 */
export function readSignedFile<T>(kind: SignedKind, text: string, deployment: Deployment, content: z.ZodType<T>): T {
  let json: unknown;
  try {
    if (text.length <= maxSignedFileBytes) json = JSON.parse(text);
  } catch {
    throw new BadSignedFileError(kind, "it is not JSON");
  }
  const head = headSchema.safeParse(json);
  if (!head.success || head.data.kind !== kind)
    throw new BadSignedFileError(kind, "it does not have the fields of one");
  const { v: _, kind: __, chainId, jobMarket, ...rest } = head.data;
  if (chainId !== deployment.chainId || !isAddressEqual(jobMarket, deployment.contracts.jobMarket))
    throw new BadSignedFileError(kind, `it is for chain ${chainId}, market ${jobMarket}`);
  const parsed = content.safeParse(rest);
  if (!parsed.success) throw new BadSignedFileError(kind, "it does not have the fields of one");
  return parsed.data;
}

const headSchema = z.looseObject({
  v: z.literal(1),
  kind: z.string(),
  chainId: z.int().positive(),
  jobMarket: address,
});

/** The file is not one of this kind for this deployment. */
export class BadSignedFileError extends BaseError {
  override readonly name = "SignedFile.BadSignedFileError";
  constructor(kind: SignedKind, fact: string) {
    super(`The ${kind} file cannot be used: ${fact}.`, {
      hint: "Ask for the file that `dcm` wrote with --out, for this deployment.",
    });
  }
}
