/**
 * Room: protocol/collateral. What Intel publishes, signed, to judge TDX quotes by. Pure: types only.
 * Source: Intel PCS API v4, "Get TDX TCB Info", "Get TD QE Identity", "Get Revocation List", "Get Root CA CRL".
 */

/** The collateral that one quote is judged by. Everything as published, byte for byte: signatures are over these bytes. */
export type Collateral = {
  /** TCB info v3 of TDX for one FMSPC, JSON: the value of `tcbInfo` in Intel's answer. */
  tcbInfo: Uint8Array;
  /** r || s, 64 bytes, by the TCB signing key. */
  tcbInfoSignature: Uint8Array;
  /** Identity of the TD quoting enclave, version 2, JSON: the value of `enclaveIdentity` in Intel's answer. */
  qeIdentity: Uint8Array;
  /** r || s, 64 bytes, by the TCB signing key. */
  qeIdentitySignature: Uint8Array;
  /** Certificate of the TCB signing key, DER. */
  tcbSigning: Uint8Array;
  /** PCK Platform or Processor CA, whichever issued the quote's PCK leaf, DER. */
  pckCa: Uint8Array;
  /** Root CA, DER: it is believed for its key only, which whoever verifies knows. */
  rootCa: Uint8Array;
  /** The root CA's revocation list, DER. */
  rootCaCrl: Uint8Array;
  /** Revocation list of `pckCa`, DER. */
  pckCrl: Uint8Array;
};

/** File names of a collateral folder, one a part. */
export const collateralFiles = {
  tcbInfo: "tcb_info.json",
  tcbInfoSignature: "tcb_info_signature.bin",
  qeIdentity: "qe_identity.json",
  qeIdentitySignature: "qe_identity_signature.bin",
  tcbSigning: "tcb_signing.der",
  pckCa: "pck_ca.der",
  rootCa: "root_ca.der",
  rootCaCrl: "root_ca_crl.der",
  pckCrl: "pck_crl.der",
} as const satisfies Record<keyof Collateral, string>;
