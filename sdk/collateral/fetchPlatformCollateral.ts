/**
 * Room: sdk/collateral. Fetches collateral over HTTP. Whether it is genuine is for the chain or `verifyCollateral` to say.
 */
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { fetchCollateral, type PcsGet, type PcsRequest } from "../../protocol/collateral/pcs.ts";
import { boundedAnswer } from "../boundedFetch.ts";

const get: PcsGet = (url, maxBytes) => boundedAnswer(new URL(url), { maxBytes });

/**
 * Fetches the collateral of one kind of platform.
 *
 * @param base - a PCS or PCCS, e.g. https://api.trustedservices.intel.com
 * @throws what `fetchCollateral` throws | ServerUnreachableError | AnswerTooLongError
 * @example
 * const collateral = await fetchPlatformCollateral(url, { fmspc: "b0c06f000000", ca: "platform" })
 */
export async function fetchPlatformCollateral(base: string, request: PcsRequest): Promise<Collateral> {
  return await fetchCollateral(get, base, request);
}
