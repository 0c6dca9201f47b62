//! What may happen to a server, in any order: the operations of security.md §3.1, and how often each is drawn.

use proptest::prelude::*;

/// The apps of a history: one of each way to be a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum App {
    /// Confidential; its refresh tokens stay.
    Web,
    /// Public; its refresh tokens rotate.
    Spa,
    /// Confidential; its refresh tokens rotate.
    Post,
    /// First-party: nobody is asked.
    Ours,
}

impl App {
    pub const ALL: [Self; 4] = [Self::Web, Self::Spa, Self::Post, Self::Ours];

    pub fn client_id(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Spa => "spa",
            Self::Post => "post",
            Self::Ours => "ours",
        }
    }

    /// What it asks for.
    pub fn scope(self, offline: bool) -> &'static str {
        match (self, offline) {
            (Self::Ours, true) => "openid offline_access",
            (Self::Ours, false) => "openid",
            (_, true) => "openid offline_access photos.read",
            (_, false) => "openid photos.read",
        }
    }

    pub fn rotates(self) -> bool {
        matches!(self, Self::Spa | Self::Post)
    }

    pub fn is_first_party(self) -> bool {
        self == Self::Ours
    }

    /// Who may ask about its access tokens.
    pub fn introspector(self) -> &'static str {
        if self == Self::Ours { "ours" } else { "photos-api" }
    }

    /// Another app, for what is stolen.
    pub fn other(self) -> Self {
        if self == Self::Web { Self::Post } else { Self::Web }
    }
}

/// What a person says when they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    AllowWithoutOffline,
    Deny,
}

/// How a code or a refresh token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presentation {
    /// By its client, with everything right.
    Right,
    /// By another client that proves who it is.
    OtherClient,
    /// A code with another verifier; a refresh token with a scope that was not granted.
    OtherBinding,
    /// For a resource that was not granted.
    OtherResource,
}

/// One step. Codes and tokens are counted from the newest.
#[derive(Clone, Debug)]
pub enum Operation {
    SignIn { browser: usize, person: usize },
    SignOut { browser: usize },
    Authorize { browser: usize, app: App, offline: bool, decision: Decision },
    Redeem { code: usize, how: Presentation },
    Refresh { token: usize, how: Presentation },
    RevokeRefreshToken { token: usize, by_owner: bool },
    RevokeAccessToken { token: usize, by_owner: bool },
    Disable { person: usize },
    Enable { person: usize },
    SetPassword { person: usize },
    ForgetConsents { person: usize },
    Advance { milliseconds: i64 },
    Sweep,
}

/// The `back`-th newest of `length`, counted round.
pub fn nth_latest(length: usize, back: usize) -> Option<usize> {
    (length > 0).then(|| length - 1 - back % length)
}

/// Around every boundary of the contract: 500 ms, 60 s, 5 and 10 minutes, an hour, 12 hours, 14, 30 and 180 days.
const STEPS: [i64; 17] = [
    1,
    250,
    500,
    501,
    2_000,
    30_000,
    59_999,
    60_000,
    60_001,
    299_000,
    600_000,
    3_600_000,
    6 * 3_600_000,
    43_200_000,
    15 * 86_400_000,
    30 * 86_400_000,
    181 * 86_400_000,
];

fn presentation() -> impl Strategy<Value = Presentation> {
    prop_oneof![
        6 => Just(Presentation::Right),
        1 => Just(Presentation::OtherClient),
        1 => Just(Presentation::OtherBinding),
        2 => Just(Presentation::OtherResource),
    ]
}

