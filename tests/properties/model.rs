//! The reference model (security.md §3.1): sessions, consents, codes, grants and tokens as plain values, with the answers
//! that the contract promises. It knows no HTTP and no SQL, and is written from product.md, not from `src/`.

use super::history::{App, Decision, Operation, Presentation, nth_latest};
use std::collections::{BTreeMap, BTreeSet};

/// What the contract promises as the answer to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is nothing to do it with.
    Nothing,
    /// It is done, and nobody is told more.
    Done,
    /// The sign-in is refused.
    Refused,
    /// The person has to sign in first.
    LoginPage,
    /// The person said no.
    Denied,
    /// A code, with the person asked on the way or not.
    Code { asked: bool },
    /// Tokens: an access token for this scope, and the refresh token that is this entry of `refresh_tokens`.
    Tokens { scope: String, refresh_token: usize },
    /// An error of RFC 6749 §5.2; one of these.
    Errors(&'static [&'static str]),
}

const INVALID_GRANT: Answer = Answer::Errors(&["invalid_grant"]);
const INVALID_TARGET: Answer = Answer::Errors(&["invalid_target"]);

/// The contract's lengths of time, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub code: i64,
    pub access_token: i64,
    pub session_idle: i64,
    pub refresh_token_idle: i64,
    /// How often a use that rotates nothing is noted.
    pub use_noted_every: i64,
    /// For how long a lost answer is given again.
    pub lost_answer: i64,
    /// For how long a code that comes again is a double submit.
    pub double_submit: i64,
}

/// product.md.
pub const CONTRACT: Rules = Rules {
    code: 60 * SECOND,
    access_token: 600 * SECOND,
    session_idle: 12 * HOUR,
    refresh_token_idle: 30 * DAY,
    use_noted_every: HOUR,
    lost_answer: 60 * SECOND,
    double_submit: 500,
};

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
/// How many wrong sign-ins of one person a history holds: from the sixth on they would be slowed down, which is not modelled.
const MOST_REFUSALS: usize = 4;

#[derive(Clone, Debug)]
struct Session {
    person: usize,
    ended: bool,
    last_seen: i64,
    idle_until: i64,
    absolute_until: i64,
}

#[derive(Clone, Debug)]
struct Grant {
    app: App,
    person: usize,
    session: usize,
    scopes: BTreeSet<&'static str>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Code {
        until: i64,
    },
    Active {
        redeemed_at: i64,
        generation: u32,
        rotated_at: i64,
        used_at: i64,
        idle_until: i64,
        expires_at: i64,
    },
    Revoked,
}

#[derive(Clone, Debug)]
struct AccessToken {
    grant: usize,
    expires_at_second: i64,
    revoked: bool,
}

/// The model of one history.
#[derive(Clone, Debug)]
pub struct Model {
    rules: Rules,
    now: i64,
    enabled: [bool; 2],
    refusals: [usize; 2],
    browsers: [Option<usize>; 2],
    sessions: Vec<Session>,
    consents: BTreeMap<(usize, App), BTreeSet<&'static str>>,
    grants: Vec<Grant>,
    access_tokens: Vec<AccessToken>,
    refresh_tokens: Vec<(usize, u32)>,
}

impl Model {
    /// Two people who may sign in, two browsers that never did.
    pub fn new(rules: Rules, now: i64) -> Self {
        Self {
            rules,
            now,
            enabled: [true; 2],
            refusals: [0; 2],
            browsers: [None; 2],
            sessions: vec![],
            consents: BTreeMap::new(),
            grants: vec![],
            access_tokens: vec![],
            refresh_tokens: vec![],
        }
    }

    /// What happens, and what is answered.
    pub fn apply(&mut self, operation: &Operation) -> Answer {
        match *operation {
            Operation::SignIn { browser, person } => self.sign_in(browser, person),
            Operation::SignOut { browser } => self.sign_out(browser),
            Operation::Authorize { browser, app, offline, decision } => {
                self.authorize(browser, app, offline, decision)
            }
            Operation::Redeem { code, how } => match nth_latest(self.grants.len(), code) {
                Some(grant) => self.redeem(grant, how),
                None => Answer::Nothing,
            },
            Operation::Refresh { token, how } => match nth_latest(self.refresh_tokens.len(), token) {
                Some(token) => self.refresh(token, how),
                None => Answer::Nothing,
            },
            Operation::RevokeRefreshToken { token, by_owner } => {
                let Some(token) = nth_latest(self.refresh_tokens.len(), token) else {
                    return Answer::Nothing;
                };
                let grant = &mut self.grants[self.refresh_tokens[token].0];
                if by_owner && matches!(grant.state, State::Active { .. }) {
                    grant.state = State::Revoked;
                }
                Answer::Done
            }
            Operation::RevokeAccessToken { token, by_owner } => {
                let Some(token) = nth_latest(self.access_tokens.len(), token) else { return Answer::Nothing };
                self.access_tokens[token].revoked |= by_owner;
                Answer::Done
            }
            Operation::Disable { person } => {
                self.enabled[person] = false;
                self.end_everything_of(person)
            }
            Operation::Enable { person } => {
                self.enabled[person] = true;
                Answer::Done
            }
            Operation::SetPassword { person } => self.end_everything_of(person),
            Operation::ForgetConsents { person } => {
                self.consents.retain(|(whose, _), _| *whose != person);
                Answer::Done
            }
            Operation::Advance { milliseconds } => {
                self.now += milliseconds;
                Answer::Done
            }
            Operation::Sweep => Answer::Done,
        }
    }

