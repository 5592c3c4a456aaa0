/** The vectors and the manifest that this room's tests read. */
import { readFileSync } from "node:fs";

const vectors = new URL("../vectors/dstack/", import.meta.url);

/** The worker's manifest as published. */
export const appCompose = readFileSync(new URL("../../deploy/app-compose.json", import.meta.url), "utf8");

/** A seed for tests that compare platforms. */
export const seed = new Uint8Array(32).fill(7);

export type LogItem = { imr: number; event_type: number; digest: string; event: string; event_payload: string };

export const realQuote: { quote: string; event_log: string } = read("near-private-ml-sdk/quote.json");
export const realInfo: Record<string, unknown> & {
  tcb_info: Record<
    "mrtd" | "rtmr0" | "rtmr1" | "rtmr2" | "rtmr3" | "mr_aggregated" | "compose_hash" | "app_compose",
    string
  > & {
    event_log: LogItem[];
  };
} = read("near-private-ml-sdk/info.json");
export const strippedQuote: { event_log: string } = read("dstack-verifier-fixtures/tdx-lite-getquote.json");
export const keyChains: {
  sets: {
    app_id: string;
    app_pubkey: string;
    kms_root_pubkey: string;
    keys: { path: string; purpose: string; key: string; pubkey: string; signature_chain: [string, string] }[];
  }[];
} = read("key-chain/simulator-key-chains.json");
export const publicSimulatorCompose = readFileSync(new URL("simulator-v0.5.11/app-compose.json", vectors), "utf8");

/** A file of Intel's collateral of August 2026 for the kind of platform that is simulated. */
export function realCollateral(name: string): Uint8Array {
  const folder = "../vectors/tdx/collateral/nearmpc_B0C06F_2026-08-14_50328c652_eval20/";
  return Uint8Array.from(readFileSync(new URL(folder + name, import.meta.url)));
}

function read(path: string) {
  return JSON.parse(readFileSync(new URL(path, vectors), "utf8"));
}
