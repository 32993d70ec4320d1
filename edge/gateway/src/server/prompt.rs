//! A connection whose client must begin in time, and then end each head of a request in time that it has begun. The parser
//! has one limit for a head and the pause before it, and none before it knows which protocol is spoken. What is HTTP/1.1
//! is followed request by request.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::framing::{Ambiguous, Framing};

/// What an HTTP/2 client begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads fail when the client has not said in time which protocol it speaks, or has not ended a head in time.
pub(super) struct Prompt<S> {
    stream: S,
    /// How much of the preface has come; none once it is clear what is spoken.
    seen: Option<usize>,
    /// None for HTTP/2, which has one way to say a length.
    framing: Option<Framing>,
    limit: Duration,
    /// The end of what is timed now.
    end: Pin<Box<Sleep>>,
}

impl<S> Prompt<S> {
    /// Puts the limit on a connection.
    pub fn new(stream: S, limit: Duration, ambiguous: Ambiguous) -> Self {
        let framing = Some(Framing::new(ambiguous));
        Self { stream, seen: Some(0), framing, limit, end: Box::pin(tokio::time::sleep(limit)) }
    }

    /// Looks at bytes that came.
    fn look_at(&mut self, new: &[u8]) {
        if let Some(seen) = self.seen {
            let expected = &PREFACE[seen..];
            let common = new.iter().zip(expected).take_while(|(a, b)| a == b).count();
            let is_http2 = common == expected.len();
            self.seen = (common == new.len() && !is_http2).then_some(seen + common);
            if is_http2 {
                self.framing = None;
            }
        }
        if let Some(framing) = &mut self.framing {
            let was_within_head = framing.is_within_head();
            framing.follow(new);
            if framing.is_within_head() && !was_within_head {
                self.end.as_mut().reset(Instant::now() + self.limit);
            }
        }
    }

    /// Whether the client has to send something soon.
    fn is_timed(&self) -> bool {
        self.seen.is_some() || self.framing.as_ref().is_some_and(Framing::is_within_head)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        match polled {
            Poll::Ready(Ok(())) => {
                self.look_at(&buffer.filled()[before..]);
                Poll::Ready(Ok(()))
            }
            Poll::Pending if !self.is_timed() => Poll::Pending,
            Poll::Ready(failed) => Poll::Ready(failed),
            Poll::Pending => match self.end.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn who_does_not_begin_or_end_a_head_is_given_up_and_others_may_pause() {
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for (beginning, may_pause) in [
            ("", false),
            ("P", false),
            ("PRI * HTTP/2.0\r\n", false),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true),
            ("GET", false),
            ("PRO", false),
            ("GET / HTTP/1.1\r\nHost: a\r\n", false),
            (get, true),
            (&format!("{get}{get}"), true),
            (&format!("{get}G"), false),
            ("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n", true),
            ("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n12345", true),
            ("GET / HTTP/1.1\r\nUpgrade: websocket\r\n", false),
            // What comes after it may be of another protocol.
            ("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x01\x02", true),
        ] {
            let (mut client, server) = tokio::io::duplex(128);
            let mut prompt = Prompt::new(server, LIMIT, Ambiguous::default());
            client.write_all(beginning.as_bytes()).await.unwrap();
            let mut bytes = vec![0; beginning.len()];
            prompt.read_exact(&mut bytes).await.unwrap();
            let more = tokio::time::timeout(LIMIT * 2, prompt.read_u8()).await;
            assert_eq!(more.is_err(), may_pause, "{beginning:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_is_timed_from_its_own_beginning() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut prompt = Prompt::new(server, LIMIT, Ambiguous::default());
        for part in ["GET / HTTP/1.1\r\n\r\n", "GET ", "/ HTTP/1.1\r\n"] {
            client.write_all(part.as_bytes()).await.unwrap();
            let mut bytes = vec![0; part.len()];
            prompt.read_exact(&mut bytes).await.unwrap();
            let more = tokio::time::timeout(LIMIT * 2 / 3, prompt.read_u8()).await;
            // The second part begins a head, and after the third its time is over.
            assert_eq!(more.is_ok(), part.starts_with('/'), "{part:?}");
        }
    }
}
