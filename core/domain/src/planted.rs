//! Planted defects: one switch each, compiled only for the simulator, which must catch every one.
//! A defect that it misses means that the simulator is not good enough.

/// The defects. Each names the mistake it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the table below says what each does")]
pub enum Defect {
    ReadThenWrite,
    CancelTwiceReleasesTwice,
    NoTombstone,
    NoExpirySweep,
    PositionBeforeEffects,
    OutboxInSecondTransaction,
    IdempotencyKeyIgnored,
    RebookPendingTakesAgain,
    PaidTakesAgain,
    SharedCapacityIgnored,
    ReleaseForgetsSold,
    HoldSoldTwice,
    ExpireAfterPayment,
    LateHoldRevivesCancelled,
    ParkedKeyNotBlocked,
    PoisonSkipped,
    ZombieNotFenced,
    UnknownRetriedBlindly,
    PartialCancelReleasesAll,
    RefundForgotten,
    CancelledFactNotPublished,
    EventCancelMissesLateHolds,
    UnknownTakenAsDone,
    ExpireDuringPayment,
    SecondPaymentWhileOpen,
    RefundPaidTwice,
    SalesEndIgnored,
    SettledPaymentStartsAgain,
    TrimmedBeforeRead,
}

impl Defect {
    /// All of them, with what each does wrong.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::ReadThenWrite, "the seat count is read before and written after, without a version check"),
        (Self::CancelTwiceReleasesTwice, "a cancellation heard twice gives the seats back twice"),
        (Self::NoTombstone, "a release that comes before its hold leaves no tombstone"),
        (Self::NoExpirySweep, "holds that are not paid are never looked for"),
        (Self::PositionBeforeEffects, "the consumer's position is committed before the effects"),
        (Self::OutboxInSecondTransaction, "facts are appended after the state, in a commit of their own"),
        (Self::IdempotencyKeyIgnored, "a repeated request is carried out again"),
        (Self::RebookPendingTakesAgain, "a placed booking heard twice takes seats twice"),
        (Self::PaidTakesAgain, "a payment heard for a released hold sells seats that are gone"),
        (Self::SharedCapacityIgnored, "only the ticket type's quantity is checked"),
        (Self::ReleaseForgetsSold, "releasing sold seats gives back held ones"),
        (Self::HoldSoldTwice, "a sold hold is counted as sold again"),
        (Self::ExpireAfterPayment, "the expiry sweep ends bookings that were paid"),
        (Self::LateHoldRevivesCancelled, "a hold heard after the cancellation revives the booking"),
        (Self::ParkedKeyNotBlocked, "facts behind a parked one of the same key are carried out"),
        (Self::PoisonSkipped, "a fact that cannot be processed is skipped, not parked"),
        (Self::ZombieNotFenced, "a consumer that lost its position overwrites it"),
        (Self::UnknownRetriedBlindly, "a commit whose outcome is unknown is made again without looking"),
        (Self::PartialCancelReleasesAll, "cancelling one ticket gives back all seats of the booking"),
        (Self::RefundForgotten, "cancelling a paid booking owes no refund"),
        (Self::CancelledFactNotPublished, "a cancellation is not told to the other services"),
        (Self::EventCancelMissesLateHolds, "a hold that comes after the event was called off stays"),
        (Self::UnknownTakenAsDone, "a commit whose outcome is unknown is answered as done"),
        (Self::ExpireDuringPayment, "a hold runs out while its payment is not settled"),
        (Self::SecondPaymentWhileOpen, "a second payment is started while the first is not settled"),
        (Self::RefundPaidTwice, "a refund that is tried again has a new id at the provider"),
        (Self::SalesEndIgnored, "tickets are sold after their sale has ended"),
        (Self::SettledPaymentStartsAgain, "a payment that was settled is started again under its id"),
        (Self::TrimmedBeforeRead, "facts are removed from the outbox before a slow consumer has read them"),
    ];
}

#[cfg(feature = "planted")]
thread_local! {
    static ACTIVE: std::cell::Cell<Option<Defect>> = const { std::cell::Cell::new(None) };
}

/// Switches one defect on for this thread, or all off.
#[cfg(feature = "planted")]
pub fn activate(defect: Option<Defect>) {
    ACTIVE.set(defect);
}

/// Whether a defect is on. Always false in the product, where the switch is not compiled in.
#[cfg(feature = "planted")]
#[must_use]
pub fn planted(defect: Defect) -> bool {
    ACTIVE.get() == Some(defect)
}

/// Whether a defect is on. Always false in the product, where the switch is not compiled in.
#[cfg(not(feature = "planted"))]
#[must_use]
#[inline(always)]
pub const fn planted(_defect: Defect) -> bool {
    false
}
