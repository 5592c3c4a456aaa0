/**
 * Pearson correlation of yearly CO2 means with yearly temperatures, over the years that both inputs have.
 * Reveals four numbers: how many years, which first and last, and r. Any row it cannot read stops the run.
 */

/** Mean of CO2 per calendar year, over the months present. */
function yearlyMeans(co2) {
  const sums = new Map();
  for (const [date, value] of readCsv(co2, ["Date", "CO2"])) {
    if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(date)) throw new Error("co2: a Date is not YYYY-MM-DD");
    const year = Number(date.slice(0, 4));
    const { sum, count } = sums.get(year) ?? { sum: 0, count: 0 };
    sums.set(year, { sum: sum + readNumber(value), count: count + 1 });
  }
  return new Map([...sums].map(([year, { sum, count }]) => [year, sum / count]));
}

function temperatures(csv) {
  const byYear = new Map();
  for (const [text, value] of readCsv(csv, ["year", "temp"])) {
    if (!/^[0-9]{4}$/.test(text)) throw new Error("temperature: a year is not YYYY");
    const year = Number(text);
    if (byYear.has(year)) throw new Error("temperature: a year occurs twice");
    byYear.set(year, readNumber(value));
  }
  return byYear;
}

/** The named columns of every row. No quoting: a quote is refused, so that a comma in a field cannot shift columns. */
function readCsv(text, columns) {
  if (text.includes('"')) throw new Error("quoted fields are not read");
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const header = lines[0].split(",");
  const positions = columns.map((column) => header.indexOf(column));
  if (positions.includes(-1)) throw new Error("a column is missing");
  return lines.slice(1).map((line) => {
    const fields = line.split(",");
    if (fields.length !== header.length) throw new Error("a row has another number of fields than the header");
    return positions.map((position) => fields[position]);
  });
}

function readNumber(text) {
  if (!/^-?[0-9]+(\.[0-9]+)?$/.test(text)) throw new Error("a value is not a number");
  return Number(text);
}

function pearson(pairs) {
  const meanX = pairs.reduce((sum, [x]) => sum + x, 0) / pairs.length;
  const meanY = pairs.reduce((sum, [, y]) => sum + y, 0) / pairs.length;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (const [x, y] of pairs) {
    const dx = x - meanX;
    const dy = y - meanY;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  if (xx === 0 || yy === 0) throw new Error("a series is constant");
  // Rounding may push a perfect correlation past 1.
  return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}

export default function yearlyCorrelation({ co2, temperature }) {
  const means = yearlyMeans(co2);
  const temps = temperatures(temperature);
  const years = [...means.keys()].filter((year) => temps.has(year)).sort((a, b) => a - b);
  if (years.length < 3) throw new Error("fewer than three years in common");
  const r = pearson(years.map((year) => [means.get(year), temps.get(year)]));
  return { n: years.length, r, firstYear: years[0], lastYear: years.at(-1) };
}
