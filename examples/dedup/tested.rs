// The example with the tests inside it.

include!("main.rs");
