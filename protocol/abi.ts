/** ABIs of the contracts' interfaces. Generated from contracts/interfaces by `npm run abi`; do not edit. */

export const tdxVerifierAbi = [
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "rootX",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "rootY",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "Der_BadBoolean",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "Der_BadInteger",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "Der_BadLength",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "Der_TrailingBytes",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "end",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "Der_Truncated",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      },
      {
        "internalType": "uint8",
        "name": "tag",
        "type": "uint8"
      },
      {
        "internalType": "uint8",
        "name": "expected",
        "type": "uint8"
      }
    ],
    "name": "Der_UnexpectedTag",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "TdxVerifier_AuthDataTooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum PckCertificate",
        "name": "certificate",
        "type": "uint8"
      }
    ],
    "name": "TdxVerifier_BadCertificateSignature",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "TdxVerifier_BadPpid",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "TdxVerifier_BadQeReportSignature",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "TdxVerifier_BadQuoteSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "x",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "y",
        "type": "bytes32"
      }
    ],
    "name": "TdxVerifier_BadRootKey",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes8",
        "name": "seamAttributes",
        "type": "bytes8"
      }
    ],
    "name": "TdxVerifier_BadSeamAttributes",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum PckCertificate",
        "name": "certificate",
        "type": "uint8"
      },
      {
        "internalType": "uint64",
        "name": "notAfter",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "TdxVerifier_CertificateExpired",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum PckCertificate",
        "name": "certificate",
        "type": "uint8"
      },
      {
        "internalType": "uint64",
        "name": "notBefore",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "TdxVerifier_CertificateNotYetValid",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes8",
        "name": "tdAttributes",
        "type": "bytes8"
      }
    ],
    "name": "TdxVerifier_DebugTd",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "signatureData",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "certificationData",
        "type": "uint32"
      }
    ],
    "name": "TdxVerifier_InconsistentLengths",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "TdxVerifier_MissingSgxExtension",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actualHigh",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actualLow",
        "type": "bytes32"
      }
    ],
    "name": "TdxVerifier_QeReportDataMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "TdxVerifier_QuoteTooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "needed",
        "type": "uint256"
      }
    ],
    "name": "TdxVerifier_QuoteTruncated",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes8",
        "name": "tdAttributes",
        "type": "bytes8"
      }
    ],
    "name": "TdxVerifier_ReservedTdAttributes",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes8",
        "name": "tdAttributes",
        "type": "bytes8"
      }
    ],
    "name": "TdxVerifier_SeptVeEnabled",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes16",
        "name": "vendorId",
        "type": "bytes16"
      }
    ],
    "name": "TdxVerifier_UnknownQeVendor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "mrSignerSeamHash",
        "type": "bytes32"
      }
    ],
    "name": "TdxVerifier_UnknownSeamSigner",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "certificationType",
        "type": "uint16"
      }
    ],
    "name": "TdxVerifier_UnsupportedCertification",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "keyType",
        "type": "uint16"
      }
    ],
    "name": "TdxVerifier_UnsupportedKeyType",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "teeType",
        "type": "uint32"
      }
    ],
    "name": "TdxVerifier_UnsupportedTeeType",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "version",
        "type": "uint16"
      }
    ],
    "name": "TdxVerifier_UnsupportedVersion",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum PckCertificate",
        "name": "certificate",
        "type": "uint8"
      }
    ],
    "name": "TdxVerifier_WrongCertificateRole",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "issuerNamed",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "issuerGiven",
        "type": "bytes32"
      }
    ],
    "name": "TdxVerifier_WrongIssuer",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes16",
        "name": "attributes",
        "type": "bytes16"
      },
      {
        "internalType": "bytes4",
        "name": "miscSelect",
        "type": "bytes4"
      }
    ],
    "name": "TdxVerifier_WrongQeAttributes",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "productId",
        "type": "uint16"
      }
    ],
    "name": "TdxVerifier_WrongQeProduct",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "mrSigner",
        "type": "bytes32"
      }
    ],
    "name": "TdxVerifier_WrongQeSigner",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "X509_BadKeyUsage",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "X509_BadSerial",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "X509_BadSignatureEncoding",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "X509_BadTime",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "X509_DuplicateExtension",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "X509_TooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "X509_UnknownCriticalExtension",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "X509_UnsupportedAlgorithm",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "X509_UnsupportedKey",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "X509_UnsupportedVersion",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "rootKey",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "x",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "y",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes",
        "name": "quote",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "pckLeaf",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "pckIssuer",
        "type": "bytes"
      }
    ],
    "name": "verify",
    "outputs": [
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "platformId",
            "type": "bytes32"
          },
          {
            "internalType": "enum TcbStatus",
            "name": "tcbStatus",
            "type": "uint8"
          },
          {
            "internalType": "uint64",
            "name": "validUntil",
            "type": "uint64"
          }
        ],
        "internalType": "struct QuoteVerdict",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  }
] as const;

