/**
 * Room: simulator/forgeries. JSON that is truly signed but not in the one form that Intel writes: two readers could
 * understand it differently. Pure.
 * Source: Intel PCS API v4, "Get TDX TCB Info V4" (TcbInfoV3) and "Get TD QE Identity" (EnclaveIdentityV2).
 */
import type { Forgery, Workshop } from "./workshop.ts";

/** Name, rule, what stands there, what the forgery says instead. */
type Exchange = readonly [name: string, check: string, from: string | RegExp, to: string];

const once = "no key stands twice";
const form = "the JSON is in Intel's form";
const range = "numbers are in their range";

/** Of the level that the platform is at; what follows it is another level of platforms. */
const platformStatus = /(,"tcbStatus":"UpToDate")(\},\{"tcb":\{"sgx)/;

const exchanges: Record<"tcbInfo" | "qeIdentity", readonly Exchange[]> = {
  tcbInfo: [
    ["duplicate-id", once, '"id":"TDX"', '"id":"TDX","id":"TDX"'],
    ["duplicate-fmspc", once, /"fmspc":"\w+"/, '"fmspc":"00806F050000",$&'],
    ["duplicate-issue-date", once, /"issueDate":"[^"]+"/, '$&,"issueDate":"2020-01-01T00:00:00Z"'],
    ["duplicate-next-update", once, /"nextUpdate":"[^"]+"/, '$&,"nextUpdate":"2049-01-01T00:00:00Z"'],
    ["duplicate-evaluation-number", once, '"tcbEvaluationDataNumber":20', '$&,"tcbEvaluationDataNumber":21'],
    ["duplicate-levels", once, /"tcbLevels":\[\{"tcb":\{"sgx/, '"tcbLevels":[],$&'],
    ["duplicate-status", once, '"tcbStatus":"OutOfDate"', '$&,"tcbStatus":"UpToDate"'],
    ["duplicate-svn", once, '{"svn":4,', '{"svn":4,"svn":0,'],
    ["duplicate-pce-svn", once, '"pcesvn":11', '"pcesvn":11,"pcesvn":0'],
    ["duplicate-key-escaped", once, '"fmspc":', '"fmsp\\u0063":"00806F050000","fmspc":'],
    ["trailing-space", "nothing follows the JSON", /$/, " "],
    ["trailing-object", "nothing follows the JSON", /$/, "{}"],
    ["trailing-zero", "nothing follows the JSON", /$/, "\0"],
    ["trailing-brace", "nothing follows the JSON", /$/, "}"],
    ["cut", "the JSON is whole", /\}$/, ""],
    ["leading-space", form, /^/, " "],
    ["byte-order-mark", form, /^/, "\ufeff"],
    ["inner-space", form, '"version":3', '"version": 3'],
    ["field-order", form, /("fmspc":"\w+"),("pceId":"\w+")/, "$2,$1"],
    ["field-order-in-level", form, /("tcbDate":"[^"]+"),("tcbStatus":"\w+")/, "$2,$1"],
    ["unknown-field", form, '"tcbType":0', '"tcbType":0,"more":0'],
    ["unknown-field-in-level", form, '"pcesvn":11', '"pcesvn":11,"more":0'],
    ["missing-pce-id", form, '"pceId":"0000",', ""],
    ["missing-module", form, /"tdxModule":\{[^}]+\},/, ""],
    ["missing-status", form, platformStatus, "$2"],
    ["missing-tdx-components", form, /,"tdxtcbcomponents":\[[^\]]+\]/, ""],
    ["lower-case-fmspc", form, "B0C06F000000", "b0c06f000000"],
    ["short-fmspc", form, "B0C06F000000", "B0C06F0000"],
    ["escaped-status", form, platformStatus, ',"tcbStatus":"UpToD\\u0061te"$2'],
    ["status-unknown", "the status is a known one", platformStatus, ',"tcbStatus":"Fine"$2'],
    ["status-of-other-case", "the status is a known one", platformStatus, ',"tcbStatus":"UPTODATE"$2'],
    ["duplicate-platform-status", once, platformStatus, ',"tcbStatus":"Revoked"$1$2'],
    ["date-with-offset", form, /("issueDate":"[^"]+)Z"/, '$1+00:00"'],
    ["date-that-does-not-exist", form, /"nextUpdate":"[^"]+"/, '"nextUpdate":"2027-02-30T00:00:00Z"'],
    ["date-with-fraction", form, /("issueDate":"[^"]+)Z"/, '$1.000Z"'],
    ["svn-256", range, '{"svn":5,', '{"svn":256,'],
    ["svn-260", range, '{"svn":4,', '{"svn":260,'],
    ["svn-negative", range, '{"svn":4,', '{"svn":-4,'],
    ["svn-in-quotes", form, '{"svn":4,', '{"svn":"4",'],
    ["svn-with-fraction", form, '{"svn":4,', '{"svn":4.0,'],
    ["svn-with-exponent", form, '{"svn":4,', '{"svn":4e0,'],
    ["svn-with-leading-zero", form, '{"svn":4,', '{"svn":04,'],
    ["pce-svn-65536", range, '"pcesvn":11', '"pcesvn":65536'],
    ["module-svn-256", range, '"isvsvn":11', '"isvsvn":256'],
    ["components-15", "a level has 16 components", ',{"svn":0}]', "]"],
    ["components-17", "a level has 16 components", '{"svn":0}]', '{"svn":0},{"svn":0}]'],
  ],
  qeIdentity: [
    ["duplicate-id", once, '"id":"TD_QE"', '"id":"QE","id":"TD_QE"'],
    ["duplicate-mr-signer", once, /"mrsigner":"\w+"/, `"mrsigner":"${"00".repeat(32)}",$&`],
    ["duplicate-isv-svn", once, '"isvsvn":4', '"isvsvn":4,"isvsvn":0'],
    ["duplicate-status", once, '"tcbStatus":"UpToDate"', '"tcbStatus":"Revoked","tcbStatus":"UpToDate"'],
    ["trailing-byte", "nothing follows the JSON", /$/, " "],
    ["trailing-object", "nothing follows the JSON", /$/, "{}"],
    ["unknown-field", form, '"isvprodid":2', '"isvprodid":2,"more":0'],
    ["missing-product", form, '"isvprodid":2,', ""],
    ["missing-mask", form, /"attributesMask":"\w+",/, ""],
    ["field-order", form, /("mrsigner":"\w+"),("isvprodid":2)/, "$2,$1"],
    ["short-mask", form, '"miscselectMask":"FFFFFFFF"', '"miscselectMask":"FFFFFF"'],
    ["isv-svn-65536", range, '"isvsvn":4', '"isvsvn":65536'],
    ["isv-svn-65540", range, '"isvsvn":4', '"isvsvn":65540'],
    ["product-65538", range, '"isvprodid":2', '"isvprodid":65538'],
    ["status-unknown", "the status is a known one", '"tcbStatus":"UpToDate"', '"tcbStatus":"Fine"'],
  ],
};

/** One forgery an exchange. */
export function* jsonForgeries(w: Workshop): Generator<Forgery> {
  for (const [item, prefix] of [
    ["tcbInfo", "tcb-info"],
    ["qeIdentity", "qe-identity"],
  ] as const) {
    for (const [name, check, from, to] of exchanges[item]) {
      yield w.forge("collateral", `${prefix}-json-${name}`, check, {
        collateral: w.json(item, (text) => text.replace(from, to)),
      });
    }
  }
}