fn decision() -> impl Strategy<Value = Decision> {
    prop_oneof![
        6 => Just(Decision::Allow),
        1 => Just(Decision::AllowWithoutOffline),
        1 => Just(Decision::Deny),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let (browser, person) = (0..2_usize, 0..2_usize);
    // mostly the newest, sometimes an old one
    let back = || prop_oneof![5 => Just(0_usize), 3 => 1..3_usize, 1 => 3..9_usize];
    let step = prop_oneof![
        5 => proptest::sample::select(STEPS[..9].to_vec()),
        2 => proptest::sample::select(STEPS[9..14].to_vec()),
        1 => proptest::sample::select(STEPS[14..].to_vec()),
    ];
    prop_oneof![
        4 => (browser.clone(), person.clone()).prop_map(|(browser, person)| Operation::SignIn { browser, person }),
        1 => browser.clone().prop_map(|browser| Operation::SignOut { browser }),
        4 => authorize(any::<bool>()),
        4 => (back(), presentation()).prop_map(|(code, how)| Operation::Redeem { code, how }),
        8 => (back(), presentation()).prop_map(|(token, how)| Operation::Refresh { token, how }),
        1 => (back(), any::<bool>()).prop_map(|(token, by_owner)| Operation::RevokeRefreshToken { token, by_owner }),
        1 => (back(), any::<bool>()).prop_map(|(token, by_owner)| Operation::RevokeAccessToken { token, by_owner }),
        1 => person.clone().prop_map(|person| Operation::Disable { person }),
        1 => person.clone().prop_map(|person| Operation::Enable { person }),
        1 => person.clone().prop_map(|person| Operation::SetPassword { person }),
        1 => person.prop_map(|person| Operation::ForgetConsents { person }),
        6 => step.prop_map(|milliseconds| Operation::Advance { milliseconds }),
        1 => Just(Operation::Sweep),
    ]
}

fn authorize(offline: impl Strategy<Value = bool>) -> impl Strategy<Value = Operation> {
    let app = proptest::sample::select(App::ALL.to_vec());
    (0..2_usize, app, offline, decision()).prop_map(|(browser, app, offline, decision)| {
        Operation::Authorize { browser, app, offline, decision }
    })
}

/// What would seldom meet by chance: the same thing twice, on either side of a boundary.
fn scene() -> impl Strategy<Value = Vec<Operation>> {
    let after = |steps: &[i64]| {
        let step = proptest::sample::select(steps.to_vec());
        step.prop_map(|milliseconds| Operation::Advance { milliseconds })
    };
    let redeem = |how| Operation::Redeem { code: 0, how };
    let refresh = |back, how| Operation::Refresh { token: back, how };
    let right = Presentation::Right;
    prop_oneof![
        4 => authorize(any::<bool>()).prop_map(move |asked| vec![asked, redeem(right)]),
        // a lost answer, or theft
        4 => (after(&[1, 59_999, 60_000, 60_001]), presentation())
            .prop_map(move |(step, how)| vec![refresh(0, right), step, refresh(1, how), refresh(0, right)]),
        // a double submit, or theft
        3 => (after(&[499, 500, 501]), presentation())
            .prop_map(move |(step, how)| vec![redeem(right), step, redeem(how)]),
        // a code, an access token, an idle grant at their ends
        2 => (authorize(any::<bool>()), after(&[59_999, 60_000]))
            .prop_map(move |(asked, step)| vec![asked, step, redeem(right)]),
        1 => after(&[599_999, 600_000, 600_001]).prop_map(move |step| vec![refresh(0, right), step]),
        2 => (
            authorize(Just(true)),
            after(&[3_599_999, 3_600_000]),
            after(&[30 * 86_400_000 - 3_600_000, 30 * 86_400_000 - 1, 30 * 86_400_000]),
        )
            .prop_map(move |(asked, used, idle)| {
                vec![asked, redeem(right), used, refresh(0, right), idle, refresh(0, right)]
            }),
        // a grant that ends with its session, which ends by itself or by its person
        2 => (authorize(Just(false)), after(&[43_199_999, 43_200_000]))
            .prop_map(move |(asked, step)| vec![asked, redeem(right), step, refresh(0, right)]),
        1 => (authorize(any::<bool>()), 0..2_usize).prop_map(move |(asked, browser)| {
            vec![asked, redeem(right), Operation::SignOut { browser }, refresh(0, right)]
        }),
    ]
}

/// A history: both browsers are signed in at first, so that little of it is spent on finding nobody.
pub fn history(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    let piece = prop_oneof![2 => operation().prop_map(|one| vec![one]), 1 => scene()];
    proptest::collection::vec(piece, 1..most).prop_map(|drawn| after_signing_in(drawn.concat()))
}

/// A history of nothing but what seldom meets by chance.
pub fn scenes(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec(scene(), 1..most).prop_map(|drawn| after_signing_in(drawn.concat()))
}

fn after_signing_in(drawn: Vec<Operation>) -> Vec<Operation> {
    let mut history: Vec<_> = (0..2).map(|browser| Operation::SignIn { browser, person: browser }).collect();
    history.extend(drawn);
    history
}
