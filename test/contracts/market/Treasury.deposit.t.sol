// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { AuthorizedToken } from "../../../contracts/mocks/AuthorizedToken.sol";
import { BareToken } from "../../../contracts/mocks/BareToken.sol";
import { FeeToken } from "../../../contracts/mocks/FeeToken.sol";
import { HookToken } from "../../../contracts/mocks/HookToken.sol";
import { TreasuryTest } from "./TreasuryTest.sol";

/// @notice What Permit2 refuses with.
interface IPermit2Errors {
    error InvalidSigner();
    error InvalidNonce();
    error SignatureExpired(uint256 signatureDeadline);
}

contract TreasuryDepositTest is TreasuryTest {
    address private constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    function setUp() public override {
        vm.chainId(1); // this code has the domain of another address cached for the test chain's id
        super.setUp();
        vm.etch(PERMIT2, vm.readFileBinary("test/vectors/permit2/runtime.bin"));
        vm.prank(account);
        token.approve(PERMIT2, FUNDS);
    }

    function _notAContract(address place) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IJobMarket.JobMarket_NotAContract.selector, place);
    }

    function _zeroAmount() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILedger.Ledger_ZeroAmount.selector);
    }

    function _noAllowance(address spender, uint256 allowed, uint256 amount) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IERC20Errors.ERC20InsufficientAllowance.selector, spender, allowed, amount
        );
    }

    function _wrongAmount(address asset, uint256 received, uint256 amount) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILedger.Ledger_WrongAmountReceived.selector, asset, received, amount);
    }

    /* BY ALLOWANCE, OR NATIVE COIN */

    function test_Deposit_RevertWhen_ZeroAmount() public {
        vm.expectRevert(_zeroAmount());
        market.deposit(address(token), account, 0);
        vm.expectRevert(_zeroAmount());
        market.deposit(address(0), account, 0);
    }

    function test_Deposit_RevertWhen_WrongValue() public {
        vm.deal(address(this), 100);
        vm.expectRevert(abi.encodeWithSelector(ILedger.Ledger_WrongValue.selector, 9, 10));
        market.deposit{ value: 9 }(address(0), account, 10);
        vm.expectRevert(abi.encodeWithSelector(ILedger.Ledger_WrongValue.selector, 10, 0));
        market.deposit{ value: 10 }(address(token), account, 10);
    }

    function test_Deposit_RevertWhen_NotAContract() public {
        vm.expectRevert(_notAContract(nobody));
        market.deposit(nobody, account, 10);
    }

    function test_Deposit_RevertGiven_TokenShort() public {
        _depositAll();
        vm.prank(address(market));
        token.transfer(nobody, 1);
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.Ledger_TokenShort.selector, address(token), FUNDS - 1, FUNDS)
        );
        market.deposit(address(token), account, 10);
    }

    function test_Deposit_RevertGiven_NoAllowance() public {
        vm.expectRevert(_noAllowance(address(market), 0, 10));
        vm.prank(account);
        market.deposit(address(token), account, 10);
    }

    function test_Deposit_RevertWhen_TokenTakesAFee() public {
        FeeToken fee = new FeeToken();
        fee.mint(address(this), FUNDS);
        fee.approve(address(market), FUNDS);
        fee.setFees(1, 0);
        vm.expectRevert(_wrongAmount(address(fee), 9, 10));
        market.deposit(address(fee), account, 10);
    }

    function test_Deposit_RevertWhen_TokenCallsBack() public {
        HookToken hook = new HookToken();
        hook.mint(address(this), FUNDS);
        hook.approve(address(market), FUNDS);
        bytes[6] memory calls = [
            abi.encodeCall(ILedger.deposit, (address(hook), account, 1)),
            abi.encodeCall(ILedger.depositWithPermit, (address(hook), 1, 0, 0, 0, 0)),
            abi.encodeCall(ILedger.depositWithPermit2, (address(hook), account, 1, 0, 0, "")),
            abi.encodeCall(ILedger.depositWithAuthorization, (address(hook), account, 1, 0, 0, 0, "")),
            abi.encodeCall(ILedger.withdraw, (address(hook), account, 1)),
            abi.encodeCall(ILedger.withdrawBySignature, (account, address(hook), account, 1, 0, 0, ""))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            hook.setHook(address(market), calls[i]);
            vm.expectRevert(
                abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
            );
            market.deposit(address(hook), account, 10);
        }
    }

    function test_Deposit_WhenAllIsWell() public {
        token.mint(address(this), 10);
        token.approve(address(market), 10);
        vm.expectEmit(address(market));
        emit ILedger.Deposited(account, address(token), address(this), 10);
        market.deposit(address(token), account, 10);
        assertCredit(account, address(token), 10);
        assertCredit(address(this), address(token), 0);
        assertEq(market.owedOf(address(token)), 10, "owed");

        vm.deal(address(this), 10);
        vm.expectEmit(address(market));
        emit ILedger.Deposited(account, address(0), address(this), 10);
        market.deposit{ value: 10 }(address(0), account, 10);
        assertCredit(account, address(0), 10);
        assertEq(market.owedOf(address(0)), 10, "owed native coin");
    }

    function test_Deposit_WhenTokenAnswersNothing() public {
        BareToken bare = new BareToken();
        bare.mint(address(this), 10);
        bare.approve(address(market), 10);
        market.deposit(address(bare), account, 10);
        assertCredit(account, address(bare), 10);
    }

    /* BY ERC-2612 */

    function _permit(uint256 key, uint256 amount) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                account,
                address(market),
                amount,
                token.nonces(account),
                NOW
            )
        );
        return vm.sign(key, _digest(token.DOMAIN_SEPARATOR(), structHash));
    }

    function test_Permit_RevertWhen_ZeroAmountOrNoContract() public {
        vm.expectRevert(_zeroAmount());
        market.depositWithPermit(address(token), 0, NOW, 0, 0, 0);
        vm.expectRevert(_notAContract(nobody));
        market.depositWithPermit(nobody, 1, NOW, 0, 0, 0);
    }

    function test_Permit_RevertWhen_NotTheCallers() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(OTHER_KEY, 10);
        vm.expectRevert(_noAllowance(address(market), 0, 10));
        vm.prank(account);
        market.depositWithPermit(address(token), 10, NOW, v, r, s);
        // A stranger takes nothing by the account's permit.
        (v, r, s) = _permit(KEY, 10);
        vm.expectRevert(_noAllowance(address(market), 0, 10));
        vm.prank(stranger);
        market.depositWithPermit(address(token), 10, NOW, v, r, s);
    }

    function test_Permit_WhenAllIsWell() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(KEY, 10);
        vm.expectEmit(address(market));
        emit ILedger.Deposited(account, address(token), account, 10);
        vm.prank(account);
        market.depositWithPermit(address(token), 10, NOW, v, r, s);
        assertCredit(account, address(token), 10);
    }

    function test_Permit_GivenSomebodyHasSubmittedIt() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(KEY, 10);
        vm.prank(stranger);
        token.permit(account, address(market), 10, NOW, v, r, s);
        vm.prank(account);
        market.depositWithPermit(address(token), 10, NOW, v, r, s);
        assertCredit(account, address(token), 10);
    }

    /* BY PERMIT2 */

    function _permit2(address asset, address spender, uint256 amount, uint256 chainId) private pure returns (bytes32) {
        bytes32 permissions =
            keccak256(abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), asset, amount));
        bytes32 typeHash = keccak256(
            "PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)"
            "TokenPermissions(address token,uint256 amount)"
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                chainId,
                PERMIT2
            )
        );
        return _digest(domain, keccak256(abi.encode(typeHash, permissions, spender, 3, NOW)));
    }

    function _permit2Reverts(bytes memory signature, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(stranger);
        market.depositWithPermit2(address(token), account, 10, 3, NOW, signature);
        assertCredit(account, address(token), 0);
    }

    function test_Permit2_RevertWhen_ZeroAmountOrNoContract() public {
        vm.expectRevert(_zeroAmount());
        market.depositWithPermit2(address(token), account, 0, 3, NOW, "");
        vm.expectRevert(_notAContract(nobody));
        market.depositWithPermit2(nobody, account, 10, 3, NOW, "");
        vm.etch(PERMIT2, "");
        _permit2Reverts("", _notAContract(PERMIT2));
    }

    function test_Permit2_RevertWhen_NotWhatWasSigned() public {
        bytes memory expected = abi.encodeWithSelector(IPermit2Errors.InvalidSigner.selector);
        bytes32 right = _permit2(address(token), address(market), 10, block.chainid);
        _permit2Reverts(_sign(OTHER_KEY, right), expected);
        _permit2Reverts(_sign(KEY, _permit2(address(token), stranger, 10, block.chainid)), expected);
        _permit2Reverts(_sign(KEY, _permit2(address(token), address(market), 9, block.chainid)), expected);
        _permit2Reverts(_sign(KEY, _permit2(nobody, address(market), 10, block.chainid)), expected);
        _permit2Reverts(_sign(KEY, _permit2(address(token), address(market), 10, block.chainid + 1)), expected);
    }

    function test_Permit2_RevertWhen_TooLate() public {
        bytes memory signature = _sign(KEY, _permit2(address(token), address(market), 10, block.chainid));
        vm.warp(NOW + 1);
        _permit2Reverts(signature, abi.encodeWithSelector(IPermit2Errors.SignatureExpired.selector, NOW));
    }

    function test_Permit2_RevertWhen_TokenTakesAFee() public {
        FeeToken fee = new FeeToken();
        fee.mint(account, FUNDS);
        fee.setFees(1, 0);
        vm.prank(account);
        fee.approve(PERMIT2, FUNDS);
        bytes memory signature = _sign(KEY, _permit2(address(fee), address(market), 10, block.chainid));
        vm.expectRevert(_wrongAmount(address(fee), 9, 10));
        market.depositWithPermit2(address(fee), account, 10, 3, NOW, signature);
    }

    function test_Permit2_WhenAllIsWell() public {
        bytes memory signature = _sign(KEY, _permit2(address(token), address(market), 10, block.chainid));
        vm.expectEmit(address(market));
        emit ILedger.Deposited(account, address(token), account, 10);
        vm.prank(stranger);
        market.depositWithPermit2(address(token), account, 10, 3, NOW, signature);
        assertCredit(account, address(token), 10);
        assertCredit(stranger, address(token), 0);
        assertEq(token.balanceOf(account), FUNDS - 10, "left");

        vm.expectRevert(abi.encodeWithSelector(IPermit2Errors.InvalidNonce.selector));
        market.depositWithPermit2(address(token), account, 10, 3, NOW, signature);
    }

    /* BY EIP-3009 */

    bytes32 private constant NONCE = keccak256("nonce");

    function _authorized() private returns (AuthorizedToken signed) {
        signed = new AuthorizedToken();
        signed.mint(account, FUNDS);
    }

    function _authorization(AuthorizedToken signed, uint256 key, uint256 amount) private view returns (bytes memory) {
        return _sign(
            key, signed.hashAuthorization(account, address(market), amount, NOW - 1, NOW + 1, NONCE)
        );
    }

    function _authorizationReverts(AuthorizedToken signed, bytes memory signature, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(stranger);
        market.depositWithAuthorization(address(signed), account, 10, NOW - 1, NOW + 1, NONCE, signature);
    }

    function test_Authorization_RevertWhen_ZeroAmountOrNoContract() public {
        vm.expectRevert(_zeroAmount());
        market.depositWithAuthorization(address(token), account, 0, 0, NOW + 1, NONCE, "");
        vm.expectRevert(_notAContract(nobody));
        market.depositWithAuthorization(nobody, account, 10, 0, NOW + 1, NONCE, new bytes(65));
    }

    function test_Authorization_RevertWhen_SignatureHasAnotherLength() public {
        AuthorizedToken signed = _authorized();
        bytes memory expected = abi.encodeWithSelector(ILedger.Ledger_BadSignature.selector, account);
        _authorizationReverts(signed, "", expected);
        _authorizationReverts(signed, new bytes(64), expected);
        _authorizationReverts(signed, new bytes(66), expected);
    }

    function test_Authorization_RevertWhen_NotWhatWasSigned() public {
        AuthorizedToken signed = _authorized();
        bytes32 asked = signed.hashAuthorization(account, address(market), 10, NOW - 1, NOW + 1, NONCE);
        bytes memory signature = _authorization(signed, KEY, 9);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            KEY, signed.hashAuthorization(account, address(market), 9, NOW - 1, NOW + 1, NONCE)
        );
        address recovered = ecrecover(asked, v, r, s);
        _authorizationReverts(
            signed,
            signature,
            abi.encodeWithSelector(AuthorizedToken.AuthorizedToken_NotSigned.selector, recovered, account)
        );
        _authorizationReverts(
            signed,
            _authorization(signed, OTHER_KEY, 10),
            abi.encodeWithSelector(AuthorizedToken.AuthorizedToken_NotSigned.selector, vm.addr(OTHER_KEY), account)
        );
    }

    function test_Authorization_RevertWhen_NotInForce() public {
        AuthorizedToken signed = _authorized();
        bytes memory signature = _authorization(signed, KEY, 10);
        vm.warp(NOW + 1);
        _authorizationReverts(
            signed,
            signature,
            abi.encodeWithSelector(AuthorizedToken.AuthorizedToken_NotValid.selector, NOW - 1, NOW + 1, NOW + 1)
        );
    }

    /// @dev Else the tokens would arrive, and be nobody's credit.
    function test_Authorization_RevertWhen_TakenToTheTokenDirectly() public {
        AuthorizedToken signed = _authorized();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            KEY, signed.hashAuthorization(account, address(market), 10, NOW - 1, NOW + 1, NONCE)
        );
        vm.expectRevert(
            abi.encodeWithSelector(AuthorizedToken.AuthorizedToken_NotReceiver.selector, stranger, address(market))
        );
        vm.prank(stranger);
        signed.receiveWithAuthorization(account, address(market), 10, NOW - 1, NOW + 1, NONCE, v, r, s);
    }

    function test_Authorization_WhenAllIsWell() public {
        AuthorizedToken signed = _authorized();
        bytes memory signature = _authorization(signed, KEY, 10);
        vm.expectEmit(address(market));
        emit ILedger.Deposited(account, address(signed), account, 10);
        vm.prank(stranger);
        market.depositWithAuthorization(address(signed), account, 10, NOW - 1, NOW + 1, NONCE, signature);
        assertCredit(account, address(signed), 10);
        assertCredit(stranger, address(signed), 0);
        _authorizationReverts(
            signed,
            signature,
            abi.encodeWithSelector(AuthorizedToken.AuthorizedToken_Used.selector, account, NONCE)
        );
    }
}
