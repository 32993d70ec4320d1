//! A payment provider with a ledger of its own, which may not answer.

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    Money, PaymentId, RefundId,
    ticket::payment::{Answer, NoAnswer, Provider, Reply},
};

use crate::{
    crashes::{CrashPoint, Transition},
    faults::{Fault, Faults},
};

/// The payment method that is always declined.
pub const BAD_CARD: &str = "declined";
/// The payment method that pays.
pub const GOOD_CARD: &str = "pays";

/// What the provider has done.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The first answer to each payment stands; the amount where money moved.
    pub payments: BTreeMap<PaymentId, (Answer, Option<Money>)>,
    /// Money given back.
    pub refunds: BTreeMap<RefundId, (PaymentId, Money)>,
    /// What somebody asked for that must never be asked for.
    pub violations: Vec<String>,
}

/// The simulated provider.
pub struct SimProvider {
    ledger: Arc<Mutex<Ledger>>,
    faults: Arc<Faults>,
}

impl SimProvider {
    /// A provider with an empty ledger.
    #[must_use]
    pub fn new(faults: Arc<Faults>) -> Self {
        Self { ledger: Arc::default(), faults }
    }

    /// Its ledger.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acts, unless the request is lost on its way; the answer may be lost on its way back. `step` is what the answer
    /// leads to.
    fn reply<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Ledger) -> T,
        step: impl FnOnce(&T) -> Transition,
    ) -> Reply<T> {
        if self.faults.strikes(Fault::ProviderSilent) {
            return Box::pin(async { Err(NoAnswer) });
        }
        let answer = act(&mut self.ledger());
        if self.faults.strikes(Fault::CrashElsewhere) {
            // The money has moved, and who asked dies before it hears.
            self.faults.count_crash(CrashPoint::AtProvider, &[step(&answer)]);
            self.faults.crash();
            return Box::pin(pending());
        }
        let is_lost = self.faults.strikes(Fault::ProviderLate);
        Box::pin(async move { if is_lost { Err(NoAnswer) } else { Ok(answer) } })
    }
}

/// What an answer about a payment leads to.
fn answered(answer: &Answer) -> Transition {
    match answer {
        Answer::Captured => Transition::Paid,
        Answer::Declined => Transition::PaymentDeclined,
    }
}

impl Ledger {
    fn refund(&mut self, id: RefundId, payment: PaymentId, amount: Money) {
        self.refunds.entry(id).or_insert((payment, amount));
        let captured = match self.payments.get(&payment) {
            Some((Answer::Captured, Some(amount))) => amount.minor,
            _ => 0,
        };
        let given_back = self.refunded(payment);
        if given_back > captured {
            let found = format!("provider: payment {payment} took {captured} and gave back {given_back}");
            self.violations.push(found);
        }
    }

    /// What was given back of a payment.
    #[must_use]
    pub fn refunded(&self, payment: PaymentId) -> i64 {
        self.refunds.values().filter(|(of, _)| *of == payment).map(|(_, amount)| amount.minor).sum()
    }
}

impl Provider for SimProvider {
    fn check(&self, _method: &str) -> Result<(), String> {
        Ok(())
    }

    fn capture(&self, id: PaymentId, amount: Money, method: &str) -> Reply<Answer> {
        let first = match method {
            BAD_CARD => (Answer::Declined, None),
            _ => (Answer::Captured, Some(amount)),
        };
        self.reply(move |ledger| ledger.payments.entry(id).or_insert(first).0, answered)
    }

    fn settle(&self, id: PaymentId) -> Reply<Answer> {
        self.reply(move |ledger| ledger.payments.entry(id).or_insert((Answer::Declined, None)).0, answered)
    }

    fn refund(&self, id: RefundId, payment: PaymentId, amount: Money) -> Reply<()> {
        self.reply(move |ledger| ledger.refund(id, payment, amount), |()| Transition::Refunded)
    }
}
