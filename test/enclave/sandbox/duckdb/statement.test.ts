import { expect } from "chai";
import { checkStatement, duckdbEngine } from "../../../../enclave/sandbox/engines/duckdb/index.ts";
import { rewrite } from "../../../../enclave/sandbox/engines/duckdb/statement.ts";
import { ColumnRefusedError, StatementRefusedError } from "../../../../enclave/sandbox/engines/duckdb/tree.ts";
import type { Policy } from "../../../../protocol/policy.ts";
import { BadManifestError } from "../../../../protocol/program.ts";
import { type Attempt, reachingOut, roundThePolicy } from "./attempts.ts";
import { guarded, input, makeSql, parseHere, people } from "./sqlWorld.ts";

const prepare = async (sql: string, policy?: Policy) =>
  duckdbEngine.prepare?.(makeSql(sql, people, { ...(policy && { policy }) }), parseHere);

const written = async (sql: string, policy?: Policy) =>
  (await checkStatement(makeSql(sql, people, { ...(policy && { policy }) }), parseHere)).sql;

/** The error that a statement is refused with. */
const refusal = async (sql: string, policy: Policy = guarded) => {
  try {
    await written(sql, policy);
  } catch (error) {
    if (error instanceof StatementRefusedError || error instanceof ColumnRefusedError) return error.message;
    throw error;
  }
  return "none";
};

const count = (unit: string) => `count(DISTINCT ${unit}) >= 3`;
const peopleSql = `(SELECT * FROM "people" WHERE "id" IS NOT NULL) AS "people"`;

