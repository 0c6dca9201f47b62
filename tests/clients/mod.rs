//! Client authentication, as the endpoints for clients hold it: the registered method and no other, never two at once.

mod authentication;
