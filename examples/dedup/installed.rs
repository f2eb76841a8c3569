// The example as `cargo install retold --features command` installs it. (Comments of a crate cannot be included.)

include!("main.rs");