describe("sandbox: SQL statements", () => {
  const refuseEach = (attempts: readonly Attempt[], policy?: Policy) => {
    for (const [name, sql, failure = "StatementRefused"] of attempts) {
      it(`refuses ${name}`, async () => expect(await prepare(sql, policy)).to.include({ failure }));
    }
  };

  describe("that reach out", () => refuseEach(reachingOut));
  describe("that go round the policy", () => refuseEach(roundThePolicy, guarded));

  it("writes a statement anew, with every name in full and rows in a total order", async () => {
    expect(
      await written("select PLACE, count(*) c from visits v where place like 'x%' group by 1 order by c desc limit 2"),
    ).to.equal(
      `SELECT "v"."place" AS "PLACE", count(*) AS "c" FROM "visits" AS "v" WHERE ("v"."place" ~~ 'x%') ` +
        `GROUP BY "v"."place" ORDER BY 2 DESC NULLS LAST, 1 ASC NULLS LAST, 2 ASC NULLS LAST LIMIT 2`,
    );
  });

  it("quotes what a string or a name can hold", async () => {
    expect(await written(`SELECT 'it''s; -- ' AS "a""b", '' AS "é"`)).to.equal(
      `SELECT 'it''s; -- ' AS "a""b", '' AS "é" ORDER BY 1 ASC NULLS LAST, 2 ASC NULLS LAST`,
    );
  });

  it("keeps constants exact", async () => {
    const constants =
      "9223372036854775807 a, -9223372036854775808 b, 170141183460469231731687303715884105727 c, 0.10 d, 1e300 e";
    expect(await written(`SELECT ${constants}, -1.5 f, 0 g, CAST(NULL AS DECIMAL(9, 2)) h`)).to.match(
      /^SELECT 9223372036854775807 AS "a", \(-9223372036854775808\) AS "b", 170141183460469231731687303715884105727 AS "c", 0.10 AS "d", 1e\+300 AS "e", \(-1.5\) AS "f", 0 AS "g", CAST\(NULL AS DECIMAL\(9,2\)\) AS "h" ORDER BY /,
    );
  });

  it("puts the minimum group size into the groups and into every aggregate, and counts units itself", async () => {
    expect(
      await written("SELECT name, sum(salary) AS s, 7 AS n FROM people GROUP BY name HAVING s > 5", guarded),
    ).to.equal(
      `SELECT "people"."name" AS "name", ` +
        `CASE WHEN count(DISTINCT "people"."id") FILTER (WHERE "people"."salary" IS NOT NULL) >= 3 THEN sum("people"."salary") END AS "s", ` +
        `count(DISTINCT "people"."id") AS "n" FROM ${peopleSql} GROUP BY "people"."name" ` +
        `HAVING CASE WHEN ${count(`"people"."id"`)} THEN (CASE WHEN count(DISTINCT "people"."id") FILTER (WHERE "people"."salary" IS NOT NULL) >= 3 THEN sum("people"."salary") END > 5) ELSE FALSE END ` +
        `ORDER BY 1 ASC NULLS LAST, 2 ASC NULLS LAST, 3 ASC NULLS LAST`,
    );
  });

  it("lets two columns meet in one aggregate only where both are for aggregates", async () => {
    const sql = "SELECT corr(salary, bonus) AS r, sum(2 * salary - bonus / 4) AS s FROM people";
    const both = ` FILTER (WHERE "people"."salary" IS NOT NULL AND "people"."bonus" IS NOT NULL)`;
    expect(await written(sql, guarded)).to.contain(
      `((CAST(2 AS DOUBLE) * CAST(sum("people"."salary")${both} AS DOUBLE)) - (CAST(sum("people"."bonus")${both} AS DOUBLE) / CAST(4 AS DOUBLE)))`,
    );
    const { bonus: _, ...roles } = guarded.columns?.people ?? {};
    expect(await refusal(sql, { ...guarded, columns: { people: roles } })).to.equal(
      "The statement has corr of columns of which one has not the role aggregate.",
    );
  });

  it("wants enough units of each input that is joined", async () => {
    expect(await written("SELECT count(*) AS c FROM people JOIN visits USING (email)", guarded)).to.equal(
      `SELECT count(*) AS "c", least(count(DISTINCT "people"."id"), count(DISTINCT "visits"."person")) AS "n" FROM ${peopleSql} ` +
        `JOIN (SELECT * FROM "visits" WHERE "person" IS NOT NULL) AS "visits" ON "people"."email" = "visits"."email" ` +
        `HAVING ${count(`"people"."id"`)} AND ${count(`"visits"."person"`)} ORDER BY 1 ASC NULLS LAST, 2 ASC NULLS LAST`,
    );
  });

  it("lets groups be worked on further once they are large enough", async () => {
    const sql =
      "WITH g AS (SELECT name, avg(salary) AS s FROM people GROUP BY name) SELECT name, n, rank() OVER (ORDER BY s) AS r FROM g";
    expect(await written(sql, guarded)).to.match(
      /rank\(\) OVER \(ORDER BY "g"."s" ASC NULLS LAST\) AS "r" FROM "g" AS "g" ORDER BY/,
    );
  });

  it("takes the smallest count of groups that are put together", async () => {
    const sql = "SELECT sum(s) AS s, min(n) AS n FROM (SELECT name, sum(salary) AS s FROM people GROUP BY name) AS g";
    expect(await written(sql, guarded)).to.match(/^SELECT sum\("g"."s"\) AS "s", min\("g"."n"\) AS "n" FROM/);
    expect(await refusal(sql.replace("min(n)", "sum(n)"))).to.equal(
      "The statement must return n as counted in the SELECT that reads the inputs, or the minimum of it.",
    );
  });

  it("lets small groups through to where the run is failed for them, and nothing that could hide them", async () => {
    const failing: Policy = {
      ...guarded,
      group: { ...(guarded.group as NonNullable<Policy["group"]>), otherwise: "fail" },
    };
    const sql = "SELECT name, sum(salary) AS s FROM people GROUP BY name";
    expect(await written(sql, failing)).to.not.match(/HAVING/);
    for (const hiding of [
      `${sql} LIMIT 1`,
      `${sql} HAVING s > 1`,
      `SELECT name, s, n FROM (${sql}) AS g WHERE n > 3`,
    ]) {
      expect(await refusal(hiding, failing), hiding).to.match(/where the policy fails runs with small groups\.$/);
    }
  });

  it("makes failures on single rows NULL where rows are guarded", async () => {
    const sql = await written(
      "SELECT count(*) AS c FROM people WHERE name = 5 AND name::INTEGER + 1 > 2 AND name",
      guarded,
    );
    expect(sql).to.contain(
      `WHERE (TRY(("people"."name" = 5)) AND TRY((TRY((TRY_CAST("people"."name" AS INTEGER) + 1)) > 2)) AND TRY_CAST("people"."name" AS BOOLEAN))`,
    );
  });

  it("cuts inputs to what one unit may contribute", async () => {
    const noise = { epsilonMicros: 1000, budgetMicros: 1000, fields: [{ path: "/rows/*/s", sensitivity: 1 }] };
    const policy: Policy = {
      noise: { ...noise, bounds: { visits: { unit: "person", rows: 2, clamp: { person: [0, 9] } } } },
    };
    expect(await written("SELECT sum(person) AS s FROM visits", policy)).to.equal(
      `SELECT sum("visits"."person") AS "s" FROM (SELECT CASE WHEN "person" IS NOT NULL THEN least(greatest("person", 0), 9) END AS "person", ` +
        `"email", "place" FROM (SELECT * FROM "visits" WHERE "person" IS NOT NULL QUALIFY row_number() OVER (PARTITION BY "person" ORDER BY "person", "email", "place") <= 2)) ` +
        `AS "visits" HAVING TRUE ORDER BY 1 ASC NULLS LAST`,
    );
    expect(await refusal("SELECT place FROM visits", policy)).to.equal(
      "The statement gives out single rows where the policy bounds what units contribute.",
    );
    expect(await refusal("SELECT count(*) AS s FROM visits, places", policy)).to.equal(
      "The statement joins an input whose units' contributions are bounded.",
    );
  });

  it("refuses policies for columns that there are not, and inputs without columns", async () => {
    // The manifest itself is refused.
    const strange: Policy = { columns: { people: { wage: "hidden" } } };
    expect(() => makeSql("SELECT 1 AS x", people, { policy: strange })).to.throw(
      BadManifestError,
      "the policy names a column that its input does not have",
    );
    const bare = makeSql("SELECT 1 AS x", [{ name: "data", format: "csv" }]);
    expect(await duckdbEngine.prepare?.(bare, parseHere)).to.include({ failure: "StatementRefused" });
    const twice = makeSql("SELECT 1 AS x", [input("data", "csv", "a:string A:string")]);
    expect(await duckdbEngine.prepare?.(twice, parseHere)).to.include({ failure: "StatementRefused" });
  });

  it("is not led astray by names that every object has", async () => {
    const names = [input("constructor", "csv", "name:string constructor:string toString:integer")];
    const policy: Policy = JSON.parse('{"columns":{"constructor":{"toString":"hidden"}}}');
    const outcome = async (sql: string) => duckdbEngine.prepare?.(makeSql(sql, names, { policy }), parseHere);
    expect(await outcome("SELECT name, constructor FROM constructor")).to.have.property("prepared");
    expect(await outcome("SELECT toString FROM constructor")).to.include({ failure: "ColumnRefused" });
    const lost = makeSql("SELECT 1 AS x", [input("data", "csv", "__proto__:string")]);
    expect(await duckdbEngine.prepare?.(lost, parseHere)).to.include({ failure: "StatementRefused" });
  });

  it("tells two readings of one table apart", async () => {
    expect(await written("SELECT place FROM places AS a LEFT JOIN places AS b USING (place)")).to.match(
      /^SELECT "a"."place" AS "place" FROM "places" AS "a" LEFT JOIN "places" AS "b" ON "a"."place" = "b"."place" ORDER/,
    );
  });

  it("says which column, and why", async () => {
    expect(await refusal("SELECT sum(salary) AS s FROM people WHERE id <> 7")).to.equal(
      "Column id has the role hidden and is used freely.",
    );
  });

  it("does not believe the parser", async () => {
    const { manifest } = makeSql("SELECT 1 AS x", people);
    const tree = JSON.parse(
      new TextDecoder().decode(await parseHere(new TextEncoder().encode("SELECT place FROM places"))),
    );
    const node = tree.statements[0].node;
    const lies: [string, unknown][] = [
      ["no JSON", "{"],
      ["nothing", null],
      ["no statement", { error: false, statements: [] }],
      ["a list", []],
      ["another node", { ...tree, statements: [{ node: { ...node, type: "INSERT_NODE" } }] }],
      ["a field more", { ...tree, statements: [{ node: { ...node, sample: { method: "System" } } }] }],
      [
        "a file",
        { ...tree, statements: [{ node: { ...node, from_table: { type: "BASE_TABLE", table_name: "/etc/passwd" } } }] },
      ],
      [
        "a table function",
        { ...tree, statements: [{ node: { ...node, from_table: { type: "TABLE_FUNCTION", function: {} } } }] },
      ],
      [
        "a name that ends a quote",
        {
          ...tree,
          statements: [
            {
              node: { ...node, select_list: [{ class: "COLUMN_REF", column_names: ['place" FROM read_text(1) --'] }] },
            },
          ],
        },
      ],
      [
        "numbers as text",
        {
          ...tree,
          statements: [
            {
              node: {
                ...node,
                select_list: [
                  {
                    class: "CONSTANT",
                    alias: "x",
                    value: { type: { id: "INTEGER" }, is_null: false, value: "1; ATTACH" },
                  },
                ],
              },
            },
          ],
        },
      ],
      [
        "a type that is SQL",
        {
          ...tree,
          statements: [
            {
              node: {
                ...node,
                select_list: [
                  {
                    class: "CAST",
                    alias: "x",
                    child: { class: "CONSTANT", value: { type: { id: "NULL" }, is_null: true } },
                    cast_type: { id: "INT); ATTACH 'x" },
                  },
                ],
              },
            },
          ],
        },
      ],
      [
        "nesting without end",
        { ...tree, statements: [{ node: JSON.parse(`${'{"left":'.repeat(5000)}1${"}".repeat(5000)}`) }] },
      ],
    ];
    for (const [name, lie] of lies) {
      const bytes = new TextEncoder().encode(typeof lie === "string" ? lie : JSON.stringify(lie));
      expect(() => rewrite(manifest, bytes), name).to.throw(StatementRefusedError);
    }
  });
});
