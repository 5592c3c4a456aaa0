import { spawnSync } from "node:child_process";
import { expect } from "chai";

const canary = "CANARY-51d0c2";

/** Runs a program in a worker of its own, and returns everything that worker printed. */
function printed(source: string): { stdout: string; stderr: string } {
  const script = new URL("runOnce.ts", import.meta.url).pathname;
  const input = JSON.stringify({ source, input: canary });
  const { stdout, stderr, status } = spawnSync(process.execPath, [script], { input, encoding: "utf8" });
  expect(status, stderr).to.equal(0);
  return { stdout, stderr };
}

describe("what a worker prints about a run", () => {
  it("is nothing of what the program prints", () => {
    const source = `export default ({ data }) => {
      for (let i = 0; i < 1000; i++) for (const print of Object.values(console)) print(data, { data }, new Error(data));
      return data; }`;
    expect(printed(source)).to.deep.equal({ stdout: "ok\n", stderr: "" });
  });

  it("is nothing of what the program throws", () => {
    const failed = '{"status":"failed","failure":"ProgramTrapped","fuelUsed":16384}\n';
    const sources = [
      "export default ({ data }) => { throw new Error(data); }",
      "export default ({ data }) => { Promise.reject(data); throw Object.assign(new TypeError(data), { cause: data, name: data }); }",
      "export default ({ data }) => { const e = new Error(); Object.defineProperty(e, 'stack', { get() { throw data; } }); throw e; }",
      "export default async ({ data }) => import('./' + data)",
    ];
    for (const source of sources) expect(printed(source)).to.deep.equal({ stdout: failed, stderr: "" });
  });
});
