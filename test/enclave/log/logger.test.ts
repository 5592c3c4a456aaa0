import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { FetchTimeoutError } from "../../../enclave/fetch/fetchBlob.ts";
import { createLogger, type LogFields } from "../../../enclave/log/logger.ts";

/** What the logger writes for one call, without the time. */
function written(fields?: LogFields): unknown {
  const lines: string[] = [];
  createLogger({ destination: { write: (line: string) => void lines.push(line) } }).warn("test.event", fields);
  expect(lines).to.have.length(1);
  const { time, ...rest } = JSON.parse(lines[0] ?? "");
  expect(time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  return rest;
}

const head = { level: "warn", event: "test.event" };
const canary = "canary-4711";

describe("createLogger", () => {
  it("writes ids, sizes and codes", () => {
    const fields = { jobId: "0x12", sizeBytes: 3, block: 2n ** 64n, ok: true, none: undefined };
    expect(written(fields)).to.deep.equal({
      ...head,
      jobId: "0x12",
      sizeBytes: 3,
      block: "18446744073709551616",
      ok: true,
    });
    expect(written()).to.deep.equal(head);
  });

  it("writes name, code, cause and places of an error, never its message", () => {
    const error = Object.assign(new TypeError(`${canary}\n    at ${canary} (a.ts:1:1)`, { cause: new Error(canary) }), {
      code: "E_TEST",
    });
    const line = written({ error }) as { error: Record<string, string> };
    expect(line.error.at).to.match(/logger\.test\.ts:\d+:\d+/);
    expect({ ...line.error, at: "" }).to.deep.equal({ name: "TypeError", code: "E_TEST", cause: "Error", at: "" });
    expect(JSON.stringify(line)).not.to.contain(canary);
  });

  it("writes only the name of an error thrown on purpose", () => {
    const error = new FetchTimeoutError(canary, 1, undefined);
    expect(written({ error })).to.deep.equal({ ...head, error: { name: "Fetch.FetchTimeoutError" } });
  });

  it("hides fields that are secrets by name or form, and cuts the rest", () => {
    const names = [
      "key",
      "privateKey",
      "secret",
      "seed",
      "mnemonic",
      "password",
      "identity",
      "plaintext",
      "authorization",
    ];
    const fields = Object.fromEntries(names.map((name) => [name, canary]));
    const line = written({
      ...fields,
      note: "AGE-SECRET-KEY-1ABC",
      text: `${"a".repeat(119)}b${canary}`,
      ctrl: "a\n\x1b[2J",
    });
    expect(line).to.deep.equal({
      ...head,
      ...Object.fromEntries(names.map((name) => [name, "[redacted]"])),
      note: "[redacted]",
      text: `${"a".repeat(119)}b`,
      ctrl: "a??[2J",
    });
  });

  it("writes the lines of one turn together, in order, and all before the process ends", () => {
    const script = `
      import { createLogger } from ${JSON.stringify(new URL("../../../enclave/log/logger.ts", import.meta.url).href)};
      const { write } = process.stdout;
      let writes = 0;
      process.stdout.write = (...args) => { writes += 1; return write.apply(process.stdout, args); };
      const log = createLogger();
      for (let i = 0; i < 3; i++) log.info("first", { i });
      setTimeout(() => { log.info("second", { writes }); process.exit(3); }, 20);`;
    const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ event, i, writes }) => [event, i ?? writes])).to.deep.equal([
      ["first", 0],
      ["first", 1],
      ["first", 2],
      ["second", 1],
    ]);
    expect(status).to.equal(3);
  });

  it("drops objects and bytes that slip past the types", () => {
    const fields = { data: { canary }, bytes: new Uint8Array(3), list: [canary] } as unknown as LogFields;
    expect(written(fields)).to.deep.equal({ ...head, data: "[dropped]", bytes: "[dropped]", list: "[dropped]" });
  });
});
