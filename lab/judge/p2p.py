"""Frames that one preserved device has put into a BAR of another."""

from .checks import Check, true, zero

SHARE = 0.9     # of the frames that were on their way to the BAR while the kernel was replaced


def account(seen, first, last, frames):
    """(frames that are neither in memory nor in the BAR, in both, out of order in the BAR); `seen`: flags of memory."""
    there = [seq for _place, seq, _sent in frames if first <= seq <= last]
    missing = {seq for seq in range(first, last + 1) if not seen[seq]}
    disorder = sum(b <= a for a, b in zip(there, there[1:]))
    return len(missing - set(there)), sum(1 for seq in there if seen[seq]), disorder


def checks(seen, first, last, frames, early, blackout, sent, step):
    """`frames`: what is in the BAR at the end, `early`: when the device got its owner back; `blackout`: (from, to), s; `sent`: frames
    sent in it, of which every `step`th goes into the BAR."""
    nowhere, twice, disorder = account(seen, first, last, frames)
    landed = sum(blackout[0] <= ns / 1e9 <= blackout[1] for _place, _seq, ns in early)
    need = int(sent / step * SHARE)
    return [zero("p2p_lost", nowhere), zero("p2p_twice", twice), zero("p2p_out_of_order", disorder),
            Check("p2p_in_blackout", landed, f"≥ {need}", landed >= need > 0),
            true("p2p_stays", set(early) <= set(frames)), true("p2p_goes_on", len(frames) > len(early))]
