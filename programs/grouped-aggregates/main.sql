-- One row per phase of flight and size of animal, since a day. The policy's count, `airports`, is put in by the engine.
SELECT
  "Phase of flight" AS phase,
  "Wildlife Size" AS size,
  count(*) AS strikes,
  round(avg("Cost Total $")) AS cost,
  round(avg("Speed IAS in knots")) AS speed
FROM strikes, params
WHERE "Phase of flight" IS NOT NULL AND "Flight Date" >= CAST(since AS DATE)
GROUP BY phase, size
ORDER BY strikes DESC
