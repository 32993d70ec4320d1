//! The faults: which kinds a seed has, how often, and how often each has happened.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{
    crashes::{CrashPoint, Transition},
    rng::Rng,
};

macro_rules! counted {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// How it is printed.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

pub(crate) use counted;

counted! {
    /// What goes wrong.
    Fault {
        /// A commit surely not done.
        CommitRefused "commit refused",
        /// A commit not done, and nobody can tell.
        CommitLost "commit lost",
        /// A commit done, and nobody can tell.
        CommitDoneTimedOut "commit done but timed out",
        /// The store cannot be read.
        ReadUnavailable "read unavailable",
        /// The process dies right before a commit.
        CrashBeforeCommit "crash before commit",
        /// The process dies right after a commit, before it answers.
        CrashAfterCommit "crash after commit",
        /// The process dies between two calls: at a read, or while the provider is asked.
        CrashElsewhere "crash elsewhere",
        /// The process is ended and started between two steps.
        Restart "restart",
        /// Facts that were processed come again.
        Duplicate "duplicate facts",
        /// A fact comes once before its turn.
        EarlyCopy "early copy of a fact",
        /// A partition gives nothing for a while.
        Stall "stalled partition",
        /// A fact cannot be read for a while, or until somebody mends it.
        Poison "unreadable fact",
        /// A second consumer of the same partition goes on from where it once was.
        ZombieConsumer "zombie consumer",
        /// A partition is given to the consumer of another replica.
        Rebalance "rebalance",
        /// Another replica acts between two calls of this one.
        Race "race of two replicas",
        /// A fact is read as another version of the code wrote it.
        OtherVersion "fact of another version",
        /// A relay that was taken for dead acts.
        SecondRelay "second relay",
        /// The log was not reached, or kept only a beginning of what was published.
        PublishCut "publishing cut short",
        /// The log kept everything, and the answer was lost.
        PublishLate "publisher's answer lost",
        /// The mail server was not reached, or takes no mail now.
        MailRefused "mail not taken",
        /// The mail was taken, and the answer was lost.
        MailLate "mail server's answer lost",
        /// The clock jumps, forward or back.
        ClockJump "clock jump",
        /// The provider was not reached.
        ProviderSilent "provider not reached",
        /// The provider did it, and the answer was lost.
        ProviderLate "provider's answer lost",
    }
}

counted! {
    /// Situations that must occur now and then; a simulator that never sees them proves little.
    Marker {
        /// A release was heard before its hold, and left a tombstone.
        ReleaseBeforeHold "release before hold",
        /// A payment was captured after the hold had run out.
        ExpiryRacingPayment "expiry racing payment",
        /// A hold ran out.
        Expired "hold expired",
        /// A booking found no seats.
        SoldOut "sold out",
        /// A hold was heard by a booking that had ended.
        LateHold "late hold",
        /// A live booking was ended by its organiser.
        CalledOff "called off",
        /// Some tickets of a booking were given back.
        PartialCancel "partial cancel",
        /// A refund was paid.
        Refunded "refunded",
        /// A payment was declined too often.
        PaymentFailed "payment failed",
        /// A commit lost a race.
        Stale "stale commit",
        /// A consumer was fenced.
        Fenced "fenced consumer",
        /// A fact was parked behind another of its key.
        ParkedBehind "parked behind its key",
        /// A parked fact was processed after all.
        Redriven "redriven",
        /// An answer was given again by its key.
        Replayed "answer replayed",
        /// A key came again with another body.
        KeyReused "key reused",
        /// A client did not learn what became of its request.
        OutcomeUnknown "outcome unknown to the client",
        /// Facts left an outbox.
        Trimmed "outbox trimmed",
        /// A consumer that lagged behind its own store found its place trimmed.
        ReadTooLate "read too late",
        /// A ticket admitted.
        Admitted "admitted",
        /// A booking ended in the state BOOKED.
        Booked "booked",
        /// A relay found that another had moved its mark.
        Overtaken "relay overtaken",
        /// The log got a fact a second time.
        Republished "fact published again",
        /// A mail left.
        Mailed "mail sent",
        /// A mail left a second time, for what became of the first was not noted.
        MailedAgain "mail sent again",
        /// Somebody rated an event.
        Rated "event rated",
        /// Somebody rated an event again.
        RatedAgain "rating edited",
        /// A user was erased.
        Erased "user erased",
        /// An address was registered twice.
        EmailTaken "address taken",
        /// A refresh token was used a second time.
        TokenReused "refresh token reused",
        /// Somebody tried to reach what is another's.
        Trespass "stranger refused",
    }
}

/// How often each kind happens in a seed that has it, in 10,000 occasions: from, to.
fn rate_range(fault: Fault) -> (i64, i64) {
    match fault {
        Fault::CommitRefused | Fault::CommitLost | Fault::CommitDoneTimedOut => (20, 600),
        Fault::CrashBeforeCommit | Fault::CrashAfterCommit => (20, 400),
        Fault::ReadUnavailable | Fault::CrashElsewhere => (10, 200),
        Fault::Restart | Fault::ClockJump | Fault::Stall => (50, 400),
        Fault::Poison => (20, 300),
        Fault::Duplicate | Fault::EarlyCopy => (200, 1_500),
        Fault::ZombieConsumer => (500, 5_000),
        Fault::Race => (500, 5_000),
        Fault::Rebalance => (50, 600),
        Fault::OtherVersion => (20, 300),
        Fault::SecondRelay => (500, 5_000),
        Fault::PublishCut | Fault::PublishLate => (100, 2_000),
        Fault::MailRefused | Fault::MailLate => (200, 3_000),
        Fault::ProviderSilent | Fault::ProviderLate => (200, 3_000),
    }
}

/// The occasions of a seed on which something goes wrong.
pub struct Faults(Mutex<Plan>);

struct Plan {
    rng: Rng,
    on: bool,
    rates: [u32; Fault::ALL.len()],
    faults: [u64; Fault::ALL.len()],
    markers: [u64; Marker::ALL.len()],
    crashes: Crashes,
    /// Calls that will never return, of processes that have not been found dead yet.
    crashed: u32,
}

impl Faults {
    /// A random subset of the kinds at random rates: seeds differ in kind, not only in order ("swarm").
    #[must_use]
    pub fn new(mut rng: Rng) -> Self {
        let is_calm = rng.chance(500);
        let share = rng.between(2_000, 8_000) as u32;
        let mut rate = |fault: &Fault| {
            let (low, high) = rate_range(*fault);
            let rate = rng.between(low, high) as u32;
            if rng.chance(share) && !is_calm { rate } else { 0 }
        };
        let rates = std::array::from_fn(|index| rate(&Fault::ALL[index]));
        let (faults, markers) = ([0; Fault::ALL.len()], [0; Marker::ALL.len()]);
        let crashes = Crashes::default();
        Self(Mutex::new(Plan { rng, on: true, rates, faults, markers, crashes, crashed: 0 }))
    }

    /// Whether this kind happens now; counts it when it does.
    pub fn strikes(&self, fault: Fault) -> bool {
        let mut plan = self.plan();
        let rate = plan.rates[fault as usize];
        let strikes = plan.on && rate > 0 && plan.rng.chance(rate);
        plan.faults[fault as usize] += u64::from(strikes);
        strikes
    }

    /// Whether this kind is tried now; whoever tries counts it once it has come about.
    pub fn tries(&self, fault: Fault) -> bool {
        let mut plan = self.plan();
        let rate = plan.rates[fault as usize];
        plan.on && rate > 0 && plan.rng.chance(rate)
    }

    /// Counts a fault that was tried and came about.
    pub fn count(&self, fault: Fault) {
        self.plan().faults[fault as usize] += 1;
    }

    /// Whether this seed has a kind at all.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        let plan = self.plan();
        plan.on && plan.rates[fault as usize] > 0
    }

    /// Whether a kind is part of this seed, also before and after the time of the faults.
    #[must_use]
    pub fn is_drawn(&self, fault: Fault) -> bool {
        self.plan().rates[fault as usize] > 0
    }

    /// Draws a number for the shape of a fault.
    pub fn below(&self, bound: u64) -> u64 {
        self.plan().rng.below(bound)
    }

    /// From now on nothing goes wrong.
    pub fn off(&self) {
        self.plan().on = false;
    }

    /// Notes that the process that acts now has died.
    pub fn crash(&self) {
        self.plan().crashed += 1;
    }

    /// Whether a process has died that was not found dead yet.
    pub fn take_crash(&self) -> bool {
        let mut plan = self.plan();
        let has_died = plan.crashed > 0;
        plan.crashed = plan.crashed.saturating_sub(1);
        has_died
    }

    /// Everybody who died has been found: of several calls of one process, only the first counts.
    pub fn bury(&self) {
        self.plan().crashed = 0;
    }

    /// Counts a situation.
    pub fn mark(&self, marker: Marker) {
        self.plan().markers[marker as usize] += 1;
    }

    /// Whether a process may die around a commit, so that it matters which steps that is.
    #[must_use]
    pub fn may_crash(&self) -> bool {
        self.has(Fault::CrashBeforeCommit) || self.has(Fault::CrashAfterCommit)
    }

    /// Counts that a process died at this point around each of these steps.
    pub fn count_crash(&self, point: CrashPoint, transitions: &[Transition]) {
        let mut plan = self.plan();
        for transition in transitions {
            plan.crashes[*transition as usize][point as usize] += 1;
        }
    }

    /// How often each kind has happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let plan = self.plan();
        Counts { faults: plan.faults, markers: plan.markers, crashes: plan.crashes }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often a process died, by [`Transition`] and [`CrashPoint`].
pub type Crashes = [[u64; CrashPoint::ALL.len()]; Transition::ALL.len()];

/// How often each kind of fault and each situation has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// By [`Fault`].
    pub faults: [u64; Fault::ALL.len()],
    /// By [`Marker`].
    pub markers: [u64; Marker::ALL.len()],
    /// Where processes died.
    pub crashes: Crashes,
}

impl Counts {
    /// Adds another seed's.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.faults.iter_mut().zip(other.faults) {
            *sum += more;
        }
        for (sum, more) in self.markers.iter_mut().zip(other.markers) {
            *sum += more;
        }
        for (sums, more) in self.crashes.iter_mut().zip(other.crashes) {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
    }

    /// How often a process died at a point around a step.
    #[must_use]
    pub fn crashes_at(&self, transition: Transition, point: CrashPoint) -> u64 {
        self.crashes[transition as usize][point as usize]
    }

    /// All faults together.
    #[must_use]
    pub fn faults_in_all(&self) -> u64 {
        self.faults.iter().sum()
    }
}
