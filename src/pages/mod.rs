//! What people see: one view struct per page, named like its template in `templates/`.
//!
//! A view holds what its page says and nothing else: texts are borrowed, URLs arrive as encoded strings, and askama escapes
//! every one of them (`|safe` is never used; threats 26, 152). Pages work without scripts and load nothing from elsewhere; the
//! element ids are part of the contract with users. What a page says of its own is in `templates/words/`, in every language;
//! a template holds no text. Which page is shown, and what its form does, is decided elsewhere.

mod account;
mod account_choice;
mod assets;
mod consent;
mod error;
mod form_post;
mod language;
mod layout;
mod link;
mod logged_out;
mod login;
mod logout;
mod password;
mod person;
mod playground;
mod recovery;
mod theme;
mod words;

#[cfg(test)]
mod rendering_tests;

pub use account::{AccountDone, AccountPage, AccountPaths, GrantedApp, OpenSession, Since};
pub use account_choice::{Account, AccountChoicePage};
pub use askama::Template;
pub use assets::{ASSETS, Asset, PLAYGROUND_SCRIPT, STYLESHEET};
pub use consent::{ConsentClient, ConsentPage, ConsentScope, Standing};
pub use error::{ErrorPage, WayOn};
pub use form_post::{FORM_POST_SCRIPT, FormPostPage, form_post_script_hash};
pub use language::{Language, Languages};
pub use layout::{Direction, Layout, Theme};
pub use link::{Destination, ReturnLink, WebLink};
pub use logged_out::{LoggedOutPage, Onward};
pub use login::{LoginClient, LoginMessage, LoginPage};
pub use logout::LogoutPage;
pub use password::{NewPasswordPage, PasswordMessage, PasswordPage};
pub use person::Person;
pub use playground::PlaygroundPage;
pub use recovery::{RecoveredPage, RecoveryMailText, RecoveryMessage, RecoveryPage, RecoverySentPage};
pub use theme::{mark_svg, theme_css};

/// A page, and the language it is in.
pub trait View: Template {
    /// The language.
    fn language(&self) -> Language;
}

macro_rules! views {
    ($($page:ident)*) => {
        $(impl View for $page<'_> {
            fn language(&self) -> Language {
                self.layout.language
            }
        })*
    };
}

views! {
    AccountChoicePage AccountPage ConsentPage ErrorPage FormPostPage LoggedOutPage LoginPage LogoutPage NewPasswordPage
    PasswordPage PlaygroundPage RecoveredPage RecoveryPage RecoverySentPage
}

/// A page could not be written.
pub type RenderError = askama::Error;

/// The HTML of `page`; fails only when a formatter does, which no page's does.
pub fn render(page: &impl askama::Template) -> Result<String, RenderError> {
    page.render()
}
