//! Mails of the outbox, one at a time: what a mail says is found when it is sent, so that no link lies in the database (threat 150). A
//! mail whose link opens nothing any more is not sent.

use super::deliver_outbox::{Report, abandon, delivered, discard, failed, postpone};
use super::delivery_pace::{Admission, Pace};
use crate::config::Config;
use crate::http::app::App;
use crate::logout::back_channel::Undelivered;
use crate::model::outbox::{HeldMessage, Message};
use crate::model::recovery::RECOVERY_LIFE;
use crate::outbound::mail::{Letter, MailError};
use crate::pages::{Language, RecoveryMailText, render};
use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use crate::users::recovery::{LANGUAGE, RecoveryMail};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Sends one mail.
pub(super) async fn mail(app: &App, pace: &Pace, held: HeldMessage) -> Result<Report, StorageError> {
    let snapshot = app.snapshot.load_full();
    let Some(mailer) = &snapshot.mailer else {
        return failed(app, held, "the configuration has no [mail]").await;
    };
    let host = mailer.server();
    let _leave = match pace.admit(&host, app.clock.now()) {
        Admission::Later(at) => return postpone(app, held, at).await,
        Admission::Now(leave) => leave,
    };
    let Some(mail) = app.recovery().mail(&held.message, app.clock.now()).await? else {
        return discard(app, held).await;
    };
    let Ok(letter) = letter(&snapshot.config, &held.message, &mail) else {
        return abandon(app, held, "the mail cannot be written").await;
    };
    let outcome = mailer.send(&letter).await;
    let reached = match &outcome {
        Err(MailError::Unreached(why)) => Err(Undelivered::Unreached(why.clone())),
        Ok(()) | Err(_) => Ok(()),
    };
    pace.note(&host, &reached, app.clock.now());
    match outcome {
        Ok(()) => delivered(app, held).await,
        Err(MailError::Unreached(why)) => failed(app, held, &why).await,
        Err(why) => abandon(app, held.tried(), &why.to_string()).await,
    }
}

/// The mail with the link; it leads to the issuer, whatever host a request named (threat 150).
fn letter<'a>(
    config: &Config,
    message: &Message,
    mail: &'a RecoveryMail,
) -> Result<Letter<'a>, crate::pages::RenderError> {
    let link = format!("{}?token={}", config.issuer.endpoint("/recovery/new-password"), mail.token.expose());
    let (service, minutes) = (config.pages.name.as_str(), RECOVERY_LIFE.as_secs() / 60);
    let asked_in = message.facts.get(LANGUAGE).and_then(Value::as_str).unwrap_or_default();
    let text = RecoveryMailText { language: Language::of_tag(asked_in), service, link: &link, minutes };
    let body = render(&text)?;
    let host = config.issuer.host();
    Ok(Letter {
        to: &mail.address,
        subject: text.subject(),
        body,
        id: format!("<{}@{host}>", message.id),
        written_at: moment(message.created_at),
    })
}

fn moment(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.millis().try_into().unwrap_or_default())
}
