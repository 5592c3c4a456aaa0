/**
 * Room: simulator/forgeries. Signatures that are wrong: each of the nine, in each way; and the same nine turned over
 * (s for n - s), which are as good as before. Pure.
 * Source: FIPS 186-5, section 6.4.2: r and s are from 1 to n - 1.
 */
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { fixedInteger, readDer, tag } from "../../protocol/quote/der.ts";
import { ecdsaWithSha256 } from "../certificate.ts";
import * as asn1 from "../der.ts";
import { signP256 } from "../ecdsa.ts";
import { bindingOf, type Forgery, offset, type Workshop } from "./workshop.ts";

/** Makes another signature of r || s. */
type Change = (signature: Uint8Array) => Uint8Array;

const { Fn } = p256.Point;
const order = p256.CURVE.n;
const zero = new Uint8Array(32);

const changes: readonly (readonly [name: string, check: string, change: Change])[] = [
  ["flipped", "is valid", (signature) => signature.map((byte, index) => (index === 40 ? byte ^ 1 : byte))],
  ["r-zero", "has an r above zero", (signature) => concatBytes(zero, signature.subarray(32))],
  ["s-zero", "has an s above zero", (signature) => concatBytes(signature.subarray(0, 32), zero)],
  ["zero", "has r and s above zero", () => new Uint8Array(64)],
  ["r-order", "has an r below the group's order", (signature) => concatBytes(big(order), signature.subarray(32))],
  ["s-order", "has an s below the group's order", (signature) => concatBytes(signature.subarray(0, 32), big(order))],
];

/** Every signature of a pair, wrong in every way. */
export function* signatureForgeries(w: Workshop): Generator<Forgery> {
  for (const [site, part, changed] of sites(w)) {
    for (const [name, check, change] of changes) {
      yield w.forge(part, `${site}-signature-${name}`, `the signature of the ${site} ${check}`, changed(change));
    }
  }
  yield w.forge(
    "quote",
    "td-report-signature-s-plus-order",
    "the signature of the td-report has an s below the group's order",
    {
      quote: tinySignature(w, order),
    },
  );
}

/**
 * The genuine pair with all signatures turned over: high s for low, low for high.
 *
 * @example
 * const { quote, collateral } = turnedOver(workshop)
 */
export function turnedOver(w: Workshop): { quote: Uint8Array; collateral: Collateral } {
  const turn: Change = (signature) =>
    concatBytes(signature.subarray(0, 32), big(order - BigInt(`0x${bytesToHex(signature.subarray(32))}`)));
  const der = (item: keyof Collateral) => resigned(w.collateral()[item], turn);
  const chain = { ...w.chain, leaf: resigned(w.chain.leaf, turn), issuer: der("pckCa") };
  const quote = w.quote({
    chain,
    raw(bytes) {
      for (const at of [offset.signature, offset.qeSignature]) bytes.set(turn(bytes.slice(at, at + 64)), at);
    },
  });
  const genuine = w.collateral();
  const collateral = {
    ...genuine,
    tcbInfoSignature: turn(genuine.tcbInfoSignature),
    qeIdentitySignature: turn(genuine.qeIdentitySignature),
    tcbSigning: der("tcbSigning"),
    pckCa: chain.issuer,
    rootCaCrl: der("rootCaCrl"),
    pckCrl: der("pckCrl"),
  };
  return { quote, collateral };
}

/**
 * A quote signed by an attestation key made so that s is 12345, plus `more`. An s below 2^224 is the only one that still
 * fits in 32 bytes with the group's order added to it: a verifier that reduces s would believe it.
 *
 * @example
 * const { quote } = { quote: tinySignature(workshop, 0n) } // valid
 */
export function tinySignature(w: Workshop, more: bigint): Uint8Array {
  const s = 12_345n;
  const k = Fn.create(BigInt(`0x${bytesToHex(w.secrets("nonce of a tiny signature", 32))}`));
  const r = Fn.create(p256.Point.BASE.multiply(k).toAffine().x);
  return w.quote({
    raw(bytes) {
      const hash = Fn.create(BigInt(`0x${bytesToHex(sha256(bytes.subarray(0, offset.signatureDataSize)))}`));
      const privateKey = Fn.mul(Fn.sub(Fn.mul(s, k), hash), Fn.inv(r));
      const key = p256.Point.BASE.multiply(privateKey).toBytes(false).subarray(1);
      bytes.set(concatBytes(big(r), big(s + more), key), offset.signature);
      const report = bytes.subarray(offset.qeReport, offset.qeSignature);
      report.set(bindingOf(key, bytes.subarray(offset.authData, offset.chainType)), 320);
      bytes.set(signP256(report, w.chain.pckKeys, "compact"), offset.qeSignature);
    },
  });
}

type Site = readonly [name: string, part: Forgery["part"], changed: (change: Change) => Partial<Forgery>];

/** The places where signatures stand. The root's own is not among them: its key is believed, not its certificate. */
function sites(w: Workshop): readonly Site[] {
  const genuine = w.collateral();
  const inQuote = (name: string, at: number): Site => [
    name,
    "quote",
    (change) => ({ quote: w.quote({ raw: (bytes) => bytes.set(change(bytes.slice(at, at + 64)), at) }) }),
  ];
  const plain = (name: string, item: keyof Collateral): Site => [
    name,
    "collateral",
    (change) => ({ collateral: { ...genuine, [item]: change(genuine[item]) } }),
  ];
  const der = (name: string, item: keyof Collateral): Site => [
    name,
    "collateral",
    (change) => ({ collateral: { ...genuine, [item]: resigned(genuine[item], change) } }),
  ];
  return [
    inQuote("td-report", offset.signature),
    inQuote("qe-report", offset.qeSignature),
    [
      "leaf",
      "quote",
      (change) => ({ quote: w.quote({ chain: { ...w.chain, leaf: resigned(w.chain.leaf, change) } }) }),
    ],
    [
      "pck-ca",
      "collateral",
      (change) => {
        const issuer = resigned(w.chain.issuer, change);
        return { quote: w.quote({ chain: { ...w.chain, issuer } }), collateral: { ...genuine, pckCa: issuer } };
      },
    ],
    der("tcb-signing", "tcbSigning"),
    plain("tcb-info", "tcbInfoSignature"),
    plain("qe-identity", "qeIdentitySignature"),
    der("pck-crl", "pckCrl"),
    der("root-crl", "rootCaCrl"),
  ];
}

/** A certificate or list with another signature. */
function resigned(der: Uint8Array, change: Change): Uint8Array {
  const outer = readDer(readDer(der, "signed").next(tag.sequence).content, "signed");
  const toBeSigned = outer.next(tag.sequence).whole;
  outer.next(tag.sequence);
  const bits = outer.next(tag.bitString).content.subarray(1);
  const integers = readDer(readDer(bits, "signature").next(tag.sequence).content, "signature");
  const [r, s] = [integers.next(tag.integer), integers.next(tag.integer)].map((one) =>
    fixedInteger(one, 32, "signature"),
  );
  const changed = change(concatBytes(r ?? zero, s ?? zero));
  const signature = asn1.sequence(...[0, 32].map((at) => asn1.unsignedInteger(changed.subarray(at, at + 32))));
  return asn1.sequence(toBeSigned, ecdsaWithSha256, asn1.bitString(signature));
}

/** 32 bytes, big-endian. */
function big(value: bigint): Uint8Array {
  return hexToBytes(value.toString(16).padStart(64, "0"));
}
