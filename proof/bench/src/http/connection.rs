//! A keep-alive connection and the answers that come over it.

use std::{io, time::Duration};

use anyhow::Context;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, error::Elapsed, sleep, timeout_at},
};

use super::{
    call::Call,
    response::{Chunks, Framing, Head, MAX_BODY_BYTES, MAX_HEAD_BYTES, Malformed},
};
use crate::target::Target;

/// How long a call may take that is not part of the load.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a refusal because the server is busy is taken before it is an error.
const MAX_REFUSALS: u32 = 60;
/// The pause after it: the least that `Retry-After` can say.
const REFUSAL_PAUSE: Duration = Duration::from_secs(1);
/// The room for what is read at once. A read that leaves room tells the runtime that there is no more,
/// which saves a call of the operating system for each answer.
const READ_BYTES: usize = 16 * 1_024;
/// Of an unexpected answer, so much is told.
const MAX_TOLD_BYTES: usize = 300;

/// An answer, as it lies in the buffer of its connection.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// It says when to come again.
    pub has_retry_after: bool,
    /// Its body.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The status is one of 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What it was, for people.
    pub fn tell(&self) -> String {
        let body = &self.body[..self.body.len().min(MAX_TOLD_BYTES)];
        format!("{} {}", self.status, String::from_utf8_lossy(body))
    }
}

/// One connection, made again when the server has closed it.
pub struct Connection {
    target: Target,
    stream: Option<TcpStream>,
    gives_up_at: Option<Instant>,
    outgoing: Vec<u8>,
    incoming: Incoming,
}

impl Connection {
    /// A connection that is made with the first call.
    #[must_use]
    pub fn to(target: &Target) -> Self {
        let (stream, gives_up_at) = (None, None);
        Self {
            target: target.clone(),
            stream,
            gives_up_at,
            outgoing: Vec::new(),
            incoming: Incoming::default(),
        }
    }

    /// Connects, unless it is connected.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(&mut self) -> anyhow::Result<()> {
        connected(&mut self.stream, &self.target).await.map(drop)
    }

    /// From now on, calls that are not answered at this instant are given up.
    pub fn give_up_at(&mut self, instant: Instant) {
        self.gives_up_at = Some(instant);
    }

    /// Sends a call and reads the whole answer.
    ///
    /// # Errors
    /// When there is no answer: it is not known then whether the call was carried out.
    pub async fn call(&mut self, call: &Call<'_>) -> anyhow::Result<Answer<'_>> {
        let head = self.exchange(call).await?;
        Ok(self.incoming.answer(&head))
    }

    /// As [`Connection::call`], for an answer that must be a success. It comes again when the server is
    /// busy and says so, so the load never calls it.
    ///
    /// # Errors
    /// When there is no answer or another one.
    pub async fn patient_call(&mut self, call: &Call<'_>) -> anyhow::Result<Answer<'_>> {
        for _ in 0..MAX_REFUSALS {
            let head = self.exchange(call).await?;
            if !head.has_retry_after {
                let (answer, Call { method, path, .. }) = (self.incoming.answer(&head), call);
                anyhow::ensure!(answer.is_success(), "{method} {path} was answered {}", answer.tell());
                return Ok(answer);
            }
            sleep(REFUSAL_PAUSE).await;
        }
        anyhow::bail!("{} was refused {MAX_REFUSALS} times: the server is too busy", call.path)
    }

    /// As [`Connection::patient_call`], as JSON.
    ///
    /// # Errors
    /// When there is no answer or another one.
    pub async fn json(&mut self, call: &Call<'_>) -> anyhow::Result<Value> {
        let answer = self.patient_call(call).await?;
        serde_json::from_slice(answer.body).with_context(|| format!("{} answered no JSON", call.path))
    }

    async fn exchange(&mut self, call: &Call<'_>) -> anyhow::Result<Head> {
        call.write(&self.target.host, &mut self.outgoing);
        let until = self.gives_up_at.unwrap_or_else(|| Instant::now() + CALL_TIMEOUT);
        let exchanged = timeout_at(until, async {
            let stream = connected(&mut self.stream, &self.target).await?;
            stream.write_all(&self.outgoing).await?;
            self.incoming.receive(stream, call.method).await
        });
        let received = exchanged.await.map_err(anyhow::Error::from).flatten();
        // Without an answer, what comes over the connection next cannot be told from a late answer.
        if !received.as_ref().is_ok_and(|head| head.keeps_alive) {
            self.stream = None;
        }
        received
    }
}

/// Whether a call failed because its time was over.
pub fn is_gave_up(error: &anyhow::Error) -> bool {
    error.is::<Elapsed>()
}

/// A connection that is open as far as one can know.
async fn connected<'a>(
    stream: &'a mut Option<TcpStream>,
    target: &Target,
) -> anyhow::Result<&'a mut TcpStream> {
    let is_usable = stream.as_ref().is_some_and(is_idle);
    if !is_usable {
        let made = TcpStream::connect(target.address)
            .await
            .with_context(|| format!("nobody listens at {target}"))?;
        made.set_nodelay(true)?;
        *stream = Some(made);
    }
    stream.as_mut().context("not connected")
}

