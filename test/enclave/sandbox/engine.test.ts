import { createHash } from "node:crypto";
import { expect } from "chai";
import { EngineMismatchError, loadEngine, requirePinned, toJavaScript } from "../../../enclave/sandbox/engine.ts";
import { quickjs, sameRuntime } from "../../../protocol/engines.ts";

describe("loadEngine", () => {
  it("loads the pinned engine, once", async () => {
    const engine = await loadEngine();
    expect(`0x${createHash("sha256").update(engine.wasm).digest("hex")}`).to.equal(quickjs.artifactSha256);
    expect(engine.code["./version.js"]).to.include(quickjs.version);
    expect(await loadEngine()).to.equal(engine);
  });

  it("refuses an engine with one bit changed", async () => {
    const wasm = Uint8Array.from((await loadEngine()).wasm);
    wasm[1000] = Number(wasm[1000]) ^ 1;
    const sha256 = `0x${createHash("sha256").update(wasm).digest("hex")}`;
    expect(() => requirePinned(wasm))
      .to.throw(EngineMismatchError)
      .that.includes({
        name: "Sandbox.EngineMismatchError",
        message: `quickjs.wasm has SHA-256 ${sha256}, expected ${quickjs.artifactSha256}.`,
        hint: "Install quickjs-wasi 3.6.2 from the lock file (npm ci).",
        retryable: false,
      });
  });

  it("strips types without a warning, and leaves warnings as they were", () => {
    const { emitWarning } = process;
    expect(toJavaScript("const n: number = 1")).to.equal("const n         = 1");
    expect(() => toJavaScript("enum A { a }")).to.throw(
      SyntaxError,
      "TypeScript enum is not supported in strip-only mode",
    );
    expect(process.emitWarning).to.equal(emitWarning);
  });
});

describe("sameRuntime", () => {
  it("wants engine, version and artifact to be the same", () => {
    expect(sameRuntime({ ...quickjs }, quickjs)).to.equal(true);
    expect(sameRuntime({ ...quickjs, version: "3.6.3" }, quickjs)).to.equal(false);
    expect(sameRuntime({ ...quickjs, artifactSha256: `0x${"00".repeat(32)}` }, quickjs)).to.equal(false);
  });
});
