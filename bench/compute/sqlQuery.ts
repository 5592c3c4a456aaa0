/** The statement that both sides of the SQL measure run, on flights-3m.parquet and airports.csv of vega-datasets. */

/** A join, a group-by of two keys, and aggregates of each kind. */
export const statement = `
SELECT airports.state AS state, month(flights.date) AS month, count(*) AS flights, avg(delay) AS delay,
  stddev(delay) AS spread, corr(delay, distance) AS r, count(DISTINCT destination) AS destinations
FROM flights JOIN airports ON flights.origin = airports.iata
GROUP BY state, month ORDER BY state, month`;

/** Where the file lies. */
export const vegaFile = (name: string) =>
  new URL(`../../node_modules/vega-datasets/data/${name}`, import.meta.url).pathname;
