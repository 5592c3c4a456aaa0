import { expect } from "chai";
import { isWorthRenewing, renewAt, retryAfterMs } from "../../../enclave/attestation/renewal.ts";

const day = 86_400n;
const hour = 3600n;

describe("renewAt", () => {
  it("is half of the life left, and earlier by up to a fifth so that a fleet does not move together", () => {
    expect(renewAt(1000n, 1000n + 7n * day, 0)).to.equal(1000n + (7n * day) / 2n);
    expect(renewAt(1000n, 1000n + 10n * day, 0.5)).to.equal(1000n + (45n * day) / 10n);
    expect(renewAt(0n, 10n * day, 1 - Number.EPSILON)).to.equal(4n * day);
  });

  it("is an hour before the end at the latest, and after a quarter where not even that is left", () => {
    expect(renewAt(0n, hour + 1200n, 0)).to.equal(1200n);
    expect(renewAt(0n, hour, 0)).to.equal(900n);
    expect(renewAt(0n, 600n, 0)).to.equal(150n);
  });

  it("is now once it has expired", () => {
    expect(renewAt(5n, 5n, 0.9)).to.equal(5n);
    expect(renewAt(6n, 5n, 0)).to.equal(6n);
  });
});

describe("isWorthRenewing", () => {
  const life = 7n * day;

  it("is so if a tenth of the longest life is gained, by the nearer of collateral and longest life", () => {
    expect(isWorthRenewing(0n, life - life / 10n, 30n * day, life)).to.equal(true);
    expect(isWorthRenewing(0n, life - life / 10n + 1n, 30n * day, life)).to.equal(false);
    expect(isWorthRenewing(0n, 2n * day, 2n * day, life)).to.equal(false);
    expect(isWorthRenewing(0n, 2n * day, 3n * day, life)).to.equal(true);
  });

  it("is so after the end whatever is gained, but never by collateral that is out of date", () => {
    expect(isWorthRenewing(10n * day, 9n * day, 10n * day + 60n, life)).to.equal(true);
    expect(isWorthRenewing(10n * day, 9n * day, 10n * day, life)).to.equal(false);
    expect(isWorthRenewing(10n * day, 9n * day, 8n * day, life)).to.equal(false);
  });
});

describe("retryAfterMs", () => {
  it("is a minute, doubles up to an hour, and is spread", () => {
    expect([1, 2, 3, 7, 40].map((failures) => retryAfterMs(failures, 0))).to.deep.equal([
      60_000, 120_000, 240_000, 3_600_000, 3_600_000,
    ]);
    expect(retryAfterMs(1, 0.5)).to.equal(54_000);
  });
});
