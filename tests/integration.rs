//! The one integration test binary: the gateway in this process, and the `relay` program, over fake providers on loopback.

mod integration {
    mod answers;
    mod bytes;
    mod faults;
    mod harness;
    mod input;
    mod names;
    mod refusals;
}
