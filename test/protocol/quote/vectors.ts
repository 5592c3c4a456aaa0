/**
 * Vectors of the quote room's tests, and quotes that are truly signed by a simulated platform but hostile.
 */
import { readFileSync } from "node:fs";
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { expect } from "chai";
import { BaseError } from "../../../protocol/errors.ts";
import { createPlatform } from "../../../simulator/platform.ts";
import { secretsOf } from "../../../simulator/secrets.ts";

const folder = new URL("../../vectors/", import.meta.url);

/** When all certificates of the real quotes are valid: 2026-08-20 00:00 UTC. */
export const realTime = 1_787_184_000;

/** A file under test/vectors. */
export function vector(path: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(path, folder)));
}

/** A JSON file under test/vectors. */
export function jsonVector(path: string) {
  return JSON.parse(readFileSync(new URL(path, folder), "utf8"));
}

/** The seed of {@link platform}, and all its secrets. */
export const seed = new Uint8Array(32).fill(3);
export const secrets = secretsOf(seed);
/** A simulated platform. */
export const platform = createPlatform({
  appCompose: readFileSync(new URL("../../../deploy/app-compose.json", import.meta.url), "utf8"),
  seed,
});
/** When the simulated certificates are valid. */
export const simulatedTime = 1_787_184_000;

/** ECDSA over SHA-256, r || s, as the platform signs. */
export function signP256(message: Uint8Array, privateKey: Uint8Array): Uint8Array {
  return p256.sign(sha256(message), privateKey, { lowS: false }).toBytes("compact");
}

/** A copy with one byte changed. */
export function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[offset] = (copy[offset] ?? 0) ^ 0xff;
  return copy;
}

/** Expects an error on purpose, of this name and message. */
export function expectError(act: () => unknown, name: string, message: string | RegExp): void {
  const error = caught(act);
  expect(error, String(error)).to.be.instanceOf(BaseError);
  const found = error as BaseError;
  expect(found.name).to.equal(name);
  if (typeof message === "string") expect(found.message).to.equal(message);
  else expect(found.message).to.match(message);
}

/** What `act` throws; fails if it does not. */
export function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
