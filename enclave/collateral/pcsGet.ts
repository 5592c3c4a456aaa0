/**
 * Room: enclave/collateral. One GET to whoever serves collateral: bounded in size and time. Private addresses are fine,
 * a PCCS usually has one: nothing is sent along, and what comes is taken by a contract only if it is signed. But only the
 * address that the operator named: a server must not send the worker to others in its network.
 */
import type { PcsAnswer, PcsGet } from "../../protocol/collateral/pcs.ts";
import { BaseError } from "../../protocol/errors.ts";
import { collectBytes } from "../fetch/collectBytes.ts";
import { BadStatusError, httpGet } from "../fetch/httpGet.ts";

const timeoutMs = 20_000;
const policy = { allowHttp: true, allowPrivateAddresses: true, maxRedirects: 0 } as const;

/**
 * Makes the GET that `fetchCollateral` takes.
 *
 * @param signal - aborting ends every exchange.
 * @throws from each GET: {@link CollateralServerError} (retryable), and what `httpGet` throws.
 * @example
 * const collateral = await fetchCollateral(pcsGet(signal), url, { fmspc, ca: "platform" })
 */
export function pcsGet(signal: AbortSignal): PcsGet {
  return async function get(url, maxBytes): Promise<PcsAnswer> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const response = await httpGet(url, policy, deadline);
      const header = (name: string) => response.headers[name.toLowerCase()];
      const body = await collectBytes(
        response,
        maxBytes,
        () => new CollateralServerError(`more than ${maxBytes} bytes`),
      );
      return {
        status: 200,
        headers: {
          get: (name) => {
            const value = header(name);
            return typeof value === "string" ? value : null;
          },
        },
        body,
      };
    } catch (cause) {
      if (cause instanceof BadStatusError)
        return { status: cause.status, headers: { get: () => null }, body: new Uint8Array() };
      throw cause instanceof BaseError ? cause : new CollateralServerError("it does not answer as it should", cause);
    }
  };
}

/** The server of collateral failed. Its URL is not repeated: it may hold an access key. */
export class CollateralServerError extends BaseError {
  override readonly name = "Collateral.CollateralServerError";
  constructor(fact: string, cause?: unknown) {
    super(`The server at COLLATERAL_URL failed: ${fact}.`, {
      hint: "It is asked again. If it stays, set COLLATERAL_URL to another PCS or PCCS.",
      retryable: true,
      cause,
    });
  }
}
