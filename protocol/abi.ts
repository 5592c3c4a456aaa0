/** ABIs of the contracts' interfaces. Generated from contracts/interfaces by `npm run abi`; do not edit. */

export const tdxVerifierAbi = [
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "collateral_",
        "type": "address"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "constructor"
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
    "inputs": [],
    "name": "TdxVerifier_BadCertificateSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "allowedTcb",
        "type": "uint16"
      }
    ],
    "name": "TdxVerifier_BadPolicy",
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
        "internalType": "uint8",
        "name": "field",
        "type": "uint8"
      }
    ],
    "name": "TdxVerifier_BadSgxExtension",
    "type": "error"
  },
  {
    "inputs": [
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
        "internalType": "uint160",
        "name": "serial",
        "type": "uint160"
      }
    ],
    "name": "TdxVerifier_CertificateRevoked",
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
    "name": "TdxVerifier_CertificateTooLong",
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
        "name": "chain",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "certificationData",
        "type": "uint32"
      }
    ],
    "name": "TdxVerifier_InconsistentChainLength",
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
    "inputs": [
      {
        "internalType": "uint16",
        "name": "issuer",
        "type": "uint16"
      }
    ],
    "name": "TdxVerifier_IssuerRevoked",
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
    "name": "TdxVerifier_MalformedCertificate",
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
        "internalType": "address",
        "name": "collateral",
        "type": "address"
      }
    ],
    "name": "TdxVerifier_NotAContract",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes2",
        "name": "platform",
        "type": "bytes2"
      },
      {
        "internalType": "bytes2",
        "name": "tcbInfo",
        "type": "bytes2"
      }
    ],
    "name": "TdxVerifier_PceIdMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "recorded",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      }
    ],
    "name": "TdxVerifier_PlatformNotRecorded",
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
        "internalType": "bytes32",
        "name": "mrServiceTdHash",
        "type": "bytes32"
      }
    ],
    "name": "TdxVerifier_ServiceTdBound",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum TcbStatus",
        "name": "status",
        "type": "uint8"
      },
      {
        "internalType": "uint16",
        "name": "allowedTcb",
        "type": "uint16"
      }
    ],
    "name": "TdxVerifier_TcbStatusNotAllowed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "end",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      }
    ],
    "name": "TdxVerifier_TrailingBytes",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "keyX",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "keyY",
        "type": "bytes32"
      }
    ],
    "name": "TdxVerifier_UnknownIssuer",
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
        "name": "bodyType",
        "type": "uint16"
      },
      {
        "internalType": "uint32",
        "name": "size",
        "type": "uint32"
      }
    ],
    "name": "TdxVerifier_UnsupportedBody",
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
        "internalType": "bool",
        "name": "isCa",
        "type": "bool"
      },
      {
        "internalType": "bool",
        "name": "maySign",
        "type": "bool"
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
        "name": "expected",
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
        "internalType": "bytes16",
        "name": "mask",
        "type": "bytes16"
      },
      {
        "internalType": "bytes16",
        "name": "expected",
        "type": "bytes16"
      }
    ],
    "name": "TdxVerifier_WrongQeAttributes",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes4",
        "name": "miscSelect",
        "type": "bytes4"
      },
      {
        "internalType": "bytes4",
        "name": "mask",
        "type": "bytes4"
      },
      {
        "internalType": "bytes4",
        "name": "expected",
        "type": "bytes4"
      }
    ],
    "name": "TdxVerifier_WrongQeMiscSelect",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "productId",
        "type": "uint16"
      },
      {
        "internalType": "uint16",
        "name": "expected",
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
      },
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      }
    ],
    "name": "TdxVerifier_WrongQeSigner",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "hint",
        "type": "uint16"
      },
      {
        "internalType": "uint160",
        "name": "serial",
        "type": "uint160"
      }
    ],
    "name": "TdxVerifier_WrongRevocationHint",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "subject",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      }
    ],
    "name": "TdxVerifier_WrongSubject",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "pckId",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "platformHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "attestationKeyHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint16",
        "name": "qeIsvSvn",
        "type": "uint16"
      }
    ],
    "name": "PlatformRecorded",
    "type": "event"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "components": [
              {
                "components": [
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
                "internalType": "struct P256Key",
                "name": "pckKey",
                "type": "tuple"
              },
              {
                "internalType": "bytes16",
                "name": "platformId",
                "type": "bytes16"
              },
              {
                "internalType": "uint160",
                "name": "serial",
                "type": "uint160"
              },
              {
                "internalType": "uint64",
                "name": "notAfter",
                "type": "uint64"
              },
              {
                "internalType": "uint16",
                "name": "issuer",
                "type": "uint16"
              },
              {
                "internalType": "bytes6",
                "name": "fmspc",
                "type": "bytes6"
              },
              {
                "internalType": "bytes2",
                "name": "pceId",
                "type": "bytes2"
              },
              {
                "internalType": "uint16",
                "name": "pceSvn",
                "type": "uint16"
              },
              {
                "internalType": "bytes16",
                "name": "componentSvns",
                "type": "bytes16"
              }
            ],
            "internalType": "struct Platform",
            "name": "platform",
            "type": "tuple"
          },
          {
            "internalType": "bytes16",
            "name": "teeTcbSvn",
            "type": "bytes16"
          },
          {
            "internalType": "bytes16",
            "name": "currentTeeTcbSvn",
            "type": "bytes16"
          },
          {
            "internalType": "uint16",
            "name": "qeIsvSvn",
            "type": "uint16"
          }
        ],
        "internalType": "struct TcbEvidence",
        "name": "tcb",
        "type": "tuple"
      },
      {
        "internalType": "uint16",
        "name": "revocationHint",
        "type": "uint16"
      }
    ],
    "name": "assess",
    "outputs": [
      {
        "components": [
          {
            "internalType": "enum TcbStatus",
            "name": "tcbStatus",
            "type": "uint8"
          },
          {
            "internalType": "enum TcbStatus",
            "name": "platform",
            "type": "uint8"
          },
          {
            "internalType": "enum TcbStatus",
            "name": "module_",
            "type": "uint8"
          },
          {
            "internalType": "enum TcbStatus",
            "name": "qe",
            "type": "uint8"
          },
          {
            "internalType": "bool",
            "name": "certificateRevoked",
            "type": "bool"
          },
          {
            "internalType": "uint64",
            "name": "validUntil",
            "type": "uint64"
          },
          {
            "internalType": "uint24[]",
            "name": "advisoryIds",
            "type": "uint24[]"
          }
        ],
        "internalType": "struct TcbAssessment",
        "name": "assessment",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "collateral",
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
        "internalType": "bytes32",
        "name": "pckId",
        "type": "bytes32"
      }
    ],
    "name": "platformRecord",
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
        "components": [
          {
            "internalType": "bytes",
            "name": "pckLeaf",
            "type": "bytes"
          },
          {
            "components": [
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
            "internalType": "struct P256Key",
            "name": "issuerKey",
            "type": "tuple"
          },
          {
            "components": [
              {
                "components": [
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
                "internalType": "struct P256Key",
                "name": "pckKey",
                "type": "tuple"
              },
              {
                "internalType": "bytes16",
                "name": "platformId",
                "type": "bytes16"
              },
              {
                "internalType": "uint160",
                "name": "serial",
                "type": "uint160"
              },
              {
                "internalType": "uint64",
                "name": "notAfter",
                "type": "uint64"
              },
              {
                "internalType": "uint16",
                "name": "issuer",
                "type": "uint16"
              },
              {
                "internalType": "bytes6",
                "name": "fmspc",
                "type": "bytes6"
              },
              {
                "internalType": "bytes2",
                "name": "pceId",
                "type": "bytes2"
              },
              {
                "internalType": "uint16",
                "name": "pceSvn",
                "type": "uint16"
              },
              {
                "internalType": "bytes16",
                "name": "componentSvns",
                "type": "bytes16"
              }
            ],
            "internalType": "struct Platform",
            "name": "platform",
            "type": "tuple"
          },
          {
            "internalType": "bytes32",
            "name": "attestationKeyHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint16",
            "name": "qeIsvSvn",
            "type": "uint16"
          },
          {
            "internalType": "uint16",
            "name": "revocationHint",
            "type": "uint16"
          }
        ],
        "internalType": "struct Evidence",
        "name": "evidence",
        "type": "tuple"
      },
      {
        "internalType": "uint16",
        "name": "allowedTcb",
        "type": "uint16"
      }
    ],
    "name": "verify",
    "outputs": [
      {
        "components": [
          {
            "components": [
              {
                "components": [
                  {
                    "components": [
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
                    "internalType": "struct P256Key",
                    "name": "pckKey",
                    "type": "tuple"
                  },
                  {
                    "internalType": "bytes16",
                    "name": "platformId",
                    "type": "bytes16"
                  },
                  {
                    "internalType": "uint160",
                    "name": "serial",
                    "type": "uint160"
                  },
                  {
                    "internalType": "uint64",
                    "name": "notAfter",
                    "type": "uint64"
                  },
                  {
                    "internalType": "uint16",
                    "name": "issuer",
                    "type": "uint16"
                  },
                  {
                    "internalType": "bytes6",
                    "name": "fmspc",
                    "type": "bytes6"
                  },
                  {
                    "internalType": "bytes2",
                    "name": "pceId",
                    "type": "bytes2"
                  },
                  {
                    "internalType": "uint16",
                    "name": "pceSvn",
                    "type": "uint16"
                  },
                  {
                    "internalType": "bytes16",
                    "name": "componentSvns",
                    "type": "bytes16"
                  }
                ],
                "internalType": "struct Platform",
                "name": "platform",
                "type": "tuple"
              },
              {
                "internalType": "bytes16",
                "name": "teeTcbSvn",
                "type": "bytes16"
              },
              {
                "internalType": "bytes16",
                "name": "currentTeeTcbSvn",
                "type": "bytes16"
              },
              {
                "internalType": "uint16",
                "name": "qeIsvSvn",
                "type": "uint16"
              }
            ],
            "internalType": "struct TcbEvidence",
            "name": "tcb",
            "type": "tuple"
          },
          {
            "internalType": "bytes32",
            "name": "tcbEvidenceHash",
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
        "name": "verdict",
        "type": "tuple"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;

export const tdxCollateralAbi = [
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
      },
      {
        "internalType": "uint16",
        "name": "minimumEvaluationNumber_",
        "type": "uint16"
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
    "name": "Crl_BadReason",
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
    "name": "Crl_DuplicateExtension",
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
    "name": "Crl_EmptyField",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "Crl_MissingNumber",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "place",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "serial",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "previous",
        "type": "uint256"
      }
    ],
    "name": "Crl_NotAscending",
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
    "name": "Crl_TooLong",
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
    "name": "Crl_TooManyEntries",
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
    "name": "Crl_UnknownCriticalExtension",
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
    "name": "Crl_UnsupportedVersion",
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
        "name": "expected",
        "type": "uint256"
      }
    ],
    "name": "Crl_WrongOrderLength",
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
        "name": "place",
        "type": "uint256"
      }
    ],
    "name": "Crl_WrongPlace",
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
    "name": "FastLz_PackedTooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "FastLz_TooLong",
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
    "name": "Json_BadDate",
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
    "name": "Json_BadHex",
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
    "name": "Json_NumberTooLarge",
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
    "name": "Json_TooLong",
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
    "name": "Json_Unexpected",
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
        "name": "version",
        "type": "uint256"
      }
    ],
    "name": "TcbInfoJson_DuplicateModule",
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
    "name": "TcbInfoJson_UnsupportedModule",
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
    "name": "TcbLevelJson_TooMany",
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
    "name": "TcbLevelJson_UnknownStatus",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "authority",
        "type": "uint16"
      },
      {
        "internalType": "uint160",
        "name": "serial",
        "type": "uint160"
      }
    ],
    "name": "TdxCollateral_AuthorityRevoked",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "TdxCollateral_BadCertificateSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum CollateralKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "uint64",
        "name": "issuedAt",
        "type": "uint64"
      },
      {
        "internalType": "uint64",
        "name": "nextUpdate",
        "type": "uint64"
      }
    ],
    "name": "TdxCollateral_BadDates",
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
    "name": "TdxCollateral_BadRootKey",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum CollateralKind",
        "name": "kind",
        "type": "uint8"
      }
    ],
    "name": "TdxCollateral_BadSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      }
    ],
    "name": "TdxCollateral_BadSignatureLength",
    "type": "error"
  },
  {
    "inputs": [
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
    "name": "TdxCollateral_CertificateExpired",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint64",
        "name": "recorded",
        "type": "uint64"
      },
      {
        "internalType": "uint64",
        "name": "given",
        "type": "uint64"
      }
    ],
    "name": "TdxCollateral_CertificateNotNewer",
    "type": "error"
  },
  {
    "inputs": [
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
    "name": "TdxCollateral_CertificateNotYetValid",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum CollateralKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "uint64",
        "name": "nextUpdate",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "TdxCollateral_Expired",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum CollateralKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "uint64",
        "name": "issuedAt",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "TdxCollateral_IssuedInFuture",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "authority",
        "type": "uint16"
      },
      {
        "internalType": "enum AuthorityRole",
        "name": "recorded",
        "type": "uint8"
      },
      {
        "internalType": "enum AuthorityRole",
        "name": "given",
        "type": "uint8"
      }
    ],
    "name": "TdxCollateral_KeyHasAnotherRole",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum CollateralKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "uint16",
        "name": "recorded",
        "type": "uint16"
      },
      {
        "internalType": "uint256",
        "name": "given",
        "type": "uint256"
      }
    ],
    "name": "TdxCollateral_LowerNumber",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum CollateralKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "bytes32",
        "name": "id",
        "type": "bytes32"
      }
    ],
    "name": "TdxCollateral_Missing",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum CollateralKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "uint64",
        "name": "recorded",
        "type": "uint64"
      },
      {
        "internalType": "uint64",
        "name": "given",
        "type": "uint64"
      }
    ],
    "name": "TdxCollateral_NotNewer",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum CollateralKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "uint256",
        "name": "given",
        "type": "uint256"
      },
      {
        "internalType": "uint16",
        "name": "minimum",
        "type": "uint16"
      }
    ],
    "name": "TdxCollateral_NumberOutOfRange",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "keyX",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "keyY",
        "type": "bytes32"
      }
    ],
    "name": "TdxCollateral_UnknownAuthority",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "number",
        "type": "uint16"
      }
    ],
    "name": "TdxCollateral_UnknownAuthorityNumber",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "subjectHash",
        "type": "bytes32"
      }
    ],
    "name": "TdxCollateral_UnknownSubject",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum AuthorityRole",
        "name": "role",
        "type": "uint8"
      },
      {
        "internalType": "bool",
        "name": "isCa",
        "type": "bool"
      },
      {
        "internalType": "bool",
        "name": "mayCertify",
        "type": "bool"
      },
      {
        "internalType": "bool",
        "name": "mayRevoke",
        "type": "bool"
      },
      {
        "internalType": "bool",
        "name": "maySign",
        "type": "bool"
      }
    ],
    "name": "TdxCollateral_WrongCertificateRole",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "issuerHash",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      }
    ],
    "name": "TdxCollateral_WrongIssuer",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "authority",
        "type": "uint16"
      },
      {
        "internalType": "enum AuthorityRole",
        "name": "role",
        "type": "uint8"
      },
      {
        "internalType": "enum CollateralKind",
        "name": "kind",
        "type": "uint8"
      }
    ],
    "name": "TdxCollateral_WrongRole",
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
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "uint16",
        "name": "authority",
        "type": "uint16"
      },
      {
        "indexed": true,
        "internalType": "enum AuthorityRole",
        "name": "role",
        "type": "uint8"
      },
      {
        "components": [
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
        "indexed": false,
        "internalType": "struct P256Key",
        "name": "key",
        "type": "tuple"
      },
      {
        "indexed": false,
        "internalType": "uint160",
        "name": "serial",
        "type": "uint160"
      },
      {
        "indexed": false,
        "internalType": "uint64",
        "name": "notAfter",
        "type": "uint64"
      }
    ],
    "name": "AuthorityRecorded",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "uint16",
        "name": "authority",
        "type": "uint16"
      },
      {
        "indexed": false,
        "internalType": "uint160",
        "name": "serial",
        "type": "uint160"
      }
    ],
    "name": "AuthorityRevoked",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "enum CollateralKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "id",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "data",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "issuedAt",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "nextUpdate",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint16",
        "name": "number",
        "type": "uint16"
      },
      {
        "indexed": false,
        "internalType": "uint16",
        "name": "signer",
        "type": "uint16"
      }
    ],
    "name": "CollateralRecorded",
    "type": "event"
  },
  {
    "inputs": [
      {
        "internalType": "bytes",
        "name": "certificate",
        "type": "bytes"
      }
    ],
    "name": "addAuthority",
    "outputs": [
      {
        "internalType": "uint16",
        "name": "number",
        "type": "uint16"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "number",
        "type": "uint16"
      }
    ],
    "name": "authority",
    "outputs": [
      {
        "components": [
          {
            "internalType": "uint160",
            "name": "serial",
            "type": "uint160"
          },
          {
            "internalType": "uint64",
            "name": "notAfter",
            "type": "uint64"
          },
          {
            "internalType": "enum AuthorityRole",
            "name": "role",
            "type": "uint8"
          },
          {
            "internalType": "bool",
            "name": "revoked",
            "type": "bool"
          }
        ],
        "internalType": "struct Authority",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "authorityCount",
    "outputs": [
      {
        "internalType": "uint16",
        "name": "",
        "type": "uint16"
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
            "name": "x",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "y",
            "type": "bytes32"
          }
        ],
        "internalType": "struct P256Key",
        "name": "key",
        "type": "tuple"
      }
    ],
    "name": "authorityNumber",
    "outputs": [
      {
        "internalType": "uint16",
        "name": "",
        "type": "uint16"
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
            "name": "x",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "y",
            "type": "bytes32"
          }
        ],
        "internalType": "struct P256Key",
        "name": "key",
        "type": "tuple"
      }
    ],
    "name": "findAuthority",
    "outputs": [
      {
        "internalType": "uint16",
        "name": "number",
        "type": "uint16"
      },
      {
        "internalType": "enum AuthorityRole",
        "name": "role",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes6",
        "name": "fmspc",
        "type": "bytes6"
      },
      {
        "internalType": "uint16",
        "name": "issuer",
        "type": "uint16"
      }
    ],
    "name": "inForce",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "tcbInfo",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "qeIdentity",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "pckCrl",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "validUntil",
            "type": "uint64"
          },
          {
            "internalType": "bool",
            "name": "issuerRevoked",
            "type": "bool"
          }
        ],
        "internalType": "struct InForce",
        "name": "result",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "minimumEvaluationNumber",
    "outputs": [
      {
        "internalType": "uint16",
        "name": "",
        "type": "uint16"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "issuer",
        "type": "uint16"
      }
    ],
    "name": "pckCrl",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "data",
            "type": "address"
          },
          {
            "internalType": "uint32",
            "name": "issuedAt",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "nextUpdate",
            "type": "uint32"
          },
          {
            "internalType": "uint16",
            "name": "number",
            "type": "uint16"
          },
          {
            "internalType": "uint16",
            "name": "signer",
            "type": "uint16"
          }
        ],
        "internalType": "struct CollateralItem",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "qeIdentity",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "data",
            "type": "address"
          },
          {
            "internalType": "uint32",
            "name": "issuedAt",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "nextUpdate",
            "type": "uint32"
          },
          {
            "internalType": "uint16",
            "name": "number",
            "type": "uint16"
          },
          {
            "internalType": "uint16",
            "name": "signer",
            "type": "uint16"
          }
        ],
        "internalType": "struct CollateralItem",
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
        "internalType": "uint16",
        "name": "issuer",
        "type": "uint16"
      },
      {
        "internalType": "uint160",
        "name": "serial",
        "type": "uint160"
      }
    ],
    "name": "revocationHint",
    "outputs": [
      {
        "internalType": "uint16",
        "name": "place",
        "type": "uint16"
      },
      {
        "internalType": "bool",
        "name": "revoked",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "rootCrl",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "data",
            "type": "address"
          },
          {
            "internalType": "uint32",
            "name": "issuedAt",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "nextUpdate",
            "type": "uint32"
          },
          {
            "internalType": "uint16",
            "name": "number",
            "type": "uint16"
          },
          {
            "internalType": "uint16",
            "name": "signer",
            "type": "uint16"
          }
        ],
        "internalType": "struct CollateralItem",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
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
        "internalType": "bytes6",
        "name": "fmspc",
        "type": "bytes6"
      }
    ],
    "name": "tcbInfo",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "data",
            "type": "address"
          },
          {
            "internalType": "uint32",
            "name": "issuedAt",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "nextUpdate",
            "type": "uint32"
          },
          {
            "internalType": "uint16",
            "name": "number",
            "type": "uint16"
          },
          {
            "internalType": "uint16",
            "name": "signer",
            "type": "uint16"
          }
        ],
        "internalType": "struct CollateralItem",
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
        "components": [
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
        "internalType": "struct P256Key",
        "name": "issuer",
        "type": "tuple"
      },
      {
        "internalType": "bytes",
        "name": "crl",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "order",
        "type": "bytes"
      }
    ],
    "name": "upsertPckCrl",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
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
        "internalType": "struct P256Key",
        "name": "signer",
        "type": "tuple"
      },
      {
        "internalType": "bytes",
        "name": "identity",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "upsertQeIdentity",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes",
        "name": "crl",
        "type": "bytes"
      }
    ],
    "name": "upsertRootCrl",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
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
        "internalType": "struct P256Key",
        "name": "signer",
        "type": "tuple"
      },
      {
        "internalType": "bytes",
        "name": "compressed",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "upsertTcbInfo",
    "outputs": [],
    "stateMutability": "nonpayable",
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
    "name": "EnclaveRegistry_AppConfigMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint64",
        "name": "validUntil",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "EnclaveRegistry_AuthorizationExpired",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint8",
        "name": "version",
        "type": "uint8"
      },
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      }
    ],
    "name": "EnclaveRegistry_BadAppConfigLength",
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
    "name": "EnclaveRegistry_BadConfigDocument",
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
        "internalType": "uint64",
        "name": "maxLifeSeconds",
        "type": "uint64"
      }
    ],
    "name": "EnclaveRegistry_BadMaxLife",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "allowedTcb",
        "type": "uint16"
      }
    ],
    "name": "EnclaveRegistry_BadPolicy",
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
        "internalType": "address",
        "name": "signingKey",
        "type": "address"
      },
      {
        "internalType": "enum EnclaveState",
        "name": "state",
        "type": "uint8"
      }
    ],
    "name": "EnclaveRegistry_Ended",
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
        "internalType": "bytes16",
        "name": "recorded",
        "type": "bytes16"
      },
      {
        "internalType": "bytes16",
        "name": "given",
        "type": "bytes16"
      }
    ],
    "name": "EnclaveRegistry_EvidenceMismatch",
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
        "internalType": "address",
        "name": "signingKey",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "operator",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "caller",
        "type": "address"
      }
    ],
    "name": "EnclaveRegistry_NotOperator",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "operator",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "agent",
        "type": "address"
      }
    ],
    "name": "EnclaveRegistry_OperatorNotAuthorized",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes16",
        "name": "registered",
        "type": "bytes16"
      },
      {
        "internalType": "bytes16",
        "name": "actual",
        "type": "bytes16"
      }
    ],
    "name": "EnclaveRegistry_PlatformChanged",
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
      },
      {
        "internalType": "enum TcbStatus",
        "name": "tcbStatus",
        "type": "uint8"
      }
    ],
    "name": "EnclaveRegistry_StillInGoodStanding",
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
        "name": "kind",
        "type": "uint8"
      }
    ],
    "name": "EnclaveRegistry_UnknownKeyProvider",
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
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "registered",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actual",
        "type": "bytes32"
      }
    ],
    "name": "EnclaveRegistry_WorkloadChanged",
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
        "internalType": "enum DemotionReason",
        "name": "reason",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "enum TcbStatus",
        "name": "tcbStatus",
        "type": "uint8"
      }
    ],
    "name": "EnclaveDemoted",
    "type": "event"
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
        "internalType": "bytes16",
        "name": "platformId",
        "type": "bytes16"
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
      },
      {
        "components": [
          {
            "components": [
              {
                "components": [
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
                "internalType": "struct P256Key",
                "name": "pckKey",
                "type": "tuple"
              },
              {
                "internalType": "bytes16",
                "name": "platformId",
                "type": "bytes16"
              },
              {
                "internalType": "uint160",
                "name": "serial",
                "type": "uint160"
              },
              {
                "internalType": "uint64",
                "name": "notAfter",
                "type": "uint64"
              },
              {
                "internalType": "uint16",
                "name": "issuer",
                "type": "uint16"
              },
              {
                "internalType": "bytes6",
                "name": "fmspc",
                "type": "bytes6"
              },
              {
                "internalType": "bytes2",
                "name": "pceId",
                "type": "bytes2"
              },
              {
                "internalType": "uint16",
                "name": "pceSvn",
                "type": "uint16"
              },
              {
                "internalType": "bytes16",
                "name": "componentSvns",
                "type": "bytes16"
              }
            ],
            "internalType": "struct Platform",
            "name": "platform",
            "type": "tuple"
          },
          {
            "internalType": "bytes16",
            "name": "teeTcbSvn",
            "type": "bytes16"
          },
          {
            "internalType": "bytes16",
            "name": "currentTeeTcbSvn",
            "type": "bytes16"
          },
          {
            "internalType": "uint16",
            "name": "qeIsvSvn",
            "type": "uint16"
          }
        ],
        "indexed": false,
        "internalType": "struct TcbEvidence",
        "name": "tcb",
        "type": "tuple"
      }
    ],
    "name": "EnclaveRegistered",
    "type": "event"
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
        "components": [
          {
            "components": [
              {
                "components": [
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
                "internalType": "struct P256Key",
                "name": "pckKey",
                "type": "tuple"
              },
              {
                "internalType": "bytes16",
                "name": "platformId",
                "type": "bytes16"
              },
              {
                "internalType": "uint160",
                "name": "serial",
                "type": "uint160"
              },
              {
                "internalType": "uint64",
                "name": "notAfter",
                "type": "uint64"
              },
              {
                "internalType": "uint16",
                "name": "issuer",
                "type": "uint16"
              },
              {
                "internalType": "bytes6",
                "name": "fmspc",
                "type": "bytes6"
              },
              {
                "internalType": "bytes2",
                "name": "pceId",
                "type": "bytes2"
              },
              {
                "internalType": "uint16",
                "name": "pceSvn",
                "type": "uint16"
              },
              {
                "internalType": "bytes16",
                "name": "componentSvns",
                "type": "bytes16"
              }
            ],
            "internalType": "struct Platform",
            "name": "platform",
            "type": "tuple"
          },
          {
            "internalType": "bytes16",
            "name": "teeTcbSvn",
            "type": "bytes16"
          },
          {
            "internalType": "bytes16",
            "name": "currentTeeTcbSvn",
            "type": "bytes16"
          },
          {
            "internalType": "uint16",
            "name": "qeIsvSvn",
            "type": "uint16"
          }
        ],
        "indexed": false,
        "internalType": "struct TcbEvidence",
        "name": "tcb",
        "type": "tuple"
      }
    ],
    "name": "EnclaveRenewed",
    "type": "event"
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
      }
    ],
    "name": "EnclaveRetired",
    "type": "event"
  },
  {
    "inputs": [],
    "name": "allowedTcb",
    "outputs": [
      {
        "internalType": "uint16",
        "name": "",
        "type": "uint16"
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
      },
      {
        "internalType": "bytes32",
        "name": "vaultKeyHash",
        "type": "bytes32"
      },
      {
        "components": [
          {
            "components": [
              {
                "components": [
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
                "internalType": "struct P256Key",
                "name": "pckKey",
                "type": "tuple"
              },
              {
                "internalType": "bytes16",
                "name": "platformId",
                "type": "bytes16"
              },
              {
                "internalType": "uint160",
                "name": "serial",
                "type": "uint160"
              },
              {
                "internalType": "uint64",
                "name": "notAfter",
                "type": "uint64"
              },
              {
                "internalType": "uint16",
                "name": "issuer",
                "type": "uint16"
              },
              {
                "internalType": "bytes6",
                "name": "fmspc",
                "type": "bytes6"
              },
              {
                "internalType": "bytes2",
                "name": "pceId",
                "type": "bytes2"
              },
              {
                "internalType": "uint16",
                "name": "pceSvn",
                "type": "uint16"
              },
              {
                "internalType": "bytes16",
                "name": "componentSvns",
                "type": "bytes16"
              }
            ],
            "internalType": "struct Platform",
            "name": "platform",
            "type": "tuple"
          },
          {
            "internalType": "bytes16",
            "name": "teeTcbSvn",
            "type": "bytes16"
          },
          {
            "internalType": "bytes16",
            "name": "currentTeeTcbSvn",
            "type": "bytes16"
          },
          {
            "internalType": "uint16",
            "name": "qeIsvSvn",
            "type": "uint16"
          }
        ],
        "internalType": "struct TcbEvidence",
        "name": "tcb",
        "type": "tuple"
      },
      {
        "internalType": "uint16",
        "name": "revocationHint",
        "type": "uint16"
      }
    ],
    "name": "demote",
    "outputs": [],
    "stateMutability": "nonpayable",
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
            "internalType": "uint40",
            "name": "expiresAt",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "registeredAtBlock",
            "type": "uint40"
          },
          {
            "internalType": "enum TcbStatus",
            "name": "tcbStatus",
            "type": "uint8"
          },
          {
            "internalType": "enum EnclaveState",
            "name": "state",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes16",
            "name": "platformId",
            "type": "bytes16"
          },
          {
            "internalType": "bytes16",
            "name": "evidenceHash",
            "type": "bytes16"
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
    "inputs": [
      {
        "internalType": "address",
        "name": "signingKey",
        "type": "address"
      }
    ],
    "name": "liveEnclave",
    "outputs": [
      {
        "internalType": "address",
        "name": "operator",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "workloadId",
        "type": "bytes32"
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
        "components": [
          {
            "internalType": "bytes",
            "name": "pckLeaf",
            "type": "bytes"
          },
          {
            "components": [
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
            "internalType": "struct P256Key",
            "name": "issuerKey",
            "type": "tuple"
          },
          {
            "components": [
              {
                "components": [
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
                "internalType": "struct P256Key",
                "name": "pckKey",
                "type": "tuple"
              },
              {
                "internalType": "bytes16",
                "name": "platformId",
                "type": "bytes16"
              },
              {
                "internalType": "uint160",
                "name": "serial",
                "type": "uint160"
              },
              {
                "internalType": "uint64",
                "name": "notAfter",
                "type": "uint64"
              },
              {
                "internalType": "uint16",
                "name": "issuer",
                "type": "uint16"
              },
              {
                "internalType": "bytes6",
                "name": "fmspc",
                "type": "bytes6"
              },
              {
                "internalType": "bytes2",
                "name": "pceId",
                "type": "bytes2"
              },
              {
                "internalType": "uint16",
                "name": "pceSvn",
                "type": "uint16"
              },
              {
                "internalType": "bytes16",
                "name": "componentSvns",
                "type": "bytes16"
              }
            ],
            "internalType": "struct Platform",
            "name": "platform",
            "type": "tuple"
          },
          {
            "internalType": "bytes32",
            "name": "attestationKeyHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint16",
            "name": "qeIsvSvn",
            "type": "uint16"
          },
          {
            "internalType": "uint16",
            "name": "revocationHint",
            "type": "uint16"
          }
        ],
        "internalType": "struct Evidence",
        "name": "evidence",
        "type": "tuple"
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
            "internalType": "bytes",
            "name": "appConfig",
            "type": "bytes"
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
      },
      {
        "components": [
          {
            "internalType": "uint64",
            "name": "validUntil",
            "type": "uint64"
          },
          {
            "internalType": "bytes",
            "name": "signature",
            "type": "bytes"
          }
        ],
        "internalType": "struct OperatorAuthorization",
        "name": "authorization",
        "type": "tuple"
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
    "inputs": [
      {
        "internalType": "bytes",
        "name": "quote",
        "type": "bytes"
      },
      {
        "components": [
          {
            "internalType": "bytes",
            "name": "pckLeaf",
            "type": "bytes"
          },
          {
            "components": [
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
            "internalType": "struct P256Key",
            "name": "issuerKey",
            "type": "tuple"
          },
          {
            "components": [
              {
                "components": [
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
                "internalType": "struct P256Key",
                "name": "pckKey",
                "type": "tuple"
              },
              {
                "internalType": "bytes16",
                "name": "platformId",
                "type": "bytes16"
              },
              {
                "internalType": "uint160",
                "name": "serial",
                "type": "uint160"
              },
              {
                "internalType": "uint64",
                "name": "notAfter",
                "type": "uint64"
              },
              {
                "internalType": "uint16",
                "name": "issuer",
                "type": "uint16"
              },
              {
                "internalType": "bytes6",
                "name": "fmspc",
                "type": "bytes6"
              },
              {
                "internalType": "bytes2",
                "name": "pceId",
                "type": "bytes2"
              },
              {
                "internalType": "uint16",
                "name": "pceSvn",
                "type": "uint16"
              },
              {
                "internalType": "bytes16",
                "name": "componentSvns",
                "type": "bytes16"
              }
            ],
            "internalType": "struct Platform",
            "name": "platform",
            "type": "tuple"
          },
          {
            "internalType": "bytes32",
            "name": "attestationKeyHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint16",
            "name": "qeIsvSvn",
            "type": "uint16"
          },
          {
            "internalType": "uint16",
            "name": "revocationHint",
            "type": "uint16"
          }
        ],
        "internalType": "struct Evidence",
        "name": "evidence",
        "type": "tuple"
      },
      {
        "components": [
          {
            "internalType": "address",
            "name": "signingKey",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "vaultKeyHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "tcbEvidenceHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes",
            "name": "appConfig",
            "type": "bytes"
          },
          {
            "internalType": "uint64",
            "name": "blockNumber",
            "type": "uint64"
          }
        ],
        "internalType": "struct RenewalRequest",
        "name": "request",
        "type": "tuple"
      }
    ],
    "name": "renew",
    "outputs": [
      {
        "internalType": "uint64",
        "name": "expiresAt",
        "type": "uint64"
      }
    ],
    "stateMutability": "nonpayable",
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
    "name": "retire",
    "outputs": [],
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

export const endorsementsAbi = [
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
    "name": "Endorsements_BadUriLength",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "auditor",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "workloadId",
        "type": "bytes32"
      }
    ],
    "name": "Endorsements_NotEndorsed",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "Endorsements_ZeroHash",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "auditor",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "workloadId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "sourceHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "string",
        "name": "uri",
        "type": "string"
      }
    ],
    "name": "Endorsed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "auditor",
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
        "internalType": "string",
        "name": "reasonUri",
        "type": "string"
      }
    ],
    "name": "EndorsementWithdrawn",
    "type": "event"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "workloadId",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "sourceHash",
        "type": "bytes32"
      },
      {
        "internalType": "string",
        "name": "uri",
        "type": "string"
      }
    ],
    "name": "endorse",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "auditor",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "workloadId",
        "type": "bytes32"
      }
    ],
    "name": "endorsement",
    "outputs": [
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "sourceHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint40",
            "name": "endorsedAt",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "withdrawnAt",
            "type": "uint40"
          }
        ],
        "internalType": "struct Endorsement",
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
        "internalType": "bytes32",
        "name": "workloadId",
        "type": "bytes32"
      },
      {
        "internalType": "string",
        "name": "reasonUri",
        "type": "string"
      }
    ],
    "name": "withdraw",
    "outputs": [],
    "stateMutability": "nonpayable",
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
        "name": "position",
        "type": "uint256"
      },
      {
        "internalType": "address",
        "name": "account",
        "type": "address"
      },
      {
        "internalType": "uint16",
        "name": "shareBps",
        "type": "uint16"
      }
    ],
    "name": "DatasetRegistry_BadPayee",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "totalBps",
        "type": "uint256"
      }
    ],
    "name": "DatasetRegistry_BadShares",
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
      },
      {
        "internalType": "address",
        "name": "caller",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "pendingOwner",
        "type": "address"
      }
    ],
    "name": "DatasetRegistry_NotPendingOwner",
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
    "name": "DatasetRegistry_Retired",
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
    "name": "DatasetRegistry_TooManyPayees",
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
        "indexed": true,
        "internalType": "address",
        "name": "to",
        "type": "address"
      }
    ],
    "name": "DatasetOffered",
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
        "internalType": "uint48",
        "name": "sizeBytes",
        "type": "uint48"
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
      },
      {
        "components": [
          {
            "internalType": "address",
            "name": "account",
            "type": "address"
          },
          {
            "internalType": "uint16",
            "name": "shareBps",
            "type": "uint16"
          }
        ],
        "indexed": false,
        "internalType": "struct Payee[]",
        "name": "payees",
        "type": "tuple[]"
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
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      }
    ],
    "name": "DatasetRetired",
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
        "indexed": true,
        "internalType": "address",
        "name": "from",
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
        "internalType": "uint32",
        "name": "newEpoch",
        "type": "uint32"
      }
    ],
    "name": "DatasetTransferred",
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
    "name": "DatasetUpdated",
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
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "owner",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "newOwnerEpoch",
        "type": "uint32"
      }
    ],
    "name": "OwnerGrantsRevoked",
    "type": "event"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "consentOf",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "owner",
            "type": "address"
          },
          {
            "internalType": "uint48",
            "name": "sizeBytes",
            "type": "uint48"
          },
          {
            "internalType": "uint32",
            "name": "epoch",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "ownerEpoch",
            "type": "uint32"
          },
          {
            "internalType": "uint8",
            "name": "payeeCount",
            "type": "uint8"
          },
          {
            "internalType": "bool",
            "name": "revoked",
            "type": "bool"
          }
        ],
        "internalType": "struct ConsentState",
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
            "internalType": "uint48",
            "name": "sizeBytes",
            "type": "uint48"
          },
          {
            "internalType": "uint32",
            "name": "epoch",
            "type": "uint32"
          },
          {
            "internalType": "uint8",
            "name": "payeeCount",
            "type": "uint8"
          },
          {
            "internalType": "bool",
            "name": "retired",
            "type": "bool"
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
        "name": "datasetId",
        "type": "bytes32"
      },
      {
        "internalType": "address",
        "name": "to",
        "type": "address"
      }
    ],
    "name": "offerOwnership",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "owner",
        "type": "address"
      }
    ],
    "name": "ownerEpochOf",
    "outputs": [
      {
        "internalType": "uint32",
        "name": "",
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
    "name": "payeesOf",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "account",
            "type": "address"
          },
          {
            "internalType": "uint16",
            "name": "shareBps",
            "type": "uint16"
          }
        ],
        "internalType": "struct Payee[]",
        "name": "",
        "type": "tuple[]"
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
    "name": "pendingOwnerOf",
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
        "internalType": "uint48",
        "name": "sizeBytes",
        "type": "uint48"
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
      },
      {
        "components": [
          {
            "internalType": "address",
            "name": "account",
            "type": "address"
          },
          {
            "internalType": "uint16",
            "name": "shareBps",
            "type": "uint16"
          }
        ],
        "internalType": "struct Payee[]",
        "name": "payees",
        "type": "tuple[]"
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
    "name": "retire",
    "outputs": [],
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
    "inputs": [],
    "name": "revokeAllOwnGrants",
    "outputs": [
      {
        "internalType": "uint32",
        "name": "newOwnerEpoch",
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
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
      }
    ],
    "name": "takeOwnership",
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
        "internalType": "bytes32",
        "name": "datasetId",
        "type": "bytes32"
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
    "name": "update",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;

export const datasetCouncilAbi = [
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "position",
        "type": "uint256"
      },
      {
        "internalType": "address",
        "name": "member",
        "type": "address"
      }
    ],
    "name": "DatasetCouncil_BadMember",
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
    "name": "DatasetCouncil_BadMemberCount",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "threshold",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "members",
        "type": "uint256"
      }
    ],
    "name": "DatasetCouncil_BadThreshold",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "target",
        "type": "address"
      }
    ],
    "name": "DatasetCouncil_CallFailed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "target",
        "type": "address"
      }
    ],
    "name": "DatasetCouncil_NoContract",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "registry",
        "type": "address"
      }
    ],
    "name": "DatasetCouncil_NoRegistry",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "hash",
        "type": "bytes32"
      }
    ],
    "name": "DatasetCouncil_NotApproved",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "caller",
        "type": "address"
      }
    ],
    "name": "DatasetCouncil_NotMember",
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
        "name": "time",
        "type": "uint256"
      }
    ],
    "name": "DatasetCouncil_TooLate",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "target",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "value",
        "type": "uint256"
      },
      {
        "indexed": false,
        "internalType": "bytes",
        "name": "data",
        "type": "bytes"
      }
    ],
    "name": "CouncilCalled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "member",
        "type": "address"
      }
    ],
    "name": "CouncilConsentRevoked",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "registry",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address[]",
        "name": "members",
        "type": "address[]"
      },
      {
        "indexed": false,
        "internalType": "uint8",
        "name": "threshold",
        "type": "uint8"
      }
    ],
    "name": "CouncilFormed",
    "type": "event"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "hash",
        "type": "bytes32"
      }
    ],
    "name": "approvalHashOf",
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
        "name": "target",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "value",
        "type": "uint256"
      },
      {
        "internalType": "bytes",
        "name": "data",
        "type": "bytes"
      },
      {
        "internalType": "uint256",
        "name": "nonce_",
        "type": "uint256"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      }
    ],
    "name": "callHashOf",
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
    "inputs": [],
    "name": "datasets",
    "outputs": [
      {
        "internalType": "contract IDatasetRegistry",
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
        "internalType": "address",
        "name": "target",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "value",
        "type": "uint256"
      },
      {
        "internalType": "bytes",
        "name": "data",
        "type": "bytes"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "bytes",
        "name": "signatures",
        "type": "bytes"
      }
    ],
    "name": "execute",
    "outputs": [
      {
        "internalType": "bytes",
        "name": "answer",
        "type": "bytes"
      }
    ],
    "stateMutability": "payable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "account",
        "type": "address"
      }
    ],
    "name": "isMember",
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
        "name": "hash",
        "type": "bytes32"
      },
      {
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "isValidSignature",
    "outputs": [
      {
        "internalType": "bytes4",
        "name": "magicValue",
        "type": "bytes4"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "members",
    "outputs": [
      {
        "internalType": "address[]",
        "name": "",
        "type": "address[]"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "nonce",
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
    "inputs": [],
    "name": "revokeAllOwnGrants",
    "outputs": [
      {
        "internalType": "uint32",
        "name": "newOwnerEpoch",
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
        "name": "grantNonce",
        "type": "uint256"
      }
    ],
    "name": "revokeGrantNonce",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "threshold",
    "outputs": [
      {
        "internalType": "uint8",
        "name": "",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  }
] as const;

export const jobMarketAbi = [
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "internalType": "address",
        "name": "signer",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "acceptedBy",
        "type": "address"
      }
    ],
    "name": "JobMarket_AcceptedByOther",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint64",
        "name": "acceptBy",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "bond",
        "type": "uint256"
      },
      {
        "internalType": "uint8",
        "name": "quorum",
        "type": "uint8"
      }
    ],
    "name": "JobMarket_BadAcceptance",
    "type": "error"
  },
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
    "inputs": [
      {
        "internalType": "uint256",
        "name": "items",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_BadGroup",
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
    "name": "JobMarket_BadOutcome",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint8",
        "name": "quorum",
        "type": "uint8"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_BadQuorum",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "signatureHash",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_BadSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "first",
        "type": "uint16"
      },
      {
        "internalType": "uint16",
        "name": "other",
        "type": "uint16"
      }
    ],
    "name": "JobMarket_CountedGrantsDiffer",
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
        "internalType": "uint16",
        "name": "countedGrants",
        "type": "uint16"
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
        "internalType": "bytes32",
        "name": "session",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_InSession",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint8",
        "name": "quorum",
        "type": "uint8"
      },
      {
        "internalType": "uint64",
        "name": "acceptBy",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "bond",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_MustBeOpened",
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
        "name": "orderHash",
        "type": "bytes32"
      },
      {
        "internalType": "address",
        "name": "account",
        "type": "address"
      }
    ],
    "name": "JobMarket_NotSignedBy",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "offerHash",
        "type": "bytes32"
      },
      {
        "internalType": "address",
        "name": "operator",
        "type": "address"
      }
    ],
    "name": "JobMarket_OfferBadSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "offerHash",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_OfferMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "offerHash",
        "type": "bytes32"
      }
    ],
    "name": "JobMarket_OfferNotForOrder",
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
        "internalType": "bytes32",
        "name": "grantHash",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "price",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "maxPrice",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_PriceTooHigh",
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
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "internalType": "bytes16",
        "name": "platformId",
        "type": "bytes16"
      }
    ],
    "name": "JobMarket_SamePlatform",
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
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      },
      {
        "internalType": "uint64",
        "name": "acceptBy",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "JobMarket_WrongAcceptance",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "extension",
        "type": "address"
      }
    ],
    "name": "JobMarket_WrongExtension",
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
    "inputs": [
      {
        "internalType": "address",
        "name": "to",
        "type": "address"
      }
    ],
    "name": "Ledger_BadReceiver",
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
    "name": "Ledger_BadSignature",
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
    "name": "Ledger_InsufficientCredit",
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
      }
    ],
    "name": "Ledger_SignatureExpired",
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
        "name": "held",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "owed",
        "type": "uint256"
      }
    ],
    "name": "Ledger_TokenShort",
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
    "name": "Ledger_TransferFailed",
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
    "name": "Ledger_WrongAmountReceived",
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
    "name": "Ledger_WrongValue",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "Ledger_ZeroAmount",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "okCount",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "failedCount",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "maxJobs",
        "type": "uint32"
      }
    ],
    "name": "Sessions_BadCount",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "Sessions_BadTemplate",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "maxJobs",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "challengeSeconds",
        "type": "uint32"
      }
    ],
    "name": "Sessions_BadTerms",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "claimed",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      }
    ],
    "name": "Sessions_ClaimForOtherSession",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "leaf",
        "type": "uint256"
      }
    ],
    "name": "Sessions_LeafTaken",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "leaf",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "count",
        "type": "uint256"
      }
    ],
    "name": "Sessions_NoSuchLeaf",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "Sessions_NonceUsed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "leaf",
        "type": "uint256"
      },
      {
        "internalType": "bytes32",
        "name": "receiptHash",
        "type": "bytes32"
      }
    ],
    "name": "Sessions_NotInClaim",
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
        "name": "payer",
        "type": "address"
      }
    ],
    "name": "Sessions_NotPayer",
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
        "name": "price",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "maxPrice",
        "type": "uint256"
      }
    ],
    "name": "Sessions_PriceMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      },
      {
        "internalType": "uint8",
        "name": "state",
        "type": "uint8"
      }
    ],
    "name": "Sessions_WrongState",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "Sessions_WrongTime",
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
        "name": "source",
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
        "name": "source",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      }
    ],
    "name": "Debited",
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
        "name": "from",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      }
    ],
    "name": "Deposited",
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
        "indexed": false,
        "internalType": "address",
        "name": "bonder",
        "type": "address"
      }
    ],
    "name": "JobAccepted",
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
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "signer",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "receiptHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "outputCommitment",
        "type": "bytes32"
      }
    ],
    "name": "JobDisagreed",
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
        "indexed": false,
        "internalType": "bytes32",
        "name": "receiptHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "resultHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint16",
        "name": "countedGrants",
        "type": "uint16"
      },
      {
        "indexed": false,
        "internalType": "enum FailureCode",
        "name": "failureCode",
        "type": "uint8"
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
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint256",
        "name": "leaf",
        "type": "uint256"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "disputer",
        "type": "address"
      }
    ],
    "name": "LeafDisputed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint256",
        "name": "leaf",
        "type": "uint256"
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
        "name": "nonce",
        "type": "uint256"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "receiptHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "resultHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "enum FailureCode",
        "name": "failureCode",
        "type": "uint8"
      }
    ],
    "name": "LeafSettled",
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
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "NonceCancelled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "source",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "payer",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "token",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "charged",
        "type": "uint256"
      },
      {
        "indexed": false,
        "internalType": "uint64",
        "name": "okCount",
        "type": "uint64"
      },
      {
        "indexed": false,
        "internalType": "bytes32[]",
        "name": "grantHashes",
        "type": "bytes32[]"
      }
    ],
    "name": "OrderGroupSettled",
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
        "internalType": "address",
        "name": "requester",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "signer",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "receiptHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "resultHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "enum FailureCode",
        "name": "failureCode",
        "type": "uint8"
      }
    ],
    "name": "OrderSettled",
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
        "indexed": false,
        "internalType": "bytes16",
        "name": "platformId",
        "type": "bytes16"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "receiptHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "outputCommitment",
        "type": "bytes32"
      }
    ],
    "name": "ReceiptCounted",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "signer",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "root",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "okCount",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "failedCount",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint16",
        "name": "countedGrants",
        "type": "uint16"
      }
    ],
    "name": "SessionClaimed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      }
    ],
    "name": "SessionClosed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      }
    ],
    "name": "SessionExpired",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
        "components": [
          {
            "internalType": "uint32",
            "name": "maxJobs",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "challengeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "disputeBond",
            "type": "uint256"
          }
        ],
        "indexed": false,
        "internalType": "struct SessionTerms",
        "name": "terms",
        "type": "tuple"
      },
      {
        "indexed": false,
        "internalType": "string",
        "name": "programUri",
        "type": "string"
      }
    ],
    "name": "SessionOpened",
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
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "sent",
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "accept",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      }
    ],
    "name": "acceptance",
    "outputs": [
      {
        "internalType": "address",
        "name": "signer",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "bonder",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "jobId",
        "type": "bytes32"
      }
    ],
    "name": "ballot",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "outputCommitment",
        "type": "bytes32"
      },
      {
        "internalType": "bytes16[]",
        "name": "platformIds",
        "type": "bytes16[]"
      },
      {
        "internalType": "address[]",
        "name": "operators",
        "type": "address[]"
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "cancelNonce",
    "outputs": [],
    "stateMutability": "nonpayable",
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
            "internalType": "uint32",
            "name": "maxJobs",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "challengeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "disputeBond",
            "type": "uint256"
          }
        ],
        "internalType": "struct SessionTerms",
        "name": "terms",
        "type": "tuple"
      },
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "sessionId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "root",
            "type": "bytes32"
          },
          {
            "internalType": "uint32",
            "name": "okCount",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "failedCount",
            "type": "uint32"
          },
          {
            "internalType": "uint16",
            "name": "countedGrants",
            "type": "uint16"
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
          }
        ],
        "internalType": "struct SessionClaim",
        "name": "claim",
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
            "internalType": "bool",
            "name": "anyRequester",
            "type": "bool"
          },
          {
            "internalType": "bool",
            "name": "anyOperator",
            "type": "bool"
          },
          {
            "internalType": "enum PriceUnit",
            "name": "priceUnit",
            "type": "uint8"
          },
          {
            "internalType": "uint256",
            "name": "price",
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
            "internalType": "uint32",
            "name": "ownerEpoch",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          },
          {
            "internalType": "bytes",
            "name": "signature",
            "type": "bytes"
          }
        ],
        "internalType": "struct ShownGrant[]",
        "name": "grants",
        "type": "tuple[]"
      }
    ],
    "name": "claimSession",
    "outputs": [],
    "stateMutability": "nonpayable",
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
            "internalType": "uint32",
            "name": "maxJobs",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "challengeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "disputeBond",
            "type": "uint256"
          }
        ],
        "internalType": "struct SessionTerms",
        "name": "terms",
        "type": "tuple"
      }
    ],
    "name": "closeSession",
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
    "inputs": [
      {
        "internalType": "address",
        "name": "token",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "account",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      }
    ],
    "name": "deposit",
    "outputs": [],
    "stateMutability": "payable",
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
        "name": "account",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "validAfter",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "validBefore",
        "type": "uint256"
      },
      {
        "internalType": "bytes32",
        "name": "nonce",
        "type": "bytes32"
      },
      {
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "depositWithAuthorization",
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
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
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
    "name": "depositWithPermit",
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
        "name": "account",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "deadline",
        "type": "uint256"
      },
      {
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "depositWithPermit2",
    "outputs": [],
    "stateMutability": "nonpayable",
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
            "internalType": "uint32",
            "name": "maxJobs",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "challengeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "disputeBond",
            "type": "uint256"
          }
        ],
        "internalType": "struct SessionTerms",
        "name": "terms",
        "type": "tuple"
      },
      {
        "internalType": "uint256",
        "name": "leaf",
        "type": "uint256"
      }
    ],
    "name": "disputeLeaf",
    "outputs": [],
    "stateMutability": "nonpayable",
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
        "components": [
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
            "internalType": "uint32",
            "name": "maxJobs",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "challengeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "disputeBond",
            "type": "uint256"
          }
        ],
        "internalType": "struct SessionTerms",
        "name": "terms",
        "type": "tuple"
      }
    ],
    "name": "expireSession",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "extension",
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
            "internalType": "enum PriceUnit",
            "name": "priceUnit",
            "type": "uint8"
          },
          {
            "internalType": "uint256",
            "name": "price",
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
            "internalType": "uint32",
            "name": "ownerEpoch",
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
            "name": "operator",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "workloadId",
            "type": "bytes32"
          },
          {
            "internalType": "address",
            "name": "token",
            "type": "address"
          },
          {
            "internalType": "uint256",
            "name": "fee",
            "type": "uint256"
          },
          {
            "internalType": "uint256",
            "name": "pricePerSecond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "validUntil",
            "type": "uint64"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          }
        ],
        "internalType": "struct Offer",
        "name": "offer",
        "type": "tuple"
      }
    ],
    "name": "hashOffer",
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
            "name": "paramsHash",
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
            "internalType": "uint64",
            "name": "outputRows",
            "type": "uint64"
          },
          {
            "internalType": "uint32",
            "name": "runSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint16",
            "name": "countedGrants",
            "type": "uint16"
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
        "components": [
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
            "internalType": "uint32",
            "name": "maxJobs",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "challengeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "disputeBond",
            "type": "uint256"
          }
        ],
        "internalType": "struct SessionTerms",
        "name": "terms",
        "type": "tuple"
      }
    ],
    "name": "hashSession",
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
        "name": "account",
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
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      }
    ],
    "name": "leafCounts",
    "outputs": [
      {
        "components": [
          {
            "internalType": "uint32",
            "name": "settledOk",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "settledFailed",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "disputedOk",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "disputedFailed",
            "type": "uint32"
          }
        ],
        "internalType": "struct LeafCounts",
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
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "leaf",
        "type": "uint256"
      }
    ],
    "name": "leafState",
    "outputs": [
      {
        "internalType": "bool",
        "name": "disputed",
        "type": "bool"
      },
      {
        "internalType": "bool",
        "name": "settled",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes[]",
        "name": "calls",
        "type": "bytes[]"
      }
    ],
    "name": "multicall",
    "outputs": [
      {
        "internalType": "bytes[]",
        "name": "results",
        "type": "bytes[]"
      }
    ],
    "stateMutability": "nonpayable",
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
        "internalType": "bytes",
        "name": "requesterSignature",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "payerSignature",
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
            "internalType": "uint32",
            "name": "maxJobs",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "challengeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "disputeBond",
            "type": "uint256"
          }
        ],
        "internalType": "struct SessionTerms",
        "name": "terms",
        "type": "tuple"
      },
      {
        "internalType": "string",
        "name": "programUri",
        "type": "string"
      },
      {
        "internalType": "bytes",
        "name": "requesterSignature",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "payerSignature",
        "type": "bytes"
      }
    ],
    "name": "openSession",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      }
    ],
    "stateMutability": "payable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "token",
        "type": "address"
      }
    ],
    "name": "owedOf",
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
        "internalType": "bytes32",
        "name": "sessionId",
        "type": "bytes32"
      }
    ],
    "name": "session",
    "outputs": [
      {
        "components": [
          {
            "internalType": "enum SessionState",
            "name": "state",
            "type": "uint8"
          },
          {
            "internalType": "uint40",
            "name": "claimedAt",
            "type": "uint40"
          },
          {
            "internalType": "uint16",
            "name": "okCount",
            "type": "uint16"
          },
          {
            "internalType": "uint16",
            "name": "failedCount",
            "type": "uint16"
          },
          {
            "internalType": "bool",
            "name": "touched",
            "type": "bool"
          },
          {
            "internalType": "address",
            "name": "operator",
            "type": "address"
          }
        ],
        "internalType": "struct Session",
        "name": "",
        "type": "tuple"
      },
      {
        "internalType": "bytes32",
        "name": "root",
        "type": "bytes32"
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
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
            "internalType": "uint64",
            "name": "outputRows",
            "type": "uint64"
          },
          {
            "internalType": "uint32",
            "name": "runSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint16",
            "name": "countedGrants",
            "type": "uint16"
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
        "internalType": "struct Outcome",
        "name": "outcome",
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
            "internalType": "bool",
            "name": "anyRequester",
            "type": "bool"
          },
          {
            "internalType": "bool",
            "name": "anyOperator",
            "type": "bool"
          },
          {
            "internalType": "enum PriceUnit",
            "name": "priceUnit",
            "type": "uint8"
          },
          {
            "internalType": "uint256",
            "name": "price",
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
            "internalType": "uint32",
            "name": "ownerEpoch",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "nonce",
            "type": "uint256"
          },
          {
            "internalType": "bytes",
            "name": "signature",
            "type": "bytes"
          }
        ],
        "internalType": "struct ShownGrant[]",
        "name": "grants",
        "type": "tuple[]"
      },
      {
        "components": [
          {
            "components": [
              {
                "internalType": "address",
                "name": "operator",
                "type": "address"
              },
              {
                "internalType": "bytes32",
                "name": "workloadId",
                "type": "bytes32"
              },
              {
                "internalType": "address",
                "name": "token",
                "type": "address"
              },
              {
                "internalType": "uint256",
                "name": "fee",
                "type": "uint256"
              },
              {
                "internalType": "uint256",
                "name": "pricePerSecond",
                "type": "uint256"
              },
              {
                "internalType": "uint64",
                "name": "validUntil",
                "type": "uint64"
              },
              {
                "internalType": "uint256",
                "name": "nonce",
                "type": "uint256"
              }
            ],
            "internalType": "struct Offer",
            "name": "offer",
            "type": "tuple"
          },
          {
            "internalType": "bytes",
            "name": "signature",
            "type": "bytes"
          }
        ],
        "internalType": "struct SignedOffer[]",
        "name": "offer",
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
        "components": [
          {
            "internalType": "address",
            "name": "requester",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "payer",
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
                "name": "maxPrice",
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
            "internalType": "bytes32",
            "name": "offerHash",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "bond",
            "type": "uint256"
          },
          {
            "internalType": "uint64",
            "name": "acceptBy",
            "type": "uint64"
          },
          {
            "internalType": "uint64",
            "name": "deadline",
            "type": "uint64"
          },
          {
            "internalType": "uint8",
            "name": "quorum",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "session",
            "type": "bytes32"
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
            "internalType": "uint32",
            "name": "maxJobs",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "challengeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint256",
            "name": "disputeBond",
            "type": "uint256"
          }
        ],
        "internalType": "struct SessionTerms",
        "name": "terms",
        "type": "tuple"
      },
      {
        "internalType": "uint256",
        "name": "leaf",
        "type": "uint256"
      },
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "paramsHash",
            "type": "bytes32"
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
          },
          {
            "internalType": "bytes",
            "name": "requesterSignature",
            "type": "bytes"
          },
          {
            "internalType": "bytes",
            "name": "payerSignature",
            "type": "bytes"
          },
          {
            "components": [
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
                "internalType": "uint64",
                "name": "outputRows",
                "type": "uint64"
              },
              {
                "internalType": "uint32",
                "name": "runSeconds",
                "type": "uint32"
              },
              {
                "internalType": "uint16",
                "name": "countedGrants",
                "type": "uint16"
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
            "internalType": "struct Outcome",
            "name": "outcome",
            "type": "tuple"
          },
          {
            "internalType": "bytes",
            "name": "receiptSignature",
            "type": "bytes"
          }
        ],
        "internalType": "struct OrderItem",
        "name": "item",
        "type": "tuple"
      },
      {
        "internalType": "bytes32[]",
        "name": "proof",
        "type": "bytes32[]"
      }
    ],
    "name": "settleLeaf",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "components": [
              {
                "internalType": "address",
                "name": "requester",
                "type": "address"
              },
              {
                "internalType": "address",
                "name": "payer",
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
                    "name": "maxPrice",
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
                "internalType": "bytes32",
                "name": "offerHash",
                "type": "bytes32"
              },
              {
                "internalType": "uint256",
                "name": "bond",
                "type": "uint256"
              },
              {
                "internalType": "uint64",
                "name": "acceptBy",
                "type": "uint64"
              },
              {
                "internalType": "uint64",
                "name": "deadline",
                "type": "uint64"
              },
              {
                "internalType": "uint8",
                "name": "quorum",
                "type": "uint8"
              },
              {
                "internalType": "bytes32",
                "name": "session",
                "type": "bytes32"
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
                "internalType": "bool",
                "name": "anyRequester",
                "type": "bool"
              },
              {
                "internalType": "bool",
                "name": "anyOperator",
                "type": "bool"
              },
              {
                "internalType": "enum PriceUnit",
                "name": "priceUnit",
                "type": "uint8"
              },
              {
                "internalType": "uint256",
                "name": "price",
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
                "internalType": "uint32",
                "name": "ownerEpoch",
                "type": "uint32"
              },
              {
                "internalType": "uint256",
                "name": "nonce",
                "type": "uint256"
              },
              {
                "internalType": "bytes",
                "name": "signature",
                "type": "bytes"
              }
            ],
            "internalType": "struct ShownGrant[]",
            "name": "grants",
            "type": "tuple[]"
          },
          {
            "components": [
              {
                "components": [
                  {
                    "internalType": "address",
                    "name": "operator",
                    "type": "address"
                  },
                  {
                    "internalType": "bytes32",
                    "name": "workloadId",
                    "type": "bytes32"
                  },
                  {
                    "internalType": "address",
                    "name": "token",
                    "type": "address"
                  },
                  {
                    "internalType": "uint256",
                    "name": "fee",
                    "type": "uint256"
                  },
                  {
                    "internalType": "uint256",
                    "name": "pricePerSecond",
                    "type": "uint256"
                  },
                  {
                    "internalType": "uint64",
                    "name": "validUntil",
                    "type": "uint64"
                  },
                  {
                    "internalType": "uint256",
                    "name": "nonce",
                    "type": "uint256"
                  }
                ],
                "internalType": "struct Offer",
                "name": "offer",
                "type": "tuple"
              },
              {
                "internalType": "bytes",
                "name": "signature",
                "type": "bytes"
              }
            ],
            "internalType": "struct SignedOffer[]",
            "name": "offer",
            "type": "tuple[]"
          },
          {
            "components": [
              {
                "internalType": "bytes32",
                "name": "paramsHash",
                "type": "bytes32"
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
              },
              {
                "internalType": "bytes",
                "name": "requesterSignature",
                "type": "bytes"
              },
              {
                "internalType": "bytes",
                "name": "payerSignature",
                "type": "bytes"
              },
              {
                "components": [
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
                    "internalType": "uint64",
                    "name": "outputRows",
                    "type": "uint64"
                  },
                  {
                    "internalType": "uint32",
                    "name": "runSeconds",
                    "type": "uint32"
                  },
                  {
                    "internalType": "uint16",
                    "name": "countedGrants",
                    "type": "uint16"
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
                "internalType": "struct Outcome",
                "name": "outcome",
                "type": "tuple"
              },
              {
                "internalType": "bytes",
                "name": "receiptSignature",
                "type": "bytes"
              }
            ],
            "internalType": "struct OrderItem[]",
            "name": "items",
            "type": "tuple[]"
          }
        ],
        "internalType": "struct OrderGroup[]",
        "name": "groups",
        "type": "tuple[]"
      }
    ],
    "name": "settleOrders",
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
        "internalType": "address",
        "name": "to",
        "type": "address"
      },
      {
        "internalType": "uint256",
        "name": "amount",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "nonce",
        "type": "uint256"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "withdrawBySignature",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;
