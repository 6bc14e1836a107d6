//! Work on long texts, beside the runtime that everybody else's requests run on.

use std::sync::LazyLock;
use std::thread;

use tokio::sync::Semaphore;

/// So many at a time: more than there are cores would not end sooner, and each thread keeps memory for itself. Two, so that
/// nobody waits for one enormous text.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(thread::available_parallelism().map_or(2, |cores| cores.get().max(2))));

/// Does `work` in its turn. `None` only if it panicked.
#[expect(clippy::disallowed_methods, reason = "reading, counting and cutting end within milliseconds of a megabyte")]
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let turn = TURNS.acquire().await.expect("nobody closes it");
    let in_turn = move || {
        // The work goes on where its caller has left, and so its turn does too.
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(in_turn).await.ok()
}
