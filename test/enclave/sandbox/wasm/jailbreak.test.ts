/** Modules that mean harm (attempts.ts), all in one process, one after the other: nothing but pass and guest holds them. */
import { expect } from "chai";
import { type Attempt, attempts, echo, printForEver, refuseInput, wholeModule } from "./attempts.ts";
import { input, runModule } from "./runModule.ts";

async function eachEnds(list: readonly Attempt[]): Promise<void> {
  for (const [what, module, expected, options] of list) {
    const { meter, ...outcome } = await runModule(module, options);
    expect(outcome, what).to.deep.equal(expected);
    expect(meter.fuel, what).to.be.at.most(options?.fuel ?? 1_000_000);
  }
}

describe("modules that mean harm", () => {
  it("do not reach the host", () => eachEnds(attempts.reachTheHost));
  it("do not read or write where they may not", () => eachEnds(attempts.readAndWriteElsewhere));
  it("get no more memory, table or output than they may have", () => eachEnds(attempts.takeMore));
  it("do not run for ever", () => eachEnds(attempts.runForEver));
  it("do not get at the meter", () => eachEnds(attempts.getAtTheMeter));
  it("call nothing that is not meant to be called", () => eachEnds(attempts.callWhatIsNotMeant));
  it("do not see what machines differ in, nor use what is not offered", () => eachEnds(attempts.makeTheMachineShow));
  it("neither confuse nor exhaust the parser", () => eachEnds(attempts.confuseTheParser));

  it("leave the next job as it was", async () => {
    for (const [, module, , options] of Object.values<readonly Attempt[]>(attempts).flat())
      await runModule(module, { ...options, fuel: 10_000 });
    const { meter, ...outcome } = await runModule(echo);
    expect(outcome).to.deep.equal({ output: "abc" });
    expect(meter.fuel).to.equal(215); // entry 1, eight, host 100, six, host 100
  });

  it("are counted, not shown, when they print", async () => {
    const { meter } = await runModule(printForEver, { fuel: 1_000 });
    expect(meter).to.include({ fuel: 1_000, lines: 9, bytes: 72 });
  });

  it("are refused at every byte where they are cut off", async () => {
    for (let length = 0; length < wholeModule.length; length += 1)
      expect(await runModule(wholeModule.subarray(0, length)), `${length}`).to.have.property("refused");
  });

  it("are not given text that is not UTF-8, and may refuse what they are given", async () => {
    expect(await runModule(echo, { inputs: [input(Uint8Array.of(0xff))] })).to.include({ failure: "InputMismatch" });
    expect(await runModule(refuseInput)).to.include({ failure: "InputMismatch" });
  });
});
