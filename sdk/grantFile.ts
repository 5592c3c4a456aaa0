/**
 * Room: sdk/grantFile. The file in which a provider hands a signed grant to a requester. It holds no secret.
 */
import { type Hex, isAddressEqual } from "viem";
import { z } from "zod";
import type { Deployment } from "../protocol/deployment.ts";
import type { SignedGrant } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { grantSchema, grantToJson } from "../protocol/grantPackage.ts";
import { maxSignatureBytes } from "../protocol/limits.ts";
import { address, hexUpTo } from "../protocol/schemas.ts";

/** Longest grant file in bytes. */
export const maxGrantFileBytes = 32 * 1024;

/** A signed grant and the deployment it is signed for. */
export const grantFileSchema = z.strictObject({
  v: z.literal(1),
  chainId: z.int().positive(),
  jobMarket: address,
  grant: grantSchema,
  signature: hexUpTo(maxSignatureBytes),
});

/**
 * The JSON of a grant file.
 *
 * @example
 * await writeFile("grant.json", JSON.stringify(grantFileOf(deployment, signed)))
 */
export function grantFileOf(
  deployment: Deployment,
  { grant, signature }: { grant: SignedGrant["grant"]; signature: Hex },
) {
  const { chainId, contracts } = deployment;
  return { v: 1, chainId, jobMarket: contracts.jobMarket, grant: grantToJson(grant), signature } as const;
}

/**
 * Reads a grant file. The signature is checked by `checkGrant`, not here.
 *
 * @throws {@link BadGrantFileError}
 * @example
 * const { grant, signature } = readGrantFile(text, deployment)
 */
export function readGrantFile(text: string, deployment: Deployment): SignedGrant {
  let json: unknown;
  try {
    if (text.length <= maxGrantFileBytes) json = JSON.parse(text);
  } catch {
    throw new BadGrantFileError("it is not JSON");
  }
  const parsed = grantFileSchema.safeParse(json);
  if (!parsed.success) throw new BadGrantFileError("it does not have the fields of one");
  const { chainId, jobMarket, grant, signature } = parsed.data;
  if (chainId !== deployment.chainId || !isAddressEqual(jobMarket, deployment.contracts.jobMarket))
    throw new BadGrantFileError(`it is for chain ${chainId}, market ${jobMarket}`);
  return { grant, signature };
}

/** The file is not a grant for this deployment. */
export class BadGrantFileError extends BaseError {
  override readonly name = "GrantFile.BadGrantFileError";
  constructor(fact: string) {
    super(`The grant file cannot be used: ${fact}.`, {
      hint: "Ask the provider for the file that `dcm grant create --out FILE` writes, for this deployment.",
    });
  }
}
