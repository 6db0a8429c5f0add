pragma circom 2.1.5;

// A batch of transfers, as rollups in circom are usually written: accounts are leaves of a Poseidon
// Merkle tree, a transfer updates the sender's leaf and then the receiver's, and the root is handed
// from transfer to transfer. Hash, signature and range checks are circomlib's.

include "poseidon.circom";
include "eddsaposeidon.circom";
include "bitify.circom";
include "switcher.circom";

// Leaf of an account.
template AccountLeaf() {
    signal input ax;
    signal input ay;
    signal input token;
    signal input nonce;
    signal input balance;
    signal output out;

    out <== Poseidon(5)([ax, ay, token, nonce, balance]);
}

// One leaf changes: the root before and the root after, along the same siblings. Both roots use the
// same bits and siblings, which is what says that nothing else in the tree changed.
template MerkleUpdate(depth) {
    signal input oldLeaf;
    signal input newLeaf;
    signal input bits[depth];       // bit 0 is next to the leaf; must be bits
    signal input siblings[depth];
    signal output oldRoot;
    signal output newRoot;

    component oldSide[depth];
    component newSide[depth];
    signal oldNode[depth + 1];
    signal newNode[depth + 1];
    oldNode[0] <== oldLeaf;
    newNode[0] <== newLeaf;
    for (var i = 0; i < depth; i++) {
        oldSide[i] = Switcher();
        oldSide[i].sel <== bits[i];
        oldSide[i].L <== oldNode[i];
        oldSide[i].R <== siblings[i];
        oldNode[i + 1] <== Poseidon(2)([oldSide[i].outL, oldSide[i].outR]);

        newSide[i] = Switcher();
        newSide[i].sel <== bits[i];
        newSide[i].L <== newNode[i];
        newSide[i].R <== siblings[i];
        newNode[i + 1] <== Poseidon(2)([newSide[i].outL, newSide[i].outR]);
    }
    oldRoot <== oldNode[depth];
    newRoot <== newNode[depth];
}

template Transfer(depth) {
    signal input oldRoot;
    signal output newRoot;

    // What the sender signs.
    signal input from;
    signal input to;
    signal input token;
    signal input amount;
    signal input nonce;
    signal input r8x;
    signal input r8y;
    signal input s;

    // The accounts as they are before they are touched. If sender and receiver are the same, the
    // receiver's are those after the sender's update.
    signal input senderAx;
    signal input senderAy;
    signal input senderBalance;
    signal input senderSiblings[depth];
    signal input receiverAx;
    signal input receiverAy;
    signal input receiverNonce;
    signal input receiverBalance;
    signal input receiverSiblings[depth];

    // Indices as bits, which are also the paths.
    signal fromBits[depth] <== Num2Bits(depth)(from);
    signal toBits[depth] <== Num2Bits(depth)(to);

    // Signature by the sender's key. The nonce of the message is the account's: it is the one that
    // goes into the leaf below.
    signal message <== Poseidon(5)([from, to, token, amount, nonce]);
    component signature = EdDSAPoseidonVerifier();
    signature.enabled <== 1;
    signature.Ax <== senderAx;
    signature.Ay <== senderAy;
    signature.S <== s;
    signature.R8x <== r8x;
    signature.R8y <== r8y;
    signature.M <== message;

    // Balances stay below 2^128: a difference below zero is a number of 254 bits, and a sum of two
    // numbers of 128 bits does not wrap.
    signal senderAfter <== senderBalance - amount;
    signal receiverAfter <== receiverBalance + amount;
    signal amountBits[128] <== Num2Bits(128)(amount);
    signal senderAfterBits[128] <== Num2Bits(128)(senderAfter);
    signal receiverAfterBits[128] <== Num2Bits(128)(receiverAfter);
    signal nonceAfterBits[32] <== Num2Bits(32)(nonce + 1);

    component sender = MerkleUpdate(depth);
    sender.oldLeaf <== AccountLeaf()(senderAx, senderAy, token, nonce, senderBalance);
    sender.newLeaf <== AccountLeaf()(senderAx, senderAy, token, nonce + 1, senderAfter);
    sender.bits <== fromBits;
    sender.siblings <== senderSiblings;
    sender.oldRoot === oldRoot;

    // The receiver holds the same token, by its leaf.
    component receiver = MerkleUpdate(depth);
    receiver.oldLeaf <== AccountLeaf()(receiverAx, receiverAy, token, receiverNonce, receiverBalance);
    receiver.newLeaf <== AccountLeaf()(receiverAx, receiverAy, token, receiverNonce, receiverAfter);
    receiver.bits <== toBits;
    receiver.siblings <== receiverSiblings;
    receiver.oldRoot === sender.newRoot;

    newRoot <== receiver.newRoot;
}

// `n` transfers. The roots before and after are public.
template Transfers(n, depth) {
    signal input oldRoot;
    signal output newRoot;

    signal input from[n];
    signal input to[n];
    signal input token[n];
    signal input amount[n];
    signal input nonce[n];
    signal input r8x[n];
    signal input r8y[n];
    signal input s[n];
    signal input senderAx[n];
    signal input senderAy[n];
    signal input senderBalance[n];
    signal input senderSiblings[n][depth];
    signal input receiverAx[n];
    signal input receiverAy[n];
    signal input receiverNonce[n];
    signal input receiverBalance[n];
    signal input receiverSiblings[n][depth];

    signal roots[n + 1];
    roots[0] <== oldRoot;
    component transfers[n];
    for (var i = 0; i < n; i++) {
        transfers[i] = Transfer(depth);
        transfers[i].oldRoot <== roots[i];
        transfers[i].from <== from[i];
        transfers[i].to <== to[i];
        transfers[i].token <== token[i];
        transfers[i].amount <== amount[i];
        transfers[i].nonce <== nonce[i];
        transfers[i].r8x <== r8x[i];
        transfers[i].r8y <== r8y[i];
        transfers[i].s <== s[i];
        transfers[i].senderAx <== senderAx[i];
        transfers[i].senderAy <== senderAy[i];
        transfers[i].senderBalance <== senderBalance[i];
        transfers[i].senderSiblings <== senderSiblings[i];
        transfers[i].receiverAx <== receiverAx[i];
        transfers[i].receiverAy <== receiverAy[i];
        transfers[i].receiverNonce <== receiverNonce[i];
        transfers[i].receiverBalance <== receiverBalance[i];
        transfers[i].receiverSiblings <== receiverSiblings[i];
        roots[i + 1] <== transfers[i].newRoot;
    }
    newRoot <== roots[n];
}
