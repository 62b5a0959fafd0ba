//! Puts the catalog to the test as real processes: [`cluster`] starts them, [`chaos`] breaks what
//! they stand on and checks what they promised, and [`mod@bench`] measures them.

#![allow(clippy::print_stderr)] // Commands talk to their user.

pub mod chaos;
pub mod bench;
pub mod cluster;
