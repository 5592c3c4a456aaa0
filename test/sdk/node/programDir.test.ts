import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FileMismatchError } from "../../../protocol/program.ts";
import { FileUnreadableError } from "../../../sdk/node/files.ts";
import { NotAProgramError, readProgram, writeProgramManifest } from "../../../sdk/node/programDir.ts";
import { rejection } from "../support/rejection.ts";
import { writeTestProgram } from "../support/world.ts";

describe("sdk/node/programDir", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "dcm-program-"));
    await writeTestProgram(directory);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function setFiles(files: unknown): Promise<void> {
    const manifest = JSON.parse(await readFile(join(directory, "manifest.json"), "utf8"));
    await writeFile(join(directory, "manifest.json"), JSON.stringify({ ...manifest, files }));
  }

  it("gives the same id for the same content, wherever it lies", async () => {
    const { id } = await readProgram(directory);
    await writeFile(join(directory, "README.md"), "not part of it");
    expect((await readProgram(directory)).id).to.equal(id);
    await writeFile(join(directory, "main.js"), "export default () => 1;\n");
    await rejection(readProgram(directory), FileMismatchError);
  });

  it("lists and hashes anew what belongs to the program", async () => {
    await mkdir(join(directory, "lib"));
    await writeFile(join(directory, "lib", "stats.js"), "export const one = 1;\n");
    for (const name of ["README.md", "LICENSE", ".secret"]) await writeFile(join(directory, name), "x");
    await writeFile(join(directory, "main.js"), "export default () => 2;\n");
    const { id, manifest } = await writeProgramManifest(directory);
    expect(manifest.files.map((file) => file.path)).to.deep.equal(["lib/stats.js", "main.js"]);
    expect((await readProgram(directory)).id).to.equal(id);
    expect((await writeProgramManifest(directory)).id).to.equal(id);
  });

  it("does not follow paths or links out of the directory", async () => {
    for (const path of ["../x.js", "/etc/passwd", "a/../../x", "..\\x"]) {
      await setFiles([{ path, sha256: `0x${"00".repeat(32)}`, size: 1 }]);
      const error = await rejection(readProgram(directory), NotAProgramError);
      expect(error.message).to.equal(`${directory} is not a program: its manifest lists a path outside of it.`);
    }
    await symlink("/etc/passwd", join(directory, "link.js"));
    await setFiles([{ path: "link.js", sha256: `0x${"00".repeat(32)}`, size: 1 }]);
    const error = await rejection(readProgram(directory), NotAProgramError);
    expect(error.message).to.equal(`${directory} is not a program: link.js is not a plain file.`);
  });

  it("says what is missing or no manifest", async () => {
    await rejection(readProgram(join(directory, "none")), FileUnreadableError);
    await setFiles([{ path: "none.js", sha256: `0x${"00".repeat(32)}`, size: 1 }]);
    await rejection(readProgram(directory), FileUnreadableError);
    await writeFile(join(directory, "manifest.json"), "[1]");
    await rejection(readProgram(directory), NotAProgramError);
    const error = await setFilesRaw('{"files":1}').then(() => readProgram(directory).catch((e) => e));
    expect(error.name).to.equal("Program.BadManifestError");
  });

  const setFilesRaw = (text: string) => writeFile(join(directory, "manifest.json"), text);
});
