/**
 * How often a private model is right about a private test set: neither side sees the other's.
 * Reveals how many rows were tested, the accuracy, and per class how many there are, were predicted and were right.
 */
import { columnOf, numberOf, readTable } from "./csv.js";

/** `{ kind: "linear", features, classes, weights: one row of numbers per class, bias: one number per class }` */
function linear({ features, classes, weights, bias }) {
  const fits = (rows, columns) => Array.isArray(rows) && rows.length === classes.length && rows.every(columns);
  if (!fits(weights, (row) => Array.isArray(row) && row.length === features.length && row.every(isNumber))) {
    throw new Error("the weights do not fit features and classes");
  }
  if (!fits(bias, isNumber)) throw new Error("the biases do not fit the classes");
  return (values) => {
    const scores = weights.map((row, i) => row.reduce((sum, weight, j) => sum + weight * values[j], bias[i]));
    return classes[scores.indexOf(Math.max(...scores))];
  };
}

/** `{ kind: "tree", features, classes, nodes }`; a node is `{ feature, at, below, above }` or `{ class }`, by positions. */
function tree({ features, classes, nodes }) {
  if (!Array.isArray(nodes) || nodes.length > 65536) throw new Error("no nodes, or too many");
  nodes.forEach((node, i) => {
    if (node.class !== undefined) return requireIndex(node.class, 0, classes.length);
    requireIndex(node.feature, 0, features.length);
    // Only forward: a walk ends.
    for (const next of [node.below, node.above]) requireIndex(next, i + 1, nodes.length);
    if (!isNumber(node.at)) throw new Error("a threshold is not a number");
  });
  return (values) => {
    let node = nodes[0];
    while (node.class === undefined) node = nodes[values[node.feature] < node.at ? node.below : node.above];
    return classes[node.class];
  };
}

const isNumber = (value) => typeof value === "number";

function requireIndex(value, least, end) {
  if (!Number.isInteger(value) || value < least || value >= end) throw new Error("an index is out of range");
}

export default function modelAccuracy({ model, test }, { label }) {
  const { features, classes } = model;
  const isText = (list) => Array.isArray(list) && list.length > 0 && list.every((text) => typeof text === "string");
  if (!isText(features) || !isText(classes) || new Set(classes).size !== classes.length) throw new Error("no model");
  const predict = { linear, tree }[model.kind](model);
  const table = readTable(test);
  if (table.rows.length < 30) throw new Error("fewer than thirty rows");
  const truth = columnOf(table, label);
  const positions = features.map((name) => columnOf(table, name));
  if (positions.includes(truth)) throw new Error("the label is a feature");
  const byClass = new Map(classes.map((name) => [name, { actual: 0, predicted: 0, right: 0 }]));
  let right = 0;
  for (const row of table.rows) {
    const actual = byClass.get(row[truth]);
    if (actual === undefined) throw new Error("a label is no class of the model");
    const guess = byClass.get(predict(positions.map((position) => numberOf(row[position]))));
    actual.actual += 1;
    guess.predicted += 1;
    if (actual === guess) {
      actual.right += 1;
      right += 1;
    }
  }
  return {
    n: table.rows.length,
    accuracy: right / table.rows.length,
    classes: [...byClass].map(([name, counts]) => ({ name, ...counts })),
  };
}
