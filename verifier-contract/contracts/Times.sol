// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Every deadline and delay, in seconds
/// @notice They belong together: an announced change must wait longer than leaving takes, and a
/// pause must leave operators time before a queue entry is overdue. docs/security.md has the argument.
library Times {
    /// @notice In which a queue entry must be in a finalized block; after that, exodus.
    uint256 internal constant QUEUE_DEADLINE = 7 days;
    /// @notice Longest time from a block's commit to the release of its exits by the limiter, and
    /// from its finality to the moment when nothing delays them any more. Policies with a larger
    /// `max_delay` cannot be used, so that no policy makes leaving longer than `EXIT_TIME`.
    uint256 internal constant MAX_RELEASE_DELAY = 3 days;
    /// @notice From a request to the moment when leaving is in the user's own hands, whatever
    /// everybody else does, unless an alarm shows that the proof system is broken.
    uint256 internal constant EXIT_TIME = QUEUE_DEADLINE + MAX_RELEASE_DELAY;

    /// @notice How far a block's time may lie behind the time of its commit: proving and waiting
    /// for a place in a block of L1 take hours.
    uint256 internal constant MAX_CLOCK_LAG = 1 days;
    /// @notice After which anybody may take back a commit that was not proven.
    uint256 internal constant PROVE_DEADLINE = 1 days;
    /// @notice Without a final block, or with a waiting entry, after which anybody may bring blocks.
    uint256 internal constant OPERATOR_DEADLINE = 3 days;
    /// @notice How long blocks may still be made under a policy that was replaced.
    uint256 internal constant POLICY_GRACE = 6 hours;
    /// @notice How long the council has to act on an alarm; after that, exodus.
    uint256 internal constant ALARM_DEADLINE = 3 days;

    /// @notice Between the announcement of a change and the change: 30 days beyond `EXIT_TIME`, and
    /// five for noticing it.
    uint256 internal constant UPGRADE_DELAY = EXIT_TIME + 35 days;
    /// @notice After which a change that was not made needs a new announcement.
    uint256 internal constant UPGRADE_GRACE = 14 days;

    /// @notice Longest pause.
    uint256 internal constant MAX_PAUSE = 2 days;
    /// @notice Between the end of a pause and the next one.
    uint256 internal constant PAUSE_COOLDOWN = 5 days;
    /// @notice Paused seconds that any `PAUSE_WINDOW` holds at most.
    uint256 internal constant PAUSE_BUDGET = 5 days;
    /// @notice In which paused seconds are counted.
    uint256 internal constant PAUSE_WINDOW = 30 days;

    /// @notice How long a member's vote counts.
    uint256 internal constant VOTE_LIFETIME = 1 days;

    /// @notice Between the announcement of a report about a broken receipt and the report.
    uint256 internal constant REPORT_DELAY = 10 minutes;
    /// @notice Between the announcement that a bond leaves and its withdrawal. A block is committed at most
    /// `MAX_CLOCK_LAG` after its time; without proof anybody takes it back after `PROVE_DEADLINE`; an alarm may
    /// follow for `MAX_RELEASE_DELAY`, run for `ALARM_DEADLINE`, and a pause lie between. The rest, two weeks, is for those who
    /// look for broken promises.
    uint256 internal constant BOND_DELAY = 24 days;
}
