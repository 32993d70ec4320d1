//! Every invariant that is checked, with its meaning. `docs/invariants.md` is this list as a page; a test holds the two
//! together, and every defect is caught by a rule of this list.

/// When a rule is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// After each commit or answer.
    Step,
    /// Once everything is at rest.
    Rest,
    /// Both.
    Both,
}

impl When {
    /// As the page says it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Step => "each step",
            Self::Rest => "at rest",
            Self::Both => "each step, at rest",
        }
    }
}

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    /// As a violation names it.
    pub name: &'static str,
    /// What must hold.
    pub meaning: &'static str,
    /// When it is looked at.
    pub when: When,
}

const fn rule(name: &'static str, when: When, meaning: &'static str) -> Invariant {
    Invariant { name, meaning, when }
}

/// All of them.
pub const INVARIANTS: &[Invariant] = &[
    rule(
        "no oversell",
        When::Step,
        "Held and sold places of a ticket type are never more than its quantity, and all together never more than the event's capacity.",
    ),
    rule(
        "holds add up",
        When::Both,
        "The event's figures of held and sold places are the sums over its holds; so none is negative, and free + held + sold is the quantity.",
    ),
    rule(
        "seats are given as the rules say",
        When::Step,
        "Seats are taken or refused exactly as the witness decides by its own figures: published, in its sale, within the limits of a booking, places left. Who is refused is refused rightly.",
    ),
    rule(
        "seats at their price",
        When::Step,
        "What is taken is what was asked for, at the prices of that moment, and the total is their sum.",
    ),
    rule(
        "a hold lasts as long as it should",
        When::Step,
        "A hold ends the configured time after it was taken, and only what costs something is held.",
    ),
    rule(
        "a hold resolves once",
        When::Step,
        "Seats of a booking are decided once, sold once, and each return has a higher number than the one before.",
    ),
    rule(
        "a release is final",
        When::Step,
        "Once the end of a booking was heard, in turn or early, it never gets seats.",
    ),
    rule(
        "a release has a cancellation",
        When::Step,
        "Seats come back only after a cancellation that the ticket service published.",
    ),
    rule(
        "exactly what was held comes back",
        When::Step,
        "A return gives back what the booking had less what it keeps, and says why as the ticket service did.",
    ),
    rule(
        "a hold is what its facts say",
        When::Step,
        "The row of a hold is what its facts, carried out one by one, come to.",
    ),
    rule(
        "sold only when paid",
        When::Step,
        "Seats that cost something are sold only for a captured payment of that amount.",
    ),
    rule("a hold has a booking", When::Both, "No hold without its booking."),
    rule(
        "holds equal bookings",
        When::Rest,
        "A BOOKED booking has exactly its seats, sold; every other has none.",
    ),
    rule("a sound booking", When::Step, "The invariants of one booking, as the product states them itself."),
    rule(
        "a booking stays what it is",
        When::Step,
        "Buyer, event, ticket types, quantities, total and end of its hold never change.",
    ),
    rule("legal transitions", When::Step, "A booking begins PENDING and goes only the ways of its life."),
    rule(
        "each state has its cause",
        When::Step,
        "HELD, BOOKED and REJECTED follow from what the event service said; EXPIRED from the time; CANCELLED from the buyer before the start, from three declined payments, or from the organiser.",
    ),
    rule("an end is an end", When::Step, "A booking that ended, and an event that was called off, stay so."),
    rule("every booking ends", When::Rest, "No booking stays PENDING or HELD."),
    rule("a cancelled event has no bookings", When::Rest, "No live booking of an event that was called off."),
    rule(
        "a ticket for each place",
        When::Step,
        "Tickets are issued once, one for each place, numbered from 1.",
    ),
    rule(
        "a ticket's life goes one way",
        When::Step,
        "Valid, then used or cancelled; a ticket that is given away gets a new code; who was let in is not let in again.",
    ),
    rule(
        "only the code that was given last admits",
        When::Step,
        "The code of a ticket that was given away does not admit.",
    ),
    rule(
        "payments are of the total",
        When::Step,
        "Each payment is of the booking's total, and there are at most three.",
    ),
    rule("a payment is answered once", When::Step, "What a provider said of a payment never changes."),
    rule("one payment at a time", When::Step, "At most one payment of a booking is open."),
    rule("no payment of an ended booking", When::Step, "A booking that ended has no open payment."),
    rule(
        "a refund is what was given back",
        When::Step,
        "Refunds are of the booking's payment, and are the price of the tickets given back: never more than was paid.",
    ),
    rule("refunds are paid", When::Rest, "Every refund that was owed has been paid."),
    rule(
        "money",
        When::Both,
        "The provider's ledger and the bookings agree to the cent: what was captured less what was given back is what the valid tickets cost, and no payment is of no booking.",
    ),
    rule(
        "answered is durable",
        When::Both,
        "What a client was told is there afterwards, and nothing of it is undone.",
    ),
    rule("not done is not done", When::Step, "A request that was answered as not done has had no effect."),
    rule("durable", When::Both, "The stores hold what was committed, and nothing of it disappears."),
    rule(
        "one key, one booking",
        When::Both,
        "One idempotency key makes one booking at most, and each answer to it names the same.",
    ),
    rule("a key is of one body", When::Step, "A key that comes again with another body is refused."),
    rule(
        "one fact for each transition",
        When::Step,
        "Each change of a booking, a hold, an account, an event or a rating has exactly one fact in its commit, and each fact has its change.",
    ),
    rule(
        "a fact says what happened",
        When::Step,
        "Each fact agrees with the rows that were committed with it.",
    ),
    rule(
        "published in order",
        When::Step,
        "Where the log is elsewhere, each fact gets there once at first, in the order of its key, and none but committed ones.",
    ),
    rule("every fact is published", When::Rest, "Every committed fact is on the log."),
    rule("positions rise", When::Step, "No consumer and no relay goes back."),
    rule(
        "a position is moved by who knows it",
        When::Step,
        "A position is moved only from where it is: who was overtaken is refused. Effects are committed with it.",
    ),
    rule(
        "a parked fact blocks its key",
        When::Step,
        "No fact is carried out, for the first time or again, while an earlier one of its key is parked.",
    ),
    rule(
        "a parked fact blocks only its key",
        When::Step,
        "A fact is parked because it could not be processed, or because it is behind one of its key.",
    ),
    rule("nothing parked", When::Rest, "Every parked fact has been processed, once it can be read."),
    rule(
        "comes to rest",
        When::Rest,
        "Once nothing goes wrong any more, everything is at rest within a bounded number of rounds.",
    ),
    rule("at rest", When::Rest, "Every consumer has read everything, and nothing is left to do."),
    rule(
        "redelivery changes nothing",
        When::Rest,
        "The whole log, delivered once more to everybody, changes no row and publishes nothing (one seed of four).",
    ),
    rule(
        "analytics equal the ledger",
        When::Rest,
        "Sales, returns, earnings, visits and ratings, by event and by day, are what the event and feedback services did.",
    ),
    rule(
        "analytics from the beginning are the same",
        When::Rest,
        "Analytics that are built anew from the whole log, topic after topic, are row for row those that grew (one seed of four).",
    ),
    rule(
        "followers know what a booking has",
        When::Rest,
        "Feedback and analytics know of each booking exactly the places that it has.",
    ),
    rule(
        "everybody knows an event as it is",
        When::Rest,
        "Every read model has the newest version of each event.",
    ),
    rule(
        "everybody knows a user as they are",
        When::Rest,
        "Every read model has the newest version of each user.",
    ),
    rule(
        "one notification for each status",
        When::Rest,
        "Each booking has one notification for each status that it came to, with what happened in it, and no other.",
    ),
    rule(
        "one mail",
        When::Both,
        "Each notification leaves as one mail, to its recipient; a second one leaves only when the courier could not know of the first.",
    ),
    rule(
        "the ticket that was named changes hands",
        When::Step,
        "Who gives a ticket away gives that one, to whom they named.",
    ),
    rule("feedback only from ticket holders", When::Step, "Only who had a ticket of the event rates it."),
    rule("feedback only after the start", When::Step, "No rating before the event has begun."),
    rule("ratings are from 1 to 5", When::Step, "No other rating is taken."),
    rule(
        "ratings add up",
        When::Rest,
        "The sum and the number of an event's ratings are those of its ratings, at each service that shows them.",
    ),
    rule("editions grow", When::Step, "Each edit of a rating has a higher edition."),
    rule("sequences grow", When::Step, "Each rating of an event has a higher sequence."),
    rule(
        "versions grow by one",
        When::Step,
        "Each change of an event or an account raises its version by one.",
    ),
    rule(
        "one account for an address",
        When::Both,
        "No two accounts have one address, in whatever spelling, and no address is kept for nobody.",
    ),
    rule(
        "only with the password",
        When::Step,
        "Nobody signs in with a password that is not the present one.",
    ),
    rule("a password is counted", When::Step, "Each change of a password is counted."),
    rule(
        "a new password ends the sessions",
        When::Step,
        "No session outlives the password it was opened with.",
    ),
    rule("a session is of an account", When::Step, "Every session is in the list of its account."),
    rule("a token is spent once", When::Step, "A refresh token that is used again ends its family."),
    rule("signed out is out", When::Step, "A session that was signed out is gone."),
    rule(
        "erased is erased",
        When::Both,
        "Nothing names a user who is gone, nobody else is taken for gone, and they do not come back.",
    ),
    rule(
        "nobody reaches what is another's",
        When::Step,
        "No stranger pays, cancels, gives away, lets in or changes what is another's.",
    ),
    rule("no panic", When::Both, "Nothing panics."),
];

/// The page about them.
#[must_use]
pub fn page() -> String {
    let mut page = PREFACE.to_owned();
    for invariant in INVARIANTS {
        let Invariant { name, meaning, when } = invariant;
        page.push_str(&format!("| {name} | {meaning} | {} |\n", when.text()));
    }
    page
}

const PREFACE: &str = "# Invariants

What must hold of the whole system, whatever breaks. The simulator (`proof/sim`) checks each rule after every commit and
every answer, or once its faults are over and everything is at rest. A violation names its rule, and the seed that
found it is replayed by `sim replay SEED`. This page is written from `proof/sim/src/invariants.rs` by `sim invariants`.

| rule | what must hold | checked |
| --- | --- | --- |
";
