//! The governance contract: its interface.

#![allow(missing_docs, reason = "the macro's output mirrors the Solidity interface")]

use alloy_sol_types::sol;

sol! {
    /// `contracts/Governance.sol`.
    #[derive(Debug, PartialEq, Eq)]
    interface IGovernance {
        struct Config {
            uint256 policyRoot;
            bytes32 circuitId;
            address verifier;
            address governor;
            address[] operators;
            address[] guardians;
            uint256 toPause;
            address[] council;
            uint256 toUnpause;
        }

        struct Account {
            uint256 keyhash;
            address exit;
            uint16 token;
            uint32 nonce;
            uint128 balance;
            uint40 frozenUntil;
        }

        struct Policy {
            uint256 guardianKeyhash;
            uint40 maxFreeze;
            uint40 cooldown;
            uint256 feeKeyhash;
            address feeExit;
            uint256 limitsRoot;
        }

        struct Limits {
            uint64 rate;
            uint40 burstSeconds;
            uint40 maxDelay;
        }

        event ChangeCancelled(bytes32 indexed change);
        event GovernorChanged(address indexed governor);
        event GovernorNamed(address indexed next);
        event MembersAnnounced(address[] guardians, uint256 toPause, address[] council, uint256 toUnpause, uint256 readyAt);
        event MembersChanged(address[] guardians, uint256 toPause, address[] council, uint256 toUnpause);
        event OperatorSet(address indexed operator, bool allowed);
        event PauseVote(address indexed guardian, uint256 ballot);
        event Paused(uint256 start, uint256 end);
        event PolicyAnnounced(uint256 indexed root, uint256 readyAt);
        event PolicyChanged(uint256 indexed root, uint256 indexed replaced, uint256 until);
        event PolicyTightened(uint256 indexed root, uint40 maxFreeze, uint40 cooldown, uint16 token, uint64 rate, uint40 burstSeconds);
        event RemovalVote(address indexed member, bytes32 indexed circuitId, uint256 removal);
        event UnpauseVote(address indexed member, uint256 ballot);
        event Unpaused(uint256 time);
        event VerifierAdded(bytes32 indexed circuitId, address verifier);
        event VerifierAnnounced(bytes32 indexed circuitId, address verifier, uint256 readyAt);
        event VerifierRemoved(bytes32 indexed circuitId);

        error AlreadyAnnounced(bytes32 change);
        error BadQuorum(uint256 needed, uint256 members);
        error ChangeExpired(uint256 since);
        error CouncilQuorumTooSmall(uint256 toPause, uint256 toUnpause);
        error CouncilTooSmall(uint256 members, uint256 least);
        error DuplicateMember(address member);
        error InBothSets(address member);
        error KnownCircuit(bytes32 circuitId);
        error NoVerifierCode(address verifier);
        error NotAMember(address sender);
        error NotAnElement(uint256 word);
        error NotAnnounced(bytes32 change);
        error NotGovernor(address sender);
        error NotPaused();
        error NotTighter();
        error PauseBudgetSpent(uint256 used);
        error PauseCooldown(uint256 earliest);
        error RootOutOfRange(uint256 root);
        error TooEarly(uint256 earliest);
        error TooManyCircuits();
        error UnknownCircuit(bytes32 circuitId);
        error WrongLimits(uint256 expected, uint256 actual);
        error WrongPolicy(uint256 expected, uint256 actual);
        error ZeroAddress();

        function MIN_COUNCIL() external view returns (uint256);
        function acceptGovernor() external;
        function acceptable(uint256 root) external view returns (bool);
        function acceptableUntil(uint256 root) external view returns (uint256);
        function accountRoot(Account calldata account, uint32 index, uint256[32] calldata path) external pure returns (uint256);
        function addVerifier(bytes32 circuitId, address verifier) external;
        function announceMembers(address[] calldata guardians_, uint256 toPause, address[] calldata council_, uint256 toUnpause) external;
        function announcePolicy(uint256 root) external;
        function announceVerifier(bytes32 circuitId, address verifier) external;
        function cancelChange(bytes32 change) external;
        function changeMembers(address[] calldata guardians_, uint256 toPause, address[] calldata council_, uint256 toUnpause) external;
        function changePolicy(uint256 root) external;
        function circuit(bytes32 circuitId) external view returns (address verifier, uint16 number);
        function circuitOf(uint256 number) external view returns (bytes32);
        function council() external view returns (address[] memory members, uint256 toUnpause);
        function governor() external view returns (address);
        function guardians() external view returns (address[] memory members, uint256 toPause);
        function nameGovernor(address next) external;
        function nextGovernor() external view returns (address);
        function operators(address account) external view returns (bool);
        function pausedSince(uint256 time) external view returns (uint256 used);
        function pausedUntil() external view returns (uint256);
        function pauses(uint256) external view returns (uint64 start, uint64 end);
        function policyRoot() external view returns (uint256);
        function readyAt(bytes32 change) external view returns (uint256);
        function removals(bytes32 circuitId) external view returns (uint256);
        function rules(address sender, uint256 root) external view returns (bool operator, bool accepted, uint256 until);
        function setOperator(address operator, bool allowed) external;
        function tightenPolicy(Policy calldata current, uint40 maxFreeze, uint40 cooldown, uint16 token, Limits calldata limits, Limits calldata tighter, uint256[16] calldata path) external;
        function verifiers(bytes32 circuitId) external view returns (address);
        function votePause() external;
        function voteRemoveVerifier(bytes32 circuitId) external;
        function voteUnpause() external;
    }
}
