//! How a person is named on a page.

/// Someone who is signed in.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// What they are called; the username when no name is known.
    pub name: &'a str,
    /// What they sign in with.
    pub username: &'a str,
}

impl Person<'_> {
    /// The letter in the circle beside the name.
    pub fn initial(&self) -> String {
        let named = |text: &str| text.chars().find(|letter| letter.is_alphanumeric());
        named(self.name)
            .or_else(|| named(self.username))
            .map_or_else(String::new, |letter| letter.to_uppercase().collect())
    }
}
