//! Who answers `relay ask`: the routes of this process, or a gateway that runs already. Either way, a reply to be read.

use std::sync::Arc;
use std::time::Duration;

use crate::answer::{AnswerStream, Attempt, Body};
use crate::chat::session::SessionKey;
use crate::chat::{ChatRequest, Fault, StreamEvent};
use crate::cli::exit::{Exit, Trouble};
use crate::relay::{Options, Relay, Remote, RemoteStream};

pub enum Answerer<'a> {
    Routes(&'a Arc<Relay>),
    Gateway(&'a Remote),
}

/// An answer that has begun.
pub struct Reply {
    /// `provider/model`.
    pub route: String,
    attempts: Vec<Attempt>,
    stream: Stream,
}

enum Stream {
    Own(Box<AnswerStream>),
    Remote(Box<RemoteStream>),
}

impl Answerer<'_> {
    /// A conversation as this process's own routes know it; a gateway is told its name.
    pub fn session(&self, name: Option<&str>) -> Option<SessionKey> {
        if let Self::Routes(relay) = self { relay.session_named(name?) } else { None }
    }

    /// How long a request may wait for quota that does not say so itself, where that is known here.
    pub fn usual_wait(&self) -> Option<Duration> {
        if let Self::Routes(relay) = self { Some(relay.usual_wait()) } else { None }
    }

    pub async fn send(&self, request: &ChatRequest, options: &Options) -> Result<Reply, Trouble> {
        match self {
            Self::Routes(relay) => {
                let answer = relay.send(request, options).await;
                let answer = answer.map_err(|failure| Trouble::of_failure(*failure, relay.clock.now()))?;
                let Body::Stream(stream) = answer.body else {
                    // The core answers a streamed request with a stream; anything else would be its bug.
                    return Err(Trouble::new(Exit::Internal, "a stream was answered as a whole".to_owned()));
                };
                let stream = Stream::Own(stream);
                let route = relay.fleet.route(answer.route).name.to_string();
                Ok(Reply { route, attempts: answer.attempts, stream })
            }
            Self::Gateway(remote) => {
                let answer = remote.send(request, options).await.map_err(Trouble::of_refusal)?;
                let stream = Stream::Remote(Box::new(answer.stream));
                Ok(Reply { route: answer.route, attempts: answer.attempts, stream })
            }
        }
    }
}

impl Reply {
    /// Every attempt, the one that ended it last. Where another route went on with what one had begun, it is the answer's.
    pub fn take_attempts(&mut self) -> Vec<Attempt> {
        if let Stream::Own(stream) = &self.stream
            && let Some(all) = stream.attempts()
        {
            self.attempts = all.to_vec();
            self.route = all.last().map_or_else(|| self.route.clone(), |last| last.route.to_string());
        }
        std::mem::take(&mut self.attempts)
    }

    /// The next event; `None` at the proper end.
    pub async fn next(&mut self) -> Option<Result<StreamEvent, Fault>> {
        match &mut self.stream {
            Stream::Own(stream) => stream.next().await,
            Stream::Remote(stream) => {
                let next = stream.next().await;
                if let Some(route) = stream.late_route() {
                    self.route = route;
                }
                next
            }
        }
    }
}
