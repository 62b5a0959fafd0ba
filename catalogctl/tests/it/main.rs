//! Journeys through all services: real processes, a real broker and database, real kill -9.

mod support;
mod journey;
mod usage;
mod events;
mod keys;
mod subscribers;
mod tidy;
mod kill;
mod chaos;
mod verify;
mod eval;
mod feeds;
