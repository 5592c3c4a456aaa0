/** A throwaway X.509 v1 certificate that nobody vouches for, for TLS tests. */
import { generateKeyPairSync, sign } from "node:crypto";

/**
 * Makes a P-256 key and a certificate signed by itself, with empty names, valid from 2020 to 2049.
 *
 * @returns PEM texts as `tls` takes them.
 * @example
 * https.createServer(selfSignedCertificate(), listener)
 */
export function selfSignedCertificate(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ecdsaWithSha256 = der(0x30, Buffer.from("06082a8648ce3d040302", "hex"));
  const names = der(0x30);
  const validity = der(0x30, utcTime("200101000000Z"), utcTime("491231235959Z"));
  const spki = publicKey.export({ type: "spki", format: "der" });
  const tbs = der(0x30, der(0x02, Buffer.of(1)), ecdsaWithSha256, names, validity, names, spki);
  const signature = der(0x03, Buffer.of(0), sign("sha256", tbs, privateKey));
  const cert = der(0x30, tbs, ecdsaWithSha256, signature).toString("base64");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${cert}\n-----END CERTIFICATE-----\n`,
  };
}

function utcTime(text: string): Buffer {
  return der(0x17, Buffer.from(text));
}

/** One DER element; content up to 65,535 bytes. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
