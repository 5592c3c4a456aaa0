/**
 * How much two lists of keywords overlap: Jaccard's index of the sets, and how many keywords are in both.
 * Reveals the sizes of both sets and of their intersection; no keyword.
 */

/** One keyword a line; case, accents' encoding and blanks around it do not count; empty lines are left out. */
function keywords(text) {
  const lines = text.split(/\r?\n/).map((line) => line.normalize("NFKC").trim().toLowerCase());
  return new Set(lines.filter((line) => line !== ""));
}

export default function keywordOverlap(inputs) {
  const [first, second] = [keywords(inputs.first), keywords(inputs.second)];
  if (first.size < 10 || second.size < 10) throw new Error("a list has fewer than ten keywords");
  const both = [...first].filter((keyword) => second.has(keyword)).length;
  return { first: first.size, second: second.size, both, jaccard: both / (first.size + second.size - both) };
}
