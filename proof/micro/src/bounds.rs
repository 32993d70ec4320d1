//! What one operation may take. Each number is what was measured when it was written; [`ROOM`] comes on top.
//!
//! A change that makes one smaller lowers its number here. One that needs more raises it, in a commit that
//! says what is bought with it.

/// What the measure itself may be off, and what another machine's C library may cost: a tenth.
pub const ROOM: f64 = 1.1;
/// Counts of blocks do not depend on the machine; the last figure of a mean does.
pub const ALLOCATION_ROOM: f64 = 1.01;

/// What one operation of a workload may take.
pub struct Bound {
    pub workload: &'static str,
    /// On x86-64.
    pub instructions: f64,
    pub copied_bytes: f64,
    pub allocations: f64,
    pub allocated_bytes: f64,
}

/// In the order of the workloads.
#[rustfmt::skip]
pub const ALL: &[Bound] = &[
    Bound { workload: "decide",         instructions: 0.0, copied_bytes: 0.0, allocations: 0.0, allocated_bytes: 0.0 },
];
