//! How messages are encoded: as protobuf, in buffers of their own size.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{self, BufferSettings};
use tonic_prost::{ProstDecoder, ProstEncoder};

/// Where a buffer begins; it grows with its message. Tonic begins with 8 KiB, four times for each call.
const FIRST_BUFFER_BYTES: usize = 1_024;
/// A stream is written when so much of it is there; as tonic has it.
const YIELD_BYTES: usize = 32 * 1_024;

/// The codec of the generated clients and servers.
pub struct Codec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> codec::Codec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(settings())
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::new(settings())
    }
}

/// The buffers of a message: also for a codec that passes messages on as they are.
#[must_use]
pub fn settings() -> BufferSettings {
    BufferSettings::new(FIRST_BUFFER_BYTES, YIELD_BYTES)
}
