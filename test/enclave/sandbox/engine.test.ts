import { createHash } from "node:crypto";
import { expect } from "chai";
import { quickjsEngine } from "../../../enclave/sandbox/engines/quickjs/index.ts";
import { takeImage } from "../../../enclave/sandbox/engines/quickjs/machine.ts";
import { engines, findEngine } from "../../../enclave/sandbox/engines.ts";
import { EngineMismatchError, requirePinned, toJavaScript } from "../../../enclave/sandbox/guestCode.ts";
import { quickjs, sameRuntime } from "../../../protocol/engines.ts";

/** Of the engine's memory before any program. */
const imageSha256 = "1da5c33351759d9aa9e622128e167dd0dbd89cb3087af7111fb95e56c93a9a03";

describe("quickjsEngine", () => {
  it("loads the pinned engine", async () => {
    const { code, artifacts, nativeFiles } = await quickjsEngine.load();
    const hashes = artifacts.map((bytes) => `0x${createHash("sha256").update(bytes).digest("hex")}`);
    expect([hashes[0], artifacts.length]).to.deep.equal([quickjs.artifactSha256, 3]);
    expect(code["./version.js"]).to.include(quickjs.version);
    expect(nativeFiles).to.deep.equal([]);
  });
});

describe("the image of quickjs", () => {
  it("is the same each time, and nothing of this machine's or this moment's", async () => {
    const wasm = Uint8Array.from((await quickjsEngine.load()).artifacts[0] ?? []);
    const [one, other] = [await takeImage(wasm), await takeImage(wasm)];
    expect(Buffer.compare(one.memory, other.memory)).to.equal(0);
    expect(one.head).to.deep.equal(other.head);
    expect(createHash("sha256").update(one.memory).digest("hex")).to.equal(imageSha256);
  });
});

describe("findEngine", () => {
  it("finds an engine by its runtime, to the hash", () => {
    for (const engine of engines) {
      expect(findEngine({ ...engine.runtime })).to.equal(engine);
      expect(findEngine({ ...engine.runtime, version: "0" })).to.equal(undefined);
      expect(findEngine({ ...engine.runtime, artifactSha256: `0x${"00".repeat(32)}` })).to.equal(undefined);
    }
    expect(findEngine({ ...quickjs, engine: "pyodide" })).to.equal(undefined);
  });
});

describe("requirePinned", () => {
  it("refuses an engine with one bit changed", async () => {
    const wasm = Uint8Array.from((await quickjsEngine.load()).artifacts[0] ?? []);
    requirePinned(quickjs, wasm);
    wasm[1000] = Number(wasm[1000]) ^ 1;
    const sha256 = `0x${createHash("sha256").update(wasm).digest("hex")}`;
    expect(() => requirePinned(quickjs, wasm))
      .to.throw(EngineMismatchError)
      .that.includes({
        name: "Sandbox.EngineMismatchError",
        message: `The artifact of quickjs has SHA-256 ${sha256}, expected ${quickjs.artifactSha256}.`,
        hint: "Install version 3.6.2 of it from the lock file (npm ci).",
        retryable: false,
      });
  });
});

describe("toJavaScript", () => {
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
