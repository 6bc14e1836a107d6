//! Golden fixtures of the native dialect, and the rules of its turns and refusals.

mod golden;
mod refusals;
mod streams;
mod turns;
