//! What is still missing before a code: one function decides it, for every way that leads here (OpenID Connect Core
//! §3.1.2.3, §3.1.2.4). Each interruption has its reason, and each reason its error for `prompt=none`.

use crate::authorization::begin::Begun;
use crate::authorization::error::AuthorizationError;
use crate::authorization::marker::Begin;
use crate::model::client::ConsentPolicy;
use crate::protocol::claims_request::ClaimsRequest;
use crate::protocol::prompt::Prompt;
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;
use crate::sessions::accounts::Accounts;
use crate::sessions::browser::SignedIn;
use crate::tokens::subject::Subjects;
use std::time::Duration;

/// All that the decision depends on.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// The request.
    pub begun: &'a Begun,
    /// Who is signed in, if anybody.
    pub signed_in: Option<&'a SignedIn>,
    /// How many people are signed in in this browser.
    pub accounts: usize,
    /// When the request began, if it carries a genuine mark.
    pub begin: Option<Begin>,
    /// What the person agreed to.
    pub consent: ConsentKnown<'a>,
    /// By which subjects clients know people.
    pub subjects: Subjects<'a>,
    /// The moment.
    pub now: Timestamp,
}

/// What is known of the person's consent.
#[derive(Clone, Copy, Debug)]
pub enum ConsentKnown<'a> {
    /// Nothing.
    None,
    /// They agreed to these scopes, for this client and these resources, some time ago.
    Remembered(&'a Scopes),
    /// They have just agreed to these, on the page for this very request.
    JustGiven(&'a Scopes),
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// The person signs in.
    Login(LoginReason),
    /// The person says which account.
    SelectAccount,
    /// The person chooses another password than the one they were given.
    ChangePassword,
    /// The person is asked.
    Consent(ConsentReason),
    /// A code for these scopes.
    Finish(Finish),
    /// No code.
    Refuse(AuthorizationError),
}

/// Why the person has to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginReason {
    /// Nobody is signed in.
    NotSignedIn,
    /// `prompt=login`.
    Prompted,
    /// `max_age` is over.
    TooOld,
    /// `id_token_hint` or `claims` means another person.
    AnotherPerson,
}

/// Why the person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentReason {
    /// `prompt=consent`.
    Prompted,
    /// Another program on the device could receive the answer (RFC 8252 §8.6).
    SpoofableRedirectUri,
    /// The client registered itself, and has other hosts than the one that the person is sent to.
    SeveralHosts,
    /// They never agreed to all of this.
    New,
}

/// Leave to issue a code; only [`next_step`] gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    scopes: Scopes,
    consented: Scopes,
    claims: ClaimsRequest,
}

impl Finish {
    /// The scopes that the code is for.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// What was agreed to: the scopes, and those whose claims were asked for one by one.
    pub fn consented(&self) -> &Scopes {
        &self.consented
    }

    /// The single claims that the code is for.
    pub fn claims(&self) -> &ClaimsRequest {
        &self.claims
    }
}

/// Whom the request is about: the active person, unless it names somebody else who is signed in here too (`id_token_hint` or
/// `claims`, §3.1.2.1). Nobody is second-guessed who chooses, or has just signed in for this request.
pub fn person<'a>(
    begun: &Begun,
    accounts: &'a Accounts,
    begin: Option<Begin>,
    subjects: Subjects<'_>,
) -> Option<&'a SignedIn> {
    let active = accounts.active();
    let Some(expected) = &begun.expected_subject else { return active };
    let is_fresh =
        |signed_in: &SignedIn| begin.is_some_and(|begin| signed_in.session.authentication.at > begin.0);
    if begun.request.prompts.contains(Prompt::SelectAccount) || active.is_some_and(is_fresh) {
        return active;
    }
    let named = accounts.all().find(|one| *expected == subjects.subject(&begun.client, &one.user.id));
    named.or(active)
}

