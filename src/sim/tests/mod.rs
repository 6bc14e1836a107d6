//! The simulator over real sockets: every act, the limits, the clients that leave, and the end.

mod acts;
mod client;
mod life;
mod limits;
mod persona;
mod personas;
mod refusals;
mod strictness;
