/** The chain that tests run against: the one of `npm start`. */
export { startChain, type TestChain, testAccount } from "../../scripts/localChain.ts";
