/** The count of lines and branches, against a contract of which it is known what its test runs. */
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { markBranches } from "../../scripts/branches.ts";
import { readCoverage } from "../../scripts/coverageFigures.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

// `both` is asked for 1 and 2, `fails` for 1 and 2, `never` not at all.
const tiny = `// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

interface ITiny {
    error Bad(uint256 x);

    function both(uint256 x) external view returns (uint256);
    function fails(uint256 x) external pure returns (uint256);
}

contract Tiny is ITiny {
    uint256 private constant ONE = 1;

    /// @dev Not ASCII: “é”; offsets are bytes.
    function both(uint256 x) external view returns (uint256 sum) {
        if (x == ONE) sum = 10;
        else sum = x > ONE || x > 9 ? 20 : 30;
        for (uint256 i = 0; i < x; ++i) {
            sum += x == 2 && i == 7 ? 100 : 1;
        }
        try this.fails(x) returns (uint256 y) { sum += y; } catch { }
        if (sum == 0) {
            return 0;
        }
    }

    function fails(uint256 x) external pure returns (uint256) {
        require(x == ONE, Bad(x));
        return x;
    }

    function never(bool x) external pure returns (bool) {
        return x && true;
    }
}
`;

const tinyTest = `// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test, deploy } from "../support/Test.sol";
import { ITiny } from "../../contracts/Tiny.sol";

contract TinyTest is Test {
    function test_Both() public {
        ITiny it = ITiny(deploy("Tiny", ""));
        assertEq(it.both(1), 12, "one");
        assertEq(it.both(2), 22, "two");
    }
}
`;

describe("coverage", () => {
  it("counts the lines that ran, and the ways on from each condition", async function () {
    this.timeout(60_000);
    const project = await mkdtemp(join(tmpdir(), "dcm-coverage-"));
    try {
      for (const path of ["hardhat.config.ts", "package.json", "test/support/Test.sol"])
        await cp(join(root, path), join(project, path));
      await symlink(await realpath(join(root, "node_modules")), join(project, "node_modules"));
      await mkdir(join(project, "contracts"));
      await mkdir(join(project, "test/contracts"));
      const marked = markBranches(tiny, "_branch_");
      await writeFile(join(project, "contracts/Tiny.sol"), marked.source);
      await writeFile(join(project, "test/contracts/Tiny.t.sol"), tinyTest);

      // Nothing of what Hardhat tells its own processes: this one would take the configuration of those around it.
      const env = { PATH: process.env.PATH, HOME: process.env.HOME };
      const run = spawnSync("hardhat", ["test", "solidity", "--coverage"], { cwd: project, encoding: "utf8", env });
      expect(run.status, `${run.stdout}${run.stderr}`).to.equal(0);
      const lcov = await readFile(join(project, "coverage/lcov.info"), "utf8");
      expect(readCoverage(new Map([["contracts/Tiny.sol", marked]]), lcov)).to.deep.equal([
        {
          path: "contracts/Tiny.sol",
          line: { hit: 8, of: 10 },
          branch: { hit: 14, of: 20 },
          uncovered: [
            "contracts/Tiny.sol both: return 0;",
            "contracts/Tiny.sol never: return x && true;",
            "contracts/Tiny.sol both: ternary x > ONE || x > 9: false",
            "contracts/Tiny.sol both: or x > ONE: false",
            "contracts/Tiny.sol both: ternary x == 2 && i == 7: true",
            "contracts/Tiny.sol both: if sum == 0: true",
            "contracts/Tiny.sol never: and x: true",
            "contracts/Tiny.sol never: and x: false",
          ],
        },
      ]);
    } finally {
      await rm(project, { recursive: true, force: true });
    }
  });
});
