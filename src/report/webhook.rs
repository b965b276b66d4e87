//! Posting a message to a webhook. Its URL is the secret by which Slack knows the sender: nothing here says it, errors
//! least of all.

use std::fmt;
use std::io;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

/// What Slack says in the body of a refusal. Only these words are told; whatever else a server says could repeat the URL.
const REFUSALS: [&str; 12] = [
    "action_prohibited",
    "channel_is_archived",
    "channel_not_found",
    "invalid_blocks",
    "invalid_payload",
    "invalid_token",
    "no_service",
    "no_team",
    "no_text",
    "posting_to_general_channel_denied",
    "team_disabled",
    "user_not_found",
];

/// The URL of a webhook. It cannot be read back, nor printed.
#[derive(Clone)]
pub struct Webhook(Uri);

/// How long to wait, and how often to try again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one attempt, from name to answer.
    pub timeout: Duration,
    /// All attempts, the first one among them. Another one follows an answer of 429 or 5xx only: after a time-out the
    /// message may have arrived.
    pub attempts: u32,
    /// Before the second attempt; twice as long before each further one.
    pub pause: Duration,
    /// The longest pause, also where the server asks for a longer one.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            attempts: 4,
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// Why a message was not posted. No variant holds the URL or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The URL is none that is posted to.
    #[error(
        "{} is no URL to post to: it has to begin with https://, or with http://127.0.0.1 or http://localhost",
        Webhook::VARIABLE
    )]
    Url,
    /// The server's answer was not 2xx.
    #[error("the webhook answered {status}{}", word.map(|word| format!(": {word}")).unwrap_or_default())]
    Status {
        /// Its status code.
        status: u16,
        /// Slack's word for it, where it is a known one.
        word: Option<&'static str>,
    },
    /// No answer in time.
    #[error("the webhook did not answer within {} s; the message may have arrived", timeout.as_secs_f64())]
    Timeout {
        /// How long was waited.
        timeout: Duration,
    },
    /// The server cannot be reached, or there is no speaking with it.
    #[error("the webhook could not be reached: {0}")]
    Unreachable(&'static str),
    /// The connection failed.
    #[error("the webhook could not be reached: {0}")]
    Connection(io::ErrorKind),
}

impl Webhook {
    /// The environment variable that has the URL.
    pub const VARIABLE: &str = "SIGMA_OCSF_SLACK_WEBHOOK";

    /// The webhook at `url`.
    ///
    /// # Errors
    /// It is neither `https` nor `http` of this machine.
    pub fn new(url: &str) -> Result<Self, PostError> {
        let uri: Uri = url.trim().parse().map_err(|_| PostError::Url)?;
        let authority = uri.authority().ok_or(PostError::Url)?;
        let local = ["127.0.0.1", "localhost"].contains(&authority.host());
        // Before an `@` stands a user, and not the host that one may take it for.
        let plain = !authority.as_str().contains('@') && !authority.host().is_empty();
        match uri.scheme_str() {
            Some("https") if plain => Ok(Self(uri)),
            Some("http") if plain && local => Ok(Self(uri)),
            _ => Err(PostError::Url),
        }
    }

    /// Posts `message`, and tries again where the server is busy or failing.
    ///
    /// # Errors
    /// It was not taken.
    pub fn post(&self, message: &Value, patience: &Patience) -> Result<(), PostError> {
        let agent = self.agent(patience);
        let body = message.to_string();
        let mut pause = patience.pause;
        let mut attempt = 1;
        loop {
            let mut answer = self.attempt(&agent, &body, patience)?;
            let status = answer.status().as_u16();
            if (200..300).contains(&status) {
                return Ok(());
            }
            if attempt >= patience.attempts || !(status == 429 || (500..600).contains(&status)) {
                return Err(PostError::Status { status, word: word(&mut answer) });
            }
            thread::sleep(retry_after(&answer).unwrap_or(pause).min(patience.longest_pause));
            pause = pause.saturating_mul(2);
            attempt += 1;
        }
    }

    fn agent(&self, patience: &Patience) -> Agent {
        let config = Agent::config_builder()
            .timeout_global(Some(patience.timeout))
            .http_status_as_error(false)
            // A message is for the server that was named.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(env!("CARGO_PKG_NAME"));
        let local = self.0.scheme_str() == Some("http");
        // A proxy does not reach this machine.
        if local { config.proxy(None).build().into() } else { config.build().into() }
    }

    fn attempt(&self, agent: &Agent, body: &str, patience: &Patience) -> Result<Response<Body>, PostError> {
        let request = agent.post(self.0.clone()).header("content-type", "application/json");
        request.send(body).map_err(|error| match error {
            ureq::Error::Timeout(_) => PostError::Timeout { timeout: patience.timeout },
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                PostError::Timeout { timeout: patience.timeout }
            }
            ureq::Error::Io(error) => PostError::Connection(error.kind()),
            ureq::Error::HostNotFound => PostError::Unreachable("there is no such host"),
            ureq::Error::ConnectionFailed => PostError::Unreachable("no connection"),
            ureq::Error::InvalidProxyUrl => PostError::Unreachable("the URL of the proxy is none"),
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) => PostError::Unreachable("TLS failed"),
            ureq::Error::Protocol(_) => PostError::Unreachable("the answer is no HTTP"),
            // Others may quote the URL.
            _ => PostError::Unreachable("the request failed"),
        })
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(…)")
    }
}

fn retry_after(answer: &Response<Body>) -> Option<Duration> {
    let seconds = answer.headers().get("retry-after")?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn word(answer: &mut Response<Body>) -> Option<&'static str> {
    let body = answer.body_mut().with_config().limit(256).read_to_string().ok()?;
    REFUSALS.into_iter().find(|word| *word == body.trim())
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
