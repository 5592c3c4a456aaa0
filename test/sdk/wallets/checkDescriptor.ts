/**
 * The rules of ERC-7730 2.0.0 that the descriptors here must keep, and two that are our own: every field of what is
 * signed is mentioned once, and no path, reference or format is unknown. Knows nothing of how they are generated.
 */
import { type AbiFunction, type AbiParameter, isAddress, parseAbiItem } from "viem";
import { z } from "zod";

/** A field of what is signed: a plain type, or a struct or array with parts. */
export type Node = { type: string; fields?: Readonly<Record<string, Node>>; item?: Node };

const visible = z.union([
  z.enum(["always", "never", "optional"]),
  z.strictObject({ ifNotIn: z.array(z.union([z.string(), z.number()])).min(1) }),
]);
const tokenAmount = z.strictObject({ tokenPath: z.string(), nativeCurrencyAddress: z.string() });
const names = z.strictObject({ types: z.array(z.enum(["wallet", "eoa", "contract", "token", "collection"])).min(1) });
const base = { path: z.string().min(1), label: z.string().min(1).max(32), visible: visible.optional() };
const field = z.discriminatedUnion("format", [
  z.strictObject({ ...base, format: z.literal("raw") }),
  z.strictObject({ ...base, format: z.literal("amount") }),
  z.strictObject({ ...base, format: z.literal("duration") }),
  z.strictObject({ ...base, format: z.literal("addressName"), params: names }),
  z.strictObject({ ...base, format: z.literal("tokenAmount"), params: tokenAmount }),
  z.strictObject({ ...base, format: z.literal("date"), params: z.strictObject({ encoding: z.literal("timestamp") }) }),
  z.strictObject({
    ...base,
    format: z.literal("unit"),
    params: z.strictObject({ base: z.string(), decimals: z.int().optional() }),
  }),
  z.strictObject({ ...base, format: z.literal("enum"), params: z.strictObject({ $ref: z.string() }) }),
  z.strictObject({
    ...base,
    format: z.literal("calldata"),
    params: z.strictObject({ calleePath: z.literal("@.to") }),
  }),
]);
const group = z.strictObject({ path: z.string(), label: z.string().min(1).max(32), fields: z.array(field).min(1) });
const place = z.strictObject({ chainId: z.int().positive(), address: z.string().refine((text) => isAddress(text)) });

/** The shape of a descriptor. */
export const descriptorShape = z.strictObject({
  $schema: z.literal("https://eips.ethereum.org/assets/eip-7730/erc7730-v2.schema.json"),
  context: z.union([
    z.strictObject({ $id: z.string(), contract: z.strictObject({ deployments: z.array(place) }) }),
    z.strictObject({
      $id: z.string(),
      eip712: z.strictObject({
        domain: z.strictObject({ name: z.string(), version: z.string() }),
        deployments: z.array(place),
      }),
    }),
  ]),
  metadata: z.strictObject({
    owner: z.string(),
    contractName: z.string(),
    constants: z.record(z.string(), z.string()),
    enums: z.record(z.string(), z.record(z.string(), z.string())),
  }),
  display: z.strictObject({
    formats: z.record(
      z.string(),
      z.strictObject({
        intent: z.string().min(1).max(50),
        interpolatedIntent: z.string().max(120).optional(),
        fields: z.array(z.union([field, group])),
      }),
    ),
  }),
});

/** A descriptor of the right shape. */
export type Checked = z.output<typeof descriptorShape>;

type Field = z.output<typeof field>;

const uint = /^uint\d+$/;
const fits: Record<Field["format"], (type: string) => boolean> = {
  raw: (type) => /^(uint\d+|bytes\d*|string|address|bool)$/.test(type),
  amount: (type) => uint.test(type),
  duration: (type) => uint.test(type),
  date: (type) => uint.test(type),
  unit: (type) => uint.test(type),
  enum: (type) => uint.test(type),
  tokenAmount: (type) => uint.test(type),
  addressName: (type) => type === "address",
  calldata: (type) => type === "bytes",
};

