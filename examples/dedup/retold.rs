// The command as `cargo install retold --features command` gives it: the example, under the name of the crate.

include!("main.rs");
