//! A browser and the person signed in there.
