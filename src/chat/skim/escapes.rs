//! Strings full of escapes, as code is, are passed 64 bytes at a time: to stop at each escape takes longer than all else that is read of a body.

use std::array;

use wide::u8x16;

use super::is_unit;

/// A block's bytes, side by side.
type Lanes = [u8x16; 4];

const BLOCK: usize = 64;

/// Where it goes on.
pub(super) enum Stop {
    /// Behind the string's closing quote.
    Behind(usize),
    /// Still within the string, behind a block without an escape.
    Within(usize),
}

/// Passes a part of a string, from the backslash at `at` on. `None` where it is no JSON.
pub(super) fn pass(bytes: &[u8], mut at: usize) -> Option<Stop> {
    let mut is_escaped = false;
    loop {
        let rest = bytes.get(at..)?;
        let Some(block) = rest.first_chunk() else {
            // A zero may not stand in a string: one that does not end before them is no string.
            let mut last = [0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            return pass_block(&last, bytes, at, &mut is_escaped)?;
        };
        let stop = pass_block(block, bytes, at, &mut is_escaped)?;
        if stop.is_some() {
            return stop;
        }
        at += BLOCK;
    }
}

/// Passes the block that begins at `at`. The inner `None` stands for one that has escapes, and does not end the string.
#[expect(clippy::option_option, reason = "the outer one says what it says everywhere in the walk")]
fn pass_block(block: &[u8; BLOCK], bytes: &[u8], at: usize, is_escaped: &mut bool) -> Option<Option<Stop>> {
    let lanes = array::from_fn(|part| u8x16::new(*block[part * 16..].first_chunk().expect("a fourth of a block")));
    let (quotes, backslashes) = (equal(lanes, b'"'), equal(lanes, b'\\'));
    let escaped = escaped(backslashes, is_escaped);
    let ends = quotes & !escaped;
    let before_end = ends.wrapping_sub(1) & !ends;
    let escaped = escaped & before_end;
    if has_control(lanes, before_end) {
        return None;
    }
    if escaped != 0 {
        if escaped & !(known(lanes) | quotes | backslashes) != 0 {
            return None;
        }
        let mut units = escaped & equal(lanes, b'u');
        while units != 0 {
            is_unit(bytes, at + units.trailing_zeros() as usize + 1).then_some(())?;
            units &= units - 1;
        }
    }
    let is_sparse = escaped == 0 && !*is_escaped;
    Some(match ends {
        0 => is_sparse.then_some(Stop::Within(at + BLOCK)),
        _ => Some(Stop::Behind(at + ends.trailing_zeros() as usize + 1)),
    })
}

/// Which bytes stand behind a backslash that counts: in a row of backslashes each second one is itself escaped. A row that begins at an even
/// place ends, where its first is added to all, in a carry that clears it; so the rows are told apart without a look at each.
fn escaped(backslashes: u64, is_first_escaped: &mut bool) -> u64 {
    const EVEN: u64 = u64::MAX / 3;
    let first = u64::from(*is_first_escaped);
    let backslashes = backslashes & !first;
    let begins = backslashes & !(backslashes << 1);
    let carried = backslashes.wrapping_add(begins & EVEN);
    let (from_even, from_odd) = (backslashes & !carried, backslashes & carried);
    let counting = (from_even & EVEN) | (from_odd & !EVEN);
    *is_first_escaped = counting >> (BLOCK - 1) != 0;
    counting << 1 | first
}

/// Whether a control character is among the bytes of `places`. Few blocks have one at all.
fn has_control(lanes: Lanes, places: u64) -> bool {
    let controls = lanes.map(|lane| lane.min(u8x16::splat(0x1F)).simd_eq(lane));
    let [first, second, third, fourth] = controls;
    (first | second | third | fourth).to_bitmask() != 0 && mask(controls) & places != 0
}

/// The letters that may stand behind a backslash, and the slash. `b` and `f` differ in one bit, and so do `t` and `u`.
fn known(lanes: Lanes) -> u64 {
    let is = |lane: u8x16, byte| lane.simd_eq(u8x16::splat(byte));
    mask(lanes.map(|lane| {
        let (b_or_f, t_or_u) = (is(lane & u8x16::splat(!4), b'b'), is(lane | u8x16::splat(1), b'u'));
        b_or_f | t_or_u | is(lane, b'n') | is(lane, b'r') | is(lane, b'/')
    }))
}

fn equal(lanes: Lanes, byte: u8) -> u64 {
    mask(lanes.map(|lane| lane.simd_eq(u8x16::splat(byte))))
}

/// A bit for each byte that is set, the first the lowest.
fn mask(lanes: Lanes) -> u64 {
    let bits = lanes.map(|lane| u64::from(lane.to_bitmask()));
    bits[0] | bits[1] << 16 | bits[2] << 32 | bits[3] << 48
}
