import { EventEmitter } from "node:events";
import { expect } from "chai";
import type { Context } from "koa";
import { ResultsBusyError, resultGate } from "../../../enclave/http/resultGate.ts";

/** A request; `end` is its client's. */
function request() {
  const res = new EventEmitter();
  return { ctx: { res } as unknown as Pick<Context, "res">, end: () => res.emit("close") };
}

describe("resultGate", () => {
  it("refuses what does not fit besides what is being sent, and takes it when that has ended", () => {
    const enter = resultGate(100);
    const [first, second, third] = [request(), request(), request()];
    enter(first.ctx, 60);
    enter(second.ctx, 40);
    expect(() => enter(third.ctx, 1))
      .to.throw(ResultsBusyError)
      .that.deep.equals(new ResultsBusyError());
    second.end();
    enter(third.ctx, 40);
    expect(() => enter(second.ctx, 1)).to.throw(ResultsBusyError);
  });

  it("lets one through that is larger than the limit", () => {
    const enter = resultGate(100);
    const [large, small] = [request(), request()];
    enter(large.ctx, 500);
    expect(() => enter(small.ctx, 1)).to.throw(ResultsBusyError);
    large.end();
    enter(small.ctx, 1);
  });
});
