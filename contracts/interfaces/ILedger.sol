// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title ILedger
/// @notice Money of the market: paid in, credited per account and token, taken out. Part of JobMarket.
/// @dev Address zero stands for the native coin. Credits are kept per token, so a token that lies can hurt nobody but those
/// who deal in it. Every function that changes state refuses re-entry with ReentrancyGuardReentrantCall.
interface ILedger {
    /// @notice The value sent is not what this needs: the amount (native coin), or zero (ERC-20).
    error Ledger_WrongValue(uint256 sent, uint256 expected);
    /// @notice The amount is zero.
    error Ledger_ZeroAmount();
    /// @notice The token did not move the exact amount: it takes a fee, rebases, or lies.
    error Ledger_WrongAmountReceived(address token, uint256 received, uint256 expected);
    /// @notice The market holds less of the token than it owes: the token has taken some away. Nothing is taken in until
    /// that is made good.
    error Ledger_TokenShort(address token, uint256 held, uint256 owed);
    /// @notice The account has less credit than this needs.
    error Ledger_InsufficientCredit(address account, address token, uint256 amount, uint256 credit);
    /// @notice The receiver is the zero address or the market itself.
    error Ledger_BadReceiver(address to);
    /// @notice The receiver refused the native coin.
    error Ledger_TransferFailed(address to, uint256 amount);
    /// @notice The signed withdrawal has run out. Unix seconds.
    error Ledger_SignatureExpired(uint64 deadline, uint256 timestamp);
    /// @notice The withdrawal is not signed by the account.
    error Ledger_BadSignature(address account);

    /// @notice `account` was credited what `from` paid in.
    event Deposited(address indexed account, address indexed token, address indexed from, uint256 amount);
    /// @notice `account` was credited from a job or session, `source`: a payment, a refund or a bond.
    event Credited(address indexed account, address indexed token, bytes32 indexed source, uint256 amount);
    /// @notice `account` staked a bond for a job or session, `source`, from its credit. What jobs and sessions themselves cost
    /// is in their own events.
    event Debited(address indexed account, address indexed token, bytes32 indexed source, uint256 amount);
    /// @notice `account` gave up `amount` of credit for `sent`, which is less only if the token has taken some away.
    event Withdrawn(
        address indexed account, address indexed token, address indexed to, uint256 amount, uint256 sent
    );

    /// @notice Pays in for `account`: native coin as sent, or ERC-20 by the caller's allowance.
    /// @dev Reverts, in this order: ZeroAmount, WrongValue, IJobMarket.JobMarket_NotAContract, TokenShort, the token's own
    /// errors, WrongAmountReceived.
    function deposit(address token, address account, uint256 amount) external payable;

    /// @notice `deposit` for the caller after its ERC-2612 permit of exactly `amount` to this contract. A permit that was
    /// submitted by someone else before does no harm.
    /// @dev Reverts as `deposit`; a permit that fails is no error by itself, the transfer then lacks the allowance.
    /// @param permitDeadline Unix seconds, as in the permit.
    function depositWithPermit(address token, uint256 amount, uint256 permitDeadline, uint8 v, bytes32 r, bytes32 s)
        external;

    /// @notice Pays in for `account` by its Permit2 signature: PermitTransferFrom of exactly `amount`, spender this contract.
    /// Caller: anyone.
    /// @dev Reverts as `deposit`, or as Permit2 does.
    /// @param deadline Unix seconds, as signed.
    function depositWithPermit2(
        address token,
        address account,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Pays in for `account` by its EIP-3009 signature: ReceiveWithAuthorization of `amount` to this contract.
    /// Caller: anyone.
    /// @dev Reverts as `deposit`, or as the token does.
    /// @param signature 65 bytes r || s || v.
    function depositWithAuthorization(
        address token,
        address account,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Takes credit of the caller out.
    /// @dev Reverts, in this order: BadReceiver, ZeroAmount, InsufficientCredit; native coin: TransferFailed; ERC-20: the
    /// token's own error, WrongAmountReceived. If the market holds less of the token than it owes, as much less is sent.
    function withdraw(address token, address to, uint256 amount) external;

    /// @notice Takes credit of `account` out, which has signed so. Caller: anyone.
    /// @dev Reverts, in this order: SignatureExpired, BadSignature, IJobMarket.JobMarket_NonceUsed, as `withdraw`.
    /// @param nonce Of the same numbers as the account's orders; used once.
    /// @param deadline Unix seconds, the last second at which this holds.
    /// @param signature EIP-712, ECDSA or ERC-1271, of Withdrawal(address account,address token,address to,uint256 amount,
    /// uint256 nonce,uint64 deadline).
    function withdrawBySignature(
        address account,
        address token,
        address to,
        uint256 amount,
        uint256 nonce,
        uint64 deadline,
        bytes calldata signature
    ) external;

    /// @notice What `account` may withdraw of `token`.
    function creditOf(address account, address token) external view returns (uint256);

    /// @notice What the market owes of `token`: all credits and all escrow.
    function owedOf(address token) external view returns (uint256);
}
