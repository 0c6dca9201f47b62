//! What proves that a form came from our own page, in this browser, for this matter (threats 28, 124, 135): a tag over the
//! browser's cookie and what the page showed. Headers like Origin only refuse the obvious earlier.

use crate::keys::derive::KeyedMac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Sign-in.
    Login,
    /// The choice of an account.
    AccountChoice,
    /// Consent.
    Consent,
    /// Sign-out.
    Logout,
    /// A person's own account.
    Account,
    /// Another password.
    Password,
    /// A link for whoever forgot theirs.
    Recovery,
    /// A password set by such a link.
    NewPassword,
}

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::AccountChoice => "account choice",
            Self::Consent => "consent",
            Self::Logout => "logout",
            Self::Account => "account",
            Self::Password => "password",
            Self::Recovery => "recovery",
            Self::NewPassword => "new password",
        }
    }
}

/// The token of a form that this browser was shown, about `matter`: whatever of the page must not change under the form.
pub fn token(keys: &KeyedMac, form: Form, browser: &str, matter: &[&str]) -> String {
    URL_SAFE_NO_PAD.encode(keys.mac(&parts(form, browser, matter)))
}

/// Whether `presented` is that token.
pub fn verify(
    keys: &KeyedMac,
    presented: Option<&str>,
    form: Form,
    browser: Option<&str>,
    matter: &[&str],
) -> bool {
    let (Some(presented), Some(browser)) = (presented, browser) else { return false };
    URL_SAFE_NO_PAD.decode(presented).is_ok_and(|tag| keys.verify(&parts(form, browser, matter), &tag))
}

fn parts<'a>(form: Form, browser: &'a str, matter: &[&'a str]) -> Vec<&'a [u8]> {
    [form.name(), browser].into_iter().chain(matter.iter().copied()).map(str::as_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_token_counts_for_one_form_one_browser_and_one_matter() {
        // threats 124, 135
        let keys = KeyedMac::new(&[1; 32], &[], "form");
        let token = token(&keys, Form::Consent, "browser", &["session", "request"]);
        let holds = |form, browser, matter: &[&str]| verify(&keys, Some(&token), form, browser, matter);
        assert!(holds(Form::Consent, Some("browser"), &["session", "request"]));
        assert!(!holds(Form::Login, Some("browser"), &["session", "request"]));
        assert!(!holds(Form::Consent, Some("other"), &["session", "request"]));
        assert!(!holds(Form::Consent, None, &["session", "request"]));
        assert!(!holds(Form::Consent, Some("browser"), &["session", "another request"]));
        assert!(!holds(Form::Consent, Some("browser"), &["sessionrequest"]));
        assert!(!verify(&keys, None, Form::Consent, Some("browser"), &["session", "request"]));
    }
}
