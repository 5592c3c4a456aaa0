/**
 * Room: protocol/operatorAuthorization. The operator's consent as JSON text: what `dcm operator authorize` prints and a
 * worker reads from OPERATOR_AUTHORIZATION. Pure.
 */
import { z } from "zod";
import { BaseError } from "./errors.ts";
import { maxSignatureBytes } from "./limits.ts";
import { address, hexUpTo } from "./schemas.ts";

const maxTextLength = 16 * 1024;

const schema = z.strictObject({
  /** Who gives and who got it: not needed to use it, but a mix-up can be named. */
  operator: address.optional(),
  agent: address.optional(),
  /** Unix seconds, the last second at which it holds. */
  validUntil: z
    .int()
    .positive()
    .transform((seconds) => BigInt(seconds)),
  signature: hexUpTo(maxSignatureBytes),
  simulated: z.boolean().optional(),
});

/** An operator's consent as it is handed to a worker. */
export type GivenAuthorization = z.output<typeof schema>;

/**
 * Reads an operator's consent.
 *
 * @param text - JSON: `{"validUntil": 1790000000, "signature": "0x..."}`, and what else `dcm operator authorize` prints.
 * @throws {@link BadAuthorizationTextError}
 * @example
 * const { validUntil, signature } = readOperatorAuthorization(process.env.OPERATOR_AUTHORIZATION ?? "")
 */
export function readOperatorAuthorization(text: string): GivenAuthorization {
  if (text.length > maxTextLength) throw new BadAuthorizationTextError(`longer than ${maxTextLength} characters`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BadAuthorizationTextError("not JSON");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new BadAuthorizationTextError(z.prettifyError(parsed.error).slice(0, 300));
  return parsed.data;
}

/** The text is not an operator's consent. */
export class BadAuthorizationTextError extends BaseError {
  override readonly name = "OperatorAuthorization.BadAuthorizationTextError";
  constructor(fact: string) {
    super(`This is not an operator's authorization: ${fact}.`, {
      hint: "Give what `dcm operator authorize --agent ADDRESS --json` prints, unchanged.",
    });
  }
}
