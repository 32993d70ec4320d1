//! Signs and reads ticket codes (Ed25519, RFC 8032).

use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::ticket::code::{BODY_BYTES, PREFIX, SIGNATURE_BYTES, TicketCode};

/// The key is not an Ed25519 private key in PKCS #8.
#[derive(Debug)]
pub struct BadTicketKey;

/// The key that signs tickets.
#[derive(Clone)]
pub struct TicketKey(Arc<Ed25519KeyPair>);

impl TicketKey {
    /// A private key in PKCS #8 (RFC 8410).
    ///
    /// # Errors
    /// When it is not one.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, BadTicketKey> {
        Ed25519KeyPair::from_pkcs8(pkcs8).map(|key| Self(Arc::new(key))).map_err(|_| BadTicketKey)
    }

    /// The code of a ticket.
    #[must_use]
    pub fn sign(&self, code: TicketCode) -> String {
        let body = code.body();
        let mut signed = body.to_vec();
        signed.extend_from_slice(self.0.sign(&body).as_ref());
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(signed))
    }

    /// What a code says; `None` when it is not one of ours.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<TicketCode> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim().strip_prefix(PREFIX)?).ok()?;
        if bytes.len() != BODY_BYTES + SIGNATURE_BYTES {
            return None;
        }
        let (body, signature) = bytes.split_at(BODY_BYTES);
        UnparsedPublicKey::new(&ED25519, self.0.public_key().as_ref()).verify(body, signature).ok()?;
        Some(TicketCode::from_body(body.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use domain::{BookingId, EventId};

    use super::*;

    #[test]
    fn a_code_is_read_back_and_no_changed_one_is() {
        let pkcs8 = kit::identity::Signer::generate().unwrap();
        let key = TicketKey::from_pkcs8(&pkcs8).unwrap();
        let ticket_id = BookingId::from_bits(0x77_0000).ticket(3);
        let code = TicketCode { ticket_id, event_id: EventId(uuid::Uuid::from_u128(9)), generation: 2 };
        let text = key.sign(code);
        assert_eq!(key.read(&text), Some(code));
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text[PREFIX.len()..]).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let text = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(changed));
            assert_eq!(key.read(&text), None, "byte {index}");
        }
        for other in ["", "BX1.", "BX2.abc", &text[1..], &text[..text.len() - 2]] {
            assert_eq!(key.read(other), None);
        }
    }
}
