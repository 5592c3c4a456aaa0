declare module "secp256k1/bindings.js" {
  import secp256k1 = require("secp256k1");
  export default secp256k1;
}
