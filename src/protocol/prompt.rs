//! What the authorization request wants the person to be asked (OpenID Connect Core §3.1.2.1, `prompt`).

/// One value of `prompt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prompt {
    /// Show no page at all.
    None,
    /// Ask for the password again.
    Login,
    /// Ask for consent again.
    Consent,
    /// Ask which account to use.
    SelectAccount,
}

impl Prompt {
    /// Every one; metadata, configuration, registration and tests follow from this list.
    pub const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }

    /// The one that `name` is, exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// The values of one request's `prompt`, `none` never beside another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompts(Vec<Prompt>);

/// Why a text is not a `prompt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// A value that is not in the list.
    #[error("prompt has a value other than none, login, consent and select_account")]
    Unknown,
    /// `none` beside another value (OpenID Connect Core §3.1.2.1).
    #[error("prompt=none stands alone")]
    NoneBesideOthers,
}

impl Prompts {
    /// Reads a `prompt` value; nothing is no wish.
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        let mut prompts = Vec::new();
        for name in text.split(' ').filter(|name| !name.is_empty()) {
            let prompt = Prompt::parse(name).ok_or(PromptError::Unknown)?;
            if !prompts.contains(&prompt) {
                prompts.push(prompt);
            }
        }
        if prompts.contains(&Prompt::None) && prompts.len() > 1 {
            return Err(PromptError::NoneBesideOthers);
        }
        Ok(Self(prompts))
    }

    /// Whether `prompt` is among them.
    pub fn contains(&self, prompt: Prompt) -> bool {
        self.0.contains(&prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_none_stands_alone_and_an_unknown_prompt_is_refused() {
        // threats 126, 127
        assert_eq!(Prompts::parse("none login"), Err(PromptError::NoneBesideOthers));
        assert_eq!(Prompts::parse("create"), Err(PromptError::Unknown));
        assert_eq!(Prompts::parse("None"), Err(PromptError::Unknown));
        let two = Prompts::parse("login consent").expect("valid");
        assert!(two.contains(Prompt::Login) && two.contains(Prompt::Consent) && !two.contains(Prompt::None));
    }
}
