//! What happened, as a hash that two runs of one seed must share, and as text for whoever looks.

use std::fmt::{self, Write};

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The steps of one run.
pub struct Trace {
    hash: u64,
    print: bool,
}

impl Trace {
    /// An empty trace; it may print each line.
    #[must_use]
    pub fn new(print: Printing) -> Self {
        Self { hash: FNV_OFFSET, print: print == Printing::On }
    }

    /// Notes a line.
    pub fn note(&mut self, step: u64, micros: i64, line: fmt::Arguments<'_>) {
        // Writing into a hash cannot fail.
        let _ = writeln!(self, "{step} {micros} {line}");
        if self.print {
            let seconds = micros as f64 / 1e6;
            println!("{step:>5} {seconds:>12.3}s  {line}");
        }
    }

    fn mix(&mut self, word: [u8; 8]) {
        self.hash = (self.hash ^ u64::from_le_bytes(word)).wrapping_mul(FNV_PRIME).rotate_left(23);
    }

    /// The hash so far.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

impl Write for Trace {
    /// FNV-1a over 8 bytes at a time: fast, and enough to tell two runs apart.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        words.iter().for_each(|word| self.mix(*word));
        if !rest.is_empty() {
            self.mix(std::array::from_fn(|index| rest.get(index).copied().unwrap_or_default()));
        }
        Ok(())
    }
}

/// Whether a trace is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printing {
    /// Only its hash is kept.
    Off,
    /// Each line is printed.
    On,
}
