//! Mails of the outbox, one at a time: what a mail says is found when it is sent, so that no link lies in the database (threat 150). A
//! mail whose link opens nothing any more is not sent.

use super::deliver_outbox::{Report, abandon, delivered, discard, failed, postpone};
use super::delivery_pace::{Admission, Pace};
use crate::config::Config;
use crate::http::app::App;
use crate::logout::back_channel::Undelivered;
use crate::model::outbox::{HeldMessage, Message};
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
    let Ok(letter) = letter(&snapshot.config, &held.message, &mail, app.clock.now()) else {
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
        Err(MailError::Unreached(why) | MailError::Deferred(why)) => failed(app, held, &why).await,
        Err(why) => abandon(app, held.tried(), &why.to_string()).await,
    }
}

/// The mail with the link; it leads to the issuer, whatever host a request named (threat 150).
fn letter<'a>(
    config: &Config,
    message: &Message,
    mail: &'a RecoveryMail,
    now: Timestamp,
) -> Result<Letter<'a>, crate::pages::RenderError> {
    // who asks for a mail may be a stranger: what the person is known to read comes first
    let asked_in = message.facts.get(LANGUAGE).and_then(Value::as_str);
    let language = [mail.locale.as_deref(), asked_in].into_iter().flatten().find_map(Language::lookup);
    let language = language.unwrap_or_default();
    let page = config.issuer.endpoint("/recovery/new-password");
    let link = format!("{page}?ui_locales={}&token={}", language.tag(), mail.token.expose());
    let minutes = (mail.expires_at.since(now).as_secs() / 60).max(1);
    let text = RecoveryMailText { language, service: &config.pages.name, link: &link, minutes };
    let body = render(&text)?;
    let host = config.issuer.host();
    Ok(Letter {
        to: &mail.address,
        subject: text.subject(),
        body,
        language: language.tag(),
        id: format!("<{}@{host}>", message.id),
        written_at: moment(message.created_at),
    })
}

fn moment(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.millis().try_into().unwrap_or_default())
}
