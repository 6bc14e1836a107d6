//! Work that may block, done beside the runtime: a signal or a limit in time ends the program all the same.

use tokio::sync::oneshot;

use super::exit::{Exit, Trouble};

/// What the work comes to. Where nobody waits for it any more, it ends with the program.
#[expect(clippy::disallowed_methods, reason = "it ends with its work, or with the program")]
pub async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
    let (sender, done) = oneshot::channel();
    std::thread::spawn(move || {
        // Nobody listens any more once a signal has come.
        drop(sender.send(work()));
    });
    done.await.map_err(|_| Trouble::new(Exit::Internal, "reading the input stopped".to_owned()))
}
