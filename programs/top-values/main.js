/**
 * The most frequent values of a column, and how many units (people, sites, devices) have each.
 * The manifest's policy leaves out what fewer than ten units have.
 */
import { columnOf, readTable } from "./csv.js";

export default function topValues({ data }, { top }) {
  const table = readTable(data);
  const [value, unit] = [columnOf(table, "value"), columnOf(table, "unit")];
  const units = new Map();
  for (const row of table.rows) {
    if (!units.has(row[value])) units.set(row[value], new Set());
    units.get(row[value]).add(row[unit]);
  }
  const rows = [...units].map(([name, those]) => ({ value: name, units: those.size }));
  return { rows: rows.sort((a, b) => b.units - a.units || (a.value < b.value ? -1 : 1)).slice(0, top) };
}
