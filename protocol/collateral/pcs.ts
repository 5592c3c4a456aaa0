/**
 * Room: protocol/collateral. Fetches collateral from Intel's PCS or anyone's PCCS. The server is not believed: whoever
 * uses the collateral checks its signatures. Pure: the exchange is an argument.
 * Source: Intel PCS API v4; Intel SGX/TDX PCCS design guide (root CRL as hex at `/rootcacrl`).
 */
import { BaseError } from "../errors.ts";
import { readCertificate } from "../quote/certificate.ts";
import { decodePem } from "../quote/pemChain.ts";
import type { Collateral } from "./collateral.ts";
import { cutSignedJson } from "./signedJson.ts";

/** An answer over HTTP. `headers` as fetch has them: names in any case. */
export type PcsAnswer = { status: number; headers: { get(name: string): string | null }; body: Uint8Array };

/** One GET; refuses by throwing an answer of more than `maxBytes`. */
export type PcsGet = (url: string, maxBytes: number) => Promise<PcsAnswer>;

/** Which collateral: the platform's FMSPC (6 bytes, hex with or without 0x) and which CA issued its PCK certificate. */
export type PcsRequest = { fmspc: string; ca: "platform" | "processor" };

/** Longest answer that is read, in bytes: Intel's are below 8 KB. */
const maxJsonBytes = 64 * 1024;
/** `TdxCollateral` takes lists of up to 32 KB; in hex they take twice that. */
const maxCrlBytes = 2 * 32 * 1024 + 2;
/** Longest issuer chain in a header, in characters of URL-encoded PEM; Intel's have about 2,200. */
const maxChainCharacters = 16 * 1024;

const intelHost = "api.trustedservices.intel.com";
const intelRootCrl = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

/**
 * Fetches everything a quote of such a platform is judged by. Verifies nothing.
 *
 * @param base - `https://api.trustedservices.intel.com`, or a PCCS; a path such as `/sgx/certification/v4` is cut off.
 * @throws {@link BadPcsUrlError} | {@link PcsRefusedError} | {@link BadIssuerChainError} | `MalformedAnswerError` |
 * `MalformedChainError` | what reading the certificates throws | what `get` throws
 * @example
 * const collateral = await fetchCollateral(get, "https://pccs.example", { fmspc: "b0c06f000000", ca: "platform" })
 */
export async function fetchCollateral(get: PcsGet, base: string, request: PcsRequest): Promise<Collateral> {
  const { origin, host } = readBase(base);
  const fmspc = request.fmspc.replace(/^0x/, "").toUpperCase();
  if (!/^[0-9A-F]{12}$/.test(fmspc)) throw new BadPcsUrlError("the FMSPC is not 6 bytes of hex");
  const fetchOne = async (url: string, maxBytes: number): Promise<PcsAnswer> => {
    const answer = await get(url, maxBytes);
    if (answer.status !== 200) throw new PcsRefusedError(url, answer.status);
    if (answer.body.length > maxBytes) throw new PcsRefusedError(url, answer.status, `more than ${maxBytes} bytes`);
    return answer;
  };
  const [tcb, qe, pckCrl, rootCrl] = await Promise.all([
    fetchOne(`${origin}/tdx/certification/v4/tcb?fmspc=${fmspc}`, maxJsonBytes),
    fetchOne(`${origin}/tdx/certification/v4/qe/identity`, maxJsonBytes),
    fetchOne(`${origin}/sgx/certification/v4/pckcrl?ca=${request.ca}&encoding=der`, maxCrlBytes),
    fetchOne(host === intelHost ? intelRootCrl : `${origin}/sgx/certification/v4/rootcacrl`, maxCrlBytes),
  ]);
  const tcbInfo = cutSignedJson(tcb.body, "tcbInfo");
  const qeIdentity = cutSignedJson(qe.body, "enclaveIdentity");
  // Version 3 of the API used the longer name; some PCCS still do.
  const [tcbSigner, rootCa] = readChain(tcb, "TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain");
  const [qeSigner] = readChain(qe, "SGX-Enclave-Identity-Issuer-Chain");
  const [pckCa] = readChain(pckCrl, "SGX-PCK-CRL-Issuer-Chain");
  return {
    tcbInfo: tcbInfo.signed,
    tcbInfoSignature: tcbInfo.signature,
    qeIdentity: qeIdentity.signed,
    qeIdentitySignature: qeIdentity.signature,
    tcbSigning: laterOf(tcbSigner, qeSigner),
    pckCa,
    rootCa,
    rootCaCrl: readCrlBody(rootCrl.body),
    pckCrl: readCrlBody(pckCrl.body),
  };
}

