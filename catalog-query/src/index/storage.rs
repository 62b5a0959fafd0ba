//! Where the files of an index live: a commit ends in memory, and a flush writes it to the disk
//! later.

pub(super) mod folder;
pub(super) mod flusher;
pub(super) mod directory;
pub(super) mod file_writer;
pub(super) mod file_state;
pub(super) mod commit;
pub(super) mod checkpoint;
pub(super) mod disk;