    // ---- sessions ----

    fn session_lives(&self, session: usize) -> bool {
        let session = &self.sessions[session];
        !session.ended && self.now < session.idle_until && self.now < session.absolute_until
    }

    /// The session that a browser's visit finds; the visit puts its idle end off, noted every five minutes.
    fn visit(&mut self, browser: usize) -> Option<usize> {
        let session = self.browsers[browser]?;
        if !self.session_lives(session) || !self.enabled[self.sessions[session].person] {
            return None;
        }
        let (now, idle_until) = (self.now, self.now + self.rules.session_idle);
        let entry = &mut self.sessions[session];
        if now - entry.last_seen >= 300 * SECOND {
            (entry.last_seen, entry.idle_until) = (now, idle_until);
        }
        Some(session)
    }

    fn sign_in(&mut self, browser: usize, person: usize) -> Answer {
        if !self.enabled[person] && self.refusals[person] >= MOST_REFUSALS {
            return Answer::Nothing;
        }
        let before = self.visit(browser);
        if !self.enabled[person] {
            self.refusals[person] += 1;
            return Answer::Refused;
        }
        let (idle_until, absolute_until) = (self.now + self.rules.session_idle, self.now + 14 * DAY);
        let session = Session { person, ended: false, last_seen: self.now, idle_until, absolute_until };
        match before {
            Some(before) if self.sessions[before].person == person => self.sessions[before] = session,
            before => {
                if let Some(before) = before {
                    self.end_session(before);
                }
                self.sessions.push(session);
                self.browsers[browser] = Some(self.sessions.len() - 1);
            }
        }
        Answer::Done
    }

    fn sign_out(&mut self, browser: usize) -> Answer {
        if let Some(session) = self.visit(browser) {
            self.end_session(session);
        }
        Answer::Done
    }

    /// Ends the session with its unspent codes and the grants that do not outlive it.
    fn end_session(&mut self, session: usize) {
        self.sessions[session].ended = true;
        for grant in self.grants.iter_mut().filter(|grant| grant.session == session) {
            let outlives = matches!(grant.state, State::Active { .. }) && grant.is_offline();
            if !outlives {
                grant.state = State::Revoked;
            }
        }
    }

    fn end_everything_of(&mut self, person: usize) -> Answer {
        for session in self.sessions.iter_mut().filter(|session| session.person == person) {
            session.ended = true;
        }
        for grant in self.grants.iter_mut().filter(|grant| grant.person == person) {
            grant.state = State::Revoked;
        }
        Answer::Done
    }

    // ---- codes ----

    fn authorize(&mut self, browser: usize, app: App, offline: bool, decision: Decision) -> Answer {
        let Some(session) = self.visit(browser) else { return Answer::LoginPage };
        let person = self.sessions[session].person;
        let mut scopes: BTreeSet<&'static str> = app.scope(offline).split(' ').collect();
        let remembered = self.consents.get(&(person, app)).cloned().unwrap_or_default();
        let asked = !app.is_first_party() && !scopes.is_subset(&remembered);
        if asked {
            let shown = scopes.clone();
            match decision {
                Decision::Deny => return Answer::Denied,
                Decision::Allow => {}
                Decision::AllowWithoutOffline => drop(scopes.remove("offline_access")),
            }
            let kept = remembered.difference(&shown).chain(&scopes).copied().collect();
            self.consents.insert((person, app), kept);
        }
        let state = State::Code { until: self.now + self.rules.code };
        self.grants.push(Grant { app, person, session, scopes, state });
        Answer::Code { asked }
    }

    fn redeem(&mut self, index: usize, how: Presentation) -> Answer {
        let (now, grant) = (self.now, self.grants[index].clone());
        match (how, &grant.state) {
            // A failing attempt changes nothing; who knows everything but asks for too much hears that.
            (Presentation::OtherClient | Presentation::OtherBinding, _) => INVALID_GRANT,
            (Presentation::OtherResource, State::Code { until }) if now < *until => INVALID_TARGET,
            (Presentation::OtherResource, _) => INVALID_GRANT,
            (Presentation::Right, State::Code { until }) => {
                let lives = self.session_lives(grant.session) && self.enabled[grant.person];
                if now >= *until || !lives {
                    return INVALID_GRANT;
                }
                self.grants[index].state = State::Active {
                    redeemed_at: now,
                    generation: 0,
                    rotated_at: now,
                    used_at: now,
                    idle_until: now + self.rules.refresh_token_idle,
                    expires_at: now + 180 * DAY,
                };
                self.tokens(index)
            }
            (Presentation::Right, State::Active { redeemed_at, .. }) => {
                if now - redeemed_at > self.rules.double_submit {
                    self.grants[index].state = State::Revoked;
                }
                INVALID_GRANT
            }
            (Presentation::Right, State::Revoked) => INVALID_GRANT,
        }
    }

