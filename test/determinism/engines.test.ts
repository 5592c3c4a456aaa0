/** The same program on the same data gives the same bytes: in every run, in a new sandbox, on another Node. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { engines } from "../../enclave/sandbox/engines.ts";
import { node24 } from "./node24.ts";
import { cases } from "./programs.ts";
import type { Told } from "./runEngines.ts";

const script = fileURLToPath(new URL("runEngines.ts", import.meta.url));

describe("engines give the same outcome", function () {
  this.timeout(300_000); // Node 24 may have to be downloaded first
  let here: Told;
  let there: Told;
  before(async () => {
    const under = async (node: string, rounds: number): Promise<Told> => {
      const { stdout } = await promisify(execFile)(node, [script, String(rounds)], { timeout: 120_000 });
      return JSON.parse(stdout);
    };
    const other = await node24();
    [here, there] = await Promise.all([under(process.execPath, 3), under(other, 2)]);
  });

  it("in the Node of this project and in Node 24", () => {
    expect([here.node, there.node.split(".")[0]]).to.deep.equal([process.version, "v24"]);
  });

  it("for programs of every engine that run to their end", async () => {
    const ran = (await cases()).filter(({ name }) => here.ends[name]?.every((end) => end.includes("sha256")));
    const names = new Set(ran.map(({ program }) => program.manifest.runtime.engine));
    expect([...names].sort()).to.deep.equal(engines.map(({ runtime }) => runtime.engine).sort());
  });

  it("as hash, fuel and prints, or as failure, in each run", async () => {
    for (const { name, program } of await cases()) {
      const runs = program.manifest.runtime.engine === "pyodide" ? [1, 1] : [3, 2];
      expect([here.ends[name]?.length, there.ends[name]?.length], name).to.deep.equal(runs);
      const all = new Set([...(here.ends[name] ?? []), ...(there.ends[name] ?? [])]);
      expect([...all], name).to.deep.equal([here.ends[name]?.[0]]);
    }
  });

  it("with a hash of what was printed", () => {
    const printed = (name: string) => JSON.parse(here.ends[name]?.[0] ?? "{}").printsHash;
    const hashOf = (text: string) => `0x${createHash("sha256").update(text).digest("hex")}`;
    expect(printed("pyodide")).to.equal(
      hashOf(`1461\n${`${"x".repeat(4096)}\n`.repeat(17)}${"x".repeat(368)}\nno end\n`),
    );
    expect(printed("quickjs")).to.equal(hashOf("1461 drizzle,rain,sun,snow,fog\n"));
  });

  it("where a limit ends them", () => {
    const failureOf = (name: string) => JSON.parse(here.ends[name]?.[0] ?? "{}").failure;
    expect(failureOf("quickjs out of fuel")).to.equal("FuelExhausted");
    expect(failureOf("quickjs out of memory")).to.equal("MemoryExceeded");
    expect(failureOf("wasm out of fuel")).to.equal("FuelExhausted");
  });
});
