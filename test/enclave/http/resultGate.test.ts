import { EventEmitter } from "node:events";
import { expect } from "chai";
import type { Context } from "koa";
import { ResultsBusyError, resultGate } from "../../../enclave/http/resultGate.ts";
import { failureOf } from "../../support/failureOf.ts";

/** A request whose route answers so many bytes; `end` is its client's. */
function requestFor(sizeBytes: number) {
  const res = new EventEmitter();
  const ctx = { res, body: null as Buffer | null };
  const next = async () => {
    ctx.body = Buffer.alloc(sizeBytes);
  };
  return { ctx: ctx as unknown as Context, next, end: () => res.emit("close") };
}

describe("resultGate", () => {
  it("refuses what does not fit besides what is being sent, and takes it when that has ended", async () => {
    const gate = resultGate(100);
    const [first, second, third] = [requestFor(60), requestFor(40), requestFor(1)];
    await gate(first.ctx, first.next);
    await gate(second.ctx, second.next);
    expect(await failureOf(gate(third.ctx, third.next))).to.deep.equal(new ResultsBusyError());
    expect(third.ctx.body).to.equal(null);
    second.end();
    await gate(third.ctx, third.next);
    expect((third.ctx.body as Buffer).length).to.equal(1);
  });

  it("lets one through that is larger than the limit, and counts none that failed", async () => {
    const gate = resultGate(100);
    const [broken, large] = [requestFor(0), requestFor(500)];
    expect(await failureOf(gate(broken.ctx, () => Promise.reject(new RangeError("no result"))))).to.deep.equal(
      new RangeError("no result"),
    );
    await gate(large.ctx, large.next);
    expect((large.ctx.body as Buffer).length).to.equal(500);
  });
});
