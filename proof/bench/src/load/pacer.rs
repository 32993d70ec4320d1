//! Waiting until a request is due, to a fraction of a millisecond.
//!
//! The timers of the runtime tick once a millisecond, which is as long as some answers take. Linux can
//! make a timer readable like a socket, at the instant itself; elsewhere the runtime's timers are used.

use tokio::time::{Instant, sleep_until};

/// Wakes who waits, in the order in which they came: their instants only ever grow.
#[cfg(target_os = "linux")]
pub struct Pacer {
    /// Read like a pipe: for the runtime both are files that can be waited for.
    timer: tokio::net::unix::pipe::Receiver,
    waiting: std::cell::RefCell<std::collections::VecDeque<Waiting>>,
    came: tokio::sync::Notify,
}

#[cfg(target_os = "linux")]
struct Waiting {
    due: Instant,
    wake: tokio::sync::oneshot::Sender<()>,
}

#[cfg(target_os = "linux")]
impl Pacer {
    /// A pacer; it wakes nobody unless [`Pacer::run`] is polled.
    ///
    /// # Errors
    /// When the operating system has no timer.
    pub fn new() -> anyhow::Result<Self> {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let timer = tokio::net::unix::pipe::Receiver::from_owned_fd_unchecked(timer)?;
        Ok(Self { timer, waiting: std::cell::RefCell::default(), came: tokio::sync::Notify::new() })
    }

    /// Returns at an instant, at once when it is past.
    pub async fn wait(&self, due: Instant) {
        if due <= Instant::now() {
            return;
        }
        let (wake, woken) = tokio::sync::oneshot::channel();
        self.waiting.borrow_mut().push_back(Waiting { due, wake });
        self.came.notify_one();
        if woken.await.is_err() {
            // The timer failed.
            sleep_until(due).await;
        }
    }

    /// Wakes for as long as it is polled.
    pub async fn run(&self) {
        loop {
            let first = self.waiting.borrow().front().map(|waiting| waiting.due);
            let Some(due) = first else {
                self.came.notified().await;
                continue;
            };
            if let Err(error) = self.tick(due).await {
                eprintln!("the timer does not work, so instants are a millisecond off: {error}");
                self.waiting.borrow_mut().clear();
            }
            self.wake(Instant::now());
        }
    }

    /// Returns when the timer has reached an instant.
    async fn tick(&self, due: Instant) -> std::io::Result<()> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
        let left = due.saturating_duration_since(Instant::now());
        let Ok(it_value) = Timespec::try_from(left) else {
            return Err(std::io::ErrorKind::InvalidInput.into());
        };
        if left.is_zero() {
            return Ok(());
        }
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        self.timer.readable().await?;
        // Reading it makes it wait for the next instant. That there was nothing to read means that it is
        // early, and nobody is woken.
        let _ = self.timer.try_read(&mut [0; 8]);
        Ok(())
    }

    fn wake(&self, now: Instant) {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(first) = waiting.pop_front_if(|waiting| waiting.due <= now) {
            // Who does not wait any more needs no waking.
            let _ = first.wake.send(());
        }
    }
}

/// The timers of the runtime.
#[cfg(not(target_os = "linux"))]
pub struct Pacer;

#[cfg(not(target_os = "linux"))]
impl Pacer {
    /// A pacer.
    ///
    /// # Errors
    /// Never.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self)
    }

    /// Returns at an instant, or a millisecond later.
    pub async fn wait(&self, due: Instant) {
        sleep_until(due).await;
    }

    /// There is nothing to do.
    pub async fn run(&self) {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn waiting_ends_at_the_instant_and_not_before() {
        let (pacer, start) = (Pacer::new().unwrap(), Instant::now());
        let wait = async |micros| {
            let due = start + Duration::from_micros(micros);
            pacer.wait(due).await;
            Instant::now() - due
        };
        let all = async { tokio::join!(wait(1_100), wait(1_200), wait(3_350)) };
        tokio::select! {
            (first, second, third) = all => {
                // Others run on this machine: what is promised is that it is never early.
                assert!([first, second, third].iter().all(|late| *late < Duration::from_secs(2)));
            }
            () = pacer.run() => unreachable!("it runs for ever"),
        }
    }

    #[tokio::test]
    async fn who_is_late_does_not_wait() {
        Pacer::new().unwrap().wait(Instant::now()).await;
    }
}