/// Decides what happens next.
pub fn next_step(situation: &Situation<'_>) -> NextStep {
    let step = decide(situation);
    if !situation.begun.request.prompts.contains(Prompt::None) {
        return step;
    }
    match step {
        NextStep::Login(_) | NextStep::SelectAccount => NextStep::Refuse(AuthorizationError::LoginRequired),
        NextStep::ChangePassword => NextStep::Refuse(AuthorizationError::PasswordChangeRequired),
        NextStep::Consent(_) => NextStep::Refuse(AuthorizationError::ConsentRequired),
        step => step,
    }
}

fn decide(situation: &Situation<'_>) -> NextStep {
    let begun = situation.begun;
    if !begun.reaches_essential_acr() {
        return NextStep::Refuse(AuthorizationError::UnmetAuthenticationRequirements);
    }
    let Some(signed_in) = situation.signed_in else {
        return match situation.accounts {
            0 => NextStep::Login(LoginReason::NotSignedIn),
            _ => NextStep::SelectAccount,
        };
    };
    let since_begin = |moment: Timestamp| situation.begin.is_some_and(|begin| moment > begin.0);
    if begun.request.prompts.contains(Prompt::SelectAccount) && !since_begin(signed_in.session.selected_at) {
        return NextStep::SelectAccount;
    }
    let authenticated_at = signed_in.session.authentication.at;
    let fresh = since_begin(authenticated_at);
    if let Some(expected) = &begun.expected_subject
        && *expected != situation.subjects.subject(&begun.client, &signed_in.user.id)
    {
        // whoever signed in for this very request is who is there: asking again would never end
        return match fresh {
            true => NextStep::Refuse(AuthorizationError::LoginRequired),
            false => NextStep::Login(LoginReason::AnotherPerson),
        };
    }
    if begun.request.prompts.contains(Prompt::Login) && !fresh {
        return NextStep::Login(LoginReason::Prompted);
    }
    let max_age = begun.request.max_age.or(begun.client.metadata.default_max_age);
    if max_age.is_some_and(|seconds| !fresh && is_older(authenticated_at, seconds, situation.now)) {
        return NextStep::Login(LoginReason::TooOld);
    }
    // before anything is decided for them: nobody but the person is to know the password (threat 149)
    if signed_in.user.must_change_password {
        return NextStep::ChangePassword;
    }
    if !signed_in.user.is_in_one_of(&begun.client.allowed_groups) {
        return NextStep::Refuse(AuthorizationError::NotInGroup);
    }
    consent(situation)
}

/// `max_age=0` is `prompt=login` (OpenID Connect Core §3.1.2.1).
fn is_older(authenticated_at: Timestamp, max_age: u64, now: Timestamp) -> bool {
    max_age == 0 || now.since(authenticated_at) > Duration::from_secs(max_age)
}

fn consent(situation: &Situation<'_>) -> NextStep {
    let begun = situation.begun;
    if let ConsentKnown::JustGiven(scopes) = situation.consent {
        let consented = begun.shown.retain(|scope| scope == "openid" || scopes.contains(scope));
        // RFC 6749 §3.3 has no empty scope: to allow nothing of what was asked is to say no
        let nothing = begun.scopes.retain(|scope| consented.contains(scope)).is_empty();
        return match nothing && !begun.scopes.is_empty() {
            true => NextStep::Refuse(AuthorizationError::Denied),
            false => finish(begun, consented),
        };
    }
    if begun.client.consent == ConsentPolicy::FirstParty {
        return finish(begun, begun.shown.clone());
    }
    if begun.request.prompts.contains(Prompt::Consent) {
        return NextStep::Consent(ConsentReason::Prompted);
    }
    if begun.target.registered().is_spoofable() {
        return NextStep::Consent(ConsentReason::SpoofableRedirectUri);
    }
    if begun.client.always_asks() {
        return NextStep::Consent(ConsentReason::SeveralHosts);
    }
    match situation.consent {
        ConsentKnown::Remembered(scopes) if begun.shown.is_subset(scopes) => {
            finish(begun, begun.shown.clone())
        }
        _ => NextStep::Consent(ConsentReason::New),
    }
}

fn finish(begun: &Begun, consented: Scopes) -> NextStep {
    NextStep::Finish(Finish {
        scopes: begun.scopes.retain(|scope| consented.contains(scope)),
        claims: begun.claims_within(&consented),
        consented,
    })
}
