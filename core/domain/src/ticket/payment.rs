//! The port to a payment provider. The booking keeps the state; a provider only moves money.

use std::{future::Future, pin::Pin};

use crate::{
    ids::{PaymentId, RefundId},
    money::Money,
};

/// The most attempts to pay one booking.
pub const MAX_ATTEMPTS: usize = 3;

/// What a provider says about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The money is ours.
    Captured,
    /// It will never be: refused, or called off.
    Declined,
}

/// The provider did not answer in time, or could not be reached. The payment may have been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer;

/// What a call to a provider gives.
pub type Reply<T> = Pin<Box<dyn Future<Output = Result<T, NoAnswer>> + Send>>;

/// A payment provider. Every call is idempotent by its id: asking twice moves money once.
pub trait Provider: Send + Sync + 'static {
    /// What is wrong with a payment method, if anything, before any money is asked for.
    ///
    /// # Errors
    /// What would be right, such as `must be a card number of 16 digits`.
    fn check(&self, method: &str) -> Result<(), String>;

    /// Takes money by a payment method, such as a card number or a provider's token.
    fn capture(&self, id: PaymentId, amount: Money, method: &str) -> Reply<Answer>;

    /// Makes sure that a payment is settled: captured if it was, else called off for good.
    fn settle(&self, id: PaymentId) -> Reply<Answer>;

    /// Gives money of a captured payment back.
    fn refund(&self, id: RefundId, payment: PaymentId, amount: Money) -> Reply<()>;
}
