//! What every endpoint for clients begins with: the body is read, the client authenticated. It cannot be forgotten, as
//! nothing else makes an `AuthenticatedClient`.

use super::answer::{Challenge, refuse_token};
use super::app::App;
use super::extract::{Visit, authorization};
use super::limits::{FormError, read_form};
use crate::clients::authentication::{AuthenticatedClient, Presented, Verifiers, authenticate};
use crate::grants::error::TokenError;
use crate::model::client::Provenance;
use crate::protocol::parameters::Parameters;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;

/// A client's request, after it proved who it is.
pub struct ClientRequest {
    /// The client.
    pub client: AuthenticatedClient,
    /// The parameters of the body.
    pub parameters: Parameters,
    /// How a 401 would have to challenge.
    pub challenge: Challenge,
}

/// Reads and authenticates; the refusal is the whole answer. The moment of the request is when both are done.
pub async fn receive(app: &App, visit: &mut Visit, request: Request) -> Result<ClientRequest, Box<Response>> {
    let received = read(app, visit, request).await?;
    visit.arrived(app);
    Ok(received)
}

async fn read(app: &App, visit: &mut Visit, request: Request) -> Result<ClientRequest, Box<Response>> {
    let headers = request.headers().clone();
    let challenge = match headers.contains_key(axum::http::header::AUTHORIZATION) {
        true => Challenge::Basic,
        false => Challenge::None,
    };
    let refuse = |error: TokenError| Box::new(refuse_token(app, visit, &error, None, challenge));
    match &visit.query {
        Ok(query) if query.is_empty() => {}
        Ok(_) => {
            return Err(refuse(TokenError::Body(400, "parameters belong into the body, not into the URL")));
        }
        Err(error) => return Err(refuse(TokenError::Unreadable(error.clone()))),
    }
    let parameters =
        read_form(&headers, request.into_body()).await.map_err(|error| refuse(unreadable(error)))?;
    if let Err(error) = visit.meet(app, &parameters, authorization(&headers)).await {
        return Err(Box::new(refuse_token(app, visit, &error.into(), None, challenge)));
    }
    let client = identify(app, visit, &headers, &parameters).await;
    let client =
        client.map_err(|error| Box::new(refuse_token(app, visit, &error.into(), None, challenge)))?;
    if let Some(registered) = visit.snapshot.registry.registered()
        && client.client().provenance == Provenance::Registered
    {
        registered.stamp_use(&client.client().id, &app.store, visit.circumstances.now).await;
    }
    Ok(ClientRequest { client, parameters, challenge })
}

fn unreadable(error: FormError) -> TokenError {
    match error {
        FormError::Parameters(error) => TokenError::Unreadable(error),
        FormError::NotAForm | FormError::NotJson => {
            TokenError::Body(400, "the body must be application/x-www-form-urlencoded in UTF-8")
        }
        FormError::TooLarge => TokenError::Body(413, "the body is larger than 64 KiB"),
        FormError::TimedOut => TokenError::Body(408, "the body did not arrive in time"),
        FormError::Incomplete | FormError::UrlTooLong => {
            TokenError::Body(400, "the body did not arrive whole")
        }
    }
}

async fn identify(
    app: &App,
    visit: &Visit,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<AuthenticatedClient, crate::clients::authentication::ClientAuthenticationError> {
    let presented =
        Presented { authorization: authorization(headers), parameters, address_key: &visit.address_key };
    let verifiers = Verifiers {
        registry: &visit.snapshot.registry,
        throttle: &app.throttle,
        chosen_secrets: &app.passwords,
        issuer: &visit.snapshot.config.issuer,
        remote_keys: &app.remote_keys,
        outbound: &visit.snapshot.outbound,
        store: &app.store,
        now: app.clock.now(),
    };
    authenticate(&presented, &verifiers).await
}
