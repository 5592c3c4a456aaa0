import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FileUnreadableError } from "../../../sdk/node/files.ts";
import { readRows } from "../../../sdk/node/rows.ts";
import { rejection } from "../support/rejection.ts";

describe("readRows", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "rows-"));
  });
  after(() => rm(directory, { recursive: true }));

  async function rowsOf(content: string | Uint8Array, maxRow = 100): Promise<string[]> {
    const file = join(directory, "rows");
    await writeFile(file, content);
    return await Array.fromAsync(readRows(file, maxRow));
  }

  it("gives each row, also over the borders of pieces and of characters", async () => {
    expect(await rowsOf("")).to.deep.equal([]);
    expect(await rowsOf("a\n\nb")).to.deep.equal(["a", "", "b"]);
    expect(await rowsOf("a\n")).to.deep.equal(["a"]);
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i} \u20ac`);
    expect(await rowsOf(rows.join("\n"))).to.deep.equal(rows);
    expect(await rowsOf(Uint8Array.of(0x61, 0xe2, 0x82))).to.deep.equal(["a\ufffd"]);
  });

  it("holds no row without an end, and goes on behind it", async () => {
    const [long = "", next] = await rowsOf(`${"x".repeat(2 ** 22)}\nnext`);
    expect(long.length).to.be.within(101, 2 ** 18);
    expect(next).to.equal("next");
  });

  it("says what is wrong with the file", async () => {
    const missing = join(directory, "missing");
    const error = await rejection(Array.fromAsync(readRows(missing, 100)), FileUnreadableError);
    expect(error.message).to.equal(`${missing} does not exist.`);
    expect((await rejection(Array.fromAsync(readRows(directory, 100)), FileUnreadableError)).message).to.equal(
      `${directory} is not a file.`,
    );
  });
});
