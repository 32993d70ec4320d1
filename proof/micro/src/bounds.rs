//! What one operation may take. Each number is what was measured when it was written; the room below comes on top.
//!
//! A change that makes one smaller lowers its number here. One that needs more raises it, in a commit that
//! says what is bought with it.

/// Of what valgrind counts. One run differs from the next by up to a fiftieth (hash maps have random seeds), and
/// another C library copies and compares in its own way.
pub const ROOM: f64 = 1.1;
/// Of what the allocator counts, which is the same in each run.
pub const ALLOCATION_ROOM: f64 = 1.01;

/// What one operation of a workload may take.
pub struct Bound {
    /// Its name.
    pub workload: &'static str,
    /// As callgrind counts them, on x86-64.
    pub instructions: f64,
    /// Copied by `memcpy` and its kind.
    pub copied_bytes: f64,
    /// Blocks of memory asked for.
    pub allocations: f64,
    /// Their sizes together.
    pub allocated_bytes: f64,
}

/// In the order of the workloads: instructions, copied bytes, allocations and allocated bytes of one operation.
#[rustfmt::skip]
pub const ALL: &[Bound] = &[
    bound("decide",             4_668.0,    1_760.0,    14.0,   1_872.0),
    bound("encode-state",      25_680.0,    2_126.0,     7.0,   2_010.0),
    bound("encode-fact",       13_810.0,      440.0,     5.0,     698.0),
    bound("encode-message",     2_910.0,      438.0,     1.0,     494.0),
    bound("pipeline",          39_620.0,    8_997.0,    44.3,   9_607.0),
    bound("commit",            86_470.0,   11_830.0,    44.2,   6_779.0),
    bound("gateway",          103_440.0,   17_556.0,    74.0,  16_311.0),
    bound("booking",          181_280.0,   55_253.0,   166.6,  38_260.0),
];

const fn bound(
    workload: &'static str,
    instructions: f64,
    copied_bytes: f64,
    allocations: f64,
    allocated_bytes: f64,
) -> Bound {
    Bound { workload, instructions, copied_bytes, allocations, allocated_bytes }
}