export const enclaveRegistryAbi = [
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signingKey",
        "type": "address"
      }
    ],
    "name": "EnclaveRegistry_AlreadyRegistered",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes16",
        "name": "tail",
        "type": "bytes16"
      }
    ],
    "name": "EnclaveRegistry_BadConfigIdPadding",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signingKey",
        "type": "address"
      }
    ],
    "name": "EnclaveRegistry_BadSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "EnclaveRegistry_BadVaultKeyLength",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "EnclaveRegistry_EndpointTooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "verifier",
        "type": "address"
      }
    ],
    "name": "EnclaveRegistry_NotAContract",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actualHigh",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actualLow",
        "type": "bytes32"
      }
    ],
    "name": "EnclaveRegistry_ReportDataMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint64",
        "name": "blockNumber",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "currentBlock",
        "type": "uint256"
      }
    ],
    "name": "EnclaveRegistry_StaleBlock",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signingKey",
        "type": "address"
      }
    ],
    "name": "EnclaveRegistry_UnknownEnclave",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint8",
        "name": "version",
        "type": "uint8"
      }
    ],
    "name": "EnclaveRegistry_UnsupportedConfigIdVersion",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "EnclaveRegistry_ZeroAddress",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "EnclaveRegistry_ZeroConfigId",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "EnclaveRegistry_ZeroMaxLife",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "signingKey",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "operator",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "workloadId",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "platformId",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "enum TcbStatus",
        "name": "tcbStatus",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "uint64",
        "name": "expiresAt",
        "type": "uint64"
      },
      {
        "indexed": false,
        "internalType": "bytes",
        "name": "vaultKey",
        "type": "bytes"
      },
      {
        "indexed": false,
        "internalType": "string",
        "name": "endpoint",
        "type": "string"
      }
    ],
    "name": "EnclaveRegistered",
    "type": "event"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signingKey",
        "type": "address"
      }
    ],
    "name": "enclave",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "expiresAt",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "registeredAtBlock",
            "type": "uint64"
          },
          {
            "internalType": "enum TcbStatus",
            "name": "tcbStatus",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "platformId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "vaultKeyHash",
            "type": "bytes32"
          }
        ],
        "internalType": "struct Enclave",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signingKey",
        "type": "address"
      }
    ],
    "name": "isLive",
    "outputs": [
      {
        "internalType": "bool",
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "maxLifeSeconds",
    "outputs": [
      {
        "internalType": "uint64",
        "name": "",
        "type": "uint64"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes",
        "name": "quote",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "pckLeaf",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "pckIssuer",
        "type": "bytes"
      },
      {
        "components": [
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "signingKey",
            "type": "address"
          },
          {
            "internalType": "bytes",
            "name": "vaultKey",
            "type": "bytes"
          },
          {
            "internalType": "string",
            "name": "endpoint",
            "type": "string"
          },
          {
            "internalType": "uint64",
            "name": "blockNumber",
            "type": "uint64"
          }
        ],
        "internalType": "struct RegistrationRequest",
        "name": "request",
        "type": "tuple"
      },
      {
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "register",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "workloadId",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "verifier",
    "outputs": [
      {
        "internalType": "address",
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  }
] as const;

export const datasetRegistryAbi = [
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      }
    ],
    "name": "DatasetRegistry_AlreadyRegistered",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "DatasetRegistry_BadMetadataLength",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "DatasetRegistry_BadUriLength",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "owner",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "DatasetRegistry_NonceAlreadyRevoked",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      },
      {
        "internalType": "address",
        "name": "caller",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "owner",
        "type": "address"
      }
    ],
    "name": "DatasetRegistry_NotOwner",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      }
    ],
    "name": "DatasetRegistry_UnknownDataset",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "DatasetRegistry_ZeroContentHash",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "DatasetRegistry_ZeroSize",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "owner",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "contentHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "salt",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint64",
        "name": "sizeBytes",
        "type": "uint64"
      },
      {
        "indexed": false,
        "internalType": "string",
        "name": "uri",
        "type": "string"
      },
      {
        "indexed": false,
        "internalType": "string",
        "name": "metadata",
        "type": "string"
      }
    ],
    "name": "DatasetRegistered",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "owner",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "GrantNonceRevoked",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "newEpoch",
        "type": "uint32"
      }
    ],
    "name": "GrantsRevoked",
    "type": "event"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      }
    ],
    "name": "consentOf",
    "outputs": [
      {
        "internalType": "address",
        "name": "owner",
        "type": "address"
      },
      {
        "internalType": "uint32",
        "name": "epoch",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      }
    ],
    "name": "dataset",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "owner",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "sizeBytes",
            "type": "uint64"
          },
          {
            "internalType": "uint32",
            "name": "epoch",
            "type": "uint32"
          },
          {
            "internalType": "bytes32",
            "name": "contentHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "metadataHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "salt",
            "type": "bytes32"
          },
          {
            "internalType": "string",
            "name": "uri",
            "type": "string"
          }
        ],
        "internalType": "struct Dataset",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "owner",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "isGrantNonceRevoked",
    "outputs": [
      {
        "internalType": "bool",
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "contentHash",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "salt",
        "type": "bytes32"
      },
      {
        "internalType": "uint64",
        "name": "sizeBytes",
        "type": "uint64"
      },
      {
        "internalType": "string",
        "name": "uri",
        "type": "string"
      },
      {
        "internalType": "string",
        "name": "metadata",
        "type": "string"
      }
    ],
    "name": "register",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      }
    ],
    "name": "revokeAllGrants",
    "outputs": [
      {
        "internalType": "uint32",
        "name": "newEpoch",
        "type": "uint32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "revokeGrantNonce",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;

export const jobMarketAbi = [
  {
    "inputs": [
      {
        "internalType": "uint64",
        "name": "anchorBlock",
        "type": "uint64"
      },
      {
        "internalType": "bytes32",
        "name": "anchorHash",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actualHash",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_BadAnchor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "count",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_BadDatasetCount",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limitSeconds",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_BadDeadline",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "JobMarket_BadSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_DeadlineNotPassed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_DeadlinePassed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signer",
        "type": "address"
      }
    ],
    "name": "JobMarket_EnclaveNotLive",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "failureFee",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "operatorFee",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_FailureFeeTooHigh",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "grantHash",
        "type": "bytes32"
      },
      {
        "internalType": "address",
        "name": "owner",
        "type": "address"
      }
    ],
    "name": "JobMarket_GrantBadSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "grants",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "datasets",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_GrantCountMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "position",
        "type": "uint256"
      },
      {
        "internalType": "bytes32",
        "name": "grantHash",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_GrantMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "grantHash",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_GrantNotForOrder",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "grantHash",
        "type": "bytes32"
      },
      {
        "internalType": "uint64",
        "name": "notBefore",
        "type": "uint64"
      },
      {
        "internalType": "uint64",
        "name": "notAfter",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_GrantNotInForce",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "grantHash",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_GrantRevoked",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "grantHash",
        "type": "bytes32"
      },
      {
        "internalType": "uint64",
        "name": "maxUses",
        "type": "uint64"
      }
    ],
    "name": "JobMarket_GrantUsedUp",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "account",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "token",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "credit",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_InsufficientCredit",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "requester",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_NonceUsed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "account",
        "type": "address"
      }
    ],
    "name": "JobMarket_NotAContract",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "internalType": "enum JobState",
        "name": "state",
        "type": "uint8"
      }
    ],
    "name": "JobMarket_NotOpen",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "caller",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "requester",
        "type": "address"
      }
    ],
    "name": "JobMarket_NotRequester",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actual",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_ParamsMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_ParamsTooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_ProgramUriTooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "receiptJobId",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_ReceiptForOtherJob",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_ReceiptMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "position",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "count",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_TooManyResultReaders",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "to",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_TransferFailed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      },
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_UnknownJob",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "token",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "received",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "expected",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_WrongAmountReceived",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signer",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "operator",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "expected",
        "type": "address"
      }
    ],
    "name": "JobMarket_WrongOperator",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "sent",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "expected",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_WrongValue",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signer",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "workloadId",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_WrongWorkload",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "JobMarket_ZeroReceiver",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "account",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "token",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      }
    ],
    "name": "Credited",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      }
    ],
    "name": "JobCancelled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      }
    ],
    "name": "JobExpired",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "requester",
        "type": "address"
      },
      {
        "components": [
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "internalType": "bytes32",
                "name": "datasetId",
                "type": "bytes32"
              },
              {
                "internalType": "bytes32",
                "name": "grantHash",
                "type": "bytes32"
              },
              {
                "internalType": "uint256",
                "name": "price",
                "type": "uint256"
              }
            ],
            "internalType": "struct DatasetUse[]",
            "name": "datasets",
            "type": "tuple[]"
          },
          {
            "internalType": "bytes32",
            "name": "resultKey",
            "type": "bytes32"
          },
          {
            "internalType": "address",
            "name": "token",
            "type": "address"
          },
          {
            "internalType": "uint256",
            "name": "operatorFee",
            "type": "uint256"
          },
          {
            "internalType": "uint256",
            "name": "failureFee",
            "type": "uint256"
          },
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          }
        ],
        "indexed": false,
        "internalType": "struct JobOrder",
        "name": "order",
        "type": "tuple"
      },
      {
        "indexed": false,
        "internalType": "string",
        "name": "programUri",
        "type": "string"
      },
      {
        "indexed": false,
        "internalType": "bytes",
        "name": "params",
        "type": "bytes"
      }
    ],
    "name": "JobOpened",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "signer",
        "type": "address"
      },
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "jobId",
            "type": "bytes32"
          },
          {
            "internalType": "enum ReceiptStatus",
            "name": "status",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "inputsRoot",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "grantsRoot",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "resultHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "outputCommitment",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "policyHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint64",
            "name": "fuelUsed",
            "type": "uint64"
          },
          {
            "internalType": "bytes32",
            "name": "logRoot",
            "type": "bytes32"
          },
          {
            "internalType": "uint64",
            "name": "logSize",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "anchorBlock",
            "type": "uint64"
          },
          {
            "internalType": "bytes32",
            "name": "anchorHash",
            "type": "bytes32"
          },
          {
            "internalType": "enum FailureCode",
            "name": "failureCode",
            "type": "uint8"
          }
        ],
        "indexed": false,
        "internalType": "struct Receipt",
        "name": "receipt",
        "type": "tuple"
      },
      {
        "indexed": false,
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "JobSettled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "account",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "token",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "to",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      }
    ],
    "name": "Withdrawn",
    "type": "event"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      },
      {
        "components": [
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "internalType": "bytes32",
                "name": "datasetId",
                "type": "bytes32"
              },
              {
                "internalType": "bytes32",
                "name": "grantHash",
                "type": "bytes32"
              },
              {
                "internalType": "uint256",
                "name": "price",
                "type": "uint256"
              }
            ],
            "internalType": "struct DatasetUse[]",
            "name": "datasets",
            "type": "tuple[]"
          },
          {
            "internalType": "bytes32",
            "name": "resultKey",
            "type": "bytes32"
          },
          {
            "internalType": "address",
            "name": "token",
            "type": "address"
          },
          {
            "internalType": "uint256",
            "name": "operatorFee",
            "type": "uint256"
          },
          {
            "internalType": "uint256",
            "name": "failureFee",
            "type": "uint256"
          },
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          }
        ],
        "internalType": "struct JobOrder",
        "name": "order",
        "type": "tuple"
      }
    ],
    "name": "cancel",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "account",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "token",
        "type": "address"
      }
    ],
    "name": "creditOf",
    "outputs": [
      {
        "internalType": "uint256",
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "datasets",
    "outputs": [
      {
        "internalType": "address",
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "enclaves",
    "outputs": [
      {
        "internalType": "address",
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      },
      {
        "components": [
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "internalType": "bytes32",
                "name": "datasetId",
                "type": "bytes32"
              },
              {
                "internalType": "bytes32",
                "name": "grantHash",
                "type": "bytes32"
              },
              {
                "internalType": "uint256",
                "name": "price",
                "type": "uint256"
              }
            ],
            "internalType": "struct DatasetUse[]",
            "name": "datasets",
            "type": "tuple[]"
          },
          {
            "internalType": "bytes32",
            "name": "resultKey",
            "type": "bytes32"
          },
          {
            "internalType": "address",
            "name": "token",
            "type": "address"
          },
          {
            "internalType": "uint256",
            "name": "operatorFee",
            "type": "uint256"
          },
          {
            "internalType": "uint256",
            "name": "failureFee",
            "type": "uint256"
          },
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          }
        ],
        "internalType": "struct JobOrder",
        "name": "order",
        "type": "tuple"
      }
    ],
    "name": "expire",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "grantHash",
        "type": "bytes32"
      }
    ],
    "name": "grantUses",
    "outputs": [
      {
        "internalType": "uint64",
        "name": "",
        "type": "uint64"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "datasetId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "token",
            "type": "address"
          },
          {
            "internalType": "uint256",
            "name": "pricePerUse",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "maxUses",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "notBefore",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "notAfter",
            "type": "uint64"
          },
          {
            "internalType": "bytes32[]",
            "name": "resultReaders",
            "type": "bytes32[]"
          },
          {
            "internalType": "uint32",
            "name": "epoch",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          }
        ],
        "internalType": "struct Grant",
        "name": "grant",
        "type": "tuple"
      }
    ],
    "name": "hashGrant",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "internalType": "bytes32",
                "name": "datasetId",
                "type": "bytes32"
              },
              {
                "internalType": "bytes32",
                "name": "grantHash",
                "type": "bytes32"
              },
              {
                "internalType": "uint256",
                "name": "price",
                "type": "uint256"
              }
            ],
            "internalType": "struct DatasetUse[]",
            "name": "datasets",
            "type": "tuple[]"
          },
          {
            "internalType": "bytes32",
            "name": "resultKey",
            "type": "bytes32"
          },
          {
            "internalType": "address",
            "name": "token",
            "type": "address"
          },
          {
            "internalType": "uint256",
            "name": "operatorFee",
            "type": "uint256"
          },
          {
            "internalType": "uint256",
            "name": "failureFee",
            "type": "uint256"
          },
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          }
        ],
        "internalType": "struct JobOrder",
        "name": "order",
        "type": "tuple"
      }
    ],
    "name": "hashOrder",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "jobId",
            "type": "bytes32"
          },
          {
            "internalType": "enum ReceiptStatus",
            "name": "status",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "inputsRoot",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "grantsRoot",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "resultHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "outputCommitment",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "policyHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint64",
            "name": "fuelUsed",
            "type": "uint64"
          },
          {
            "internalType": "bytes32",
            "name": "logRoot",
            "type": "bytes32"
          },
          {
            "internalType": "uint64",
            "name": "logSize",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "anchorBlock",
            "type": "uint64"
          },
          {
            "internalType": "bytes32",
            "name": "anchorHash",
            "type": "bytes32"
          },
          {
            "internalType": "enum FailureCode",
            "name": "failureCode",
            "type": "uint8"
          }
        ],
        "internalType": "struct Receipt",
        "name": "receipt",
        "type": "tuple"
      }
    ],
    "name": "hashReceipt",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "requester",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "isNonceUsed",
    "outputs": [
      {
        "internalType": "bool",
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "jobCount",
    "outputs": [
      {
        "internalType": "uint256",
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      },
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      }
    ],
    "name": "jobState",
    "outputs": [
      {
        "internalType": "enum JobState",
        "name": "",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "internalType": "bytes32",
                "name": "datasetId",
                "type": "bytes32"
              },
              {
                "internalType": "bytes32",
                "name": "grantHash",
                "type": "bytes32"
              },
              {
                "internalType": "uint256",
                "name": "price",
                "type": "uint256"
              }
            ],
            "internalType": "struct DatasetUse[]",
            "name": "datasets",
            "type": "tuple[]"
          },
          {
            "internalType": "bytes32",
            "name": "resultKey",
            "type": "bytes32"
          },
          {
            "internalType": "address",
            "name": "token",
            "type": "address"
          },
          {
            "internalType": "uint256",
            "name": "operatorFee",
            "type": "uint256"
          },
          {
            "internalType": "uint256",
            "name": "failureFee",
            "type": "uint256"
          },
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          }
        ],
        "internalType": "struct JobOrder",
        "name": "order",
        "type": "tuple"
      },
      {
        "internalType": "string",
        "name": "programUri",
        "type": "string"
      },
      {
        "internalType": "bytes",
        "name": "params",
        "type": "bytes"
      }
    ],
    "name": "open",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      }
    ],
    "stateMutability": "payable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "internalType": "bytes32",
                "name": "datasetId",
                "type": "bytes32"
              },
              {
                "internalType": "bytes32",
                "name": "grantHash",
                "type": "bytes32"
              },
              {
                "internalType": "uint256",
                "name": "price",
                "type": "uint256"
              }
            ],
            "internalType": "struct DatasetUse[]",
            "name": "datasets",
            "type": "tuple[]"
          },
          {
            "internalType": "bytes32",
            "name": "resultKey",
            "type": "bytes32"
          },
          {
            "internalType": "address",
            "name": "token",
            "type": "address"
          },
          {
            "internalType": "uint256",
            "name": "operatorFee",
            "type": "uint256"
          },
          {
            "internalType": "uint256",
            "name": "failureFee",
            "type": "uint256"
          },
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          }
        ],
        "internalType": "struct JobOrder",
        "name": "order",
        "type": "tuple"
      },
      {
        "internalType": "string",
        "name": "programUri",
        "type": "string"
      },
      {
        "internalType": "bytes",
        "name": "params",
        "type": "bytes"
      },
      {
        "internalType": "uint256",
        "name": "permitDeadline",
        "type": "uint256"
      },
      {
        "internalType": "uint8",
        "name": "v",
        "type": "uint8"
      },
      {
        "internalType": "bytes32",
        "name": "r",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "s",
        "type": "bytes32"
      }
    ],
    "name": "openWithPermit",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "index",
        "type": "uint256"
      },
      {
        "components": [
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "internalType": "bytes32",
                "name": "datasetId",
                "type": "bytes32"
              },
              {
                "internalType": "bytes32",
                "name": "grantHash",
                "type": "bytes32"
              },
              {
                "internalType": "uint256",
                "name": "price",
                "type": "uint256"
              }
            ],
            "internalType": "struct DatasetUse[]",
            "name": "datasets",
            "type": "tuple[]"
          },
          {
            "internalType": "bytes32",
            "name": "resultKey",
            "type": "bytes32"
          },
          {
            "internalType": "address",
            "name": "token",
            "type": "address"
          },
          {
            "internalType": "uint256",
            "name": "operatorFee",
            "type": "uint256"
          },
          {
            "internalType": "uint256",
            "name": "failureFee",
            "type": "uint256"
          },
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          }
        ],
        "internalType": "struct JobOrder",
        "name": "order",
        "type": "tuple"
      },
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "jobId",
            "type": "bytes32"
          },
          {
            "internalType": "enum ReceiptStatus",
            "name": "status",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "programId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "inputsRoot",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "grantsRoot",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "resultHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "outputCommitment",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "policyHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint64",
            "name": "fuelUsed",
            "type": "uint64"
          },
          {
            "internalType": "bytes32",
            "name": "logRoot",
            "type": "bytes32"
          },
          {
            "internalType": "uint64",
            "name": "logSize",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "anchorBlock",
            "type": "uint64"
          },
          {
            "internalType": "bytes32",
            "name": "anchorHash",
            "type": "bytes32"
          },
          {
            "internalType": "enum FailureCode",
            "name": "failureCode",
            "type": "uint8"
          }
        ],
        "internalType": "struct Receipt",
        "name": "receipt",
        "type": "tuple"
      },
      {
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      },
      {
        "components": [
          {
            "components": [
              {
                "internalType": "bytes32",
                "name": "datasetId",
                "type": "bytes32"
              },
              {
                "internalType": "bytes32",
                "name": "programId",
                "type": "bytes32"
              },
              {
                "internalType": "bytes32",
                "name": "workloadId",
                "type": "bytes32"
              },
              {
                "internalType": "address",
                "name": "requester",
                "type": "address"
              },
              {
                "internalType": "address",
                "name": "operator",
                "type": "address"
              },
              {
                "internalType": "address",
                "name": "token",
                "type": "address"
              },
              {
                "internalType": "uint256",
                "name": "pricePerUse",
                "type": "uint256"
              },
              {
                "internalType": "uint64",
                "name": "maxUses",
                "type": "uint64"
              },
              {
                "internalType": "uint64",
                "name": "notBefore",
                "type": "uint64"
              },
              {
                "internalType": "uint64",
                "name": "notAfter",
                "type": "uint64"
              },
              {
                "internalType": "bytes32[]",
                "name": "resultReaders",
                "type": "bytes32[]"
              },
              {
                "internalType": "uint32",
                "name": "epoch",
                "type": "uint32"
              },
              {
                "internalType": "uint256",
                "name": "nonce",
                "type": "uint256"
              }
            ],
            "internalType": "struct Grant",
            "name": "grant",
            "type": "tuple"
          },
          {
            "internalType": "bytes",
            "name": "signature",
            "type": "bytes"
          }
        ],
        "internalType": "struct SignedGrant[]",
        "name": "grants",
        "type": "tuple[]"
      }
    ],
    "name": "settle",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "token",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "to",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      }
    ],
    "name": "withdraw",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;
