/**
 * Room: sdk/bundle/chainLines. What the proofs of a bundle rest on: one block, the code at the contracts' addresses, and that it
 * is the deployment that is meant. Pure.
 */
import { isAddressEqual } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import { type AuditLine, allOf, fails, holds, line, unknown } from "../audit/line.ts";
import type { Anchor, ProvenChain } from "../proofs/chainProofs.ts";
import type { ExpectedCode } from "./expectedCode.ts";

/** What the auditor knows beforehand; nothing of it comes from the bundle. */
export type Known = {
  /** Blocks that are the chain's, by a source of the auditor's own. */
  anchors?: readonly Anchor[] | undefined;
  /** The deployment that the auditor means. */
  deployment?: Deployment | undefined;
};

/**
 * Judges what everything else rests on.
 *
 * @param deployment - the bundle's.
 * @param code - what the contracts of this project have at its addresses.
 * @example
 * lines.push(...chainLines(deployment, proven, code, { anchors: [{ number, hash }] }))
 */
export function chainLines(
  deployment: Deployment,
  proven: ProvenChain,
  code: readonly ExpectedCode[],
  known: Known,
): AuditLine[] {
  const { number, hash } = proven.anchor;
  return [
    line("chain.anchor", "What is said of the chain is what the chain says", () => {
      const hashes = new Map(proven.blocks.map((block) => [block.number, block.hash]));
      const proves = (anchor: Anchor) => hashes.get(anchor.number) ?? anchor.hash.toLowerCase();
      const other = known.anchors?.find((anchor) => anchor.hash.toLowerCase() !== proves(anchor));
      if (other !== undefined)
        return fails(`it proves block ${other.number} as ${proves(other)}; the auditor knows it as ${other.hash}`);
      return known.anchors?.some((anchor) => anchor.number === number)
        ? holds(`all of it is proven under block ${number}, hash ${hash}, which the auditor knows`)
        : unknown(`all of it is proven under block ${number}, hash ${hash}: compare it with a source that you trust`);
    }),
    line("chain.deployment", "The deployment is the one that is meant", () =>
      known.deployment === undefined
        ? unknown(`compare chain ${deployment.chainId}, market ${deployment.contracts.jobMarket}, and the root key`)
        : judgeDeployment(deployment, known.deployment),
    ),
    line("chain.code", "The contracts are this project's, with this root key and these parameters", () => {
      const other = code.find(({ address, codeHash }) => proven.account(number, address).codeHash !== codeHash);
      if (other === undefined)
        return holds(`the code of ${code.length} contracts is the compiler's, with its immutables`);
      const { codeHash } = proven.account(number, other.address);
      return unknown(
        `${other.name} ${other.address} has code ${codeHash}, not ${other.codeHash}: of another version, or not what is claimed`,
      );
    }),
  ];
}

function judgeDeployment(found: Deployment, meant: Deployment) {
  const names = ["jobMarket", "datasetRegistry", "enclaveRegistry", "tdxVerifier", "tdxCollateral"] as const;
  const other = names.find((name) => !isAddressEqual(found.contracts[name], meant.contracts[name]));
  return allOf(
    {
      [`it is on chain ${found.chainId}, not ${meant.chainId}`]: found.chainId === meant.chainId,
      [`its ${other} is another`]: other === undefined,
      "its root key is another": found.rootKey === meant.rootKey,
    },
    "chain, contracts and root key are those that the auditor named",
  );
}
