//! The forms of this server's own pages, from the cookie that they are bound to, to the work that they ask for.

use super::answer::{refuse_body, refuse_foreign, status_only};
use super::app::App;
use super::cross_origin::admit_form;
use super::extract::Visit;
use super::limits::{read_boxes, read_form};
use crate::model::audit_event::EventName;
use crate::protocol::parameters::Parameters;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;

/// The browser's own cookie, which forms are bound to: the one that it has, or one for it to have.
pub fn browser(app: &App, visit: &Visit) -> String {
    visit.browser.clone().unwrap_or_else(|| app.entropy.text::<32>())
}

/// Reads a form that was sent from a page of ours (threats 28, 135); refusals are recorded as `event`. The moment of the visit is
/// that of the whole form. Whether the form is this browser's is for the caller to ask of its token.
pub async fn receive(
    app: &App,
    visit: &mut Visit,
    event: EventName,
    request: Request,
) -> Result<Parameters, Box<Response>> {
    read(app, visit, event, request, None).await
}

/// The same of a form with several boxes of the name `repeatable`.
pub async fn receive_boxes(
    app: &App,
    visit: &mut Visit,
    event: EventName,
    request: Request,
    repeatable: &str,
) -> Result<Parameters, Box<Response>> {
    read(app, visit, event, request, Some(repeatable)).await
}

async fn read(
    app: &App,
    visit: &mut Visit,
    event: EventName,
    request: Request,
    repeatable: Option<&str>,
) -> Result<Parameters, Box<Response>> {
    let (head, body) = request.into_parts();
    if let Err(foreign) = admit_form(&head.headers, &visit.snapshot.config.issuer) {
        return Err(Box::new(refuse_foreign(app, visit, event, foreign)));
    }
    let body = match repeatable {
        None => read_form(&head.headers, body).await,
        Some(repeatable) => read_boxes(&head.headers, body, repeatable).await,
    };
    let body = body.map_err(|error| Box::new(refuse_body(app, visit, event, &error)))?;
    visit.arrived(app);
    Ok(body)
}

/// Does work of several writes, all of which are made though nobody waits any more: who hangs up drops a handler, never this
/// (security.md §0.2).
pub async fn to_its_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    match tokio::spawn(work).await {
        Ok(response) => response,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // the runtime is stopping
            Err(_) => status_only(StatusCode::SERVICE_UNAVAILABLE),
        },
    }
}