    // ---- refresh tokens ----

    /// Whether the grant's refresh tokens may live at all, whichever generation.
    fn refreshes(&self, grant: &Grant) -> bool {
        let State::Active { idle_until, expires_at, .. } = grant.state else { return false };
        self.now < idle_until
            && self.now < expires_at
            && self.enabled[grant.person]
            && (grant.is_offline() || self.session_lives(grant.session))
    }

    fn refresh(&mut self, token: usize, how: Presentation) -> Answer {
        let (index, presented) = self.refresh_tokens[token];
        let grant = self.grants[index].clone();
        match how {
            Presentation::OtherClient => return INVALID_GRANT,
            // More than was granted is refused before the token is spent; of a dead one either may be told.
            Presentation::OtherBinding if self.refreshes(&grant) => {
                return Answer::Errors(&["invalid_scope"]);
            }
            Presentation::OtherBinding => return Answer::Errors(&["invalid_scope", "invalid_grant"]),
            Presentation::Right | Presentation::OtherResource => {}
        }
        if !self.refreshes(&grant) {
            return INVALID_GRANT;
        }
        let (now, rules) = (self.now, self.rules);
        let State::Active { generation, rotated_at, used_at, idle_until, .. } = &mut self.grants[index].state
        else {
            return INVALID_GRANT;
        };
        let lost_answer = presented + 1 == *generation && now - *rotated_at <= rules.lost_answer;
        if presented != *generation && !lost_answer {
            self.grants[index].state = State::Revoked;
            return INVALID_GRANT;
        }
        if how == Presentation::OtherResource {
            return INVALID_TARGET;
        }
        if grant.app.rotates() && presented == *generation {
            (*generation, *rotated_at) = (*generation + 1, now);
            (*used_at, *idle_until) = (now, now + rules.refresh_token_idle);
        } else if !grant.app.rotates() && now - *used_at >= rules.use_noted_every {
            (*used_at, *idle_until) = (now, now + rules.refresh_token_idle);
        }
        self.tokens(index)
    }

    /// An access token more, and the grant's newest refresh token.
    fn tokens(&mut self, index: usize) -> Answer {
        let grant = &self.grants[index];
        let State::Active { generation, expires_at, .. } = grant.state else { return INVALID_GRANT };
        let scope = grant.app.scope(true).split(' ').filter(|scope| grant.scopes.contains(scope));
        let scope = scope.collect::<Vec<_>>().join(" ");
        let until = (self.now + self.rules.access_token).min(expires_at);
        let expires_at_second = until.div_euclid(SECOND);
        self.access_tokens.push(AccessToken { grant: index, expires_at_second, revoked: false });
        let name = (index, generation);
        let refresh_token =
            self.refresh_tokens.iter().position(|known| *known == name).unwrap_or_else(|| {
                self.refresh_tokens.push(name);
                self.refresh_tokens.len() - 1
            });
        Answer::Tokens { scope, refresh_token }
    }

    // ---- what must be seen ----

    /// Whose code the grant came with.
    pub fn app_of_grant(&self, grant: usize) -> App {
        self.grants[grant].app
    }

    /// Whose access token it is.
    pub fn app_of_access_token(&self, token: usize) -> App {
        self.grants[self.access_tokens[token].grant].app
    }

    /// Whose refresh token it is.
    pub fn app_of_refresh_token(&self, token: usize) -> App {
        self.grants[self.refresh_tokens[token].0].app
    }

    /// Invariants 7 and 18: introspection and userinfo say yes exactly then.
    pub fn access_token_lives(&self, token: usize) -> bool {
        let token = &self.access_tokens[token];
        let grant = &self.grants[token.grant];
        !token.revoked
            && self.now.div_euclid(SECOND) < token.expires_at_second
            && matches!(grant.state, State::Active { .. })
            && self.enabled[grant.person]
    }

    /// Invariant 5: introspection says yes to the one generation that is fresh.
    pub fn refresh_token_lives(&self, token: usize) -> bool {
        let (index, presented) = self.refresh_tokens[token];
        let grant = &self.grants[index];
        let fresh = matches!(grant.state, State::Active { generation, .. } if generation == presented);
        fresh && self.refreshes(grant)
    }
}

impl Grant {
    fn is_offline(&self) -> bool {
        self.scopes.contains("offline_access")
    }
}
