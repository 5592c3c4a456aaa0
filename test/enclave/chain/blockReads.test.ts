import { expect } from "chai";
import { rememberReads, sharing } from "../../../enclave/chain/blockReads.ts";
import { rejection } from "../../support/rejection.ts";

type Request = { method: string; params?: readonly unknown[] };

/** A node that counts what it is asked, and answers with that number and as many digits more as it is told. */
function node() {
  const asked: Request[] = [];
  const state = { fails: false, empty: false, more: 0 };
  const { request } = rememberReads({
    async request(request: Request) {
      asked.push(request);
      if (state.fails) throw new RangeError("no answer");
      if (state.empty) return "0x";
      return `${asked.length}`.padEnd(state.more, "f");
    },
  }) as { request(request: Request): Promise<unknown> };
  const read = (data: string, blockHash: string) =>
    request({
      method: "eth_call",
      params: [
        { to: "0x01", data },
        { blockHash, requireCanonical: true },
      ],
    });
  return { asked, state, request, read };
}

describe("rememberReads", () => {
  it("asks once what is read of a block by its hash, also by many at once; of another block, or otherwise, anew", async () => {
    const { asked, read } = node();
    expect(await Promise.all([read("0xaa", "0x1"), read("0xaa", "0x1"), read("0xbb", "0x1")])).to.deep.equal([
      "1",
      "1",
      "2",
    ]);
    expect([await read("0xaa", "0x1"), await read("0xaa", "0x2"), await read("0xaa", "0x1")]).to.deep.equal([
      "1",
      "3",
      "1",
    ]);
    expect(asked).to.have.length(3);
  });

  it("never remembers what a tag or a number names, or another method asks", async () => {
    const { request } = node();
    const requests: Request[] = [
      { method: "eth_call", params: [{ to: "0x01" }, "latest"] },
      { method: "eth_call", params: [{ to: "0x01" }, "0x10"] },
      { method: "eth_getBalance", params: ["0x01", { blockHash: "0x1" }] },
      { method: "eth_chainId" },
    ];
    for (const each of requests) expect(await request(each)).to.not.equal(await request(each));
  });

  it("asks again what failed", async () => {
    const { state, read } = node();
    state.fails = true;
    await Promise.all([rejection(read("0xaa", "0x1"), RangeError), rejection(read("0xaa", "0x1"), RangeError)]);
    state.fails = false;
    expect(await read("0xaa", "0x1")).to.equal("2");
  });

  it("asks again what was answered with nothing, as a node does that lacks the block's state", async () => {
    const { state, read } = node();
    state.empty = true;
    expect(await read("0xaa", "0x1")).to.equal("0x");
    state.empty = false;
    expect(await read("0xaa", "0x1")).to.equal("2");
  });

  it("forgets all but the last four blocks that were read", async () => {
    const { read } = node();
    for (const block of ["0x1", "0x2", "0x3", "0x4"]) await read("0xaa", block);
    await read("0xaa", "0x1");
    await read("0xaa", "0x5"); // the one that was not read for longest goes
    expect(await read("0xaa", "0x1")).to.equal("1");
    expect(await read("0xaa", "0x2")).to.equal("6");
  });

  it("remembers only so many reads of one block, and no long ones: a node may answer with megabytes", async () => {
    const { asked, state, read } = node();
    for (let i = 0; i < 1025; i++) await read(`0x${i}`, "0x1");
    await read("0x1023", "0x1");
    expect(asked).to.have.length(1025);
    await read("0x1024", "0x1");
    expect(asked).to.have.length(1026);

    for (const [more, times] of [
      [8192, 1],
      [8193, 2],
    ] as const) {
      const before = asked.length;
      state.more = more;
      for (let i = 0; i < 2; i++) await read("0xaa", `0x${more}`);
      expect(asked.length - before).to.equal(times);
    }
  });
});

describe("sharing", () => {
  it("shares an answer for so long, and a failure with those who wait for it only", async () => {
    let asked = 0;
    let fails = false;
    const ask = sharing(60_000, async () => {
      asked += 1;
      if (fails) throw new RangeError("no answer");
      return asked;
    });
    expect(await Promise.all([ask(), ask()])).to.deep.equal([1, 1]);
    expect(await ask()).to.equal(1);

    const never = sharing(-1, async () => ++asked);
    expect([await never(), await never()]).to.deep.equal([2, 3]);

    const byNumber = sharing(60_000, async (number: bigint) => [number, ++asked]);
    expect(await Promise.all([byNumber(7n), byNumber(7n), byNumber(8n), byNumber(7n)])).to.deep.equal([
      [7n, 4],
      [7n, 4],
      [8n, 5],
      [7n, 6],
    ]);
    asked = 3;

    fails = true;
    const failing = sharing(60_000, async () => {
      asked += 1;
      if (fails) throw new RangeError("no answer");
      return asked;
    });
    await Promise.all([rejection(failing(), RangeError), rejection(failing(), RangeError)]);
    expect(asked).to.equal(4);
    fails = false;
    expect(await failing()).to.equal(5);
  });
});
