/**
 * Room: sdk/audit/lines/limits. What no audit can show, said in plain words. Pure.
 */
import { type AuditLine, line, unknown } from "../line.ts";

/**
 * The limits of every audit.
 *
 * @example
 * lines.push(...limitLines())
 */
export function limitLines(): AuditLine[] {
  return [
    line("privacy.physical", "Nobody read the enclave's memory by physical or side-channel attacks", () =>
      unknown("attestation proves what was started, not that no one with the machine in hand looked into it"),
    ),
    line("privacy.keys", "The data set keys were given to attested enclaves only", () =>
      unknown(
        "keys are sealed off chain by each provider; who else a provider gives its own key or data to leaves no trace",
      ),
    ),
  ];
}
