//! The page a person allows or denies a client's request on (`/consent`; threats 116, 125).

use super::{Destination, Layout, Person, WebLink};
use askama::Template;

/// Who asks, for what, on whose behalf, and where the answer goes. The form posts `decision` (`allow` or `deny`), a `scope` for
/// each ticked box, `request_digest` and `form_token` to `action`.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where the form posts to, the request in its query.
    pub action: &'a str,
    /// The token that proves that the form is ours (threat 135).
    pub form_token: &'a str,
    /// The authenticated digest of session, person and request as shown.
    pub request_digest: &'a str,
    /// Who is signed in.
    pub person: Person<'a>,
    /// Where "Not you?" leads.
    pub not_you: &'a str,
    /// Who asks.
    pub client: ConsentClient<'a>,
    /// Where the person is sent back to.
    pub destination: Destination<'a>,
    /// What is asked for, in the order shown.
    pub scopes: &'a [ConsentScope<'a>],
    /// The resources it would be used at (RFC 8707), named; often empty.
    pub resources: &'a [&'a str],
}

/// The client as the page names it.
#[derive(Clone, Copy, Debug)]
pub struct ConsentClient<'a> {
    /// Its `client_name`, or its `client_id` without one.
    pub name: &'a str,
    /// The host of its `client_uri` or of its URL-shaped id, if any.
    pub host: Option<&'a str>,
    /// The address of its logo on this server, if it has one.
    pub logo: Option<&'a str>,
    /// Whether somebody here vouches for it.
    pub standing: Standing,
    /// Its `policy_uri`.
    pub policy: Option<WebLink<'a>>,
    /// Its `tos_uri`.
    pub terms: Option<WebLink<'a>>,
}

impl ConsentClient<'_> {
    fn is_unverified(&self) -> bool {
        self.standing == Standing::Unverified
    }
}

/// Whether somebody vouches for a client's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An operator wrote it into the configuration.
    Configured,
    /// It registered itself, or is known by its metadata document only.
    Unverified,
}

/// One scope of the list.
#[derive(Clone, Copy, Debug)]
pub struct ConsentScope<'a> {
    /// The scope token, the value of the checkbox; `openid` is fixed text without one.
    pub token: &'a str,
    /// What it lets the client do, following "It would be able to", in the page's language.
    pub words: &'a str,
}

impl ConsentScope<'_> {
    /// Whether the person may leave it out: all but `openid`.
    pub fn may_be_unticked(&self) -> bool {
        self.token != "openid"
    }
}
