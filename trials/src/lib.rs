//! The catalog as real processes, put to the test: a [`cluster`] of them, [`chaos`] that breaks what
//! they stand on and checks what they promised, and a [`bench`] that measures them.

#![allow(clippy::print_stderr)] // Commands talk to their user.

pub mod cluster;
pub mod chaos;
pub mod bench;
