/**
 * Room: sdk/cvm/lines/claims. Whether what a worker says beside its quote follows from it. Pure.
 */
import { intelRootKey } from "../../../protocol/deployment.ts";
import { type AuditLine, allOf, type Finding, fails, given, holds, isoTime, line, unknown } from "../../audit/line.ts";
import type { WorkerClaims } from "../attestation.ts";
import { type CvmCase, measuredCompose } from "../case.ts";

/**
 * Judges a worker's other words; none for other VMs.
 *
 * @example
 * lines.push(...claimsLines(found))
 */
export function claimsLines(found: CvmCase): AuditLine[] {
  const { claims } = found.evidence;
  if (claims === undefined) return [];
  const { expectedBuildManifest } = found.policy;
  return [
    line("claims.images", "images are those of the measured compose file", () =>
      given(measuredCompose(found), ({ images }) => judgeImages(claims, images)),
    ),
    line("claims.registration", "registration is of this platform and registry, and in force", () =>
      judgeRegistration(found, claims),
    ),
    line("claims.simulated", "simulated says whether the root key is Intel's", () => judgeSimulated(found, claims)),
    ...(expectedBuildManifest === undefined
      ? []
      : [
          line("claims.buildManifest", "buildManifest is the expected one", () =>
            allOf(
              { [`buildManifest is ${claims.buildManifest}`]: claims.buildManifest === expectedBuildManifest },
              expectedBuildManifest,
            ),
          ),
        ]),
  ];
}

/**
 * Fields of a worker's answer that nobody here can check.
 *
 * @example
 * unprovenClaims(found) // ["registrationTx"]
 */
export function unprovenClaims({ evidence, policy }: CvmCase): string[] {
  const { claims } = evidence;
  if (claims === undefined) return [];
  return [
    ...(claims.buildManifest !== null && policy.expectedBuildManifest === undefined ? ["buildManifest"] : []),
    ...(claims.registrationTx === undefined ? [] : ["registrationTx"]),
    ...(claims.registration === null ? [] : ["registration.tcbStatus", "registration.expiresAt"]),
  ];
}

function judgeImages(claims: WorkerClaims, images: readonly { image: string }[]): Finding {
  const measured = new Set(images.map(({ image }) => image));
  const stated = new Set(claims.images);
  const added = claims.images.find((image) => !measured.has(image));
  const left = [...measured].find((image) => !stated.has(image));
  if (added !== undefined) return fails(`images has ${added}, the compose file has not`);
  return left === undefined ? holds([...measured].join(", ") || "there are none") : fails(`images lacks ${left}`);
}

function judgeRegistration(found: CvmCase, { binding, registration }: WorkerClaims): Finding {
  if (registration === null) return unknown("it is not registered");
  const { expiresAt, registry } = registration;
  return given(found.verified, ({ platformId }) =>
    allOf(
      {
        [`registration.platformId is ${registration.platformId}, the quote's is ${platformId}`]:
          registration.platformId === platformId,
        [`registration.registry is ${registry}, binding.registry is ${binding.registry}`]:
          registry === binding.registry,
        [`registration.expiresAt is ${isoTime(expiresAt)}: it has ended`]: expiresAt > BigInt(found.policy.at),
      },
      `platform ${platformId}, by the worker's word until ${isoTime(expiresAt)}`,
    ),
  );
}

function judgeSimulated(found: CvmCase, { simulated }: WorkerClaims): Finding {
  const isSimulated = found.policy.rootKey !== intelRootKey;
  const root = isSimulated ? "not Intel's" : "Intel's";
  return given(found.verified, () =>
    allOf({ [`simulated is ${simulated}, the quote's root key is ${root}`]: simulated === isSimulated }, root),
  );
}
