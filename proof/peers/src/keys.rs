//! Keys and tokens for a proxy that verifies them: made for one run, of no worth afterwards.

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::anyhow;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64},
};
use serde_json::{Value, json};

/// Who issues the tokens.
const ISSUER: &str = "compare";
/// Longer than any comparison takes.
const TOKEN_LIFE_SECONDS: u64 = 24 * 60 * 60;

/// What stands before an Ed25519 key in its DER form (RFC 8410).
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Writes `eddsa.jwks`, `eddsa.pem`, `eddsa.jwt`, `rs256.jwks` and `rs256.jwt`.
///
/// # Errors
/// When a key cannot be made or a file not be written.
pub fn write(directory: &Path) -> anyhow::Result<()> {
    let (jwk, pem, token) = eddsa()?;
    fs::write(directory.join("eddsa.pem"), pem)?;
    fs::write(directory.join("eddsa.jwks"), json!({ "keys": [jwk] }).to_string())?;
    fs::write(directory.join("eddsa.jwt"), token)?;
    let (jwk, token) = rs256()?;
    fs::write(directory.join("rs256.jwks"), json!({ "keys": [jwk] }).to_string())?;
    fs::write(directory.join("rs256.jwt"), token)?;
    Ok(())
}

fn eddsa() -> anyhow::Result<(Value, String, String)> {
    let pair = Ed25519KeyPair::generate()?;
    let x = BASE64.encode(pair.public_key().as_ref());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "eddsa", "x": x });
    let der = STANDARD.encode([&ED25519_PREFIX, pair.public_key().as_ref()].concat());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n");
    let token = token("EdDSA", "eddsa", |text| Ok(pair.sign(text).as_ref().to_vec()))?;
    Ok((jwk, pem, token))
}

fn rs256() -> anyhow::Result<(Value, String)> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let public = pair.public_key();
    let n = BASE64.encode(public.modulus().big_endian_without_leading_zero());
    let e = BASE64.encode(public.exponent().big_endian_without_leading_zero());
    let jwk = json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "rs256", "n": n, "e": e });
    let token = token("RS256", "rs256", |text| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)?;
        Ok(signature)
    })?;
    Ok((jwk, token))
}

/// A token with the claims that one of the platform has.
fn token(
    algorithm: &str,
    key_id: &str,
    sign: impl Fn(&[u8]) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<String> {
    let now =
        SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| anyhow!("the clock is before 1970"))?;
    let expires = now.as_secs() + TOKEN_LIFE_SECONDS;
    let header = json!({ "alg": algorithm, "kid": key_id, "typ": "JWT" });
    let claims = json!({
        "iss": ISSUER, "aud": ISSUER, "sub": "0198c0de-0000-7000-8000-000000000000",
        "name": "Ada", "roles": ["user"], "iat": now.as_secs(), "exp": expires,
    });
    let text = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let signature = sign(text.as_bytes())?;
    Ok(format!("{text}.{}", BASE64.encode(signature)))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    };

    use super::*;

    fn field(jwk: &Value, name: &str) -> Vec<u8> {
        BASE64.decode(jwk[name].as_str().unwrap()).unwrap()
    }

    fn parts(token: &str) -> (&[u8], Vec<u8>) {
        let (text, signature) = token.rsplit_once('.').unwrap();
        (text.as_bytes(), BASE64.decode(signature).unwrap())
    }

    #[test]
    fn each_token_verifies_with_its_key_set() {
        let (jwk, _, token) = eddsa().unwrap();
        let (text, signature) = parts(&token);
        UnparsedPublicKey::new(&ED25519, field(&jwk, "x")).verify(text, &signature).unwrap();

        let (jwk, token) = rs256().unwrap();
        let (text, signature) = parts(&token);
        let key = RsaPublicKeyComponents { n: field(&jwk, "n"), e: field(&jwk, "e") };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, text, &signature).unwrap();
    }
}