function readBase(base: string): { origin: string; host: string } {
  if (base.length > 1024 || !URL.canParse(base)) throw new BadPcsUrlError("it is none");
  const url = new URL(base);
  const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if ((url.protocol !== "https:" && url.protocol !== "http:") || !plain)
    throw new BadPcsUrlError("it is not plain http or https");
  const path = url.pathname.replace(/\/+$/, "").replace(/\/(sgx|tdx)\/certification\/v4$/, "");
  return { origin: `${url.origin}${path}`, host: url.host };
}

/** Signer and root of an issuer chain, DER each. */
function readChain(answer: PcsAnswer, ...names: string[]): [signer: Uint8Array, root: Uint8Array] {
  const name = names.find((one) => answer.headers.get(one) !== null) ?? names[0] ?? "";
  const header = answer.headers.get(name);
  if (header === null) throw new BadIssuerChainError(name, "missing");
  if (header.length > maxChainCharacters) throw new BadIssuerChainError(name, `${header.length} characters long`);
  let pem: string;
  try {
    pem = decodeURIComponent(header);
  } catch (cause) {
    throw new BadIssuerChainError(name, "not URL-encoded", cause);
  }
  const [signer, root, ...more] = decodePem(new TextEncoder().encode(pem));
  if (signer === undefined || root === undefined || more.length > 0)
    throw new BadIssuerChainError(name, "not two certificates");
  return [signer, root];
}

/** The certificate to give the chain where a key has two; two keys cannot stand for one. */
function laterOf(a: Uint8Array, b: Uint8Array): Uint8Array {
  const [first, second] = [readCertificate(a), readCertificate(b)];
  if (first.publicKey.some((byte, i) => byte !== second.publicKey[i]))
    throw new BadIssuerChainError("SGX-Enclave-Identity-Issuer-Chain", "of another signing key than the TCB info's");
  return second.notAfter > first.notAfter ? b : a;
}

/** DER as it is, or as hex text, which is how PCCS answer. */
function readCrlBody(body: Uint8Array): Uint8Array {
  // A list is a sequence of more than 127 bytes; the second character of hex text is none of these.
  if (body[0] === 0x30 && (body[1] === 0x81 || body[1] === 0x82)) return body;
  const text = new TextDecoder("latin1").decode(body).trim().replace(/^0x/, "");
  if (!/^([0-9a-fA-F]{2})+$/.test(text)) throw new PcsRefusedError("a revocation list", 200, "neither DER nor hex");
  return Uint8Array.fromHex(text);
}

/** The base URL or the FMSPC cannot be asked for. The URL is not repeated: it may hold an access key. */
export class BadPcsUrlError extends BaseError {
  override readonly name = "Pcs.BadPcsUrlError";
  constructor(fact: string) {
    super(`The collateral server cannot be asked: ${fact}.`, {
      hint: "Give a URL like https://api.trustedservices.intel.com or that of a PCCS, and an FMSPC of 12 hex digits.",
    });
  }
}

/** The server did not give an item. */
export class PcsRefusedError extends BaseError {
  override readonly name = "Pcs.PcsRefusedError";
  /** Status of the answer. */
  readonly status: number;
  constructor(url: string, status: number, fact?: string) {
    // A PCCS may have an access key in front of the API's path.
    const path = URL.canParse(url) ? new URL(url).pathname.replace(/^.*(?=\/(sgx|tdx)\/certification\/)/, "") : url;
    super(`The collateral server answered ${status} for ${path}${fact === undefined ? "" : `: ${fact}`}.`, {
      hint: "404: it has nothing for this FMSPC. Else try again later, or another server: Intel's, or another PCCS.",
      retryable: status === 429 || status >= 500,
    });
    this.status = status;
  }
}

/** An issuer chain is missing or unusable. */
export class BadIssuerChainError extends BaseError {
  override readonly name = "Pcs.BadIssuerChainError";
  constructor(header: string, fact: string, cause?: unknown) {
    super(`The collateral server's header ${header} is ${fact}.`, {
      hint: "The server is no PCS or PCCS of version 4, or something between drops its headers: use another one.",
      cause,
    });
  }
}
