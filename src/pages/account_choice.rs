//! The page a person chooses among accounts on (`prompt=select_account`, OpenID Connect Core §3.1.2.1).

use super::{Layout, Person};
use askama::Template;

/// A button for each account signed in here (`account-1`…), posting `account` and `form_token` to `action`.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "account_choice.html")]
pub struct AccountChoicePage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where the form posts to, the request in its query.
    pub action: &'a str,
    /// The token that proves that the form is ours (threat 135).
    pub form_token: &'a str,
    /// The name of the client that asks, when one does.
    pub client: Option<&'a str>,
    /// The accounts, in the order shown.
    pub accounts: &'a [Account<'a>],
    /// Where signing in as somebody else leads.
    pub login_other: &'a str,
}

/// One account to choose.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// The opaque value the button posts as `account`.
    pub sid: &'a str,
    /// Whose it is.
    pub person: Person<'a>,
}
