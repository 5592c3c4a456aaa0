/**
 * Room: simulator/forgeries. Revoked certificates, and revocation lists that are wrong themselves. Pure.
 * Source: RFC 5280, sections 5 and 6.3.
 */
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { commonNames } from "../authorities.ts";
import { extension, intelName, keyIdentifier } from "../certificate.ts";
import { type CrlTerms, issueCrl } from "../crl.ts";
import { p256KeyPair } from "../secrets.ts";
import { type Forgery, strangerTo, type Workshop } from "./workshop.ts";

/** Certificates of the chain that are on a list. */
export function* revocationForgeries(w: Workshop): Generator<Forgery> {
  const leafRevoked = "the leaf is not revoked";
  const { keys } = w.authorities;
  const revoked = (name: string, leaves: readonly Uint8Array[]) =>
    w.forge("collateral", name, leafRevoked, { collateral: w.collateral({ revoked: { leaves } }) });
  yield revoked("leaf-revoked", [w.chain.serial]);
  yield revoked("leaf-revoked-first-of-129", [w.chain.serial, ...serials(w, 128)]);
  yield revoked("leaf-revoked-last-of-129", [...serials(w, 128), w.chain.serial]);
  // Serial numbers that DER writes with a zero in front, or shorter.
  for (const [name, head] of [
    ["leaf-of-high-serial-revoked", [0xff]],
    ["leaf-of-short-serial-revoked", [0, 0, 0x01]],
  ] as const) {
    const serial = Uint8Array.from(w.chain.serial);
    serial.set(head);
    const quote = w.quote({ chain: w.chainWith({ leaf: { serial } }) });
    const collateral = w.collateral({ revoked: { leaves: [...serials(w, 3), serial] } });
    yield w.forge("collateral", name, leafRevoked, { quote, collateral });
  }
  for (const [authority, name] of [
    ["pckCa", "pck-ca"],
    ["tcbSigning", "tcb-signing"],
  ] as const) {
    const authorities = [keyIdentifier(keys[authority].publicKey)];
    yield w.forge("collateral", `${name}-revoked`, `the certificate of ${commonNames[authority]} is not revoked`, {
      collateral: w.collateral({ revoked: { authorities } }),
    });
  }
}

/** Lists of another issuer, in another form. Their dates: see `itemDateForgeries`. */
export function* crlForgeries(w: Workshop): Generator<Forgery> {
  const { keys } = w.authorities;
  const genuine = w.collateral();
  const forge = (name: string, check: string, changes: Partial<Collateral>) =>
    w.forge("collateral", name, check, { collateral: { ...genuine, ...changes } });
  const byPckCa = "the PCK CA issued the list of PCK certificates";
  const byRoot = "the root issued the list of its authorities";
  yield forge("pck-crl-is-root-crl", byPckCa, { pckCrl: genuine.rootCaCrl });
  yield forge("root-crl-is-pck-crl", byRoot, { rootCaCrl: genuine.pckCrl });

  const dates = { thisUpdate: new Date(w.issuedAt * 1000), nextUpdate: new Date((w.issuedAt + 86_400 * 30) * 1000) };
  const terms: CrlTerms = {
    issuer: intelName(commonNames.pckCa),
    issuerKey: keys.pckCa.publicKey,
    number: 1,
    ...dates,
    revoked: [],
    moreExtensions: [],
  };
  const processor = p256KeyPair(strangerTo(w.secrets), "PCK Processor CA");
  const processorName = intelName("Intel SGX PCK Processor CA");
  const pckCrl = (name: string, check: string, changes: Partial<CrlTerms>, by = keys.pckCa) =>
    forge(name, check, { pckCrl: issueCrl({ ...terms, ...changes }, by) });
  yield pckCrl(
    "pck-crl-of-processor-ca",
    byPckCa,
    { issuer: processorName, issuerKey: processor.publicKey },
    processor,
  );
  yield pckCrl("pck-crl-names-processor-ca", "the list names its issuer", { issuer: processorName });
  yield pckCrl("pck-crl-signed-by-root", byPckCa, {}, keys.root);
  yield pckCrl("pck-crl-signed-by-tcb-signing", byPckCa, {}, keys.tcbSigning);
  yield pckCrl("pck-crl-signed-by-leaf", byPckCa, {}, w.chain.pckKeys);
  const rootTerms = { ...terms, issuer: intelName(commonNames.root), issuerKey: keys.root.publicKey };
  yield forge("root-crl-signed-by-pck-ca", byRoot, { rootCaCrl: issueCrl(rootTerms, keys.pckCa) });
  yield forge("root-crl-names-pck-ca", "the list names its issuer", {
    rootCaCrl: issueCrl({ ...rootTerms, issuer: terms.issuer }, keys.root),
  });

  const understood = "what is critical is understood";
  const delta = extension("2.5.29.27", Uint8Array.of(2, 1, 1), true);
  yield pckCrl("pck-crl-delta", understood, { moreExtensions: [delta] });
  yield pckCrl("pck-crl-unknown-critical-extension", understood, {
    moreExtensions: [extension("1.2.3", Uint8Array.of(5, 0), true)],
  });
  yield pckCrl("pck-crl-without-number", "the list has a number", { number: undefined });
  yield pckCrl("pck-crl-without-next-update", "the list says when the next one comes", { nextUpdate: undefined });
  yield forge("pck-crl-trailing-byte", "nothing follows the list", { pckCrl: followed(genuine.pckCrl) });
  yield forge("root-crl-trailing-byte", "nothing follows the list", { rootCaCrl: followed(genuine.rootCaCrl) });
  yield forge("pck-crl-cut", "the list is whole", { pckCrl: genuine.pckCrl.slice(0, -1) });
  yield forge("pck-crl-empty", "the list is whole", { pckCrl: new Uint8Array(0) });
  yield forge("tcb-signing-trailing-byte", "nothing follows the certificate", {
    tcbSigning: followed(genuine.tcbSigning),
  });
  yield forge("pck-ca-trailing-byte", "nothing follows the certificate", { pckCa: followed(genuine.pckCa) });
}

/**
 * Serial numbers of no one's certificates, 20 bytes each.
 *
 * @example
 * workshop.collateral({ revoked: { leaves: serials(workshop, 129) } })
 */
export function serials(w: Workshop, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => w.secrets(`revoked serial ${index}`, 20));
}

function followed(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(...bytes, 0);
}
