//! A payment provider for trying things out: its cards are numbers that nobody has.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    Money, PaymentId, RefundId,
    ticket::payment::{Answer, NoAnswer, Provider, Reply},
};

/// What a test card does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Card {
    Pays,
    Declines,
    /// The payment is not made, and no answer comes.
    TimesOut,
    /// The payment is made, and no answer comes.
    PaysAndTimesOut,
}

/// The test cards, with what each does.
pub const TEST_CARDS: [(&str, &str); 4] = [
    ("4242424242424242", "pays"),
    ("4000000000000002", "is declined"),
    ("4000000000000044", "does not answer; nothing is paid"),
    ("4000000000000051", "does not answer; the payment is found when asked for"),
];

/// The most payments that it remembers.
const MAX_PAYMENTS: usize = 100_000;

/// The simulated provider. It forgets everything when the process ends.
#[derive(Default)]
pub struct Simulator {
    payments: Arc<Mutex<BTreeMap<PaymentId, Answer>>>,
}

fn card(method: &str) -> Option<Card> {
    let digits: String = method.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    match digits.as_str() {
        "4242424242424242" => Some(Card::Pays),
        "4000000000000002" => Some(Card::Declines),
        "4000000000000044" => Some(Card::TimesOut),
        "4000000000000051" => Some(Card::PaysAndTimesOut),
        _ => None,
    }
}

impl Simulator {
    /// The first answer to a payment stands.
    fn remember(&self, id: PaymentId, answer: Answer) -> Answer {
        let mut payments = self.payments.lock().unwrap_or_else(PoisonError::into_inner);
        if payments.len() >= MAX_PAYMENTS {
            payments.pop_first();
        }
        *payments.entry(id).or_insert(answer)
    }
}

impl Provider for Simulator {
    fn check(&self, method: &str) -> Result<(), String> {
        match card(method) {
            Some(_) => Ok(()),
            None => Err(format!("must be a test card of the simulator, such as {}", TEST_CARDS[0].0)),
        }
    }

    fn capture(&self, id: PaymentId, _amount: Money, method: &str) -> Reply<Answer> {
        let answer = match card(method) {
            Some(Card::Pays) => Ok(self.remember(id, Answer::Captured)),
            Some(Card::Declines) | None => Ok(self.remember(id, Answer::Declined)),
            Some(Card::TimesOut) => Err(NoAnswer),
            Some(Card::PaysAndTimesOut) => {
                self.remember(id, Answer::Captured);
                Err(NoAnswer)
            }
        };
        Box::pin(async move { answer })
    }

    fn settle(&self, id: PaymentId) -> Reply<Answer> {
        let answer = self.remember(id, Answer::Declined);
        Box::pin(async move { Ok(answer) })
    }

    fn refund(&self, _id: RefundId, _payment: PaymentId, _amount: Money) -> Reply<()> {
        Box::pin(async { Ok(()) })
    }
}
