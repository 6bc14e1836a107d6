//! Every integration test in one binary: the gateway in this process, and the `relay` program, over fake providers on loopback.

mod tidy;

mod integration {
    mod access;
    mod affinity;
    mod answers;
    mod ask_exits;
    mod ask_input;
    mod ask_output;
    mod ask_via;
    mod ask_wishes;
    mod batch;
    mod boot;
    mod bytes;
    mod catalogue;
    mod chaos;
    mod check_models;
    mod completion;
    mod context;
    mod continued;
    mod demo;
    mod documents;
    mod explain;
    mod faults;
    mod first_run;
    mod fuzzed;
    mod golden;
    mod grid;
    mod harness;
    mod hedging;
    mod idle;
    mod input;
    mod leaving;
    mod linear;
    mod manners;
    mod models;
    mod names;
    mod pages;
    mod personas;
    mod policy;
    mod refresh;
    mod refresh_safety;
    mod refresh_sources;
    mod refusals;
    mod serve;
    mod sharing;
    mod sight;
    mod snapshots;
    mod state;
    mod style;
    mod terminal;
    mod usage;
    mod usage_command;
    mod waiting;
    mod wire;
}
