//! Whole visits in a real browser, as people make them: Chromium before the server's own listener, apps on other ports.
//! What only a browser does is what is tested here: redirects across sites with their cookies and policies, the back
//! button, tabs, the keyboard, what runs and what is loaded, and how a page looks.

mod account;
mod appearance;
mod history;
mod hostile;
mod playground;
mod shortcuts;
mod sign_in;
mod stage;
mod without;
