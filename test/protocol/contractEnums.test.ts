import { expect } from "chai";
import * as abis from "../../protocol/abi.ts";
import { wordFor } from "../../protocol/contractEnums.ts";
import { sessionStates } from "../../protocol/eip712.ts";

describe("wordFor", () => {
  const errors = Object.values(abis).flatMap((abi) => abi.filter((item) => item.type === "error"));

  it("names the members of every enum that an error carries", () => {
    const inputs: readonly { internalType?: string }[] = errors.flatMap(({ inputs }) => [...inputs]);
    const enums = [...new Set(inputs.map(({ internalType = "" }) => internalType))].filter((type) =>
      /^enum /.test(type),
    );
    expect(enums).to.include.members(["enum CollateralKind", "enum TcbStatus"]);
    for (const type of enums) expect(wordFor(type, 0), type).to.match(/^[A-Za-z]+$/);
  });

  it("names the state of a session, which its error carries as a number", () => {
    const error = errors.find(({ name }) => name === "Sessions_WrongState");
    const state = error?.inputs.find(({ name }) => name === "state");
    expect(state?.internalType).to.equal("uint8");
    const words = sessionStates.map((_, i) => wordFor(state?.internalType, i, "Sessions_WrongState.state"));
    expect(words).to.deep.equal(["None", "Open", "Claimed", "Closed", "Expired"]);
    expect(wordFor("uint8", 1, "JobMarket_BadQuorum.quorum")).to.equal("1");
  });

  it("leaves everything else, and numbers beyond the enum, as they are", () => {
    expect(wordFor("enum CollateralKind", 2)).to.equal("QeIdentity");
    expect(wordFor("enum TcbStatus", 255)).to.equal("255");
    expect(wordFor("uint64", 7n)).to.equal("7");
    expect(wordFor(undefined, "0x00")).to.equal("0x00");
  });
});
