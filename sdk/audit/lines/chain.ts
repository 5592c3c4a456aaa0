/**
 * Room: sdk/audit/lines/chain. Whether the chain that was looked at is the chain. Pure.
 */
import type { Believed } from "../believed.ts";
import type { Evidence } from "../evidence.ts";
import { type AuditLine, fails, holds, line, unknown } from "../line.ts";

/**
 * Judges the source of what the chain says, where an RPC was asked and proved nothing.
 *
 * @example
 * lines.push(...chainLines(evidence, believed))
 */
export function chainLines({ anchor }: Evidence, believed: Believed): AuditLine[] {
  return [
    line("chain.rpc", "The RPC's answers are those of the chain", () => {
      const other = ({ hash }: { hash: string }) => hash.toLowerCase() !== anchor.hash.toLowerCase();
      const named = believed.blocks.find((block) => block.number === anchor.number && other(block));
      if (named !== undefined)
        return fails(`it shows block ${anchor.number} as ${anchor.hash}, the auditor knows it as ${named.hash}`);
      if (believed.rpc) return holds("the auditor believes the RPC; what it left out could not show");
      return unknown(
        `compare block ${anchor.number}, hash ${anchor.hash}, with another source; the audit saw one RPC, and no proofs`,
      );
    }),
  ];
}