/// Nothing has arrived since the last answer, neither the end nor anything that nobody asked for.
fn is_idle(stream: &TcpStream) -> bool {
    let mut unexpected = [0];
    matches!(stream.try_read(&mut unexpected), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// What has arrived.
#[derive(Default)]
struct Incoming {
    bytes: Vec<u8>,
    /// The body of an answer in chunks; others lie in `bytes`.
    joined: Vec<u8>,
}

impl Incoming {
    /// Reads one answer to its end.
    async fn receive(&mut self, stream: &mut (impl AsyncRead + Unpin), method: &str) -> anyhow::Result<Head> {
        self.bytes.clear();
        self.joined.clear();
        let head = loop {
            if self.more(stream).await? == 0 {
                anyhow::bail!("the connection ended before an answer");
            }
            if let Some(head) = self.head(method)? {
                break head;
            }
        };
        let end = match head.framing {
            Framing::Length(length) => self.read_to(stream, head.bytes + length).await?,
            Framing::Chunked => self.read_chunks(stream, &head).await?,
            Framing::UntilClose => self.read_to_close(stream).await?,
        };
        anyhow::ensure!(self.bytes.len() == end, Malformed("more than one answer"));
        Ok(head)
    }

    /// The head of the answer, once it is there; heads before it are dropped.
    fn head(&mut self, method: &str) -> Result<Option<Head>, Malformed> {
        loop {
            match Head::read(&self.bytes, method)? {
                Some(head) if head.is_interim() => drop(self.bytes.drain(..head.bytes)),
                read => return Ok(read),
            }
        }
    }

    async fn read_to(&mut self, stream: &mut (impl AsyncRead + Unpin), end: usize) -> anyhow::Result<usize> {
        while self.bytes.len() < end {
            anyhow::ensure!(self.more(stream).await? > 0, "the connection ended within an answer");
        }
        Ok(end)
    }

    async fn read_chunks(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        head: &Head,
    ) -> anyhow::Result<usize> {
        let mut chunks = Chunks::default();
        loop {
            if let Some(end) = chunks.take(&self.bytes[head.bytes..], &mut self.joined)? {
                return Ok(head.bytes + end);
            }
            anyhow::ensure!(self.more(stream).await? > 0, "the connection ended within an answer");
        }
    }

    async fn read_to_close(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> anyhow::Result<usize> {
        while self.more(stream).await? > 0 {}
        Ok(self.bytes.len())
    }

    /// Reads what is there, or waits for some; 0 is the end of the connection.
    async fn more(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> anyhow::Result<usize> {
        // Chunks may be small and each has a size, so that there is more of it than there is body.
        let most = MAX_HEAD_BYTES + 2 * MAX_BODY_BYTES;
        anyhow::ensure!(self.bytes.len() < most, Malformed("an answer that is too long"));
        self.bytes.reserve(READ_BYTES);
        Ok(stream.read_buf(&mut self.bytes).await?)
    }

    fn answer(&self, head: &Head) -> Answer<'_> {
        let body = match head.framing {
            Framing::Chunked => &self.joined,
            Framing::Length(_) | Framing::UntilClose => &self.bytes[head.bytes..],
        };
        Answer { status: head.status, has_retry_after: head.has_retry_after, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn received(pieces: &[&str]) -> anyhow::Result<(u16, String)> {
        let (mut near, mut far) = tokio::io::duplex(1_024);
        let mut incoming = Incoming::default();
        let send = async {
            for piece in pieces {
                far.write_all(piece.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(far);
        };
        let (head, ()) = tokio::join!(incoming.receive(&mut near, "GET"), send);
        let head = head?;
        Ok((head.status, String::from_utf8(incoming.answer(&head).body.to_vec())?))
    }

    #[tokio::test]
    async fn an_answer_may_arrive_in_pieces() {
        for pieces in [
            &["HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"][..],
            &["HTTP/1.1 200 OK\r\ncontent-", "length: 4\r\n\r", "\nbo", "dy"],
            &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nb\r\n3\r\no", "dy\r\n0\r\n\r\n"],
            &["HTTP/1.1 200 OK\r\n\r\nbo", "dy"],
            &["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody"],
        ] {
            assert_eq!(received(pieces).await.unwrap(), (200, "body".to_owned()), "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn half_an_answer_is_none() {
        for pieces in [
            &[""][..],
            &["HTTP/1.1 200 OK\r\n"],
            &["HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbod"],
            &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n"],
        ] {
            assert!(received(pieces).await.is_err(), "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn two_answers_to_one_request_are_refused() {
        let one = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        assert!(received(&[&format!("{one}{one}")]).await.is_err());
    }
}
