/**
 * Room: sdk/cvm/lines/bound. Whether the quote's report data are what the caller expects, and if not, which field lies. Pure.
 */
import { bytesToHex, type Hex, padHex } from "viem";
import { type AuditLine, allOf, type Finding, fails, holds, line, unknown } from "../../audit/line.ts";
import { bindingFields, type WorkerClaims } from "../attestation.ts";
import { type Bound, boundTo } from "../bound.ts";
import type { CvmCase } from "../case.ts";

/**
 * Judges the report data.
 *
 * @example
 * lines.push(...boundLines(found))
 */
export function boundLines(found: CvmCase): AuditLine[] {
  const { evidence, policy } = found;
  const { expectedReportData } = policy;
  const expected =
    expectedReportData === undefined
      ? []
      : [
          line("bound.expected", "The report data are the expected ones", () =>
            judgeExpected(found, expectedReportData),
          ),
        ];
  return evidence.claims === undefined ? expected : [...expected, ...bindingLines(found, evidence.claims)];
}

function judgeExpected({ report }: CvmCase, expected: Hex): Finding {
  const signed = bytesToHex(report.reportData);
  return allOf({ [`the quote has ${signed}`]: signed === padHex(expected, { dir: "right", size: 64 }) }, signed);
}

function bindingLines(found: CvmCase, claims: WorkerClaims): AuditLine[] {
  const { policy } = found;
  const bound = boundTo(found, claims);
  const asked = bound?.by === "block" ? "block.number and block.hash" : "nonce";
  return [
    line("bound.reportData", "The report data are the hash of binding and nonce, or of binding and block", () =>
      judgeHash(found, claims, bound, asked),
    ),
    ...(bound === undefined
      ? []
      : [line(`bound.${bound.by}`, `The quote was made for your ${bound.by}`, () => judgeAsked(found, claims, bound))]),
    ...bindingFields.map((field) =>
      line(`bound.${field}`, `binding.${field} is what the quote binds`, () => {
        const stated = claims.binding[field];
        const expected = policy.expectedBinding?.[field];
        if (bound?.binding !== undefined && bound.binding[field] !== stated)
          return fails(`binding.${field} is ${stated}, the quote binds ${bound.binding[field]}`);
        if (expected !== undefined && expected !== stated)
          return fails(`binding.${field} is ${stated}, expected is ${expected}`);
        return bound?.binding === undefined ? unknown("the report data were not recomputed") : holds(String(stated));
      }),
    ),
    line("bound.kind", "reportDataKind says what the report data are", () => {
      if (bound === undefined) return unknown("give a nonce or a block");
      const kind = bound.by === "nonce" ? "challenge" : "registration";
      if (claims.reportDataKind !== kind)
        return fails(
          `reportDataKind is ${claims.reportDataKind}, ${asked} ${kind === "challenge" ? "is" : "are"} of a ${kind}`,
        );
      return bound.binding === undefined ? unknown("the report data were not recomputed") : holds(kind);
    }),
  ];
}

function judgeHash(found: CvmCase, claims: WorkerClaims, bound: Bound | undefined, asked: string): Finding {
  const kind = claims.reportDataKind;
  if (bound === undefined)
    return unknown(kind === "challenge" ? "the nonce was not given" : "the block that it names was not given");
  if (bound.binding === undefined)
    return fails(
      `they are of another ${[asked, ...suspects(found, claims).map((field) => `binding.${field}`)].join(", or another ")}`,
    );
  const { binding } = bound;
  const wrong = bindingFields.filter((field) => binding[field] !== claims.binding[field]);
  return wrong.length === 0
    ? holds(`recomputed over binding, ${asked}`)
    : fails(`with ${wrong.map((field) => `binding.${field} ${binding[field]}`).join(", ")} they are`);
}

function judgeAsked(found: CvmCase, claims: WorkerClaims, { by, binding }: Bound): Finding {
  const { block, nonce } = found.policy;
  if (binding !== undefined) return holds(by === "nonce" ? String(nonce) : `block ${block?.number}, ${block?.hash}`);
  return suspects(found, claims).length === 0
    ? fails(`it was made for another ${by}: the whole binding is as expected`)
    : unknown(`the ${by} or a field of binding is another; say what you know of the binding`);
}

/** Fields of which nobody but the worker says what they are. */
function suspects({ policy }: CvmCase, { binding }: WorkerClaims) {
  return bindingFields.filter((field) => policy.expectedBinding?.[field] !== binding[field]);
}
