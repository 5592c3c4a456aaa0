import { expect } from "chai";
import { type Hex, zeroHash } from "viem";
import { type Again, compareRuns } from "../../cli/rerun.ts";
import { type FailureCode, failureCodes } from "../../protocol/eip712.ts";

const outputCommitment: Hex = `0x${"12".repeat(32)}`;

function compared(said: FailureCode, again: Again): string {
  const { verdict, reason } = compareRuns({ failureCode: failureCodes.indexOf(said), outputCommitment }, again);
  return `${verdict}: ${reason}`;
}

describe("compareRuns", () => {
  it("verifies the same output and the same failure of the program, and nothing else", () => {
    expect(compared("None", { commitment: outputCommitment })).to.match(/^verified: .* the same output commitment$/);
    expect(compared("None", { commitment: zeroHash })).to.equal(
      `not verified: run again here it gives output commitment ${zeroHash}`,
    );
    expect(compared("GroupTooSmall", { failure: "GroupTooSmall" })).to.equal(
      "verified: run again here it fails alike: GroupTooSmall",
    );
    expect(compared("ProgramTrapped", { failure: "GroupTooSmall" })).to.equal(
      "not verified: run again here it ends in GroupTooSmall; the receipt says ProgramTrapped",
    );
    expect(compared("ProgramTrapped", { commitment: outputCommitment })).to.equal(
      "not verified: run again here it ends well; the receipt says ProgramTrapped",
    );
  });

  it("takes a limit of time or memory, here or there, for no proof of anything", () => {
    for (const limit of ["TimeExceeded", "MemoryExceeded"] as const) {
      const there = `cannot be verified: the receipt says ${limit}, which depends on the machine`;
      expect(compared(limit, { failure: limit })).to.equal(there);
      expect(compared(limit, { commitment: outputCommitment })).to.equal(there);
      expect(compared("None", { failure: limit })).to.equal(
        `cannot be verified: run again here it ends in ${limit}, which depends on the machine`,
      );
    }
  });

  it("accuses no enclave that never came to run the program", () => {
    for (const said of ["InputUnavailable", "GrantRefused", "KeyUnavailable", "PriceTooHigh"] as const)
      expect(compared(said, { commitment: outputCommitment })).to.equal(
        `cannot be verified: the receipt says ${said}, which a run here cannot show`,
      );
  });
});
