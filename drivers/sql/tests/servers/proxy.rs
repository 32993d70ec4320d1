//! A way to a server that fails at the moment of a COMMIT.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
    sync::Notify,
    task::JoinHandle,
};

/// What happens to the next COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Next {
    /// Nothing.
    Pass,
    /// The connection ends before the server hears of it.
    CutBefore,
    /// The server hears of it and answers, and the connection ends before the client hears the answer.
    CutAfter,
    /// It is held back until it is let go.
    Hold,
}

/// A way to a server; closed when it is dropped.
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    next: AtomicU8,
    held: Notify,
    let_go: Notify,
}

impl Proxy {
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let next = AtomicU8::new(Next::Pass as u8);
        let shared = Arc::new(Shared { next, held: Notify::new(), let_go: Notify::new() });
        let accepting = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                    tokio::spawn(carry(client, server, Arc::clone(&shared)));
                }
            }
        });
        Self { port, shared, accepting }
    }

    /// Says what happens to the next COMMIT.
    pub fn next(&self, next: Next) {
        self.shared.next.store(next as u8, Ordering::SeqCst);
    }

    /// Whether what was said has happened.
    pub fn has_happened(&self) -> bool {
        self.shared.next.load(Ordering::SeqCst) == Next::Pass as u8
    }

    /// Returns once a COMMIT is held back.
    pub async fn held(&self) {
        self.shared.held.notified().await;
    }

    /// Lets it go.
    pub fn let_go(&self) {
        self.shared.let_go.notify_one();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Carries what both say, until one of them is silent or the way is cut.
async fn carry(client: TcpStream, server: TcpStream, shared: Arc<Shared>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let from_server = Arc::new(tokio::sync::Mutex::new(from_server));
    let answers = tokio::spawn({
        let from_server = Arc::clone(&from_server);
        async move {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let length = read(&from_server, &mut buffer).await;
                if length == 0 || to_client.write_all(&buffer[..length]).await.is_err() {
                    return;
                }
            }
        }
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
        let said = &buffer[..length];
        // As MySQL and as PostgreSQL say it; `READ COMMITTED`, which each new connection says first, is not it.
        let is_commit = said.ends_with(b"COMMIT") || said.ends_with(b"COMMIT\0");
        let next =
            if is_commit { shared.next.swap(Next::Pass as u8, Ordering::SeqCst) } else { Next::Pass as u8 };
        if next == Next::CutBefore as u8 {
            break;
        }
        if next == Next::Hold as u8 {
            shared.held.notify_one();
            shared.let_go.notified().await;
        }
        if next == Next::CutAfter as u8 {
            answers.abort();
            if to_server.write_all(said).await.is_ok() {
                read(&from_server, &mut buffer).await;
            }
            break;
        }
        if to_server.write_all(said).await.is_err() {
            break;
        }
    }
    answers.abort();
}

async fn read(from: &tokio::sync::Mutex<OwnedReadHalf>, buffer: &mut [u8]) -> usize {
    from.lock().await.read(buffer).await.unwrap_or(0)
}
