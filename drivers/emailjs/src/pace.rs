//! One request a second, as EmailJS asks of an account.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

/// The time between two requests. EmailJS counts when they arrive, so there is a little more than a second between
/// them when they leave.
pub(crate) const BETWEEN: Duration = Duration::from_millis(1_050);
/// The longest wait for a turn. The notification service hands over up to 100 mails at once, and gives a mailer two
/// minutes for each; the hundredth still has time to be sent.
pub(crate) const MAX_WAIT: Duration = Duration::from_millis(105_000);
/// The pause after EmailJS said that it was too much, unless it says for how long.
pub(crate) const REST: Duration = Duration::from_secs(5);
/// The longest pause that it may ask for.
pub(crate) const MAX_REST: Duration = Duration::from_secs(60);

/// Gives out turns in the order in which they are asked for.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Whoever has the next turn holds this until it comes.
    turn: tokio::sync::Mutex<()>,
    /// When the next turn is.
    next: Mutex<Instant>,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { turn: tokio::sync::Mutex::new(()), next: Mutex::new(Instant::now()) }
    }

    /// Returns when it is the caller's turn; `None` when that did not come within [`MAX_WAIT`]. A caller that is
    /// dropped while it waits takes nobody's turn.
    pub(crate) async fn turn(&self) -> Option<()> {
        tokio::time::timeout(MAX_WAIT, self.wait()).await.ok()
    }

    async fn wait(&self) {
        let _mine = self.turn.lock().await;
        // A pause may move the turn while it is waited for.
        while let Some(until) = self.take() {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Takes the turn if it has come; otherwise says when that will be.
    fn take(&self) -> Option<Instant> {
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        if *next > now {
            return Some(*next);
        }
        *next = now + BETWEEN;
        None
    }

    /// Nobody has a turn for a while.
    pub(crate) fn rest(&self, pause: Option<Duration>) {
        let until = Instant::now() + pause.unwrap_or(REST).min(MAX_REST);
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *next = (*next).max(until);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// After how long each of so many callers had its turn; they ask at once.
    async fn turns(pace: &Arc<Pace>, callers: usize) -> Vec<Option<Duration>> {
        let began = Instant::now();
        let ask = |_| {
            let pace = Arc::clone(pace);
            tokio::spawn(async move { pace.turn().await.map(|()| began.elapsed()) })
        };
        let asked: Vec<_> = (0..callers).map(ask).collect();
        let mut turns = Vec::new();
        for caller in asked {
            turns.push(caller.await.unwrap());
        }
        turns
    }

    fn is_about(turn: Option<Duration>, expected: Duration) -> bool {
        turn.is_some_and(|turn| turn >= expected && turn < expected + BETWEEN / 2)
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_of_a_hundred_has_its_turns_in_order_and_more_is_refused() {
        let turns = turns(&Arc::new(Pace::new()), 102).await;
        assert!(is_about(turns[0], Duration::ZERO) && is_about(turns[1], BETWEEN), "{turns:?}");
        assert!(turns[..100].windows(2).all(|two| two[1].unwrap() >= two[0].unwrap() + BETWEEN), "{turns:?}");
        assert_eq!(turns[101], None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_for_who_waits_already_and_ends() {
        let pace = Arc::new(Pace::new());
        assert!(is_about(turns(&pace, 1).await[0], Duration::ZERO));
        let resting = Arc::clone(&pace);
        tokio::spawn(async move {
            tokio::time::sleep(BETWEEN / 2).await;
            resting.rest(None);
            resting.rest(Some(Duration::from_secs(1)));
        });
        let turns = turns(&pace, 2).await;
        assert!(is_about(turns[0], BETWEEN / 2 + REST), "a shorter pause shortens nothing: {turns:?}");
        assert!(is_about(turns[1], BETWEEN / 2 + REST + BETWEEN), "{turns:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_has_an_end_whatever_is_asked_for() {
        let pace = Arc::new(Pace::new());
        pace.rest(Some(Duration::from_secs(86_400)));
        assert!(is_about(turns(&pace, 1).await[0], MAX_REST));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_takes_no_turn() {
        let pace = Arc::new(Pace::new());
        assert!(is_about(turns(&pace, 1).await[0], Duration::ZERO));
        assert!(tokio::time::timeout(BETWEEN / 2, pace.turn()).await.is_err());
        assert!(is_about(turns(&pace, 1).await[0], BETWEEN / 2));
    }
}
