/**
 * Room: sdk/quote. What the npm package @phala/dcap-qvl says of a quote: a second opinion by other authors' code.
 * It is never enough alone: see {@link dcapQvlLacks}. Written for version 0.3.9.
 */
import { QuoteVerifier, type Collateral as QvlCollateral } from "@phala/dcap-qvl";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import type { JudgementCheck } from "../../protocol/collateral/judgeQuote.ts";
import { defaultPolicy, type TcbStatus, tcbStatuses } from "../../protocol/collateral/tcbStatus.ts";

/** What the package says. */
export type DcapQvlVerdict = {
  /** It verifies, with a status that the policy allows. */
  accepted: boolean;
  /** Of a quote that it evaluates; Revoked too, which it reports as an error. */
  status: TcbStatus | undefined;
  advisoryIds: readonly string[];
  /** Its own words. */
  error: string | undefined;
};

/** Checks that the package does not make, or makes otherwise than Intel, and which of ours make them. */
export const dcapQvlLacks: readonly { what: string; checks: readonly (JudgementCheck | RegExp)[] }[] = [
  {
    what: "tdxModuleIdentities: the TDX module's own TCB status, signer and attributes",
    checks: ["TDX module", "TCB level", "TCB policy", "MRSIGNERSEAM", "SEAM attributes"],
  },
  { what: "TDX 1.5: TEE_TCB_SVN_2 and the relaunch statuses", checks: ["TCB level", "TCB policy"] },
  {
    what: "signatures, issuers and dates of revocation lists; one that it cannot read counts as empty",
    checks: [/CRL/],
  },
  { what: "the PCE id of TCB info", checks: ["platform match"] },
  {
    what: "the form of collateral: repeated and unknown keys, values out of bounds, bytes behind, lists that cannot be read",
    checks: ["collateral format"],
  },
  { what: "the last 32 bytes of the QE's report data", checks: ["QE binding"] },
  { what: "trailing bytes, stated lengths, the QE vendor", checks: ["quote format"] },
  {
    what: "names and key usage of certificates, critical extensions, whose PCK CA the revocation list is of",
    checks: [
      / name$/,
      / role$/,
      "leaf common name",
      "PCK CA match",
      "certificate format",
      "root CA key",
      "root CA dates",
      "root CA signature",
    ],
  },
  { what: "nextUpdate as the first second that is too late", checks: ["TCB info dates", "QE identity dates"] },
];

/** Why it refuses what Intel's rules accept, by what it says then. */
export const dcapQvlStricter: Readonly<Record<string, string>> = {
  "No matching TCB level found":
    "it compares TDX components 0 and 1 with the TCB levels, though the TDX module's identity judges them",
  "Certificate is revoked": "it looks for a serial number in every revocation list, whoever issued it",
};

/**
 * Runs the package.
 *
 * @param rootCa - DER of another root than Intel's.
 * @param policy - statuses that count as accepted.
 * @example
 * const { status } = runDcapQvl(quote, collateral, 1_786_621_538)
 */
export function runDcapQvl(
  quote: Uint8Array,
  collateral: Collateral,
  atUnixSeconds: number,
  rootCa?: Uint8Array,
  policy: readonly TcbStatus[] = defaultPolicy,
): DcapQvlVerdict {
  try {
    const verifier = rootCa === undefined ? QuoteVerifier.newProd() : QuoteVerifier.newWithRootCa(Buffer.from(rootCa));
    const { status, advisory_ids } = verifier.verify(quote, toQvl(collateral), atUnixSeconds);
    const known = tcbStatuses.find((one) => one === status);
    const accepted = known !== undefined && policy.includes(known);
    return { accepted, status: known, advisoryIds: advisory_ids, error: undefined };
  } catch (cause) {
    const error = cause instanceof Error ? cause.message : String(cause);
    const revoked = error === "TCB status is invalid: Revoked";
    return { accepted: false, status: revoked ? "Revoked" : undefined, advisoryIds: [], error };
  }
}

function toQvl(collateral: Collateral): QvlCollateral {
  const signers = pem(collateral.tcbSigning) + pem(collateral.rootCa);
  const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  return {
    pck_crl_issuer_chain: pem(collateral.pckCa) + pem(collateral.rootCa),
    root_ca_crl: collateral.rootCaCrl.toHex(),
    pck_crl: collateral.pckCrl.toHex(),
    tcb_info_issuer_chain: signers,
    tcb_info: text(collateral.tcbInfo),
    tcb_info_signature: collateral.tcbInfoSignature.toHex(),
    qe_identity_issuer_chain: signers,
    qe_identity: text(collateral.qeIdentity),
    qe_identity_signature: collateral.qeIdentitySignature.toHex(),
  };
}

function pem(der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
