import { expect } from "chai";
import { discreteLaplace } from "../../../enclave/policy/discreteLaplace.ts";
import { randomInts } from "../../../enclave/policy/randomInts.ts";

const seed = (byte: number) => new Uint8Array(32).fill(byte);

/** Samples per value. */
function histogram(samples: readonly bigint[]): Map<bigint, number> {
  const counts = new Map<bigint, number>();
  for (const sample of samples) counts.set(sample, (counts.get(sample) ?? 0) + 1);
  return counts;
}

/** Pearson's statistic over cells of probability and count. */
function chiSquare(cells: readonly (readonly [probability: number, seen: number])[], total: number): number {
  return cells.reduce((sum, [probability, seen]) => sum + (seen - total * probability) ** 2 / (total * probability), 0);
}

describe("randomInts", () => {
  it("gives the same to the same seed, and the keystream of AES-256-CTR for it", () => {
    const random = randomInts(seed(0));
    // FIPS 197: AES-256 of a zero block under a zero key is dc95c078a2408989ad48a21492842087; words are little-endian.
    expect(random.below(2n ** 64n)).to.equal(0x898940a278c095dcn);
    expect(random.below(2n ** 64n)).to.equal(0x872084_9214a248adn);
    const draw = (byte: number) => {
      const ints = randomInts(seed(byte));
      return Array.from({ length: 2000 }, () => ints.below(1000n));
    };
    expect(draw(1)).to.deep.equal(draw(1));
    expect(draw(1)).to.not.deep.equal(draw(2));
  });

  it("does not go on with a seed that is overwritten, nor need it", () => {
    const own = seed(3);
    const random = randomInts(own);
    own.fill(0);
    expect(random.below(2n ** 64n)).to.equal(randomInts(seed(3)).below(2n ** 64n));
  });

  it("is uniform below limits that are no powers of two, and above 64 bits", () => {
    const random = randomInts(seed(4));
    for (const limit of [3n, 10n, 1000n]) {
      const total = 20_000;
      const counts = histogram(Array.from({ length: total }, () => random.below(limit)));
      const cells = Array.from(
        { length: Number(limit) },
        (_, i) => [1 / Number(limit), counts.get(BigInt(i)) ?? 0] as const,
      );
      const freedom = Number(limit) - 1;
      expect(chiSquare(cells, total)).to.be.below(freedom + 4 * Math.sqrt(2 * freedom) + 4);
    }
    const limit = 3n * 2n ** 100n;
    const thirds = histogram(Array.from({ length: 3000 }, () => random.below(limit) / 2n ** 100n));
    expect([...thirds.keys()].sort()).to.deep.equal([0n, 1n, 2n]);
    for (const seen of thirds.values()) expect(seen).to.be.within(900, 1100);
    expect(random.below(1n)).to.equal(0n);
  });
});

describe("discreteLaplace", () => {
  const total = 20_000;
  const scales = [
    { numerator: 1n, denominator: 3n },
    { numerator: 1n, denominator: 1n },
    { numerator: 7n, denominator: 2n },
    { numerator: 40_000_000n, denominator: 2_000_000n },
  ];
  for (const [i, scale] of scales.entries()) {
    const ratio = Math.exp(-Number(scale.denominator) / Number(scale.numerator));
    const probabilityOf = (x: number) => ((1 - ratio) / (1 + ratio)) * ratio ** Math.abs(x);

    it(`has the exact distribution at scale ${scale.numerator}/${scale.denominator}: each value, mean, variance, tail`, () => {
      const random = randomInts(seed(10 + i));
      const samples = Array.from({ length: total }, () => discreteLaplace(random, scale));
      const counts = histogram(samples);
      // Cells of at least 20 samples; what is beyond is one cell on each side.
      let edge = 0;
      while (total * probabilityOf(edge + 1) >= 20) edge++;
      const beyond = ratio ** (edge + 1) / (1 + ratio);
      const cells: [number, number][] = [];
      for (let x = -edge; x <= edge; x++) cells.push([probabilityOf(x), counts.get(BigInt(x)) ?? 0]);
      for (const side of [-1, 1]) cells.push([beyond, samples.filter((x) => Number(x) * side > edge).length]);
      expect(Math.abs(cells.reduce((sum, [probability]) => sum + probability, -1))).to.be.below(1e-9);
      const freedom = cells.length - 1;
      expect(chiSquare(cells, total)).to.be.below(freedom + 3 * Math.sqrt(2 * freedom));

      const variance = (2 * ratio) / (1 - ratio) ** 2;
      const mean = samples.reduce((sum, x) => sum + Number(x), 0) / total;
      expect(Math.abs(mean)).to.be.below(3 * Math.sqrt(variance / total));
      const second = samples.reduce((sum, x) => sum + Number(x) ** 2, 0) / total;
      expect(second / variance).to.be.within(0.94, 1.06);
    });
  }

  it("has no grain at the smallest epsilon: low digits of large noise are uniform", () => {
    // Sensitivity 10^9, epsilon 0.001 over 32 fields: a scale of 3.2 * 10^13.
    const scale = { numerator: 1_000_000_000n * 32n * 1_000_000n, denominator: 1000n };
    const random = randomInts(seed(20));
    const samples = Array.from({ length: 5000 }, () => discreteLaplace(random, scale));
    const meanSize = samples.reduce((sum, x) => sum + Math.abs(Number(x)), 0) / samples.length;
    expect(meanSize / 3.2e13).to.be.within(0.95, 1.05);
    expect(samples.filter((x) => x < 0n).length).to.be.within(2350, 2650);
    for (const base of [2n, 10n, 1024n]) {
      const counts = histogram(samples.map((x) => ((x % base) + base) % base));
      const cells = Array.from(
        { length: Number(base) },
        (_, i) => [1 / Number(base), counts.get(BigInt(i)) ?? 0] as const,
      );
      const freedom = Number(base) - 1;
      expect(chiSquare(cells, samples.length)).to.be.below(freedom + 4 * Math.sqrt(2 * freedom) + 4);
    }
  });

  it("is another in the second sample than in the first: there is no shared state but the sequence", () => {
    const random = randomInts(seed(21));
    const scale = { numerator: 1_000_000n, denominator: 1n };
    const samples = Array.from({ length: 1000 }, () => discreteLaplace(random, scale));
    const mean = samples.reduce((sum, x) => sum + Number(x), 0) / 1000;
    let product = 0;
    for (let i = 1; i < 1000; i++) product += (Number(samples[i]) - mean) * (Number(samples[i - 1]) - mean);
    expect(Math.abs(product / 1000 / 2e12)).to.be.below(0.1); // correlation of neighbours
  });
});
