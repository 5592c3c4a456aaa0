import { expect } from "chai";
import { keccak256, zeroHash } from "viem";
import { createTurns, type Share, shareOf } from "../../../enclave/jobs/turns.ts";
import { SandboxStoppedError } from "../../../enclave/sandbox/childProcess.ts";
import { rejection } from "../../support/rejection.ts";
import { makeProgram } from "../sandbox/makeProgram.ts";

const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

/** Pieces of work that end when told. */
function crew(cores: number) {
  const stop = new AbortController();
  const inTurn = createTurns(cores, stop.signal);
  const running = new Map<string, () => void>();
  const start = (name: string, share: Share) =>
    inTurn(share, () => new Promise<string>((resolve) => running.set(name, () => resolve(name))));
  const end = async (name: string) => {
    running.get(name)?.();
    running.delete(name);
    await settle();
  };
  return { stop, inTurn, start, end, names: () => [...running.keys()] };
}

describe("createTurns", () => {
  it("runs small ones side by side, one a core, and a large one alone and in its turn", async () => {
    const { start, end, names } = crew(2);
    const all = [start("a", "core"), start("b", "core"), start("c", "core"), start("big", "whole"), start("d", "core")];
    await settle();
    expect(names()).to.deep.equal(["a", "b"]);
    await end("a");
    expect(names()).to.deep.equal(["b", "c"]);
    await end("b");
    expect(names()).to.deep.equal(["c"]); // the large one is not overtaken
    await end("c");
    expect(names()).to.deep.equal(["big"]);
    await end("big");
    expect(names()).to.deep.equal(["d"]);
    await end("d");
    expect(await Promise.all(all)).to.deep.equal(["a", "b", "c", "big", "d"]);
  });

  it("gives a share back when the work fails", async () => {
    const { inTurn } = crew(1);
    const fails = () => Promise.reject(new RangeError("no"));
    await rejection(inTurn("whole", fails), RangeError);
    expect(await inTurn("whole", async () => "next")).to.equal("next");
  });

  it("starts nothing once it is stopped", async () => {
    const { stop, start, end, names } = crew(1);
    const first = start("a", "core");
    const waiting = [start("b", "core"), start("c", "whole")];
    await settle();
    stop.abort();
    await end("a");
    expect(await first).to.equal("a");
    for (const work of waiting) await rejection(work, SandboxStoppedError);
    expect(names()).to.deep.equal([]);
  });
});

describe("shareOf", () => {
  const plain = { offerHash: zeroHash };
  const mebibyte = 1024 * 1024;
  const program = (memoryBytes: number, maxBytes: number) =>
    makeProgram("export default () => 1", {
      limits: { memoryBytes },
      output: { format: "json", schema: {}, maxBytes },
    }).manifest;

  it("gives a core to what is small in memory, inputs and output, and the whole machine to all else", () => {
    const small = program(128 * mebibyte, 4 * mebibyte);
    expect(shareOf(plain, small, 16 * mebibyte)).to.equal("core");
    expect(shareOf(plain, small, 16 * mebibyte + 1)).to.equal("whole");
    expect(shareOf(plain, program(128 * mebibyte + 65_536, 1024), 0)).to.equal("whole");
    expect(shareOf(plain, program(mebibyte, 4 * mebibyte + 1), 0)).to.equal("whole");
  });

  it("lets nothing run beside a job that is charged by the second", () => {
    expect(shareOf({ offerHash: keccak256("0x01") }, program(mebibyte, 1024), 0)).to.equal("whole");
  });
});
