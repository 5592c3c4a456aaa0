import { expect } from "chai";
import { roundHalfEven } from "../../../enclave/policy/roundHalfEven.ts";
import { numbers } from "./policyCase.ts";

describe("roundHalfEven", () => {
  it("rounds the decimal number that is shown, halves to even", () => {
    const cases: [value: number, decimals: number, rounded: number][] = [
      [0.5, 0, 0],
      [1.5, 0, 2],
      [2.5, 0, 2],
      [-0.5, 0, 0],
      [-1.5, 0, -2],
      [-2.5, 0, -2],
      [2.675, 2, 2.68], // as a double it is below the half
      [1.005, 2, 1],
      [1.015, 2, 1.02],
      [0.125, 2, 0.12],
      [0.1250000000000001, 2, 0.13],
      [9.995, 2, 10],
      [99.5, 0, 100],
      [0.1 + 0.2, 15, 0.3],
      [1e-7, 6, 0],
      [5e-7, 6, 0],
      [5.000000000000001e-7, 6, 0.000001],
      [5e-324, 15, 0],
      [-5e-324, 0, 0],
      [1e21, 0, 1e21],
      [1.7976931348623157e308, 15, 1.7976931348623157e308],
      [9007199254740992, 3, 9007199254740992],
      [1234567890123.4568, 3, 1234567890123.457],
      [123.456, 3, 123.456],
      [0, 2, 0],
    ];
    for (const [value, decimals, rounded] of cases) {
      const found = roundHalfEven(value, decimals);
      expect(found, `${value} to ${decimals}`).to.equal(rounded);
      expect(Object.is(found, -0), `${value} to ${decimals}`).to.equal(false);
    }
  });

  it("shows no more places than asked for, moves by half a unit at most, and is done once it is done", () => {
    const next = numbers(1);
    for (let i = 0; i < 20_000; i++) {
      const decimals = Math.floor(next() * 16);
      const value = (next() - 0.5) * 10 ** Math.floor(next() * 34 - 17);
      const rounded = roundHalfEven(value, decimals);
      const [mantissa = "", exponent = "0"] = String(rounded).split("e");
      const places = (mantissa.split(".")[1]?.length ?? 0) - Number(exponent);
      expect(places, `${value} to ${decimals}`).to.be.at.most(decimals);
      const slack = Math.abs(value) * 2 ** -52; // of the subtraction below
      expect(Math.abs(rounded - value), `${value} to ${decimals}`).to.be.at.most(0.5 * 10 ** -decimals + slack);
      expect(roundHalfEven(rounded, decimals)).to.equal(rounded);
      expect(roundHalfEven(-value, decimals)).to.equal(0 - rounded);
    }
  });
});
