//! Every integration test in one binary: the gateway in this process, and the `relay` program, over fake providers on loopback.

mod tidy;

mod integration {
    mod answers;
    mod bytes;
    mod faults;
    mod harness;
    mod input;
    mod names;
    mod refusals;
}
