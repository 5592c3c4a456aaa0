/**
 * Room: simulator/forgeries. All forgeries, and the genuine pairs that nothing may refuse. Pure.
 */
import type { Platform } from "../platform.ts";
import { dateForgeries, roleForgeries, rootForgeries } from "./certificates.ts";
import { bindingForgeries, enclaveForgeries } from "./enclave.ts";
import { jsonForgeries } from "./json.ts";
import { headerForgeries, lengthForgeries, reportForgeries } from "./report.ts";
import { crlForgeries, revocationForgeries, serials } from "./revocation.ts";
import { signatureForgeries, tinySignature, turnedOver } from "./signatures.ts";
import { itemDateForgeries, matchForgeries, rollbackForgeries, statusForgeries, svnForgeries } from "./tcb.ts";
import { type Forgery, openWorkshop, type Workshop } from "./workshop.ts";

/** What forgeries are made for. */
export type ForgeryOptions = {
  /** Unix seconds at which they are judged; 2026-08-20 by default. Certificates are valid from 2024 to 2043. */
  at?: number;
  /** Of every quote, 64 bytes; zeros by default. */
  reportData?: Uint8Array;
};

const defaultTime = 1_787_184_000;

/**
 * One pair of quote and collateral for each way of being wrong. All of it is signed with the platform's own keys
 * wherever the attack allows, so that nothing but the check named in it refuses it. Made as they are asked for.
 *
 * @example
 * for (const { name, quote, collateral, at } of forgeries(platform)) expectRefused(quote, collateral, at);
 */
export function* forgeries(platform: Platform, options: ForgeryOptions = {}): Generator<Forgery> {
  const w = workshopOf(platform, options);
  yield* headerForgeries(w);
  yield* lengthForgeries(w);
  yield* reportForgeries(w);
  yield* enclaveForgeries(w);
  yield* bindingForgeries(w);
  yield* rootForgeries(w);
  yield* roleForgeries(w);
  yield* dateForgeries(w);
  yield* revocationForgeries(w);
  yield* crlForgeries(w);
  yield* statusForgeries(w);
  yield* svnForgeries(w);
  yield* matchForgeries(w);
  yield* itemDateForgeries(w);
  yield* rollbackForgeries(w);
  yield* jsonForgeries(w);
  yield* signatureForgeries(w);
}

/**
 * Pairs that must be accepted under the default policy: what a check that refuses too much would hit.
 *
 * @example
 * for (const { quote, collateral, at } of controls(platform)) expectAccepted(quote, collateral, at);
 */
export function* controls(platform: Platform, options: ForgeryOptions = {}): Generator<Forgery> {
  const w = workshopOf(platform, options);
  const quote = w.quote();
  yield w.forge("quote", "genuine", "all", {});
  yield w.forge("quote", "genuine-unpadded", "padding is optional", { quote: quote.slice(0, -70) });
  yield w.forge("quote", "genuine-v5-td10", "version 5 is read", { quote: w.quote({ form: "v5-td10" }) });
  yield w.forge("quote", "genuine-v5-td15", "version 5 is read", { quote: w.quote({ form: "v5-td15" }) });
  yield w.forge("quote", "genuine-v5-td15-updated", "a module may be updated under a running TD", {
    quote: w.quote({ form: "v5-td15", report: { teeTcbSvn2: Uint8Array.of(13, 1, 4, ...new Uint8Array(13)) } }),
  });
  yield w.forge("quote", "genuine-tiny-s", "any s from 1 on is good", { quote: tinySignature(w, 0n) });
  yield w.forge("collateral", "genuine-turned-over", "s may be high or low", turnedOver(w));
  yield w.forge("quote", "genuine-known-attributes", "PKS, key locker and PERFMON are for the workload to say", {
    quote: w.quote({ report: { tdAttributes: Uint8Array.of(0, 0, 0, 0xd0, 0, 0, 0, 0x80) } }),
  });
  yield w.forge("quote", "genuine-module-version-0", "a module of version 0 has no identity", {
    quote: w.quote({ report: { teeTcbSvn: Uint8Array.of(5, 0, 4, ...new Uint8Array(13)) } }),
  });
  yield w.forge("collateral", "genuine-129-revoked", "others are revoked", {
    collateral: w.collateral({ revoked: { leaves: serials(w, 129) } }),
  });
  yield w.forge("collateral", "genuine-serials-of-other-issuers-revoked", "a serial number is its issuer's", {
    collateral: w.collateral({
      revoked: { leaves: [platform.serials.tcbSigning, platform.serials.pckIssuer], authorities: [w.chain.serial] },
    }),
  });
  yield w.forge("collateral", "genuine-sw-hardening-needed", "the default policy allows SWHardeningNeeded", {
    collateral: w.collateral({ statuses: { platform: "SWHardeningNeeded" } }),
  });
  yield w.forge("collateral", "genuine-refreshed", "newer collateral replaces older", {
    before: w.collateral(),
    collateral: w.collateral({ now: w.issuedAt + 3600, tcbInfo: { tcbEvaluationDataNumber: 21 } }),
  });
}

function workshopOf(platform: Platform, options: ForgeryOptions): Workshop {
  return openWorkshop(platform, options.at ?? defaultTime, options.reportData ?? new Uint8Array(64));
}
