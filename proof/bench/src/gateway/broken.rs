//! A service that takes each call and breaks the connection: nobody can tell what became of the call, so whoever may
//! asks again.

use std::{cell::Cell, rc::Rc};

use tokio::{io::AsyncReadExt, net::TcpListener};

/// The most that is read of a call, in bytes.
const READ_BYTES: usize = 4 * 1024;

/// A service that breaks, and counts.
pub struct Broken {
    listener: TcpListener,
    calls: Rc<Cell<u64>>,
}

impl Broken {
    /// At a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn bind() -> anyhow::Result<Self> {
        Ok(Self { listener: TcpListener::bind("127.0.0.1:0").await?, calls: Rc::default() })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn port(&self) -> anyhow::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// How many calls it took.
    pub fn calls(&self) -> u64 {
        self.calls.get()
    }

    /// Takes calls for as long as it is polled.
    pub async fn run(&self) {
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else { continue };
            let mut call = [0; READ_BYTES];
            if stream.read(&mut call).await.is_ok_and(|length| length > 0) {
                self.calls.set(self.calls.get() + 1);
            }
        }
    }
}
