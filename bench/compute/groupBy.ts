/** What is computed: a CSV of 200,000 rows, and a JavaScript program that groups them. */

/** Sums and counts by region. Also evaluated without the sandbox: bareQuickjs.ts. */
export const source = `export default ({ data }) => {
  const groups = new Map();
  for (let at = data.indexOf("\\n") + 1; at < data.length; ) {
    const end = data.indexOf("\\n", at);
    const [region, , amount] = data.slice(at, end).split(",");
    const group = groups.get(region) ?? { region, n: 0, sum: 0 };
    group.n += 1;
    group.sum += Number(amount);
    groups.set(region, group);
    at = end + 1;
  }
  return [...groups.values()].sort((a, b) => (a.region < b.region ? -1 : 1));
}`;

/**
 * The table, always the same one: about 4 MB.
 *
 * @example
 * const csv = makeCsv(200_000)
 */
export function makeCsv(rows: number): Uint8Array {
  const lines = ["region,day,amount"];
  for (let i = 0, x = 1; i < rows; i++) {
    x = (x * 48_271) % 2_147_483_647; // Lehmer's generator
    lines.push(`r${x % 50},2024-01-${1 + (x % 28)},${x % 10_000}`);
  }
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}
