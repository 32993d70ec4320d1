//! What the invariants say of rows that are wrong.
