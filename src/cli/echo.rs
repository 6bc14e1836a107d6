//! What a terminal shows of what is typed: nothing of a key, no `^C` into a bar. Dropping it brings back what was.

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::{AsFd as _, OwnedFd};

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    use crate::cli::output::Output;

    pub struct Echo {
        before: Option<(OwnedFd, Termios)>,
    }

    impl Echo {
        /// Nothing that is typed into stdin is shown.
        pub fn hidden() -> Self {
            Self::without(io::stdin().as_fd().try_clone_to_owned(), LocalModes::ECHO, OptionalActions::Flush)
        }

        /// Ctrl-C leaves no `^C`: behind a bar as wide as the terminal it would start a line that nobody takes away.
        pub fn without_signs() -> Self {
            let terminal = Output::stderr_stream().as_fd().try_clone_to_owned();
            Self::without(terminal, LocalModes::ECHOCTL, OptionalActions::Now)
        }

        fn without(terminal: io::Result<OwnedFd>, modes: LocalModes, when: OptionalActions) -> Self {
            // A terminal that cannot be told shows what is typed, and the person sees that.
            let Ok(terminal) = terminal else { return Self { before: None } };
            let Ok(before) = tcgetattr(&terminal) else { return Self { before: None } };
            let mut changed = before.clone();
            changed.local_modes.remove(modes);
            _ = tcsetattr(&terminal, when, &changed);
            Self { before: Some((terminal, before)) }
        }
    }

    impl Drop for Echo {
        fn drop(&mut self) {
            if let Some((terminal, before)) = &self.before {
                _ = tcsetattr(terminal, OptionalActions::Now, before);
            }
        }
    }
}

#[cfg(unix)]
pub use unix::Echo;

#[cfg(not(unix))]
pub struct Echo;

#[cfg(not(unix))]
impl Echo {
    pub const fn hidden() -> Self {
        Self
    }

    pub const fn without_signs() -> Self {
        Self
    }
}
