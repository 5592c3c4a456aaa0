/** The collateral of this project in the form that @phala/dcap-qvl takes, and its verdict on a quote. */
import { QuoteVerifier } from "@phala/dcap-qvl";
import type { Collateral } from "../../protocol/collateral/collateral.ts";

/**
 * What dcap-qvl says of a quote.
 *
 * @param rootCa - DER of the root that is trusted.
 * @param at - Unix seconds.
 * @returns a TCB status, or "refused: " and why.
 */
export function dcapQvlVerdict(quote: Uint8Array, collateral: Collateral, rootCa: Uint8Array, at: number): string {
  const verifier = QuoteVerifier.newWithRootCa(Buffer.from(rootCa));
  try {
    return verifier.verify(Buffer.from(quote), toDcapQvl(collateral), at).status;
  } catch (error) {
    const { message, cause } = error as Error;
    return `refused: ${cause instanceof Error ? `${message}: ${cause.message}` : message}`;
  }
}

function toDcapQvl(collateral: Collateral) {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const signingChain = pem(collateral.tcbSigning) + pem(collateral.rootCa);
  return {
    pck_crl_issuer_chain: pem(collateral.pckCa) + pem(collateral.rootCa),
    root_ca_crl: hex(collateral.rootCaCrl),
    pck_crl: hex(collateral.pckCrl),
    tcb_info_issuer_chain: signingChain,
    tcb_info: text(collateral.tcbInfo),
    tcb_info_signature: hex(collateral.tcbInfoSignature),
    qe_identity_issuer_chain: signingChain,
    qe_identity: text(collateral.qeIdentity),
    qe_identity_signature: hex(collateral.qeIdentitySignature),
  };
}

function pem(der: Uint8Array): string {
  const base64 = Buffer.from(der).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}
