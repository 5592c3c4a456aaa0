/** Figures out of repeated rounds. */

/** Median and interquartile range, in the measure's unit. */
export type Figure = { value: number; spread: number };

/**
 * Repeats a measurement and sums it up; the first round is not counted.
 *
 * @param count - rounds that are.
 * @example
 * const figure = await rounds(7, async () => bareMs / sandboxMs)
 */
export async function rounds(count: number, once: () => Promise<number>): Promise<Figure> {
  await once();
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(await once());
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.round(share * (values.length - 1))] ?? Number.NaN;
  return { value: at(0.5), spread: at(0.75) - at(0.25) };
}
