use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

pub const ISSUER: &str = "http://localhost:8080";
const AUDIENCE: &str = "https://api.example.com/photos";

#[derive(Debug, Deserialize)]
pub struct AccessToken {
    pub sub: String,
    pub client_id: String,
    pub scope: String,
}

pub fn verify(token: &str, keys: &JwkSet) -> Result<AccessToken, Box<dyn std::error::Error>> {
    let header = decode_header(token)?;
    if header.typ.as_deref() != Some("at+jwt") {
        return Err("not an access token".into()); // an ID token opens no API (RFC 9068 §4)
    }
    let key = keys.find(header.kid.as_deref().unwrap_or_default()).ok_or("signed by an unknown key")?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    Ok(decode(token, &DecodingKey::from_jwk(key)?, &validation)?.claims)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A service keeps the keys for as long as Cache-Control says, and asks again when it meets a new `kid`.
    let keys = reqwest::get(format!("{ISSUER}/.well-known/jwks.json")).await?.json().await?;
    let token = std::env::args().nth(1).ok_or("usage: verify TOKEN")?;
    let claims = verify(&token, &keys)?;
    println!("{} of {} may: {}", claims.sub, claims.client_id, claims.scope);
    Ok(())
}
