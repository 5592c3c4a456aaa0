/** What is used of js-yaml 4.3, which brings no types. */
declare module "js-yaml" {
  /** A set of YAML types. */
  export class Schema {
    extend(types: { implicit: readonly unknown[] }): Schema;
  }
  /** Strings, sequences and mappings only. */
  export const FAILSAFE_SCHEMA: Schema;
  export const types: { readonly merge: unknown };
  /** Reads one document; throws if there are more. */
  export function load(text: string, options: { schema: Schema; maxDepth: number; maxTotalMergeKeys: number }): unknown;
}
