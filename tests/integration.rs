//! Every integration test in one binary: one link step, and helpers are shared instead of copied.

mod tidy;
