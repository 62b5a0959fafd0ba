//! Journeys through all services: real processes, a real broker and database, real kill -9.

mod support;
mod journey;
mod usage;
mod events;
mod keys;
mod tokens;
mod roles;
mod deployment;
mod subscribers;
mod tidy;
mod kill;
mod chaos;
mod verify;
mod restore;
mod replicas;
mod scaled;
mod eval;
mod feeds;
mod client;
mod bad_input;
mod secrets;
mod traces;
mod webhooks;
mod browser;
