import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { recipientKeyOf, recipientOf } from "../../protocol/ageKey.ts";
import { expectError } from "./quote/vectors.ts";

describe("recipientOf and recipientKeyOf", () => {
  it("are inverse on real recipients", async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    const key = recipientKeyOf(recipient);
    expect(key).to.match(/^0x[0-9a-f]{64}$/);
    expect(recipientOf(key)).to.equal(recipient);
  });

  it("agree with the example in age's specification", () => {
    const recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    expect(recipientOf(recipientKeyOf(recipient))).to.equal(recipient);
  });

  it("refuse secrets, other prefixes, lengths and checksums", async () => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const wrong = `${recipient.slice(0, -1)}${recipient.endsWith("q") ? "p" : "q"}`;
    const bitcoin = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    for (const text of ["", "age1", identity, wrong, bitcoin, recipient.slice(0, -4), `${recipient} `, "ä".repeat(62)])
      expectError(() => recipientKeyOf(text), "AgeKey.BadRecipientError", "Not an age recipient.");
  });
});
