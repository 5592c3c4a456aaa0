/**
 * Linear or logistic regression over two tables joined by a key that occurs once in each: neither side sees the other's.
 * Reveals the number of joined rows, one coefficient per feature, the intercept, and how well they fit.
 */
import { columnOf, numberOf, readTable } from "./csv.js";

/** Rows of both tables with the same key, as `{ x: features, y: target }`; the order is that of the keys. */
function join(left, right, { key, features, target }) {
  const place = (name) => {
    const inLeft = left.names.includes(name);
    if (inLeft === right.names.includes(name)) throw new Error("a column is in both tables, or in none");
    const position = columnOf(inLeft ? left : right, name);
    return (a, b) => numberOf((inLeft ? a : b)[position]);
  };
  const [x, y] = [features.map(place), place(target)];
  const index = byKey(right, key);
  return [...byKey(left, key)]
    .filter(([value]) => index.has(value))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([value, row]) => ({ x: [1, ...x.map((of) => of(row, index.get(value)))], y: y(row, index.get(value)) }));
}

function byKey(table, key) {
  const position = columnOf(table, key);
  const index = new Map(table.rows.map((row) => [row[position], row]));
  if (index.size !== table.rows.length) throw new Error("a key occurs twice");
  return index;
}

/** Solves the symmetric system `sum(weight * x x') b = sum(x * z)` by elimination with pivots. */
function solve(rows, weight, z) {
  const size = rows[0].x.length;
  const system = Array.from({ length: size }, () => new Array(size + 1).fill(0));
  rows.forEach(({ x }, i) => {
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) system[a][b] += weight[i] * x[a] * x[b];
      system[a][size] += x[a] * z[i];
    }
  });
  const scale = Math.max(...system.map((row, a) => Math.abs(row[a])));
  for (let a = 0; a < size; a++) {
    let pivot = a;
    for (let b = a + 1; b < size; b++) if (Math.abs(system[b][a]) > Math.abs(system[pivot][a])) pivot = b;
    [system[a], system[pivot]] = [system[pivot], system[a]];
    if (Math.abs(system[a][a]) < 1e-12 * scale) throw new Error("the features depend on each other");
    for (let b = 0; b < size; b++) {
      if (b === a) continue;
      const factor = system[b][a] / system[a][a];
      for (let c = a; c <= size; c++) system[b][c] -= factor * system[a][c];
    }
  }
  return system.map((row, a) => row[size] / row[a]);
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Least squares. `fit` is the share of the target's variance that is explained (R squared). */
function linear(rows) {
  const coefficients = solve(rows, rows.map(() => 1), rows.map(({ y }) => y));
  const mean = rows.reduce((sum, { y }) => sum + y, 0) / rows.length;
  const total = rows.reduce((sum, { y }) => sum + (y - mean) ** 2, 0);
  if (total === 0) throw new Error("the target is constant");
  const rest = rows.reduce((sum, { x, y }) => sum + (y - dot(coefficients, x)) ** 2, 0);
  return { coefficients, fit: 1 - rest / total };
}

/** Newton's method, as iterated weighted least squares. `fit` is the share of rows on the right side of one half. */
function logistic(rows) {
  if (rows.some(({ y }) => y !== 0 && y !== 1)) throw new Error("the target is not 0 or 1");
  let coefficients = rows[0].x.map(() => 0);
  for (let round = 0; round < 25; round++) {
    const p = rows.map(({ x }) => 1 / (1 + Math.exp(-dot(coefficients, x))));
    const step = solve(rows, p.map((value) => value * (1 - value)), rows.map(({ y }, i) => y - p[i]));
    coefficients = coefficients.map((value, i) => value + step[i]);
    if (Math.max(...coefficients.map(Math.abs)) > 1e6) throw new Error("the classes can be told apart without error");
    if (Math.max(...step.map(Math.abs)) < 1e-10) {
      const right = rows.filter(({ x, y }) => dot(coefficients, x) > 0 === (y === 1)).length;
      return { coefficients, fit: right / rows.length };
    }
  }
  throw new Error("it does not converge");
}

export default function regression({ left, right }, params) {
  const rows = join(readTable(left), readTable(right), params);
  if (new Set([...params.features, params.target]).size !== params.features.length + 1) throw new Error("a column twice");
  // With fewer rows than ten to a coefficient it would describe the rows instead of what they have in common.
  if (rows.length < 10 * (params.features.length + 1)) throw new Error("too few rows in common");
  const { coefficients, fit } = { linear, logistic }[params.model](rows);
  const [intercept, ...rest] = coefficients;
  return { n: rows.length, intercept, coefficients: rest, fit };
}
