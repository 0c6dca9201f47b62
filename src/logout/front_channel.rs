//! Front-Channel Logout: the addresses that the logged-out page loads in frames, so that each app that took part can end its
//! own session in this browser (§2, §3). Off unless the operator turns it on; browsers that keep cookies of other sites back
//! make it a courtesy, and the back channel the promise (threat 175): what ends elsewhere than at `/logout`, on the person's own
//! page or by an operator, is told by the back channel only.

use crate::clients::registry::Registry;
use crate::config::Config;
use crate::protocol::identifiers::{ClientId, SessionId};
use crate::protocol::server_metadata::FrontChannelLogout;
use crate::tokens::subject::Subjects;
use url::Url;

/// What the logged-out page loads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// Each app's `frontchannel_logout_uri` with `iss` and `sid`.
    pub urls: Vec<String>,
    /// The origins they are on, each once: what the page may frame.
    pub origins: Vec<String>,
}

/// How many apps one page loads at most.
const MOST_FRAMES: usize = 50;

impl Frames {
    /// The frames for the apps that took part in a session.
    pub fn of(
        config: &Config,
        registry: &Registry,
        subjects: Subjects<'_>,
        apps: &[ClientId],
        session: &SessionId,
    ) -> Self {
        let mut frames = Self::default();
        if config.front_channel_logout == FrontChannelLogout::Off {
            return frames;
        }
        for app in apps {
            let Some(client) = registry.find(app) else { continue };
            let uri = client.metadata.frontchannel_logout_uri.as_deref();
            let Some(mut url) = uri.and_then(|uri| Url::parse(uri).ok()) else { continue };
            // §3: both or neither; what the client has in its own query stays
            url.query_pairs_mut()
                .append_pair("iss", config.issuer.as_str())
                .append_pair("sid", &subjects.session(client, session));
            let origin = url.origin().ascii_serialization();
            if !frames.origins.contains(&origin) {
                frames.origins.push(origin);
            }
            frames.urls.push(url.into());
            if frames.urls.len() == MOST_FRAMES {
                break;
            }
        }
        frames
    }

    /// Takes those of another session in as well.
    pub fn add(&mut self, others: Self) {
        let room = MOST_FRAMES.saturating_sub(self.urls.len());
        self.urls.extend(others.urls.into_iter().take(room));
        let new = others.origins.into_iter().filter(|origin| !self.origins.contains(origin));
        let new: Vec<String> = new.collect();
        self.origins.extend(new);
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        self.urls.is_empty()
    }
}