/** What is wrong with a descriptor; nothing if all is well. */
export function problemsOf(json: unknown): string[] {
  const parsed = descriptorShape.safeParse(json);
  if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join("/")}: ${issue.message}`);
  const { metadata, display, context } = parsed.data;
  return Object.entries(display.formats).flatMap(([key, format]) => {
    const problems: string[] = [];
    const root = rootOf(key, "contract" in context);
    const seen: string[] = [];
    const alwaysShown = new Set<string>();
    const check = (one: Field, parent: Node, prefix: string) => {
      const path = `${prefix}${one.path}`;
      const say = (fact: string) => problems.push(`${key.split("(")[0]}: ${path} ${fact}`);
      if ((one.visible ?? "always") === "always") alwaysShown.add(path);
      seen.push(path);
      if (one.path === "@.value") {
        if (one.format !== "amount" || !("contract" in context)) say("is no native coin here");
        return;
      }
      const node = resolve(parent, one.path);
      if (node === undefined) return say("is not there");
      if (!fits[one.format](node.type)) say(`is a ${node.type}, which ${one.format} cannot show`);
      if (one.format === "tokenAmount") {
        const { tokenPath, nativeCurrencyAddress } = one.params;
        const token = tokenPath.startsWith("#.") ? resolve(root, tokenPath.slice(2)) : resolve(parent, tokenPath);
        if (token?.type !== "address") say(`has no token at ${tokenPath}`);
        const name = nativeCurrencyAddress.replace("$.metadata.constants.", "");
        if (!isAddress(metadata.constants[name] ?? "")) say(`names no address: ${nativeCurrencyAddress}`);
      }
      if (one.format === "enum" && metadata.enums[one.params.$ref.replace("$.metadata.enums.", "")] === undefined) {
        say(`refers to nothing: ${one.params.$ref}`);
      }
    };
    for (const one of format.fields) {
      if (!("fields" in one)) check(one, root, "");
      else {
        const node = one.path.endsWith(".[]") ? resolve(root, one.path) : undefined;
        if (node?.fields === undefined) problems.push(`${key}: ${one.path} is no list of structs`);
        else for (const inner of one.fields) check(inner, node, `${one.path}.`);
      }
    }
    for (const path of leavesOf(root)) {
      const times = seen.filter((one) => one === path).length;
      if (times !== 1) problems.push(`${key.split("(")[0]}: ${path} is mentioned ${times} times`);
    }
    for (const [, path = ""] of (format.interpolatedIntent ?? "").matchAll(/\{([^}]*)\}/g)) {
      if (!alwaysShown.has(path)) problems.push(`${key.split("(")[0]}: {${path}} is not always shown`);
    }
    return problems;
  });
}

/** The structure that a key of `formats` names: a function's parameters or an EIP-712 message. */
export function rootOf(key: string, isCall: boolean): Node {
  if (isCall) return nodeOfTuple((parseAbiItem(`function ${key}`) as unknown as AbiFunction).inputs);
  const structs = [...key.matchAll(/(\w+)\(([^)]*)\)/g)].map(([, name = "", inside = ""]) => {
    const fields = inside.split(",").map((text) => text.split(" ") as [type: string, name: string]);
    return [name, fields] as const;
  });
  const byName = new Map(structs);
  const nodeOf = (type: string): Node => {
    if (type.endsWith("[]")) return { type, item: nodeOf(type.slice(0, -2)) };
    const fields = byName.get(type);
    if (fields === undefined) return { type };
    return { type, fields: Object.fromEntries(fields.map(([inner, name]) => [name, nodeOf(inner)])) };
  };
  return nodeOf(structs[0]?.[0] ?? "");
}

function nodeOfTuple(parameters: readonly AbiParameter[]): Node {
  const nodeOf = (parameter: AbiParameter): Node => {
    if (parameter.type.endsWith("[]")) {
      return { type: parameter.type, item: nodeOf({ ...parameter, type: parameter.type.slice(0, -2) }) };
    }
    return "components" in parameter ? nodeOfTuple(parameter.components) : { type: parameter.type };
  };
  return { type: "tuple", fields: Object.fromEntries(parameters.map((one) => [one.name ?? "", nodeOf(one)])) };
}

function resolve(from: Node, path: string): Node | undefined {
  let node: Node | undefined = from;
  for (const step of path.split(".")) node = step === "[]" ? node?.item : node?.fields?.[step];
  return node;
}

function leavesOf(node: Node, path = ""): string[] {
  if (node.item !== undefined) return leavesOf(node.item, `${path}.[]`);
  if (node.fields === undefined) return [path];
  return Object.entries(node.fields).flatMap(([name, inner]) =>
    leavesOf(inner, path === "" ? name : `${path}.${name}`),
  );
}
